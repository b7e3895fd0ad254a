//! What holds of every dialect and any content.

use std::sync::Arc;

use bytes::BytesMut;
use proptest::prelude::*;

use crate::fuzzing::DIALECTS;
use crate::json::{self, Shown};
use crate::message::elements;
use crate::plan::{Class, Length, Plan};
use crate::spec::layout::Shape;
use crate::{Fields, Parts, Route, Spec, Value};

fn dialects() -> Vec<Arc<Spec>> {
    assert_eq!(DIALECTS.len(), Spec::builtin_names().count() + 1, "the one with all layouts is there");
    DIALECTS.clone()
}

/// Random bytes that never end: zeros after the last.
struct Words<'a>(std::slice::Iter<'a, u8>);

impl Words<'_> {
    fn next(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn below(&mut self, bound: usize) -> usize {
        (usize::from(self.next()) << 8 | usize::from(self.next())) % bound.max(1)
    }
}

/// A value that the plan takes.
fn any_value(spec: &Spec, plan: &Plan, words: &mut Words<'_>) -> Value {
    if let Some(layout) = plan.layout.and_then(|id| spec.layout(id)) {
        let mut parts = Parts::new();
        for part in &layout.parts {
            if matches!(layout.shape, Shape::Positional) || words.next().is_multiple_of(3) {
                parts.push(part.key.as_str(), any_value(spec, &part.plan, words));
            }
        }
        return Value::Parts(parts);
    }
    let length = match plan.length {
        Length::Fixed(length) => usize::from(length),
        Length::Variable { max, .. } | Length::Given { max } => words.below(usize::from(max.min(40)) + 1),
    };
    // An odd number of digits cannot be told from a length in bytes, unless its spare half byte is no digit.
    let unseen = plan.packs_unseen() && plan.spare.holds == 0;
    let length = if unseen { length / 2 * 2 } else { length };
    let digit = |words: &mut Words<'_>| char::from(b'0' + words.next() % 10);
    let character = |words: &mut Words<'_>| char::from(b' ' + words.next() % 95);
    match plan.class {
        Class::Binary => Value::Binary((0..length).map(|_| words.next()).collect()),
        Class::Numeric => Value::Text((0..length).map(|_| digit(words)).collect()),
        Class::Text => Value::Text((0..length).map(|_| character(words)).collect()),
        Class::Alphabetic | Class::Alphanumeric => {
            Value::Text((0..length).map(|_| char::from(b'A' + words.next() % 26)).collect())
        }
        Class::Track => {
            let at = words.below(length);
            Value::Text((0..length).map(|index| if index == at { '=' } else { digit(words) }).collect())
        }
        Class::SignedAmount => {
            let sign = if words.next().is_multiple_of(2) { 'C' } else { 'D' };
            Value::Text(std::iter::once(sign).chain((1..length).map(|_| digit(words))).collect())
        }
    }
}

fn any_message(spec: &Spec, words: &[u8]) -> Fields {
    let mut words = Words(words.iter());
    let digits: String = (0..4).map(|_| char::from(b'0' + words.next() % 10)).collect();
    let mut fields = Fields::new(&digits);
    for de in elements(u128::MAX) {
        if let Some(plan) = spec.plan(de)
            && words.next().is_multiple_of(6)
        {
            match any_value(spec, plan, &mut words) {
                Value::Text(ref text) => fields.set(de, text),
                Value::Binary(ref bytes) => fields.set_binary(de, bytes),
                Value::Parts(ref parts) => fields.set_parts(de, parts.clone()),
            }
        }
    }
    fields
}

