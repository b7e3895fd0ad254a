//! What a financial request says, read once from its fields and checked for form.

use iso8583::Message;
use iso8583::domain::{AdditionalAmount, OriginalData, Pan, Track2};

use super::mti::{Class, Mti};
use super::response_code::ResponseCode;
use super::shown::Shown;

/// What the first two digits of DE 3 ask for, as far as this switch serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Purchase,
    Cash,
    PurchaseWithCashback,
    Refund,
    BalanceInquiry,
    Unserved,
}

impl Kind {
    fn of(processing_code: &str) -> Self {
        match processing_code.get(..2) {
            Some("00") => Self::Purchase,
            Some("01") => Self::Cash,
            Some("09") => Self::PurchaseWithCashback,
            Some("20") => Self::Refund,
            Some("31") => Self::BalanceInquiry,
            _ => Self::Unserved,
        }
    }

    pub fn moves_money(self) -> bool {
        self.pays_merchant() || self == Self::Refund
    }

    /// Whether it goes from cardholder to merchant: what can be held, and a hold completed by.
    pub fn pays_merchant(self) -> bool {
        matches!(self, Self::Purchase | Self::Cash | Self::PurchaseWithCashback)
    }

    /// The word for records and statements.
    pub fn word(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::Cash => "cash",
            Self::PurchaseWithCashback => "cashback",
            Self::Refund => "refund",
            Self::BalanceInquiry => "balance",
            Self::Unserved => "other",
        }
    }
}

/// A 01xx, 02xx or 04xx message. `Debug` shows neither PIN block nor expiry, and the PAN masked.
pub struct FinancialRequest {
    pub mti: Mti,
    pub kind: Kind,
    pub pan: Pan,
    /// `YYMM`, from DE 14 or track 2.
    pub expiry: Option<[u8; 4]>,
    pub processing_code: String,
    /// DE 4 as sent (twelve digits) and as a number of minor units.
    pub amount_text: String,
    pub amount: i64,
    /// DE 49 as sent and as a number.
    pub currency_text: String,
    pub currency: Option<u16>,
    pub stan: String,
    /// DE 7 as sent: `MMDDhhmmss`.
    pub transmission: String,
    /// DE 12 and DE 13, when both are there.
    pub local_time: Option<(String, String)>,
    pub rrn: Option<String>,
    /// DE 25 = 06: the completion of a pre-authorization.
    pub is_completion: bool,
    /// DE 38 of a completion as sent; other messages may carry an issuer's of any form, which says nothing here.
    pub approval: Option<String>,
    /// DE 90; all zeros mean that there is none.
    pub original: Option<OriginalData>,
    /// DE 95 positions 1 to 12: what remains after a reversal, 0 for nothing.
    pub remaining: i64,
    /// DE 52, enciphered under the terminal's PIN key.
    pub pin_block: Option<[u8; 8]>,
    /// What its record shows beside the fields above.
    pub shown: Shown,
}

impl std::fmt::Debug for FinancialRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FinancialRequest")
            .field("mti", &self.mti.as_str())
            .field("kind", &self.kind)
            .field("pan", &self.pan)
            .field("amount", &self.amount)
            .field("currency", &self.currency)
            .field("stan", &self.stan)
            .field("transmission", &self.transmission)
            .finish_non_exhaustive()
    }
}

impl FinancialRequest {
    /// Reads the fields; a missing or malformed one is a format error.
    pub fn read(mti: Mti, message: &Message<'_>) -> Result<Self, ResponseCode> {
        let (pan, expiry) = card_number(message)?;
        let processing_code = required(message, 3)?;
        let kind = Kind::of(&processing_code);
        let amount_text = if kind == Kind::BalanceInquiry {
            optional(message, 4).unwrap_or_else(|| "000000000000".to_owned())
        } else {
            required(message, 4)?
        };
        let currency_text = if kind == Kind::BalanceInquiry {
            optional(message, 49).unwrap_or_default()
        } else {
            required(message, 49)?
        };
        let is_completion =
            mti.class() == Class::Financial && mti.is_advice() && optional(message, 25).as_deref() == Some("06");
        let request = Self {
            mti,
            kind,
            pan,
            expiry,
            amount: number(&amount_text)?,
            amount_text,
            currency: currency_text.parse().ok(),
            currency_text,
            processing_code,
            stan: required(message, 11)?,
            transmission: required(message, 7)?,
            local_time: optional(message, 12).zip(optional(message, 13)),
            rrn: optional(message, 37),
            is_completion,
            approval: optional(message, 38).filter(|_| is_completion),
            original: optional(message, 90)
                .filter(|text| text.bytes().any(|byte| byte != b'0'))
                .map(|text| OriginalData::parse(&text).map_err(|_| ResponseCode::FORMAT_ERROR))
                .transpose()?,
            remaining: match optional(message, 95) {
                Some(text) => number(text.get(..12).ok_or(ResponseCode::FORMAT_ERROR)?)?,
                None => 0,
            },
            pin_block: pin_block(message)?,
            shown: Shown::of(message),
        };
        request.check(message)?;
        Ok(request)
    }

