//! One connection under load: frames out, answers in, and when.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use futures::StreamExt;
use iso8583::framing::FrameCodec;
use parties::{Dialect, Exchange, Request};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::codec::FramedRead;

use super::book::MessageKey;

/// A message to send: its frame, and what its answer will name.
#[derive(Clone)]
pub struct Shot {
    pub frame: Bytes,
    pub key: MessageKey,
}

/// When a shot was sent and answered, since the start of its slice.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// When it was meant to be sent; latency counts from here.
    pub due: Duration,
    /// `None`: it was not sent, because the slice was over.
    pub sent: Option<Duration>,
    /// When the answer was there, and the answer without frame; a wrong TPDU makes it an empty one.
    pub answer: Option<(Duration, Bytes)>,
}

impl Record {
    pub fn latency(&self) -> Option<Duration> {
        self.answer.as_ref().map(|(at, _)| at.saturating_sub(self.due))
    }
}

/// An open connection.
pub struct Lane {
    pub writer: OwnedWriteHalf,
    reader: FramedRead<OwnedReadHalf, FrameCodec>,
    dialect: Dialect,
    /// The other side sends back what it gets: its TPDU is ours.
    echoes: bool,
}

impl Lane {
    pub async fn connect(address: SocketAddr, dialect: &Dialect, echoes: bool) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        let (read, writer) = stream.into_split();
        let reader = FramedRead::new(read, FrameCodec::new(dialect.framing));
        Ok(Self { writer, reader, dialect: dialect.clone(), echoes })
    }

    /// Sends what the connection must begin with, and waits for its approval.
    pub async fn greet(&mut self, greeting: Request) -> anyhow::Result<()> {
        const PATIENCE: Duration = Duration::from_secs(10);
        self.writer.write_all(&self.dialect.framed(greeting.wire())?).await?;
        let answer = tokio::time::timeout(PATIENCE, self.receive()).await.ok().flatten();
        let exchange = Exchange::check(greeting, answer.context("the sign-on is not answered")?)?;
        anyhow::ensure!(exchange.is_approved(), "the sign-on is refused: {}", exchange.code());
        Ok(())
    }

    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    pub async fn send(&mut self, shot: &Shot) -> std::io::Result<()> {
        self.writer.write_all(&shot.frame).await
    }

    /// The next answer; `None` when the connection is over.
    pub async fn receive(&mut self) -> Option<Bytes> {
        receive(&mut self.reader, &self.dialect, self.echoes).await
    }

    /// Both halves, to send and receive at once.
    pub fn split(self) -> (OwnedWriteHalf, Receiver) {
        (self.writer, Receiver { reader: self.reader, dialect: self.dialect, echoes: self.echoes })
    }

    pub fn join(writer: OwnedWriteHalf, receiver: Receiver) -> Self {
        Self { writer, reader: receiver.reader, dialect: receiver.dialect, echoes: receiver.echoes }
    }
}

/// The half that receives.
pub struct Receiver {
    reader: FramedRead<OwnedReadHalf, FrameCodec>,
    dialect: Dialect,
    echoes: bool,
}

impl Receiver {
    pub async fn receive(&mut self) -> Option<Bytes> {
        receive(&mut self.reader, &self.dialect, self.echoes).await
    }
}

async fn receive(reader: &mut FramedRead<OwnedReadHalf, FrameCodec>, dialect: &Dialect, echoes: bool) -> Option<Bytes> {
    let frame = reader.next().await?.ok()?;
    if echoes || dialect.answers_us(&frame) { Some(frame.body) } else { Some(Bytes::new()) }
}

/// Which shot an answer belongs to, where several are outstanding.
pub fn key_of(dialect: &Dialect, answer: &[u8]) -> Option<MessageKey> {
    let (message, _) = dialect.spec.decode_partial(answer);
    let text = |de: u8| message.text(de);
    let key = MessageKey::new(text(41)?.trim_end(), message.mti(), &text(11)?, &text(7)?)?;
    // The third digit of an answer's MTI is one above its request's.
    let [version, class, function] = key.family;
    Some(MessageKey { family: [version, class, function & !1], ..key })
}

/// The clock of a slice, for all its lanes.
#[derive(Clone)]
pub struct Finish {
    pub start: Instant,
    pub length: Duration,
    /// When answers are not waited for any more.
    pub deadline: Instant,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Nanoseconds after the start; 0 while nobody has stopped it.
    stopped_at: AtomicU64,
    answered: AtomicU64,
}

impl Finish {
    /// Starts when so many messages can be dealt out to their connections; answers are waited for `patience` beyond
    /// the end.
    pub fn new(length: Duration, patience: Duration, messages: usize) -> Self {
        const LEAD: Duration = Duration::from_millis(20);
        const EACH: Duration = Duration::from_micros(2);
        let start = Instant::now() + LEAD + EACH * u32::try_from(messages).unwrap_or(u32::MAX);
        Self { start, length, deadline: start + length + patience, shared: Arc::default() }
    }

    /// Nothing more is sent: time is up, or a lane has nothing left to send.
    pub fn is_over(&self) -> bool {
        self.shared.stopped_at.load(Ordering::Relaxed) > 0 || self.start.elapsed() >= self.length
    }

    /// For a lane that has sent everything: the others must not go on with less load.
    pub fn stop(&self) {
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1);
        let _ = self.shared.stopped_at.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// How long the load was whole.
    pub fn whole(&self) -> Duration {
        match self.shared.stopped_at.load(Ordering::Relaxed) {
            0 => self.length,
            nanos => Duration::from_nanos(nanos).min(self.length),
        }
    }

    /// One more answer, for those who watch.
    pub fn count(&self) {
        self.shared.answered.fetch_add(1, Ordering::Relaxed);
    }

    pub fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::Relaxed)
    }
}
