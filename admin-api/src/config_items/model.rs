use admin_core::{MASKED, UnixMillis};
use admin_store::ConfigItemRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A setting to be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewConfigItem {
    /// Unique in the tenant
    #[schema(min_length = 1, max_length = 200)]
    pub key: String,
    /// What begins with `Encrypt:` is stored enciphered, without these letters, and never shown
    #[schema(max_length = 10000)]
    pub value: String,
    #[schema(max_length = 200)]
    pub description: Option<String>,
}

/// Settings to add, or to change where they differ.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(max_items = 500)]
pub struct ConfigItems(pub Vec<NewConfigItem>);

/// What may change of a setting; what is null or absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigItemChange {
    /// What begins with `Encrypt:` is stored enciphered; the mask of a secret leaves it as it is
    #[schema(max_length = 10000)]
    pub value: Option<String>,
    #[schema(max_length = 200)]
    pub description: Option<String>,
    /// The version last read; a change by somebody else in between is refused
    #[schema(minimum = 0)]
    pub version: Option<i64>,
}

/// A setting.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigItem {
    config_item_id: i64,
    key: String,
    /// Masked where it is secret
    value: String,
    secret: bool,
    description: String,
    version: i64,
    created: UnixMillis,
    last_modified: UnixMillis,
}

impl ConfigItem {
    pub fn new(row: ConfigItemRow) -> Self {
        Self {
            config_item_id: row.id,
            key: row.key,
            value: if row.secret { MASKED.into() } else { row.value },
            secret: row.secret,
            description: row.description,
            version: row.version,
            created: UnixMillis(row.created_at),
            last_modified: UnixMillis(row.modified_at),
        }
    }
}
