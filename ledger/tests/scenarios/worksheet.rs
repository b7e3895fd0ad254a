//! Worksheets: a row an event, with the outcome and what the accounts say afterwards.
//!
//! ```text
//! id   | event                       | outcome     | W      | M
//! fund | post BANK>W 100             | Approved    | 100    |
//! auth | card 7 hold W>M 40          | Approved 40 | 100/60 | 0
//! wait 1h
//! take | card 7 complete auth W>M 38 | Approved 38 | 62     | 38
//! ```
//!
//! The first row names the columns: accounts (balance, or balance/available) `tries:7` and `atc:7` (wrong PINs and counter of
//! card 7), `used:card7.0.day` (how often / how much), `day:5` and `closed:5` (business day of terminal 5 and the one
//! before: date, debits, their reversals, credits, theirs), `next:3` (the message that link 3 is to send next, and how
//! often it was tried) and `dead`.
//! An empty cell is not looked at. `again` behind an outcome says that the event was known. Accounts BANK (may go
//! below zero), W, V and M, in currency 710, are open when a sheet begins.
//!
//! Entries are `FROM>TO AMOUNT` or `A-5,B+3,C+2`. Events are those of [`Body`]; words with `=` set what else there
//! is: `for` (life of a hold), `pin`, `max` (PIN tries), `keys`, `repeat`, `content`, `at` (the id's time, from now),
//! `cur`, `tol` (basis points), `approval`, `atc` (value/ahead at most), `total`
//! (terminal, side, date), `counted`, `send` (link), `in` and `tries` (of what failed), `ends` (of a limit's period, from now) and
//! `limits`: `card7.0.day:2:100,W.1.week::50` is twice and 100 a day with card 7, class 0; 50 a week, class 1. Three directives stand alone in a row: `wait`, `bounds` (at the top) and
//! `name ID -1m`, which fixes the id of an event that comes later.

use std::collections::HashMap;

use ledger::limits::Bounds;
use ledger::{
    AccountId, AccountKind, Atc, Body, CardAction, CardEvent, Code, Content, Controls, Entry, Event, EventId, Floor,
    ForwardResult, Key, Limit, MessageDid, Outgoing, Period, PinCheck, Posting, Reference, Side, State, StoredMessage,
    Subject, Sum, Total, Totals, UsageKey,
};

const START: u64 = 1_800_000_000_000;

pub struct Sheet {
    state: State,
    bounds: Bounds,
    now: u64,
    ids: HashMap<String, EventId>,
    approvals: HashMap<String, u32>,
    columns: Vec<String>,
    applied: Vec<(u64, Event)>,
}

/// Works a sheet through, and then its events again on two fresh states, which must come out the same.
pub fn work(text: &str) {
    let bounds = text.lines().find_map(|line| line.trim().strip_prefix("bounds ")).map_or(Bounds::default(), bounds);
    let mut sheet = Sheet {
        state: State::with_bounds(bounds),
        bounds,
        now: START,
        ids: HashMap::new(),
        approvals: HashMap::new(),
        columns: Vec::new(),
        applied: Vec::new(),
    };
    for (account, floor) in [("BANK", "unlimited"), ("W", "0"), ("V", "0"), ("M", "0")] {
        sheet.row(&format!("open-{account} | open {account} 710 floor={floor} | Approved"));
    }
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["bounds", ..] => {}
            ["wait", time] => sheet.now += duration(time),
            ["name", label, offset] => {
                let id = sheet.id_at(label, offset);
                sheet.ids.insert(label.to_owned(), id);
            }
            ["id", "|", ..] => sheet.columns = cells(line)[3..].iter().map(|cell| (*cell).to_owned()).collect(),
            _ => sheet.row(line),
        }
    }
    sheet.replay();
}

fn cells(line: &str) -> Vec<&str> {
    line.split('|').map(str::trim).collect()
}

