//! One connection between a network and the other side. Either may ask, at any time, and many requests are under way.

mod serve;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use iso8583::framing::{Frame, Header};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::counts::Count;
use super::party::Party;
use super::waiting::{AnswerKey, Waiting};
use super::{NetworkError, administration, key_carrier};
use crate::connection::{CONNECT_TIMEOUT, Receiver, Sender};
use crate::{Administration, Connection, Error, Exchange, Request, STAN_MAX, SessionKeys};

/// How long network management may take.
const ADMINISTRATION_TIMEOUT: Duration = Duration::from_secs(10);

/// Frames that wait to be written. Whoever fills it waits for the other side to read.
const OUTGOING_MAX: usize = 1_024;

/// Answers that wait for their time. Whoever asks for more waits until one is sent.
pub(crate) const DELAYED_MAX: usize = 16_384;

/// How often keys are offered while the other side keeps offering its own.
const OFFERS_MAX: u32 = 3;

/// Who opened the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Connected,
    Accepted,
}

/// Closed when it is told so, when the connection breaks, and after three messages in a row that nobody can decode.
pub struct Link {
    party: Party,
    end: End,
    outgoing: mpsc::Sender<Frame>,
    waiting: Mutex<Waiting>,
    next_stan: AtomicU32,
    /// Own keys are on their way.
    offering: AtomicBool,
    closed: CancellationToken,
    /// Answers that are still to be sent.
    answers: TaskTracker,
    /// A permit for each answer that may still be delayed.
    pub(crate) delays: Arc<Semaphore>,
}

