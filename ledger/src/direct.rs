//! A file of the disk written past the system's cache: what is synced anyway need not be copied there first, and a journal
//! that is only read again after a crash need not take its memory.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// Where such writes begin and end, in the file and in memory: enough for every disk of today.
pub const BLOCK: usize = 4096;

/// Memory that begins at a multiple of [`BLOCK`].
pub struct Aligned {
    bytes: Vec<u8>,
    start: usize,
}

impl Aligned {
    /// Of zeros.
    pub fn new(length: usize) -> Self {
        let bytes = vec![0; length + BLOCK];
        // Where the start cannot be told, nothing is aligned and the disk refuses it.
        let start = bytes.as_ptr().align_offset(BLOCK).min(BLOCK);
        Self { bytes, start }
    }

    pub fn get(&self, length: usize) -> &[u8] {
        self.bytes.get(self.start..self.start + length).unwrap_or_default()
    }

    fn get_mut(&mut self, length: usize) -> &mut [u8] {
        self.bytes.get_mut(self.start..self.start + length).unwrap_or_default()
    }

    fn capacity(&self) -> usize {
        self.bytes.len() - BLOCK
    }
}

/// Memory that a file is read into, and the next one again.
#[derive(Default)]
pub struct ReadBuffer(Option<Aligned>);

impl ReadBuffer {
    /// So many bytes of it; what they are is not said.
    pub fn of(&mut self, length: usize) -> &mut [u8] {
        let whole = length.next_multiple_of(BLOCK);
        if self.0.as_ref().is_none_or(|aligned| aligned.capacity() < whole) {
            self.0 = Some(Aligned::new(whole));
        }
        self.0.as_mut().map(|aligned| aligned.get_mut(length)).unwrap_or_default()
    }
}

/// Opens a file so; `None` where its file system has no such thing.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<Option<File>> {
    let flag = i32::try_from(rustix::fs::OFlags::DIRECT.bits()).map_err(io::Error::other)?;
    match options.custom_flags(flag).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(None),
        Err(error) => Err(error),
    }
}

/// The end of a file that is written on and on, behind which there is nothing or zeros.
pub struct DirectLog {
    file: File,
    /// For what stands before the first write in its block.
    plain: File,
    buffer: Aligned,
    /// Where the last write ended, and the block that it ended in as far as it is filled.
    end: u64,
    last: Vec<u8>,
}

impl DirectLog {
    /// `None` where its file system has no such thing.
    pub fn open(path: &Path) -> io::Result<Option<Self>> {
        let Some(file) = open(path, OpenOptions::new().write(true))? else { return Ok(None) };
        let plain = File::open(path)?;
        Ok(Some(Self { file, plain, buffer: Aligned::new(0), end: u64::MAX, last: Vec::new() }))
    }

    /// Whole blocks: what stands before `bytes` in the first, and zeros behind them in the last.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let start = offset - offset % BLOCK as u64;
        let before = usize::try_from(offset - start).map_err(io::Error::other)?;
        if offset != self.end {
            self.last.resize(before, 0);
            self.plain.read_exact_at(&mut self.last, start)?;
        }
        let filled = before + bytes.len();
        let whole = filled.next_multiple_of(BLOCK);
        if self.buffer.capacity() < whole {
            self.buffer = Aligned::new(whole);
        }
        let place = self.buffer.get_mut(whole);
        let (head, rest) = place.split_at_mut(before);
        let (body, fill) = rest.split_at_mut(bytes.len());
        head.copy_from_slice(self.last.get(..before).unwrap_or_default());
        body.copy_from_slice(bytes);
        fill.fill(0);
        self.file.write_all_at(place, start)?;
        let kept = filled % BLOCK;
        self.last.clear();
        self.last.extend_from_slice(place.get(filled - kept..filled).unwrap_or_default());
        self.end = offset + bytes.len() as u64;
        Ok(())
    }

    pub fn sync(&self) -> io::Result<()> {
        rustix::fs::fdatasync(&self.file).map_err(io::Error::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beside the bytes that are wanted: pieces of many lengths, and a start in the middle of a block again and again.
    #[test]
    fn it_writes_what_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut expected = vec![0; 64 * BLOCK];
        let mut offset = 100;
        expected[..offset].fill(7);
        std::fs::write(&path, &expected).unwrap();
        let lengths = [1, 8, 200, BLOCK - 309, BLOCK, 3 * BLOCK + 5, 17, 2 * BLOCK - 22, 0, 9];
        for length in lengths.into_iter().chain(lengths) {
            // As a start finds it.
            let Some(mut log) = DirectLog::open(&path).unwrap() else { return };
            for part in [length, 3, 1900] {
                let bytes: Vec<u8> = (1..=255).cycle().skip(offset % 250).take(part).collect();
                log.write_at(offset as u64, &bytes).unwrap();
                log.sync().unwrap();
                expected[offset..offset + part].copy_from_slice(&bytes);
                offset += part;
            }
            assert!(std::fs::read(&path).unwrap() == expected, "after {length} more bytes, at {offset}");
        }
    }
}
