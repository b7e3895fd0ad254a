use admin_core::{ApiError, UnixMillis};
use admin_store::TerminalTypeRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What describes a terminal type.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TerminalTypeProfile {
    #[schema(max_length = 200)]
    pub description: Option<String>,
    #[schema(max_length = 50)]
    pub manufacturer: Option<String>,
    #[schema(max_length = 50)]
    pub model: Option<String>,
    /// Whether a terminal of this type can be told that less was approved than it asked for (response code 10)
    pub partial_approval_allowed: Option<bool>,
}

/// A terminal type to be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewTerminalType {
    /// Unique in the tenant
    #[schema(min_length = 3, max_length = 50)]
    pub name: String,
    #[serde(flatten)]
    pub profile: TerminalTypeProfile,
}

/// What may change of a terminal type; what is null or absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TerminalTypeChange {
    #[schema(min_length = 3, max_length = 50)]
    pub name: Option<String>,
    /// The version last read; a change by somebody else in between is refused
    #[schema(minimum = 0)]
    pub version: Option<i64>,
    #[serde(flatten)]
    pub profile: TerminalTypeProfile,
}

/// A terminal type.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TerminalType {
    terminal_type_id: i64,
    tenant_id: i64,
    name: String,
    #[serde(flatten)]
    profile: TerminalTypeProfile,
    version: i64,
    created: UnixMillis,
    last_modified: UnixMillis,
}

impl TerminalType {
    pub fn new(row: TerminalTypeRow) -> Result<Self, ApiError> {
        Ok(Self {
            terminal_type_id: row.id,
            tenant_id: row.tenant_id,
            name: row.name,
            profile: admin_core::profile(&row.profile)?,
            version: row.version,
            created: UnixMillis(row.created_at),
            last_modified: UnixMillis(row.modified_at),
        })
    }
}
