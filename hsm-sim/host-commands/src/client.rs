//! A pool of connections to one or several HSMs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc, oneshot};
use zeroize::Zeroizing;

use crate::connection::{self, Job, Shared, Status};
use crate::error::{HsmError, meaning};
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
}

/// Cheap to clone; all clones share the pool. Must be made on a tokio runtime, where its connections then live.
#[derive(Clone)]
pub struct HsmClient(Arc<Pool>);

struct Pool {
    /// One list of connections an address.
    hsms: Vec<Vec<Slot>>,
    turn: AtomicUsize,
    room: Semaphore,
    timeout: Duration,
}

struct Slot {
    jobs: mpsc::Sender<Job>,
    shared: Arc<Shared>,
}

impl HsmClient {
    pub fn new(config: HsmConfig) -> Self {
        let header_length = config.header_length.clamp(4, wire::HEADER_MAX);
        let slot = |address: &String| {
            let (jobs, queue) = mpsc::channel(config.in_flight_max.max(1));
            let shared = Arc::new(Shared::default());
            let run = connection::run(address.clone(), header_length, config.timeout, Arc::clone(&shared), queue);
            tokio::spawn(run);
            Slot { jobs, shared }
        };
        let hsms =
            config.addresses.iter().map(|address| (0..config.connections.max(1)).map(|_| slot(address)).collect());
        Self(Arc::new(Pool {
            hsms: hsms.collect(),
            turn: AtomicUsize::new(0),
            room: Semaphore::new(config.in_flight_max),
            timeout: config.timeout,
        }))
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
        let mut last = "none is configured".to_owned();
        for _ in 0..2 {
            let Some(slot) = self.choose() else { break };
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

    /// The first HSM with a connection, its connections in turn; else one that is still connecting; else any, which
    /// says at once why it cannot.
    fn choose(&self) -> Option<&Slot> {
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        let in_turn = |wanted: Option<Status>| {
            self.0.hsms.iter().find_map(|slots| {
                (0..slots.len())
                    .filter_map(|offset| slots.get(turn.wrapping_add(offset) % slots.len()))
                    .find(|slot| wanted.is_none_or(|status| slot.shared.status() == status))
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
