use admin_core::{Amount, ApiError, Attribute, ErrorCode, UnixMillis};
use admin_store::{MovementRow, WalletRow};
use iso8583::domain::Currency;
use ledger::AccountView;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A wallet with its balances at this moment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Wallet {
    wallet_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<i64>,
    wallet_type_id: i64,
    name: String,
    description: String,
    status: String,
    /// ISO 4217, three letters
    currency: String,
    current_balance: Amount,
    /// The current balance less what is held
    available_balance: Amount,
    /// Sum of open holds
    reservations: Amount,
    /// Reference of bank deposits
    friendly_id: String,
    external_unique_id: String,
    configuration: Vec<Attribute>,
    version: i64,
    created: UnixMillis,
    last_modified: UnixMillis,
}

impl Wallet {
    pub fn new(row: WalletRow, account: &AccountView) -> Result<Self, ApiError> {
        let currency = super::currency(&row)?;
        let amount = |minor| Amount::from_minor(minor, currency.exponent());
        Ok(Self {
            wallet_id: row.id,
            customer_id: row.customer_id,
            wallet_type_id: row.wallet_type_id,
            name: row.name,
            description: row.description,
            status: row.status,
            currency: currency.code().to_owned(),
            current_balance: amount(account.balance),
            available_balance: amount(account.available),
            reservations: amount(account.pending_debits),
            friendly_id: row.friendly_id,
            external_unique_id: row.external_unique_id,
            configuration: admin_core::profile(&row.configuration)?,
            version: row.version,
            created: UnixMillis(row.created_at),
            last_modified: UnixMillis(row.modified_at),
        })
    }
}

/// A wallet to be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewEclipseWallet {
    pub wallet_type_id: i64,
    #[schema(min_length = 3, max_length = 50)]
    pub name: Option<String>,
    #[schema(max_length = 200)]
    pub description: Option<String>,
    /// ACTIVE, BARRED or PENDING
    #[schema(pattern = "^(ACTIVE|BARRED|PENDING)$")]
    pub status: String,
    /// Unique over the whole platform
    #[schema(min_length = 6, max_length = 100)]
    pub external_unique_id: String,
    #[schema(max_items = 100)]
    pub configuration: Option<Vec<Attribute>>,
}

/// What may change of a wallet; what is null or absent stays, but for `configuration`, which is wiped.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalletChange {
    #[schema(min_length = 3, max_length = 50)]
    pub name: Option<String>,
    #[schema(max_length = 200)]
    pub description: Option<String>,
    /// ACTIVE, BARRED, LOCKED or PENDING; a wallet is cancelled by removing it
    #[schema(pattern = "^(ACTIVE|BARRED|LOCKED|PENDING)$")]
    pub status: Option<String>,
    #[schema(min_length = 6, max_length = 100)]
    pub external_unique_id: Option<String>,
    #[schema(pattern = "^[A-Z0-9]{8}$")]
    pub friendly_id: Option<String>,
    /// To a type of the same currency and mode
    pub wallet_type_id: Option<i64>,
    #[schema(max_items = 100)]
    pub configuration: Option<Vec<Attribute>>,
    /// The version last read; a change by somebody else in between is refused
    #[schema(minimum = 0)]
    pub version: Option<i64>,
}

/// Which wallets.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
pub struct Search {
    pub wallet_type_id: Option<i64>,
    pub status: Option<String>,
    pub friendly_id: Option<String>,
    pub external_unique_id: Option<String>,
}

/// A window of time.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
pub struct Dates {
    /// From this moment on, ISO 8601
    #[param(format = DateTime)]
    date_from_incl: Option<String>,
    /// Up to this moment, exclusive
    #[param(format = DateTime)]
    date_to_excl: Option<String>,
}

impl Dates {
    /// Both ends as Unix milliseconds.
    pub fn bounds(&self) -> Result<(Option<i64>, Option<i64>), ApiError> {
        Ok((moment(self.date_from_incl.as_deref())?, moment(self.date_to_excl.as_deref())?))
    }
}

fn moment(text: Option<&str>) -> Result<Option<i64>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let wrong = || ApiError::new(ErrorCode::BadParameter, "a date is written like 2026-01-31T23:59:59.000Z");
    UnixMillis::parse(text).map(|moment| Some(moment.0)).ok_or_else(wrong)
}

/// One entry of a wallet's statement.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WalletTransaction {
    /// Rises with time
    transaction_id: i64,
    wallet_id: i64,
    date: UnixMillis,
    /// Above zero into the wallet
    amount: Amount,
    currency: String,
    /// Of the wallet, afterwards
    balance: Amount,
    /// purchase, cash, cashback, refund, completion, reversal, funding …
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// First six and last four digits
    #[serde(skip_serializing_if = "Option::is_none")]
    pan: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stan: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rrn: Option<String>,
}

/// The record that travelled in the event.
#[derive(Default, Deserialize)]
struct Record {
    #[serde(default)]
    kind: String,
    description: Option<String>,
    card: Option<String>,
    terminal: Option<String>,
    merchant: Option<String>,
    stan: Option<String>,
    rrn: Option<String>,
}

impl WalletTransaction {
    pub fn new(wallet: i64, currency: Currency, row: MovementRow) -> Self {
        let record: Record = serde_json::from_str(&row.record).unwrap_or_default();
        Self {
            transaction_id: row.seq,
            wallet_id: wallet,
            date: UnixMillis(row.at),
            amount: Amount::from_minor(row.amount, currency.exponent()),
            currency: currency.code().to_owned(),
            balance: Amount::from_minor(row.balance, currency.exponent()),
            kind: if record.kind.is_empty() { "adjustment".into() } else { record.kind },
            description: record.description,
            pan: record.card,
            terminal_id: record.terminal,
            merchant_id: record.merchant,
            stan: record.stan,
            rrn: record.rrn,
        }
    }
}
