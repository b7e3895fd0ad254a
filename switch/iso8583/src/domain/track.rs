//! Tracks of magnetic stripes (ISO/IEC 7813).

use nom::Parser;
use nom::bytes::complete::{take, take_while_m_n};
use nom::character::complete::{char, digit0, digit1, one_of};
use nom::combinator::{all_consuming, map_parser, opt, rest};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Malformed, Pan};

type Failure<'a> = nom::error::Error<&'a str>;

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
        if text.len() > 38 || !text.is_ascii() {
            return Err(Malformed("track 2 is at most 37 characters"));
        }
        let mut grammar = all_consuming((
            digit1::<&str, Failure<'_>>,
            one_of("=D"),
            map_parser(take(4_usize), all_consuming(digit1)),
            map_parser(take(3_usize), all_consuming(digit1)),
            digit0,
            opt(one_of("F")),
        ));
        let (_, (pan, _, expiry, service_code, discretionary, _)) =
            grammar.parse(text).map_err(|_| Malformed("track 2 is PAN, separator, YYMM, service code, digits"))?;
        check_month(expiry)?;
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

fn check_month(expiry: &str) -> Result<(), Malformed> {
    match expiry.get(2..).and_then(|month| month.parse::<u8>().ok()) {
        Some(1..=12) => Ok(()),
        _ => Err(Malformed("the month of a track's expiry is 01 to 12")),
    }
}

/// Track 1 of a magnetic stripe, format B (ISO/IEC 7813), as DE 45 has it: `B PAN ^ name ^ YYMM SSS discretionary`,
/// without its sentinels.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Track1 {
    pub pan: Pan,
    /// Surname, a slash, first name and what follows it.
    pub name: String,
    /// `YYMM`.
    pub expiry: String,
    pub service_code: String,
    pub discretionary: String,
}

impl Track1 {
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > 76 || !text.bytes().all(|byte| (b' '..=b'_').contains(&byte)) {
            return Err(Malformed("track 1 is at most 76 upper-case characters"));
        }
        let mut grammar = (
            char::<&str, Failure<'_>>('B'),
            digit1,
            char('^'),
            take_while_m_n(2, 26, |character| character != '^'),
            char('^'),
            map_parser(take(4_usize), all_consuming(digit1)),
            map_parser(take(3_usize), all_consuming(digit1)),
            rest,
        );
        let (_, (_, pan, _, name, _, expiry, service_code, discretionary)) = grammar.parse(text).map_err(|_| {
            Malformed("track 1 is B, PAN, ^, a name of 2 to 26 characters, ^, YYMM, service code, data")
        })?;
        check_month(expiry)?;
        Ok(Self {
            pan: Pan::parse(pan)?,
            name: name.to_owned(),
            expiry: expiry.to_owned(),
            service_code: service_code.to_owned(),
            discretionary: discretionary.to_owned(),
        })
    }
}

impl std::fmt::Debug for Track1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Track1").field("pan", &self.pan).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{luhn_valid, vectors};
    use super::*;

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
    fn track_1_is_taken_apart() {
        let track = Track1::parse("B4111111111111111^DOE/JOHN^2912201000000123").unwrap();
        assert_eq!((track.pan.as_str(), track.name.as_str()), ("4111111111111111", "DOE/JOHN"));
        assert_eq!((track.expiry.as_str(), track.service_code.as_str()), ("2912", "201"));
        assert_eq!(track.discretionary, "000000123");
        assert_eq!(format!("{track:?}"), "Track1 { pan: Pan(411111******1111), .. }");
        for wrong in [
            "",
            "4111111111111111^DOE/JOHN^2912201",
            "B^DOE/JOHN^2912201",
            "B4111111111111111^D^2912201",
            "B4111111111111111^DOE/JOHN^2913201",
            "B4111111111111111^DOE/JOHN^29122",
            "B4111111111111111^doe/john^2912201",
            "B4111111111111111",
        ] {
            assert!(Track1::parse(wrong).is_err(), "{wrong}");
        }
    }
}
