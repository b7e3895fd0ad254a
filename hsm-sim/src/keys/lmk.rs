//! The local master keys of a device, by identifier.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{KeyBlockLmk, Secret, VariantLmk};
use crate::error::Code;

/// Of either kind.
#[derive(Debug)]
pub enum Lmk {
    Variant(Box<VariantLmk>),
    KeyBlock(Box<KeyBlockLmk>),
}

impl Lmk {
    /// The published test set, which protects nothing: for demonstrations and tests.
    pub fn test_variant() -> Self {
        VariantLmk::test().into()
    }

    /// The test LMK of the AES key-block kind, which protects nothing.
    pub fn test_aes() -> Option<Self> {
        KeyBlockLmk::test_aes().ok().map(Self::from)
    }

    /// Sixteen digits that tell one LMK from another.
    pub fn check_value(&self) -> Result<String, Code> {
        match self {
            Self::Variant(lmk) => lmk.check_value(),
            Self::KeyBlock(lmk) => Ok(lmk.master().check_value()?),
        }
    }

    /// In words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Variant(_) => "variant",
            Self::KeyBlock(lmk) if lmk.master().algorithm() == b'A' => "AES key block",
            Self::KeyBlock(_) => "TDES key block",
        }
    }

    /// Whether it is one that everybody knows.
    pub(crate) fn is_public(&self) -> bool {
        matches!(self, Self::Variant(lmk) if **lmk == VariantLmk::test())
    }

    pub(crate) fn pin_key(&self) -> Result<Secret, Code> {
        match self {
            Self::Variant(lmk) => Ok(Secret::Tdes(lmk.pin_pair()?)),
            Self::KeyBlock(lmk) => Secret::new(lmk.pin().algorithm(), lmk.pin().bytes()),
        }
    }

    /// What private RSA keys are enciphered with.
    pub(crate) fn rsa_key(&self) -> Result<Secret, Code> {
        match self {
            Self::Variant(lmk) => Ok(Secret::Tdes(lmk.rsa_pair()?)),
            Self::KeyBlock(lmk) => Secret::new(lmk.rsa().algorithm(), lmk.rsa().bytes()),
        }
    }
}

impl From<KeyBlockLmk> for Lmk {
    fn from(lmk: KeyBlockLmk) -> Self {
        Self::KeyBlock(Box::new(lmk))
    }
}

impl From<VariantLmk> for Lmk {
    fn from(lmk: VariantLmk) -> Self {
        Self::Variant(Box::new(lmk))
    }
}

/// An LMK with what is derived from it once.
#[derive(Debug)]
pub struct Loaded {
    pub lmk: Lmk,
    pub pin_key: Secret,
}

impl Loaded {
    fn new(lmk: Lmk) -> Result<Self, Code> {
        Ok(Self { pin_key: lmk.pin_key()?, lmk })
    }
}

/// Why an LMK cannot be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LmkStoreError {
    #[error("LMK identifiers are 00 to 99")]
    Identifier,
    #[error("the LMK is malformed")]
    Malformed,
}

/// All LMKs of a device. Identifier 00 serves commands that select none.
#[derive(Clone, Debug, Default)]
pub struct LmkStore {
    live: BTreeMap<u8, Arc<Loaded>>,
    /// What keys are translated from (BW).
    old: BTreeMap<u8, Arc<Loaded>>,
}

impl LmkStore {
    /// The test LMKs: 00 the published variant set, 01 AES and 02 TDES of the key-block kind.
    pub fn test() -> Result<Self, LmkStoreError> {
        let malformed = |_| LmkStoreError::Malformed;
        let mut store = Self::default();
        store.insert(0, Lmk::test_variant())?;
        store.insert(1, KeyBlockLmk::test_aes().map_err(malformed)?.into())?;
        store.insert(2, KeyBlockLmk::test_tdes().map_err(malformed)?.into())?;
        Ok(store)
    }

    /// Loads an LMK in place of what had its identifier.
    pub fn insert(&mut self, id: u8, lmk: Lmk) -> Result<(), LmkStoreError> {
        self.live.insert(checked(id)?, loaded(lmk)?);
        Ok(())
    }

    /// Loads an LMK that keys are translated from.
    pub fn insert_old(&mut self, id: u8, lmk: Lmk) -> Result<(), LmkStoreError> {
        self.old.insert(checked(id)?, loaded(lmk)?);
        Ok(())
    }

    /// Identifiers and LMKs, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &Lmk)> {
        self.live.iter().map(|(id, loaded)| (*id, &loaded.lmk))
    }

    pub(crate) fn get(&self, id: u8) -> Option<&Loaded> {
        self.live.get(&id).map(Arc::as_ref)
    }

    pub(crate) fn old(&self, id: u8) -> Option<&Loaded> {
        self.old.get(&id).map(Arc::as_ref)
    }
}

fn checked(id: u8) -> Result<u8, LmkStoreError> {
    if id < 100 { Ok(id) } else { Err(LmkStoreError::Identifier) }
}

fn loaded(lmk: Lmk) -> Result<Arc<Loaded>, LmkStoreError> {
    Ok(Arc::new(Loaded::new(lmk).map_err(|_| LmkStoreError::Malformed)?))
}
