//! DE 62 of a key exchange between networks: a ZPK and a ZAK under the ZMK.
//!
//! [`SessionKeys`] holds them as it holds a terminal's: the ZPK is its `tpk`, the ZAK its `tak`.

use payment_crypto::{TdesKey, kcv, os_random, tr31};
use zeroize::Zeroizing;

use crate::key_scheme::{KCV_DIGITS, KEY_BYTES, KeyScheme, Purpose, double_length, in_words, open_ecb};
use crate::session::tagged_values;
use crate::{Error, SessionKeys};

/// A new pair, both of double length and odd parity.
pub(crate) fn fresh() -> Result<SessionKeys, Error> {
    Ok(SessionKeys { tpk: fresh_key()?, tak: fresh_key()? })
}

fn fresh_key() -> Result<TdesKey, Error> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    os_random(&mut *bytes)?;
    Ok(TdesKey::from_bytes(&TdesKey::with_odd_parity(&*bytes))?)
}

/// The carrier of a pair.
pub(crate) fn seal(keys: &SessionKeys, scheme: KeyScheme, zmk: &TdesKey) -> Result<String, Error> {
    let mut carrier = String::new();
    for (purpose, key) in [(Purpose::Pin, &keys.tpk), (Purpose::Mac, &keys.tak)] {
        let value = match scheme {
            KeyScheme::Tr31 => seal_tr31(purpose, key, zmk)?,
            KeyScheme::Ecb => seal_ecb(key, zmk)?,
        };
        carrier.push_str(&format!("{}{:03}{value}", purpose.tag(), value.len()));
    }
    Ok(carrier)
}

/// The pair of a carrier. A key is refused unless everything it says of itself fits what it is for.
pub(crate) fn open(carrier: &str, scheme: KeyScheme, zmk: &TdesKey) -> Result<SessionKeys, Error> {
    let values = tagged_values(carrier)?;
    let open = |purpose: Purpose, missing| {
        let value = values.get(purpose.tag()).ok_or(Error::KeyCarrier(missing))?;
        let opened = match scheme {
            KeyScheme::Tr31 => open_tr31(purpose, value, zmk),
            KeyScheme::Ecb => open_ecb(zmk, value),
        };
        opened.map_err(|reason| Error::SessionKey { tag: purpose.tag(), reason })
    };
    Ok(SessionKeys { tpk: open(Purpose::Pin, "has no tag PK")?, tak: open(Purpose::Mac, "has no tag MK")? })
}

/// The usage, and the modes that fit; the first is the one that is sent.
///
/// One pair serves both directions. So a MAC key that may only generate (G) or only verify (V) does not fit: every
/// side does both. A PIN key may be for both (B) or, as terminals' are, for enciphering (E).
fn usage_and_modes(purpose: Purpose) -> ([u8; 2], &'static [u8]) {
    match purpose {
        Purpose::Pin => (*b"P0", b"BE"),
        Purpose::Mac => (*b"M3", b"C"),
    }
}

fn seal_tr31(purpose: Purpose, key: &TdesKey, zmk: &TdesKey) -> Result<String, Error> {
    let (usage, modes) = usage_and_modes(purpose);
    let mode = modes.first().copied().unwrap_or(b'N');
    Ok(tr31::wrap(
        zmk.bytes(),
        tr31::Version::B,
        &tr31::Header::new(usage, b'T', mode, b'N'),
        key.bytes(),
        &mut os_random,
    )?)
}

fn seal_ecb(key: &TdesKey, zmk: &TdesKey) -> Result<String, Error> {
    let check = hex::encode_upper(kcv::tdes(key));
    let check = check.get(..KCV_DIGITS).unwrap_or_default();
    Ok(format!("X{}{check}", hex::encode_upper(&*zmk.encrypt_ecb(key.bytes())?)))
}

fn open_tr31(purpose: Purpose, block: &str, zmk: &TdesKey) -> Result<TdesKey, String> {
    let (header, key) = tr31::unwrap(zmk.bytes(), block).map_err(in_words)?;
    let (usage, modes) = usage_and_modes(purpose);
    if header.usage != usage {
        return Err(format!("its usage is not {}", String::from_utf8_lossy(&usage)));
    }
    if !modes.contains(&header.mode) {
        return Err(format!("its mode is none of {}", String::from_utf8_lossy(modes)));
    }
    if header.algorithm != b'T' {
        return Err("its algorithm is not T".to_owned());
    }
    double_length(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zmk() -> TdesKey {
        TdesKey::from_bytes(&[0x67; 16]).unwrap()
    }

    #[test]
    fn a_pair_travels_in_both_schemes() {
        let keys = fresh().unwrap();
        assert!(TdesKey::has_odd_parity(keys.tpk.bytes()) && TdesKey::has_odd_parity(keys.tak.bytes()));
        assert!(keys.tpk != keys.tak);
        for scheme in [KeyScheme::Tr31, KeyScheme::Ecb] {
            let carrier = seal(&keys, scheme, &zmk()).unwrap();
            assert!(open(&carrier, scheme, &zmk()).unwrap() == keys);
            let other = TdesKey::from_bytes(&[0x68; 16]).unwrap();
            assert!(open(&carrier, scheme, &other).is_err(), "another ZMK");
            for cut in 0..carrier.len() {
                assert!(open(&carrier[..cut], scheme, &zmk()).is_err(), "cut at {cut}");
            }
        }
        let blocks = seal(&keys, KeyScheme::Tr31, &zmk()).unwrap();
        assert!(open(&blocks, KeyScheme::Ecb, &zmk()).is_err(), "the other scheme's form");
    }

    /// The carrier with blocks of these usages and modes.
    fn with_headers(pin: ([u8; 2], u8, u8), mac: ([u8; 2], u8, u8)) -> String {
        let block = |(usage, algorithm, mode)| {
            let header = tr31::Header::new(usage, algorithm, mode, b'E');
            tr31::wrap(zmk().bytes(), tr31::Version::B, &header, &[0x23; 16], &mut os_random).unwrap()
        };
        let (pin, mac) = (block(pin), block(mac));
        format!("MK{:03}{mac}ZZ000PK{:03}{pin}", mac.len(), pin.len())
    }

    #[test]
    fn blocks_must_fit_their_tags() {
        let (pin, mac) = ((*b"P0", b'T', b'B'), (*b"M3", b'T', b'C'));
        for fitting in [(pin, mac), ((*b"P0", b'T', b'E'), mac)] {
            open(&with_headers(fitting.0, fitting.1), KeyScheme::Tr31, &zmk()).unwrap();
        }
        for (tag, unfit) in [
            ("PK", ((*b"M3", b'T', b'B'), mac)),
            ("PK", ((*b"K0", b'T', b'B'), mac)),
            ("PK", ((*b"P0", b'A', b'B'), mac)),
            ("PK", ((*b"P0", b'T', b'C'), mac)),
            ("PK", ((*b"P0", b'T', b'N'), mac)),
            ("MK", (pin, (*b"M1", b'T', b'C'))),
            ("MK", (pin, (*b"M3", b'T', b'G'))),
            ("MK", (pin, (*b"M3", b'T', b'V'))),
            ("MK", (pin, (*b"M3", b'A', b'C'))),
        ] {
            let refused = open(&with_headers(unfit.0, unfit.1), KeyScheme::Tr31, &zmk());
            assert!(matches!(refused, Err(Error::SessionKey { tag: named, .. }) if named == tag), "{tag} {unfit:?}");
        }
    }
}
