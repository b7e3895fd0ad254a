//! One connection to one HSM: commands pipelined by header, reconnected for ever.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::codec::{Encoder, Framed, FramedRead};
use zeroize::Zeroizing;

use crate::tls::{ClientTls, TlsLink};
use crate::wire::{self, FrameCodec};

/// A command on its way: code and fields, and where the answer goes.
pub(crate) struct Job {
    pub command: Zeroizing<Vec<u8>>,
    pub answer: oneshot::Sender<Result<Bytes, String>>,
}

/// What a connection is doing, for those who choose one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Connecting,
    Up,
    Down,
}

#[derive(Default)]
pub(crate) struct Shared(AtomicU8);

impl Shared {
    pub fn status(&self) -> Status {
        match self.0.load(Ordering::Acquire) {
            0 => Status::Connecting,
            1 => Status::Up,
            _ => Status::Down,
        }
    }

    fn set(&self, status: Status) {
        self.0.store(status as u8, Ordering::Release);
    }
}

/// Pauses between attempts grow from the first to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_LAST: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Asks whether the HSM is well (NC).
const GREETING: &[u8] = b"NC";

/// Bytes gathered for one write at most.
const WRITE_MAX: usize = 64 * 1024;

/// Connects, works, connects again; ends when nobody can send jobs any more. `patience`: how long a command may wait
/// for its answer before the connection is given up.
pub(crate) async fn run(place: Place, patience: Duration, shared: Arc<Shared>, mut jobs: mpsc::Receiver<Job>) {
    let (address, header_length) = (place.address.clone(), place.header_length);
    let connected = metrics::gauge!("umbra_hsm_connections", "hsm" => address.clone());
    let mut pause = PAUSE_FIRST;
    loop {
        match timeout(CONNECT_TIMEOUT, open(&place)).await {
            Ok(Ok(link)) => {
                shared.set(Status::Up);
                connected.increment(1.0);
                let began = Instant::now();
                let why = work(link, header_length, patience, &mut jobs).await;
                shared.set(Status::Down);
                connected.decrement(1.0);
                if why == Ended::NoMoreJobs {
                    return;
                }
                tracing::warn!(address, ?why, "HSM connection lost");
                if began.elapsed() > PAUSE_LAST {
                    pause = PAUSE_FIRST;
                }
            }
            Ok(Err(error)) => {
                shared.set(Status::Down);
                tracing::debug!(address, %error, "HSM not reached");
            }
            Err(_) => {
                shared.set(Status::Down);
                tracing::debug!(address, "HSM does not answer");
            }
        }
        if !refuse_for(pause, &address, &mut jobs).await {
            return;
        }
        pause = (pause * 2).min(PAUSE_LAST);
    }
}

/// Where an HSM is, and how it is spoken to.
#[derive(Clone)]
pub(crate) struct Place {
    pub address: String,
    pub header_length: usize,
    pub tls: Option<ClientTls>,
}

enum Link {
    Plain(TcpStream),
    Tls(Box<TlsLink>),
}

/// A connection on which the HSM has answered once: the system of one that hangs still accepts connections for it.
async fn open(place: &Place) -> std::io::Result<Link> {
    let stream = TcpStream::connect(&place.address).await?;
    stream.set_nodelay(true)?;
    match &place.tls {
        None => Ok(Link::Plain(greet(stream, place.header_length).await?)),
        Some(tls) => {
            let link = tls.connect(&place.address, stream).await?;
            Ok(Link::Tls(Box::new(greet(link, place.header_length).await?)))
        }
    }
}

async fn greet<S: AsyncRead + AsyncWrite + Unpin>(stream: S, header_length: usize) -> std::io::Result<S> {
    let mut frames = Framed::new(stream, FrameCodec);
    let greeting = [vec![b'0'; header_length].as_slice(), GREETING].concat();
    frames.send(greeting.as_slice()).await?;
    // Whatever it says, it lives.
    frames.next().await.ok_or(std::io::ErrorKind::UnexpectedEof)??;
    Ok(frames.into_inner())
}

