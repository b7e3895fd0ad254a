//! Naming an earlier message: what completions and reversals say of it.

use iso8583::domain::OriginalData;

use crate::{Error, Request};

/// An earlier message of the same terminal. Holds no card data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// DE 90. Without it a completion is matched by DE 37, a reversal by its own DE 11 and DE 37.
    pub data: Option<OriginalData>,
    /// DE 37.
    pub rrn: Option<String>,
    /// DE 3, which must be the original's.
    pub processing_code: String,
    /// DE 4 in minor units; a reversal must have the original's.
    pub amount_minor: u64,
    /// DE 49, which must be the original's.
    pub currency: String,
}

/// How a reversal is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reversal {
    /// 0420, which the switch never refuses, instead of 0400.
    pub advice: bool,
    /// DE 95: the amount (minor units) that remains. `None` reverses all.
    pub remaining_minor: Option<u64>,
}

impl Original {
    pub fn of(request: &Request) -> Result<Self, Error> {
        let text = |de: u8, missing| request.fields().text(de).ok_or(Error::Original(missing));
        Ok(Self {
            data: Some(OriginalData {
                mti: request.mti().to_owned(),
                stan: request.stan().to_owned(),
                transmission: request.transmission().to_owned(),
                acquirer: String::new(),
                forwarder: String::new(),
            }),
            rrn: request.rrn().map(str::to_owned),
            processing_code: text(3, "it moves no money (DE 3 is missing)")?.to_owned(),
            amount_minor: text(4, "it moves no money (DE 4 is missing)")?
                .parse()
                .map_err(|_| Error::Original("its DE 4 is no number"))?,
            currency: text(49, "it moves no money (DE 49 is missing)")?.to_owned(),
        })
    }

    /// `0200:000123:1125041500`, which [`parse_reference`] reads.
    pub fn reference(&self) -> Option<String> {
        self.data.as_ref().map(|data| format!("{}:{}:{}", data.mti, data.stan, data.transmission))
    }
}

/// Reads `MTI:STAN:DE7`.
pub fn parse_reference(text: &str) -> Result<OriginalData, Error> {
    let digits = |part: &&str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split(':').collect::<Vec<_>>().as_slice() {
        [mti, stan, transmission] if digits(mti, 4) && digits(stan, 6) && digits(transmission, 10) => {
            Ok(OriginalData {
                mti: (*mti).to_owned(),
                stan: (*stan).to_owned(),
                transmission: (*transmission).to_owned(),
                acquirer: String::new(),
                forwarder: String::new(),
            })
        }
        _ => Err(Error::Original("write MTI:STAN:DE7 with 4, 6 and 10 digits, like 0200:000123:1125041500")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_back() {
        let data = parse_reference("0200:000123:1125041500").unwrap();
        assert_eq!(data.encode(), format!("02000001231125041500{}", "0".repeat(22)));
        for text in ["", "0200", "0200:123:1125041500", "0200:000123:112504150x", "0200:000123:1125041500:1"] {
            assert!(parse_reference(text).is_err(), "{text}");
        }
    }
}
