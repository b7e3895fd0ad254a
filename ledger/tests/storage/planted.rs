//! The check can fail: it finds every one of these bugs, planted between ledger and disk as if the ledger had them.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ledger::testing::SimStorage;
use ledger::{Storage, StorageFile};

use super::{End, every_seed};

/// What a ledger could do wrong with its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    /// The disk says that it has synced.
    LyingDisk,
    NoFileSyncs,
    NoDirSyncs,
    EverySecondSyncLeftOut,
    OnlyTheFirstSyncOfAFile,
    /// The answer before the sync: what is written reaches the disk after the sync that was for it.
    SyncBeforeWrite,
    SyncOfTheWrongFile,
    /// Of what a sync is for, only the first sector is durable.
    SyncOfTheFirstSector,
    FailedWriteIgnored,
    FailedSyncIgnored,
    FailedSyncTriedAgain,
    FailedDirSyncIgnored,
    ShortWriteIgnored,
    EveryFifthWriteLeftOut,
    AByteOfEveryWriteLost,
    EveryWriteTwice,
    WrittenFurtherBehind,
    WrittenAtTheBeginning,
    WritesSwapped,
    SegmentsNotZeroed,
    SegmentsTooShort,
    SecondHalfNotRead,
    ABitReadWrong,
    FirstSegmentReadForAll,
    LastSegmentNotListed,
    FirstSegmentNotListed,
}

const ALL: [Bug; 26] = [
    Bug::LyingDisk,
    Bug::NoFileSyncs,
    Bug::NoDirSyncs,
    Bug::EverySecondSyncLeftOut,
    Bug::OnlyTheFirstSyncOfAFile,
    Bug::SyncBeforeWrite,
    Bug::SyncOfTheWrongFile,
    Bug::SyncOfTheFirstSector,
    Bug::FailedWriteIgnored,
    Bug::FailedSyncIgnored,
    Bug::FailedSyncTriedAgain,
    Bug::FailedDirSyncIgnored,
    Bug::ShortWriteIgnored,
    Bug::EveryFifthWriteLeftOut,
    Bug::AByteOfEveryWriteLost,
    Bug::EveryWriteTwice,
    Bug::WrittenFurtherBehind,
    Bug::WrittenAtTheBeginning,
    Bug::WritesSwapped,
    Bug::SegmentsNotZeroed,
    Bug::SegmentsTooShort,
    Bug::SecondHalfNotRead,
    Bug::ABitReadWrong,
    Bug::FirstSegmentReadForAll,
    Bug::LastSegmentNotListed,
    Bug::FirstSegmentNotListed,
];

struct Buggy {
    disk: SimStorage,
    bug: Bug,
    /// Writes and syncs of all files so far.
    writes: Arc<AtomicU64>,
    syncs: Arc<AtomicU64>,
}

impl Buggy {
    fn wrap(disk: SimStorage, bug: Bug) -> Arc<dyn Storage> {
        if bug == Bug::LyingDisk {
            disk.lie_about_sync();
        }
        Arc::new(Self { disk, bug, writes: Arc::default(), syncs: Arc::default() })
    }

    fn segments(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }
}

impl Storage for Buggy {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = self.segments()?;
        names.sort();
        match self.bug {
            Bug::LastSegmentNotListed if names.len() > 1 => drop(names.pop()),
            Bug::FirstSegmentNotListed if names.len() > 1 => drop(names.remove(0)),
            _ => {}
        }
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = match (self.bug, self.segments()?.iter().min()) {
            (Bug::FirstSegmentReadForAll, Some(first)) => self.disk.read(first)?,
            _ => self.disk.read(name)?,
        };
        let half = bytes.len() / 2;
        match self.bug {
            Bug::SecondHalfNotRead => bytes[half..].fill(0),
            Bug::ABitReadWrong => {
                let last = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
                bytes[last] ^= 4;
            }
            _ => {}
        }
        Ok(bytes)
    }

    fn create(&self, name: &str, size: u64) -> io::Result<()> {
        match self.bug {
            Bug::SegmentsTooShort => self.disk.create(name, size - 512),
            Bug::SegmentsNotZeroed => {
                self.disk.create(name, size)?;
                let mut file = self.disk.open(name)?;
                file.write_at(0, &vec![0xA5; usize::try_from(size).unwrap()])?;
                file.sync()
            }
            _ => self.disk.create(name, size),
        }
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let other = self.segments()?.into_iter().find(|other| other != name);
        let other = other.filter(|_| self.bug == Bug::SyncOfTheWrongFile);
        Ok(Box::new(BuggyFile {
            file: self.disk.open(name)?,
            other: other.map(|other| self.disk.open(&other)).transpose()?,
            bug: self.bug,
            writes: Arc::clone(&self.writes),
            syncs: Arc::clone(&self.syncs),
            synced: false,
            late: Mutex::default(),
        }))
    }

    fn reader(&self, name: &str) -> io::Result<Box<dyn io::Read + Send>> {
        self.disk.reader(name)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn sync_dir(&self) -> io::Result<()> {
        match self.bug {
            Bug::NoDirSyncs => Ok(()),
            Bug::FailedDirSyncIgnored => self.disk.sync_dir().or(Ok(())),
            _ => self.disk.sync_dir(),
        }
    }
}

