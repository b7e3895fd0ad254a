//! A measurement that somebody ends before its time.

use anyhow::bail;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// Works until it is done, or until SIGINT or SIGTERM; what the work owns is let go of, so that no process or folder
/// stays behind.
pub fn run<T>(runtime: Runtime, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let done = runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            done = work => done,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            _ = terminated.recv() => bail!("terminated"),
        }
    });
    // Its threads may be in the middle of something long; nobody waits for them.
    runtime.shutdown_background();
    done
}
