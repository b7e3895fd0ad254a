//! The handle: who reads, who writes, who waits for whom.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::watch;

use crate::error::StoreError;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Connections for reading.
const READERS: u32 = 4;

/// How long a writer waits for another one.
const BUSY: Duration = Duration::from_secs(5);

pub type Transaction = sqlx::Transaction<'static, sqlx::Sqlite>;

/// Part of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    pub offset: i64,
    pub limit: i64,
}

/// Cheap to clone; all clones speak to one database.
#[derive(Clone)]
pub struct Store {
    pub(crate) readers: SqlitePool,
    /// One connection: writers queue here rather than in the database.
    writer: SqlitePool,
    /// The projection's own connection. It does not sync at commit: what is lost is read from the journal again.
    pub(crate) projector: SqlitePool,
    notices: Arc<Notices>,
}

/// Those who wait for changes are woken here.
struct Notices {
    directory: watch::Sender<()>,
    projected: watch::Sender<u64>,
}

impl Store {
    /// Opens the database file, making it and bringing its schema up to date if need be.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let durable = options.clone().synchronous(SqliteSynchronous::Full);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(durable).await?;
        MIGRATIONS.run(&writer).await.map_err(schema_error)?;
        let rebuildable = options.clone().synchronous(SqliteSynchronous::Normal);
        let projector = SqlitePoolOptions::new().max_connections(1).connect_with(rebuildable).await?;
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_with(options.read_only(true)).await?;
        let notices = Arc::new(Notices { directory: watch::Sender::new(()), projected: watch::Sender::new(0) });
        let store = Self { readers, writer, projector, notices };
        store.notices.projected.send_replace(store.projected_seq().await?);
        Ok(store)
    }

    /// Begins a change. It takes the write lock at once, so that it cannot fail later for having waited.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Commits a change and tells the directory to look again.
    pub async fn commit(&self, change: Transaction) -> Result<(), StoreError> {
        change.commit().await?;
        self.notices.directory.send_replace(());
        Ok(())
    }

    /// Wakes when a change has been committed through [`Store::commit`].
    pub fn directory_changed(&self) -> watch::Receiver<()> {
        self.notices.directory.subscribe()
    }

    pub(crate) fn projected_to(&self, seq: u64) {
        self.notices.projected.send_replace(seq);
    }

    pub(crate) fn projected(&self) -> watch::Receiver<u64> {
        self.notices.projected.subscribe()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }

    /// Closes all connections, after what they are doing.
    pub async fn close(&self) {
        self.projector.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Unix time in milliseconds, for `created_at` columns.
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn schema_error(error: MigrateError) -> StoreError {
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    match error {
        MigrateError::VersionMissing(found) if found > known => StoreError::FromTheFuture { found, known },
        other => StoreError::Schema(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_schema_from_the_future_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("umbra.sqlite");
        let store = Store::open(&path).await.unwrap();
        let mut change = store.begin().await.unwrap();
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'later', TRUE, x'00', 0)",
        )
        .execute(&mut *change)
        .await
        .unwrap();
        store.commit(change).await.unwrap();
        store.close().await;
        let refused = Store::open(&path).await.map(|_| ()).unwrap_err();
        assert!(matches!(refused, StoreError::FromTheFuture { found: 9999, .. }), "{refused}");
    }

    #[tokio::test]
    async fn an_aborted_change_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("umbra.sqlite")).await.unwrap();
        store.put_key("one", "value", "").await.unwrap();
        let mut change = store.begin().await.unwrap();
        sqlx::query("DELETE FROM keys").execute(&mut *change).await.unwrap();
        drop(change);
        assert_eq!(store.key("one").await.unwrap().as_deref(), Some("value"));
    }
}
