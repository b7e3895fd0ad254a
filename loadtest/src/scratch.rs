//! Where a measurement keeps its files.

use std::path::Path;

use anyhow::Context;
use tempfile::TempDir;

/// A new folder in `parent`, or where the system keeps temporary files; gone when it is dropped.
pub fn folder(parent: Option<&Path>) -> anyhow::Result<TempDir> {
    let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
    let folder = tempfile::Builder::new().prefix("loadtest-").tempdir_in(&parent);
    folder.with_context(|| format!("cannot make a folder in {}; choose another --dir", parent.display()))
}
