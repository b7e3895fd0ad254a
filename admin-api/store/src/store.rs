//! The handle: who reads, who writes, who waits for whom.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::watch;

use crate::error::StoreError;
use crate::schema;
use crate::sql::{Pool, Transaction, sql};

/// Connections for reading.
const READERS: u32 = 4;

/// Connections to PostgreSQL, for reading and writing.
const POSTGRES_CONNECTIONS: u32 = 12;

/// How long a writer waits for another one, and anybody for a connection.
const BUSY: Duration = Duration::from_secs(5);

/// Which database.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A file, made where it is missing.
    Sqlite(PathBuf),
    /// `postgres://user:password@host:port/name`, with the options of libpq behind a `?`. An empty database is enough.
    Postgres(String),
}

/// Shows no password.
impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "SQLite at {}", path.display()),
            Self::Postgres(_) => f.write_str("PostgreSQL"),
        }
    }
}

impl FromStr for Database {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.to_owned())),
            // What is refused may hold a password.
            Some((scheme, _)) => Err(StoreError::NoDatabase(format!("{scheme}://…"))),
            None => Ok(Self::Sqlite(PathBuf::from(text))),
        }
    }
}

/// Part of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    pub offset: i64,
    pub limit: i64,
    /// Behind the row of this id, in the list's order; whatever is inserted meanwhile, none is lost or shown twice.
    pub after: Option<i64>,
}

impl Page {
    pub fn first(limit: i64) -> Self {
        Self { offset: 0, limit, after: None }
    }
}

/// Cheap to clone; all clones speak to one database.
#[derive(Clone)]
pub struct Store {
    pub(crate) readers: Pool,
    /// On SQLite one connection: writers queue here rather than in the database.
    writer: Pool,
    /// The projection's own connection. On SQLite it does not sync at commit: what is lost with the machine is read from
    /// the journal again.
    pub(crate) projector: Pool,
    notices: Arc<Notices>,
}

/// Those who wait for changes are woken here.
struct Notices {
    directory: watch::Sender<()>,
    projected: watch::Sender<u64>,
}

struct Pools {
    readers: Pool,
    writer: Pool,
    projector: Pool,
}

impl Store {
    /// Opens the database, making it and bringing its schema up to date if need be.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        let Pools { readers, writer, projector } = match database {
            Database::Sqlite(path) => sqlite(path.clone()).await?,
            Database::Postgres(url) => postgres(url).await?,
        };
        let notices = Arc::new(Notices { directory: watch::Sender::new(()), projected: watch::Sender::new(0) });
        let store = Self { readers, writer, projector, notices };
        store.notices.projected.send_replace(store.projected_seq().await?);
        Ok(store)
    }

    /// Begins a change. On SQLite it takes the write lock at once, so that it cannot fail later for having waited.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        begin(&self.writer).await
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

    /// For statements that only read.
    pub fn pool(&self) -> &Pool {
        &self.readers
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sql("SELECT 1").run(&self.readers).await?;
        Ok(())
    }

    /// Closes all connections, after what they are doing.
    pub async fn close(&self) {
        for pool in [&self.projector, &self.readers, &self.writer] {
            match pool {
                Pool::Sqlite(pool) => pool.close().await,
                Pool::Postgres(pool) => pool.close().await,
            }
        }
    }
}

pub(crate) async fn begin(pool: &Pool) -> Result<Transaction, StoreError> {
    Ok(match pool {
        Pool::Sqlite(pool) => Transaction::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
        Pool::Postgres(pool) => Transaction::Postgres(pool.begin().await?),
    })
}

async fn sqlite(path: PathBuf) -> Result<Pools, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .busy_timeout(BUSY);
    let durable = options.clone().synchronous(SqliteSynchronous::Full);
    let writer = Pool::Sqlite(SqlitePoolOptions::new().max_connections(1).connect_with(durable).await?);
    schema::bring_up_to_date(&writer).await?;
    let rebuildable = options.clone().synchronous(SqliteSynchronous::Normal);
    let projector = SqlitePoolOptions::new().max_connections(1).connect_with(rebuildable).await?;
    let readers = SqlitePoolOptions::new().max_connections(READERS).connect_with(options.read_only(true)).await?;
    Ok(Pools { readers: Pool::Sqlite(readers), writer, projector: Pool::Sqlite(projector) })
}

async fn postgres(url: &str) -> Result<Pools, StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::NoDatabase("a postgres:// address that does not read".into()))?
        .application_name("umbra");
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(BUSY)
        .connect_with(options.clone())
        .await?;
    let pool = Pool::Postgres(pool);
    schema::bring_up_to_date(&pool).await?;
    // It syncs like the rest: the server can lose what it has answered while this process, and its feed, go on.
    let projector = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
    Ok(Pools { readers: pool.clone(), writer: pool, projector: Pool::Postgres(projector) })
}

/// Unix time in milliseconds, for `created_at` columns.
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_named_by_path_or_address() {
        assert_eq!("a/b.sqlite".parse::<Database>().unwrap(), Database::Sqlite("a/b.sqlite".into()));
        let postgres = "postgres://me:secret@localhost/umbra".parse::<Database>().unwrap();
        assert!(!format!("{postgres:?}").contains("secret"));
        let refused = "mysql://me:secret@localhost/umbra".parse::<Database>().unwrap_err().to_string();
        assert!(refused.contains("mysql") && !refused.contains("secret"), "{refused}");
    }
}
