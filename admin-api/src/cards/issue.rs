//! A new card: its number, and the key that will prove its PIN.

use admin_core::{ApiError, Ctx, ErrorCode};
use admin_store::{NewCard, Transaction};
use directory::PanHasher;
use iso8583::domain::{Pan, luhn_check_digit};
use time::OffsetDateTime;

use super::model::NewEclipseCard;

/// Setting: issuer identification number, with which the tenant's card numbers begin.
const IIN: &str = "cardIin";

/// Digits of a card number.
const PAN_DIGITS: usize = 16;

/// Key type code of a PIN verification key.
const PVK: &str = "002";
const PVKI: i64 = 1;
const PIN_TRIES_MAX: i64 = 3;

/// International chip card, normal authorization, no restrictions (ISO 7813).
const SERVICE_CODE: &str = "201";
const VALID_YEARS: i32 = 4;

/// Modes of wallets that come with a card.
pub fn is_card_backed(mode: &str) -> bool {
    matches!(mode, "PREPAID_CARD" | "DEBIT_CARD")
}

/// A card that is not on a wallet yet.
pub struct PreparedCard {
    pan: Pan,
    pvk: String,
}

/// Draws a number and makes sure of the tenant's key: all that takes time, before a transaction begins.
pub async fn prepare(ctx: &Ctx) -> Result<PreparedCard, ApiError> {
    let missing = || ApiError::new(ErrorCode::NoSetting, format!("set {IIN}, 6 to 8 digits, to issue cards"));
    let iin = ctx.setting(IIN).await?.ok_or_else(missing)?;
    if !(6..=8).contains(&iin.len()) || !iin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(missing());
    }
    Ok(PreparedCard { pan: number(&iin)?, pvk: verification_key(ctx).await? })
}

/// A random number below the issuer's, with its check digit. One that is taken is refused by the store.
fn number(iin: &str) -> Result<Pan, ApiError> {
    let length = PAN_DIGITS - 1 - iin.len();
    let random = uuid::Uuid::new_v4().as_u128() % 10_u128.pow(u32::try_from(length).unwrap_or(0));
    let body = format!("{iin}{random:0length$}");
    let pan = luhn_check_digit(&body).and_then(|check| Pan::parse(&format!("{body}{check}")).ok());
    pan.ok_or_else(|| ApiError::new(ErrorCode::Unknown, "no card number could be made; report the trace id"))
}

/// The tenant's PIN verification key, made by the HSM at its first use.
async fn verification_key(ctx: &Ctx) -> Result<String, ApiError> {
    let name = format!("pvk:{}", ctx.tenant()?);
    if let Some(key) = ctx.store().key(&name).await? {
        return Ok(key);
    }
    let made = ctx.hsm().generate_key(PVK, 'U').await?;
    match ctx.store().put_key(&name, made.key.as_str(), &made.kcv).await {
        Ok(()) => Ok(made.key.as_str().to_owned()),
        // Somebody else made it at the same moment.
        Err(error) => ctx.store().key(&name).await?.ok_or_else(|| error.into()),
    }
}

impl PreparedCard {
    /// Gives the card's row number.
    pub async fn insert(
        self,
        ctx: &Ctx,
        change: &mut Transaction,
        wallet_id: i64,
        body: NewEclipseCard,
    ) -> Result<i64, ApiError> {
        let today = OffsetDateTime::now_utc();
        let row = NewCard {
            tenant_id: ctx.tenant()?,
            wallet_id,
            external_unique_id: body.external_unique_id.as_deref(),
            pan_hash: PanHasher::new(ctx.data_keys().pan_lookup.clone()).hash(&self.pan).0,
            pan_cipher: ctx.data_keys().seal_pan(&self.pan)?,
            expiry: &format!("{:02}{:02}", (today.year() + VALID_YEARS) % 100, u8::from(today.month())),
            status: "ACTIVE",
            holder_name: body.card_holder_name.as_deref().unwrap_or_default(),
            service_code: SERVICE_CODE,
            profile: &admin_core::profile_text(&body.profile)?,
            pvk: &self.pvk,
            pvki: PVKI,
            pvv: None,
            pin_tries_max: PIN_TRIES_MAX,
        };
        Ok(row.insert(change).await?)
    }
}
