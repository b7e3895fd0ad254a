//! The demo's cards, issued as a bank would: keys made in the HSM, PINs known to it alone but for `demo.json`.

use admin_store::{NewCard, NewWallet, NewWalletType, Transaction};
use anyhow::{Context, bail};
use directory::PanHasher;
use futures::{StreamExt, TryStreamExt};
use host_commands::{GeneratedKey, HsmClient};
use iso8583::domain::{Pan, luhn_check_digit};
use parties::{DemoCard, DemoFile};
use time::OffsetDateTime;

use super::CURRENCY;
use crate::daemon::Parts;

/// Issuer identification in a range that no network issues from: 9 and a country code nobody has.
pub const IIN: &str = "999900";
const PIN: &str = "1234";
const SERVICE_CODE: &str = "201";
const PVKI: u8 = 1;
const PIN_TRIES_MAX: i64 = 3;
const HOLD_LIFE_S: i64 = 7 * 24 * 60 * 60;
/// Completions may exceed their hold by 15 %.
const TOLERANCE_BP: i64 = 1500;

/// Key type codes: PIN verification, card verification.
const PVK: &str = "002";
const CVK: &str = "402";

/// What each card is for, its balance, its status.
const CARDS: [(&str, &str, &str); 5] = [
    ("Everyday", "1000000.00", "ACTIVE"),
    ("Nearly empty", "25.00", "ACTIVE"),
    ("Blocked", "500.00", "BLOCKED"),
    ("Expired", "500.00", "ACTIVE"),
    ("Spare", "250.00", "ACTIVE"),
];
const EXPIRED: usize = 3;

/// The name and the balance of each of the further cards, which are for load tests.
const FURTHER: (&str, &str, &str) = ("Further", "100000000.00", "ACTIVE");

/// Cards that the HSM works on at once.
const AT_ONCE: usize = 64;

/// Cards before they are issued: without verification values and ids.
pub fn plan(further: u32) -> Vec<DemoCard> {
    let today = OffsetDateTime::now_utc();
    let valid = format!("{:02}{:02}", (today.year() + 4) % 100, u8::from(today.month()));
    let further = (0..further).map(|_| FURTHER);
    CARDS
        .into_iter()
        .chain(further)
        .enumerate()
        .map(|(index, (_, balance, status))| {
            let body = format!("{IIN}{:09}", index + 1);
            let check = luhn_check_digit(&body).unwrap_or('0');
            DemoCard {
                pan: format!("{body}{check}"),
                expiry: if index == EXPIRED { "2401".into() } else { valid.clone() },
                pin: PIN.into(),
                cvv2: String::new(),
                service_code: SERVICE_CODE.into(),
                track2: String::new(),
                card_id: 0,
                wallet_id: 0,
                customer_id: 0,
                currency: format!("{CURRENCY:03}"),
                balance: balance.into(),
                status: status.into(),
            }
        })
        .collect()
}

/// The issuer's keys and each card's PIN verification value.
pub struct Issued {
    pvk: GeneratedKey,
    cvk: GeneratedKey,
    pvvs: Vec<String>,
}

impl Issued {
    /// The keys, by the names they are stored under.
    pub fn keys(&self, tenant: i64) -> [(String, &GeneratedKey); 2] {
        [(format!("pvk:{tenant}"), &self.pvk), (format!("cvk:{tenant}"), &self.cvk)]
    }
}

/// Has the HSM make keys and verification values; completes the cards of the file with what is printed on them.
pub async fn issue(hsm: &HsmClient, file: &mut DemoFile) -> anyhow::Result<Issued> {
    let pvk = hsm.generate_key(PVK, 'U').await.context("make the PIN verification key")?;
    let cvk = hsm.generate_key(CVK, 'U').await.context("make the card verification key")?;
    let cards = futures::stream::iter(&mut file.cards);
    let pvvs = cards.map(|card| print(hsm, &pvk, &cvk, card)).buffered(AT_ONCE).try_collect().await?;
    Ok(Issued { pvk, cvk, pvvs })
}

