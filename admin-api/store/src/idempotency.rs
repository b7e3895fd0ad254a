//! Answers that are given again under the same `Idempotency-Key`.

use crate::error::StoreError;
use crate::sql::{Transaction, row, sql};
use crate::store::{Store, now};

/// How long an answer is kept.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

row! {
    #[derive(Clone, Debug)]
    pub struct Remembered {
        /// Digest of the request the answer was given to.
        pub request: String,
        /// JSON.
        pub answer: String,
    }
}

impl Store {
    /// Answers of before this moment are forgotten.
    pub fn idempotency_horizon(&self) -> i64 {
        now() - KEPT_MS
    }

    pub async fn remembered(&self, actor: &str, key: &str) -> Result<Option<Remembered>, StoreError> {
        sql("SELECT request, answer FROM idempotency_keys WHERE actor = $1 AND key = $2 AND created_at > $3")
            .bind(actor)
            .bind(key)
            .bind(now() - KEPT_MS)
            .optional(&self.readers)
            .await
    }

    /// Remembers an answer, in the transaction of what it tells. Old ones go on the way.
    pub async fn remember(
        &self,
        change: &mut Transaction,
        actor: &str,
        key: &str,
        request: &str,
        answer: &str,
    ) -> Result<(), StoreError> {
        let now = now();
        sql("DELETE FROM idempotency_keys WHERE created_at <= $1").bind(now - KEPT_MS).run(&mut *change).await?;
        sql("INSERT INTO idempotency_keys (actor, key, request, answer, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(actor)
            .bind(key)
            .bind(request)
            .bind(answer)
            .bind(now)
            .run(change)
            .await?;
        Ok(())
    }
}