impl Sheet {
    fn row(&mut self, line: &str) {
        let cells = cells(line);
        let (label, text, expected) = (cells[0], cells[1], cells[2]);
        let event = self.event(label, text);
        self.now += 1;
        let (applied, changes) = self.state.apply(self.state.seq() + 1, self.now, &event);
        let outcome = &applied.outcome;
        self.applied.push((self.now, event));
        if !applied.replayed {
            self.approvals.insert(label.to_owned(), outcome.approval);
        }

        let mut words: Vec<&str> = expected.split_whitespace().collect();
        if let Some(by) = words.iter().position(|word| *word == "by") {
            assert_eq!(outcome.reason.to_string(), words[by + 1], "{line}: reason");
            words.drain(by..by + 2);
        }
        let mut words = words.into_iter();
        assert_eq!(format!("{:?}", outcome.code), words.next().unwrap(), "{line}");
        let rest: Vec<&str> = words.collect();
        assert_eq!(applied.replayed, rest.contains(&"again"), "{line}: replayed");
        if let Some(amount) = rest.first().filter(|word| **word != "again") {
            assert_eq!(outcome.amount, number(amount), "{line}: amount");
        }
        // A copy that is too late takes back what another copy of it has done.
        if applied.replayed || !matches!(outcome.code, Code::Approved | Code::TooLate) {
            assert_eq!(changes, ledger::Changes::default(), "{line}: what is refused or known changes nothing");
        }
        let event = &self.applied.last().unwrap().1;
        self.state.check_event(event, &applied, &changes).unwrap_or_else(|what| panic!("{line}: {what}"));
        self.state.check_invariants().unwrap_or_else(|what| panic!("{line}: {what}"));
        for (column, cell) in self.columns.iter().zip(cells.iter().skip(3)).filter(|(_, cell)| !cell.is_empty()) {
            self.check(line, column, cell);
        }
    }

    fn check(&self, line: &str, column: &str, cell: &str) {
        if let Some(card) = column.strip_prefix("tries:") {
            assert_eq!(self.state.pin_tries(card.parse().unwrap()).to_string(), cell, "{line}: {column}");
            return;
        }
        if let Some(card) = column.strip_prefix("atc:") {
            let atc = self.state.atc(card.parse().unwrap()).map_or("-".to_owned(), |atc| atc.to_string());
            assert_eq!(atc, cell, "{line}: {column}");
            return;
        }
        let message = |message: &StoredMessage| {
            let label = self.ids.iter().find(|(_, id)| **id == message.id).map(|(label, _)| label.as_str());
            let due = if message.due <= self.now { "" } else { " later" };
            format!("{} {}{due}", label.unwrap(), message.tries)
        };
        if let Some(link) = column.strip_prefix("next:") {
            let next = self.state.next_message(link.parse().unwrap()).map_or("-".to_owned(), |next| message(&next));
            assert_eq!(next, cell, "{line}: {column}");
            return;
        }
        if column == "dead" {
            let dead: Vec<String> = self.state.dead_letters().map(|dead| message(&dead)).collect();
            assert_eq!(if dead.is_empty() { "-".to_owned() } else { dead.join(", ") }, cell, "{line}: {column}");
            return;
        }
        if let Some(terminal) = column.strip_prefix("day:") {
            let day = self.state.terminal_day(terminal.parse().unwrap(), 710);
            assert_eq!(
                day.map_or("-".to_owned(), |day| self::day(day.business_date, &day.totals)),
                cell,
                "{line}: {column}"
            );
            return;
        }
        if let Some(terminal) = column.strip_prefix("closed:") {
            let closed = self.state.terminal_day(terminal.parse().unwrap(), 710).and_then(|day| day.closed);
            assert_eq!(
                closed.map_or("-".to_owned(), |day| self::day(day.business_date, &day.totals)),
                cell,
                "{line}: {column}"
            );
            return;
        }
        if let Some(usage) = column.strip_prefix("used:") {
            let used = self.state.usage(self::usage(usage));
            assert_eq!(format!("{}/{}", used.count, used.amount), cell, "{line}: {column}");
            return;
        }
        let view = self.state.account(account(column)).unwrap();
        let (balance, available) = cell.split_once('/').unwrap_or((cell, cell));
        let expected = (number(balance), number(available));
        assert_eq!((view.balance, view.available), expected, "{line}: {column} balance and available");
    }

    fn replay(&self) {
        for _ in 0..2 {
            let mut again = State::with_bounds(self.bounds);
            for ((at, event), seq) in self.applied.iter().zip(1..) {
                again.apply(seq, *at, event);
            }
            assert!(again == self.state, "replay gives another state");
            assert_eq!(again.digest(), self.state.digest());
        }
    }

    fn id_at(&self, label: &str, offset: &str) -> EventId {
        let mut low = [0; 10];
        low.iter_mut().zip(label.bytes()).for_each(|(low, byte)| *low = byte);
        EventId::new(self.now.checked_add_signed(signed_duration(offset)).unwrap(), low)
    }

