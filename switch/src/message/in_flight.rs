//! One copy of a message at a time: a duplicate of a request still in work waits for its answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Requests in work.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    /// By each key a duplicate could arrive under.
    by_key: HashMap<u128, watch::Receiver<()>>,
    /// A request has one key or several.
    requests: usize,
}

/// Held by the first copy; its drop lets the others go on.
pub struct First {
    keys: Vec<u128>,
    table: InFlight,
    _done: watch::Sender<()>,
}

/// Whether this copy may go on or must wait.
enum Turn {
    First(First),
    Wait(watch::Receiver<()>),
}

impl InFlight {
    /// This copy's turn, after those that hold any of its keys; `None` when they take longer than `patience`.
    pub async fn turn(&self, keys: &[u128], patience: Duration) -> Option<First> {
        let turn = async {
            loop {
                match self.enter(keys.to_vec()) {
                    Turn::First(first) => return first,
                    Turn::Wait(waiting) => finished(waiting).await,
                }
            }
        };
        tokio::time::timeout(patience, turn).await.ok()
    }

    /// `keys`: all keys of this copy. It waits if another holds any of them.
    fn enter(&self, keys: Vec<u128>) -> Turn {
        let mut table = self.lock();
        if let Some(other) = keys.iter().find_map(|key| table.by_key.get(key)) {
            return Turn::Wait(other.clone());
        }
        let (done, waiting) = watch::channel(());
        for key in &keys {
            table.by_key.insert(*key, waiting.clone());
        }
        table.requests += 1;
        Turn::First(First { keys, table: self.clone(), _done: done })
    }

    /// Requests in work now; copies that wait for one are not counted.
    pub fn len(&self) -> usize {
        self.lock().requests
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for First {
    fn drop(&mut self) {
        let mut table = self.table.lock();
        for key in &self.keys {
            table.by_key.remove(key);
        }
        table.requests -= 1;
    }
}

/// Returns when the first copy is done, however it ended.
async fn finished(mut waiting: watch::Receiver<()>) {
    // The sender never sends: the only change is its drop.
    while waiting.changed().await.is_ok() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_copy_waits_for_the_first() {
        let table = InFlight::default();
        let Turn::First(first) = table.enter(vec![1, 2]) else { panic!("nothing is in work") };
        let Turn::Wait(waiting) = table.enter(vec![2]) else { panic!("key 2 is held") };
        let Turn::First(_other) = table.enter(vec![3]) else { panic!("key 3 is free") };
        assert_eq!(table.len(), 2, "requests, not keys");
        drop(first);
        assert_eq!(table.len(), 1);
        finished(waiting).await;
        assert!(matches!(table.enter(vec![2]), Turn::First(_)));
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let table = InFlight::default();
        let first = table.turn(&[1], Duration::from_secs(60)).await.expect("nothing is in work");
        assert!(table.turn(&[1, 2], Duration::from_millis(5)).await.is_none());
        let (after, ()) = tokio::join!(table.turn(&[1], Duration::from_secs(60)), async { drop(first) });
        assert!(after.is_some());
    }
}
