//! Two-character error codes of the host protocol.

use payment_crypto::Fault;

/// An error code as it stands in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub &'static str);

impl Code {
    pub const VERIFICATION_FAILED: Self = Self("01");
    pub const KEY_TYPE: Self = Self("04");
    pub const LENGTH_FLAG: Self = Self("05");
    pub const SOURCE_PARITY: Self = Self("10");
    pub const DESTINATION_PARITY: Self = Self("11");
    pub const LMK: Self = Self("13");
    pub const PIN_UNDER_LMK: Self = Self("14");
    pub const INPUT: Self = Self("15");
    pub const PIN_BLOCK: Self = Self("20");
    pub const ACCOUNT: Self = Self("22");
    pub const PIN_BLOCK_FORMAT: Self = Self("23");
    pub const PIN_LENGTH: Self = Self("24");
    pub const KEY_SCHEME: Self = Self("26");
    pub const KEY_LENGTH: Self = Self("27");
    pub const INTERNAL: Self = Self("41");
    pub const NOT_OFFERED: Self = Self("68");
    pub const DATA_LENGTH: Self = Self("80");
}

impl From<Fault> for Code {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::KeyLength => Self::KEY_LENGTH,
            Fault::DataLength => Self::DATA_LENGTH,
            Fault::PinLength => Self::PIN_LENGTH,
            Fault::PinBlockContent => Self::PIN_BLOCK,
            Fault::Account => Self::ACCOUNT,
            Fault::KeyBlock(_) | Fault::KeyBlockMac => Self::INPUT,
            Fault::Random => Self::INTERNAL,
        }
    }
}