    /// The number of DE 38. Approvals given here are six digits, so that any other text names no hold.
    pub fn approval_number(&self) -> Option<u32> {
        let text = self.approval.as_deref()?;
        (text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
    }

    fn check(&self, message: &Message<'_>) -> Result<(), ResponseCode> {
        if self.is_completion && self.approval.is_none() {
            return Err(ResponseCode::FORMAT_ERROR);
        }
        if self.kind == Kind::PurchaseWithCashback && self.mti.class() != Class::Reversal {
            // The item is a debit to the cardholder; terminals write it with either sign.
            let cash = cashback(message, &self.currency_text)?.unsigned_abs();
            if cash == 0 || i64::try_from(cash).is_ok_and(|cash| cash > self.amount) {
                return Err(ResponseCode::INVALID_AMOUNT);
            }
        }
        Ok(())
    }
}

fn optional(message: &Message<'_>, de: u8) -> Option<String> {
    message.text(de).map(std::borrow::Cow::into_owned)
}

fn required(message: &Message<'_>, de: u8) -> Result<String, ResponseCode> {
    optional(message, de).ok_or(ResponseCode::FORMAT_ERROR)
}

fn number(digits: &str) -> Result<i64, ResponseCode> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ResponseCode::FORMAT_ERROR);
    }
    digits.parse().map_err(|_| ResponseCode::FORMAT_ERROR)
}

/// The PAN of DE 2 or DE 35 and the expiry of DE 14 or DE 35, which must agree where both are sent.
fn card_number(message: &Message<'_>) -> Result<(Pan, Option<[u8; 4]>), ResponseCode> {
    let keyed = message.text(2).map(|text| Pan::parse(&text).map_err(|_| ResponseCode::FORMAT_ERROR)).transpose()?;
    let track =
        message.text(35).map(|text| Track2::parse(&text).map_err(|_| ResponseCode::FORMAT_ERROR)).transpose()?;
    let stated = match message.text(14) {
        Some(text) => Some(<[u8; 4]>::try_from(text.as_bytes()).map_err(|_| ResponseCode::FORMAT_ERROR)?),
        None => None,
    };
    let on_track = track.as_ref().and_then(|track| <[u8; 4]>::try_from(track.expiry.as_bytes()).ok());
    if stated.is_some() && on_track.is_some() && stated != on_track {
        return Err(ResponseCode::FORMAT_ERROR);
    }
    match (keyed, track) {
        (Some(keyed), Some(track)) if keyed != track.pan => Err(ResponseCode::FORMAT_ERROR),
        (Some(pan), _) => Ok((pan, stated.or(on_track))),
        (None, Some(track)) => Ok((track.pan.clone(), stated.or(on_track))),
        (None, None) => Err(ResponseCode::FORMAT_ERROR),
    }
}

fn pin_block(message: &Message<'_>) -> Result<Option<[u8; 8]>, ResponseCode> {
    match message.binary(52) {
        Some(block) => Ok(Some(<[u8; 8]>::try_from(block.as_ref()).map_err(|_| ResponseCode::FORMAT_ERROR)?)),
        None => Ok(None),
    }
}

