//! What a terminal can ask for.

/// An 0800, by its DE 70.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Administration {
    SignOn,
    SignOff,
    KeyExchange,
    Echo,
}

impl Administration {
    /// DE 70.
    pub fn code(self) -> &'static str {
        match self {
            Self::SignOn => "001",
            Self::SignOff => "002",
            Self::KeyExchange => "101",
            Self::Echo => "301",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::SignOn => "sign-on",
            Self::SignOff => "sign-off",
            Self::KeyExchange => "key exchange",
            Self::Echo => "echo",
        }
    }
}

/// A transaction at the counter, with the cardholder present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Purchase,
    Cash,
    /// The amount is the total; `cash` (minor units) is the part of it that is handed out.
    Cashback {
        cash: u64,
    },
    Refund,
    PreAuth,
    Balance,
}

impl Kind {
    pub fn mti(self) -> &'static str {
        match self {
            // Every approved 0100 is a hold.
            Self::PreAuth => "0100",
            _ => "0200",
        }
    }

    /// DE 3, on the card's default account.
    pub fn processing_code(self) -> &'static str {
        match self {
            Self::Purchase | Self::PreAuth => "000000",
            Self::Cash => "010000",
            Self::Cashback { .. } => "090000",
            Self::Refund => "200000",
            Self::Balance => "310000",
        }
    }

    /// Money that goes to the cardholder needs no consent of theirs.
    pub(crate) fn asks_for_pin(self) -> bool {
        !matches!(self, Self::Refund)
    }
}
