//! For tests: a storage that forgets what was not synced, and a clock that is moved by hand.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::event::Millis;
use crate::storage::{Storage, StorageFile};

/// Stands still until it is moved; wall and monotonic time move together.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    pub fn new(now: Millis) -> Self {
        Self(AtomicU64::new(now))
    }

    pub fn advance(&self, millis: Millis) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        self.0.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Millis {
        self.now()
    }
}

/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A folder in memory; clones share the same disk. What was not synced is gone, or there in part, after
/// [`SimStorage::crash`].
#[derive(Clone, Default)]
pub struct SimStorage(Arc<Mutex<Disk>>);

#[derive(Clone, Default)]
struct Disk {
    /// What a reader sees now.
    live: BTreeMap<String, usize>,
    /// Names that survive a crash.
    durable: BTreeMap<String, usize>,
    /// Changes of names that were not synced, oldest first.
    unsynced: Vec<NameChange>,
    files: Vec<Contents>,
    calls: u64,
    fail_at: Option<u64>,
    /// Only the call `fail_at` fails, and the next ones succeed.
    fails_once: bool,
    /// From a failed call on, every further one fails until the crash is over.
    failed: bool,
    lies_about_sync: bool,
}

#[derive(Clone)]
enum NameChange {
    Created(String, usize),
    Renamed(String, String),
    Removed(String),
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Created(name, index) => {
                names.insert(name.clone(), *index);
            }
            Self::Renamed(from, to) => {
                if let Some(index) = names.remove(from) {
                    names.insert(to.clone(), index);
                }
            }
            Self::Removed(name) => {
                names.remove(name);
            }
        }
    }
}

#[derive(Default, Clone)]
struct Contents {
    live: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
}

impl SimStorage {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another disk with the same content.
    pub fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.disk().clone())))
    }

    /// The nth call from now fails, and all after it.
    pub fn fail_at(&self, nth: u64) {
        let mut disk = self.disk();
        (disk.calls, disk.fail_at, disk.fails_once) = (0, Some(nth), false);
    }

    /// The nth call from now fails, and no other: the disk is well again, and what it did not do stays undone.
    pub fn fail_once_at(&self, nth: u64) {
        self.fail_at(nth);
        self.disk().fails_once = true;
    }

    /// Calls that change or sync something, since the last [`SimStorage::fail_at`] or crash.
    pub fn calls(&self) -> u64 {
        self.disk().calls
    }

    /// From now on syncs report success and do nothing, as broken disks do.
    pub fn lie_about_sync(&self) {
        self.disk().lies_about_sync = true;
    }

    /// Power goes: unsynced writes are lost, but for sectors that `seed` chooses, and so are unsynced names, but for
    /// the first few. Then calls succeed again.
    pub fn crash(&self, seed: u64) {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut draw = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random >> 8
        };
        let mut disk = self.disk();
        for file in &mut disk.files {
            for (offset, bytes) in std::mem::take(&mut file.unsynced) {
                for (at, sector) in sectors(offset, &bytes) {
                    if draw() % 2 == 0 {
                        write(&mut file.durable, at, sector);
                    }
                }
            }
            file.live = file.durable.clone();
        }
        let unsynced = std::mem::take(&mut disk.unsynced);
        let kept = draw() % (unsynced.len() as u64 + 1);
        for change in unsynced.iter().take(usize::try_from(kept).unwrap_or(0)) {
            change.apply(&mut disk.durable);
        }
        disk.live = disk.durable.clone();
        (disk.calls, disk.fail_at, disk.failed) = (0, None, false);
    }

    /// The process dies and the machine lives on: what was written is there, synced or not, until the power goes.
    /// Then calls succeed again.
    pub fn kill(&self) {
        let mut disk = self.disk();
        (disk.calls, disk.fail_at, disk.failed) = (0, None, false);
    }

    /// A copy of a file, to be changed and put back.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        self.read(name).unwrap_or_default()
    }

    /// Replaces a file's content, or makes the file; synced.
    pub fn replace(&self, name: &str, bytes: Vec<u8>) {
        let mut disk = self.disk();
        let index = disk.files.len();
        disk.files.push(Contents { live: bytes.clone(), durable: bytes, unsynced: Vec::new() });
        disk.live.insert(name.to_owned(), index);
        disk.durable.insert(name.to_owned(), index);
    }

    /// Takes a file away; synced.
    pub fn lose(&self, name: &str) {
        let mut disk = self.disk();
        disk.live.remove(name);
        disk.durable.remove(name);
    }
}

/// A write as the disk does it: cut where its sectors begin.
fn sectors(offset: usize, bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let (head, tail) = bytes.split_at((offset.next_multiple_of(SECTOR) - offset).min(bytes.len()));
    let mut at = offset;
    let pieces = std::iter::once(head).chain(tail.chunks(SECTOR));
    let placed = pieces.map(|piece| {
        at += piece.len();
        (at - piece.len(), piece)
    });
    placed.collect()
}

fn write(target: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if target.len() < end {
        target.resize(end, 0);
    }
    if let Some(place) = target.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

impl Disk {
    fn step(&mut self) -> io::Result<()> {
        self.calls += 1;
        if self.failed || self.fail_at == Some(self.calls) {
            self.failed = !self.fails_once;
            return Err(io::Error::other("the disk has failed"));
        }
        Ok(())
    }

    fn index(&self, name: &str) -> io::Result<usize> {
        self.live.get(name).copied().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.live);
        self.unsynced.push(change);
    }
}

impl Storage for SimStorage {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.disk().live.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let disk = self.disk();
        let index = disk.index(name)?;
        Ok(disk.files.get(index).map(|file| file.live.clone()).unwrap_or_default())
    }

    fn reader(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(io::Cursor::new(self.read(name)?)))
    }

    fn create(&self, name: &str, size: u64) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step()?;
        let zeros = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        let index = disk.files.len();
        disk.files.push(Contents { live: zeros.clone(), durable: zeros, unsynced: Vec::new() });
        disk.change(NameChange::Created(name.to_owned(), index));
        Ok(())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let index = self.disk().index(name)?;
        Ok(Box::new(SimFile { storage: self.clone(), index }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step()?;
        disk.index(from)?;
        disk.change(NameChange::Renamed(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step()?;
        disk.index(name)?;
        disk.change(NameChange::Removed(name.to_owned()));
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step()?;
        if !disk.lies_about_sync {
            disk.durable = disk.live.clone();
            disk.unsynced.clear();
        }
        Ok(())
    }
}

struct SimFile {
    storage: SimStorage,
    index: usize,
}

impl StorageFile for SimFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.storage.disk();
        let stepped = disk.step();
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        if let Some(file) = disk.files.get_mut(self.index) {
            // A write that fails may still have reached the disk in part.
            let done = if stepped.is_ok() { bytes } else { bytes.split_at(bytes.len() / 2).0 };
            write(&mut file.live, offset, done);
            file.unsynced.push((offset, done.to_vec()));
        }
        stepped
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.storage.disk();
        let (stepped, lies) = (disk.step(), disk.lies_about_sync);
        let Some(file) = disk.files.get_mut(self.index).filter(|_| !lies) else { return stepped };
        // After a failure the system takes what was to be written for written: no later sync makes up for it.
        let unsynced = std::mem::take(&mut file.unsynced);
        stepped?;
        unsynced.iter().for_each(|(offset, bytes)| write(&mut file.durable, *offset, bytes));
        Ok(())
    }
}
