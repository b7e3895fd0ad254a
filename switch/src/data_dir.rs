//! Files of the data directory that other programs read, each written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The layout below `--data-dir`.
#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Makes the directory if need be; nobody but its owner may read it.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(|| {
            format!("cannot make the data directory {}; choose another with --data-dir", path.display())
        })?;
        Ok(Self(path.to_owned()))
    }

    /// Of a directory that is there, or not; nothing is made.
    pub fn below(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn ledger(&self) -> PathBuf {
        self.0.join("ledger")
    }

    pub fn tranlog(&self) -> PathBuf {
        self.0.join("tranlog")
    }

    pub fn database(&self) -> PathBuf {
        self.0.join("umbra.sqlite")
    }

    pub fn demo_file(&self) -> PathBuf {
        self.0.join("demo.json")
    }

    pub fn ready_file(&self) -> PathBuf {
        self.0.join("ready.json")
    }

    /// Takes ready.json away, where there is one: nobody listens at the addresses in it. Only for the daemon that
    /// holds the directory's ledger, because it might be another's.
    pub fn remove_ready_file(&self) -> anyhow::Result<()> {
        let path = self.ready_file();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}; remove it by hand", path.display()))
            }
            _ => Ok(()),
        }
    }
}

/// Writes beside, syncs, renames: a reader sees the old content or the new one. Mode 0600.
pub fn write_whole(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let beside = path.with_extension("json.new");
    let write = || -> std::io::Result<()> {
        // A leftover of a crash could have another mode; it is replaced, not reused.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        match path.parent() {
            Some(parent) => File::open(parent)?.sync_all(),
            None => Ok(()),
        }
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn files_are_replaced_whole_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ready.json");
        write_whole(&path, b"one").unwrap();
        fs::write(dir.path().join("ready.json.new"), b"left by a crash").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
