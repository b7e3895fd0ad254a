//! An LMK of one's own, kept in a file under a passphrase: AES-256-GCM with a key that Argon2id makes of it.

use std::io::Write;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use payment_crypto::os_random;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{KeyBlockLmk, Lmk, Secret, VariantLmk};
use crate::hex;

/// RFC 9106, 4: the second recommended choice.
const MEMORY_KIB: u32 = 65_536;
const ITERATIONS: u32 = 3;
const LANES: u32 = 4;

/// Largest file read.
const FILE_MAX: u64 = 64 * 1024;

const FORMAT: &str = "umbra-lmk-1";

/// Why an LMK file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LmkFileError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("it is not an LMK file of this version; make one with `umbra hsm lmk generate`")]
    Malformed,
    #[error("the passphrase is wrong, or the file was changed")]
    Passphrase,
    #[error("no random numbers are to be had")]
    Random,
}

/// What stands in the file. All but the LMK itself is readable, and protected against change.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Contents {
    format: String,
    kind: Kind,
    /// Tells which LMK it is, without the passphrase.
    check_value: String,
    salt: String,
    nonce: String,
    sealed: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Variant,
    TdesKeyBlock,
    AesKeyBlock,
}

impl Contents {
    fn protected(&self) -> String {
        let kind = match self.kind {
            Kind::Variant => "variant",
            Kind::TdesKeyBlock => "tdes-key-block",
            Kind::AesKeyBlock => "aes-key-block",
        };
        format!("{}:{kind}:{}", self.format, self.check_value)
    }
}

/// Writes a new file, readable by its owner alone. A file that exists is left as it is.
pub fn write(path: &Path, lmk: &Lmk, passphrase: &str) -> Result<(), LmkFileError> {
    let (kind, clear) = match lmk {
        Lmk::Variant(lmk) => (Kind::Variant, lmk.bytes()),
        Lmk::KeyBlock(lmk) => {
            let kind = if lmk.master().algorithm() == b'A' { Kind::AesKeyBlock } else { Kind::TdesKeyBlock };
            (kind, Zeroizing::new(lmk.master().bytes().to_vec()))
        }
    };
    let (mut salt, mut nonce) = ([0; 16], [0; NONCE_LEN]);
    os_random(&mut salt).and_then(|()| os_random(&mut nonce)).map_err(|_| LmkFileError::Random)?;
    let mut contents = Contents {
        format: FORMAT.into(),
        kind,
        check_value: lmk.check_value().map_err(|_| LmkFileError::Malformed)?,
        salt: hex::upper(&salt),
        nonce: hex::upper(&nonce),
        sealed: String::new(),
    };
    let mut sealed = clear.to_vec();
    sealing_key(passphrase, &salt)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(contents.protected().as_bytes()),
            &mut sealed,
        )
        .map_err(|_| LmkFileError::Malformed)?;
    contents.sealed = hex::upper(&sealed);
    let text = serde_json::to_string_pretty(&contents).map_err(|_| LmkFileError::Malformed)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    Ok(file.sync_all()?)
}

/// Reads and opens a file.
pub fn read(path: &Path, passphrase: &str) -> Result<Lmk, LmkFileError> {
    let file = std::fs::File::open(path)?;
    if file.metadata()?.len() > FILE_MAX {
        return Err(LmkFileError::Malformed);
    }
    let contents: Contents =
        serde_json::from_reader(std::io::BufReader::new(file)).map_err(|_| LmkFileError::Malformed)?;
    let mut nonce = [0; NONCE_LEN];
    let mut salt = [0; 16];
    let mut sealed = Zeroizing::new(vec![0; contents.sealed.len() / 2]);
    let readable = hex::read(contents.nonce.as_bytes(), &mut nonce)
        && hex::read(contents.salt.as_bytes(), &mut salt)
        && hex::read(contents.sealed.as_bytes(), &mut sealed);
    if contents.format != FORMAT || !readable {
        return Err(LmkFileError::Malformed);
    }
    let aad = Aad::from(contents.protected());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let clear = sealing_key(passphrase, &salt)?.open_in_place(nonce, aad, &mut sealed);
    opened(contents.kind, clear.map_err(|_| LmkFileError::Passphrase)?).ok_or(LmkFileError::Malformed)
}

fn opened(kind: Kind, clear: &[u8]) -> Option<Lmk> {
    match kind {
        Kind::Variant => VariantLmk::from_bytes(clear).map(Lmk::from),
        Kind::TdesKeyBlock => KeyBlockLmk::new(Secret::new(b'T', clear).ok()?).ok().map(Lmk::from),
        Kind::AesKeyBlock => KeyBlockLmk::new(Secret::new(b'A', clear).ok()?).ok().map(Lmk::from),
    }
}

fn sealing_key(passphrase: &str, salt: &[u8; 16]) -> Result<LessSafeKey, LmkFileError> {
    let mut key = Zeroizing::new([0; 32]);
    let params = Params::new(MEMORY_KIB, ITERATIONS, LANES, Some(key.len())).map_err(|_| LmkFileError::Malformed)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut *key)
        .map_err(|_| LmkFileError::Malformed)?;
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*key).map_err(|_| LmkFileError::Malformed)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_open_with_their_passphrase_alone() {
        let folder = tempfile::tempdir().unwrap();
        let lmks = [
            Lmk::from(VariantLmk::generate().unwrap()),
            Lmk::from(KeyBlockLmk::generate(false).unwrap()),
            Lmk::from(KeyBlockLmk::generate(true).unwrap()),
        ];
        for (number, lmk) in lmks.iter().enumerate() {
            let path = folder.path().join(format!("{number}.lmk"));
            write(&path, lmk, "correct horse").unwrap();
            let read_back = read(&path, "correct horse").unwrap();
            assert_eq!(read_back.check_value().unwrap(), lmk.check_value().unwrap());
            assert_eq!(read_back.kind(), lmk.kind());
            assert!(matches!(write(&path, lmk, "another"), Err(LmkFileError::Io(_))), "files are not overwritten");
        }
        let path = folder.path().join("0.lmk");
        assert!(matches!(read(&path, "wrong horse"), Err(LmkFileError::Passphrase)));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("variant", "aes-key-block")).unwrap();
        assert!(matches!(read(&path, "correct horse"), Err(LmkFileError::Passphrase)), "the kind is protected");
        std::fs::write(&path, "{}").unwrap();
        assert!(matches!(read(&path, "correct horse"), Err(LmkFileError::Malformed)));
    }
}