    fn id(&self, label: &str) -> EventId {
        *self.ids.get(label).unwrap_or_else(|| panic!("no event {label} above"))
    }

    fn reference(&self, word: &str) -> Reference {
        match word.split_once('#') {
            None => Reference::Id(self.id(word)),
            Some(("", key)) => Reference::Key(self::key(key)),
            Some((id, key)) => Reference::IdOrRepeat(self.id(id), self::key(key)),
        }
    }

    fn event(&mut self, label: &str, text: &str) -> Event {
        let (set, words): (Vec<&str>, Vec<&str>) = text.split_whitespace().partition(|word| word.contains('='));
        let set: HashMap<&str, &str> = set.iter().filter_map(|word| word.split_once('=')).collect();
        let id = match self.ids.get(label) {
            Some(id) => *id,
            None => self.id_at(label, set.get("at").unwrap_or(&"0s")),
        };
        self.ids.insert(label.to_owned(), id);
        let mut content = [0; 16];
        content.iter_mut().zip(set.get("content").unwrap_or(&"").bytes()).for_each(|(to, byte)| *to = byte);
        let controls = Controls {
            limits: self.limits(&set),
            atc: set.get("atc").map(|atc| self::atc(atc)),
            total: set.get("total").map(|total| self::total(total)),
            send: set.get("send").map(|link| Outgoing { link: link.parse().unwrap(), message: label.into() }),
        };
        Event { controls, ..Event::new(id, Content(content), self.body(&words, &set)) }
    }

    fn limits(&self, set: &HashMap<&str, &str>) -> Vec<Limit> {
        let ends_at = self.now + set.get("ends").map_or(86_400_000, |ends| duration(ends));
        let limit = |word: &str| {
            let [usage, count, amount] = word.split(':').collect::<Vec<_>>()[..] else { panic!("no limit: {word}") };
            let max = |word: &str| (!word.is_empty()).then(|| number(word));
            let count_max = max(count).map(|count| u32::try_from(count).unwrap());
            Limit { usage: self::usage(usage), ends_at, count_max, amount_max: max(amount) }
        };
        set.get("limits").map_or_else(Vec::new, |limits| limits.split(',').map(limit).collect())
    }

    fn body(&self, words: &[&str], set: &HashMap<&str, &str>) -> Body {
        let record = Vec::new();
        match *words {
            ["open", name, currency] => Body::OpenAccount {
                account: account(name),
                currency: currency.parse().unwrap(),
                kind: AccountKind::Wallet,
                floor: set.get("floor").map_or(Floor::Limited(0), |floor| match *floor {
                    "unlimited" => Floor::Unlimited,
                    floor => Floor::Limited(number(floor)),
                }),
            },
            ["close", name] => Body::CloseAccount { account: account(name) },
            ["post", ref entry @ ..] => Body::Post { entry: self::entry(entry, set), record },
            ["hold", ref entry @ ..] => {
                Body::PlaceHold { entry: self::entry(entry, set), expires_at: self.expiry(set), record }
            }
            ["capture", hold, amount, ref last @ ..] => {
                Body::CaptureHold { hold: self.id(hold), amount: number(amount), last: !last.is_empty(), record }
            }
            ["batch", ref entries @ ..] => Body::PostAll {
                entries: entries.split(|word| *word == "&").map(|words| self::entry(words, set)).collect(),
                record,
            },
            ["increase", hold, amount] => Body::IncreaseHold { hold: self.id(hold), amount: number(amount), record },
            ["void", hold] => Body::VoidHold { hold: self.id(hold) },
            ["reverse", original, ref to @ ..] => {
                Body::Reverse { original: self.id(original), remaining: remaining(to), record }
            }
            ["reset-tries", card] => Body::ResetPinTries { card: card.parse().unwrap() },
            ["answer", forward, "approved", ref entry @ ..] => Body::CloseForward {
                forward: self.id(forward),
                result: ForwardResult::Approved { entry: self::entry(entry, set) },
                answer: b"answer".to_vec(),
                record,
            },
            ["answer", forward, "declined", reason] => Body::CloseForward {
                forward: self.id(forward),
                result: ForwardResult::Declined { reason: reason.parse().unwrap() },
                answer: b"answer".to_vec(),
                record,
            },
            ["mail", message, did] => Body::Message {
                message: self.id(message),
                did: match did {
                    "delivered" => MessageDid::Delivered,
                    "retried" => MessageDid::Retried,
                    "discarded" => MessageDid::Discarded,
                    "failed" => MessageDid::Failed {
                        retry_at: self.now + duration(set["in"]),
                        tries_max: set["tries"].parse().unwrap(),
                    },
                    _ => panic!("did what? {did}"),
                },
            },
            ["close-totals", terminal, next_date] => Body::CloseTotals {
                terminal: terminal.parse().unwrap(),
                currency: set.get("cur").map_or(710, |currency| currency.parse().unwrap()),
                next_date: next_date.parse().unwrap(),
                counted: set.get("counted").map(|counted| totals(counted)),
                record,
            },
            ["forget-atc", card] => Body::ForgetAtc { card: card.parse().unwrap() },
            ["tick"] => Body::Tick,
            ["card", ref words @ ..] => Body::Card(self.card(words, set)),
            _ => panic!("no such event: {words:?}"),
        }
    }

