//! What the transaction log has, read after the daemon has ended.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use anyhow::Context;
use ledger::Code;
use serde::Deserialize;
use tranlog::{Search, StoredRow, Tranlog};

use super::book::MessageKey;
use super::entries::{CardEntry, Entries, TransferEntry};

/// A row, as far as it is compared.
#[derive(Deserialize)]
struct Transaction<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    code: Cow<'a, str>,
    amount: i64,
    #[serde(borrow)]
    request: Option<Message<'a>>,
    #[serde(borrow)]
    answer: Option<Message<'a>>,
    record: Option<Record>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    mti: Cow<'a, str>,
    #[serde(borrow)]
    elements: HashMap<u8, Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Record {
    description: Option<String>,
}

/// Every row of the log of a data directory, and how many there are.
pub fn read(data_dir: &Path) -> anyhow::Result<(Entries, u64)> {
    let log = Tranlog::open_existing(&data_dir.join("tranlog"))?;
    let (mut entries, mut rows) = (Entries::default(), 0);
    for row in log.search(&Search::default())? {
        let row = row?;
        take(&row, &mut entries).with_context(|| format!("row {} of the transaction log", row.seq))?;
        rows += 1;
    }
    Ok((entries, rows))
}

pub fn take(row: &StoredRow, entries: &mut Entries) -> anyhow::Result<()> {
    let transaction: Transaction<'_> = serde_json::from_slice(&row.json)?;
    let code = Code::ALL.into_iter().find(|code| format!("{code:?}") == transaction.code);
    let code = code.with_context(|| format!("outcome {} is unknown", transaction.code))?;
    if let (Some(request), Some(answer)) = (&transaction.request, &transaction.answer) {
        let key = MessageKey::new(request.text(41), &request.mti, request.text(11), request.text(7));
        let key = key.context("the request has no name")?;
        let approval = answer.text(38).parse().unwrap_or_default();
        let amount = request.text(4).parse().unwrap_or_default();
        entries.messages.entry(key).or_default().push(CardEntry { code, approval, amount });
    } else if let ("transfer", Code::Approved, Some(Record { description: Some(name) })) =
        (&*transaction.kind, code, transaction.record)
    {
        let entry = TransferEntry { seq: row.seq, amount: transaction.amount };
        entries.transfers.entry(name).or_default().push(entry);
    }
    Ok(())
}

impl Message<'_> {
    fn text(&self, de: u8) -> &str {
        self.elements.get(&de).map_or("", |text| text.trim_end())
    }
}
