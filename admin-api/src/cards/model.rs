use admin_core::{ApiError, ErrorCode, UnixMillis};
use admin_store::{CardRow, DataKeys};
use directory::CardStatus;
use serde::{Deserialize, Serialize};
use time::{Date, Month, OffsetDateTime, Time};
use utoipa::{IntoParams, ToSchema};
use zeroize::Zeroizing;

/// A card as the API shows it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    card_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<i64>,
    wallet_id: i64,
    /// First six and last four digits
    pan: String,
    /// Last moment of the expiry month
    expires: UnixMillis,
    /// ACTIVE, INACTIVE, BLOCKED, LOST, STOLEN, RESTRICTED or CANCELLED
    status: String,
    card_holder_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_unique_id: Option<String>,
    #[serde(flatten)]
    profile: CardProfile,
    /// Whether a PIN has been set
    pin_set: bool,
    version: i64,
    created: UnixMillis,
    last_modified: UnixMillis,
}

/// What describes a card.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardProfile {
    #[schema(pattern = "^(VIRTUAL|PHYSICAL)$")]
    card_type: Option<String>,
    #[schema(max_length = 50)]
    card_pack_id: Option<String>,
    #[schema(pattern = "^(PRIMARY_CARD|SUPPLEMENTARY_CARD)$")]
    card_identifier_type: Option<String>,
    #[schema(max_length = 50)]
    program_name: Option<String>,
    card_rules: Option<CardRules>,
}

/// Where a card may be used.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardRules {
    ecommerce_transactions_enabled: Option<bool>,
    international_transactions_enabled: Option<bool>,
}

/// A card to be.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewEclipseCard {
    /// As printed
    #[schema(min_length = 1, max_length = 50)]
    pub card_holder_name: Option<String>,
    /// Unique over the whole platform
    #[schema(min_length = 6, max_length = 100)]
    pub external_unique_id: Option<String>,
    #[serde(flatten)]
    pub profile: CardProfile,
}

/// Which cards.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(rename_all = "camelCase")]
pub struct Search {
    pub status: Option<String>,
    pub external_unique_id: Option<String>,
}

impl Card {
    pub fn new(keys: &DataKeys, row: CardRow) -> Result<Self, ApiError> {
        Ok(Self {
            card_id: row.id,
            customer_id: row.customer_id,
            wallet_id: row.wallet_id,
            pan: keys.open_pan(&row.pan_cipher)?.masked(),
            expires: UnixMillis(end_of_month(&row.expiry)?),
            status: row.status,
            card_holder_name: row.holder_name,
            external_unique_id: row.external_unique_id,
            profile: admin_core::profile(&row.profile)?,
            pin_set: row.pvv.is_some(),
            version: row.version,
            created: UnixMillis(row.created_at),
            last_modified: UnixMillis(row.modified_at),
        })
    }
}

/// `YYMM` to the last millisecond of that month, UTC.
fn end_of_month(expiry: &str) -> Result<i64, ApiError> {
    let first = || {
        let year = 2000 + expiry.get(..2)?.parse::<i32>().ok()?;
        let month = Month::try_from(expiry.get(2..)?.parse::<u8>().ok()?).ok()?;
        let last = Date::from_calendar_date(year, month, month.length(year)).ok()?;
        let moment = OffsetDateTime::new_utc(last, Time::from_hms_milli(23, 59, 59, 999).ok()?);
        i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
    };
    first().ok_or_else(|| ApiError::new(ErrorCode::Unknown, "the card's expiry is not of the form YYMM"))
}

/// What may be changed; what is null or absent stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardChange {
    /// ACTIVE, INACTIVE, BLOCKED, LOST, STOLEN, RESTRICTED or CANCELLED
    #[schema(pattern = "^(ACTIVE|INACTIVE|BLOCKED|LOST|STOLEN|RESTRICTED|CANCELLED)$")]
    status: Option<String>,
    /// Why, when the status changes
    #[schema(min_length = 1, max_length = 100)]
    reason: Option<String>,
    #[schema(min_length = 1, max_length = 50)]
    pub card_holder_name: Option<String>,
    /// Four digits
    #[schema(value_type = Option<String>, format = Password, pattern = "^[0-9]{4}$")]
    pub pin: Option<Pin>,
    /// 0 gives the card all its PIN tries again
    #[schema(minimum = 0, maximum = 0)]
    pub pin_retry_count: Option<i64>,
    #[serde(flatten)]
    pub profile: CardProfile,
    /// The version last read; a change by somebody else in between is refused
    #[schema(minimum = 0)]
    pub version: Option<i64>,
}

/// A PIN on its way to the HSM. It is not shown by `Debug`, and wiped after use.
#[derive(Deserialize)]
#[serde(from = "String")]
pub struct Pin(pub Zeroizing<String>);

impl From<String> for Pin {
    fn from(pin: String) -> Self {
        Self(Zeroizing::new(pin))
    }
}

/// Reported stolen or counterfeit, a card never comes back.
const FINAL: [CardStatus; 2] = [CardStatus::Stolen, CardStatus::Cancelled];

impl CardChange {
    /// The status there is to be.
    pub fn status<'a>(&self, row: &'a CardRow) -> Result<&'a str, ApiError> {
        let Some(wanted) = &self.status else { return Ok(&row.status) };
        let refuse = |rule: &str| Err(ApiError::validation(wanted, "CardChange", "status", rule));
        let Some(status) = CardStatus::parse(wanted) else {
            return refuse("one of ACTIVE, INACTIVE, BLOCKED, LOST, STOLEN, RESTRICTED, CANCELLED");
        };
        if status.as_str() == row.status {
            return Ok(&row.status);
        }
        if CardStatus::parse(&row.status).is_some_and(|status| FINAL.contains(&status)) {
            return refuse("a stolen or cancelled card keeps its status");
        }
        if self.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
            return refuse("a change of status needs a reason");
        }
        Ok(status.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_serves_to_the_last_millisecond() {
        assert_eq!(end_of_month("2802").unwrap(), 1_835_481_599_999);
        assert!(end_of_month("2813").is_err());
        assert!(end_of_month("x").is_err());
    }

    fn row(status: &str) -> CardRow {
        CardRow {
            id: 1,
            tenant_id: 1,
            wallet_id: 1,
            wallet_type_id: 1,
            customer_id: None,
            external_unique_id: None,
            profile: "{}".into(),
            pvk: String::new(),
            pvki: 1,
            pvv: None,
            modified_at: 0,
            pan_cipher: Vec::new(),
            expiry: "3012".into(),
            status: status.into(),
            holder_name: "A".into(),
            version: 0,
            created_at: 0,
        }
    }

    #[test]
    fn status_changes_need_a_reason_and_some_are_final() {
        let change = |status: &str, reason: Option<&str>| CardChange {
            status: Some(status.into()),
            reason: reason.map(str::to_owned),
            ..CardChange::default()
        };
        assert_eq!(change("BLOCKED", Some("LOST")).status(&row("ACTIVE")).unwrap(), "BLOCKED");
        assert_eq!(change("ACTIVE", None).status(&row("ACTIVE")).unwrap(), "ACTIVE", "nothing changes");
        for (status, reason, from) in
            [("BLOCKED", None, "ACTIVE"), ("ACTIVE", Some("FOUND"), "STOLEN"), ("ASLEEP", Some("x"), "ACTIVE")]
        {
            assert!(change(status, reason).status(&row(from)).is_err(), "{status} from {from}");
        }
    }
}