struct BuggyFile {
    file: Box<dyn StorageFile>,
    /// The file that is synced in its place.
    other: Option<Box<dyn StorageFile>>,
    bug: Bug,
    writes: Arc<AtomicU64>,
    syncs: Arc<AtomicU64>,
    synced: bool,
    /// Writes that are still to be done.
    late: Mutex<Vec<(u64, Vec<u8>)>>,
}

impl BuggyFile {
    fn write_late(&mut self) -> io::Result<()> {
        let late = std::mem::take(self.late.get_mut().unwrap());
        late.into_iter().try_for_each(|(offset, bytes)| self.file.write_at(offset, &bytes))
    }
}

impl StorageFile for BuggyFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        match self.bug {
            Bug::FailedWriteIgnored => self.file.write_at(offset, bytes).or(Ok(())),
            Bug::ShortWriteIgnored => self.file.write_at(offset, &bytes[..bytes.len() / 2]),
            Bug::EveryFifthWriteLeftOut if number % 5 == 4 => Ok(()),
            Bug::AByteOfEveryWriteLost => {
                let mut bytes = bytes.to_vec();
                let last = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
                bytes[last] = 0;
                self.file.write_at(offset, &bytes)
            }
            Bug::EveryWriteTwice => {
                self.file.write_at(offset, bytes)?;
                self.file.write_at(offset + bytes.len() as u64, bytes)
            }
            Bug::WrittenFurtherBehind => self.file.write_at(offset + 512, bytes),
            Bug::WrittenAtTheBeginning => self.file.write_at(0, bytes),
            Bug::SyncBeforeWrite => {
                self.late.get_mut().unwrap().push((offset, bytes.to_vec()));
                Ok(())
            }
            // Each write waits for the next one.
            Bug::WritesSwapped => {
                let before = std::mem::replace(self.late.get_mut().unwrap(), vec![(offset, bytes.to_vec())]);
                before.into_iter().try_for_each(|(offset, bytes)| self.file.write_at(offset, &bytes))
            }
            Bug::SyncOfTheFirstSector => {
                let (first, rest) = bytes.split_at(bytes.len().min(512));
                if !rest.is_empty() {
                    self.late.get_mut().unwrap().push((offset + 512, rest.to_vec()));
                }
                self.file.write_at(offset, first)
            }
            _ => self.file.write_at(offset, bytes),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let number = self.syncs.fetch_add(1, Ordering::Relaxed);
        match self.bug {
            Bug::NoFileSyncs => Ok(()),
            Bug::EverySecondSyncLeftOut if number % 2 == 1 => Ok(()),
            Bug::OnlyTheFirstSyncOfAFile if std::mem::replace(&mut self.synced, true) => Ok(()),
            Bug::SyncBeforeWrite | Bug::SyncOfTheFirstSector => {
                self.file.sync()?;
                self.write_late()
            }
            Bug::SyncOfTheWrongFile => self.other.as_mut().map_or(Ok(()), |other| other.sync()),
            Bug::FailedSyncIgnored => self.file.sync().or(Ok(())),
            // The second one succeeds, and what the first one had to do is not done.
            Bug::FailedSyncTriedAgain => match self.file.sync() {
                Err(_) => self.file.sync(),
                done => done,
            },
            _ => self.file.sync(),
        }
    }
}

#[test]
fn every_planted_bug_is_found() {
    let mut missed = Vec::new();
    for bug in ALL {
        let wrap = |disk| Buggy::wrap(disk, bug);
        let find = |seeds, end| {
            let (runs, faults) = every_seed(seeds, end, Some(&wrap));
            println!(
                "{bug:?}, {end:?}: {} of {runs} runs; {}",
                faults.len(),
                faults.first().map_or("", String::as_str)
            );
            !faults.is_empty()
        };
        // Some need a certain call to fail, and the right sectors to survive.
        let once = End::OneCall;
        if !(find(2, End::Power) || find(4, once) || find(40, once)) {
            missed.push(bug);
        }
    }
    assert_eq!(missed, [], "bugs that no run has found");
}
