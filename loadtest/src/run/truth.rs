//! Truth after load: what the clients were told, what the ledger did, what the transaction log says of it and what the
//! statements show are one and the same, message by message and wallet by wallet.

use std::collections::{HashMap, HashSet};

use ledger::Code;
use load_report::{Finding, TruthReport};

use super::book::{Effect, Meant, MessageKey, Seen};
use super::entries::{CardEntry, Entries};
use super::journal::{Journal, Moved};
use super::transfers::Transfer;
use crate::findings::fault;

/// What REST shows of a wallet's transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    pub entries: u64,
    pub sum: i64,
    /// After the newest entry, as shown.
    pub balance: i64,
    /// Each entry's balance is the one before it and its amount.
    pub balances_follow: bool,
    /// One entry: sequence in the journal, and amount.
    pub first: Option<(u64, i64)>,
}

/// What clients have and know.
pub struct Clients<'a> {
    pub messages: &'a [Seen],
    pub transfers: &'a [Transfer],
    /// In the order of the cards.
    pub wallets: &'a [Wallet],
}

#[derive(Clone, Copy, Debug)]
pub struct Wallet {
    pub id: i64,
    pub statement: Statement,
}

/// Collects what does not agree; of each kind a few examples are kept for the report.
#[derive(Default)]
pub struct Truth {
    pub report: TruthReport,
    examples: Vec<(&'static str, String)>,
}

const EXAMPLES_MAX: usize = 3;

/// What the daemon has written down.
#[derive(Clone, Copy)]
pub struct Books<'a> {
    pub journal: &'a Journal,
    pub tranlog: &'a Entries,
}

impl<'a> Books<'a> {
    /// The two books of every message, by name.
    fn both(self) -> [(&'static str, &'a Entries); 2] {
        [("the ledger", &self.journal.entries), ("the transaction log", self.tranlog)]
    }
}

/// Compares everything.
pub fn compare(clients: &Clients<'_>, books: Books<'_>) -> Truth {
    let mut truth = Truth::default();
    truth.report.journal_events = books.journal.events;
    for seen in clients.messages {
        truth.message(seen, books);
    }
    truth.nobody_sent(clients.messages, books);
    for transfer in clients.transfers {
        truth.transfer(transfer, books);
    }
    truth.nobody_asked_for(clients.transfers, books);
    truth.wallets(clients, books.journal);
    truth
}

/// What is wrong with an answer, and where it shows.
enum Wrong {
    Lost(String),
    Contradicted(String),
}

impl Truth {
    pub fn passed(&self) -> bool {
        let report = &self.report;
        [report.lost, report.doubled, report.unanswered, report.contradicted, report.unsound_answers]
            .iter()
            .chain([&report.wallets_wrong, &report.wrongly_approved])
            .all(|count| *count == 0)
    }

    /// A sentence for each kind of difference.
    pub fn findings(&self) -> Vec<Finding> {
        let report = &self.report;
        let kinds = [
            (
                "lost",
                report.lost,
                "approvals that clients were given are not in the ledger, the transaction log or the statements: money that was promised is gone",
            ),
            (
                "doubled",
                report.doubled,
                "postings are in the ledger, the transaction log or the statements beyond one for each approval: money was moved that nobody asked for",
            ),
            (
                "wrongly_approved",
                report.wrongly_approved,
                "messages were paid that had to be refused: a blocked, expired or empty card",
            ),
            ("unanswered", report.unanswered, "messages were never answered"),
            (
                "lost_answer",
                report.unanswered_approved,
                "of the unanswered messages were approved and posted: the answer was lost on its way, a terminal would reverse",
            ),
            ("contradicted", report.contradicted, "answers say other than the ledger or the transaction log"),
            (
                "unsound_answer",
                report.unsound_answers,
                "answers could not be believed: wrong MAC, another message's, or not to be decoded",
            ),
            (
                "wallet_wrong",
                report.wallets_wrong,
                "wallets whose statement, balances, journal and approvals do not add up to the same",
            ),
        ];
        let of_kind = |kind: &str| -> String {
            let of_kind = self.examples.iter().filter(|(what, _)| *what == kind).map(|(_, text)| text.as_str());
            let listed: Vec<&str> = of_kind.collect();
            if listed.is_empty() { String::new() } else { format!(" ({})", listed.join("; ")) }
        };
        kinds
            .iter()
            .filter(|(_, count, _)| *count > 0)
            .map(|(what, count, words)| fault(what, format!("{count} {words}{}", of_kind(what))))
            .collect()
    }

    fn example(&mut self, kind: &'static str, text: impl FnOnce() -> String) {
        if self.examples.iter().filter(|(what, _)| *what == kind).count() < EXAMPLES_MAX {
            self.examples.push((kind, text()));
        }
    }

    fn lost(&mut self, count: u64, text: impl FnOnce() -> String) {
        self.report.lost += count;
        self.example("lost", text);
    }

    fn doubled(&mut self, count: u64, text: impl FnOnce() -> String) {
        if count > 0 {
            self.report.doubled += count;
            self.example("doubled", text);
        }
    }

