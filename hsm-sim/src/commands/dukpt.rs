//! The key that PIN blocks are under: a key under the LMK, or one that DUKPT derives for a transaction.

use std::sync::Arc;

use payment_crypto::dukpt_tdes::{self, initial_key, transaction_key, working_key};
use payment_crypto::{AesKey, dukpt_aes};

use crate::error::Code;
use crate::fields::{CipheredKey, Fields};
use crate::keys::{OpenKey, Role, Secret, Use, Vault, roles};

/// A key serial number with its descriptor. TDES numbers are ten bytes, AES ones twelve.
#[derive(Clone, Copy)]
pub enum Serial {
    Tdes([u8; 10]),
    Aes([u8; 12]),
}

impl Serial {
    /// Three hexadecimal digits of descriptor, the lengths of its parts, then the number.
    pub fn read(fields: &mut Fields<'_>, bdk: &CipheredKey<'_>) -> Result<Self, Code> {
        let descriptor = fields.text("KSN descriptor", 3)?;
        if !descriptor.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Code::INPUT);
        }
        if bdk.is_aes() { Ok(Self::Aes(fields.block("KSN")?)) } else { Ok(Self::Tdes(fields.block("KSN")?)) }
    }

    /// The transaction's key for one use.
    pub fn derive(self, bdk: &OpenKey, usage: dukpt_tdes::Use) -> Result<Arc<OpenKey>, Code> {
        Ok(Arc::new(OpenKey { secret: self.derived(bdk, usage)?, header: None }))
    }

    fn derived(self, bdk: &OpenKey, usage: dukpt_tdes::Use) -> Result<Secret, Code> {
        match self {
            Self::Tdes(ksn) => {
                let transaction = transaction_key(&initial_key(bdk.tdes()?, ksn)?, ksn)?;
                Ok(Secret::Tdes(working_key(&transaction, usage)?))
            }
            Self::Aes(ksn) => {
                let id = ksn.first_chunk().copied().unwrap_or_default();
                let bdk = bdk.secret.aes()?;
                let derivation = dukpt_aes::derivation_key(&dukpt_aes::initial_key(bdk, id)?, ksn)?;
                let algorithm = match bdk.bytes().len() {
                    16 => dukpt_aes::Algorithm::Aes128,
                    24 => dukpt_aes::Algorithm::Aes192,
                    _ => dukpt_aes::Algorithm::Aes256,
                };
                let usage = match usage {
                    dukpt_tdes::Use::Pin => dukpt_aes::Use::Pin,
                    dukpt_tdes::Use::MacRequest => dukpt_aes::Use::MacGeneration,
                    dukpt_tdes::Use::MacResponse => dukpt_aes::Use::MacVerification,
                    dukpt_tdes::Use::DataRequest => dukpt_aes::Use::DataEncryption,
                    dukpt_tdes::Use::DataResponse => dukpt_aes::Use::DataDecryption,
                };
                let key = dukpt_aes::working_key(&derivation, ksn, usage, algorithm);
                Ok(Secret::Aes(AesKey::from_bytes(&key)?))
            }
        }
    }
}

/// A field that holds the key of PIN blocks.
pub enum PinKey<'a> {
    Stored(CipheredKey<'a>, Role),
    Derived(CipheredKey<'a>, Role, Serial),
}

impl<'a> PinKey<'a> {
    /// A zone PIN key, or `*` (BDK-1) or `~` (BDK-2), a base derivation key, descriptor and serial number.
    pub fn read_destination(fields: &mut Fields<'a>) -> Result<Self, Code> {
        match bdk_flag(fields) {
            Some(role) => Self::read_derived(fields, role),
            None => Ok(Self::Stored(fields.key("destination ZPK", 8)?, roles::ZPK.to(Use::Encrypt))),
        }
    }

    pub fn read_derived(fields: &mut Fields<'a>, role: Role) -> Result<Self, Code> {
        let bdk = fields.key("BDK", 16)?;
        let serial = Serial::read(fields, &bdk)?;
        Ok(Self::Derived(bdk, role, serial))
    }

    /// Whether blocks of it are of sixteen bytes.
    pub fn is_aes(&self) -> bool {
        let (Self::Stored(key, _) | Self::Derived(key, ..)) = self;
        key.is_aes()
    }

    pub fn open(&self, vault: &Vault<'_>, parity: Code) -> Result<Arc<OpenKey>, Code> {
        match self {
            Self::Stored(key, role) => vault.open(key, *role, parity),
            Self::Derived(bdk, role, serial) => serial.derive(&*vault.open(bdk, *role, parity)?, dukpt_tdes::Use::Pin),
        }
    }
}

/// Which base derivation key a flag in front announces.
pub fn bdk_flag(fields: &mut Fields<'_>) -> Option<Role> {
    if fields.delimiter(b'*') {
        Some(roles::BDK)
    } else if fields.delimiter(b'~') {
        Some(roles::BDK_2)
    } else {
        None
    }
}
