//! One connection that always has the same number of commands outstanding.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::commands::{HEADER, LENGTH, VARIANTS};
use crate::measure::latency::Latencies;

/// What is not answered for this long will not be.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Connection {
    stream: TcpStream,
    depth: usize,
    /// The variant to send next.
    next: usize,
}

/// What came back in one go.
pub struct Exchange {
    /// Every byte; what they say is judged when no clock runs any more.
    pub received: Vec<u8>,
    pub latencies: Latencies,
    /// Commands without an answer.
    pub missing: u64,
    /// Answers nobody waits for, by their header.
    pub strange: u64,
    pub last_answer: Instant,
}

impl Connection {
    /// `first`: the variant to begin with.
    pub async fn open(address: SocketAddr, depth: usize, first: usize) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("{address} cannot be reached"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, depth, next: first % VARIANTS })
    }

    /// Keeps the connection full until `end`, then waits for what is outstanding.
    pub async fn exchange(&mut self, frames: &[Vec<u8>], end: Instant) -> anyhow::Result<Exchange> {
        let mut outstanding = Outstanding::new();
        let mut exchange = Exchange::new();
        let mut out = Vec::new();
        let mut wanted = self.depth;
        let mut read = 0;
        loop {
            self.refill(frames, wanted, &mut outstanding, &mut out);
            if !out.is_empty() {
                self.stream.write_all(&out).await?;
                out.clear();
            }
            if outstanding.count == 0 {
                break;
            }
            let received = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut exchange.received)).await;
            if !matches!(received, Ok(Ok(1..))) {
                break;
            }
            let now = Instant::now();
            let answered = outstanding.take_answers(&mut read, now, &mut exchange);
            wanted = if now < end { answered } else { 0 };
        }
        exchange.missing = outstanding.count;
        Ok(exchange)
    }

    fn refill(&mut self, frames: &[Vec<u8>], wanted: usize, outstanding: &mut Outstanding, out: &mut Vec<u8>) {
        let now = Instant::now();
        for _ in 0..wanted {
            if let Some(frame) = frames.get(self.next).filter(|_| outstanding.put(self.next, now)) {
                out.extend_from_slice(frame);
                self.next = (self.next + 1) % frames.len();
            }
        }
    }
}

impl Exchange {
    fn new() -> Self {
        let latencies = Latencies::new();
        Self { received: Vec::new(), latencies, missing: 0, strange: 0, last_answer: Instant::now() }
    }
}

/// When each variant was sent that has no answer yet.
struct Outstanding {
    sent_at: Vec<Option<Instant>>,
    count: u64,
}

impl Outstanding {
    fn new() -> Self {
        Self { sent_at: vec![None; VARIANTS], count: 0 }
    }

    /// False if this variant is outstanding already.
    fn put(&mut self, variant: usize, now: Instant) -> bool {
        let Some(place) = self.sent_at.get_mut(variant).filter(|place| place.is_none()) else { return false };
        *place = Some(now);
        self.count += 1;
        true
    }

    /// Notes the whole frames from `read` on; gives how many commands they answer.
    fn take_answers(&mut self, read: &mut usize, now: Instant, exchange: &mut Exchange) -> usize {
        let mut answered = 0;
        while let Some(frame) = frame_at(&exchange.received, *read) {
            *read += frame.len();
            match variant_of(frame).and_then(|variant| self.sent_at.get_mut(variant)?.take()) {
                Some(sent_at) => {
                    self.count -= 1;
                    answered += 1;
                    exchange.latencies.record(now.saturating_duration_since(sent_at));
                    exchange.last_answer = now;
                }
                None => exchange.strange += 1,
            }
        }
        answered
    }
}

/// A whole frame with its length, if it is all there.
pub fn frame_at(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?;
    let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
    rest.get(..LENGTH + length)
}

/// The number in a frame's header.
pub fn variant_of(frame: &[u8]) -> Option<usize> {
    let header = std::str::from_utf8(frame.get(LENGTH..LENGTH + HEADER)?).ok()?;
    usize::from_str_radix(header, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_by_their_header() {
        let mut outstanding = Outstanding::new();
        let now = Instant::now();
        assert!(outstanding.put(1, now) && outstanding.put(2, now) && !outstanding.put(1, now));
        let mut exchange = Exchange::new();
        exchange.received.extend_from_slice(b"\x00\x080002DD00\x00\x080003DD00\x00\x0800");
        let mut read = 0;
        assert_eq!(outstanding.take_answers(&mut read, now, &mut exchange), 1);
        assert_eq!((outstanding.count, exchange.strange, read), (1, 1, 20));
        exchange.received.extend_from_slice(b"01DD00");
        assert_eq!(outstanding.take_answers(&mut read, now, &mut exchange), 1);
        assert_eq!((outstanding.count, exchange.latencies.len()), (0, 2));
    }
}
