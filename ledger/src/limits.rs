//! Every bound of the ledger, and what happens at it.

/// Events in one frame at most; further ones wait for the next.
pub const BATCH_EVENTS_MAX: usize = 8192;

/// Events of a frame from which they are decided while it is written.
pub const OVERLAP_EVENTS: usize = 256;

/// Bytes of events in one frame at most; further ones wait for the next.
pub const BATCH_BYTES_MAX: usize = 1 << 20;

/// Postings of one entry.
pub const POSTINGS_MIN: usize = 2;
pub const POSTINGS_MAX: usize = 16;

/// Entries of one batch, and their postings together. A batch beyond either is refused before it is queued.
pub const BATCH_ENTRIES_MAX: usize = 500;
pub const BATCH_POSTINGS_MAX: usize = 1000;

/// Alias keys of one card event.
pub const ALIASES_MAX: usize = 5;

/// A message that waits to be sent, bytes.
pub const MESSAGE_MAX: usize = 640;

/// Limits of one event.
pub const LIMITS_MAX: usize = 12;

/// Ids of further copies of one message that are known; of more, the last ones are.
pub const REPEATS_MAX: usize = 8;

/// Opaque answer facts of one card event, bytes.
pub const ANSWER_MAX: usize = 512;

/// Opaque record of one event, bytes.
pub const RECORD_MAX: usize = 1024;

/// No encoded event is longer, but for batches: follows from the bounds above, and a test holds it to them. The smallest
/// segment holds such an event.
pub const EVENT_BYTES_MAX: usize = 3584;

/// The same of batches. Where segments are so small that one does not hold it, it is refused (`TooLarge`).
pub const BATCH_EVENT_BYTES_MAX: usize = 20 << 10;

/// How long an event's id is accepted and remembered; an advice's longer.
pub const HORIZON_MS: u64 = 24 * 60 * 60 * 1000;
pub const ADVICE_HORIZON_MS: u64 = 7 * HORIZON_MS;

/// How long what posted money is remembered at least: as long as a reversal that was held up is accepted.
pub const REVERSIBLE_MS: u64 = ADVICE_HORIZON_MS;

/// Ids further ahead of the clock than this are refused like old ones.
pub const AHEAD_MS: u64 = HORIZON_MS;

/// Tables that have a bound.
pub const TABLES: usize = 9;

/// Rows of the state's tables at most. They are part of the rules: replay under other bounds may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Further accounts are refused (`Full`). Closed ones count.
    pub accounts: usize,
    /// Further holds are refused (`Full`).
    pub holds: usize,
    /// Remembered events. The oldest without an open hold makes room, and from then on ids of its time and before
    /// are too old. Greater than `holds` and `messages` together, so that there always is one.
    pub records: usize,
    /// Unknown originals whose late arrival is to be refused. A reversal that needs a further one is refused (`Full`)
    /// and not recorded, so that sending it again may succeed; reversals of known originals go on.
    pub tombstones: usize,
    /// Cards with wrong PINs. PINs of further cards are not judged (`PinNotJudged`), right or wrong, because a wrong
    /// one could not be counted; cards in the table go on.
    pub cards_with_wrong_pins: usize,
    /// Cards whose counter is remembered. Counters of further cards are not judged (`AtcNotJudged`), because a copy of
    /// what was approved could not be told from it.
    pub cards_with_counters: usize,
    /// Usages in their current period. An event that would need a further one is refused (`Full`), because what it used
    /// could not be counted; what was paid elsewhere (`Force`) goes on uncounted.
    pub usages: usize,
    /// Terminals and currencies whose totals are counted. Of further ones postings are refused (`Full`); what was paid
    /// or approved elsewhere (`Force`, `CloseForward`) goes on uncounted.
    pub terminals: usize,
    /// Open forwards, messages that wait, and dead letters. What would need a further one is refused (`Full`); of what
    /// has happened already (reversals, `Force`, `CloseForward`) the refusal is not recorded.
    pub messages: usize,
}

impl Bounds {
    /// Name of a table, as `State::sizes` has it, to its bound.
    pub fn tables(&self) -> [(&'static str, usize); TABLES] {
        [
            ("accounts", self.accounts),
            ("open_holds", self.holds),
            ("remembered_events", self.records),
            ("reversed_before_seen", self.tombstones),
            ("cards_with_wrong_pins", self.cards_with_wrong_pins),
            ("cards_with_counters", self.cards_with_counters),
            ("usages", self.usages),
            ("terminals", self.terminals),
            ("messages", self.messages),
        ]
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            accounts: 20_000_000,
            holds: 4_000_000,
            records: 8_000_000,
            tombstones: 1_000_000,
            cards_with_wrong_pins: 4_000_000,
            cards_with_counters: 20_000_000,
            usages: 20_000_000,
            terminals: 2_000_000,
            messages: 1_000_000,
        }
    }
}

/// Bytes of a row in a snapshot, and rows of a table in one; above all that a state can have.
pub const ROW_BYTES_MAX: usize = 4096;
pub const ROWS_MAX: u64 = 1 << 26;

/// Segments from one snapshot to the next at least. Starting reads the newest snapshot and what was written since.
pub const SNAPSHOT_SEGMENTS: u64 = 16;

/// The journal since the last snapshot is at least this part of it in size before the next is made: one half.
pub const SNAPSHOT_SHARE: u64 = 2;

/// Rows of each table that one tick may let go; the rest is left to the next.
pub const TICK_WORK_MAX: usize = 4096;

/// Milliseconds between ticks while something is due.
pub const TICK_MS: u64 = 1000;

/// The same while a tick has left something for the next.
pub const TICK_BACKLOG_MS: u64 = 50;

/// Silence after which the last frame is sealed.
pub const SEAL_AFTER_MS: u64 = 10;

/// A clock that runs ahead of the monotonic one by more than this stops the ledger.
pub const CLOCK_JUMP_MS: u64 = 60_000;

/// Bytes of applied events a subscriber may be behind before events are refused.
pub const LAG_BYTES_MAX: u64 = 64 << 20;

/// Size of a journal segment, and the smallest that holds any event but a batch.
pub const SEGMENT_BYTES: u64 = 16 << 20;
pub const SEGMENT_BYTES_MIN: u64 = 4096;
