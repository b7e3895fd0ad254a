//! One SQL text for both engines: what is written here runs on SQLite and on PostgreSQL.
//!
//! Texts are literals with `$n` placeholders in the subset that both understand; a test prepares every one of them on
//! both. Times and ids are bound, never computed by the engine.

use std::borrow::Cow;
use std::fmt::Write;

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, PgPool, SqliteConnection, SqlitePool};

use crate::error::StoreError;
use crate::store::Page;

/// A value to bind.
#[derive(Clone)]
pub enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Boolean(bool),
}

macro_rules! value_from {
    ($($from:ty => |$name:ident| $value:expr;)*) => {
        $(impl From<$from> for Value {
            fn from($name: $from) -> Self {
                $value
            }
        })*
    };
}

value_from! {
    i64 => |value| Self::Integer(Some(value));
    Option<i64> => |value| Self::Integer(value);
    &str => |value| Self::Text(Some(value.to_owned()));
    Option<&str> => |value| Self::Text(value.map(str::to_owned));
    String => |value| Self::Text(Some(value));
    &String => |value| Self::Text(Some(value.clone()));
    Option<String> => |value| Self::Text(value);
    &[u8] => |value| Self::Bytes(Some(value.to_vec()));
    &Vec<u8> => |value| Self::Bytes(Some(value.clone()));
    bool => |value| Self::Boolean(value);
}

/// A row that can be read from either engine; `row!` makes one, and so are tuples.
pub trait FromDb: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> FromDb for T {}

