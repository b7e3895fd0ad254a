//! Keys: their types, the schemes that write them, and the local master keys (LMKs) they are under.

mod block;
mod cache;
mod key_block_lmk;
mod key_type;
mod lmk;
mod lmk_file;
mod role;
mod scheme;
mod secret;
mod variant_lmk;
mod vault;

pub use block::Attributes;
pub use cache::KeyCache;
pub use key_block_lmk::KeyBlockLmk;
pub use key_type::{KeyType, Permission};
pub use lmk::{Lmk, LmkStore, LmkStoreError};
pub use lmk_file::{LmkFileError, read as read_lmk_file, write as write_lmk_file};
pub use role::{Role, Use, roles};
pub use scheme::Scheme;
pub use secret::Secret;
pub use variant_lmk::{VariantLmk, decipher, encipher};
pub use vault::{OpenKey, Vault};