/// Puts on a card what stands on it and its stripe; gives its PIN verification value.
async fn print(hsm: &HsmClient, pvk: &GeneratedKey, cvk: &GeneratedKey, card: &mut DemoCard) -> anyhow::Result<String> {
    let account = Pan::parse(&card.pan)?.account12();
    let pin = hsm.choose_pin(&pvk.key, &card.pin, &account).await?;
    let pvv = hsm.generate_pvv(&pvk.key, &pin, &account, PVKI).await?;
    let cvv = hsm.generate_cvv(&cvk.key, &card.pan, &card.expiry, &card.service_code).await?;
    let (year, month) = card.expiry.split_at_checked(2).context("an expiry of demo.json is not YYMM")?;
    card.cvv2 = hsm.generate_cvv(&cvk.key, &card.pan, &format!("{month}{year}"), "000").await?;
    card.track2 = format!("{}={}{}{PVKI}{pvv}{cvv}", card.pan, card.expiry, card.service_code);
    Ok(pvv)
}

/// A wallet for each card, and the card; writes their ids into the file.
pub async fn insert(
    change: &mut Transaction,
    parts: &Parts,
    file: &mut DemoFile,
    issued: &Issued,
    customers: &[i64],
) -> anyhow::Result<()> {
    let tenant_id = file.tenant_id;
    let wallet_type = NewWalletType {
        tenant_id,
        name: "Demo wallet",
        mode: "BANK_ACCOUNT",
        configuration: r#"[{"att":"Currency","val":"ZAR"},{"att":"completionTolerancePercent","val":"15"}]"#,
        currency: i64::from(CURRENCY),
        hold_life_s: HOLD_LIFE_S,
        tolerance_bp: TOLERANCE_BP,
    };
    let wallet_type = wallet_type.insert(change).await?.id;
    if file.cards.len() < CARDS.len() {
        bail!("demo.json has fewer cards than this program makes; remove the data directory");
    }
    let hasher = PanHasher::new(parts.keys.pan_lookup.clone());
    let owners = customers.iter().copied().cycle();
    let further = (1..).map(|number| format!("{} {number}", FURTHER.0));
    let names = CARDS.iter().map(|(name, ..)| (*name).to_owned()).chain(further);
    for (((card, name), pvv), customer_id) in file.cards.iter_mut().zip(names).zip(&issued.pvvs).zip(owners) {
        let name = name.as_str();
        card.customer_id = customer_id;
        card.wallet_id = insert_wallet(change, tenant_id, customer_id, wallet_type, name).await?;
        let pan = Pan::parse(&card.pan)?;
        let row = NewCard {
            tenant_id,
            wallet_id: card.wallet_id,
            external_unique_id: None,
            pan_hash: hasher.hash(&pan).0,
            pan_cipher: parts.keys.seal_pan(&pan)?,
            expiry: &card.expiry,
            status: if card.status == "BLOCKED" { "BLOCKED" } else { "ACTIVE" },
            holder_name: name,
            service_code: &card.service_code,
            profile: r#"{"cardType":"PHYSICAL"}"#,
            pvk: issued.pvk.key.as_str(),
            pvki: i64::from(PVKI),
            pvv: Some(pvv),
            pin_tries_max: PIN_TRIES_MAX,
        };
        card.card_id = row.insert(change).await?;
    }
    Ok(())
}

async fn insert_wallet(
    change: &mut Transaction,
    tenant_id: i64,
    customer_id: i64,
    wallet_type_id: i64,
    name: &str,
) -> anyhow::Result<i64> {
    let account = super::account(change, tenant_id, "WALLET", name).await?;
    let row = NewWallet {
        tenant_id,
        customer_id: Some(customer_id),
        wallet_type_id,
        account,
        name,
        description: "Wallet of a demo card",
        status: "ACTIVE",
        friendly_id: &format!("DEMO{account:04}"),
        external_unique_id: &format!("demo-wallet-{account}"),
        configuration: "[]",
    };
    Ok(row.insert(change).await?)
}
