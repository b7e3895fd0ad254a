//! Raw frames and what must come back, made before any clock starts.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use payment_crypto::mac::{self, Algorithm, Padding};
use payment_crypto::{Pin, pin_block, pvv};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::keys::Keys;
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
    pub async fn of_all(keys: &Keys, seed: u64, simulator: SocketAddr) -> anyhow::Result<Vec<Self>> {
        let mut random = SmallRng::seed_from_u64(seed.wrapping_add(1));
        let mut stream = TcpStream::connect(simulator).await.context("the simulator cannot be reached")?;
        let mut all = Vec::new();
        for workload in Workload::ALL {
            let mut commands = Self { workload, frames: Vec::new(), answers: Vec::new() };
            for number in 0..VARIANTS {
                let (fields, answer) = match workload {
                    Workload::PinVerify => pin_verify(keys, &mut random)?,
                    Workload::PinTranslate => pin_translate(keys, &mut random, &mut stream).await?,
                    Workload::MacGenerate => mac_command(keys, &mut random, false)?,
                    Workload::MacVerify => mac_command(keys, &mut random, true)?,
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
    let clear = pin_block::encode_format0(pin, account)?;
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

/// TPK, block, format 01, account; answered with the PIN under the LMK, which is what BA makes of the clear PIN.
async fn pin_translate(keys: &Keys, random: &mut SmallRng, stream: &mut TcpStream) -> FieldsAndAnswer {
    let (account, pin) = card(random)?;
    let block = pin_block_of(keys, &account, &pin)?;
    let digits: String = pin.digits().iter().map(|digit| char::from(b'0' + digit)).collect();
    let under_lmk = ask(stream, "BA", &format!("{digits}F{account}")).await?;
    let tpk = &keys.tpk.under_lmk;
    Ok((format!("{tpk}{block}01{account}").into_bytes(), [b"00", &under_lmk[..]].concat()))
}

/// Whole message, binary, sixteen digits, algorithm 3, padding 1, key type, key, length, message; to verify, the MAC.
fn mac_command(keys: &Keys, random: &mut SmallRng, verify: bool) -> FieldsAndAnswer {
    let message: [u8; MESSAGE_BYTES] = std::array::from_fn(|_| random.random());
    let mac = hex::encode_upper(mac::generate(Algorithm::Three, &keys.tak.clear, Padding::Zeros, &message)?);
    let head = format!("00131003{}{MESSAGE_BYTES:04X}", keys.tak.under_lmk);
    let fields = [head.as_bytes(), &message[..], if verify { mac.as_bytes() } else { &[] }].concat();
    Ok((fields, if verify { b"00".to_vec() } else { format!("00{mac}").into_bytes() }))
}

/// One command by itself; gives the fields of an answer without error.
async fn ask(stream: &mut TcpStream, code: &str, fields: &str) -> anyhow::Result<Vec<u8>> {
    stream.write_all(&frame(0, code, fields.as_bytes())?).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    let (head, rest) = answer.split_at_checked(HEADER + 4).context("the simulator's answer is too short")?;
    ensure!(head.ends_with(b"00"), "the simulator refuses {code}");
    Ok(rest.to_vec())
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
