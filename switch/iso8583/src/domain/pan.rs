//! Card numbers (ISO/IEC 7812).

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Malformed;

/// A primary account number (ISO/IEC 7812): 8 to 19 digits. It has no `Display`, and `Debug` is masked.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Pan(String);

impl Pan {
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if (8..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed("a PAN is 8 to 19 digits"))
        }
    }

    /// All digits, in clear.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// First six and last four digits (PCI DSS 3.4.1), stars between.
    pub fn masked(&self) -> String {
        mask_digits(&self.0)
    }

    /// The rightmost twelve digits without the check digit, as PIN blocks want them (ISO 9564-1, format 0).
    /// Shorter numbers are filled with zeros on the left.
    pub fn account12(&self) -> String {
        let body = self.0.get(..self.0.len().saturating_sub(1)).unwrap_or_default();
        let tail = body.get(body.len().saturating_sub(12)..).unwrap_or_default();
        format!("{tail:0>12}")
    }
}

impl std::fmt::Debug for Pan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pan({})", self.masked())
    }
}

/// First six and last four characters, stars between; short texts are hidden whole.
pub fn mask_digits(text: &str) -> String {
    let hidden = text.len().saturating_sub(10);
    match (text.get(..6), text.get(text.len().saturating_sub(4)..)) {
        (Some(head), Some(tail)) if hidden > 0 => format!("{head}{}{tail}", "*".repeat(hidden)),
        _ => "*".repeat(text.len()),
    }
}

/// The check of ISO/IEC 7812-1, annex B. Anything but digits fails.
pub fn luhn_valid(digits: &str) -> bool {
    let mut sum = 0_u32;
    for (index, byte) in digits.bytes().rev().enumerate() {
        if !byte.is_ascii_digit() {
            return false;
        }
        let digit = u32::from(byte - b'0');
        sum += match (index % 2, digit * 2) {
            (0, _) => digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        };
    }
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// The digit that makes `digits` followed by it pass [`luhn_valid`].
pub fn luhn_check_digit(digits: &str) -> Option<char> {
    ('0'..='9').find(|check| luhn_valid(&format!("{digits}{check}")))
}

#[cfg(test)]
mod tests {
    use super::super::vectors;
    use super::*;

    #[test]
    fn luhn_vectors() {
        for vector in vectors("luhn") {
            let pan = vector["inputs"]["pan"].as_str().unwrap();
            assert_eq!(luhn_valid(pan), vector["expected"]["valid"].as_bool().unwrap(), "{}", vector["name"]);
        }
        assert!(!luhn_valid("411111111111111x"));
        assert_eq!(luhn_check_digit("411111111111111"), Some('1'));
    }

    #[test]
    fn a_pan_shows_only_its_ends() {
        let pan = Pan::parse("4111111111111111").unwrap();
        assert_eq!(format!("{pan:?}"), "Pan(411111******1111)");
        assert_eq!(pan.account12(), "111111111111");
        assert_eq!(Pan::parse("12345678").unwrap().masked(), "********");
        assert!(Pan::parse("4111 1111").is_err());
    }
}
