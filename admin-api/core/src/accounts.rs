//! Accounts of the ledger and the rows that number them.
//!
//! The row comes first, then the account is opened under its number. A crash in between leaves a row without an
//! account, which the next start opens; nothing refers to it yet, so nobody sees it before.

use admin_store::{AccountRow, NewAccount, Store};
use ledger::{AccountKind, Body, Code, Content, Event, EventId, Floor, Ledger};

use crate::ctx::Ctx;
use crate::error::{ApiError, ErrorCode};
use crate::fault_point;

/// How far below zero a merchant's payable may go: refunds may come before sales.
const MERCHANT_FLOOR: i64 = -100_000_000;

/// Why an account could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error(transparent)]
    Store(#[from] admin_store::StoreError),
    #[error(transparent)]
    Ledger(#[from] ledger::SubmitError),
    #[error("the ledger refuses account {0}: {1:?}")]
    Refused(i64, Code),
    #[error("account {0} has a kind or currency that the ledger does not know")]
    Unknown(i64),
}

/// The name of a merchant's account in one currency (ISO 4217 numeric).
pub fn merchant_account_name(currency: u16, merchant_id: &str) -> String {
    format!("{currency:03} {merchant_id}")
}

/// An id for an event that is made here.
pub fn fresh_event_id() -> EventId {
    let (random, now) = (uuid::Uuid::new_v4(), ledger::Clock::now(&ledger::SystemClock));
    let mut low = [0; 10];
    // The version bits stand in the first half, which is left out.
    low[..8].copy_from_slice(&random.as_bytes()[8..]);
    low[8..].copy_from_slice(&random.as_bytes()[..2]);
    EventId::new(now, low)
}

/// Opens in the ledger what has a row and no account yet.
pub async fn open_missing_accounts(store: &Store, ledger: &Ledger) -> Result<(), AccountError> {
    for row in store.accounts().await? {
        match open(ledger, &row).await {
            // Nothing can be on it, and the accounts there are must go on.
            Err(AccountError::Refused(account, Code::Full)) => {
                tracing::error!(account, "the ledger has no room for another account; what needs this one will fail");
            }
            opened => opened?,
        }
    }
    Ok(())
}

async fn open(ledger: &Ledger, row: &AccountRow) -> Result<(), AccountError> {
    let unknown = || AccountError::Unknown(row.id);
    let account = u64::try_from(row.id).map_err(|_| unknown())?;
    if ledger.account(account).map_err(ledger::SubmitError::from)?.is_some() {
        return Ok(());
    }
    let (kind, floor) = match row.kind.as_str() {
        "WALLET" => (AccountKind::Wallet, Floor::Limited(0)),
        "MERCHANT" => (AccountKind::Merchant, Floor::Limited(MERCHANT_FLOOR)),
        "SYSTEM" => (AccountKind::System, Floor::Unlimited),
        _ => return Err(unknown()),
    };
    let floor = if row.unlimited { Floor::Unlimited } else { floor };
    let currency = u16::try_from(row.currency).map_err(|_| unknown())?;
    let body = Body::OpenAccount { account, currency, kind, floor };
    let event = Event::new(fresh_event_id(), Content([0; 16]), body);
    match ledger.submit(event).await?.outcome.code {
        Code::Approved | Code::AccountExists => Ok(()),
        code => Err(AccountError::Refused(row.id, code)),
    }
}

impl Ctx {
    /// Makes an account, row and all. Gives its number.
    pub async fn open_account(&self, kind: &'static str, currency: i64, unlimited: bool) -> Result<i64, ApiError> {
        self.make_account(kind, uuid::Uuid::new_v4().to_string(), currency, unlimited).await
    }

    /// The tenant's account of a name, made at its first use. Gives its number.
    pub async fn named_account(
        &self,
        kind: &'static str,
        name: &str,
        currency: i64,
        unlimited: bool,
    ) -> Result<i64, ApiError> {
        let tenant = self.tenant()?;
        if let Some(id) = self.store().account_named(tenant, kind, name).await? {
            // Its row may be older than its account: whoever made it may have gone in between.
            let row = AccountRow { id, tenant_id: tenant, kind: kind.into(), name: name.into(), currency, unlimited };
            self.open_row(&row).await?;
            return Ok(id);
        }
        match self.make_account(kind, name.to_owned(), currency, unlimited).await {
            // Somebody else made it at the same moment.
            Err(error) if error.code == ErrorCode::Taken => {
                self.store().account_named(tenant, kind, name).await?.ok_or(error)
            }
            made => made,
        }
    }

    async fn make_account(
        &self,
        kind: &'static str,
        name: String,
        currency: i64,
        unlimited: bool,
    ) -> Result<i64, ApiError> {
        let tenant_id = self.tenant()?;
        let mut change = self.store().begin().await?;
        let id = NewAccount { tenant_id, kind, name: &name, currency, unlimited }.insert(&mut change).await?;
        self.store().commit(change).await?;
        fault_point("account-row");
        self.open_row(&AccountRow { id, tenant_id, kind: kind.into(), name, currency, unlimited }).await?;
        fault_point("account-opened");
        Ok(id)
    }

    async fn open_row(&self, row: &AccountRow) -> Result<(), ApiError> {
        open(self.ledger(), row).await.map_err(|error| {
            tracing::error!(%error, "account not opened; the next start tries again");
            ApiError::new(ErrorCode::Downstream, "the ledger does not take the account; try again later")
        })
    }
}