/// A struct that is read from columns of its fields' names. sqlx's own derive would have both drivers built a second time,
/// for the compiler's use.
macro_rules! row {
    ($(#[$attribute:meta])* $visible:vis struct $name:ident {
        $($(#[$of_field:meta])* $field_visible:vis $field:ident: $kind:ty,)*
    }) => {
        $(#[$attribute])*
        $visible struct $name {
            $($(#[$of_field])* $field_visible $field: $kind,)*
        }

        impl sqlx::FromRow<'_, sqlx::sqlite::SqliteRow> for $name {
            fn from_row(row: &sqlx::sqlite::SqliteRow) -> Result<Self, sqlx::Error> {
                Ok(Self { $($field: sqlx::Row::try_get(row, stringify!($field))?,)* })
            }
        }

        impl sqlx::FromRow<'_, sqlx::postgres::PgRow> for $name {
            fn from_row(row: &sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
                Ok(Self { $($field: sqlx::Row::try_get(row, stringify!($field))?,)* })
            }
        }
    };
}

pub(crate) use row;

/// Connections to one of the engines.
#[derive(Clone)]
pub enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A change of rows. Dropped before its commit, it has not happened.
pub enum Transaction {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Transaction {
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(change) => change.commit().await?,
            Self::Postgres(change) => change.commit().await?,
        }
        Ok(())
    }
}

/// Where a statement runs.
pub enum On<'a> {
    SqlitePool(&'a SqlitePool),
    Sqlite(&'a mut SqliteConnection),
    PostgresPool(&'a PgPool),
    Postgres(&'a mut PgConnection),
}

impl<'a> From<&'a Pool> for On<'a> {
    fn from(pool: &'a Pool) -> Self {
        match pool {
            Pool::Sqlite(pool) => Self::SqlitePool(pool),
            Pool::Postgres(pool) => Self::PostgresPool(pool),
        }
    }
}

impl<'a> From<&'a mut Transaction> for On<'a> {
    fn from(change: &'a mut Transaction) -> Self {
        match change {
            Transaction::Sqlite(change) => Self::Sqlite(change),
            Transaction::Postgres(change) => Self::Postgres(change),
        }
    }
}

/// A statement with its values.
pub struct Sql {
    /// A literal, or one whose list of placeholders was repeated.
    text: Cow<'static, str>,
    values: Vec<Value>,
}

/// A statement. The text stands in the call itself, where the test that prepares all of them finds it.
pub fn sql(text: &'static str) -> Sql {
    Sql { text: Cow::Borrowed(text), values: Vec::new() }
}

/// Runs `$act` with the query of whichever engine it is.
macro_rules! run {
    ($make:path, $sql:expr, $on:expr, |$query:ident, $executor:ident| $act:expr) => {{
        let Sql { text, values } = $sql;
        macro_rules! bound {
            () => {
                values.into_iter().fold($make(AssertSqlSafe(text)), |query, value| match value {
                    Value::Integer(value) => query.bind(value),
                    Value::Text(value) => query.bind(value),
                    Value::Bytes(value) => query.bind(value),
                    Value::Boolean(value) => query.bind(value),
                })
            };
        }
        match $on.into() {
            On::SqlitePool($executor) => {
                let $query = bound!();
                $act
            }
            On::Sqlite($executor) => {
                let $query = bound!();
                $act
            }
            On::PostgresPool($executor) => {
                let $query = bound!();
                $act
            }
            On::Postgres($executor) => {
                let $query = bound!();
                $act
            }
        }
    }};
}

/// `($1, $2), ($3, $4)`.
fn placeholders(columns: usize, rows: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for place in 0..rows * columns {
        text.push_str(match place {
            0 => "(",
            _ if place % columns == 0 => "), (",
            _ => ", ",
        });
        // Writing into memory cannot fail.
        let _ = write!(text, "${}", place + 1);
    }
    text.push(')');
    text
}

impl Sql {
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// For a literal with `VALUES ($1, …, $n)` and no placeholder elsewhere: that list once for each row, in one
    /// statement. Rows are of n values each.
    pub fn rows(mut self, rows: impl IntoIterator<Item = Vec<Value>>) -> Self {
        const LIST: &str = "VALUES (";
        let columns = self.text.matches('$').count();
        let list = self.text.find(LIST).and_then(|at| {
            let end = self.text.get(at..)?.find(')')?;
            Some((at + LIST.len() - 1, at + end + 1))
        });
        rows.into_iter().for_each(|row| self.values.extend(row));
        if let (Some((from, to)), true) = (list, columns > 0) {
            let lists = placeholders(columns, self.values.len() / columns);
            let (head, tail) = (self.text.get(..from).unwrap_or_default(), self.text.get(to..).unwrap_or_default());
            self.text = Cow::Owned(format!("{head}{lists}{tail}"));
        }
        self
    }

    /// Binds the last three values of a list: behind which place, how many, leaving out how many.
    pub fn page(self, page: Page) -> Self {
        self.bind(page.after).bind(page.limit).bind(page.offset)
    }

    /// All rows.
    pub async fn all<T: FromDb>(self, on: impl Into<On<'_>>) -> Result<Vec<T>, StoreError> {
        run!(sqlx::query_as, self, on, |query, executor| Ok(query.fetch_all(executor).await?))
    }

    pub async fn optional<T: FromDb>(self, on: impl Into<On<'_>>) -> Result<Option<T>, StoreError> {
        run!(sqlx::query_as, self, on, |query, executor| Ok(query.fetch_optional(executor).await?))
    }

    pub async fn one<T: FromDb>(self, on: impl Into<On<'_>>) -> Result<T, StoreError> {
        run!(sqlx::query_as, self, on, |query, executor| Ok(query.fetch_one(executor).await?))
    }

    /// The only column of the only row.
    pub async fn value<T>(self, on: impl Into<On<'_>>) -> Result<T, StoreError>
    where
        (T,): FromDb,
    {
        Ok(self.one::<(T,)>(on).await?.0)
    }

    /// The only column of the row there may be.
    pub async fn optional_value<T>(self, on: impl Into<On<'_>>) -> Result<Option<T>, StoreError>
    where
        (T,): FromDb,
    {
        Ok(self.optional::<(T,)>(on).await?.map(|(value,)| value))
    }

    /// Gives the number of rows that were changed.
    pub async fn run(self, on: impl Into<On<'_>>) -> Result<u64, StoreError> {
        run!(sqlx::query, self, on, |query, executor| Ok(query.execute(executor).await?.rows_affected()))
    }

    /// For an update that names the version its caller has read and gives the new row: none means that somebody else
    /// was faster.
    pub async fn one_versioned<T: FromDb>(self, on: impl Into<On<'_>>) -> Result<T, StoreError> {
        self.optional(on).await?.ok_or(StoreError::StaleVersion)
    }

    /// The same without the row.
    pub async fn run_versioned(self, on: impl Into<On<'_>>) -> Result<(), StoreError> {
        if self.run(on).await? == 0 { Err(StoreError::StaleVersion) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_there_once_for_each_row() {
        let row = |number: i64| vec![Value::from(number), Value::from(number), Value::from(number)];
        let upsert = sql("INSERT INTO account_balances (account, balance, pending) VALUES ($1, $2, $3)
             ON CONFLICT (account) DO UPDATE SET balance = excluded.balance");
        let statement = upsert.rows([row(1), row(2)]);
        assert!(statement.text.contains("VALUES ($1, $2, $3), ($4, $5, $6)\n"), "{}", statement.text);
        assert!(statement.text.ends_with("SET balance = excluded.balance"), "{}", statement.text);
        assert_eq!(statement.values.len(), 6);
    }
}
