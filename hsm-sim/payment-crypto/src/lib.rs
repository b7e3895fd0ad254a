//! The algorithms of card payments: one file an algorithm, each with its standard and its vectors.
//!
//! The library knows nothing of any particular system. Keys and PINs are wiped on drop, compared in constant time
//! and never shown by `Debug`. Single-DES and ECB appear where the standards of the field demand them.

mod aes;
pub mod cmac;
pub mod cvv;
pub mod dukpt_aes;
pub mod dukpt_tdes;
pub mod emv;
pub mod ibm3624;
pub mod kcv;
pub mod mac;
mod modes;
mod pin;
pub mod pin_block;
pub mod pvv;
mod tdes;
pub mod tr31;

pub use aes::AesKey;
pub use pin::Pin;
pub use tdes::TdesKey;

/// Fills a buffer with random bytes; tests pass their own source.
pub type Random<'a> = &'a mut dyn FnMut(&mut [u8]) -> Result<(), Fault>;

/// Random bytes of the operating system.
pub fn os_random(target: &mut [u8]) -> Result<(), Fault> {
    getrandom::fill(target).map_err(|_| Fault::Random)
}

/// Why an operation was refused. Never holds a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the key is not of a length this algorithm takes")]
    KeyLength,
    #[error("the data is not of a length this algorithm takes")]
    DataLength,
    #[error("the PIN is not 4 to 12 digits")]
    PinLength,
    #[error("the PIN block does not hold a PIN for this account")]
    PinBlockContent,
    #[error("the account number is not of the form this algorithm takes")]
    Account,
    #[error("the decimalisation table is not sixteen digits")]
    DecimalisationTable,
    #[error("the key block is malformed: {0}")]
    KeyBlock(&'static str),
    #[error("the key block's MAC is wrong")]
    KeyBlockMac,
    #[error("no random numbers are to be had")]
    Random,
}

#[cfg(test)]
pub(crate) mod vectors {
    /// The vectors of a family.
    pub fn of(family: &str) -> Vec<serde_json::Value> {
        let path = format!("{}/../../tests/vectors/{family}.json", env!("CARGO_MANIFEST_DIR"));
        let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        file["vectors"].as_array().unwrap().clone()
    }

    pub fn bytes(value: &serde_json::Value) -> Vec<u8> {
        hex::decode(value.as_str().unwrap()).unwrap()
    }
}
