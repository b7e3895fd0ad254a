//! Owned values: characters, bytes, or parts that are values again.

use zeroize::Zeroize;

use crate::wire::to_hex;

/// A field's value. Wiped on drop and never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Binary(Vec<u8>),
    Parts(Parts),
}

/// The parts of a value in their order, by number or tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts(Vec<(String, Value)>);

impl Parts {
    pub fn new() -> Self {
        Self::default()
    }

    /// Behind those there are; a tag may come more than once.
    pub fn push(&mut self, key: impl Into<String>, value: Value) {
        self.0.push((key.into(), value));
    }

    /// The first with this number or tag.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Value {
    /// The characters, or bytes in hexadecimal; `None` of parts.
    pub fn flat(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Binary(bytes) => Some(to_hex(bytes)),
            Self::Parts(_) => None,
        }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        match self {
            Self::Text(text) => text.zeroize(),
            Self::Binary(bytes) => bytes.zeroize(),
            Self::Parts(_) => {}
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{} characters", text.len()),
            Self::Binary(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Parts(parts) => f.debug_list().entries(parts.iter().map(|(key, _)| key)).finish(),
        }
    }
}
