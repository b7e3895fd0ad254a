//! The MAC: where it stands, what it covers, whether it is right.
//!
//! ISO 9797-1 algorithm 3, padding method 1, from the MTI to the byte before the MAC.

use bytes::{Bytes, BytesMut};
use iso8583::{Fields, Message, Spec};
use payment_crypto::TdesKey;
use payment_crypto::mac::{Algorithm, Padding, generate};
use subtle::ConstantTimeEq;

use crate::{AnswerFault, Error, wire};

const MAC_BYTES: usize = 8;

/// Longer than any request of a terminal, so that encoding leaves no copy behind in a buffer it outgrew.
const WIRE_CAPACITY: usize = 2048;

/// DE 128 when any of DE 65 to 127 is present, else DE 64.
pub fn place(mut present: impl Iterator<Item = u8>) -> u8 {
    if present.any(|de| (65..=127).contains(&de)) { 128 } else { 64 }
}

/// Encodes the message, with a MAC under `tak` where one is given, and puts the MAC into the fields too.
pub fn seal(spec: &Spec, fields: &mut Fields, tak: Option<&TdesKey>) -> Result<Bytes, Error> {
    fields.remove(64);
    fields.remove(128);
    let de = place(fields.iter().map(|(de, _)| de));
    let mut message = BytesMut::with_capacity(WIRE_CAPACITY);
    let Some(tak) = tak else {
        spec.encode(fields, &mut message)?;
        return Ok(wire::wiped(message));
    };
    // The MAC covers the bitmap, so its own bit must be there before it is known.
    fields.set_binary(de, vec![0; MAC_BYTES]);
    let span = spec.encode(fields, &mut message)?.span(de).unwrap_or_default();
    let mac = generate(Algorithm::Three, tak, Padding::Zeros, message.get(..span.start).unwrap_or_default())?;
    spec.write_binary(de, &mac, message.get_mut(span).unwrap_or_default())?;
    fields.set_binary(de, mac);
    Ok(wire::wiped(message))
}

/// Whether the message has a MAC, which must then stand in its place and be right under `tak`.
pub fn verify(message: &Message<'_>, tak: Option<&TdesKey>) -> Result<bool, Error> {
    let place = place(message.des());
    let misplaced = if place == 64 { 128 } else { 64 };
    if message.has(misplaced) {
        return Err(AnswerFault::MacMisplaced(misplaced).into());
    }
    let (Some(mac), Some(span)) = (message.binary(place), message.span(place)) else { return Ok(false) };
    let Some(tak) = tak else { return Err(AnswerFault::MacUnexpected.into()) };
    let covered = message.wire().get(..span.start).unwrap_or_default();
    let expected = generate(Algorithm::Three, tak, Padding::Zeros, covered)?;
    if bool::from(expected.as_slice().ct_eq(&mac)) { Ok(true) } else { Err(AnswerFault::MacWrong.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dialect;

    fn tak() -> TdesKey {
        TdesKey::from_bytes(&(1..=16).collect::<Vec<u8>>()).unwrap()
    }

    #[test]
    fn the_mac_stands_last_in_the_used_bitmap() {
        for (extra, expected) in [(None, 64), (Some(63), 64), (Some(65), 128), (Some(90), 128), (Some(127), 128)] {
            let des = [3, 11, 41].into_iter().chain(extra);
            assert_eq!(place(des), expected, "{extra:?}");
        }
    }

    #[test]
    fn it_covers_every_byte_before_it_and_its_own_bit() {
        for listener in ["pos-binary", "pos-ascii"] {
            let spec = Dialect::of_listener(listener).unwrap().spec;
            for (second_bitmap, de) in [(false, 64), (true, 128)] {
                let mut fields = Fields::new("0200");
                fields.set(11, "000001");
                if second_bitmap {
                    fields.set(90, "0".repeat(42));
                }
                let wire = seal(&spec, &mut fields, Some(&tak())).unwrap();
                let message = spec.decode(&wire).unwrap();
                let covered = &wire[..message.span(de).unwrap().start];
                let expected = generate(Algorithm::Three, &tak(), Padding::Zeros, covered).unwrap();
                assert_eq!(message.binary(de).unwrap().as_ref(), expected);
                assert_eq!(fields.binary(de), Some(&expected[..]));
                assert!(verify(&message, Some(&tak())).unwrap());
                for at in 0..wire.len() {
                    let mut changed = wire.to_vec();
                    changed[at] ^= 1;
                    // Some changes make another message of it; none may pass as this one with a right MAC.
                    if let Ok(message) = spec.decode(&changed) {
                        assert!(!matches!(verify(&message, Some(&tak())), Ok(true)), "{listener} byte {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_mac_elsewhere_or_unasked_is_told_apart() {
        let spec = Dialect::of_listener("pos-ascii").unwrap().spec;
        let verdict = |des: &[u8], tak: Option<&TdesKey>| {
            let mut fields = Fields::new("0210");
            fields.set(11, "000001");
            for de in des {
                fields.set(*de, if *de == 90 { "0".repeat(42) } else { "00".repeat(8) });
            }
            let mut wire = BytesMut::new();
            spec.encode(&fields, &mut wire).unwrap();
            match verify(&spec.decode(&wire).unwrap(), tak) {
                Err(Error::Answer(fault)) => Err(fault),
                other => Ok(other.unwrap()),
            }
        };
        assert_eq!(verdict(&[], Some(&tak())), Ok(false));
        assert_eq!(verdict(&[64], Some(&tak())), Err(AnswerFault::MacWrong));
        assert_eq!(verdict(&[64], None), Err(AnswerFault::MacUnexpected));
        assert_eq!(verdict(&[64, 90], Some(&tak())), Err(AnswerFault::MacMisplaced(64)));
        assert_eq!(verdict(&[128], Some(&tak())), Err(AnswerFault::MacMisplaced(128)));
    }
}
