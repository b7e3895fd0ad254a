//! Data keys: the PAN cipher, the PAN lookup hash and the seal of token keys.
//!
//! They are stored enciphered under a data encryption key that itself is under the LMK, and unwrapped through the
//! HSM at start. The clear keys exist in memory only. A database without its HSM reveals no PAN.

use admin_store::{DataKeys, Store};
use anyhow::{Context, bail};
use host_commands::{HsmClient, KeyUnderLmk};
use zeroize::Zeroizing;

/// Names in the store's key table.
const ENCRYPTION_KEY: &str = "data-encryption-key";
const WRAPPED: &str = "data-keys";

/// Key type code of a data encryption key.
const DEK: &str = "00B";

/// First bytes of the wrapped text: shows that the HSM holds the LMK under which it was made.
const MARK: &[u8; 16] = b"umbra data keys1";

const KEY: usize = 32;
const LENGTH: usize = MARK.len() + 3 * KEY;

/// Unwraps the data keys, or makes them at the first start.
///
/// A crash between the two writes leaves a data encryption key without wrapped keys: the next start goes on there.
pub async fn open(store: &Store, hsm: &HsmClient) -> anyhow::Result<DataKeys> {
    let encryption_key = match store.key(ENCRYPTION_KEY).await? {
        Some(key) => KeyUnderLmk::from(key),
        None => {
            let made = hsm.generate_key(DEK, 'U').await.context("make the data encryption key in the HSM")?;
            store.put_key(ENCRYPTION_KEY, made.key.as_str(), &made.kcv).await?;
            made.key
        }
    };
    let clear = match store.key(WRAPPED).await? {
        Some(wrapped) => {
            let wrapped = hex::decode(&wrapped).context("the stored data keys are damaged; restore the database")?;
            Zeroizing::new(
                hsm.decrypt_data(&encryption_key, &wrapped).await.context("unwrap the data keys in the HSM")?,
            )
        }
        None => make(store, hsm, &encryption_key).await?,
    };
    split(&clear)
}

async fn make(store: &Store, hsm: &HsmClient, encryption_key: &KeyUnderLmk) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let mut clear = Zeroizing::new(vec![0; LENGTH]);
    clear[..MARK.len()].copy_from_slice(MARK);
    getrandom::fill(&mut clear[MARK.len()..]).context("the system gives no random numbers")?;
    let wrapped = hsm.encrypt_data(encryption_key, &clear).await.context("wrap the data keys in the HSM")?;
    store.put_key(WRAPPED, &hex::encode_upper(wrapped), "").await?;
    Ok(clear)
}

fn split(clear: &[u8]) -> anyhow::Result<DataKeys> {
    if clear.len() != LENGTH || clear.get(..MARK.len()) != Some(MARK) {
        bail!("the HSM does not hold the LMK this database was made with; connect the right HSM or restore its LMK");
    }
    let key = |index: usize| {
        let mut key = Zeroizing::new([0; KEY]);
        let start = MARK.len() + index * KEY;
        key.copy_from_slice(&clear[start..start + KEY]);
        key
    };
    Ok(DataKeys { pan_cipher: key(0), pan_lookup: key(1), token_seal: key(2) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_lmk_is_recognised() {
        let mut clear = vec![7; LENGTH];
        assert!(split(&clear).is_err());
        clear[..MARK.len()].copy_from_slice(MARK);
        assert!(split(&clear).is_ok_and(|keys| *keys.pan_lookup == [7; KEY]));
        assert!(split(&clear[..LENGTH - 1]).is_err());
    }
}
