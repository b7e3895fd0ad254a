//! What a device refuses although it could do it: PINs that are too short, too long or too well known, and translations
//! that take a PIN block's protection away.

use std::collections::HashSet;

use payment_crypto::Pin;

use crate::error::Code;
use crate::pin_blocks::Format;

/// The security settings of a device.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Digits of PINs that are chosen or made here. Those of others are only checked and passed on.
    pub pin_length: std::ops::RangeInclusive<usize>,
    /// PINs that nobody may choose, in digits.
    pub excluded_pins: HashSet<String>,
    /// Also: all digits alike, and digits that count up or down by one.
    pub refuse_weak_pins: bool,
    /// Formats that commands may name; others are refused (69).
    pub formats: Vec<Format>,
    /// Refuses translation of a block bound to an account into IBM 3624, too. Into formats 1 and 2 it always is.
    pub strict_translation: bool,
    /// Whether a decimalisation table must tell PINs apart well enough (25).
    pub check_decimalisation_tables: bool,
    /// Whether a failed cryptogram's right value is told (KQ), which is for diagnosis only.
    pub diagnostics: bool,
    /// Commands that are switched off, as an operator does with those that no host needs (68).
    pub disabled_commands: Vec<[u8; 2]>,
    /// Whether terminal keys are of types 70D and 80D, as PCI asks, and not all of type 002.
    pub separate_terminal_keys: bool,
    /// Whether keys of equal parts are refused (75).
    pub refuse_disguised_keys: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            pin_length: 4..=12,
            excluded_pins: HashSet::new(),
            refuse_weak_pins: false,
            formats: Format::ALL.to_vec(),
            strict_translation: false,
            check_decimalisation_tables: true,
            diagnostics: false,
            disabled_commands: Vec::new(),
            separate_terminal_keys: false,
            refuse_disguised_keys: false,
        }
    }
}

impl Policy {
    /// Whether a cardholder may have the PIN: 81 for its length, 86 for its digits.
    pub fn may_be_chosen(&self, pin: &Pin) -> Result<(), Code> {
        let digits = pin.digits();
        if !self.pin_length.contains(&digits.len()) {
            return Err(Code::PIN_LENGTH_MISMATCH);
        }
        let excluded = !self.excluded_pins.is_empty()
            && self.excluded_pins.contains(&digits.iter().map(|digit| char::from(b'0' + digit)).collect::<String>());
        if excluded || self.refuse_weak_pins && is_weak(digits) { Err(Code::EXCLUDED_PIN) } else { Ok(()) }
    }

    /// Whether commands may use a format.
    pub fn may_be_used(&self, format: Format) -> Result<(), Code> {
        if self.formats.contains(&format) { Ok(()) } else { Err(Code::PIN_BLOCK_DISABLED) }
    }

    /// Whether a block may be turned into one of another format. What is bound to an account stays bound: otherwise a PIN
    /// could be searched for with a block of one's own (X9.24 and IBM's PIN block restrictions).
    pub fn may_be_translated(&self, from: Format, to: Format) -> Result<(), Code> {
        self.may_be_used(from)?;
        self.may_be_used(to)?;
        let loosens = match to {
            Format::Iso1 | Format::Iso2 => from != to,
            Format::Ibm3624 => self.strict_translation && from.is_bound(),
            Format::Iso0 | Format::Iso3 | Format::Iso4 => false,
        };
        if loosens { Err(Code::PIN_BLOCK_DISABLED) } else { Ok(()) }
    }
}

fn is_weak(digits: &[u8]) -> bool {
    let step = |wanted: u8| digits.windows(2).all(|pair| (pair[1] + 10 - pair[0]) % 10 == wanted);
    step(0) || step(1) || step(9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(digits: &str) -> Pin {
        Pin::parse(digits).unwrap()
    }

    #[test]
    fn weak_and_excluded_pins() {
        let free = Policy::default();
        assert_eq!(free.may_be_chosen(&pin("1111")), Ok(()));
        let strict = Policy {
            refuse_weak_pins: true,
            excluded_pins: HashSet::from(["2580".to_owned()]),
            pin_length: 4..=6,
            ..Policy::default()
        };
        for weak in ["1111", "1234", "4321", "8901", "000000", "2580"] {
            assert_eq!(strict.may_be_chosen(&pin(weak)), Err(Code::EXCLUDED_PIN), "{weak}");
        }
        assert_eq!(strict.may_be_chosen(&pin("1235")), Ok(()));
        assert_eq!(strict.may_be_chosen(&pin("1235789")), Err(Code::PIN_LENGTH_MISMATCH));
    }

    #[test]
    fn translations_do_not_loosen() {
        let usual = Policy::default();
        let strict =
            Policy { strict_translation: true, formats: vec![Format::Iso0, Format::Ibm3624], ..Policy::default() };
        for from in Format::ALL {
            assert_eq!(usual.may_be_translated(from, Format::Iso0), Ok(()));
            assert_eq!(usual.may_be_translated(from, Format::Ibm3624), Ok(()));
            for loose in [Format::Iso1, Format::Iso2] {
                assert_eq!(usual.may_be_translated(from, loose).is_ok(), from == loose);
            }
        }
        assert_eq!(strict.may_be_translated(Format::Iso0, Format::Ibm3624), Err(Code::PIN_BLOCK_DISABLED));
        assert_eq!(strict.may_be_translated(Format::Ibm3624, Format::Iso0), Ok(()));
        assert_eq!(strict.may_be_translated(Format::Iso3, Format::Iso0), Err(Code::PIN_BLOCK_DISABLED));
    }
}
