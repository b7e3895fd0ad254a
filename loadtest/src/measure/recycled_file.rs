//! A file whose blocks are all written already, as the journal's recycled segments are: what the disk can do at best.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::latency::Latencies;

/// As long as a journal segment.
const LENGTH: u64 = 64 * 1024 * 1024;

/// Removed when it is dropped.
pub struct RecycledFile {
    file: File,
    path: PathBuf,
    at: u64,
    block: Vec<u8>,
}

impl RecycledFile {
    /// Writes the whole file once and syncs it.
    pub fn create(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("sync-baseline");
        let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        let block = vec![0x5A; 1024 * 1024];
        for at in (0..LENGTH).step_by(block.len()) {
            file.write_all_at(&block, at).with_context(|| format!("cannot write {}", path.display()))?;
        }
        file.sync_all()?;
        Ok(Self { file, path, at: 0, block })
    }

    /// Writes so many bytes at the next place and syncs them, again and again for this long.
    pub fn measure(&mut self, bytes: usize, length: Duration) -> anyhow::Result<Latencies> {
        let mut times = Latencies::new();
        let end = Instant::now() + length;
        while Instant::now() < end {
            times.record(self.write_and_sync(bytes)?);
        }
        Ok(times)
    }

    /// One write of so many bytes (at most a MiB) and one sync.
    pub fn write_and_sync(&mut self, bytes: usize) -> anyhow::Result<Duration> {
        let block = self.block.get(..bytes.clamp(1, self.block.len())).unwrap_or_default();
        if self.at + block.len() as u64 > LENGTH {
            self.at = 0;
        }
        let started = Instant::now();
        self.file.write_all_at(block, self.at)?;
        rustix::fs::fdatasync(&self.file)?;
        self.at += block.len() as u64;
        Ok(started.elapsed())
    }
}

impl Drop for RecycledFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether a folder is kept in memory, where a sync costs and means nothing.
pub fn is_in_memory(folder: &Path) -> bool {
    /// `TMPFS_MAGIC` and `RAMFS_MAGIC` of `statfs(2)`.
    const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58F6];
    rustix::fs::statfs(folder).is_ok_and(|info| IN_MEMORY.contains(&info.f_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_go_round_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RecycledFile::create(folder.path()).unwrap();
        for _ in 0..70 {
            file.write_and_sync(1024 * 1024).unwrap();
        }
        assert_eq!(std::fs::metadata(folder.path().join("sync-baseline")).unwrap().len(), LENGTH);
        assert!(file.measure(512, Duration::from_millis(5)).unwrap().len() > 0);
        drop(file);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn memory_is_told_from_a_disk() {
        assert!(is_in_memory(Path::new("/dev/shm")) || !Path::new("/dev/shm").exists());
        assert!(!is_in_memory(Path::new("/proc")));
    }
}