proptest! {
    /// Encoded, decoded and encoded again it is the same, and so it is by way of JSON.
    #[test]
    fn any_message_comes_back(words in proptest::collection::vec(any::<u8>(), 0..1200)) {
        for spec in dialects() {
            let fields = any_message(&spec, &words);
            let mut wire = BytesMut::new();
            let spans = spec.encode(&fields, &mut wire).unwrap();
            let message = spec.decode(&wire).unwrap();
            prop_assert_eq!(&message.to_fields(), &fields, "{}", spec.name());
            for de in 1..=128 {
                prop_assert_eq!(message.span(de), spans.span(de), "{} {}", spec.name(), de);
            }
            let text = serde_json::to_vec(&Shown { message: &message, mask: false }).unwrap();
            let mut again = BytesMut::new();
            spec.encode(&json::fields(&spec, &text).unwrap(), &mut again).unwrap();
            prop_assert_eq!(&again, &wire, "{}", spec.name());
        }
    }

    /// A message that is cut or changed anywhere is refused, or is another message that comes back.
    #[test]
    fn a_damaged_message_is_refused_or_another(
        words in proptest::collection::vec(any::<u8>(), 0..600),
        damage in proptest::collection::vec((any::<u16>(), any::<u8>()), 0..4),
        cut in proptest::option::of(any::<u16>()),
    ) {
        for spec in dialects() {
            let mut wire = BytesMut::new();
            spec.encode(&any_message(&spec, &words), &mut wire).unwrap();
            let length = wire.len();
            if let Some(cut) = cut {
                wire.truncate(usize::from(cut) % length);
                prop_assert!(spec.decode(&wire).is_err(), "{}", spec.name());
            }
            for (at, byte) in &damage {
                let at = usize::from(*at) % length;
                if let Some(place) = wire.get_mut(at) {
                    *place = *byte;
                }
            }
            check_any_bytes(&spec, &wire)?;
        }
    }

    #[test]
    fn any_bytes_are_refused_or_a_message(
        mut wire in proptest::collection::vec(any::<u8>(), 0..300),
        start in proptest::option::of((0_usize..4, any::<u64>())),
    ) {
        for spec in dialects() {
            if let Some((kind, bitmap)) = start {
                let mti: &[u8] = [&b"0200"[..], &[0x02, 0x00], &[0xF0, 0xF2, 0xF0, 0xF0], b"1100"][kind];
                let start = [mti, &bitmap.to_be_bytes()].concat();
                wire.splice(0..start.len().min(wire.len()), start);
            }
            check_any_bytes(&spec, &wire)?;
        }
    }

}

proptest! {
    // Each case is every dialect into every other.
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A route gives what decoding by one and encoding by the other gives, or refuses what that refuses.
    #[test]
    fn a_route_is_decoding_and_encoding(words in proptest::collection::vec(any::<u8>(), 0..600)) {
        for from in dialects() {
            let mut wire = BytesMut::new();
            from.encode(&any_message(&from, &words), &mut wire).unwrap();
            let message = from.decode(&wire).unwrap();
            for to in dialects() {
                let (mut routed, mut anew) = (BytesMut::from(&b"before"[..]), BytesMut::from(&b"before"[..]));
                let ours = Route::new(Arc::clone(&from), Arc::clone(&to)).encode(&message, &mut routed);
                let theirs = to.encode(&crate::route::fields_for(&message, &to), &mut anew);
                prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{} {}: {:?} {:?}", from.name(), to.name(), ours.err(), theirs.err());
                prop_assert_eq!(&routed, &anew, "{} {}", from.name(), to.name());
                if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
                    for de in 1..=128 {
                        prop_assert_eq!(ours.span(de), theirs.span(de));
                    }
                }
            }
        }
    }
}

fn check_any_bytes(spec: &Spec, wire: &[u8]) -> Result<(), TestCaseError> {
    let Ok(message) = spec.decode(wire) else { return Ok(()) };
    let fields = message.to_fields();
    let mut again = BytesMut::new();
    spec.encode(&fields, &mut again).map_err(|error| TestCaseError::fail(format!("{} {error}", spec.name())))?;
    prop_assert_eq!(spec.decode(&again).unwrap().to_fields(), fields, "{}", spec.name());
    prop_assert!(!crate::describe(spec, &message).is_empty());
    Ok(())
}
