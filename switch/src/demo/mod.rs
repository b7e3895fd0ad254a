//! What `umbra demo` adds to the daemon: an embedded HSM simulator, a seeded tenant, a sample purchase.

mod hsm;
mod sample;
mod seed;

pub use hsm::DemoHsm;
pub use sample::sample;
pub use seed::{Further, seed};
