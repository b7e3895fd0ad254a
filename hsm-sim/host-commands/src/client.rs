//! A pool of connections to one or several HSMs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc, oneshot};
use zeroize::Zeroizing;

use crate::connection::{self, Job, Place, Shared, Status};
use crate::error::{HsmError, meaning};
use crate::tls::ClientTls;
use crate::wire;

/// How to reach the HSMs.
#[derive(Clone, Debug)]
pub struct HsmConfig {
    /// `host:port`, in order of preference: a later one is used while no earlier one is connected.
    pub addresses: Vec<String>,
    /// Connections to each.
    pub connections: usize,
    /// Characters of the message header, 4 to 64; the device must be configured alike.
    pub header_length: usize,
    /// From the call to its answer. A connection on which a command waits longer is given up, and made anew.
    pub timeout: Duration,
    /// Commands in flight at most; further ones are refused.
    pub in_flight_max: usize,
    /// TLS instead of plain TCP.
    pub tls: Option<ClientTls>,
}

impl Default for HsmConfig {
    /// No address; two connections, a header of four characters, three seconds, 256 commands, plain TCP.
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            connections: 2,
            header_length: 4,
            timeout: Duration::from_secs(3),
            in_flight_max: 256,
            tls: None,
        }
    }
}

/// Cheap to clone; all clones share the pool. Must be made on a tokio runtime, where its connections then live.
#[derive(Clone)]
pub struct HsmClient(Arc<Pool>);

struct Pool {
    hsms: Vec<Hsm>,
    turn: AtomicUsize,
    room: Semaphore,
    timeout: Duration,
}

/// One HSM, with its connections.
struct Hsm {
    address: String,
    slots: Vec<Slot>,
    /// Gets no more commands, for maintenance.
    drained: AtomicBool,
    in_flight: AtomicUsize,
}

struct Slot {
    jobs: mpsc::Sender<Job>,
    shared: Arc<Shared>,
}

/// What an HSM is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HsmState {
    pub address: String,
    /// Connections that are up.
    pub connected: usize,
    pub drained: bool,
    pub in_flight: usize,
}

/// A command under way, counted as long as it is.
struct InFlight<'a>(&'a AtomicUsize);

impl<'a> InFlight<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How often a draining HSM is looked at.
const DRAIN_PAUSE: Duration = Duration::from_millis(5);

impl HsmClient {
    pub fn new(config: HsmConfig) -> Self {
        let header_length = config.header_length.clamp(4, wire::HEADER_MAX);
        let slot = |address: &String| {
            let (jobs, queue) = mpsc::channel(config.in_flight_max.max(1));
            let shared = Arc::new(Shared::default());
            let place = Place { address: address.clone(), header_length, tls: config.tls.clone() };
            tokio::spawn(connection::run(place, config.timeout, Arc::clone(&shared), queue));
            Slot { jobs, shared }
        };
        let hsm = |address: &String| Hsm {
            address: address.clone(),
            slots: (0..config.connections.max(1)).map(|_| slot(address)).collect(),
            drained: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
        };
        Self(Arc::new(Pool {
            hsms: config.addresses.iter().map(hsm).collect(),
            turn: AtomicUsize::new(0),
            room: Semaphore::new(config.in_flight_max),
            timeout: config.timeout,
        }))
    }

    /// What each HSM is doing, in the order of preference.
    pub fn states(&self) -> Vec<HsmState> {
        let state = |hsm: &Hsm| HsmState {
            address: hsm.address.clone(),
            connected: hsm.slots.iter().filter(|slot| slot.shared.status() == Status::Up).count(),
            drained: hsm.drained.load(Ordering::Acquire),
            in_flight: hsm.in_flight.load(Ordering::Acquire),
        };
        self.0.hsms.iter().map(state).collect()
    }

    /// Writes the states into the metrics; to be called before they are read.
    pub fn publish(&self) {
        for state in self.states() {
            metrics::gauge!("umbra_hsm_in_flight", "hsm" => state.address.clone()).set(state.in_flight as f64);
            metrics::gauge!("umbra_hsm_drained", "hsm" => state.address).set(if state.drained { 1.0 } else { 0.0 });
        }
    }

    /// Takes an HSM out of use for maintenance: no further commands, and back when those under way are answered, or with
    /// an error after `patience`. It stays out of use either way, until it is [resumed](Self::resume).
    pub async fn drain(&self, address: &str, patience: Duration) -> Result<(), HsmError> {
        let hsm = self.hsm(address)?;
        hsm.drained.store(true, Ordering::SeqCst);
        let emptied = async {
            while hsm.in_flight.load(Ordering::SeqCst) > 0 {
                tokio::time::sleep(DRAIN_PAUSE).await;
            }
        };
        tokio::time::timeout(patience, emptied).await.map_err(|_| {
            let left = hsm.in_flight.load(Ordering::Acquire);
            HsmError::Unavailable(format!("{address} still works on {left} commands; wait, or stop it all the same"))
        })
    }

