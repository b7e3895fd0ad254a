//! A daemon under test: `umbra demo` on ports of its own.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parties::{
    AcquirerSettings, AcquirerSide, CardProfile, Connection, DemoFile, Dialect, Terminal, TerminalProfile, Zone,
};
use rustix::process::{Pid, Signal, kill_process};

/// From start to `umbra ready`, and from SIGTERM to the end; a debug build on a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// The daemon's binary, beside this test's own.
pub fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("a test has a path");
    let folder = own.parent().and_then(Path::parent).expect("a test is in target/<profile>/deps");
    let binary = folder.join("umbra");
    assert!(binary.exists(), "{} is missing; build it with `cargo build -p umbra` (tests/run does)", binary.display());
    binary
}

/// Runs a command of the binary to its end.
pub fn run_umbra(args: &[&str]) -> Output {
    Command::new(binary()).args(args).stdin(Stdio::null()).output().expect("umbra can be started")
}

/// Killed when it is dropped.
pub struct Daemon {
    process: Child,
    data_dir: PathBuf,
    pub demo: DemoFile,
}

impl Daemon {
    /// Starts on a data directory, new or left by an earlier daemon. Its log is appended to `umbra.log` beside it.
    pub fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, &["--no-sample"]).0
    }

    /// As [`Daemon::start`], and dies when it comes to the fault point of a name.
    pub fn start_to_die_at(data_dir: &Path, fault_point: &str) -> Self {
        Self::start_in(data_dir, &["--no-sample"], &[("UMBRA_FAULT", fault_point)]).0
    }

    /// As [`Daemon::start`], with further arguments; gives what was printed before `umbra ready` too.
    pub fn start_with(data_dir: &Path, args: &[&str]) -> (Self, String) {
        Self::start_in(data_dir, args, &[])
    }

    fn start_in(data_dir: &Path, args: &[&str], environment: &[(&str, &str)]) -> (Self, String) {
        let log = OpenOptions::new().create(true).append(true).open(log_path(data_dir)).expect("a log beside the data");
        let mut process = Command::new(binary())
            .args(["demo", "--ephemeral-ports", "--data-dir"])
            .arg(data_dir)
            .args(args)
            .env("UMBRA_LOG", "debug,sqlx=warn,hyper=info,h2=info")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("umbra can be started");
        let mut lines = BufReader::new(process.stdout.take().expect("standard output is piped"));
        let mut printed = String::new();
        while !printed.ends_with("umbra ready\n") {
            if lines.read_line(&mut printed).expect("standard output is text") == 0 {
                let status = process.wait();
                panic!("umbra ended with {status:?} before it was ready:\n{printed}\n{}", read_log(data_dir));
            }
        }
        // Nobody reads on; the pipe stays open so that later prints do not fail.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        let demo = DemoFile::read(&data_dir.join("demo.json")).expect("demo.json is there before umbra is ready");
        (Self { process, data_dir: data_dir.to_owned(), demo }, printed)
    }

    pub fn address(&self, listener: &str) -> SocketAddr {
        self.demo.listeners[listener]
    }

    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// SIGKILL: no line of the daemon runs after it.
    pub fn kill(mut self) {
        self.process.kill().expect("the daemon runs");
        self.process.wait().expect("the daemon ends");
    }

    /// Waits until it has died by itself.
    pub fn wait_for_death(mut self) {
        let until = Instant::now() + PATIENCE;
        while self.is_running() {
            assert!(Instant::now() < until, "the daemon lives on:\n{}", read_log(&self.data_dir));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGTERM, and the exit status.
    pub fn stop(mut self) -> ExitStatus {
        let id = Pid::from_child(&self.process);
        kill_process(id, Signal::TERM).expect("the daemon runs");
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.process.try_wait().expect("the daemon's state can be asked for") {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the daemon did not stop within {PATIENCE:?}:\n{}", read_log(&self.data_dir));
    }

    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().expect("the daemon's state can be asked for").is_none()
    }

    /// All that daemons on this data directory have logged.
    pub fn log(&self) -> String {
        read_log(&self.data_dir)
    }

    /// The nth terminal of `demo.json`, without keys yet.
    pub fn terminal(&self, index: usize, listener: &str) -> Terminal {
        let profile = TerminalProfile::from_demo(&self.demo.terminals[index]).expect("the demo's terminals are sound");
        Terminal::new(profile, Dialect::of_listener(listener).expect("a listener of the demo"))
    }

    /// The nth card of `demo.json`.
    pub fn card(&self, index: usize) -> CardProfile {
        CardProfile::from_demo(&self.demo.cards[index]).expect("the demo's cards are sound")
    }

    /// What the demo's card network shares with it: one for all its connections.
    pub fn zone(&self) -> Arc<Zone> {
        let network = self.demo.network.as_ref().expect("the demo has a card network");
        Arc::new(Zone::from_demo(network).expect("the demo's network is sound"))
    }

    /// An acquirer behind the demo's card network, signed on and with keys.
    pub async fn acquirer(&self, zone: &Arc<Zone>) -> AcquirerSide {
        let settings = AcquirerSettings::new("400004");
        let connected = AcquirerSide::connect(self.address("network"), Arc::clone(zone), settings, None);
        connected.await.expect("the daemon serves card networks")
    }

    pub async fn connect(&self, listener: &str) -> Connection {
        let dialect = Dialect::of_listener(listener).expect("a listener of the demo");
        Connection::connect(self.address(listener), dialect.framing).await.expect("the listener is bound")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn log_path(data_dir: &Path) -> PathBuf {
    data_dir.with_extension("log")
}

fn read_log(data_dir: &Path) -> String {
    let mut text = Vec::new();
    if let Ok(mut file) = File::open(log_path(data_dir)) {
        let _ = file.read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}
