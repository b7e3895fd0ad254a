//! A message from one dialect into another.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use zeroize::Zeroizing;

use crate::LAST_DATA_ELEMENT;
use crate::encode::{EncodeError, Spans, refused, unknown, write_flat, write_value, write_writable_text};
use crate::fields::Fields;
use crate::message::{Message, binary_of, put_text};
use crate::plan::{Class, Encoding, Plan};
use crate::spec::Spec;
use crate::wire::{hexadecimal, to_hex};

/// What is known beforehand of messages that go from one dialect into another.
pub struct Route {
    from: Arc<Spec>,
    to: Arc<Spec>,
    /// By data element: whether its bytes are the same by both.
    same: [bool; LAST_DATA_ELEMENT as usize + 1],
}

impl Route {
    pub fn new(from: Arc<Spec>, to: Arc<Spec>) -> Self {
        let is_same = |de: &u8| match (from.plan(*de), to.plan(*de)) {
            // Parts by two layouts may be the same, but that is not looked into: they are taken apart and put together.
            (Some(ours), Some(theirs)) => {
                let plain = ours.layout.is_none() && theirs.layout.is_none();
                (plain || Arc::ptr_eq(&from, &to)) && ours.is_same_on_the_wire(theirs)
            }
            _ => false,
        };
        let mut same = [false; LAST_DATA_ELEMENT as usize + 1];
        same.iter_mut().zip(0_u8..).for_each(|(same, de)| *same = is_same(&de));
        Self { from, to, same }
    }

    /// Writes a message of the first dialect in the second, behind what `out` holds: bytes that are the same are
    /// copied as they stand, others are written anew. The spans are relative to the message's first byte. After an
    /// error `out` holds what it held before.
    pub fn encode(&self, message: &Message<'_>, out: &mut BytesMut) -> Result<Spans, EncodeError> {
        let base = out.len();
        let written = self.copy(message, base, out);
        if written.is_err() {
            out.truncate(base);
        }
        written
    }

    fn copy(&self, message: &Message<'_>, base: usize, out: &mut BytesMut) -> Result<Spans, EncodeError> {
        if !std::ptr::eq(message.spec(), &*self.from) {
            return Err(EncodeError { de: "mti".to_owned(), reason: "is of a message of another spec" });
        }
        self.to.write_start(message.mti(), message.present(), out)?;
        let mut spans = Spans::new(message.present(), out.len() - base);
        // Values in clear stand in it: it never grows, which would leave copies behind, and is wiped.
        let mut scratch = Zeroizing::new(Vec::new());
        // What is copied as it stands is copied in as few pieces as can be.
        let mut run = 0..0;
        for de in message.des() {
            let (plan, span, value) = message.located(de).ok_or_else(|| unknown(de))?;
            let target = self.to.plan(de).ok_or_else(|| unknown(de))?;
            if self.same.get(usize::from(de)).is_some_and(|same| *same) {
                if span.units > target.length.max() {
                    return Err(refused(de, "is longer than its maximum"));
                }
                if run.end != usize::from(span.start) {
                    put_run(message, &mut run, out);
                    run.start = usize::from(span.start);
                }
                run.end = usize::from(span.end);
                spans.note(de, out.len() - base + run.len());
                continue;
            }
            put_run(message, &mut run, out);
            if target.layout.is_some() {
                let value = message.value(de).ok_or_else(|| unknown(de))?;
                let written = write_value(&self.to, target, (&value).into(), out);
                written.map_err(|fault| fault.in_written_element(de))?;
            } else {
                if scratch.capacity() == 0 {
                    scratch.reserve(message.wire().len() * 2);
                }
                let written = rewrite(plan, target, value, usize::from(span.units), &mut scratch, out);
                written.map_err(|reason| refused(de, reason))?;
            }
            spans.note(de, out.len() - base);
        }
        put_run(message, &mut run, out);
        Ok(spans)
    }
}

/// Writes a value of one plan by another. `scratch` is only there to be used again.
fn rewrite(
    plan: &Plan,
    target: &Plan,
    value: &[u8],
    units: usize,
    scratch: &mut Vec<u8>,
    out: &mut BytesMut,
) -> Result<(), &'static str> {
    let (bytes, is_text) = match (plan.class, plan.encoding) {
        // Its characters stand for bytes by both, or are characters by both.
        (_, Encoding::Ascii) => (value, true),
        (Class::Binary, Encoding::Hex) if target.class == Class::Binary => (value, true),
        // Bytes that are characters there are hexadecimal ones, as those are read as bytes.
        (Class::Binary, Encoding::Binary) if is_text_class(target.class) => {
            scratch.clear();
            scratch.extend(value.iter().flat_map(|byte| hexadecimal(*byte)));
            (&scratch[..], true)
        }
        (Class::Binary, Encoding::Binary) => (value, false),
        (Class::Binary, _) => {
            let bytes = binary_of(plan, value).unwrap_or_default();
            scratch.clear();
            if is_text_class(target.class) {
                scratch.extend(bytes.iter().flat_map(|byte| hexadecimal(*byte)));
            } else {
                scratch.extend_from_slice(&bytes);
            }
            (&scratch[..], is_text_class(target.class))
        }
        _ => {
            scratch.clear();
            put_text(plan, value, units, scratch);
            (&scratch[..], true)
        }
    };
    // What is of the class has been found out on decoding.
    if is_text && plan.class == target.class && plan.class != Class::Binary {
        write_writable_text(target, bytes, out)
    } else {
        write_flat(target, bytes, is_text, out)
    }
}

fn is_text_class(class: Class) -> bool {
    matches!(class, Class::Text | Class::Alphanumeric)
}

/// The fields of a message as another dialect can write them: bytes that are characters there become hexadecimal ones,
/// and what has no parts there stands as it is.
pub(crate) fn fields_for(message: &Message<'_>, to: &Spec) -> Fields {
    let mut fields = message.to_fields();
    for de in message.des() {
        let Some(target) = to.plan(de).filter(|plan| plan.layout.is_none()) else { continue };
        match (message.text(de), message.binary(de)) {
            (Some(text), _) => fields.set(de, text),
            (None, Some(bytes)) if is_text_class(target.class) => fields.set(de, to_hex(&bytes)),
            (None, Some(bytes)) => fields.set_binary(de, bytes),
            (None, None) => {}
        }
    }
    fields
}

fn put_run(message: &Message<'_>, run: &mut std::ops::Range<usize>, out: &mut BytesMut) {
    if run.start < run.end {
        out.put_slice(message.wire().get(run.clone()).unwrap_or_default());
        *run = 0..0;
    }
}
