//! The whole system on loopback: starting, killing and asking the daemon's binary.

mod daemon;
mod rest;

pub use daemon::{Daemon, binary, run_umbra};
pub use rest::Rest;

/// Whether the long mode is asked for (`tests/run --long`).
pub fn is_long() -> bool {
    std::env::var_os("UMBRA_TESTS_LONG").is_some_and(|value| !value.is_empty() && value != "0")
}

/// The repository's root.
pub fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
