//! The daemon under test: a child process that is the very program this one was built with, or another one.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use parties::DemoFile;
use rustix::process::{Pid, Signal, kill_process};

/// From SIGTERM to the end; a long journal is synced and its followers drained meanwhile.
const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// From start to `umbra ready`; a hundred thousand cards are issued and paid onto meanwhile.
const START_PATIENCE: Duration = Duration::from_secs(600);

/// Killed when it is dropped.
pub struct Target {
    process: Killed,
    pub data_dir: PathBuf,
    pub demo: DemoFile,
}

impl Target {
    /// Starts a daemon on a new data directory, with so many further cards and terminals, and waits until it serves.
    /// Its log goes to `umbra.log` beside the data.
    pub fn start(umbra: Option<&Path>, folder: &Path, cards: u32, terminals: u32) -> anyhow::Result<Self> {
        let mut command = match umbra {
            Some(path) => Command::new(path),
            None => {
                let mut own = Command::new(std::env::current_exe().context("this program's own file is not found")?);
                own.arg("umbra");
                own
            }
        };
        let data_dir = folder.join("data");
        let log = folder.join("umbra.log");
        command
            .args(["demo", "--ephemeral-ports", "--no-sample", "--data-dir"])
            .arg(&data_dir)
            .args(["--further-cards", &cards.to_string(), "--further-terminals", &terminals.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?);
        let mut process = Killed(command.spawn().context("the daemon cannot be started; is --umbra right?")?);
        let printed = process.0.stdout.take().context("the daemon's standard output is not piped")?;
        if wait_until_ready(BufReader::new(printed)).is_none() {
            let _ = process.0.kill();
            let status = process.0.wait()?;
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            bail!("the daemon did not get ready ({status}); it said: {}", last_lines(&said));
        }
        let demo = DemoFile::read(&data_dir.join("demo.json"))?;
        Ok(Self { process, data_dir, demo })
    }

    pub fn process(&self) -> u32 {
        self.process.0.id()
    }

    pub fn address(&self, listener: &str) -> anyhow::Result<SocketAddr> {
        let found = self.demo.listeners.get(listener).copied();
        found.with_context(|| format!("the daemon has no listener {listener}; choose pos-binary or pos-ascii"))
    }

    /// Asks the daemon to end and waits for it; gives its data directory.
    pub fn stop(mut self) -> anyhow::Result<PathBuf> {
        let pid = Pid::from_raw(i32::try_from(self.process.0.id())?).context("the daemon has no process number")?;
        kill_process(pid, Signal::TERM)?;
        let until = Instant::now() + STOP_PATIENCE;
        loop {
            if let Some(status) = self.process.0.try_wait()? {
                if !status.success() {
                    bail!("the daemon ended with {status}");
                }
                return Ok(self.data_dir.clone());
            }
            if Instant::now() > until {
                bail!("the daemon does not end {} s after SIGTERM", STOP_PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Killed when it is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Warnings and errors that the daemon of a run logged last, if any: its folder goes with the run.
pub fn last_words(folder: &Path) -> Option<String> {
    let log = std::fs::read_to_string(folder.join("umbra.log")).unwrap_or_default();
    let is_bad = |line: &&str| line.contains("\"level\":\"WARN\"") || line.contains("\"level\":\"ERROR\"");
    let bad: Vec<&str> = log.lines().filter(is_bad).collect();
    (!bad.is_empty()).then(|| format!("the daemon logged last: {}", last_lines(&bad.join("\n"))))
}

/// Reads what is printed until the daemon says that it is ready, and on to the end on a thread: the pipe must stay open.
/// `None` when it ended, or patience did.
fn wait_until_ready(mut printed: impl BufRead + Send + 'static) -> Option<()> {
    let (ready, waited) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        while matches!(printed.read_line(&mut line), Ok(1..)) {
            if line == "umbra ready\n" {
                let _ = ready.send(());
                break;
            }
            line.clear();
        }
        drop(ready);
        let _ = std::io::copy(&mut printed, &mut std::io::sink());
    });
    waited.recv_timeout(START_PATIENCE).ok()
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(3)..).unwrap_or_default().join(" / ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_daemon_s_own_word_is_taken_for_it() {
        assert!(wait_until_ready("sample\numbra ready\nmore\n".as_bytes()).is_some());
        assert!(wait_until_ready("umbra ready soon\n".as_bytes()).is_none(), "it ended");
    }
}
