//! The commands that are measured.

/// One kind of command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workload {
    /// DC: a terminal's PIN block against a verification value.
    PinVerify,
    /// CA: a PIN block from a terminal's key to a zone's.
    PinTranslate,
    /// M6: a retail MAC.
    MacGenerate,
    /// M8: the same, compared.
    MacVerify,
    /// EC: a zone's PIN block of format 4 under an AES key, against a verification value.
    AesPinVerify,
    /// M6: a CMAC under an AES key.
    AesMac,
}

/// Bytes of the message that MACs are made of.
pub const MESSAGE_BYTES: usize = 200;

impl Workload {
    pub const ALL: [Self; 6] =
        [Self::PinVerify, Self::PinTranslate, Self::MacGenerate, Self::MacVerify, Self::AesPinVerify, Self::AesMac];

    pub fn name(self) -> &'static str {
        match self {
            Self::PinVerify => "pin_verify",
            Self::PinTranslate => "pin_translate",
            Self::MacGenerate => "mac_generate",
            Self::MacVerify => "mac_verify",
            Self::AesPinVerify => "aes_pin_verify",
            Self::AesMac => "aes_mac",
        }
    }

    /// Command and answer codes.
    pub fn codes(self) -> (&'static str, &'static str) {
        match self {
            Self::PinVerify => ("DC", "DD"),
            Self::PinTranslate => ("CA", "CB"),
            Self::MacGenerate | Self::AesMac => ("M6", "M7"),
            Self::MacVerify => ("M8", "M9"),
            Self::AesPinVerify => ("EC", "ED"),
        }
    }
}