impl Link {
    pub(crate) async fn connect(address: SocketAddr, party: Party) -> Result<Arc<Self>, NetworkError> {
        let fault = |reason| Error::Connect { address, reason };
        let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(address))
            .await
            .map_err(|_| fault(format!("no answer for {} s", CONNECT_TIMEOUT.as_secs())))?
            .map_err(|error| fault(error.to_string()))?;
        Self::start(stream, End::Connected, party)
    }

    /// Reads and writes from now on, until it is closed.
    pub(crate) fn start(stream: TcpStream, end: End, party: Party) -> Result<Arc<Self>, NetworkError> {
        stream.set_nodelay(true).map_err(Error::Broken)?;
        let (read, write) = stream.into_split();
        let Connection { sender, receiver } = Connection::over(read, write, party.dialect.framing);
        let (outgoing, frames) = mpsc::channel(OUTGOING_MAX);
        party.counts.add(Count::Links);
        let link = Arc::new(Self {
            party,
            end,
            outgoing,
            waiting: Mutex::default(),
            next_stan: AtomicU32::new(1),
            offering: AtomicBool::new(false),
            closed: CancellationToken::new(),
            answers: TaskTracker::new(),
            delays: Arc::new(Semaphore::new(DELAYED_MAX)),
        });
        tokio::spawn(write_frames(sender, frames, link.closed.clone()));
        tokio::spawn(Arc::clone(&link).read(receiver));
        Ok(link)
    }

    /// Tells the other side that the network is there (0800, 001).
    pub async fn sign_on(&self) -> Result<Exchange, NetworkError> {
        self.administer(Administration::SignOn, None).await
    }

    /// Tells the other side that the network goes away (0800, 002).
    pub async fn sign_off(&self) -> Result<Exchange, NetworkError> {
        self.administer(Administration::SignOff, None).await
    }

    /// Sees whether the other side answers, and proves the keys if there are any (0800, 301).
    pub async fn echo(&self) -> Result<Exchange, NetworkError> {
        self.administer(Administration::Echo, None).await
    }

    /// Gives the other side a new pair of keys, and uses it once the other side has it (0800, 101 with DE 62).
    pub async fn exchange_keys(&self) -> Result<(), NetworkError> {
        let zone = &self.party.zone;
        let mut offers = 0;
        loop {
            offers += 1;
            let keys = Arc::new(key_carrier::fresh()?);
            let carrier = key_carrier::seal(&keys, zone.key_scheme(), zone.master_key())?;
            zone.ring().offer(Arc::clone(&keys));
            self.offering.store(true, Ordering::SeqCst);
            let mut result = self.administer(Administration::KeyExchange, Some(&carrier)).await.map(drop);
            self.offering.store(false, Ordering::SeqCst);
            if self.settle_offer(&keys, &mut result) || offers == OFFERS_MAX {
                return result;
            }
        }
    }

    /// Gives the other side keys, unless it proves that it has those of now: they may be lost on either side.
    pub(crate) async fn ensure_keys(&self) -> Result<(), NetworkError> {
        match self.proves_keys().await? {
            true => Ok(()),
            false => self.exchange_keys().await,
        }
    }

    /// Whether an echo under the keys of now is answered under them.
    async fn proves_keys(&self) -> Result<bool, NetworkError> {
        if !self.party.zone.has_keys() {
            return Ok(false);
        }
        match self.echo().await {
            Ok(exchange) => Ok(exchange.authenticated),
            Err(NetworkError::Refused { .. } | NetworkError::Party(Error::Answer(_))) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Asks the other side for a new pair of keys (0800, 101 without DE 62).
    pub async fn request_keys(&self) -> Result<Exchange, NetworkError> {
        let zone = &self.party.zone;
        let exchange = self.administer(Administration::KeyExchange, None).await?;
        let carrier = exchange.answer.text(62).ok_or(Error::KeyCarrier("is missing"))?;
        let keys = key_carrier::open(carrier, zone.key_scheme(), zone.master_key())?;
        zone.ring().activate(Arc::new(keys), Instant::now());
        Ok(exchange)
    }

    /// Sends a request and waits so long for its answer; `None` when none came. The answer is late then, should it
    /// still come.
    pub async fn request(&self, request: &Request, patience: Duration) -> Result<Option<Exchange>, NetworkError> {
        let (key, sent) = (AnswerKey::of_request(request), Instant::now());
        let (ticket, mut answer) = self.waiting().enter(key.clone()).ok_or(NetworkError::Closed)?;
        self.send(request.wire().clone(), None).await?;
        let wire = match timeout(patience, &mut answer).await {
            Ok(wire) => wire.map_err(|_| NetworkError::Closed)?,
            Err(_) => {
                let mut waiting = self.waiting();
                // It may have come while the clock ran out.
                match answer.try_recv() {
                    Ok(wire) => wire,
                    Err(_) => {
                        waiting.give_up(key, ticket, request.clone(), sent);
                        self.party.counts.add(Count::TimedOut);
                        return Ok(None);
                    }
                }
            }
        };
        Ok(Some(Exchange::check(request.clone(), wire)?))
    }

    pub fn is_open(&self) -> bool {
        !self.closed.is_cancelled()
    }

    /// Returns once the link is closed.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Closes at once; what waits to be sent is not sent any more.
    pub fn close(&self) {
        self.closed.cancel();
        self.waiting().close();
    }

    /// Lets answers that are under way be sent, for so long, then closes.
    pub(crate) async fn finish(&self, patience: Duration) {
        self.answers.close();
        let sent = async {
            self.answers.wait().await;
            // The writer has taken everything once all places are free.
            let _ = self.outgoing.reserve_many(OUTGOING_MAX).await;
        };
        let _ = timeout(patience, sent).await;
        self.close();
    }

    /// Signs off and, after this time, on again.
    pub(crate) async fn stay_away(&self, away: Duration) {
        self.party.counts.add(Count::SignOffs);
        // Whether the other side likes it or not.
        let _ = self.sign_off().await;
        tokio::time::sleep(away).await;
        let _ = self.sign_on().await;
    }

    /// Whether the exchange is over. It is not when the other side's keys overtook the ones it took.
    fn settle_offer(&self, keys: &Arc<SessionKeys>, result: &mut Result<(), NetworkError>) -> bool {
        let mut ring = self.party.zone.ring();
        match result {
            Ok(()) if ring.holds(keys) => ring.activate(Arc::clone(keys), Instant::now()),
            Ok(()) => return false,
            // Unanswered keys may have arrived all the same; they are known if the other side uses them.
            Err(NetworkError::NoAnswer { .. }) => {}
            // It refused them in favour of its own, which have come.
            Err(NetworkError::Refused { .. }) if !ring.holds(keys) => *result = Ok(()),
            Err(_) => ring.withdraw(keys),
        }
        true
    }

    async fn administer(&self, what: Administration, carrier: Option<&str>) -> Result<Exchange, NetworkError> {
        let (zone, dialect) = (&self.party.zone, &self.party.dialect);
        let request = administration::request(zone, dialect, what, self.take_stan(), carrier)?;
        let (doing, after) = (what.name(), ADMINISTRATION_TIMEOUT);
        match self.request(&request, after).await? {
            None => Err(NetworkError::NoAnswer { doing, after }),
            Some(exchange) if exchange.is_approved() => Ok(exchange),
            Some(exchange) => {
                let meaning = exchange.meaning();
                Err(NetworkError::Refused { doing, code: exchange.code().to_owned(), meaning })
            }
        }
    }

    async fn send(&self, wire: Bytes, note: Option<String>) -> Result<(), NetworkError> {
        if !self.is_open() {
            return Err(NetworkError::Closed);
        }
        self.party.sight_sent(&wire, note);
        self.send_frame(Frame { header: Header::None, body: wire }).await
    }

    async fn send_frame(&self, frame: Frame) -> Result<(), NetworkError> {
        tokio::select! {
            () = self.closed.cancelled() => Err(NetworkError::Closed),
            sent = self.outgoing.send(frame) => sent.map_err(|_| NetworkError::Closed),
        }
    }

    fn take_stan(&self) -> u32 {
        let next = |stan: u32| Some(stan % STAN_MAX + 1);
        self.next_stan.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_else(|stan| stan)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("zone", &self.party.zone.id()).field("is_open", &self.is_open()).finish()
    }
}

async fn write_frames(mut sender: Sender, mut frames: mpsc::Receiver<Frame>, closed: CancellationToken) {
    loop {
        let frame = tokio::select! {
            () = closed.cancelled() => return,
            frame = frames.recv() => frame,
        };
        let Some(frame) = frame else { return };
        if sender.send_frame(frame).await.is_err() {
            closed.cancel();
        }
    }
}