    fn card(&self, words: &[&str], set: &HashMap<&str, &str>) -> CardEvent {
        let number_of = words.first().and_then(|word| word.parse().ok());
        let words = &words[usize::from(number_of.is_some())..];
        let keys = set.get("keys").map_or_else(Vec::new, |keys| keys.split(',').map(|word| key(&word[1..])).collect());
        CardEvent {
            aliases: keys,
            repeat_of: set.get("repeat").map(|word| key(&word[1..])),
            advice: words.last() == Some(&"advice"),
            card: number_of,
            pin: match set.get("pin") {
                None => PinCheck::NotChecked,
                Some(&"right") => PinCheck::Right,
                Some(_) => PinCheck::Wrong,
            },
            pin_tries_max: set.get("max").map_or(3, |max| max.parse().unwrap()),
            action: self.action(words.strip_suffix(&["advice"]).unwrap_or(words), set),
            answer: Vec::new(),
            record: Vec::new(),
        }
    }

    fn action(&self, words: &[&str], set: &HashMap<&str, &str>) -> CardAction {
        match *words {
            ["decline", reason] => CardAction::Decline { reason: reason.parse().unwrap() },
            ["inquire", name] => CardAction::Inquire { account: account(name) },
            ["post", ref entry @ ..] => CardAction::Post { entry: self::entry(entry, set) },
            ["hold", ref entry @ ..] => {
                CardAction::Hold { entry: self::entry(entry, set), expires_at: self.expiry(set) }
            }
            ["complete", hold, ref entry @ ..] => CardAction::Complete {
                hold: self.reference(hold),
                approval: set
                    .get("approval")
                    .map(|label| self.approvals.get(*label).copied().unwrap_or_else(|| label.parse().unwrap())),
                entry: self::entry(entry, set),
                tolerance_bp: set.get("tol").map_or(0, |tolerance| tolerance.parse().unwrap()),
            },
            ["forward", link] => CardAction::Forward {
                link: link.parse().unwrap(),
                expires_at: self.expiry(set),
                reversal: b"reversal".to_vec(),
            },
            ["force", hold, ref entry @ ..] => {
                CardAction::Force { entry: self::entry(entry, set), hold: (hold != "-").then(|| self.reference(hold)) }
            }
            ["reverse", original, ref to @ ..] => {
                CardAction::Reverse { original: self.reference(original), remaining: remaining(to) }
            }
            _ => panic!("no such action: {words:?}"),
        }
    }

    fn expiry(&self, set: &HashMap<&str, &str>) -> u64 {
        match set.get("for") {
            Some(&"ever") => u64::MAX,
            life => self.now + life.map_or(7 * 86_400_000, |life| duration(life)),
        }
    }
}

/// `card7.0.day` or `W.1.week`.
fn usage(word: &str) -> UsageKey {
    let [of, class, period] = word.split('.').collect::<Vec<_>>()[..] else { panic!("no usage: {word}") };
    UsageKey {
        of: of
            .strip_prefix("card")
            .map_or_else(|| Subject::Account(account(of)), |n| Subject::Card(n.parse().unwrap())),
        class: class.parse().unwrap(),
        period: match period {
            "day" => Period::Day,
            "week" => Period::Week,
            "month" => Period::Month,
            _ => panic!("no period: {period}"),
        },
    }
}

