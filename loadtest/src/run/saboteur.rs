//! Faults planted on the way between clients and daemon, to see that the report names them: the load tester's own test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use clap::ValueEnum;
use futures::{SinkExt, StreamExt};
use iso8583::Fields;
use iso8583::framing::{Frame, FrameCodec};
use parties::Dialect;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::codec::{FramedRead, FramedWrite};

use crate::local_server::LocalServer;

/// What is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    /// Now and then an answer is swallowed
    LostAnswer,
    /// Now and then a purchase goes to the daemon a second time under another STAN
    DoubledPosting,
    /// Now and then a purchase is answered as approved and never reaches the daemon
    LostPosting,
    /// Everything stands still for 50 ms every second
    Stall,
}

impl Fault {
    /// Forged messages have no MAC.
    pub fn needs_unsecured(self) -> bool {
        matches!(self, Self::DoubledPosting | Self::LostPosting)
    }
}

/// Messages from one planted fault to the next.
const EVERY: u64 = 200;

const STALL: Duration = Duration::from_millis(50);
const STALL_EVERY: Duration = Duration::from_secs(1);

struct Shared {
    fault: Fault,
    dialect: Dialect,
    daemon: SocketAddr,
    began: Instant,
    messages: AtomicU64,
}

/// Stands between clients and daemon until it is dropped.
pub fn start(fault: Fault, dialect: Dialect, daemon: SocketAddr) -> anyhow::Result<LocalServer> {
    let shared = Arc::new(Shared { fault, dialect, daemon, began: Instant::now(), messages: AtomicU64::new(1) });
    LocalServer::start("saboteur", 1, move |listener| async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(Arc::clone(&shared).connection(client));
        }
    })
}

impl Shared {
    async fn connection(self: Arc<Self>, client: TcpStream) {
        let Ok(daemon) = TcpStream::connect(self.daemon).await else { return };
        let _ = (client.set_nodelay(true), daemon.set_nodelay(true));
        let codec = || FrameCodec::new(self.dialect.framing);
        let (from_client, to_client) = client.into_split();
        let (from_daemon, to_daemon) = daemon.into_split();
        let (answers, queue) = mpsc::channel(64);
        let out = tokio::spawn(write_all(FramedWrite::new(to_client, codec()), queue));
        let back = Arc::clone(&self).answers(FramedRead::new(from_daemon, codec()), answers.clone());
        let there = Arc::clone(&self).requests(
            FramedRead::new(from_client, codec()),
            FramedWrite::new(to_daemon, codec()),
            answers,
        );
        tokio::select! {
            () = back => {}
            () = there => {}
        }
        out.abort();
    }

    /// Client to daemon.
    async fn requests(
        self: Arc<Self>,
        mut from: FramedRead<tokio::net::tcp::OwnedReadHalf, FrameCodec>,
        mut to: FramedWrite<tokio::net::tcp::OwnedWriteHalf, FrameCodec>,
        answers: mpsc::Sender<Frame>,
    ) {
        while let Some(Ok(frame)) = from.next().await {
            self.stand_still().await;
            let strikes = self.strikes();
            if strikes
                && self.fault == Fault::LostPosting
                && let Some(forged) = self.forged_approval(&frame)
            {
                let _ = answers.send(forged).await;
                continue;
            }
            let double =
                if strikes && self.fault == Fault::DoubledPosting { self.under_another_stan(&frame) } else { None };
            for frame in std::iter::once(frame).chain(double) {
                if to.send(frame).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Daemon to client. The answer to a doubled message is kept from it.
    async fn answers(
        self: Arc<Self>,
        mut from: FramedRead<tokio::net::tcp::OwnedReadHalf, FrameCodec>,
        to: mpsc::Sender<Frame>,
    ) {
        while let Some(Ok(frame)) = from.next().await {
            self.stand_still().await;
            let swallowed = match self.fault {
                Fault::LostAnswer => self.strikes(),
                Fault::DoubledPosting => self.stan(&frame.body).is_some_and(|stan| stan >= FORGED_STAN),
                Fault::LostPosting | Fault::Stall => false,
            };
            if !swallowed && to.send(frame).await.is_err() {
                return;
            }
        }
    }

    fn strikes(&self) -> bool {
        self.messages.fetch_add(1, Ordering::Relaxed).is_multiple_of(EVERY)
    }

    /// In the first part of every second.
    async fn stand_still(&self) {
        if self.fault == Fault::Stall {
            let within = self.began.elapsed().as_nanos() % STALL_EVERY.as_nanos();
            let within = Duration::from_nanos(u64::try_from(within).unwrap_or(0));
            if within < STALL {
                tokio::time::sleep(STALL - within).await;
            }
        }
    }

    fn stan(&self, body: &[u8]) -> Option<u32> {
        self.dialect.spec.decode_partial(body).0.text(11)?.parse().ok()
    }

    /// The request with a STAN that no terminal of this test uses while it runs.
    fn under_another_stan(&self, frame: &Frame) -> Option<Frame> {
        let mut fields = self.dialect.spec.decode(&frame.body).ok()?.to_fields();
        if fields.mti() != "0200" {
            return None;
        }
        let number = self.messages.load(Ordering::Relaxed) % 90_000;
        fields.set(11, format!("{:06}", u64::from(FORGED_STAN) + number));
        Some(Frame { header: frame.header, body: self.encode(&fields)? })
    }

    /// What the daemon would have answered.
    fn forged_approval(&self, frame: &Frame) -> Option<Frame> {
        let message = self.dialect.spec.decode(&frame.body).ok()?;
        let mut fields = Fields::new("0210");
        if message.mti() != "0200" {
            return None;
        }
        for de in [3, 4, 7, 11, 12, 13, 37, 41, 42, 49] {
            if let Some(text) = message.text(de) {
                fields.set(de, text);
            }
        }
        fields.set(38, "123456");
        fields.set(39, "00");
        Some(frame.reply(self.encode(&fields)?))
    }

    fn encode(&self, fields: &Fields) -> Option<Bytes> {
        let mut wire = BytesMut::with_capacity(512);
        self.dialect.spec.encode(fields, &mut wire).ok()?;
        Some(wire.freeze())
    }
}

/// From here on STANs are the saboteur's; terminals of a sabotaged run begin far below.
pub const FORGED_STAN: u32 = 900_000;

async fn write_all(
    mut frames: FramedWrite<tokio::net::tcp::OwnedWriteHalf, FrameCodec>,
    mut queue: mpsc::Receiver<Frame>,
) {
    while let Some(frame) = queue.recv().await {
        if frames.send(frame).await.is_err() {
            return;
        }
    }
}