/// While there is no connection, what arrives is refused at once. False when nobody can send any more.
async fn refuse_for(pause: Duration, address: &str, jobs: &mut mpsc::Receiver<Job>) -> bool {
    let until = Instant::now() + pause;
    loop {
        tokio::select! {
            () = sleep_until(until) => return true,
            job = jobs.recv() => match job {
                Some(job) => { let _ = job.answer.send(Err(format!("{address} cannot be reached"))); }
                None => return false,
            },
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Ended {
    NoMoreJobs,
    Broken,
    /// Still connected, but a command was not answered.
    Silent,
}

/// A command that was written, or is being written.
struct Awaited {
    since: Instant,
    answer: oneshot::Sender<Result<Bytes, String>>,
}

/// Answers awaited, by the number in the header.
#[derive(Default)]
struct Pending(Mutex<HashMap<u16, Awaited>>);

impl Pending {
    fn lock(&self) -> MutexGuard<'_, HashMap<u16, Awaited>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when a command has waited for longer than `patience`, whether or not its caller still does.
    async fn grown_old(&self, patience: Duration) {
        loop {
            let oldest = self.lock().values().map(|awaited| awaited.since).min();
            let now = Instant::now();
            if oldest.is_some_and(|since| since + patience <= now) {
                return;
            }
            sleep_until(oldest.unwrap_or(now) + patience).await;
        }
    }
}

async fn work(link: Link, header_length: usize, patience: Duration, jobs: &mut mpsc::Receiver<Job>) -> Ended {
    match link {
        Link::Plain(stream) => {
            let (read, write) = stream.into_split();
            work_on(read, write, header_length, patience, jobs).await
        }
        Link::Tls(stream) => {
            let (read, write) = tokio::io::split(*stream);
            work_on(read, write, header_length, patience, jobs).await
        }
    }
}

async fn work_on(
    read: impl AsyncRead + Unpin,
    write: impl AsyncWrite + Unpin,
    header_length: usize,
    patience: Duration,
    jobs: &mut mpsc::Receiver<Job>,
) -> Ended {
    let pending = Pending::default();
    let ended = tokio::select! {
        ended = write_jobs(write, header_length, jobs, &pending) => ended,
        () = read_answers(read, header_length, &pending) => Ended::Broken,
        () = pending.grown_old(patience) => Ended::Silent,
    };
    for (_, awaited) in pending.lock().drain() {
        let _ = awaited.answer.send(Err("the connection was lost".into()));
    }
    ended
}

/// Writes what waits in as few writes as possible.
async fn write_jobs(
    mut write: impl AsyncWrite + Unpin,
    header_length: usize,
    jobs: &mut mpsc::Receiver<Job>,
    pending: &Pending,
) -> Ended {
    let mut number = 0_u16;
    let mut frame = Zeroizing::new(Vec::with_capacity(1024));
    while let Some(first) = jobs.recv().await {
        let mut buffer = BytesMut::with_capacity(4096);
        let mut next = Some(first);
        while let Some(job) = next {
            // A caller that has gone left nothing to be answered, and an HSM that was slow has enough to do.
            if !job.answer.is_closed() {
                number = number.wrapping_add(1);
                frame.clear();
                frame.extend_from_slice(format!("{number:0>header_length$X}").as_bytes());
                frame.extend_from_slice(&job.command);
                if FrameCodec.encode(&frame, &mut buffer).is_err() {
                    let _ = job.answer.send(Err("the command is longer than a frame can be".into()));
                } else {
                    pending.lock().insert(number, Awaited { since: Instant::now(), answer: job.answer });
                }
            }
            next = if buffer.len() < WRITE_MAX { jobs.try_recv().ok() } else { None };
        }
        let mut written = write.write_all(&buffer).await;
        if written.is_ok() {
            written = write.flush().await;
        }
        // Commands may hold PIN blocks and clear PINs.
        zeroize::Zeroize::zeroize(&mut buffer[..]);
        if written.is_err() {
            return Ended::Broken;
        }
    }
    Ended::NoMoreJobs
}

async fn read_answers(read: impl AsyncRead + Unpin, header_length: usize, pending: &Pending) {
    let mut frames = FramedRead::new(read, FrameCodec);
    while let Some(Ok(frame)) = frames.next().await {
        let number = wire::split(&frame, header_length)
            .and_then(|(header, ..)| u16::from_str_radix(std::str::from_utf8(header).ok()?, 16).ok());
        let waiting = number.and_then(|number| pending.lock().remove(&number));
        // A header nobody waits for, or whose caller has given up, is a late or foreign answer.
        let taken = waiting.is_some_and(|awaited| awaited.answer.send(Ok(frame.slice(header_length..))).is_ok());
        if !taken {
            metrics::counter!("umbra_hsm_unmatched_answers_total").increment(1);
        }
    }
}