    fn contradicted(&mut self, text: impl FnOnce() -> String) {
        self.report.contradicted += 1;
        self.example("contradicted", text);
    }

    fn message(&mut self, seen: &Seen, books: Books<'_>) {
        self.report.sent += 1;
        self.report.approved += u64::from(seen.told.is_some_and(|told| told.is_approved()));
        self.report.unsound_answers += u64::from(seen.unsound);
        if seen.unsound {
            self.example("unsound_answer", || seen.key.to_string());
        } else if seen.told.is_none() {
            self.report.unanswered += 1;
            self.example("unanswered", || seen.key.to_string());
        }
        // A repeat has its first's key and is judged with it; only its answer must fit.
        if seen.repeat {
            return self.answer(seen, books);
        }
        let counts = books.both().map(|(book, entries)| (entries.of(&seen.key).1, book));
        let (approved, book) = counts.into_iter().max_by_key(|(count, _)| *count).unwrap_or_default();
        self.doubled(approved.saturating_sub(1), || format!("{} posted {approved} times in {book}", seen.key));
        if matches!(seen.meant, Meant::Declined(_)) && approved > 0 {
            self.report.wrongly_approved += 1;
            self.example("wrongly_approved", || seen.key.to_string());
        }
        if seen.told.is_none() && approved > 0 {
            self.report.unanswered_approved += 1;
            self.example("lost_answer", || seen.key.to_string());
        }
        self.answer(seen, books);
    }

    /// What was told against what is written; a message that is wrong in both books counts once.
    fn answer(&mut self, seen: &Seen, books: Books<'_>) {
        match books.both().into_iter().find_map(|(book, entries)| wrong(seen, book, entries)) {
            Some(Wrong::Lost(text)) => self.lost(1, || text),
            Some(Wrong::Contradicted(text)) => self.contradicted(|| text),
            None => {}
        }
    }

    /// Approved events at the terminals of this test under names that no client used.
    fn nobody_sent(&mut self, messages: &[Seen], books: Books<'_>) {
        let sent: HashSet<MessageKey> = messages.iter().map(|seen| seen.key).collect();
        let terminals: HashSet<[u8; 8]> = sent.iter().map(|key| key.terminal).collect();
        let written: HashSet<MessageKey> =
            books.both().into_iter().flat_map(|(_, entries)| entries.messages.keys().copied()).collect();
        for key in written.iter().filter(|key| terminals.contains(&key.terminal) && !sent.contains(key)) {
            let approved = books.both().map(|(_, entries)| entries.of(key).1).into_iter().max().unwrap_or_default();
            self.doubled(approved, || format!("{key}, which no client sent"));
        }
    }

    fn transfer(&mut self, transfer: &Transfer, books: Books<'_>) {
        self.report.sent += 1;
        let found = books.both().map(|(book, entries)| (entries.transfer(&transfer.name), book));
        let most = found.iter().map(|(entries, _)| entries.len() as u64).max().unwrap_or_default();
        self.doubled(most.saturating_sub(1), || format!("transfer {} posted {most} times", transfer.name));
        self.report.approved += u64::from(matches!(transfer.told, Some(Ok(_))));
        if transfer.told.is_none() {
            self.report.unanswered += 1;
            self.report.unanswered_approved += u64::from(most > 0);
            self.example("unanswered", || format!("transfer {}", transfer.name));
        }
        for (entries, book) in found {
            match (&transfer.told, entries.first()) {
                (Some(Ok(_)), None) => {
                    return self.lost(1, || format!("transfer {} is not in {book}", transfer.name));
                }
                (Some(Ok(seq)), Some(entry)) if *seq != entry.seq || transfer.amount != entry.amount => {
                    return self
                        .contradicted(|| format!("transfer {} has another number or amount in {book}", transfer.name));
                }
                (Some(Err(status)), Some(_)) => {
                    return self.contradicted(|| {
                        format!("transfer {} was answered {status} and is posted in {book}", transfer.name)
                    });
                }
                _ => {}
            }
        }
    }

    fn nobody_asked_for(&mut self, transfers: &[Transfer], books: Books<'_>) {
        let asked: HashSet<&str> = transfers.iter().map(|transfer| transfer.name.as_str()).collect();
        let written: HashSet<&str> =
            books.both().into_iter().flat_map(|(_, entries)| entries.transfers.keys().map(String::as_str)).collect();
        for name in written.difference(&asked) {
            let most = books.both().map(|(_, entries)| entries.transfer(name).len()).into_iter().max();
            self.doubled(most.unwrap_or_default() as u64, || format!("transfer {name}, which no client asked for"));
        }
    }

    fn wallets(&mut self, clients: &Clients<'_>, journal: &Journal) {
        let expected = Expected::of(clients);
        for (number, wallet) in clients.wallets.iter().enumerate() {
            let account = wallet.statement.first.and_then(|entry| journal.account_of(entry));
            let moved = account.and_then(|account| journal.accounts.get(&account)).copied().unwrap_or_default();
            self.report.wallets_compared += 1;
            self.wallet(wallet, moved, expected.posted.get(&number).copied());
        }
    }

