//! Terminal master keys: made by the HSM, which alone knows them in clear.

use admin_core::{ApiError, Ctx, ErrorCode};
use host_commands::{HsmError, KeyDomain, KeyExport, KeyUnderLmk};

/// Key type code of a terminal master key.
const TMK: &str = "002";

/// Double length under a variant LMK.
const SCHEME: char = 'U';

/// Setting: the key, itself of this type and under the LMK, under which master keys leave for the devices. Custodians
/// form it at the HSM's console and bring it to whoever loads the devices.
const TRANSPORT_KEY: &str = "terminal.transportKey";

/// Setting: whether terminals of the tenant may use bare cryptograms instead of key blocks.
const ECB_ALLOWED: &str = "terminal.ecb.allowed";

/// A fresh key.
pub struct MasterKey {
    pub under_lmk: KeyUnderLmk,
    pub kcv: String,
    /// Under the transport key, where the tenant has one.
    pub exported: Option<String>,
}

/// Makes a key for a terminal whose keys travel in a scheme.
pub async fn make(ctx: &Ctx, key_scheme: &str) -> Result<MasterKey, ApiError> {
    let export = match key_scheme {
        "ecb" if ctx.setting(ECB_ALLOWED).await?.is_none_or(|value| value.trim() != "true") => {
            return Err(ApiError::new(ErrorCode::NoSetting, format!("key scheme ecb needs {ECB_ALLOWED} = true")));
        }
        "ecb" => KeyExport::Ecb,
        // Key encryption, in both directions; it leaves the device in no form.
        _ => KeyExport::Tr31 { usage: *b"K0", mode: b'B', exportability: b'N' },
    };
    match ctx.setting(TRANSPORT_KEY).await? {
        Some(key) => {
            let made =
                ctx.hsm().generate_and_export_key(KeyDomain::Terminal, TMK, SCHEME, &transport_key(key)?, export).await;
            let made = made.map_err(failed)?;
            let exported = made.exported.strip_prefix('R').unwrap_or(&made.exported).to_owned();
            Ok(MasterKey { under_lmk: made.key, kcv: made.kcv, exported: Some(exported) })
        }
        None => {
            let made = ctx.hsm().generate_key(TMK, SCHEME).await.map_err(failed)?;
            Ok(MasterKey { under_lmk: made.key, kcv: made.kcv, exported: None })
        }
    }
}

/// What is not of this form must not get into a command to the HSM.
fn transport_key(text: String) -> Result<KeyUnderLmk, ApiError> {
    let digits = text.strip_prefix('U').unwrap_or_default();
    if digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Ok(text.into());
    }
    Err(ApiError::new(
        ErrorCode::NoSetting,
        format!("{TRANSPORT_KEY} is U and 32 hexadecimal digits: a key of type {TMK} under the LMK"),
    ))
}

fn failed(error: HsmError) -> ApiError {
    tracing::error!(%error, "the HSM made no terminal master key");
    match error {
        HsmError::Refused { .. } => ApiError::new(
            ErrorCode::Downstream,
            format!("the HSM refuses to make the key; is {TRANSPORT_KEY} a key of type {TMK} under its LMK?"),
        ),
        HsmError::Unavailable(_) | HsmError::Protocol(_) => {
            ApiError::new(ErrorCode::Downstream, "the HSM does not answer as it should; try again later")
        }
    }
}
