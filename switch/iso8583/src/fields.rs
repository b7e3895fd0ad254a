//! A message's content apart from any dialect: what is to be encoded, or was decoded and is kept.

use std::collections::BTreeMap;

use zeroize::Zeroize;

/// A field's value: characters, or bytes for binary fields.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Binary(Vec<u8>),
}

/// MTI and data elements. Values are wiped on drop and never shown by `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields {
    mti: String,
    values: BTreeMap<u8, Value>,
}

impl Fields {
    pub fn new(mti: &str) -> Self {
        Self { mti: mti.to_owned(), values: BTreeMap::new() }
    }

    pub fn mti(&self) -> &str {
        &self.mti
    }

    pub fn set_mti(&mut self, mti: &str) {
        self.mti = mti.to_owned();
    }

    pub fn set(&mut self, de: u8, text: impl Into<String>) {
        self.values.insert(de, Value::Text(text.into()));
    }

    pub fn set_binary(&mut self, de: u8, bytes: Vec<u8>) {
        self.values.insert(de, Value::Binary(bytes));
    }

    pub fn remove(&mut self, de: u8) {
        self.values.remove(&de);
    }

    pub fn has(&self, de: u8) -> bool {
        self.values.contains_key(&de)
    }

    pub fn text(&self, de: u8) -> Option<&str> {
        match self.values.get(&de) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub fn binary(&self, de: u8) -> Option<&[u8]> {
        match self.values.get(&de) {
            Some(Value::Binary(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// In ascending order of data element.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &Value)> {
        self.values.iter().map(|(de, value)| (*de, value))
    }
}

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fields")
            .field("mti", &self.mti)
            .field("present", &self.values.keys().collect::<Vec<_>>())
            .finish()
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        for value in self.values.values_mut() {
            match value {
                Value::Text(text) => text.zeroize(),
                Value::Binary(bytes) => bytes.zeroize(),
            }
        }
    }
}
