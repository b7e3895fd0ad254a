//! The baseline of the ciphers: the block operations of one command, with every key schedule ready and nothing around
//! them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aes::Aes128;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde2};
use load_report::median;

use super::workload::{MESSAGE_BYTES, Workload};

type Block = [u8; 8];

/// Commands in one piece: long against the clock's grain, short against the scheduler's.
const PIECE: u32 = 32;

/// Schedules of any keys; which ones does not change the time.
pub struct BareCiphers {
    single: Des,
    other: Des,
    double: TdesEde2,
    aes: Aes128,
}

impl BareCiphers {
    pub fn new() -> Self {
        let (single, other) = ([0x13; 8], [0x2C; 8]);
        let double: [u8; 16] = std::array::from_fn(|at| if at < 8 { 0x13 } else { 0x2C });
        Self {
            single: Des::new(&single.into()),
            other: Des::new(&other.into()),
            double: TdesEde2::new(&double.into()),
            aes: Aes128::new(&double.into()),
        }
    }

    /// Microseconds for one command, the median over pieces of the time given.
    pub fn measure(&self, workload: Workload, length: Duration) -> f64 {
        let mut pieces = Vec::new();
        let end = Instant::now() + length;
        while pieces.is_empty() || Instant::now() < end {
            let began = Instant::now();
            for _ in 0..PIECE {
                black_box(self.work(workload));
            }
            pieces.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(PIECE));
        }
        median(&pieces)
    }

    fn work(&self, workload: Workload) -> Block {
        let block = black_box([0x5A; 8]);
        match workload {
            Workload::PinVerify | Workload::PinTranslate => self.triple(self.untriple(block)),
            Workload::AesPinVerify => {
                let clear = self.unaes(self.unaes(black_box([0x5A; 16])));
                self.triple(clear.first_chunk().copied().unwrap_or_default())
            }
            Workload::AesMac => self.cmac(&black_box([0x5A; MESSAGE_BYTES])),
            Workload::MacGenerate | Workload::MacVerify => self.retail_mac(&black_box([0x5A; MESSAGE_BYTES])),
        }
    }

    fn triple(&self, block: Block) -> Block {
        let mut block = block.into();
        self.double.encrypt_block(&mut block);
        block.into()
    }

    fn untriple(&self, block: Block) -> Block {
        let mut block = block.into();
        self.double.decrypt_block(&mut block);
        block.into()
    }

    fn unaes(&self, block: [u8; 16]) -> [u8; 16] {
        let mut block = block.into();
        self.aes.decrypt_block(&mut block);
        block.into()
    }

    /// The chain of a CMAC, and the block that its subkeys come from.
    fn cmac(&self, message: &[u8]) -> Block {
        let chained = message.chunks(16).fold([0; 16], |chain: [u8; 16], block| {
            let mut next = chain;
            next.iter_mut().zip(block).for_each(|(byte, part)| *byte ^= part);
            let mut next = next.into();
            self.aes.encrypt_block(&mut next);
            next.into()
        });
        let mut subkey = black_box([0; 16]).into();
        self.aes.encrypt_block(&mut subkey);
        black_box(subkey);
        chained.first_chunk().copied().unwrap_or_default()
    }

    /// ISO 9797-1 algorithm 3: the chain under the first half, the last block under both.
    fn retail_mac(&self, message: &[u8]) -> Block {
        let (blocks, _) = message.as_chunks::<8>();
        let mut chain = blocks.iter().fold([0; 8], |chain: Block, block| {
            let mut next = std::array::from_fn::<u8, 8, _>(|at| chain[at] ^ block[at]).into();
            self.single.encrypt_block(&mut next);
            next.into()
        });
        let last: &mut des::cipher::Block<Des> = (&mut chain).into();
        self.other.decrypt_block(last);
        self.single.encrypt_block(last);
        chain
    }
}

/// What [`BareCiphers::measure`] computes, in words.
pub fn meaning(workload: Workload) -> &'static str {
    match workload {
        Workload::PinVerify | Workload::PinTranslate => "one TDES block deciphered, one enciphered",
        Workload::AesPinVerify => "two AES blocks deciphered, one TDES block enciphered",
        Workload::AesMac => "13 AES blocks in a chain, one more for the subkeys",
        Workload::MacGenerate | Workload::MacVerify => "25 DES blocks in a chain, two more for the last",
    }
}

#[cfg(test)]
mod tests {
    use payment_crypto::TdesKey;
    use payment_crypto::mac::{Algorithm, Padding, generate};

    use super::*;

    #[test]
    fn the_bare_mac_is_the_mac() {
        let key: Vec<u8> = [[0x13; 8], [0x2C; 8]].concat();
        let key = TdesKey::from_bytes(&key).unwrap();
        let message: [u8; MESSAGE_BYTES] = std::array::from_fn(|at| at as u8);
        let expected = generate(Algorithm::Three, &key, Padding::Zeros, &message).unwrap();
        assert_eq!(BareCiphers::new().retail_mac(&message), expected);
    }

    #[test]
    fn more_blocks_take_longer() {
        let bare = BareCiphers::new();
        let [verify, mac] = [Workload::PinVerify, Workload::MacVerify]
            .map(|workload| bare.measure(workload, Duration::from_millis(20)));
        assert!(verify > 0.0 && mac > 2.0 * verify, "{verify} {mac}");
    }
}
