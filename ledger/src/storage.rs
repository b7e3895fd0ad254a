//! Where the journal's files are. A trait, so that tests can take power away at any call.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::direct::{self, Aligned, BLOCK, DirectLog, ReadBuffer};

/// A folder of files.
pub trait Storage: Send + Sync {
    fn list(&self) -> io::Result<Vec<String>>;
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
    /// As `read`, into memory that was used for another file before.
    fn read_into<'b>(&self, name: &str, buffer: &'b mut ReadBuffer) -> io::Result<&'b [u8]> {
        let bytes = self.read(name)?;
        let place = buffer.of(bytes.len());
        place.copy_from_slice(&bytes);
        Ok(place)
    }
    /// The file from its start, for one that is too large to be read at once.
    fn reader(&self, name: &str) -> io::Result<Box<dyn Read + Send>>;
    /// Makes a file of `size` zeros, written and synced; replaces one of that name.
    fn create(&self, name: &str, size: u64) -> io::Result<()>;
    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>>;
    /// Opens a file that is written on and on: behind what is written stands nothing, or zeros.
    fn open_log(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.open(name)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes created, renamed and removed names durable.
    fn sync_dir(&self) -> io::Result<()>;
}

/// An open file.
pub trait StorageFile: Send {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns when what was written is durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// A folder on disk that one process owns.
pub struct FileStorage {
    folder: PathBuf,
    /// Locked as long as it is open.
    _lock: Option<File>,
}

impl FileStorage {
    /// Makes the folder if need be and takes its lock; a second process is refused.
    pub fn open(folder: &Path) -> io::Result<Self> {
        if !folder.is_dir() {
            fs::create_dir_all(folder).map_err(|error| at(folder, error))?;
            // A folder whose name is lost with the power takes everything in it along.
            if let Some(parent) = folder.parent().filter(|parent| parent.is_dir()) {
                File::open(parent)?.sync_all()?;
            }
        }
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock"))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            let text = format!("the ledger in {} is in use by another process; stop that one first", folder.display());
            io::Error::new(io::ErrorKind::ResourceBusy, text)
        })?;
        Ok(Self { folder: folder.to_owned(), _lock: Some(lock) })
    }

    /// For reading beside a process that may own the folder.
    pub fn read_only(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), _lock: None }
    }
}

/// An error that names the place.
fn at(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Zeros written at once while a file is prepared.
const FILL: usize = 1 << 20;

impl Storage for FileStorage {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(|error| at(&self.folder, error))? {
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let path = self.folder.join(name);
        fs::read(&path).map_err(|error| at(&path, error))
    }

    fn read_into<'b>(&self, name: &str, buffer: &'b mut ReadBuffer) -> io::Result<&'b [u8]> {
        let path = self.folder.join(name);
        let plain = File::open(&path).map_err(|error| at(&path, error))?;
        let size = plain.metadata()?.len();
        let direct = if is_whole(size) { direct::open(&path, OpenOptions::new().read(true))? } else { None };
        let place = buffer.of(usize::try_from(size).map_err(io::Error::other)?);
        direct.unwrap_or(plain).read_exact_at(place, 0).map_err(|error| at(&path, error))?;
        Ok(place)
    }

    fn reader(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        let path = self.folder.join(name);
        let file = File::open(&path).map_err(|error| at(&path, error))?;
        Ok(Box::new(BufReader::with_capacity(FILL, file)))
    }

    fn create(&self, name: &str, size: u64) -> io::Result<()> {
        let path = self.folder.join(name);
        let plain = File::create(&path)?;
        let direct = if is_whole(size) { direct::open(&path, OpenOptions::new().write(true))? } else { None };
        let mut file = direct.unwrap_or(plain);
        let zeros = Aligned::new(FILL);
        let mut left = size;
        while left > 0 {
            let part = usize::try_from(left.min(FILL as u64)).unwrap_or(FILL);
            file.write_all(zeros.get(part))?;
            left -= part as u64;
        }
        file.sync_all()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        Ok(Box::new(DiskFile(OpenOptions::new().write(true).open(self.folder.join(name))?)))
    }

    fn open_log(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let path = self.folder.join(name);
        let direct = if is_whole(fs::metadata(&path)?.len()) { DirectLog::open(&path)? } else { None };
        match direct {
            Some(log) => Ok(Box::new(log)),
            None => self.open(name),
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.folder.join(from), self.folder.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.folder.join(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

/// Whether a file of this size can be written past the system's cache.
fn is_whole(size: u64) -> bool {
    size.is_multiple_of(BLOCK as u64)
}

impl StorageFile for DirectLog {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        DirectLog::write_at(self, offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        DirectLog::sync(self)
    }
}

struct DiskFile(File);

impl StorageFile for DiskFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        rustix::fs::fdatasync(&self.0).map_err(io::Error::from)
    }
}
