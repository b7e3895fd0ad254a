//! Accounts that SQL names and the ledger does not have yet.
//!
//! A wallet is a row and an account: the row is committed first, and a crash in between leaves it without its account.
//! Start-up opens what is missing before anything is served.

use admin_store::{AccountRow, Store};
use anyhow::{Context, bail};
use ledger::{AccountKind, Body, Clock, Code, Content, Event, EventId, Floor, Ledger, SystemClock};

/// How far a merchant's payable may go below zero: refunds ahead of sales, in minor units.
const MERCHANT_FLOOR: i64 = -100_000_000;

/// Opens every account of the store that the ledger does not have.
pub async fn open_missing(store: &Store, ledger: &Ledger) -> anyhow::Result<()> {
    for row in store.accounts().await? {
        let account = u64::try_from(row.id)?;
        if ledger.account(account).is_none() {
            open(ledger, account, &row).await.with_context(|| format!("open account {account} in the ledger"))?;
        }
    }
    Ok(())
}

async fn open(ledger: &Ledger, account: u64, row: &AccountRow) -> anyhow::Result<()> {
    let (kind, floor) = match row.kind.as_str() {
        "WALLET" => (AccountKind::Wallet, Floor::Limited(0)),
        "MERCHANT" => (AccountKind::Merchant, Floor::Limited(MERCHANT_FLOOR)),
        _ => (AccountKind::System, Floor::Unlimited),
    };
    let body = Body::OpenAccount { account, currency: u16::try_from(row.currency)?, kind, floor };
    let applied = ledger.submit(Event { id: fresh_id()?, content: Content([0; 16]), body }).await?;
    match applied.outcome.code {
        Code::Approved | Code::AccountExists => Ok(()),
        code => bail!("the ledger refuses: {code:?}"),
    }
}

/// An event id of this moment that nobody else makes.
pub fn fresh_id() -> anyhow::Result<EventId> {
    let mut low = [0; 10];
    getrandom::fill(&mut low).context("the system gives no random numbers")?;
    Ok(EventId::new(SystemClock.now(), low))
}
