//! Which message is meant: references to originals.

use super::{Malformed, is_digits};

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

/// DE 56 of 1993: MTI n4, STAN n6, DE 12 n12, acquirer n..11 behind two digits of length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalData1993 {
    pub mti: String,
    pub stan: String,
    /// DE 12 of the original, `YYMMDDhhmmss`.
    pub local_time: String,
    pub acquirer: String,
}

impl OriginalData1993 {
    const FIXED: usize = 24;

    pub fn parse(text: &str) -> Result<Self, Malformed> {
        const FORM: Malformed =
            Malformed("original data elements of 1993 are 24 digits and as many as the last two say");
        if !is_digits(text) || text.len() < Self::FIXED {
            return Err(FORM);
        }
        let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default().to_owned();
        let length: usize = part(22..24).parse().map_err(|_| FORM)?;
        if length > 11 || text.len() != Self::FIXED + length {
            return Err(FORM);
        }
        Ok(Self {
            mti: part(0..4),
            stan: part(4..10),
            local_time: part(10..22),
            acquirer: part(Self::FIXED..text.len()),
        })
    }

    pub fn encode(&self) -> String {
        let acquirer = &self.acquirer;
        format!("{:0>4}{:0>6}{:0>12}{:02}{acquirer}", self.mti, self.stan, self.local_time, acquirer.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn originals_of_1987_go_both_ways() {
        let original = "020088583609190417380000012345600000654321";
        assert_eq!(OriginalData::parse(original).unwrap().encode(), original);
        assert!(OriginalData::parse(&original[1..]).is_err());
    }

    /// As another encoder wrote it.
    #[test]
    fn originals_of_1993_go_both_ways() {
        let vectors = super::super::vectors("iso8583");
        let vector = vectors.iter().find(|vector| vector["name"] == "iso93ascii/gen-1420-79").unwrap();
        let text = vector["expected"]["fields"]["56"].as_str().unwrap();
        let original = OriginalData1993::parse(text).unwrap();
        assert_eq!((original.mti.as_str(), original.acquirer.as_str()), ("1100", "123456"));
        assert_eq!(original.encode(), text);
        for wrong in [&text[..23], &text[1..], "11002826842604211411361212345678901", "1100é6842604211411360"] {
            assert!(OriginalData1993::parse(wrong).is_err(), "{wrong}");
        }
    }
}
