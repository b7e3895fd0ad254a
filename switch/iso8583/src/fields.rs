//! A message's content apart from any dialect: what is to be encoded, or was decoded and is kept.

use zeroize::Zeroize;

use crate::LAST_DATA_ELEMENT;
use crate::message::bit;
use crate::value::Parts;

/// A field's value as [`Fields`] holds it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ValueRef<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
    Parts(&'a Parts),
}

/// The same for encoding, which checks characters against their class anyway: no text is made of them first.
#[derive(Clone, Copy)]
pub(crate) enum Raw<'a> {
    Text(&'a [u8]),
    Binary(&'a [u8]),
    Parts(&'a Parts),
}

/// A data element, and where its value is in the one buffer that holds them all.
#[derive(Clone, Copy)]
struct Entry {
    de: u8,
    kind: Kind,
    start: u32,
    length: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
    /// It is in no buffer: `start` is its place among those made of parts.
    Parts,
}

/// Most messages are shorter, and have fewer data elements.
const ROOM: usize = 512;
const ELEMENTS: usize = 24;

/// MTI and data elements. Values stand one after the other in one buffer, which is wiped on drop; `Debug` shows none.
#[derive(Clone)]
pub struct Fields {
    mti: [u8; 4],
    mti_length: u8,
    buffer: Vec<u8>,
    /// In ascending order of data element.
    entries: Vec<Entry>,
    /// Few messages have any.
    parts: Vec<Parts>,
}

impl Default for Fields {
    fn default() -> Self {
        Self::new("")
    }
}

impl Fields {
    /// With an MTI; of one that is longer than four characters nothing is kept, and encoding refuses it.
    pub fn new(mti: &str) -> Self {
        let mut fields = Self {
            mti: [0; 4],
            mti_length: 0,
            buffer: Vec::with_capacity(ROOM),
            entries: Vec::with_capacity(ELEMENTS),
            parts: Vec::new(),
        };
        fields.set_mti(mti);
        fields
    }

    pub fn mti(&self) -> &str {
        self.mti.get(..usize::from(self.mti_length)).and_then(|mti| std::str::from_utf8(mti).ok()).unwrap_or_default()
    }

    pub fn set_mti(&mut self, mti: &str) {
        let kept = if mti.len() <= self.mti.len() { mti.as_bytes() } else { &[] };
        self.mti.iter_mut().zip(kept).for_each(|(to, from)| *to = *from);
        // At most 4.
        self.mti_length = kept.len() as u8;
    }

    pub fn set(&mut self, de: u8, text: impl AsRef<str>) {
        self.put(de, Kind::Text, text.as_ref().as_bytes());
    }

    pub fn set_binary(&mut self, de: u8, bytes: impl AsRef<[u8]>) {
        self.put(de, Kind::Binary, bytes.as_ref());
    }

    pub fn set_parts(&mut self, de: u8, parts: Parts) {
        self.note(de, Kind::Parts, self.parts.len(), 0);
        self.parts.push(parts);
    }

    #[inline]
    fn put(&mut self, de: u8, kind: Kind, value: &[u8]) {
        if self.buffer.capacity() - self.buffer.len() < value.len() {
            self.grow(value.len());
        }
        self.note(de, kind, self.buffer.len(), value.len());
        self.buffer.extend_from_slice(value);
    }

    #[inline]
    fn note(&mut self, de: u8, kind: Kind, start: usize, length: usize) {
        if !(1..=LAST_DATA_ELEMENT).contains(&de) {
            return;
        }
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let entry = Entry { de, kind, start: narrow(start), length: narrow(length) };
        if self.entries.last().is_none_or(|last| last.de < de) {
            self.entries.push(entry);
            return;
        }
        match self.entries.binary_search_by_key(&de, |entry| entry.de) {
            Ok(at) => self.entries[at] = entry,
            Err(at) => self.entries.insert(at, entry),
        }
    }

    /// By copying and wiping: a buffer that grows by itself leaves its old bytes behind.
    #[cold]
    fn grow(&mut self, more: usize) {
        let mut larger = Vec::with_capacity((self.buffer.len() + more).next_power_of_two());
        larger.extend_from_slice(&self.buffer);
        self.buffer.zeroize();
        self.buffer = larger;
    }

    pub fn remove(&mut self, de: u8) {
        self.entries.retain(|entry| entry.de != de);
    }

    pub fn has(&self, de: u8) -> bool {
        self.entry(de).is_some()
    }

    fn entry(&self, de: u8) -> Option<&Entry> {
        let at = self.entries.binary_search_by_key(&de, |entry| entry.de).ok()?;
        self.entries.get(at)
    }

    pub(crate) fn present(&self) -> u128 {
        self.entries.iter().fold(0, |present, entry| present | bit(entry.de))
    }

    fn bytes(&self, entry: &Entry) -> &[u8] {
        let start = entry.start as usize;
        self.buffer.get(start..start + entry.length as usize).unwrap_or_default()
    }

    #[inline]
    fn raw(&self, entry: &Entry) -> Raw<'_> {
        match entry.kind {
            Kind::Text => Raw::Text(self.bytes(entry)),
            Kind::Binary => Raw::Binary(self.bytes(entry)),
            Kind::Parts => self.parts.get(entry.start as usize).map_or(Raw::Binary(&[]), Raw::Parts),
        }
    }

    fn value_of(&self, entry: &Entry) -> ValueRef<'_> {
        match self.raw(entry) {
            Raw::Text(text) => ValueRef::Text(std::str::from_utf8(text).unwrap_or_default()),
            Raw::Binary(bytes) => ValueRef::Binary(bytes),
            Raw::Parts(parts) => ValueRef::Parts(parts),
        }
    }

    pub fn value(&self, de: u8) -> Option<ValueRef<'_>> {
        self.entry(de).map(|entry| self.value_of(entry))
    }

    pub fn text(&self, de: u8) -> Option<&str> {
        if let Some(ValueRef::Text(text)) = self.value(de) { Some(text) } else { None }
    }

    pub fn binary(&self, de: u8) -> Option<&[u8]> {
        if let Some(ValueRef::Binary(bytes)) = self.value(de) { Some(bytes) } else { None }
    }

    pub fn parts(&self, de: u8) -> Option<&Parts> {
        if let Some(ValueRef::Parts(parts)) = self.value(de) { Some(parts) } else { None }
    }

    #[inline]
    pub(crate) fn raws(&self) -> impl Iterator<Item = (u8, Raw<'_>)> {
        self.entries.iter().map(|entry| (entry.de, self.raw(entry)))
    }

    /// In ascending order of data element.
    pub fn iter(&self) -> impl Iterator<Item = (u8, ValueRef<'_>)> {
        self.entries.iter().map(|entry| (entry.de, self.value_of(entry)))
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.mti() == other.mti() && self.iter().eq(other.iter())
    }
}

