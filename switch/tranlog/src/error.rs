//! Why the log cannot be read or written.

use std::path::{Path, PathBuf};

/// None of these loses a transaction: the journal has them all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no transaction log at {}; name the data directory of a daemon, or its folder tranlog", .0.display())]
    Missing(PathBuf),
    #[error("the transaction log at {} is in use; stop the daemon that writes it, or look at a copy", .0.display())]
    InUse(PathBuf),
    #[error(
        "the transaction log at {} cannot be read or written: {source}. If the disk is full, make room; if the log is damaged, stop the daemon and remove this folder, and the next start makes it anew from the journal",
        folder.display()
    )]
    Engine { folder: PathBuf, source: fjall::Error },
    #[error(
        "the transaction log at {} ends at event {seq} and was given event {given}; stop the daemon and remove this folder, and the next start makes it anew from the journal",
        folder.display()
    )]
    Gap { folder: PathBuf, seq: u64, given: u64 },
    #[error(
        "the transaction log at {} holds a row that it has not written; remove this folder while the daemon is stopped, and the next start makes it anew from the journal",
        .0.display()
    )]
    Foreign(PathBuf),
}

impl Error {
    pub(crate) fn engine(folder: &Path) -> impl Fn(fjall::Error) -> Self {
        move |source| match source {
            fjall::Error::Locked => Self::InUse(folder.to_owned()),
            source => Self::Engine { folder: folder.to_owned(), source },
        }
    }
}
