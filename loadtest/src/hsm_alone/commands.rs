//! Raw frames and what must come back, made before any clock starts.

use payment_crypto::mac::{self, Algorithm, Padding};
use payment_crypto::{Pin, cmac, os_random, pin_block, pvv};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::keys::{AES_LMK, Keys};
use super::workload::{MESSAGE_BYTES, Workload};

/// Different commands of each kind. The header's four hexadecimal digits number them, so that there are always more
/// than may be outstanding on a connection.
pub const VARIANTS: usize = 1024;

/// Before a frame.
pub const LENGTH: usize = 2;
/// Of the message header.
pub const HEADER: usize = 4;

const PVKI: u8 = 1;

/// One kind of command, many times.
pub struct Commands {
    pub workload: Workload,
    /// Whole frames, lengths included.
    pub frames: Vec<Vec<u8>>,
    /// The whole frames that must come back.
    pub answers: Vec<Vec<u8>>,
}

impl Commands {
    pub fn of_all(keys: &Keys, seed: u64) -> anyhow::Result<Vec<Self>> {
        let mut random = SmallRng::seed_from_u64(seed.wrapping_add(1));
        let mut all = Vec::new();
        for workload in Workload::ALL {
            let mut commands = Self { workload, frames: Vec::new(), answers: Vec::new() };
            for number in 0..VARIANTS {
                let (fields, answer) = match workload {
                    Workload::PinVerify => pin_verify(keys, &mut random)?,
                    Workload::PinTranslate => pin_translate(keys, &mut random)?,
                    Workload::MacGenerate => mac_command(keys, &mut random, false)?,
                    Workload::MacVerify => mac_command(keys, &mut random, true)?,
                    Workload::AesPinVerify => aes_pin_verify(keys, &mut random)?,
                    Workload::AesMac => aes_mac(keys, &mut random)?,
                };
                let (code, answer_code) = workload.codes();
                commands.frames.push(frame(number, code, &fields)?);
                commands.answers.push(frame(number, answer_code, &answer)?);
            }
            all.push(commands);
        }
        Ok(all)
    }
}

/// Length, header, code, fields.
fn frame(number: usize, code: &str, fields: &[u8]) -> anyhow::Result<Vec<u8>> {
    let body = [format!("{number:0HEADER$X}").as_bytes(), code.as_bytes(), fields].concat();
    Ok([&u16::try_from(body.len())?.to_be_bytes()[..], &body].concat())
}

/// A card's account number (twelve digits without the check digit) and PIN.
fn card(random: &mut SmallRng) -> anyhow::Result<(String, Pin)> {
    let account = format!("{:012}", random.random_range(0..1_000_000_000_000_u64));
    let digits = (0..4).map(|_| random.random_range(0..10)).collect();
    Ok((account, Pin::from_digits(digits)?))
}

/// A block of ISO 9564 format 0 under the terminal's PIN key, in hexadecimal.
fn pin_block_of(keys: &Keys, account: &str, pin: &Pin) -> anyhow::Result<String> {
    let clear = pin_block::format0::encode(pin, account)?;
    Ok(hex::encode_upper(keys.tpk.clear.encrypt_block(clear)))
}

type FieldsAndAnswer = anyhow::Result<(Vec<u8>, Vec<u8>)>;

/// TPK, PVK, block, format 01, account, key indicator, verification value; answered without fields.
fn pin_verify(keys: &Keys, random: &mut SmallRng) -> FieldsAndAnswer {
    let (account, pin) = card(random)?;
    let block = pin_block_of(keys, &account, &pin)?;
    let pvv: String =
        pvv::generate(&keys.pvk.clear, &pin, &account, PVKI)?.iter().map(|digit| char::from(b'0' + digit)).collect();
    let (tpk, pvk) = (&keys.tpk.under_lmk, &keys.pvk.under_lmk);
    Ok((format!("{tpk}{pvk}{block}01{account}{PVKI}{pvv}").into_bytes(), b"00".to_vec()))
}

