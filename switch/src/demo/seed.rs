//! The demo tenant: people, wallets with money, cards, terminals.
//!
//! The clear keys and PINs exist in `demo.json` alone, so it is written, with the ids the rows will have, before the
//! rows are committed: a crash in between leaves a file without rows, and the next start makes the rows from it.
//! Money comes last and is looked for in the ledger, so no start can put it there twice.

mod cards;
mod networks;
mod people;
mod terminals;

use admin_store::{NewAccount, NewConfigItem, Owner, Transaction};
use anyhow::{Context, bail};
use futures::{StreamExt, TryStreamExt};
use iso8583::domain::Currency;
use ledger::{Body, Code, Content, Entry, Event, Posting};
use parties::{DemoCard, DemoFile};
use rust_decimal::Decimal;

use crate::daemon::Parts;
use crate::data_dir::{DataDir, write_whole};

const TENANT: &str = "Umbra Demo";
/// South African rand.
const CURRENCY: u16 = 710;
const FUNDING_ACCOUNT: &str = "demo-funding";
/// Wallets that are paid onto at once.
const AT_ONCE: usize = 256;

/// How many there are beyond those that every demo has; counts when the demo is made.
#[derive(Clone, Copy, Debug)]
pub struct Further {
    pub cards: u32,
    pub terminals: u32,
}

/// Makes what is missing and gives the demo file with the balances of this moment.
pub async fn seed(data_dir: &DataDir, parts: &Parts, further: Further) -> anyhow::Result<DemoFile> {
    let path = data_dir.demo_file();
    let mut file = match (parts.store.tenant_named(TENANT).await?, path.exists()) {
        (Some(tenant), true) => with_network(data_dir, parts, tenant, DemoFile::read(&path)?).await?,
        (Some(_), false) => bail!(
            "{} is missing, and the demo's keys are nowhere else; remove the data directory to start afresh",
            path.display()
        ),
        (None, true) => insert(data_dir, parts, DemoFile::read(&path)?).await?,
        (None, false) => insert(data_dir, parts, plan(further)?).await?,
    };
    admin_core::open_missing_accounts(&parts.store, &parts.ledger).await?;
    fund(parts, &mut file).await?;
    Ok(file)
}

/// The demo before it has rows: ids are 0.
fn plan(further: Further) -> anyhow::Result<DemoFile> {
    Ok(DemoFile {
        base_url: String::new(),
        admin: people::administrator("demo-admin")?,
        global: people::administrator("demo-global")?,
        tenant_id: 0,
        listeners: Default::default(),
        terminals: terminals::plan(further.terminals)?,
        network: Some(networks::plan()?),
        cards: cards::plan(further.cards),
    })
}

async fn insert(data_dir: &DataDir, parts: &Parts, mut file: DemoFile) -> anyhow::Result<DemoFile> {
    let hashes = people::hash_passwords(&file).await?;
    let issued = cards::issue(&parts.hsm, &mut file).await?;
    let mut change = parts.store.begin().await?;
    let tenant = parts.store.insert_tenant(&mut change, TENANT, None, "{}").await?;
    file.tenant_id = tenant;
    people::insert(&mut change, &file, &hashes).await?;
    account(&mut change, tenant, "SYSTEM", FUNDING_ACCOUNT).await?;
    let customers = people::insert_customers(&mut change, tenant).await?;
    cards::insert(&mut change, parts, &mut file, &issued, &customers).await?;
    terminals::insert(&mut change, &file).await?;
    if let Some(network) = &file.network {
        networks::insert(&mut change, tenant, network).await?;
    }
    for (key, value) in [("cardIin", cards::IIN), ("terminal.ecb.allowed", "true")] {
        let item = NewConfigItem { owner: Owner::Tenant(tenant), key, value, secret: false, description: "" };
        item.insert(&mut change).await?;
    }
    for (name, key) in issued.keys(tenant) {
        parts.store.insert_key(&mut change, &name, key.key.as_str(), &key.kcv).await?;
    }
    write_whole(&data_dir.demo_file(), &serde_json::to_vec_pretty(&file)?)?;
    parts.store.commit(change).await?;
    Ok(file)
}

/// Demos of before there were networks get theirs. As in [`insert`], the key is written down first.
async fn with_network(data_dir: &DataDir, parts: &Parts, tenant: i64, mut file: DemoFile) -> anyhow::Result<DemoFile> {
    let network = match file.network.take() {
        Some(network) => network,
        None => networks::plan()?,
    };
    let known = parts.store.network_named(&network.id).await?;
    let network = file.network.insert(network);
    if known.is_none() {
        let mut change = parts.store.begin().await?;
        networks::insert(&mut change, tenant, network).await?;
        write_whole(&data_dir.demo_file(), &serde_json::to_vec_pretty(&file)?)?;
        parts.store.commit(change).await?;
    }
    Ok(file)
}

async fn account(change: &mut Transaction, tenant_id: i64, kind: &'static str, name: &str) -> anyhow::Result<i64> {
    Ok(NewAccount { tenant_id, kind, name, currency: i64::from(CURRENCY), unlimited: false }.insert(change).await?)
}

/// Pays the opening balance onto wallets on which nothing has ever moved; writes down what is on each.
async fn fund(parts: &Parts, file: &mut DemoFile) -> anyhow::Result<()> {
    let source = parts.store.accounts().await?.into_iter().find(|row| row.name == FUNDING_ACCOUNT);
    let source = u64::try_from(source.context("the demo's funding account is missing")?.id)?;
    let exponent = Currency::numeric(CURRENCY).context("the demo's currency is unknown")?.exponent();
    let cards = futures::stream::iter(&mut file.cards).map(anyhow::Ok);
    cards.try_for_each_concurrent(AT_ONCE, |card| fund_card(parts, source, exponent, card)).await
}

async fn fund_card(parts: &Parts, source: u64, exponent: u32, card: &mut DemoCard) -> anyhow::Result<()> {
    let row = parts.store.wallet(admin_store::Scope::Global, card.wallet_id).await?;
    let account = u64::try_from(row.context("a wallet of demo.json is missing")?.account)?;
    let view = parts.ledger.account(account)?.context("a wallet's account is missing")?;
    if view.credits == 0 && view.debits == 0 {
        let minor = card.balance.parse::<Decimal>()? * Decimal::from(10_i64.pow(exponent));
        pay_in(parts, source, account, i64::try_from(minor)?).await?;
    }
    let view = parts.ledger.account(account)?.context("a wallet's account is missing")?;
    card.balance = Decimal::new(view.available, exponent).to_string();
    Ok(())
}

async fn pay_in(parts: &Parts, source: u64, account: u64, amount: i64) -> anyhow::Result<()> {
    let postings = vec![Posting { account, amount }, Posting { account: source, amount: -amount }];
    let record = serde_json::json!({"kind": "funding", "description": "Opening balance"}).to_string().into_bytes();
    let body = Body::Post { entry: Entry { currency: CURRENCY, postings }, record };
    let event = Event::new(admin_core::fresh_event_id(), Content([0; 16]), body);
    match parts.ledger.submit(event).await?.outcome.code {
        Code::Approved => Ok(()),
        code => bail!("the ledger refuses the opening balance: {code:?}"),
    }
}
