//! How many requests a caller may make: so many in each window of a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{ApiError, ErrorCode};

const WINDOW: Duration = Duration::from_secs(60);

/// Callers counted in one window; beyond it those who are not counted yet are refused until the next.
const CALLERS_MAX: usize = 100_000;

/// Requests in a window.
#[derive(Clone, Copy, Debug)]
pub struct RateLimits {
    /// Of one user.
    pub user: u32,
    /// Without a token, from one address: log-ins and the like.
    pub anonymous: u32,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { user: 60_000, anonymous: 600 }
    }
}

pub(crate) struct RateLimiter {
    limits: RateLimits,
    window: Mutex<Window>,
}

struct Window {
    began: Instant,
    requests: HashMap<String, u32>,
}

impl RateLimiter {
    pub fn new(limits: RateLimits) -> Self {
        Self { limits, window: Mutex::new(Window { began: Instant::now(), requests: HashMap::new() }) }
    }

    /// Counts one request of a user, or where there is none of an address.
    pub fn count(&self, user: Option<i64>, address: std::net::IpAddr) -> Result<(), ApiError> {
        let (caller, limit) = match user {
            Some(user) => (format!("user {user}"), self.limits.user),
            None => (format!("address {address}"), self.limits.anonymous),
        };
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.began.elapsed() >= WINDOW {
            *window = Window { began: Instant::now(), requests: HashMap::new() };
        }
        let is_full = window.requests.len() >= CALLERS_MAX && !window.requests.contains_key(&caller);
        let requests = if is_full { limit } else { *window.requests.entry(caller.clone()).or_default() };
        if requests >= limit {
            let rest = WINDOW.saturating_sub(window.began.elapsed()).as_secs() + 1;
            let text = format!("more than {limit} requests in a minute; wait {rest} s for the next window");
            return Err(ApiError::new(ErrorCode::TooMany, text));
        }
        window.requests.insert(caller, requests + 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_a_limit_of_his_own() {
        let limiter = RateLimiter::new(RateLimits { user: 3, anonymous: 1 });
        let address = |last| std::net::IpAddr::from([10, 0, 0, last]);
        for _ in 0..3 {
            limiter.count(Some(7), address(1)).unwrap();
        }
        assert_eq!(limiter.count(Some(7), address(2)).unwrap_err().code, ErrorCode::TooMany);
        limiter.count(Some(8), address(1)).unwrap();
        limiter.count(None, address(1)).unwrap();
        assert!(limiter.count(None, address(1)).is_err());
        limiter.count(None, address(2)).unwrap();
    }
}
