//! The audit log: who ran which command, how it ended, how long it took. Never a field.

use std::io::{BufWriter, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// One line of JSON for each command, in a file that is only added to.
#[derive(Debug)]
pub struct AuditLog(Mutex<BufWriter<std::fs::File>>);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    /// Microseconds since 1970.
    time: u64,
    peer: SocketAddr,
    /// Where it is made of letters and digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'a str>,
    code: &'a str,
    micros: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a str>,
}

impl AuditLog {
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(Mutex::new(BufWriter::with_capacity(64 * 1024, file))))
    }

    pub(crate) fn note(
        &self,
        peer: SocketAddr,
        command: [u8; 2],
        code: &str,
        took: Duration,
        fault: Option<crate::behaviour::Fault>,
    ) {
        use crate::behaviour::Fault;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let command =
            std::str::from_utf8(&command).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let fault = fault.map(|fault| match fault {
            Fault::Drop => "drop",
            Fault::Delay(_) => "delay",
            Fault::Error(_) => "error",
            Fault::Disconnect => "disconnect",
            Fault::Tamper => "tamper",
        });
        let line = Line { time: micros(now), peer, command, code, micros: micros(took), fault };
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that cannot be written is told of when it is flushed; commands go on.
        let _ = serde_json::to_writer(&mut *file, &line);
        let _ = file.write_all(b"\n");
    }

    /// Writes out what was noted.
    pub(crate) fn flush(&self) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.flush() {
            tracing::error!(%error, "the HSM's audit log cannot be written; make room or choose another file");
        }
    }
}
