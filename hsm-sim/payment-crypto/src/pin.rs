//! A PIN in clear, which exists only inside an HSM and in a cardholder's terminal.

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Fault;

/// 4 to 12 digits (ISO 9564-1, 8.1).
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Pin(Vec<u8>);

impl Pin {
    /// From characters `0` to `9`.
    pub fn parse(digits: &str) -> Result<Self, Fault> {
        Self::from_digits(digits.bytes().map(|byte| byte.wrapping_sub(b'0')).collect())
    }

    /// From numbers 0 to 9.
    pub fn from_digits(digits: Vec<u8>) -> Result<Self, Fault> {
        let pin = Self(digits);
        if !(4..=12).contains(&pin.0.len()) {
            return Err(Fault::PinLength);
        }
        if pin.0.iter().any(|digit| *digit > 9) {
            return Err(Fault::PinBlockContent);
        }
        Ok(pin)
    }

    /// Numbers 0 to 9.
    pub fn digits(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Pin {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Pin {}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin(****)")
    }
}
