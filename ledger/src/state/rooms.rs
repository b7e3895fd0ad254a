//! Memory for rows, made ready beside the thread that fills it: the system has to clear memory that is fresh, which takes
//! longer than all that is done to what is then written there.

use std::sync::mpsc::{Receiver, sync_channel};

use super::{State, accounts, records};

/// Rooms of a kind that lie ready, besides those that the state has.
const READY: usize = 4;

/// Where rooms come from. Its threads end with it.
pub(crate) struct Rooms {
    accounts: Receiver<accounts::Room>,
    records: Receiver<records::Room>,
}

impl Rooms {
    pub fn start() -> std::io::Result<Self> {
        Ok(Self { accounts: supply(accounts::Room::new)?, records: supply(records::Room::new)? })
    }

    /// As many as the state wants, or there are: it makes its own where they are too few.
    pub fn give(&self, state: &mut State) {
        state.accounts.take_rooms(self.accounts.try_iter());
        state.memory.take_rooms(self.records.try_iter());
    }

    pub fn for_accounts(&self) -> Option<accounts::Room> {
        self.accounts.try_recv().ok()
    }

    pub fn for_records(&self) -> Option<records::Room> {
        self.records.try_recv().ok()
    }
}

fn supply<T: Send + 'static>(room: fn() -> T) -> std::io::Result<Receiver<T>> {
    let (made, rooms) = sync_channel(READY);
    let make = move || while made.send(room()).is_ok() {};
    std::thread::Builder::new().name("ledger-memory".into()).spawn(make)?;
    Ok(rooms)
}