impl Eq for Fields {}

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fields")
            .field("mti", &self.mti())
            .field("present", &self.entries.iter().map(|entry| entry.de).collect::<Vec<_>>())
            .finish()
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_there_until_it_is_taken_away() {
        let mut fields = Fields::new("0200");
        fields.set(4, "000000001250");
        fields.set_binary(52, [7; 8]);
        let mut parts = Parts::new();
        parts.push("1", crate::Value::Text("x".into()));
        fields.set_parts(48, parts);
        fields.set(4, "5");
        assert_eq!(fields.iter().map(|(de, _)| de).collect::<Vec<_>>(), [4, 48, 52]);
        assert_eq!((fields.text(4), fields.binary(4), fields.binary(52)), (Some("5"), None, Some(&[7; 8][..])));
        fields.set(52, "x".repeat(3 * ROOM));
        assert_eq!((fields.text(52).map(str::len), fields.text(4)), (Some(3 * ROOM), Some("5")));
        fields.set(48, "plain");
        assert_eq!((fields.text(48), fields.parts(48)), (Some("plain"), None));
        fields.remove(4);
        assert!(!fields.has(4) && fields.value(4).is_none());
        fields.set(0, "nothing");
        fields.set(200, "nothing");
        assert!(!fields.has(0) && !fields.has(200));
        for odd in ["", "02", "02000", "äääää"] {
            fields.set_mti(odd);
            assert_ne!(fields.mti(), "0200", "{odd}");
        }
    }

    #[test]
    fn fields_are_equal_by_what_they_hold_and_show_none_of_it() {
        let (mut one, mut two) = (Fields::new("0100"), Fields::new("0100"));
        one.set(2, "4111111111111111");
        one.set(3, "000000");
        two.set(3, "999999");
        two.set(3, "000000");
        assert_ne!(one, two);
        two.set(2, "4111111111111111");
        assert_eq!(one, two);
        two.set_binary(3, "000000");
        assert_ne!(one, two);
        assert!(!format!("{one:?}").contains("4111"));
    }
}
