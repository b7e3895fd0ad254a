//! Every bound of the ledger.

/// Events in one frame at most.
pub const BATCH_EVENTS_MAX: usize = 1024;

/// Bytes of events in one frame at most.
pub const BATCH_BYTES_MAX: usize = 1 << 20;

/// Postings of one entry.
pub const POSTINGS_MIN: usize = 2;
pub const POSTINGS_MAX: usize = 16;

/// Alias keys of one card event.
pub const ALIASES_MAX: usize = 4;

/// Opaque answer facts of one card event, bytes.
pub const ANSWER_MAX: usize = 512;

/// Opaque record of one event, bytes.
pub const RECORD_MAX: usize = 1024;

/// How long an event's id is remembered; an advice's longer.
pub const HORIZON_MS: u64 = 24 * 60 * 60 * 1000;
pub const ADVICE_HORIZON_MS: u64 = 7 * HORIZON_MS;

/// Ids further ahead of the clock than this are refused like old ones.
pub const AHEAD_MS: u64 = HORIZON_MS;

/// Remembered events. When there are more, the oldest go and with them everything of their time.
pub const RECORDS_MAX: usize = 8_000_000;

/// Accounts and open holds; further ones are refused.
pub const ACCOUNTS_MAX: usize = 20_000_000;
pub const HOLDS_MAX: usize = 4_000_000;

/// Holds and ids that one tick may let go.
pub const TICK_WORK_MAX: usize = 4096;

/// Milliseconds between ticks while something is due.
pub const TICK_MS: u64 = 1000;

/// Silence after which the last frame is sealed.
pub const SEAL_AFTER_MS: u64 = 10;

/// A clock that runs ahead of the monotonic one by more than this stops the ledger.
pub const CLOCK_JUMP_MS: u64 = 60_000;

/// Bytes of applied events a subscriber may be behind before events are refused.
pub const LAG_BYTES_MAX: u64 = 64 << 20;

/// Size of a journal segment.
pub const SEGMENT_BYTES: u64 = 16 << 20;
