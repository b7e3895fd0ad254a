//! DE 39 of ISO 8583:1987 as this switch gives it.

/// One response code. The numbers are the wire's two digits, and the ledger's decline reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseCode(u8);

impl ResponseCode {
    pub const APPROVED: Self = Self(0);
    pub const INVALID_TRANSACTION: Self = Self(12);
    pub const INVALID_AMOUNT: Self = Self(13);
    pub const UNKNOWN_CARD: Self = Self(14);
    pub const ORIGINAL_NOT_FOUND: Self = Self(25);
    pub const FORMAT_ERROR: Self = Self(30);
    pub const RESTRICTED: Self = Self(36);
    pub const LOST: Self = Self(41);
    pub const STOLEN: Self = Self(43);
    pub const INSUFFICIENT_FUNDS: Self = Self(51);
    pub const EXPIRED: Self = Self(54);
    pub const WRONG_PIN: Self = Self(55);
    pub const TERMINAL_NOT_PERMITTED: Self = Self(58);
    pub const AMOUNT_LIMIT: Self = Self(61);
    pub const CARD_BLOCKED: Self = Self(62);
    pub const SECURITY_VIOLATION: Self = Self(63);
    pub const COUNT_LIMIT: Self = Self(65);
    pub const TOO_LATE: Self = Self(68);
    pub const PIN_TRIES_EXCEEDED: Self = Self(75);
    pub const REVERSAL_DIFFERS: Self = Self(77);
    pub const NO_ACCOUNT: Self = Self(78);
    pub const CRYPTOGRAM_REFUSED: Self = Self(82);
    pub const PIN_BLOCK_UNDECIPHERABLE: Self = Self(86);
    pub const UNAVAILABLE: Self = Self(91);
    pub const NO_ROUTE: Self = Self(92);
    pub const DUPLICATE: Self = Self(94);
    pub const MALFUNCTION: Self = Self(96);

    /// The number, as recorded in the ledger.
    pub fn number(self) -> u16 {
        u16::from(self.0)
    }

    /// From a recorded number; what cannot be a response code is a malfunction.
    pub fn from_number(number: u16) -> Self {
        u8::try_from(number).ok().filter(|code| *code < 100).map_or(Self::MALFUNCTION, Self)
    }

    /// Whether it speaks of card, account or amount, and not of the message or of a fault here: 30, 63, and 91 to 99.
    pub fn is_business(self) -> bool {
        !matches!(self, Self::FORMAT_ERROR | Self::SECURITY_VIOLATION | Self(91..=99))
    }

    /// The two digits of the wire.
    pub fn wire(self) -> String {
        format!("{:02}", self.0)
    }

    /// A label for metrics, without allocation.
    pub fn label(self) -> &'static str {
        const LABELS: [&str; 100] = {
            let mut labels = [""; 100];
            let digits = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
            let mut rest = digits;
            let mut index = 0;
            while index < 100 {
                let (pair, tail) = rest.split_at(2);
                labels[index] = pair;
                rest = tail;
                index += 1;
            }
            labels
        };
        LABELS.get(usize::from(self.0)).copied().unwrap_or("96")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_is_the_wire_form() {
        for number in 0..100 {
            let code = ResponseCode::from_number(number);
            assert_eq!(code.label(), code.wire());
        }
        assert_eq!(ResponseCode::from_number(1000), ResponseCode::MALFUNCTION);
    }
}
