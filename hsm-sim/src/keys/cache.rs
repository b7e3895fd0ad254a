//! Keys opened before, so that a key in use is deciphered and scheduled once and not in every command.
//!
//! A real device keeps no such thing and a simulator may: clear keys live in this process anyway, and are wiped when they
//! fall out of the cache.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::OpenKey;

/// Keys kept at most.
const KEYS: usize = 8192;

/// Longest text kept; key blocks with many optional blocks are opened each time.
const TEXT_MAX: usize = 128;

/// By LMK, key type and the text that the key came in.
pub struct KeyCache(Cache<Vec<u8>, Arc<OpenKey>>);

impl Default for KeyCache {
    fn default() -> Self {
        Self(Cache::new(KEYS))
    }
}

impl std::fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyCache({} keys)", self.0.len())
    }
}

impl KeyCache {
    /// The key, opened by `open` where it is not known. What cannot be opened is not kept.
    pub fn get<E>(
        &self,
        lmk: u8,
        key_type: &str,
        text: &[u8],
        open: impl FnOnce() -> Result<OpenKey, E>,
    ) -> Result<Arc<OpenKey>, E> {
        if text.len() > TEXT_MAX {
            return open().map(Arc::new);
        }
        let mut buffer = [0; 1 + 3 + TEXT_MAX];
        let parts = [&[lmk][..], key_type.as_bytes(), text];
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let Some(name) = buffer.get_mut(..length) else { return open().map(Arc::new) };
        name.iter_mut().zip(parts.into_iter().flatten()).for_each(|(place, byte)| *place = *byte);
        let name: &[u8] = name;
        if let Some(known) = self.0.get(name) {
            return Ok(known);
        }
        let opened = Arc::new(open()?);
        self.0.insert(name.to_vec(), Arc::clone(&opened));
        Ok(opened)
    }
}
