//! Card networks that bring authorizations.

use crate::error::StoreError;
use crate::sql::{Transaction, sql};
use crate::store::{Store, now};

pub struct NewNetwork<'a> {
    pub tenant_id: i64,
    /// DE 33 of what it sends: 1 to 11 digits.
    pub institution: &'a str,
    /// DE 32 of what is sent to it.
    pub acquirer_id: &'a str,
    pub key_scheme: &'a str,
    /// Zone master key under the LMK.
    pub zmk: &'a str,
    pub zmk_kcv: &'a str,
    /// Of what is owed to it.
    pub account: i64,
}

impl Store {
    /// The row of the network that calls itself so in DE 33.
    pub async fn network_named(&self, institution: &str) -> Result<Option<i64>, StoreError> {
        sql("SELECT id FROM networks WHERE institution = $1").bind(institution).optional_value(&self.readers).await
    }
}

impl NewNetwork<'_> {
    /// Gives the row's id.
    pub async fn insert(&self, change: &mut Transaction) -> Result<i64, StoreError> {
        let id = sql(
            "INSERT INTO networks (tenant_id, institution, acquirer_id, active, key_scheme, zmk, zmk_kcv, account, created_at,
                                   modified_at)
             VALUES ($1, $2, $3, TRUE, $4, $5, $6, $7, $8, $8) RETURNING id",
        )
        .bind(self.tenant_id)
        .bind(self.institution)
        .bind(self.acquirer_id)
        .bind(self.key_scheme)
        .bind(self.zmk)
        .bind(self.zmk_kcv)
        .bind(self.account)
        .bind(now())
        .value(&mut *change)
        .await?;
        crate::directory_feed::note_network(change, id).await?;
        Ok(id)
    }
}
