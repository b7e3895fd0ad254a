//! Keys made, imported and checked: A0, A6, BU.

use payment_crypto::{TdesKey, kcv, os_random, tr31};
use zeroize::Zeroizing;

use super::{Reply, hex};
use crate::error::Code;
use crate::fields::Fields;
use crate::key_type::{KeyType, TAK, TMK, ZAK, ZMK, ZPK};
use crate::lmk::{self, Lmk, Scheme};

/// A0: mode 0 makes a key; mode 1 also exports it under a zone (flag 0) or terminal (flag 1) master key.
pub fn generate(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let mode = fields.byte()?;
    let key_type = KeyType::parse(fields.text(3)?)?;
    let scheme = Scheme::parse(fields.byte()?)?;
    if !matches!(mode, b'0' | b'1') {
        return Err(Code::INPUT);
    }
    let mut clear = Zeroizing::new(vec![0; scheme.key_length()]);
    os_random(&mut clear)?;
    let clear = TdesKey::with_odd_parity(&clear);
    let mut answer = lmk.wrap(key_type, scheme, &clear)?;
    if mode == b'1' {
        answer += &export(lmk, fields, &clear)?;
    }
    answer += &hex(&kcv::tdes(&TdesKey::from_bytes(&clear)?)[..3]);
    Ok(Reply::ok(answer))
}

/// `;` flag, master key, scheme; for scheme R (a TR-31 key block) `#` usage, algorithm, mode, key version,
/// exportability, number of optional blocks.
fn export(lmk: &Lmk, fields: &mut Fields<'_>, clear: &[u8]) -> Result<String, Code> {
    if !fields.delimiter(b';') {
        return Err(Code::INPUT);
    }
    let master_type = match fields.byte()? {
        b'0' => ZMK,
        b'1' => TMK,
        _ => return Err(Code::INPUT),
    };
    let master = fields.key(16)?.open(lmk, master_type, Code::SOURCE_PARITY)?;
    match fields.byte()? {
        b'R' => {
            let header = key_block_header(fields)?;
            Ok(format!("R{}", tr31::wrap(&master, &header, clear, &mut os_random)?))
        }
        letter => {
            let scheme = Scheme::parse(letter)?;
            Ok(scheme.write(&lmk::encipher(&master, scheme, clear)?))
        }
    }
}

fn key_block_header(fields: &mut Fields<'_>) -> Result<tr31::Header, Code> {
    if !fields.delimiter(b'#') {
        return Err(Code::INPUT);
    }
    let parts: [u8; 9] = fields.bytes(9)?.try_into().map_err(|_| Code::INPUT)?;
    let [usage1, usage2, algorithm, mode, version1, version2, exportability, b'0', b'0'] = parts else {
        return Err(Code::INPUT);
    };
    if algorithm != b'T' {
        return Err(Code::INPUT);
    }
    let header = tr31::Header::new([usage1, usage2], algorithm, mode, exportability);
    Ok(tr31::Header { key_version: [version1, version2], ..header })
}

/// A6: a key under a zone master key taken under the LMK. 01 with the key when its parity had to be set.
pub fn import(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let key_type = KeyType::parse(fields.text(3)?)?;
    let zmk = fields.key(8)?.open(lmk, ZMK, Code::SOURCE_PARITY)?;
    if fields.delimiter(b'R') {
        return import_key_block(lmk, fields, key_type, &zmk);
    }
    let key = fields.key(8)?;
    let scheme = Scheme::parse(fields.byte()?)?;
    let zmk = match fields.rest().first() {
        Some(variant @ b'1'..=b'9') => {
            fields.byte()?;
            atalla(&zmk, variant - b'0')?
        }
        _ => zmk,
    };
    let sent = lmk::decipher(&zmk, key.scheme, &key.cryptogram)?;
    imported(lmk, key_type, scheme, &sent)
}

/// A TR-31 key block, which must say that its key may be what it is imported as.
fn import_key_block(lmk: &Lmk, fields: &mut Fields<'_>, key_type: KeyType, zmk: &TdesKey) -> Result<Reply, Code> {
    /// Version and length of a block's header.
    const BEGINNING: usize = 5;
    let length = fields.rest().get(1..BEGINNING).and_then(|digits| std::str::from_utf8(digits).ok());
    let length = length.and_then(|digits| digits.parse().ok()).ok_or(Code::INPUT)?;
    let (header, sent) = tr31::unwrap(zmk, fields.text(length)?)?;
    let scheme = Scheme::parse(fields.byte()?)?;
    let usages: &[&[u8; 2]] = match key_type {
        ZMK => &[b"K0"],
        ZPK => &[b"P0"],
        TAK | ZAK => &[b"M0", b"M1", b"M3"],
        _ => return Err(Code::KEY_TYPE),
    };
    if header.algorithm != b'T' || !usages.contains(&&header.usage) {
        return Err(Code::KEY_TYPE);
    }
    imported(lmk, key_type, scheme, &sent)
}

fn imported(lmk: &Lmk, key_type: KeyType, scheme: Scheme, sent: &[u8]) -> Result<Reply, Code> {
    let clear = TdesKey::with_odd_parity(sent);
    let code = if TdesKey::has_odd_parity(sent) { Code("00") } else { Code::VERIFICATION_FAILED };
    let check = kcv::tdes(&TdesKey::from_bytes(&clear)?);
    let fields = format!("{}{}", lmk.wrap(key_type, scheme, &clear)?, hex(&check[..3]));
    Ok(Reply { code, fields: fields.into_bytes() })
}

/// Atalla variant n: the first byte of each half of the zone master key XOR 8·n.
fn atalla(zmk: &TdesKey, variant: u8) -> Result<TdesKey, Code> {
    let mut bytes = Zeroizing::new(zmk.bytes().to_vec());
    for half in bytes.chunks_mut(8) {
        half[0] ^= 8 * variant;
    }
    Ok(TdesKey::from_bytes(&bytes)?)
}

/// BU: a key's check value, 16 digits, or 6 where `;00` and type 1 say so.
pub fn check_value(lmk: &Lmk, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let code = fields.text(2)?;
    let bare = match fields.byte()? {
        b'0' => 8,
        b'1' => 16,
        b'2' => 24,
        b'F' => 0,
        _ => return Err(Code::LENGTH_FLAG),
    };
    let key = fields.key(bare)?;
    let mut key_type = if code == "FF" { None } else { Some(KeyType::from_code(code)?) };
    let mut digits = 16;
    if fields.delimiter(b';') {
        let stated = fields.text(3)?;
        if code == "FF" {
            key_type = Some(KeyType::parse(stated)?);
        }
        if fields.delimiter(b';') {
            digits = check_digits(fields.text(3)?)?;
        } else if code != "FF" {
            digits = check_digits(stated)?;
        }
    }
    let key = key.open(lmk, key_type.ok_or(Code::KEY_TYPE)?, Code::SOURCE_PARITY)?;
    Ok(Reply::ok(&hex(&kcv::tdes(&key))[..digits]))
}

/// `00` reserved, then 0 for 16 digits or 1 for 6.
fn check_digits(text: &str) -> Result<usize, Code> {
    match text {
        "000" => Ok(16),
        "001" => Ok(6),
        _ => Err(Code::INPUT),
    }
}