/// `5.debit.20261127`: terminal, side, business date.
fn total(word: &str) -> Total {
    let [terminal, side, date] = word.split('.').collect::<Vec<_>>()[..] else { panic!("no total: {word}") };
    let side = if side == "debit" { Side::Debit } else { Side::Credit };
    Total { terminal: terminal.parse().unwrap(), side, business_date: date.parse().unwrap() }
}

/// `1/10,0/0,0/0,0/0`: debits, their reversals, credits, theirs; how many and how much.
fn totals(word: &str) -> Totals {
    let sum = |word: &str| {
        let (count, amount) = word.split_once('/').unwrap();
        Sum { count: count.parse().unwrap(), amount: amount.parse().unwrap() }
    };
    let [debits, debit_reversals, credits, credit_reversals] = word.split(',').map(sum).collect::<Vec<_>>()[..] else {
        panic!("no totals: {word}")
    };
    Totals { debits, debit_reversals, credits, credit_reversals }
}

fn day(date: u32, totals: &Totals) -> String {
    let sums = [totals.debits, totals.debit_reversals, totals.credits, totals.credit_reversals];
    let sums = sums.map(|sum| format!("{}/{}", sum.count, sum.amount)).join(",");
    format!("{date} {sums}")
}

/// `value` or `value/ahead`.
fn atc(word: &str) -> Atc {
    let (value, ahead) = word.split_once('/').unwrap_or((word, "100"));
    Atc { value: value.parse().unwrap(), ahead_max: ahead.parse().unwrap() }
}

fn remaining(words: &[&str]) -> i64 {
    match words {
        [] => 0,
        ["to", amount] => number(amount),
        _ => panic!("to what? {words:?}"),
    }
}

/// Account names are short: their letters are their number.
fn account(name: &str) -> AccountId {
    name.bytes().fold(0, |number, byte| number << 8 | u64::from(byte))
}

fn key(name: &str) -> Key {
    name.bytes().fold(0, |number, byte| number << 8 | u128::from(byte))
}

fn number(word: &str) -> i64 {
    match word {
        "MAX" | "+MAX" => i64::MAX,
        "-MAX" => -i64::MAX,
        "MIN" => i64::MIN,
        word => word.parse().unwrap_or_else(|_| panic!("no number: {word}")),
    }
}

fn entry(words: &[&str], set: &HashMap<&str, &str>) -> Entry {
    let currency = set.get("cur").map_or(710, |currency| currency.parse().unwrap());
    let posting = |word: &str| {
        let sign = word.find(['-', '+']).unwrap();
        Posting { account: account(&word[..sign]), amount: number(&word[sign..]) }
    };
    let postings = match *words {
        [pair, amount] => {
            let (from, to) = pair.split_once('>').unwrap();
            let amount = number(amount);
            let debit = Posting { account: account(from), amount: amount.wrapping_neg() };
            vec![debit, Posting { account: account(to), amount }]
        }
        [list] => list.split(',').map(posting).collect(),
        [] => Vec::new(),
        _ => panic!("no entry: {words:?}"),
    };
    Entry { currency, postings }
}

fn bounds(words: &str) -> Bounds {
    let mut bounds = Bounds::default();
    for (name, rows) in words.split_whitespace().map(|word| word.split_once('=').unwrap()) {
        let rows = rows.parse().unwrap();
        match name {
            "accounts" => bounds.accounts = rows,
            "holds" => bounds.holds = rows,
            "records" => bounds.records = rows,
            "tombstones" => bounds.tombstones = rows,
            "counters" => bounds.cards_with_counters = rows,
            "usages" => bounds.usages = rows,
            "messages" => bounds.messages = rows,
            "terminals" => bounds.terminals = rows,
            "cards" => bounds.cards_with_wrong_pins = rows,
            _ => panic!("no bound {name}"),
        }
    }
    bounds
}

fn duration(word: &str) -> u64 {
    let digits = word.trim_end_matches(char::is_alphabetic);
    let unit = match &word[digits.len()..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        unit => panic!("no unit {unit}"),
    };
    digits.parse::<u64>().unwrap() * unit
}

fn signed_duration(word: &str) -> i64 {
    match word.strip_prefix('-') {
        Some(word) => -i64::try_from(duration(word)).unwrap(),
        None => i64::try_from(duration(word.trim_start_matches('+'))).unwrap(),
    }
}
