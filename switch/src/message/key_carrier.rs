//! DE 62 of a key exchange: a PIN key and a MAC key under a master key.
//!
//! `TAG(2) LENGTH(3 digits) VALUE`, `PK` and `MK`. The value is a TR-31 key block, or `X`, 32 hexadecimal digits of the
//! ECB cryptogram and six of the key's check value.

use std::collections::BTreeMap;

use directory::KeyScheme;
use host_commands::{ExportedKey, HsmClient, HsmError, KeyDomain, KeyExport, KeyUnderLmk};

use super::response_code::ResponseCode;
use super::security::hsm_failed;
use super::session::KeyPair;

/// Digits of a check value behind a cryptogram.
const CHECK_DIGITS: usize = 6;

/// What a key is for.
#[derive(Clone, Copy)]
enum Purpose {
    Pin,
    Mac,
}

impl Purpose {
    fn tag(self) -> &'static str {
        match self {
            Self::Pin => "PK",
            Self::Mac => "MK",
        }
    }

    fn key_type(self, domain: KeyDomain) -> &'static str {
        match self {
            Self::Pin => domain.pin_key(),
            Self::Mac => domain.mac_key(),
        }
    }

    /// Usage of a key block, the mode that is sent, and those that are taken. One pair serves both directions, so a
    /// MAC key must both generate and verify.
    fn usage_and_modes(self) -> ([u8; 2], u8, &'static [u8]) {
        match self {
            Self::Pin => (*b"P0", b'E', b"BE"),
            Self::Mac => (*b"M3", b'C', b"C"),
        }
    }
}

/// A fresh pair and how it travels.
pub struct Sealed {
    pub pair: KeyPair,
    pub pin: ExportedKey,
    pub mac: ExportedKey,
}

/// Makes a pair in the HSM and lets it out under a master key. It is to be stored before anybody hears of it.
pub async fn make(hsm: &HsmClient, domain: KeyDomain, scheme: KeyScheme, master_key: &str) -> Result<Sealed, HsmError> {
    let master = KeyUnderLmk::from(master_key.to_owned());
    let make = |purpose: Purpose| {
        let (usage, mode, _) = purpose.usage_and_modes();
        let export = match scheme {
            KeyScheme::Tr31 => KeyExport::Tr31 { usage, mode, exportability: b'N' },
            KeyScheme::Ecb => KeyExport::Ecb,
        };
        hsm.generate_and_export_key(domain, purpose.key_type(domain), 'U', &master, export)
    };
    let (pin, mac) = tokio::try_join!(make(Purpose::Pin), make(Purpose::Mac))?;
    let pair = KeyPair { domain, pin: pin.key.clone(), mac: mac.key.clone() };
    Ok(Sealed { pair, pin, mac })
}

/// A key as it travels: a bare TR-31 key block, or the cryptogram without its check value.
pub fn travelling(key: &ExportedKey) -> &str {
    key.exported.strip_prefix('R').unwrap_or(&key.exported)
}

/// The carrier of a pair.
pub fn write(scheme: KeyScheme, sealed: &Sealed) -> Result<String, ResponseCode> {
    let mut carrier = String::new();
    for (purpose, key) in [(Purpose::Pin, &sealed.pin), (Purpose::Mac, &sealed.mac)] {
        let check = match scheme {
            KeyScheme::Tr31 => "",
            KeyScheme::Ecb => key.kcv.get(..CHECK_DIGITS).ok_or(ResponseCode::MALFUNCTION)?,
        };
        let value = format!("{}{check}", travelling(key));
        if value.len() > 999 {
            return Err(ResponseCode::MALFUNCTION);
        }
        carrier += &format!("{}{:03}{value}", purpose.tag(), value.len());
    }
    Ok(carrier)
}

/// Takes over another institution's pair. A carrier of another form is a format error; keys that do not fit what they
/// are for, or that the HSM does not take, are a security violation.
pub async fn take_over(hsm: &HsmClient, scheme: KeyScheme, zmk: &str, carrier: &str) -> Result<KeyPair, ResponseCode> {
    let values = values(carrier).ok_or(ResponseCode::FORMAT_ERROR)?;
    let value = |purpose: Purpose| values.get(purpose.tag()).copied().ok_or(ResponseCode::FORMAT_ERROR);
    let (pin, mac) = (value(Purpose::Pin)?, value(Purpose::Mac)?);
    let zmk = KeyUnderLmk::from(zmk.to_owned());
    let take = async |purpose: Purpose, value: &str| import(hsm, scheme, &zmk, purpose, value).await;
    let (pin, mac) = tokio::try_join!(take(Purpose::Pin, pin), take(Purpose::Mac, mac))?;
    Ok(KeyPair { domain: KeyDomain::Zone, pin, mac })
}

