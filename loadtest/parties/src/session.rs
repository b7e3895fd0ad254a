//! The keys of one session, from DE 62 of the key exchange's answer.

use std::collections::BTreeMap;

use payment_crypto::TdesKey;

use crate::Error;
use crate::key_scheme::{KeyScheme, Purpose};

/// TPK and TAK. `Debug` shows lengths only; both are wiped on drop.
#[derive(Debug, PartialEq, Eq)]
pub struct SessionKeys {
    /// Enciphers PIN blocks.
    pub tpk: TdesKey,
    /// Makes and verifies MACs.
    pub tak: TdesKey,
}

impl SessionKeys {
    /// Opens what the host sent under the TMK.
    pub fn from_carrier(carrier: &str, scheme: KeyScheme, tmk: &TdesKey) -> Result<Self, Error> {
        let values = tagged_values(carrier)?;
        let open = |purpose: Purpose, missing| {
            let value = values.get(purpose.tag()).ok_or(Error::KeyCarrier(missing))?;
            scheme.open(tmk, purpose, value)
        };
        Ok(Self { tpk: open(Purpose::Pin, "has no tag PK")?, tak: open(Purpose::Mac, "has no tag MK")? })
    }
}

/// A sequence of `TAG(2) LENGTH(3 digits) VALUE` in any order. Unknown tags are kept and ignored by the caller, but
/// even they must not repeat.
pub(crate) fn tagged_values(carrier: &str) -> Result<BTreeMap<&str, &str>, Error> {
    let cut = Error::KeyCarrier;
    let mut values = BTreeMap::new();
    let mut rest = carrier;
    while !rest.is_empty() {
        let (tag, tail) = rest.split_at_checked(2).ok_or(cut("ends inside a tag"))?;
        let (length, tail) = tail.split_at_checked(3).ok_or(cut("ends inside a length"))?;
        if !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(cut("has a length that is not three digits"));
        }
        let length = length.parse().map_err(|_| cut("has a length that is not three digits"))?;
        let (value, tail) = tail.split_at_checked(length).ok_or(cut("ends inside a value"))?;
        if values.insert(tag, value).is_some() {
            return Err(cut("has a tag twice"));
        }
        rest = tail;
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use payment_crypto::tr31::{Header, Version, wrap};
    use payment_crypto::{kcv, os_random};

    const TPK: [u8; 16] = [0x23; 16];
    const TAK: [u8; 16] = [0x45; 16];

    fn tmk() -> TdesKey {
        TdesKey::from_bytes(&[0x67; 16]).unwrap()
    }

    fn block(header: &Header, key: &[u8]) -> String {
        wrap(tmk().bytes(), Version::B, header, key, &mut os_random).unwrap()
    }

    fn pin_block_key() -> String {
        block(&Header::new(*b"P0", b'T', b'E', b'N'), &TPK)
    }

    fn mac_key() -> String {
        block(&Header::new(*b"M3", b'T', b'C', b'N'), &TAK)
    }

    fn cryptogram(key: &[u8; 16]) -> String {
        let check = hex::encode_upper(kcv::tdes(&TdesKey::from_bytes(key).unwrap()));
        format!("X{}{}", hex::encode_upper(tmk().encrypt_ecb(key).unwrap()), &check[..6])
    }

    fn carrier(parts: &[(&str, &str)]) -> String {
        parts.iter().map(|(tag, value)| format!("{tag}{:03}{value}", value.len())).collect()
    }

    fn opened(carrier: &str, scheme: KeyScheme) -> Result<SessionKeys, Error> {
        SessionKeys::from_carrier(carrier, scheme, &tmk())
    }

    #[test]
    fn both_schemes_in_any_order_among_unknown_tags() {
        for (scheme, pin, mac) in [
            (KeyScheme::Tr31, pin_block_key(), mac_key()),
            (KeyScheme::Ecb, cryptogram(&TPK), cryptogram(&TAK)),
            (KeyScheme::Ecb, format!("X{}", cryptogram(&TPK)[1..].to_lowercase()), cryptogram(&TAK)),
        ] {
            for order in [
                carrier(&[("PK", &pin), ("MK", &mac)]),
                carrier(&[("MK", &mac), ("ZZ", ""), ("PK", &pin), ("QQ", "PK005")]),
            ] {
                let keys = opened(&order, scheme).unwrap();
                assert_eq!((keys.tpk.bytes(), keys.tak.bytes()), (&TPK[..], &TAK[..]));
            }
        }
    }

    #[test]
    fn carriers_of_another_form_are_refused() {
        let (pin, mac) = (pin_block_key(), mac_key());
        let whole = carrier(&[("PK", &pin), ("MK", &mac)]);
        let cases = [
            (carrier(&[("PK", &pin)]), "no tag MK"),
            (carrier(&[("MK", &mac)]), "no tag PK"),
            (carrier(&[("PK", &pin), ("MK", &mac), ("PK", &pin)]), "twice"),
            (carrier(&[("ZZ", ""), ("PK", &pin), ("MK", &mac), ("ZZ", "")]), "twice"),
            (whole[..whole.len() - 1].to_owned(), "inside a value"),
            (format!("{whole}P"), "inside a tag"),
            (format!("{whole}ZZ00"), "inside a length"),
            (format!("{whole}ZZ+01x"), "three digits"),
            (String::new(), "no tag PK"),
        ];
        for (text, reason) in cases {
            let error = opened(&text, KeyScheme::Tr31).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        for cut in 0..whole.len() {
            assert!(opened(&whole[..cut], KeyScheme::Tr31).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_block_must_be_for_its_tag() {
        let headers = [
            (Header::new(*b"M3", b'T', b'E', b'N'), "usage"),
            (Header::new(*b"P0", b'T', b'B', b'N'), "mode"),
            (Header::new(*b"P0", b'T', b'E', b'E'), "exportability"),
            (Header::new(*b"P0", b'A', b'E', b'N'), "algorithm"),
        ];
        for (header, reason) in headers {
            let text = carrier(&[("PK", &block(&header, &TPK)), ("MK", &mac_key())]);
            let error = opened(&text, KeyScheme::Tr31).unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("PK"), "{error}");
        }
        let swapped = carrier(&[("PK", &mac_key()), ("MK", &pin_block_key())]);
        assert!(opened(&swapped, KeyScheme::Tr31).is_err());
        let single = block(&Header::new(*b"P0", b'T', b'E', b'N'), &TPK[..8]);
        let error = opened(&carrier(&[("PK", &single), ("MK", &mac_key())]), KeyScheme::Tr31).unwrap_err();
        assert!(error.to_string().contains("double length"));
        let other = TdesKey::from_bytes(&[0x68; 16]).unwrap();
        let whole = carrier(&[("PK", &pin_block_key()), ("MK", &mac_key())]);
        assert!(SessionKeys::from_carrier(&whole, KeyScheme::Tr31, &other).is_err(), "another TMK");
    }

    #[test]
    fn a_cryptogram_must_have_its_check_value() {
        let wrong = format!("{}000000", &cryptogram(&TPK)[..33]);
        let error = opened(&carrier(&[("PK", &wrong), ("MK", &cryptogram(&TAK))]), KeyScheme::Ecb).unwrap_err();
        assert!(error.to_string().contains("check value"), "{error}");
        for text in ["", "X", "U0123", &cryptogram(&TPK)[..38], &format!("{}0", cryptogram(&TPK))] {
            assert!(opened(&carrier(&[("PK", text), ("MK", &cryptogram(&TAK))]), KeyScheme::Ecb).is_err());
        }
        let blocks = carrier(&[("PK", &pin_block_key()), ("MK", &mac_key())]);
        assert!(opened(&blocks, KeyScheme::Ecb).is_err(), "the other scheme's form");
    }

    #[test]
    fn keys_are_not_shown() {
        let keys = opened(&carrier(&[("PK", &pin_block_key()), ("MK", &mac_key())]), KeyScheme::Tr31).unwrap();
        let shown = format!("{keys:?}");
        assert!(!shown.contains("23") && !shown.contains("35, 35"), "{shown}");
    }
}
