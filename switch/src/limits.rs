//! Every bound of the daemon, in one place. Each has a gauge or a counter and a defined behaviour when it is met.

use std::time::Duration;

/// Connections of terminals and networks at once, over all listeners. Further ones are closed at accept and counted.
pub const CONNECTIONS_MAX: usize = 8192;

/// Requests of one connection in work at once. At the bound the socket is not read.
pub const CONNECTION_IN_FLIGHT_MAX: usize = 64;

/// Answers of one connection waiting to be written. At the bound its requests wait, and so does reading.
pub const CONNECTION_ANSWERS_MAX: usize = 64;

/// A client that takes no answer for this long is closed.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection without a byte for this long is closed.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// Messages in a row that cannot be answered before the connection is closed.
pub const UNDECODABLE_IN_A_ROW_MAX: u64 = 3;

/// Largest frame body: what a 2-byte length can say.
pub const FRAME_MAX: usize = 65_535;

/// How long a duplicate waits for the answer of the request it repeats; then it gets none.
pub const DUPLICATE_WAIT: Duration = Duration::from_secs(10);

/// How long a request waits for the PIN checks of the same card that came before it; then it is answered 91. With the
/// check itself it stays within [`DUPLICATE_WAIT`].
pub const PIN_TURN_WAIT: Duration = Duration::from_secs(5);

/// How long the previous key pair serves after the new one was first used.
pub const PREVIOUS_KEYS_LIFE_MS: u64 = 60_000;

/// Requests in work when the daemon is told to stop get this long to finish.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Events that may wait for the ledger's sequencer. At the bound the switch answers 96.
pub const LEDGER_QUEUE_MAX: usize = 8192;

/// One HSM command, from queueing to answer.
pub const HSM_TIMEOUT: Duration = Duration::from_secs(4);

/// Connections to each HSM.
pub const HSM_CONNECTIONS: usize = 4;

/// Commands in flight to the HSMs. At the bound a message is answered 91.
pub const HSM_IN_FLIGHT_MAX: usize = 2048;