async fn import(
    hsm: &HsmClient,
    scheme: KeyScheme,
    zmk: &KeyUnderLmk,
    purpose: Purpose,
    value: &str,
) -> Result<KeyUnderLmk, ResponseCode> {
    let (key, check) = match scheme {
        KeyScheme::Tr31 => {
            check_header(purpose, value)?;
            (format!("R{value}"), None)
        }
        KeyScheme::Ecb => {
            let (key, check) = cryptogram(value).ok_or(ResponseCode::FORMAT_ERROR)?;
            (key.to_owned(), Some(check))
        }
    };
    let imported = hsm.import_key(purpose.key_type(KeyDomain::Zone), zmk, &key, 'U').await;
    let imported = imported.map_err(|error| match error {
        HsmError::Refused { .. } => {
            tracing::warn!(key = purpose.tag(), %error, "another institution's key not taken by the HSM");
            ResponseCode::SECURITY_VIOLATION
        }
        error => hsm_failed("import a zone key", &error),
    })?;
    match check {
        Some(check) if !imported.kcv.eq_ignore_ascii_case(check) => Err(ResponseCode::SECURITY_VIOLATION),
        _ => Ok(imported.key),
    }
}

/// What a key block says of its key, in clear, before the HSM is asked whether that is true (X9.143, 6.3): version 1,
/// length 4, usage 2, algorithm 1, mode 1.
fn check_header(purpose: Purpose, block: &str) -> Result<(), ResponseCode> {
    let bytes = block.as_bytes();
    let [_, l1, l2, l3, l4, u1, u2, algorithm, mode, ..] = bytes else { return Err(ResponseCode::FORMAT_ERROR) };
    let length = std::str::from_utf8(&[*l1, *l2, *l3, *l4]).ok().and_then(|digits| digits.parse::<usize>().ok());
    if length != Some(bytes.len()) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return Err(ResponseCode::FORMAT_ERROR);
    }
    let (usage, _, modes) = purpose.usage_and_modes();
    let fits = [*u1, *u2] == usage && *algorithm == b'T' && modes.contains(mode);
    if fits { Ok(()) } else { Err(ResponseCode::SECURITY_VIOLATION) }
}

/// `X` and 32 digits, then the check value.
fn cryptogram(value: &str) -> Option<(&str, &str)> {
    let (key, check) = value.split_at_checked(33)?;
    let digits = key.strip_prefix('X')?;
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex(digits) && is_hex(check) && check.len() == CHECK_DIGITS).then_some((key, check))
}

/// Values by tag; none twice, nothing left over.
fn values(carrier: &str) -> Option<BTreeMap<&str, &str>> {
    let mut values = BTreeMap::new();
    let mut rest = carrier;
    while !rest.is_empty() {
        let (tag, tail) = rest.split_at_checked(2)?;
        let (length, tail) = tail.split_at_checked(3)?;
        if !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (value, tail) = tail.split_at_checked(length.parse().ok()?)?;
        if values.insert(tag, value).is_some() {
            return None;
        }
        rest = tail;
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carriers_are_cut_into_values() {
        assert_eq!(values("PK003abcMK000ZZ002xy"), Some(BTreeMap::from([("PK", "abc"), ("MK", ""), ("ZZ", "xy")])));
        for cut in ["P", "PK", "PK00", "PK003ab", "PK+03abc", "PK003abcPK003abc", "PK003abcM", "PK00éabc"] {
            assert_eq!(values(cut), None, "{cut}");
        }
    }

    #[test]
    fn a_key_block_must_say_what_its_key_is_for() {
        let block = |head: &str| format!("B0080{head}00N0000{}", "0".repeat(64));
        let fault = |purpose, block: &str| check_header(purpose, block).err();
        assert_eq!(fault(Purpose::Pin, &block("P0TE")), None);
        assert_eq!(fault(Purpose::Pin, &block("P0TB")), None);
        assert_eq!(fault(Purpose::Mac, &block("M3TC")), None);
        for unfit in ["P0TD", "P0AE", "M3TC", "K0TE"] {
            assert_eq!(fault(Purpose::Pin, &block(unfit)), Some(ResponseCode::SECURITY_VIOLATION), "{unfit}");
        }
        for unfit in ["M3TG", "M3TV", "M1TC", "P0TE"] {
            assert_eq!(fault(Purpose::Mac, &block(unfit)), Some(ResponseCode::SECURITY_VIOLATION), "{unfit}");
        }
        for malformed in ["", "B0080P0T", "B0081P0TE00N0000", &block("P0TE")[..79], &block("P\u{e9}T")] {
            assert_eq!(fault(Purpose::Pin, malformed), Some(ResponseCode::FORMAT_ERROR), "{malformed}");
        }
    }

    #[test]
    fn a_cryptogram_has_its_check_value_behind() {
        let digits = "0123456789ABCDEF".repeat(2);
        assert_eq!(cryptogram(&format!("X{digits}a1b2c3")), Some((&*format!("X{digits}"), "a1b2c3")));
        for other in [format!("U{digits}a1b2c3"), format!("X{digits}"), format!("X{digits}a1b2c3d"), "X".into()] {
            assert_eq!(cryptogram(&other), None, "{other}");
        }
    }
}
