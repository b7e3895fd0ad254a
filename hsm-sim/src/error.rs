//! Two-character error codes of the host protocol.

use payment_crypto::Fault;

/// An error code as it stands in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub &'static str);

impl Code {
    pub const OK: Self = Self("00");
    /// Also: an imported key whose parity was set.
    pub const VERIFICATION_FAILED: Self = Self("01");
    /// A warning where a single-length key was expected.
    pub const KEY_NOT_SINGLE: Self = Self("02");
    pub const COMPONENT_COUNT: Self = Self("03");
    pub const KEY_TYPE: Self = Self("04");
    pub const LENGTH_FLAG: Self = Self("05");
    pub const HASH: Self = Self("05");
    pub const SOURCE_PARITY: Self = Self("10");
    pub const DESTINATION_PARITY: Self = Self("11");
    pub const USER_STORAGE: Self = Self("12");
    pub const LMK: Self = Self("13");
    pub const PIN_UNDER_LMK: Self = Self("14");
    pub const INPUT: Self = Self("15");
    pub const NOT_AUTHORISED: Self = Self("17");
    pub const PIN_BLOCK: Self = Self("20");
    pub const ACCOUNT: Self = Self("22");
    pub const PIN_BLOCK_FORMAT: Self = Self("23");
    pub const PIN_LENGTH: Self = Self("24");
    pub const DECIMALISATION_TABLE: Self = Self("25");
    pub const KEY_SCHEME: Self = Self("26");
    pub const KEY_LENGTH: Self = Self("27");
    pub const NOT_PERMITTED: Self = Self("29");
    pub const KEY_CHANGE_STORAGE: Self = Self("33");
    pub const INTERNAL: Self = Self("41");
    pub const ALGORITHM: Self = Self("47");
    pub const HEADER: Self = Self("51");
    pub const NOT_OFFERED: Self = Self("68");
    pub const PIN_BLOCK_DISABLED: Self = Self("69");
    pub const PUBLIC_KEY_LENGTH: Self = Self("76");
    pub const DATA_LENGTH: Self = Self("80");
    pub const PIN_LENGTH_MISMATCH: Self = Self("81");
    pub const EXCLUDED_PIN: Self = Self("86");
    pub const LMK_SCHEME: Self = Self("A1");
    pub const KEY_BLOCK_LMK: Self = Self("A3");
    pub const KEY_BLOCK_MAC: Self = Self("A4");
    pub const KEY_BLOCK_USAGE: Self = Self("A6");
    pub const KEY_BLOCK_ALGORITHM: Self = Self("A7");
    pub const KEY_BLOCK_MODE: Self = Self("A8");
    pub const KEY_BLOCK_EXPORT: Self = Self("AA");
    pub const KEY_BLOCK: Self = Self("B2");
    pub const WRAPPING_KEY: Self = Self("BB");
    /// Not a device's: the fields were only read, and nothing was done. Never sent.
    pub(crate) const READ_ONLY: Self = Self("--");
}

impl From<Fault> for Code {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::KeyLength => Self::KEY_LENGTH,
            Fault::DataLength => Self::DATA_LENGTH,
            Fault::PinLength => Self::PIN_LENGTH,
            Fault::PinBlockContent => Self::PIN_BLOCK,
            Fault::Account => Self::ACCOUNT,
            Fault::DecimalisationTable => Self::DECIMALISATION_TABLE,
            Fault::KeyBlock(_) => Self::KEY_BLOCK,
            Fault::KeyBlockMac => Self::KEY_BLOCK_MAC,
            Fault::Random => Self::INTERNAL,
        }
    }
}