    /// `expected`: by the clients' approvals; nothing where some of its messages had no answer.
    fn wallet(&mut self, wallet: &Wallet, moved: Moved, expected: Option<Option<i64>>) {
        let Statement { entries, sum, .. } = wallet.statement;
        if entries < moved.entries {
            self.lost(moved.entries - entries, || format!("wallet {}: entries missing in its statement", wallet.id));
        }
        self.doubled(entries.saturating_sub(moved.entries), || {
            format!("wallet {}: more entries in its statement than in the journal", wallet.id)
        });
        let by_clients = expected.unwrap_or(Some(0)).is_none_or(|posted| posted == moved.tested);
        // Every wallet was paid onto when it was made.
        let has_entries = entries > 0 && wallet.statement.balances_follow && wallet.statement.balance == sum;
        if sum != moved.sum || !by_clients || !has_entries {
            self.report.wallets_wrong += 1;
            self.example("wallet_wrong", || {
                let clients = expected.flatten().unwrap_or(0);
                format!(
                    "wallet {}: statement {sum}, journal {}, of this test {}, by the clients {clients}",
                    wallet.id, moved.sum, moved.tested
                )
            });
        }
    }
}

/// Whether an answer says other than a book.
fn wrong(seen: &Seen, book: &str, entries: &Entries) -> Option<Wrong> {
    let (told, key) = (seen.told?, seen.key);
    let (entries, _) = entries.of(&key);
    let entry = entries.iter().find(|entry| stands_as_approved(seen, entry)).or(entries.first());
    match (told.is_approved(), entry) {
        (true, None) => Some(Wrong::Lost(format!("{key} is not in {book}"))),
        (true, Some(entry)) if !stands_as_approved(seen, entry) => {
            Some(Wrong::Lost(format!("{key} is {:?} in {book}", entry.code)))
        }
        (false, Some(entry)) if entry.code == Code::Approved => {
            Some(Wrong::Contradicted(format!("{key} was told {} and is approved in {book}", told.code())))
        }
        (true, Some(entry)) if told.approval.is_some_and(|number| number != entry.approval) => {
            Some(Wrong::Contradicted(format!("{key} has another approval number in {book}")))
        }
        (true, Some(entry)) if entry.amount != seen.amount => {
            Some(Wrong::Contradicted(format!("{key} has another amount in {book}")))
        }
        _ => None,
    }
}

/// Approved, or an advice about an unknown original, which is recorded and answered as approved.
fn stands_as_approved(seen: &Seen, entry: &CardEntry) -> bool {
    entry.code == Code::Approved || (entry.code == Code::OriginalNotFound && seen.key.family == *b"042")
}

/// What the wallets must have posted because of the clients' approvals.
struct Expected {
    /// By number of the wallet; `None` where a message went unanswered, so that nobody knows.
    posted: HashMap<usize, Option<i64>>,
}

impl Expected {
    fn of(clients: &Clients<'_>) -> Self {
        let mut posted: HashMap<usize, Option<i64>> = HashMap::new();
        let mut add = |wallet: usize, amount: Option<i64>| {
            let sum = posted.entry(wallet).or_insert(Some(0));
            *sum = sum.zip(amount).map(|(sum, amount)| sum + amount);
        };
        let originals: HashMap<MessageKey, &Seen> = clients
            .messages
            .iter()
            .filter(|seen| !seen.repeat && matches!(seen.effect, Effect::Post(_)))
            .map(|seen| (seen.key, seen))
            .collect();
        for seen in clients.messages {
            add(seen.card as usize, effect_of(seen, &originals));
        }
        let numbers: HashMap<i64, usize> =
            clients.wallets.iter().enumerate().map(|(number, wallet)| (wallet.id, number)).collect();
        for transfer in clients.transfers {
            let amount = match transfer.told {
                Some(Ok(_)) => Some(transfer.amount),
                Some(Err(_)) => Some(0),
                None => None,
            };
            for (wallet, amount) in [(transfer.from, amount.map(|amount| -amount)), (transfer.to, amount)] {
                if let Some(number) = numbers.get(&wallet) {
                    add(*number, amount);
                }
            }
        }
        Self { posted }
    }
}

/// What a message posted, by what its sender knows; `None` where he does not.
fn effect_of(seen: &Seen, originals: &HashMap<MessageKey, &Seen>) -> Option<i64> {
    let told = seen.told?;
    if !told.is_approved() {
        return Some(0);
    }
    match seen.effect {
        Effect::None => Some(0),
        Effect::Post(amount) => Some(amount),
        Effect::Undo { original, remaining } => {
            let original = originals.get(&original)?;
            let Effect::Post(posted) = original.effect else { return Some(0) };
            if original.told?.is_approved() { Some(-posted - remaining) } else { Some(0) }
        }
    }
}

#[cfg(test)]
mod tests;
