//! Who may log in, and the log-ins whose tokens are accepted.

use crate::error::StoreError;
use crate::scope::Scope;
use crate::sql::{Transaction, row, sql};
use crate::store::{Page, Store, now};

pub struct NewUser<'a> {
    /// Both `None` for the platform's own people.
    pub tenant_id: Option<i64>,
    pub institution_id: Option<i64>,
    pub identity: &'a str,
    /// PHC string of Argon2id; empty: no log-in with a password.
    pub password_hash: &'a str,
    /// Comma lists of global roles and of positions in the tenant.
    pub roles: &'a str,
    pub positions: &'a str,
    /// JSON.
    pub profile: &'a str,
}

row! {
    #[derive(Clone)]
    pub struct UserRow {
        pub id: i64,
        pub tenant_id: Option<i64>,
        pub institution_id: Option<i64>,
        pub identity: String,
        pub password_hash: String,
        pub roles: String,
        pub positions: String,
        pub profile: String,
        pub status: String,
        /// Unix milliseconds; 0 when not locked.
        pub locked_until: i64,
        pub version: i64,
        pub created_at: i64,
        pub modified_at: i64,
    }
}

impl NewUser<'_> {
    pub async fn insert(&self, change: &mut Transaction) -> Result<UserRow, StoreError> {
        sql("INSERT INTO users (tenant_id, institution_id, identity, password_hash, roles, positions, profile,
                                created_at, modified_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING id, tenant_id, institution_id, identity, password_hash, roles, positions, profile, status,
                       locked_until, version, created_at, modified_at")
        .bind(self.tenant_id)
        .bind(self.institution_id)
        .bind(self.identity)
        .bind(self.password_hash)
        .bind(self.roles)
        .bind(self.positions)
        .bind(self.profile)
        .bind(now())
        .one(change)
        .await
    }
}

impl Store {
    /// Identities are unique over all tenants, because log-in does not name one.
    pub async fn user(&self, identity: &str) -> Result<Option<UserRow>, StoreError> {
        sql("SELECT id, tenant_id, institution_id, identity, password_hash, roles, positions, profile, status,
                    locked_until, version, created_at, modified_at
             FROM users WHERE identity = $1")
        .bind(identity)
        .optional(&self.readers)
        .await
    }

    /// A tenant's user. Those of the platform and of institutions are not among them.
    pub async fn tenant_user(&self, scope: Scope, id: i64) -> Result<Option<UserRow>, StoreError> {
        sql("SELECT id, tenant_id, institution_id, identity, password_hash, roles, positions, profile, status,
                    locked_until, version, created_at, modified_at
             FROM users WHERE id = $1 AND tenant_id = $2")
        .bind(id)
        .bind(scope.tenant())
        .optional(&self.readers)
        .await
    }

    pub async fn tenant_users(&self, scope: Scope, page: Page) -> Result<Vec<UserRow>, StoreError> {
        sql("SELECT id, tenant_id, institution_id, identity, password_hash, roles, positions, profile, status,
                    locked_until, version, created_at, modified_at
             FROM users WHERE tenant_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR id > $2)
             ORDER BY id LIMIT $3 OFFSET $4")
        .bind(scope.tenant())
        .page(page)
        .all(&self.readers)
        .await
    }

    /// Writes what may change of a user: everything but id, tenant and identity.
    pub async fn update_user(
        &self,
        change: &mut Transaction,
        scope: Scope,
        row: &UserRow,
        version: i64,
    ) -> Result<UserRow, StoreError> {
        sql("UPDATE users SET password_hash = $4, positions = $5, profile = $6, status = $7, modified_at = $8,
                    version = version + 1
             WHERE id = $1 AND tenant_id = $2 AND version = $3
             RETURNING id, tenant_id, institution_id, identity, password_hash, roles, positions, profile, status,
                       locked_until, version, created_at, modified_at")
        .bind(row.id)
        .bind(scope.tenant())
        .bind(version)
        .bind(&row.password_hash)
        .bind(&row.positions)
        .bind(&row.profile)
        .bind(&row.status)
        .bind(now())
        .one_versioned(change)
        .await
    }

    /// Removes a user with all log-ins.
    pub async fn delete_user(&self, change: &mut Transaction, scope: Scope, id: i64) -> Result<(), StoreError> {
        sql("DELETE FROM users WHERE id = $1 AND tenant_id = $2")
            .bind(id)
            .bind(scope.tenant())
            .run_versioned(change)
            .await
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
        let taken = sql("UPDATE users SET
                 failed_logins = CASE WHEN failed_logins + 1 >= $2 THEN 0 ELSE failed_logins + 1 END,
                 locked_until = CASE WHEN failed_logins + 1 >= $2 THEN $4 ELSE 0 END
             WHERE id = $1 AND locked_until <= $3")
        .bind(id)
        .bind(limit)
        .bind(now)
        .bind(locked_until)
        .run(&mut change)
        .await?;
        change.commit().await?;
        Ok(taken == 1)
    }

    /// Gives the attempts back after a right password, and opens a session, unless the user has been changed since he
    /// was read. Log-ins that are over go on the way.
    pub async fn open_session(&self, user: &UserRow, session: &str, expires_at: i64) -> Result<(), StoreError> {
        let mut change = self.begin().await?;
        sql("UPDATE users SET failed_logins = 0, locked_until = 0
             WHERE id = $1 AND version = $2 AND status = 'ACTIVE'")
        .bind(user.id)
        .bind(user.version)
        .run_versioned(&mut change)
        .await?;
        sql("DELETE FROM sessions WHERE expires_at <= $1").bind(now()).run(&mut change).await?;
        sql("INSERT INTO sessions (id, user_id, expires_at) VALUES ($1, $2, $3)")
            .bind(session)
            .bind(user.id)
            .bind(expires_at)
            .run(&mut change)
            .await?;
        change.commit().await
    }

    /// The user of a session, if it is open.
    pub async fn session_user(&self, session: &str) -> Result<Option<UserRow>, StoreError> {
        sql("SELECT u.id, u.tenant_id, u.institution_id, u.identity, u.password_hash, u.roles, u.positions, u.profile,
                    u.status, u.locked_until, u.version, u.created_at, u.modified_at
             FROM sessions s JOIN users u ON u.id = s.user_id
             WHERE s.id = $1 AND s.expires_at > $2 AND u.status = 'ACTIVE'")
        .bind(session)
        .bind(now())
        .optional(&self.readers)
        .await
    }

    /// Lets a session live longer. Gives whether it was open.
    pub async fn extend_session(&self, session: &str, expires_at: i64) -> Result<bool, StoreError> {
        let mut change = self.begin().await?;
        let open = sql("UPDATE sessions SET expires_at = $2 WHERE id = $1 AND expires_at > $3")
            .bind(session)
            .bind(expires_at)
            .bind(now())
            .run(&mut change)
            .await?;
        change.commit().await?;
        Ok(open == 1)
    }

    pub async fn close_session(&self, change: &mut Transaction, session: &str) -> Result<(), StoreError> {
        sql("DELETE FROM sessions WHERE id = $1").bind(session).run(change).await?;
        Ok(())
    }

    /// Ends all log-ins of a user: his password is another one now.
    pub async fn close_sessions_of(&self, change: &mut Transaction, user: i64) -> Result<(), StoreError> {
        sql("DELETE FROM sessions WHERE user_id = $1").bind(user).run(change).await?;
        Ok(())
    }
}
