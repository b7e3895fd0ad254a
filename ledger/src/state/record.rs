//! What is remembered of one event, in few bytes: there are millions, and each is written to memory that is fresh.

use serde::{Deserialize, Serialize};

use super::approval;
use super::usages::Charge;
use crate::controls::Total;
use crate::event::{AccountId, Content, Entry, EventId, Key, Millis, Posting};
use crate::limits::{ADVICE_HORIZON_MS, HORIZON_MS};
use crate::outcome::{AnswerBytes, Applied, Code, Outcome};

/// What an event did that can be undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Effect {
    /// Nothing moved; a reversal has nothing to do.
    Nothing,
    /// What it did is not undone by a reversal.
    Final,
    Posted(Kept),
    /// Passed on; not answered yet.
    Forwarded,
    /// A hold was placed; it may still be open.
    Held {
        captured: i64,
        /// Held beyond the event's own amount.
        increased: i64,
    },
}

/// An entry that was posted; one of two postings, as most are, without memory of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Entry", into = "Entry")]
pub(super) enum Kept {
    /// `amount`: of the first account; the second has its opposite.
    Pair {
        currency: u16,
        accounts: [AccountId; 2],
        amount: i64,
    },
    Many(Box<Entry>),
}

impl From<&Entry> for Kept {
    fn from(entry: &Entry) -> Self {
        match entry.postings.as_slice() {
            [one, other] if one.amount.checked_neg() == Some(other.amount) => {
                let accounts = [one.account, other.account];
                Self::Pair { currency: entry.currency, accounts, amount: one.amount }
            }
            _ => Self::Many(Box::new(entry.clone())),
        }
    }
}

impl From<Entry> for Kept {
    fn from(entry: Entry) -> Self {
        Self::from(&entry)
    }
}

impl From<Kept> for Entry {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Pair { currency, accounts: [one, other], amount } => {
                // The opposite is one of 64 bits: it was made from one.
                let postings = [(one, amount), (other, amount.wrapping_neg())];
                Self { currency, postings: postings.map(|(account, amount)| Posting { account, amount }).into() }
            }
            Kept::Many(entry) => *entry,
        }
    }
}

/// What few events have is in [`More`]. In a snapshot it stands as [`Written`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub(super) struct Record {
    pub content: Content,
    pub effect: Effect,
    pub more: Option<Box<More>>,
    pub seq: u64,
    at: Millis,
    amount: i64,
    account: AccountId,
    balance: i64,
    available: i64,
    /// 0 while its hold or its forward is open.
    forget_at: Millis,
    reason: u16,
    code: Code,
    flags: u8,
}

/// It has an account.
const ACCOUNT: u8 = 1;
/// It has an approval number, which follows from its sequence.
const APPROVAL: u8 = 2;
/// Its ids are accepted for longer.
const ADVICE: u8 = 4;
/// Something has been taken back.
const REVERSED: u8 = 8;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct More {
    pub answer: AnswerBytes,
    pub aliases: Vec<Key>,
    pub repeat_of: Option<Key>,
    /// Further ids of the same message: those of its other copies, the last of them last.
    pub copies: Vec<EventId>,
    /// The latest time among those that it ever had.
    pub newest_copy: Millis,
    /// What is still charged of limits for what it did.
    pub charges: Vec<Charge>,
    /// Where what it posted was counted.
    pub total: Option<Total>,
}

impl Record {
    pub fn new(content: Content, outcome: &Outcome, effect: Effect, forget_at: Option<Millis>, advice: bool) -> Self {
        let mut record = Self {
            content,
            effect,
            more: None,
            seq: 0,
            at: 0,
            amount: 0,
            account: 0,
            balance: 0,
            available: 0,
            forget_at: forget_at.unwrap_or(0),
            reason: 0,
            code: outcome.code,
            flags: if advice { ADVICE } else { 0 },
        };
        record.set_outcome(outcome);
        record
    }

    pub fn outcome(&self) -> Outcome {
        Outcome {
            code: self.code,
            reason: self.reason,
            seq: self.seq,
            at: self.at,
            amount: self.amount,
            account: self.is(ACCOUNT).then_some(self.account),
            balance: self.balance,
            available: self.available,
            approval: if self.is(APPROVAL) { approval(self.seq) } else { 0 },
        }
    }

    pub fn set_outcome(&mut self, outcome: &Outcome) {
        (self.code, self.reason) = (outcome.code, outcome.reason);
        (self.seq, self.at) = (outcome.seq, outcome.at);
        (self.amount, self.account) = (outcome.amount, outcome.account.unwrap_or(0));
        (self.balance, self.available) = (outcome.balance, outcome.available);
        self.set(ACCOUNT, outcome.account.is_some());
        self.set(APPROVAL, outcome.approval != 0);
    }

    pub fn replay(&self) -> Applied {
        let answer = self.more.as_ref().map(|more| more.answer.clone()).unwrap_or_default();
        Applied { outcome: self.outcome(), replayed: true, answer }
    }

    fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn set(&mut self, flag: u8, to: bool) {
        self.flags = if to { self.flags | flag } else { self.flags & !flag };
    }

    pub fn is_reversed(&self) -> bool {
        self.is(REVERSED)
    }

    pub fn set_reversed(&mut self) {
        self.set(REVERSED, true);
    }

    /// `None` while its hold or its forward is open.
    pub fn forget_at(&self) -> Option<Millis> {
        (self.forget_at != 0).then_some(self.forget_at)
    }

    pub fn set_forget_at(&mut self, at: Millis) {
        self.forget_at = at;
    }

    /// How long its ids are accepted.
    pub fn horizon(&self) -> Millis {
        if self.is(ADVICE) { ADVICE_HORIZON_MS } else { HORIZON_MS }
    }

    /// The latest time among its id and those of its copies.
    pub fn newest(&self, id: EventId) -> Millis {
        self.more.as_ref().map_or(0, |more| more.newest_copy).max(id.time())
    }

    pub fn aliases(&self) -> &[Key] {
        self.more.as_ref().map_or(&[], |more| &more.aliases)
    }

    pub fn copies(&self) -> &[EventId] {
        self.more.as_ref().map_or(&[], |more| &more.copies)
    }

    pub fn repeat_of(&self) -> Option<Key> {
        self.more.as_ref()?.repeat_of
    }

    pub fn total(&self) -> Option<&Total> {
        self.more.as_ref()?.total.as_ref()
    }

    pub fn charges(&self) -> &[Charge] {
        self.more.as_ref().map_or(&[], |more| &more.charges)
    }

    /// To change what is charged; `None` where nothing ever was.
    pub fn charges_mut(&mut self) -> Option<&mut Vec<Charge>> {
        Some(&mut self.more.as_mut()?.charges)
    }
}

/// A record in a snapshot.
#[derive(Serialize, Deserialize)]
struct Written {
    content: Content,
    outcome: Outcome,
    effect: Effect,
    forget_at: Option<Millis>,
    advice: bool,
    reversed: bool,
    more: Option<Box<More>>,
}

impl From<Record> for Written {
    fn from(record: Record) -> Self {
        Self {
            content: record.content,
            outcome: record.outcome(),
            forget_at: record.forget_at(),
            advice: record.is(ADVICE),
            reversed: record.is(REVERSED),
            effect: record.effect,
            more: record.more,
        }
    }
}

impl From<Written> for Record {
    fn from(written: Written) -> Self {
        let Written { content, outcome, effect, forget_at, advice, reversed, more } = written;
        let mut record = Self::new(content, &outcome, effect, forget_at, advice);
        record.set(REVERSED, reversed);
        Self { more, ..record }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_few_bytes() {
        assert_eq!(size_of::<Record>(), 120);
        assert_eq!(size_of::<Option<Record>>(), 120);
    }

    #[test]
    fn entries_are_kept_as_they_are() {
        let entry = |amounts: &[i64]| {
            let postings = (1..).zip(amounts).map(|(account, amount)| Posting { account, amount: *amount });
            Entry { currency: 710, postings: postings.collect() }
        };
        for (amounts, in_place) in [
            ([5, -5].as_slice(), true),
            (&[-i64::MAX, i64::MAX], true),
            (&[i64::MIN, i64::MAX], false),
            (&[i64::MIN, i64::MIN], false),
            (&[5, 5], false),
            (&[5, -3, -2], false),
            (&[5], false),
            (&[], false),
        ] {
            let kept = Kept::from(&entry(amounts));
            assert_eq!(matches!(kept, Kept::Pair { .. }), in_place, "{amounts:?}");
            assert_eq!(Entry::from(kept), entry(amounts));
        }
    }

    #[test]
    fn an_outcome_is_kept_as_it_is() {
        for (code, account, approval_of) in [
            (Code::Approved, Some(0), 77),
            (Code::Approved, Some(u64::MAX), 0),
            (Code::MessageNotFound, None, 0),
            (Code::Full, None, 77),
        ] {
            let approval = if approval_of == 0 { 0 } else { approval(approval_of) };
            let outcome = Outcome {
                code,
                reason: 9,
                seq: 77,
                at: 5,
                amount: i64::MIN,
                account,
                balance: -3,
                available: i64::MAX,
                approval,
            };
            for (forget_at, advice) in [(None, false), (Some(7), true)] {
                let record = Record::new(Content([4; 16]), &outcome, Effect::Nothing, forget_at, advice);
                assert_eq!((record.outcome(), record.forget_at()), (outcome.clone(), forget_at));
                assert_eq!(record.horizon() == ADVICE_HORIZON_MS, advice);
                let bytes = postcard::to_stdvec(&record).unwrap();
                assert_eq!(postcard::from_bytes::<Record>(&bytes).unwrap(), record);
            }
        }
    }
}
