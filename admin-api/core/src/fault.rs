//! Places where a test can make the process die, to see what is left.

/// Dies here without any farewell, if the environment's `UMBRA_FAULT` names this place. Only in builds for tests.
pub fn fault_point(name: &str) {
    if cfg!(debug_assertions) && std::env::var("UMBRA_FAULT").is_ok_and(|wanted| wanted == name) {
        std::process::abort();
    }
}
