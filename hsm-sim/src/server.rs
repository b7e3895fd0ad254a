//! The simulator's TCP side.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use futures::{FutureExt, StreamExt};
use host_commands::wire::{self, FrameCodec};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::codec::{Encoder, FramedRead};
use zeroize::Zeroize;

use crate::commands;
use crate::lmk::Lmk;

/// How the simulator is set up.
#[derive(Clone, Debug)]
pub struct HsmOptions {
    pub lmk: Lmk,
    /// Characters of the message header, 0 to 64.
    pub header_length: usize,
    /// Connections at once; further ones are closed.
    pub connections_max: usize,
}

impl Default for HsmOptions {
    /// The published test LMKs, a header of four characters.
    fn default() -> Self {
        Self { lmk: Lmk::test_variant(), header_length: 4, connections_max: 64 }
    }
}

/// A bound simulator.
pub struct Server {
    listener: TcpListener,
    options: Arc<HsmOptions>,
}

/// A client that takes no answers for this long is closed.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers gathered for one write at most.
const WRITE_MAX: usize = 64 * 1024;

impl Server {
    pub async fn bind(address: SocketAddr, options: HsmOptions) -> std::io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, options: Arc::new(options) })
    }

    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` completes; then its connections are closed.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let room = Arc::new(Semaphore::new(self.options.connections_max));
        let (closing, closed) = watch::channel(false);
        tokio::pin!(stop);
        loop {
            let stream = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut stop => break,
            };
            let Ok((stream, peer)) = stream else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
                tracing::warn!(%peer, "HSM connection refused: too many are open");
                continue;
            };
            let options = Arc::clone(&self.options);
            let mut closed = closed.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = serve(stream, &options) => {}
                    _ = closed.wait_for(|closed| *closed) => {}
                }
                drop(permit);
            });
        }
        let _ = closing.send(true);
    }
}

/// Commands of one connection in turn, answers written together. A frame too short for header and command ends it.
async fn serve(stream: TcpStream, options: &HsmOptions) {
    let _ = stream.set_nodelay(true);
    let (read, mut write) = stream.into_split();
    let mut frames = FramedRead::new(read, FrameCodec);
    let mut answer = Vec::with_capacity(256);
    let mut out = BytesMut::with_capacity(4096);
    while let Some(Ok(first)) = frames.next().await {
        let mut next = Some(first);
        while let Some(frame) = next {
            let started = Instant::now();
            let Some((header, command, body)) = wire::split(&frame, options.header_length) else { return };
            answer.clear();
            let code = commands::run(&options.lmk, header, command, body, &mut answer);
            audit(command, code, started);
            if FrameCodec.encode(&answer, &mut out).is_err() {
                return;
            }
            next =
                if out.len() < WRITE_MAX { frames.next().now_or_never().flatten().and_then(Result::ok) } else { None };
        }
        let written = tokio::time::timeout(WRITE_TIMEOUT, write.write_all(&out)).await;
        out[..].zeroize();
        out.clear();
        answer.zeroize();
        if !matches!(written, Ok(Ok(()))) {
            return;
        }
    }
}

/// Which command, how it ended, how long it took. Never a field.
fn audit(command: [u8; 2], code: &'static str, started: Instant) {
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    if command.iter().all(u8::is_ascii_alphanumeric) {
        let command = String::from_utf8_lossy(&command);
        tracing::trace!(target: "hsm_audit", %command, code, micros);
    } else {
        tracing::trace!(target: "hsm_audit", code, micros, "not a command");
    }
}
