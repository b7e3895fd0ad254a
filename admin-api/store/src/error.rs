//! Failures of the store.

use sqlx::postgres::PgDatabaseError;

use crate::constraints::UNIQUE;

/// Why a statement gave no result.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("database: {0}")]
    Sql(sqlx::Error),
    /// The database was last used by a newer program.
    #[error(
        "the database has schema {found}, this program knows {known}: start the newer program again, or restore a \
         database from before it"
    )]
    FromTheFuture { found: i64, known: i64 },
    #[error("database schema: {0}")]
    Schema(String),
    #[error("{0:?} is no database; write a path to a SQLite file, or postgres://user:password@host/name")]
    NoDatabase(String),
    #[error("a stored value does not decipher; is this the database's own HSM?")]
    Cipher,
    /// The row has another version than the caller has read.
    #[error("the row has been changed by somebody else; read it again")]
    StaleVersion,
    /// A row of the same value is there already.
    #[error("{field} is taken")]
    Taken {
        /// The constraint, as in [`UNIQUE`].
        constraint: &'static str,
        /// As the API names it.
        field: &'static str,
    },
    /// The database has lost what it had: events between are missing.
    #[error(
        "the projection stands at event {seq} and has lost what came after; restart, and it is read from the journal"
    )]
    Gap { seq: i64 },
    /// Account whose sums overflow.
    #[error("account {0} has more on it than a database can say; look at it with `umbra ledger dump`")]
    Balance(i64),
    /// Other rows refer to it, or it refers to one that is not there.
    #[error("something else depends on this")]
    Referred,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else { return Self::Sql(error) };
        if database.is_foreign_key_violation() {
            return Self::Referred;
        }
        if !database.is_unique_violation() {
            return Self::Sql(error);
        }
        let broken = match database.try_downcast_ref::<PgDatabaseError>() {
            Some(postgres) => postgres.constraint().map(str::to_owned),
            // "UNIQUE constraint failed: terminals.terminal_id, terminals.merchant_id"
            None => database.message().rsplit_once(": ").map(|(_, columns)| {
                let table = columns.split('.').next().unwrap_or_default();
                let columns = columns.split(", ").filter_map(|column| column.split_once('.'));
                columns.fold(table.to_owned(), |name, (_, column)| format!("{name}_{column}")) + "_key"
            }),
        };
        let known = broken.and_then(|broken| UNIQUE.iter().find(|(constraint, _)| *constraint == broken));
        match known {
            Some((constraint, field)) => Self::Taken { constraint, field },
            None => Self::Sql(error),
        }
    }
}
