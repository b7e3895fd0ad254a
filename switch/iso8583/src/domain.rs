//! Values with a meaning of their own: card numbers, tracks, amounts, references to originals.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A text that is not of its form. Says what was expected, never what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

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

/// Track 2 of a magnetic stripe (ISO/IEC 7813): `PAN = YYMM SSS discretionary`.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Track2 {
    pub pan: Pan,
    /// `YYMM`.
    pub expiry: String,
    pub service_code: String,
    pub discretionary: String,
}

impl Track2 {
    /// Accepts `=` or `D` as the separator and one trailing `F` of fill (EMV tag 57).
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        use nom::Parser;
        use nom::bytes::complete::take;
        use nom::character::complete::{digit0, digit1, one_of};
        use nom::combinator::{all_consuming, map_parser, opt};

        if text.len() > 38 || !text.is_ascii() {
            return Err(Malformed("track 2 is at most 37 characters"));
        }
        let mut grammar = all_consuming((
            digit1::<&str, nom::error::Error<&str>>,
            one_of("=D"),
            map_parser(take(4_usize), all_consuming(digit1)),
            map_parser(take(3_usize), all_consuming(digit1)),
            digit0,
            opt(one_of("F")),
        ));
        let (_, (pan, _, expiry, service_code, discretionary, _)) =
            grammar.parse(text).map_err(|_| Malformed("track 2 is PAN, separator, YYMM, service code, digits"))?;
        if !matches!(expiry.get(2..).and_then(|month| month.parse::<u8>().ok()), Some(1..=12)) {
            return Err(Malformed("the month of track 2's expiry is 01 to 12"));
        }
        Ok(Self {
            pan: Pan::parse(pan)?,
            expiry: expiry.to_owned(),
            service_code: service_code.to_owned(),
            discretionary: discretionary.to_owned(),
        })
    }
}

impl std::fmt::Debug for Track2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Track2").field("pan", &self.pan).finish_non_exhaustive()
    }
}

/// DE 90: which message is meant. MTI n4, STAN n6, DE 7 n10, acquirer n11, forwarder n11.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalData {
    pub mti: String,
    pub stan: String,
    /// DE 7 of the original, `MMDDhhmmss`.
    pub transmission: String,
    pub acquirer: String,
    pub forwarder: String,
}

impl OriginalData {
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() != 42 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Malformed("original data elements are 42 digits"));
        }
        let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default().to_owned();
        Ok(Self {
            mti: part(0..4),
            stan: part(4..10),
            transmission: part(10..20),
            acquirer: part(20..31),
            forwarder: part(31..42),
        })
    }

    pub fn encode(&self) -> String {
        format!(
            "{:0>4}{:0>6}{:0>10}{:0>11}{:0>11}",
            self.mti, self.stan, self.transmission, self.acquirer, self.forwarder
        )
    }
}

/// One item of DE 54: account type n2, amount type n2, currency n3, C or D, amount n12.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdditionalAmount {
    pub account_type: String,
    pub amount_type: String,
    pub currency: String,
    /// Minor units; negative for a debit balance.
    pub amount: i64,
}

impl AdditionalAmount {
    const LENGTH: usize = 20;

    /// All items; the length must be a multiple of an item's.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, Malformed> {
        if !text.is_ascii() || text.is_empty() || !text.len().is_multiple_of(Self::LENGTH) {
            return Err(Malformed("additional amounts are items of 20 characters"));
        }
        (0..text.len())
            .step_by(Self::LENGTH)
            .map(|start| Self::parse(text.get(start..start + Self::LENGTH).unwrap_or_default()))
            .collect()
    }

    fn parse(item: &str) -> Result<Self, Malformed> {
        let part = |range: std::ops::Range<usize>| item.get(range).unwrap_or_default();
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (head, sign, amount) = (part(0..7), part(7..8), part(8..20));
        if !digits(head) || !digits(amount) {
            return Err(Malformed("an additional amount has digits around its sign"));
        }
        let amount: i64 = amount.parse().map_err(|_| Malformed("an additional amount has twelve digits"))?;
        let amount = match sign {
            "C" => amount,
            "D" => -amount,
            _ => return Err(Malformed("an additional amount's sign is C or D")),
        };
        Ok(Self {
            account_type: part(0..2).to_owned(),
            amount_type: part(2..4).to_owned(),
            currency: part(4..7).to_owned(),
            amount,
        })
    }

    pub fn encode(&self) -> Result<String, Malformed> {
        let magnitude = self.amount.unsigned_abs();
        if magnitude > 999_999_999_999 {
            return Err(Malformed("an additional amount has at most twelve digits"));
        }
        let sign = if self.amount < 0 { 'D' } else { 'C' };
        Ok(format!("{:0>2}{:0>2}{:0>3}{sign}{magnitude:012}", self.account_type, self.amount_type, self.currency))
    }
}

/// A currency of ISO 4217.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// By its three-digit number: 710.
    pub fn numeric(number: u16) -> Option<Self> {
        iso_currency::Currency::from_numeric(number).map(Self)
    }

    /// By its three letters: ZAR.
    pub fn named(code: &str) -> Option<Self> {
        iso_currency::Currency::from_code(code).map(Self)
    }

    /// By number or letters, as people write it.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().map_or_else(|_| Self::named(text), Self::numeric)
    }

    pub fn number(self) -> u16 {
        self.0.numeric()
    }

    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Decimals of the minor unit; 0 for those without one.
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(name: &str) -> Vec<serde_json::Value> {
        let path = format!("{}/../../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        file["vectors"].as_array().unwrap().clone()
    }

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
    fn track2_vectors() {
        for vector in vectors("track2") {
            let parsed = Track2::parse(vector["inputs"]["track2"].as_str().unwrap());
            let expected = &vector["expected"];
            if expected.get("error").is_some() {
                assert!(parsed.is_err(), "{}", vector["name"]);
                continue;
            }
            let track = parsed.unwrap_or_else(|error| panic!("{}: {error}", vector["name"]));
            assert_eq!(track.pan.as_str(), expected["pan"].as_str().unwrap());
            assert_eq!(track.expiry, expected["expiry"].as_str().unwrap());
            assert_eq!(track.service_code, expected["service_code"].as_str().unwrap());
            assert_eq!(track.discretionary, expected["discretionary"].as_str().unwrap());
            assert_eq!(luhn_valid(track.pan.as_str()), expected["luhn_valid"].as_bool().unwrap());
        }
    }

    #[test]
    fn a_pan_shows_only_its_ends() {
        let pan = Pan::parse("4111111111111111").unwrap();
        assert_eq!(format!("{pan:?}"), "Pan(411111******1111)");
        assert_eq!(pan.account12(), "111111111111");
        assert_eq!(Pan::parse("12345678").unwrap().masked(), "********");
        assert!(Pan::parse("4111 1111").is_err());
    }

    #[test]
    fn additional_amounts_and_originals_round_trip() {
        let text = "0002840C0000002735101001840D000000310543";
        let amounts = AdditionalAmount::parse_all(text).unwrap();
        assert_eq!(amounts[1].amount, -310_543);
        assert_eq!(amounts.iter().map(|amount| amount.encode().unwrap()).collect::<String>(), text);
        assert!(AdditionalAmount::parse_all("0002840X000000273510").is_err());
        let original = "020088583609190417380000012345600000654321";
        assert_eq!(OriginalData::parse(original).unwrap().encode(), original);
    }
}
