use admin_core::UnixMillis;
use admin_store::TerminalRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An enrolled terminal.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Terminal {
    terminal_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal_type_id: Option<i64>,
    /// DE 41 and DE 42: how the terminal names itself on the wire
    device_id: String,
    merchant_id: String,
    status: String,
    /// tr31 or ecb
    key_scheme: String,
    /// Check value of the terminal master key
    master_key_check_value: String,
    mac_required: bool,
    version: i64,
    created: UnixMillis,
    last_modified: UnixMillis,
}

impl From<TerminalRow> for Terminal {
    fn from(row: TerminalRow) -> Self {
        Self {
            terminal_id: row.id,
            terminal_type_id: row.terminal_type_id,
            device_id: row.terminal_id,
            merchant_id: row.merchant_id,
            status: if row.active { "ACTIVE" } else { "INACTIVE" }.into(),
            key_scheme: row.key_scheme,
            master_key_check_value: row.tmk_kcv,
            mac_required: row.mac_required,
            version: row.version,
            created: UnixMillis(row.created_at),
            last_modified: UnixMillis(row.modified_at),
        }
    }
}

/// A terminal to enrol.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewTerminal {
    /// DE 41
    #[schema(pattern = "^[A-Za-z0-9]{8}$")]
    pub device_id: String,
    /// DE 42, without the spaces behind it. Together with DE 41 unique over the whole platform
    #[schema(pattern = "^[!-~]([ -~]{0,13}[!-~])?$")]
    pub merchant_id: String,
    /// In which the merchant is owed: ISO 4217, three letters
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: String,
    pub terminal_type_id: Option<i64>,
    /// How session keys travel: tr31 (if absent), or ecb where the tenant allows it
    #[schema(pattern = "^(tr31|ecb)$")]
    pub key_scheme: Option<String>,
    /// Whether requests must carry a MAC; if absent they must
    pub mac_required: Option<bool>,
}

/// A terminal with a new master key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnrolledTerminal {
    #[serde(flatten)]
    pub terminal: Terminal,
    /// The master key under the tenant's transport key (setting `terminal.transportKey`): a TR-31 key block, or for
    /// scheme ecb `X` and 32 hexadecimal digits. Absent without that setting: then the key is taken from the HSM at
    /// its console
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master_key: Option<String>,
}
