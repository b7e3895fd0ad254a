//! ECB and CBC (NIST SP 800-38A) over whole blocks of any length.

use zeroize::Zeroizing;

use crate::Fault;

/// The bytes of two blocks, each XORed with the other's.
pub(crate) fn xor<const N: usize>(left: [u8; N], right: [u8; N]) -> [u8; N] {
    std::array::from_fn(|index| left[index] ^ right[index])
}

/// Each block by itself.
pub(crate) fn ecb<const N: usize>(
    data: &[u8],
    mut act: impl FnMut([u8; N]) -> [u8; N],
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let (blocks, rest) = data.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(Fault::DataLength);
    }
    let mut out = Zeroizing::new(Vec::with_capacity(data.len()));
    for block in blocks {
        out.extend_from_slice(&act(*block));
    }
    Ok(out)
}

/// Each block XORed with the enciphered one before it.
pub(crate) fn encrypt_cbc<const N: usize>(
    iv: [u8; N],
    data: &[u8],
    encrypt: impl Fn([u8; N]) -> [u8; N],
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let mut chain = iv;
    ecb(data, |block| {
        chain = encrypt(xor(block, chain));
        chain
    })
}

/// The inverse of [`encrypt_cbc`].
pub(crate) fn decrypt_cbc<const N: usize>(
    iv: [u8; N],
    data: &[u8],
    decrypt: impl Fn([u8; N]) -> [u8; N],
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let mut chain = iv;
    ecb(data, |block| {
        let clear = xor(decrypt(block), chain);
        chain = block;
        clear
    })
}
