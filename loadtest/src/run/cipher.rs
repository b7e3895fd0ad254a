//! The bare cipher work of a workload: what the HSM must compute for one message, with every key ready and nothing
//! around it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use load_report::median;
use payment_crypto::mac::{Algorithm, Padding, generate};
use payment_crypto::{Pin, TdesKey, pin_block, pvv};

/// The messages' mean lengths and whether there is a PIN.
#[derive(Clone, Copy, Debug)]
pub struct CipherWork {
    pub request_bytes: usize,
    pub answer_bytes: usize,
    pub pin: bool,
}

const ACCOUNT: &str = "999000000001";

impl CipherWork {
    /// Microseconds a message: two retail MACs (ISO 9797-1 algorithm 3), and for a PIN the block's decipherment and
    /// the verification value's computation. The median over pieces of the time given.
    pub fn measure(self, length: Duration) -> f64 {
        /// Messages in one piece: long against the clock's grain, short against the scheduler's.
        const PIECE: u32 = 32;
        let Ok(key) = TdesKey::from_bytes(&[0x2F; 16]) else { return 0.0 };
        let (request, answer) = (vec![0x35; self.request_bytes], vec![0x53; self.answer_bytes]);
        let mut pieces = Vec::new();
        let end = Instant::now() + length;
        while Instant::now() < end {
            let began = Instant::now();
            for _ in 0..PIECE {
                black_box(generate(Algorithm::Three, &key, Padding::Zeros, black_box(&request)).ok());
                black_box(generate(Algorithm::Three, &key, Padding::Zeros, black_box(&answer)).ok());
                if self.pin {
                    black_box(verify_pin(&key));
                }
            }
            pieces.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(PIECE));
        }
        median(&pieces)
    }
}

fn verify_pin(key: &TdesKey) -> Option<[u8; 4]> {
    let clear = key.decrypt_block(black_box([0x11; 8]));
    // What comes out is no PIN; the work is the same.
    let _ = black_box(pin_block::format0::decode(clear, ACCOUNT));
    pvv::generate(key, &Pin::from_digits(vec![1, 2, 3, 4]).ok()?, ACCOUNT, 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_work_takes_longer() {
        let work = |bytes, pin| CipherWork { request_bytes: bytes, answer_bytes: bytes, pin };
        let length = Duration::from_millis(20);
        let (short, long) = (work(8, false).measure(length), work(800, true).measure(length));
        assert!(short > 0.0 && long > 10.0 * short, "{short} {long}");
    }
}