/// The cash part of a purchase with cashback: the one item of DE 54 with amount type 40, in the currency of DE 49.
fn cashback(message: &Message<'_>, currency: &str) -> Result<i64, ResponseCode> {
    let text = required(message, 54)?;
    let amounts = AdditionalAmount::parse_all(&text).map_err(|_| ResponseCode::FORMAT_ERROR)?;
    let mut cash = amounts.iter().filter(|amount| amount.amount_type == "40");
    match (cash.next(), cash.next()) {
        (Some(cash), None) if cash.currency == currency => Ok(cash.amount),
        _ => Err(ResponseCode::FORMAT_ERROR),
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use iso8583::{Fields, Spec};

    use super::*;

    const PAN: &str = "4111111111111111";

    /// A keyed purchase of 10.00, its fields changed by `changes`; an empty text takes one away.
    fn read(mti: &str, changes: &[(u8, &str)]) -> Result<FinancialRequest, ResponseCode> {
        let usual = [(2, PAN), (3, "000000"), (4, "000000001000"), (7, "1125091844"), (11, "000001"), (49, "710")];
        let mut fields = Fields::new(mti);
        for (de, text) in usual.iter().chain(changes) {
            fields.set(*de, *text);
            if text.is_empty() {
                fields.remove(*de);
            }
        }
        let spec = Spec::builtin("iso87binary").unwrap();
        let mut wire = BytesMut::new();
        spec.encode(&fields, &mut wire).unwrap();
        FinancialRequest::read(Mti::parse(mti).unwrap(), &spec.decode(&wire).unwrap())
    }

    #[test]
    fn the_approval_counts_in_completions_alone() {
        for text in ["A1B2C3", "      ", "12345 ", "+12345"] {
            assert_eq!(read("0220", &[(25, "06"), (38, text)]).unwrap().approval_number(), None, "{text:?}");
            for mti in ["0200", "0220", "0400", "0420"] {
                assert_eq!(read(mti, &[(38, text)]).unwrap().approval, None, "{mti} {text:?}");
            }
        }
        assert_eq!(read("0220", &[(25, "06"), (38, "004711")]).unwrap().approval_number(), Some(4711));
        assert_eq!(read("0220", &[(25, "06")]).unwrap_err(), ResponseCode::FORMAT_ERROR);
    }

    #[test]
    fn an_original_of_zeros_is_none() {
        assert_eq!(read("0400", &[(90, &"0".repeat(42))]).unwrap().original, None);
        let named = format!("02000000011125091844{}", "0".repeat(22));
        assert_eq!(read("0400", &[(90, &named)]).unwrap().original.unwrap().stan, "000001");
    }

    #[test]
    fn the_expiry_is_the_same_wherever_it_stands() {
        let track = format!("{PAN}=29112010000000000");
        let expiry = |changes: &[(u8, &str)]| read("0200", changes).map(|request| request.expiry);
        assert_eq!(expiry(&[(35, &track)]), Ok(Some(*b"2911")));
        assert_eq!(expiry(&[(35, &track), (14, "2911")]), Ok(Some(*b"2911")));
        assert_eq!(expiry(&[(35, &track), (14, "2912")]), Err(ResponseCode::FORMAT_ERROR));
        assert_eq!(expiry(&[(14, "2912")]), Ok(Some(*b"2912")));
    }

    #[test]
    fn cashback_is_one_amount_in_the_currency_of_the_purchase() {
        let code = |items: &str| read("0200", &[(3, "090000"), (54, items)]).err();
        let (cash, surcharge) = ("0040710D000000000200", "0042710D000000000100");
        assert_eq!(code(cash), None);
        assert_eq!(code(&format!("{surcharge}{cash}")), None);
        for items in [surcharge, &format!("{cash}{cash}"), "0040840D000000000200", ""] {
            assert_eq!(code(items), Some(ResponseCode::FORMAT_ERROR), "{items:?}");
        }
        assert_eq!(code("0040710D000000001001"), Some(ResponseCode::INVALID_AMOUNT));
        assert_eq!(code("0040710D000000000000"), Some(ResponseCode::INVALID_AMOUNT));
    }

    #[test]
    fn debug_tells_no_secret() {
        let request = FinancialRequest { pin_block: Some([0x7F; 8]), ..read("0200", &[(14, "2911")]).unwrap() };
        let shown = format!("{request:?}");
        assert!(shown.contains("411111******1111") && shown.contains("1000"), "{shown}");
        for secret in [PAN, "2911", "50, 57, 49, 49", "127", "7F", "7f"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}
