use admin_core::{Amount, Moved, UnixMillis};
use iso8583::domain::Currency;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A transfer to be.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewEclipseTransfer {
    pub from_wallet_id: i64,
    pub to_wallet_id: i64,
    pub amount: Amount,
    #[schema(max_length = 200)]
    pub description: String,
    /// Need not be unique
    #[schema(min_length = 5, max_length = 200)]
    pub external_id: Option<String>,
    /// Unique over the whole platform; a second transfer of the same is refused
    #[schema(min_length = 6, max_length = 200)]
    pub external_unique_id: String,
    #[schema(max_length = 200)]
    pub location: Option<String>,
    /// Both answer once the money has moved
    #[schema(pattern = "^(WHEN_GUARANTEED|WHEN_COMPLETE)$")]
    pub reply_policy: Option<String>,
    #[schema(max_length = 100)]
    pub session_id: Option<String>,
    /// Nothing moves: it is only said whether it could
    pub only_check: Option<bool>,
}

/// A transfer that has been made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalletTransfer {
    transfer_id: i64,
    /// Of the entries in both wallets' transactions
    transaction_id: i64,
    from_wallet_id: i64,
    to_wallet_id: i64,
    amount: Amount,
    currency: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    external_unique_id: String,
    created: UnixMillis,
}

/// A reversal to be.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewEclipseReversal {
    /// Of the transfer
    #[schema(min_length = 6, max_length = 200)]
    pub original_external_unique_id: String,
    /// Unique over the whole platform; a second reversal of the same is refused
    #[schema(min_length = 6, max_length = 200)]
    pub external_unique_id: String,
    /// What goes back; all of it where it is absent
    pub amount: Option<Amount>,
    #[schema(max_length = 200)]
    pub description: Option<String>,
}

/// A reversal that has been made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalletReversal {
    reversal_id: i64,
    transaction_id: i64,
    original_external_unique_id: String,
    external_unique_id: String,
    /// What went back
    amount: Amount,
    currency: String,
    created: UnixMillis,
}

impl NewEclipseTransfer {
    /// What statements show.
    pub fn record(&self) -> Vec<u8> {
        statement("transfer", Some(&self.description))
    }
}

impl NewEclipseReversal {
    pub fn record(&self) -> Vec<u8> {
        statement("reversal", self.description.as_deref())
    }
}

/// The record of an event that statements are made of.
pub fn statement(kind: &str, description: Option<&str>) -> Vec<u8> {
    serde_json::json!({"kind": kind, "description": description}).to_string().into_bytes()
}

pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl WalletTransfer {
    pub fn new(moved: &Moved, body: NewEclipseTransfer, currency: Currency) -> Self {
        Self {
            transfer_id: moved.id,
            transaction_id: signed(moved.outcome.seq),
            from_wallet_id: body.from_wallet_id,
            to_wallet_id: body.to_wallet_id,
            amount: Amount::from_minor(moved.outcome.amount, currency.exponent()),
            currency: currency.code().to_owned(),
            description: body.description,
            external_id: body.external_id,
            external_unique_id: body.external_unique_id,
            created: UnixMillis(signed(moved.outcome.at)),
        }
    }
}

impl WalletReversal {
    pub fn new(moved: &Moved, body: NewEclipseReversal, currency: Currency) -> Self {
        Self {
            reversal_id: moved.id,
            transaction_id: signed(moved.outcome.seq),
            original_external_unique_id: body.original_external_unique_id,
            external_unique_id: body.external_unique_id,
            amount: Amount::from_minor(moved.outcome.amount, currency.exponent()),
            currency: currency.code().to_owned(),
            created: UnixMillis(signed(moved.outcome.at)),
        }
    }
}
