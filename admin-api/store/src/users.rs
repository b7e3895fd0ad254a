//! Who may log in.

use sqlx::FromRow;

use crate::error::StoreError;
use crate::store::{Store, Transaction, now};

pub struct NewUser<'a> {
    /// `None` for the platform's own people.
    pub tenant_id: Option<i64>,
    pub identity: &'a str,
    /// PHC string of Argon2id.
    pub password_hash: &'a str,
    /// Comma lists of global roles and of positions in the tenant.
    pub roles: &'a str,
    pub positions: &'a str,
}

#[derive(Clone, FromRow)]
pub struct UserRow {
    pub id: i64,
    pub tenant_id: Option<i64>,
    pub identity: String,
    pub password_hash: String,
    pub roles: String,
    pub positions: String,
    pub failed_logins: i64,
    /// Unix milliseconds; 0 when not locked.
    pub locked_until: i64,
}

impl NewUser<'_> {
    pub async fn insert(&self, change: &mut Transaction) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(
            "INSERT INTO users (tenant_id, identity, password_hash, roles, positions, created_at)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        )
        .bind(self.tenant_id)
        .bind(self.identity)
        .bind(self.password_hash)
        .bind(self.roles)
        .bind(self.positions)
        .bind(now())
        .fetch_one(&mut **change)
        .await?)
    }
}

impl Store {
    /// Identities are unique over all tenants, because log-in does not name one.
    pub async fn user(&self, identity: &str) -> Result<Option<UserRow>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT id, tenant_id, identity, password_hash, roles, positions, failed_logins, locked_until
             FROM users WHERE identity = $1",
        )
        .bind(identity)
        .fetch_optional(&self.readers)
        .await?)
    }

    /// Takes one log-in attempt before the password is looked at, so that parallel guesses cannot exceed the limit.
    /// Reaching `limit` locks the user until `locked_until`. Gives whether the attempt may be made.
    pub async fn take_login_attempt(
        &self,
        id: i64,
        limit: i64,
        now: i64,
        locked_until: i64,
    ) -> Result<bool, StoreError> {
        let mut change = self.begin().await?;
        let taken = sqlx::query(
            "UPDATE users SET
                 failed_logins = CASE WHEN failed_logins + 1 >= $2 THEN 0 ELSE failed_logins + 1 END,
                 locked_until = CASE WHEN failed_logins + 1 >= $2 THEN $4 ELSE 0 END
             WHERE id = $1 AND locked_until <= $3",
        )
        .bind(id)
        .bind(limit)
        .bind(now)
        .bind(locked_until)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(taken.rows_affected() == 1)
    }

    /// Gives the attempts back after a right password.
    pub async fn forgive_logins(&self, id: i64) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        sqlx::query("UPDATE users SET failed_logins = 0, locked_until = 0 WHERE id = $1")
            .bind(id)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(())
    }
}
