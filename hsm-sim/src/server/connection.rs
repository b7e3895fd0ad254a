//! One connection: commands in turn, answers when they are due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures::{FutureExt, StreamExt};
use host_commands::wire::{self, FrameCodec};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_util::codec::{Encoder, FramedRead};
use zeroize::{Zeroize, Zeroizing};

use super::HsmOptions;
use crate::behaviour::{Fault, Treatment};
use crate::commands;

/// A client that takes no answers for this long is closed.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers gathered for one write at most, in bytes.
const WRITE_MAX: usize = 64 * 1024;

/// Answers that wait for their time at most; until one leaves, no more commands are read.
const WAITING_MAX: usize = 256;

/// Serves until the client leaves, or sends a frame too short for header and command.
pub(super) async fn serve<R, W>(read: R, write: W, peer: SocketAddr, options: &HsmOptions)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut connection =
        Connection { peer, options, write, out: BytesMut::with_capacity(4096), waiting: BinaryHeap::new(), number: 0 };
    let mut frames = FramedRead::new(read, FrameCodec);
    // A client that sends no more still gets what it asked for.
    let mut open = true;
    while open || !connection.waiting.is_empty() {
        let due = connection.waiting.peek().map(|Reverse(first)| first.due);
        let mut next = tokio::select! {
            frame = frames.next(), if open && connection.waiting.len() < WAITING_MAX => match frame {
                Some(Ok(frame)) => Some(frame),
                _ => {
                    open = false;
                    None
                }
            },
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => None,
        };
        while let Some(frame) = next {
            if !connection.take(&frame).await {
                return;
            }
            let room = connection.out.len() < WRITE_MAX && connection.waiting.len() < WAITING_MAX;
            next = if room { frames.next().now_or_never().flatten().and_then(Result::ok) } else { None };
        }
        connection.release();
        if !connection.flush().await {
            return;
        }
    }
}

struct Connection<'a, W> {
    peer: SocketAddr,
    options: &'a HsmOptions,
    write: W,
    out: BytesMut,
    waiting: BinaryHeap<Reverse<Waiting>>,
    /// Of the command, so that answers due at one moment keep their order.
    number: u64,
}

/// An answer whose time has not come.
struct Waiting {
    due: Instant,
    number: u64,
    answer: Zeroizing<Vec<u8>>,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}

impl<W: AsyncWrite + Unpin> Connection<'_, W> {
    /// Runs one command. False when the connection ends here.
    async fn take(&mut self, frame: &Bytes) -> bool {
        let now = Instant::now();
        let Some((header, command, body)) = wire::split(frame, self.options.header_length) else { return false };
        let mut answer = Zeroizing::new(Vec::with_capacity(128));
        let device = &self.options.device;
        let outcome = if commands::find(command).is_some_and(|row| row.slow) {
            let (device, frame, length) = (Arc::clone(device), frame.clone(), self.options.header_length);
            let run = tokio::task::spawn_blocking(move || {
                let mut answer = Zeroizing::new(Vec::new());
                let (header, command, body) = wire::split(&frame, length)?;
                let outcome = device.run(header, command, body, &mut answer);
                Some((outcome, answer))
            });
            let Ok(Some((outcome, slow))) = run.await else { return false };
            answer = slow;
            outcome
        } else {
            device.run(header, command, body, &mut answer)
        };
        let took = now.elapsed();
        self.options.usage.note(outcome);
        let treatment = self.options.behaviour.treat(command, now, device.delay());
        if let Some(audit) = &self.options.audit {
            audit.note(self.peer, command, outcome.code, took, treatment.fault);
        }
        self.put(answer, treatment)
    }

    /// An answer on its way, or what a fault makes of it.
    fn put(&mut self, mut answer: Zeroizing<Vec<u8>>, treatment: Treatment) -> bool {
        let header = self.options.header_length;
        match treatment.fault {
            Some(Fault::Drop) => return true,
            Some(Fault::Disconnect) => return false,
            Some(Fault::Error(code)) => {
                answer.truncate(header + 2);
                answer.extend_from_slice(&code);
            }
            Some(Fault::Tamper) => tamper(&mut answer, header),
            Some(Fault::Delay(_)) | None => {}
        }
        match treatment.due {
            None => FrameCodec.encode(&answer, &mut self.out).is_ok(),
            Some(due) => {
                self.number += 1;
                self.waiting.push(Reverse(Waiting { due, number: self.number, answer }));
                true
            }
        }
    }

    /// Answers whose time has come.
    fn release(&mut self) {
        let now = Instant::now();
        while self.waiting.peek().is_some_and(|Reverse(first)| first.due <= now) {
            let Some(Reverse(first)) = self.waiting.pop() else { return };
            // Every answer fits: it was no longer than a frame when it was made.
            let _ = FrameCodec.encode(&first.answer, &mut self.out);
        }
    }

    async fn flush(&mut self) -> bool {
        if self.out.is_empty() {
            return true;
        }
        let written = tokio::time::timeout(WRITE_TIMEOUT, async {
            self.write.write_all(&self.out).await?;
            self.write.flush().await
        })
        .await;
        self.out[..].zeroize();
        self.out.clear();
        matches!(written, Ok(Ok(())))
    }
}

/// Changes the lowest bit of the last character, or without fields turns the verdict round: the lies a host must notice,
/// or can only notice by asking what it knows the answer to.
fn tamper(answer: &mut [u8], header: usize) {
    let fields = header + 4;
    if answer.len() > fields {
        if let Some(last) = answer.last_mut() {
            *last ^= 1;
        }
    } else if let Some(code) = answer.get_mut(header + 3) {
        *code = if *code == b'0' { b'1' } else { b'0' };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tampering_changes_one_thing() {
        let of = |text: &[u8]| {
            let mut answer = text.to_vec();
            tamper(&mut answer, 4);
            answer
        };
        assert_eq!(of(b"HEADM700ABCD"), b"HEADM700ABCE");
        assert_eq!(of(b"HEADDD00"), b"HEADDD01");
        assert_eq!(of(b"HEADDD01"), b"HEADDD00");
    }
}
