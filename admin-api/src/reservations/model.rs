use admin_core::{Amount, ApiError, Moved, UnixMillis};
use admin_store::MoneyOperationRow;
use iso8583::domain::Currency;
use ledger::{HoldView, Millis};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::transfers::{signed, statement};

/// A hold to be.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewEclipseReservation {
    /// Above zero holds for a debit, below zero for a credit
    pub amount: Amount,
    /// When the hold ends by itself
    pub expires: UnixMillis,
    /// Owner of the hold
    #[schema(min_length = 6, max_length = 100)]
    pub session_id: String,
    #[schema(max_length = 200)]
    pub description: Option<String>,
    /// Unique over the whole platform; a second hold of the same is refused
    #[schema(min_length = 6, max_length = 100)]
    pub external_unique_id: Option<String>,
    /// Nothing is held: it is only said whether it could be
    pub only_check: Option<bool>,
}

/// A hold.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    reservation_id: i64,
    wallet_id: i64,
    /// As it was placed
    amount: Amount,
    /// What is still held of it
    held: Amount,
    currency: String,
    /// OPEN, or CLOSED: released, used up or expired
    status: String,
    expires: UnixMillis,
    session_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_unique_id: Option<String>,
    created: UnixMillis,
}

impl NewEclipseReservation {
    /// Not zero, and exact in the currency.
    pub fn minor(&self, currency: Currency) -> Result<i64, ApiError> {
        let rule = format!("not zero, with at most {} decimals", currency.exponent());
        let minor = self.amount.to_minor(currency.exponent()).filter(|minor| *minor != 0 && *minor != i64::MIN);
        minor.ok_or_else(|| ApiError::validation(&self.amount.to_string(), "NewEclipseReservation", "amount", &rule))
    }

    /// What statements show.
    pub fn record(&self) -> Vec<u8> {
        statement("reservation", self.description.as_deref())
    }
}

impl Reservation {
    pub fn placed(
        moved: &Moved,
        wallet_id: i64,
        body: NewEclipseReservation,
        currency: Currency,
        amount: i64,
        hold: HoldView,
    ) -> Self {
        Self::new(moved.id, wallet_id, body, currency, amount, Some(hold), signed(moved.outcome.at))
    }

    /// `placed`: when, by the ledger's clock, as long as it knows.
    pub fn of_row(
        row: MoneyOperationRow,
        currency: Currency,
        hold: Option<HoldView>,
        placed: Option<Millis>,
    ) -> Result<Self, ApiError> {
        let body: NewEclipseReservation = admin_core::profile(&row.request)?;
        let created = placed.map_or(row.created_at, signed);
        Ok(Self::new(row.id, row.from_wallet.unwrap_or_default(), body, currency, row.amount, hold, created))
    }

    fn new(
        reservation_id: i64,
        wallet_id: i64,
        body: NewEclipseReservation,
        currency: Currency,
        amount: i64,
        hold: Option<HoldView>,
        created: i64,
    ) -> Self {
        let minor = |minor| Amount::from_minor(minor, currency.exponent());
        Self {
            reservation_id,
            wallet_id,
            amount: minor(amount),
            held: minor(hold.map_or(0, |hold| hold.amount)),
            currency: currency.code().to_owned(),
            status: if hold.is_some() { "OPEN" } else { "CLOSED" }.into(),
            expires: body.expires,
            session_id: body.session_id,
            description: body.description,
            external_unique_id: body.external_unique_id,
            created: UnixMillis(created),
        }
    }
}
