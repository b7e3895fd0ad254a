//! What terminals have taken in their current business day.

use std::collections::BTreeMap;

use crate::controls::{ClosedDay, Side, Sum, TerminalDay, TerminalId, Total, Totals};
use crate::outcome::Code;

type Key = (TerminalId, u16);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Terminals(BTreeMap<Key, TerminalDay>);

impl Terminals {
    pub fn rows(&self) -> impl Iterator<Item = (&Key, &TerminalDay)> {
        self.0.iter()
    }

    pub fn from_rows(rows: &mut dyn Iterator<Item = (Key, TerminalDay)>) -> Self {
        Self(rows.collect())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn get(&self, terminal: TerminalId, currency: u16) -> Option<TerminalDay> {
        self.0.get(&(terminal, currency)).copied()
    }

    pub fn has_room(&self, total: &Total, currency: u16, max: usize) -> bool {
        self.0.contains_key(&(total.terminal, currency)) || self.0.len() < max
    }

    /// Adds what was posted; without room, nothing. Gives whether it was added.
    pub fn add(&mut self, total: &Total, currency: u16, amount: i64, max: usize) -> bool {
        if !self.has_room(total, currency, max) {
            return false;
        }
        let new = TerminalDay { business_date: total.business_date, totals: Totals::default(), closed: None };
        let day = self.0.entry((total.terminal, currency)).or_insert(new);
        let sum = match total.side {
            Side::Debit => &mut day.totals.debits,
            Side::Credit => &mut day.totals.credits,
        };
        count(sum, amount);
        true
    }

    /// Adds what was taken back, on the day on which it is.
    pub fn add_reversal(&mut self, total: &Total, currency: u16, amount: i64) {
        if let Some(day) = self.0.get_mut(&(total.terminal, currency)) {
            let sum = match total.side {
                Side::Debit => &mut day.totals.debit_reversals,
                Side::Credit => &mut day.totals.credit_reversals,
            };
            count(sum, amount);
        }
    }

    /// Begins a later business day. Gives whether what the terminal has counted is what was counted here.
    pub fn close(&mut self, key: Key, next_date: u32, counted: Option<&Totals>, max: usize) -> Result<bool, Code> {
        let before = self.0.get(&key).copied();
        if before.is_some_and(|day| next_date <= day.business_date) {
            return Err(Code::DateNotLater);
        }
        if before.is_none() && self.0.len() >= max {
            return Err(Code::Full);
        }
        let totals = before.map_or(Totals::default(), |day| day.totals);
        let agrees = counted.is_none_or(|counted| *counted == totals);
        let closed = before.map(|day| ClosedDay { business_date: day.business_date, totals, agrees });
        self.0.insert(key, TerminalDay { business_date: next_date, totals: Totals::default(), closed });
        Ok(agrees)
    }
}

fn count(sum: &mut Sum, amount: i64) {
    sum.count = sum.count.saturating_add(1);
    sum.amount = sum.amount.saturating_add(amount.unsigned_abs());
}