    /// Puts a drained HSM back into use.
    pub fn resume(&self, address: &str) -> Result<(), HsmError> {
        self.hsm(address)?.drained.store(false, Ordering::Release);
        Ok(())
    }

    fn hsm(&self, address: &str) -> Result<&Hsm, HsmError> {
        let known = || self.0.hsms.iter().map(|hsm| hsm.address.as_str()).collect::<Vec<_>>().join(", ");
        self.0
            .hsms
            .iter()
            .find(|hsm| hsm.address == address)
            .ok_or_else(|| HsmError::Unavailable(format!("{address} is none of {}", known())))
    }

    /// Sends a command and gives back the fields after the error code, which is `00` or one of `also`.
    pub(crate) async fn call(
        &self,
        command: &'static str,
        fields: &[&[u8]],
        also: &[&str],
    ) -> Result<Answer, HsmError> {
        let started = Instant::now();
        let result = self.call_unobserved(command, fields, also).await;
        let outcome = match &result {
            Ok(_) => "ok",
            Err(HsmError::Unavailable(_)) => "unavailable",
            Err(HsmError::Refused { .. }) => "refused",
            Err(HsmError::Protocol(_)) => "protocol",
        };
        metrics::counter!("umbra_hsm_commands_total", "command" => command, "outcome" => outcome).increment(1);
        metrics::histogram!("umbra_hsm_command_seconds", "command" => command).record(started.elapsed().as_secs_f64());
        result
    }

    async fn call_unobserved(
        &self,
        command: &'static str,
        fields: &[&[u8]],
        also: &[&str],
    ) -> Result<Answer, HsmError> {
        let Ok(_permit) = self.0.room.try_acquire() else {
            return Err(HsmError::Unavailable("too many commands are in flight".into()));
        };
        let text: Zeroizing<Vec<u8>> = Zeroizing::new([&[command.as_bytes()], fields].concat().concat());
        let answer = tokio::time::timeout(self.0.timeout, self.exchange(&text))
            .await
            .map_err(|_| HsmError::Unavailable("no answer in time".into()))??;
        let (_, code, rest) = wire::split(&answer, 0).ok_or(HsmError::Protocol(command))?;
        let expected = command.as_bytes().first_chunk().map(|command| wire::response_code(*command));
        if Some(code) != expected {
            return Err(HsmError::Protocol(command));
        }
        let error = rest.get(..2).and_then(|code| std::str::from_utf8(code).ok()).ok_or(HsmError::Protocol(command))?;
        if error != "00" && !also.contains(&error) {
            return Err(HsmError::Refused { command, code: error.to_owned(), meaning: meaning(error) });
        }
        let error = error.to_owned();
        Ok(Answer { error, fields: answer.slice(4..) })
    }

    /// A connection lost under a command costs one more try: commands have no effect beyond their answer.
    async fn exchange(&self, command: &[u8]) -> Result<Bytes, HsmError> {
        let mut last = "none is configured, or all are drained".to_owned();
        for _ in 0..2 {
            let Some((hsm, slot)) = self.choose() else { break };
            let _counted = InFlight::new(&hsm.in_flight);
            // Counted first and looked at again: whoever drains either sees the count or is seen here.
            if hsm.drained.load(Ordering::SeqCst) {
                continue;
            }
            let (answer, waiting) = oneshot::channel();
            let job = Job { command: Zeroizing::new(command.to_vec()), answer };
            if slot.jobs.send(job).await.is_err() {
                last = "the client is closing".into();
                continue;
            }
            match waiting.await {
                Ok(Ok(frame)) => return Ok(frame),
                Ok(Err(why)) => last = why,
                Err(_) => last = "the connection was lost".into(),
            }
        }
        Err(HsmError::Unavailable(last))
    }

    /// The first HSM in use with a connection, its connections in turn; else one that is still connecting; else any, which
    /// says at once why it cannot.
    fn choose(&self) -> Option<(&Hsm, &Slot)> {
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        let in_turn = |wanted: Option<Status>| {
            self.0.hsms.iter().filter(|hsm| !hsm.drained.load(Ordering::Acquire)).find_map(|hsm| {
                let slots = &hsm.slots;
                let mut turned =
                    (0..slots.len()).filter_map(|offset| slots.get(turn.wrapping_add(offset) % slots.len()));
                let slot = turned.find(|slot| wanted.is_none_or(|status| slot.shared.status() == status));
                slot.map(|slot| (hsm, slot))
            })
        };
        in_turn(Some(Status::Up)).or_else(|| in_turn(Some(Status::Connecting))).or_else(|| in_turn(None))
    }
}

impl std::fmt::Debug for HsmClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HsmClient").field("hsms", &self.0.hsms.len()).finish_non_exhaustive()
    }
}

/// An accepted answer.
pub(crate) struct Answer {
    pub error: String,
    pub fields: Bytes,
}

impl Answer {
    /// The fields as text, which most are.
    pub fn text(&self, command: &'static str) -> Result<&str, HsmError> {
        std::str::from_utf8(&self.fields).map_err(|_| HsmError::Protocol(command))
    }
}
