//! SIGTERM and SIGINT: being asked to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// From its making on, neither signal ends the process by itself: make it before anybody is told that it is ready.
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Returns when either signal has come.
    pub async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
