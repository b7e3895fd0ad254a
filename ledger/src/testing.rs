//! A storage that forgets: what was not synced is gone, or there in part, after [`SimStorage::crash`].

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::storage::{Storage, StorageFile};

/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// In memory; clones share the same disk.
#[derive(Clone, Default)]
pub struct SimStorage(Arc<Mutex<Disk>>);

#[derive(Default)]
struct Disk {
    /// What a reader sees now.
    live: BTreeMap<String, usize>,
    /// Names that survive a crash.
    durable: BTreeMap<String, usize>,
    files: Vec<Contents>,
    calls: u64,
    fail_at: Option<u64>,
    /// From a failed call on, every further one fails until the crash is over.
    failed: bool,
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

    /// The nth call from now fails, and all after it.
    pub fn fail_at(&self, nth: u64) {
        let mut disk = self.disk();
        (disk.calls, disk.fail_at) = (0, Some(nth));
    }

    /// Calls that change or sync something, since the last [`SimStorage::fail_at`] or crash.
    pub fn calls(&self) -> u64 {
        self.disk().calls
    }

    /// Power goes: unsynced writes are lost, but for sectors that `seed` chooses. Then calls succeed again.
    pub fn crash(&self, seed: u64) {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut coin = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % 2 == 0
        };
        let mut disk = self.disk();
        for file in &mut disk.files {
            for (offset, bytes) in std::mem::take(&mut file.unsynced) {
                let mut at = offset;
                for sector in bytes.chunks(SECTOR) {
                    if coin() {
                        write(&mut file.durable, at, sector);
                    }
                    at += sector.len();
                }
            }
            file.live = file.durable.clone();
        }
        disk.live = disk.durable.clone();
        (disk.calls, disk.fail_at, disk.failed) = (0, None, false);
    }

    /// A copy of a file, to be changed and put back.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        self.read(name).unwrap_or_default()
    }

    /// Replaces a file's content, synced.
    pub fn replace(&self, name: &str, bytes: Vec<u8>) {
        let mut disk = self.disk();
        if let Some(index) = disk.live.get(name).copied()
            && let Some(file) = disk.files.get_mut(index)
        {
            *file = Contents { live: bytes.clone(), durable: bytes, unsynced: Vec::new() };
        }
    }
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
            self.failed = true;
            return Err(io::Error::other("the disk has failed"));
        }
        Ok(())
    }

    fn index(&self, name: &str) -> io::Result<usize> {
        self.live.get(name).copied().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
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

    fn create(&self, name: &str, size: u64) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step()?;
        let zeros = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        let index = disk.files.len();
        disk.files.push(Contents { live: zeros.clone(), durable: zeros, unsynced: Vec::new() });
        disk.live.insert(name.to_owned(), index);
        Ok(())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let index = self.disk().index(name)?;
        Ok(Box::new(SimFile { storage: self.clone(), index }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step()?;
        let index = disk.index(from)?;
        disk.live.remove(from);
        disk.live.insert(to.to_owned(), index);
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step()?;
        disk.durable = disk.live.clone();
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
            write(&mut file.live, offset, bytes);
            file.unsynced.push((offset, bytes.to_vec()));
        }
        stepped
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.storage.disk();
        disk.step()?;
        if let Some(file) = disk.files.get_mut(self.index) {
            file.durable = file.live.clone();
            file.unsynced.clear();
        }
        Ok(())
    }
}
