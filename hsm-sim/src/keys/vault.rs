//! The LMK that a command selected, through which its keys are opened and its results put away.

use std::sync::Arc;

use payment_crypto::{TdesKey, tr31};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::lmk::Loaded;
use super::{Attributes, KeyCache, KeyType, Lmk, Role, Scheme, Secret, decipher};
use crate::error::Code;
use crate::fields::CipheredKey;

/// A key in clear, and what its key block says of it where it came in one.
#[derive(Debug)]
pub struct OpenKey {
    pub secret: Secret,
    pub header: Option<tr31::Header>,
}

impl OpenKey {
    /// The key, where only TDES will do.
    pub fn tdes(&self) -> Result<&TdesKey, Code> {
        self.secret.tdes()
    }
}

/// Opens and wraps keys under one LMK.
pub struct Vault<'a> {
    pub(crate) id: u8,
    pub(crate) loaded: &'a Loaded,
    pub(crate) cache: &'a KeyCache,
    /// Whether terminal keys are of the types 70D and 80D.
    pub(crate) separated: bool,
    /// Whether single-length keys hidden in double and triple ones are refused.
    pub(crate) refuse_disguised: bool,
}

impl Vault<'_> {
    pub fn lmk(&self) -> &Lmk {
        &self.loaded.lmk
    }

    /// Whether terminal keys are of the types 70D and 80D.
    pub fn separated(&self) -> bool {
        self.separated
    }

    pub fn pin_key(&self) -> &Secret {
        &self.loaded.pin_key
    }

    /// The clear key for a role. `parity` is the error code for a key without odd parity.
    pub fn open(&self, key: &CipheredKey<'_>, role: Role, parity: Code) -> Result<Arc<OpenKey>, Code> {
        let code = role.code(self.separated);
        let opened = self.cache.get(self.id, code, key.text(), || self.opened(key, role, parity))?;
        if let Some(header) = &opened.header {
            role.admits(header)?;
        }
        Ok(opened)
    }

    /// As [`Vault::open`], of a key under an LMK that is no longer live.
    pub fn open_uncached(&self, key: &CipheredKey<'_>, role: Role, parity: Code) -> Result<OpenKey, Code> {
        let opened = self.opened(key, role, parity)?;
        if let Some(header) = &opened.header {
            role.admits(header)?;
        }
        Ok(opened)
    }

    fn opened(&self, key: &CipheredKey<'_>, role: Role, parity: Code) -> Result<OpenKey, Code> {
        match (&self.loaded.lmk, key.scheme) {
            (Lmk::KeyBlock(lmk), Scheme::KeyBlock) => {
                let (header, secret) = lmk.open(self.id, key.block()?)?;
                Ok(OpenKey { secret, header: Some(header) })
            }
            (Lmk::Variant(lmk), scheme) if !matches!(scheme, Scheme::KeyBlock | Scheme::Tr31) => {
                let clear = decipher(&lmk.pair(role.key_type(self.separated)?)?, scheme, &key.cryptogram()?)?;
                self.acceptable(&clear, parity)?;
                Ok(OpenKey { secret: Secret::Tdes(TdesKey::from_bytes(&clear)?), header: None })
            }
            _ => Err(Code::LMK_SCHEME),
        }
    }

    /// Whether a clear TDES key has odd parity, and is no shorter key than it seems.
    pub fn acceptable(&self, clear: &[u8], parity: Code) -> Result<(), Code> {
        if !TdesKey::has_odd_parity(clear) {
            return Err(parity);
        }
        let (parts, _) = clear.as_chunks::<8>();
        let disguised = parts.windows(2).any(|pair| pair[0].ct_eq(&pair[1]).into());
        if self.refuse_disguised && disguised { Err(Code("75")) } else { Ok(()) }
    }

    /// A key under the LMK: by its type and a scheme letter, or in a key block.
    pub fn wrap(
        &self,
        key_type: Option<KeyType>,
        scheme: Scheme,
        attributes: Option<&Attributes>,
        secret: &Secret,
    ) -> Result<String, Code> {
        attributes.map_or(Ok(()), |attributes| attributes.fits(key_type))?;
        match (&self.loaded.lmk, scheme) {
            (Lmk::KeyBlock(lmk), Scheme::KeyBlock) => {
                let usual = || key_type.map(|key_type| Attributes::of_type(key_type, secret)).ok_or(Code::KEY_TYPE);
                let attributes = attributes.cloned().map_or_else(usual, Ok)?;
                lmk.wrap(self.id, &attributes.header, secret)
            }
            (Lmk::Variant(lmk), scheme) if scheme != Scheme::KeyBlock => {
                lmk.wrap(key_type.ok_or(Code::KEY_TYPE)?, scheme, secret.tdes()?.bytes())
            }
            _ => Err(Code::LMK_SCHEME),
        }
    }

    /// A private RSA key under the LMK, in CBC: 0x80 and zeros behind it.
    pub fn wrap_private_key(&self, clear: &[u8]) -> Result<Vec<u8>, Code> {
        let key = self.loaded.lmk.rsa_key()?;
        let mut padded = Zeroizing::new(clear.to_vec());
        padded.push(0x80);
        let filled = padded.len().next_multiple_of(16);
        padded.resize(filled, 0);
        Ok(match &key {
            Secret::Tdes(key) => key.encrypt_cbc([0; 8], &padded)?.to_vec(),
            Secret::Aes(key) => key.encrypt_cbc([0; 16], &padded)?.to_vec(),
        })
    }
}