/// TPK, ZPK, twelve digits at most, block, formats 01 and 01, account; answered with the PIN's length and the block under
/// the ZPK.
fn pin_translate(keys: &Keys, random: &mut SmallRng) -> FieldsAndAnswer {
    let (account, pin) = card(random)?;
    let block = pin_block_of(keys, &account, &pin)?;
    let translated = hex::encode_upper(keys.zpk.clear.encrypt_block(pin_block::format0::encode(&pin, &account)?));
    let (tpk, zpk) = (&keys.tpk.under_lmk, &keys.zpk.under_lmk);
    let answer = format!("00{:02}{translated}01", pin.digits().len());
    Ok((format!("{tpk}{zpk}12{block}0101{account}").into_bytes(), answer.into_bytes()))
}

/// ZPK, PVK, block of format 48, account number with its check digit, key indicator, verification value, LMK; answered
/// without fields.
fn aes_pin_verify(keys: &Keys, random: &mut SmallRng) -> FieldsAndAnswer {
    let (account, pin) = card(random)?;
    let pan = format!("4000{account}7");
    let block = pin_block::format4::encipher(&keys.aes.zpk.0, &pin, &pan, &mut os_random)?;
    let pvv = pvv::generate(&keys.aes.pvk.clear, &pin, &account, PVKI)?;
    let pvv: String = pvv.iter().map(|digit| char::from(b'0' + digit)).collect();
    let (zpk, pvk, block) = (&keys.aes.zpk.1, &keys.aes.pvk.under_lmk, hex::encode_upper(block));
    Ok((format!("{zpk}{pvk}{block}48{pan};{PVKI}{pvv}%{AES_LMK:02}").into_bytes(), b"00".to_vec()))
}

/// Whole message, binary, sixteen digits, CMAC, key block, key, length, message, LMK.
fn aes_mac(keys: &Keys, random: &mut SmallRng) -> FieldsAndAnswer {
    let message: [u8; MESSAGE_BYTES] = std::array::from_fn(|_| random.random());
    let mac = hex::encode_upper(&cmac::aes(&keys.aes.mac.0, &[&message])?[..8]);
    let head = format!("00160FFF{}{MESSAGE_BYTES:04X}", keys.aes.mac.1);
    let fields = [head.as_bytes(), &message[..], format!("%{AES_LMK:02}").as_bytes()].concat();
    Ok((fields, format!("00{mac}").into_bytes()))
}

/// Whole message, binary, sixteen digits, algorithm 3, padding 1, key type, key, length, message; to verify, the MAC.
fn mac_command(keys: &Keys, random: &mut SmallRng, verify: bool) -> FieldsAndAnswer {
    let message: [u8; MESSAGE_BYTES] = std::array::from_fn(|_| random.random());
    let mac = hex::encode_upper(mac::generate(Algorithm::Three, &keys.tak.clear, Padding::Zeros, &message)?);
    let head = format!("00131003{}{MESSAGE_BYTES:04X}", keys.tak.under_lmk);
    let fields = [head.as_bytes(), &message[..], if verify { mac.as_bytes() } else { &[] }].concat();
    Ok((fields, if verify { b"00".to_vec() } else { format!("00{mac}").into_bytes() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_as_the_protocol_has_them() {
        assert_eq!(frame(0x2A, "B2", b"0000").unwrap(), b"\x00\x0A002AB20000");
        let keys = Keys::new(3).unwrap();
        let mut random = SmallRng::seed_from_u64(3);
        let (fields, answer) = mac_command(&keys, &mut random, true).unwrap();
        assert_eq!(fields.len(), 8 + 33 + 4 + MESSAGE_BYTES + 16);
        assert_eq!(answer, b"00");
        let (fields, answer) = pin_verify(&keys, &mut random).unwrap();
        assert_eq!((fields.len(), &answer[..]), (33 + 33 + 16 + 2 + 12 + 1 + 4, &b"00"[..]));
    }

    #[test]
    fn the_same_seed_gives_the_same_frames() {
        let fields = || mac_command(&Keys::new(3).unwrap(), &mut SmallRng::seed_from_u64(4), false).unwrap();
        assert_eq!(fields(), fields());
    }
}
