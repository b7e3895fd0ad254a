//! A card at a terminal: how it was read, and the cardholder's PIN.

use iso8583::Fields;
use iso8583::domain::{Pan, Track2};
use payment_crypto::Pin;
use zeroize::Zeroizing;

use crate::{DemoCard, Error};

/// DE 22: the stripe was read, a PIN can be entered.
const STRIPE_READ: &str = "021";

/// DE 22: the number was keyed in, a PIN can be entered.
const KEYED: &str = "011";

/// All of it is wiped on drop; `Debug` shows the masked number alone.
#[derive(Clone)]
pub struct CardProfile {
    pan: Pan,
    read: Read,
    pin: Option<Pin>,
    currency: String,
}

/// What the terminal got from the card.
#[derive(Clone)]
enum Read {
    /// DE 35.
    Stripe(Track2),
    /// DE 2 and, where given, DE 14.
    Keyed { expiry: Option<Zeroizing<String>> },
}

impl CardProfile {
    /// A card whose stripe is read.
    pub fn swiped(track2: &str, currency: &str) -> Result<Self, Error> {
        let track = Track2::parse(track2).map_err(|fault| Error::Card(fault.0))?;
        Ok(Self { pan: track.pan.clone(), read: Read::Stripe(track), pin: None, currency: currency.to_owned() })
    }

    /// A card whose number, and perhaps expiry (`YYMM`), is keyed in.
    pub fn keyed(pan: &str, expiry: Option<&str>, currency: &str) -> Result<Self, Error> {
        let pan = Pan::parse(pan).map_err(|fault| Error::Card(fault.0))?;
        if expiry.is_some_and(|expiry| !is_year_and_month(expiry)) {
            return Err(Error::Card("an expiry is YYMM"));
        }
        let expiry = expiry.map(|expiry| Zeroizing::new(expiry.to_owned()));
        Ok(Self { pan, read: Read::Keyed { expiry }, pin: None, currency: currency.to_owned() })
    }

    /// A card of the demo: its stripe if it has one, and its PIN.
    pub fn from_demo(card: &DemoCard) -> Result<Self, Error> {
        let profile = match card.track2.as_str() {
            "" => Self::keyed(&card.pan, Some(&card.expiry), &card.currency)?,
            track2 => Self::swiped(track2, &card.currency)?,
        };
        match card.pin.as_str() {
            "" => Ok(profile),
            pin => profile.with_pin(pin),
        }
    }

    /// The PIN its holder will enter.
    pub fn with_pin(mut self, pin: &str) -> Result<Self, Error> {
        self.pin = Some(Pin::parse(pin).map_err(|_| Error::Card("a PIN is 4 to 12 digits"))?);
        Ok(self)
    }

    /// The holder enters no PIN.
    pub fn without_pin(mut self) -> Self {
        self.pin = None;
        self
    }

    /// The currency of its transactions (ISO 4217, three digits).
    pub fn with_currency(mut self, currency: &str) -> Self {
        currency.clone_into(&mut self.currency);
        self
    }

    pub fn pan(&self) -> &Pan {
        &self.pan
    }

    pub fn pin(&self) -> Option<&Pin> {
        self.pin.as_ref()
    }

    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// DE 22 and DE 35, or DE 22, 2 and 14.
    pub(crate) fn write_to(&self, fields: &mut Fields) {
        match &self.read {
            Read::Stripe(track) => {
                let (pan, expiry) = (track.pan.as_str(), &track.expiry);
                fields.set(35, format!("{pan}={expiry}{}{}", track.service_code, track.discretionary));
                fields.set(22, STRIPE_READ);
            }
            Read::Keyed { expiry } => {
                fields.set(2, self.pan.as_str());
                if let Some(expiry) = expiry {
                    fields.set(14, expiry.as_str());
                }
                fields.set(22, KEYED);
            }
        }
    }
}

fn is_year_and_month(text: &str) -> bool {
    text.len() == 4
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && matches!(text.get(2..).and_then(|month| month.parse::<u8>().ok()), Some(1..=12))
}

impl std::fmt::Debug for CardProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CardProfile").field("pan", &self.pan).field("currency", &self.currency).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_read_or_keyed() {
        let mut fields = Fields::new("0200");
        CardProfile::swiped("9999990000000008=30122010000012300000", "710").unwrap().write_to(&mut fields);
        assert_eq!(fields.text(35), Some("9999990000000008=30122010000012300000"));
        assert_eq!((fields.text(2), fields.text(22)), (None, Some("021")));
        let mut fields = Fields::new("0200");
        CardProfile::keyed("9999990000000008", Some("3012"), "710").unwrap().write_to(&mut fields);
        assert_eq!((fields.text(2), fields.text(14)), (Some("9999990000000008"), Some("3012")));
        assert_eq!((fields.text(35), fields.text(22)), (None, Some("011")));
    }

    #[test]
    fn nonsense_is_refused_without_quoting_it() {
        let faults = [
            CardProfile::keyed("99999x", None, "710").unwrap_err(),
            CardProfile::keyed("9999990000000008", Some("3013"), "710").unwrap_err(),
            CardProfile::swiped("9999990000000008", "710").unwrap_err(),
            CardProfile::keyed("9999990000000008", None, "710").unwrap().with_pin("47x1").unwrap_err(),
        ];
        for fault in faults {
            let text = fault.to_string();
            assert!(["9999", "3013", "47x1"].iter().all(|value| !text.contains(value)), "{text}");
        }
    }

    #[test]
    fn debug_is_masked() {
        let card =
            CardProfile::swiped("9999990000000008=30122010000012300000", "710").unwrap().with_pin("4711").unwrap();
        assert_eq!(format!("{card:?}"), "CardProfile { pan: Pan(999999******0008), currency: \"710\", .. }");
    }
}
