//! Failures of the store.

/// Why a statement gave no result.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("database: {0}")]
    Sql(#[from] sqlx::Error),
    /// The database was last used by a newer program.
    #[error(
        "the database has schema {found}, this program knows {known}: start the newer program again, or restore a \
         database from before it"
    )]
    FromTheFuture { found: i64, known: i64 },
    #[error("database schema: {0}")]
    Schema(String),
    #[error("a stored card number does not decipher; is this the database's own HSM?")]
    Cipher,
    /// The row has another version than the caller has read.
    #[error("the row has been changed by somebody else; read it again")]
    StaleVersion,
}
