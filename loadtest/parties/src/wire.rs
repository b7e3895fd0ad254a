//! Bytes of messages that hold card data.

use bytes::{Bytes, BytesMut};
use zeroize::Zeroize;

/// A buffer that is wiped when the last of the [`Bytes`] over it is dropped.
struct Wiped(BytesMut);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.as_mut().zeroize();
    }
}

/// Freezes a message; cheap to clone, wiped in the end.
pub fn wiped(message: BytesMut) -> Bytes {
    Bytes::from_owner(Wiped(message))
}
