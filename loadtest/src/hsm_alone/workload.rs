//! The commands that are measured.

/// One kind of command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workload {
    /// DC: a terminal's PIN block against a verification value.
    PinVerify,
    /// JC: a PIN from a terminal's key to the LMK.
    PinTranslate,
    /// M6: a retail MAC.
    MacGenerate,
    /// M8: the same, compared.
    MacVerify,
}

/// Bytes of the message that MACs are made of.
pub const MESSAGE_BYTES: usize = 200;

impl Workload {
    pub const ALL: [Self; 4] = [Self::PinVerify, Self::PinTranslate, Self::MacGenerate, Self::MacVerify];

    pub fn name(self) -> &'static str {
        match self {
            Self::PinVerify => "pin_verify",
            Self::PinTranslate => "pin_translate",
            Self::MacGenerate => "mac_generate",
            Self::MacVerify => "mac_verify",
        }
    }

    /// Command and answer codes.
    pub fn codes(self) -> (&'static str, &'static str) {
        match self {
            Self::PinVerify => ("DC", "DD"),
            Self::PinTranslate => ("JC", "JD"),
            Self::MacGenerate => ("M6", "M7"),
            Self::MacVerify => ("M8", "M9"),
        }
    }
}
