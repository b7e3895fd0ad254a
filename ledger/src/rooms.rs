//! Memory for records, made ready beside the sequencer: the system has to clear memory that is fresh, which takes longer
//! than all that is done to what is then written there.

use std::sync::mpsc::{Receiver, sync_channel};

use crate::state::{Room, State};

/// Rooms that lie ready, besides those that the state has.
const READY: usize = 4;

/// Where rooms come from. The thread ends with it.
pub(crate) struct Rooms(Receiver<Room>);

impl Rooms {
    pub fn start() -> std::io::Result<Self> {
        let (made, rooms) = sync_channel(READY);
        let make = move || while made.send(Room::new()).is_ok() {};
        std::thread::Builder::new().name("ledger-memory".into()).spawn(make)?;
        Ok(Self(rooms))
    }

    /// As many as the state wants, or there are: it makes its own where they are too few.
    pub fn give(&self, state: &mut State) {
        while state.wants_room() {
            let Ok(room) = self.0.try_recv() else { return };
            state.add_room(room);
        }
    }
}
