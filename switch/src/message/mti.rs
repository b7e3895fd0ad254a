//! Message type indicators.

/// Four digits: version, class, function, origin (ISO 8583:1987, 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mti([u8; 4]);

/// What a message is about, as far as this switch serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Authorization,
    Financial,
    Reversal,
    NetworkManagement,
    Other,
}

impl Mti {
    /// Reads four digits of version 0 (1987); anything else is not ours to answer.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 4] = text.as_bytes().try_into().ok()?;
        (digits.iter().all(u8::is_ascii_digit) && digits[0] == b'0').then_some(Self(digits))
    }

    /// Requests (0) and advices (2), and their repeats, of the classes that are built.
    pub fn class(self) -> Class {
        match self.0 {
            [_, b'1', b'0' | b'2', b'0' | b'1'] => Class::Authorization,
            [_, b'2', b'0' | b'2', b'0' | b'1'] => Class::Financial,
            [_, b'4', b'0' | b'2', b'0' | b'1'] => Class::Reversal,
            [_, b'8', b'0', b'0' | b'1'] => Class::NetworkManagement,
            _ => Class::Other,
        }
    }

    /// Requests and advices have an even function digit; what has an odd one is an answer to somebody.
    pub fn is_request(self) -> bool {
        (self.0[2] - b'0').is_multiple_of(2) && self.0[2] < b'9'
    }

    pub fn is_advice(self) -> bool {
        self.0[2] == b'2'
    }

    /// Any 08xx, served or not.
    pub fn is_network_management(self) -> bool {
        self.0[1] == b'8'
    }

    /// Whether it asks for something new (0100, 0200), rather than tell of what happened.
    pub fn asks_permission(self) -> bool {
        matches!(self.class(), Class::Authorization | Class::Financial) && !self.is_advice()
    }

    /// The last digit promises that an earlier copy may exist (0201, 0401, 0421).
    pub fn is_repeat(self) -> bool {
        self.0[3] == b'1'
    }

    /// The answer's MTI: a repeat is answered like its original (0421 by 0430).
    pub fn answer(self) -> String {
        let function = char::from(self.0[2] + 1);
        format!("{}{}{function}0", char::from(self.0[0]), char::from(self.0[1]))
    }

    /// The first three digits, which an original and its repeats share.
    pub fn family(self) -> [u8; 3] {
        [self.0[0], self.0[1], self.0[2]]
    }

    /// A label for metrics: what a stranger may send must not decide how many series there are.
    pub fn label(self) -> &'static str {
        match &self.0 {
            b"0100" => "0100",
            b"0101" => "0101",
            b"0120" => "0120",
            b"0121" => "0121",
            b"0200" => "0200",
            b"0201" => "0201",
            b"0220" => "0220",
            b"0221" => "0221",
            b"0400" => "0400",
            b"0401" => "0401",
            b"0420" => "0420",
            b"0421" => "0421",
            b"0800" => "0800",
            b"0801" => "0801",
            _ => "other",
        }
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("0000")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_repeats() {
        for (request, answer) in [
            ("0100", "0110"),
            ("0120", "0130"),
            ("0200", "0210"),
            ("0201", "0210"),
            ("0220", "0230"),
            ("0400", "0410"),
            ("0401", "0410"),
            ("0421", "0430"),
            ("0800", "0810"),
        ] {
            assert_eq!(Mti::parse(request).map(Mti::answer).as_deref(), Some(answer));
        }
        assert!(Mti::parse("0421").is_some_and(|mti| mti.is_repeat() && mti.is_advice()));
        for (text, asks) in [("0100", true), ("0201", true), ("0120", false), ("0220", false), ("0400", false)] {
            assert_eq!(Mti::parse(text).map(Mti::asks_permission), Some(asks));
        }
        assert!(Mti::parse("0210").is_some_and(|mti| !mti.is_request()));
        assert!(Mti::parse("0290").is_some_and(|mti| !mti.is_request()));
        assert_eq!(Mti::parse("1200"), None);
        assert_eq!(Mti::parse("02x0"), None);
    }

    #[test]
    fn only_what_is_built_is_served() {
        let served = "0100 0101 0120 0121 0200 0201 0220 0221 0400 0401 0420 0421 0800 0801";
        for number in 0..1000 {
            let text = format!("0{number:03}");
            let mti = Mti::parse(&text).unwrap();
            assert_eq!(mti.class() != Class::Other, served.contains(&text), "{text}");
        }
    }
}
