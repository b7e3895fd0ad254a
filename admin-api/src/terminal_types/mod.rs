//! Kinds of terminals of a tenant.

use admin_core::{Row, plain_resource, plain_rows};
use admin_store::TERMINAL_TYPES;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn rows() -> Vec<Row> {
    plain_rows::<TerminalTypeProfile>()
}

/// What describes a terminal type.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TerminalTypeProfile {
    #[schema(max_length = 200)]
    description: Option<String>,
    #[schema(max_length = 50)]
    manufacturer: Option<String>,
    #[schema(max_length = 50)]
    model: Option<String>,
    /// Whether a terminal of this type can be told that less was approved than it asked for (response code 10)
    #[serde(default)]
    #[schema(required = false)]
    partial_approval_allowed: bool,
}

plain_resource!(
    TerminalTypeProfile,
    "TerminalType",
    "TerminalTypes",
    "terminal-types",
    "terminalTypeId",
    &TERMINAL_TYPES,
    "terminal type"
);
