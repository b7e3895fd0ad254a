//! A fresh database for a test: SQLite in a temporary folder, or where `UMBRA_TEST_DATABASE` is `postgres` a new
//! database on the server that libpq's variables name (`pg_virtualenv` sets them).

use std::sync::atomic::{AtomicU64, Ordering};

use admin_store::Database;

/// The database, and the folder that goes with it.
pub struct Fresh {
    pub database: Database,
    _folder: tempfile::TempDir,
}

pub fn is_postgres() -> bool {
    std::env::var("UMBRA_TEST_DATABASE").is_ok_and(|kind| kind == "postgres")
}

pub async fn fresh() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let database = if is_postgres() { postgres().await } else { Database::Sqlite(folder.path().join("umbra.sqlite")) };
    Fresh { database, _folder: folder }
}

async fn postgres() -> Database {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("umbra_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let made = tokio::process::Command::new("createdb").arg(&name).status().await.unwrap();
    assert!(made.success(), "createdb failed; run the tests under pg_virtualenv, as tests/run does");
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let (user, password) = (variable("PGUSER"), variable("PGPASSWORD"));
    let (host, port) = (variable("PGHOST"), variable("PGPORT"));
    Database::Postgres(format!("postgres://{user}:{password}@{host}:{port}/{name}"))
}
