//! What was used of limits in their current period, and what of it is given back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::controls::{Limit, Usage, UsageKey};
use crate::event::Millis;
use crate::limits::TICK_WORK_MAX;
use crate::outcome::Code;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    until: Millis,
    used: Usage,
}

/// What one event was charged of one usage, as far as it still is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Charge {
    usage: UsageKey,
    /// Names the period: what was used in an earlier one is not given back to a later.
    until: Millis,
    pub amount: i64,
    pub counted: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Usages {
    rows: BTreeMap<UsageKey, Row>,
    expiries: BTreeSet<(Millis, UsageKey)>,
}

impl Usages {
    pub fn rows(&self) -> impl Iterator<Item = (&UsageKey, &Row)> {
        self.rows.iter()
    }

    pub fn from_rows(rows: &mut dyn Iterator<Item = (UsageKey, Row)>) -> Self {
        let rows: BTreeMap<_, _> = rows.collect();
        let expiries = rows.iter().map(|(usage, row)| (row.until, *usage)).collect();
        Self { rows, expiries }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn used(&self, usage: UsageKey, now: Millis) -> Usage {
        self.rows.get(&usage).filter(|row| row.until > now).map_or(Usage::default(), |row| row.used)
    }

    /// The first limit that one use more (if `counted`) of this amount would exceed, by its place; counts before amounts.
    pub fn exceeded(&self, limits: &[Limit], amount: i64, counted: bool, now: Millis) -> Option<(usize, Code)> {
        let fault = |(place, limit): (usize, &Limit)| {
            let used = self.used(limit.usage, now);
            let over = |max: i64| used.amount + i128::from(amount) > i128::from(max);
            if counted && limit.count_max.is_some_and(|max| used.count >= max) {
                Some((place, Code::CountLimitExceeded))
            } else if limit.amount_max.is_some_and(over) {
                Some((place, Code::AmountLimitExceeded))
            } else {
                None
            }
        };
        limits.iter().enumerate().filter_map(fault).min_by_key(|(place, code)| (*code, *place))
    }

    /// Whether the table has place for all usages of these limits.
    pub fn has_room(&self, limits: &[Limit], max: usize) -> bool {
        let new: BTreeSet<UsageKey> =
            limits.iter().map(|limit| limit.usage).filter(|usage| !self.rows.contains_key(usage)).collect();
        self.rows.len() + new.len() <= max
    }

    /// Adds to the usages of all limits, each once. Those for which the table has no place are left out.
    pub fn charge(&mut self, limits: &[Limit], amount: i64, counted: bool, now: Millis, max: usize) -> Vec<Charge> {
        let mut charges: Vec<Charge> = Vec::with_capacity(limits.len());
        for limit in limits {
            let is_charged = charges.iter().any(|charge| charge.usage == limit.usage);
            if is_charged || !self.begin(limit, now, max) {
                continue;
            }
            if let Some(row) = self.rows.get_mut(&limit.usage) {
                row.used.amount += i128::from(amount);
                row.used.count = row.used.count.saturating_add(u32::from(counted));
                charges.push(Charge { usage: limit.usage, until: row.until, amount, counted });
            }
        }
        charges
    }

    /// Makes a row for the current period if there is none. Gives whether there is one now.
    fn begin(&mut self, limit: &Limit, now: Millis, max: usize) -> bool {
        match self.rows.get(&limit.usage) {
            Some(row) if row.until > now => return true,
            Some(row) => {
                self.expiries.remove(&(row.until, limit.usage));
            }
            None if self.rows.len() >= max => return false,
            None => {}
        }
        let latest = now.saturating_add(limit.usage.period.longest());
        let until = limit.ends_at.clamp(now.saturating_add(1), latest.max(now.saturating_add(1)));
        self.expiries.insert((until, limit.usage));
        self.rows.insert(limit.usage, Row { until, used: Usage::default() });
        true
    }

    /// Changes what an event was charged by an amount, below zero to give back; never below nothing.
    pub fn adjust(&mut self, charges: &mut [Charge], by: i64) {
        for charge in charges {
            let was = charge.amount;
            charge.amount = was.saturating_add(by).max(0);
            if let Some(row) = self.row_of(charge) {
                row.used.amount += i128::from(charge.amount) - i128::from(was);
            }
        }
    }

    /// Gives back all that is left of some charges.
    pub fn give_back(&mut self, charges: &mut Vec<Charge>) {
        for charge in charges.drain(..) {
            if let Some(row) = self.row_of(&charge) {
                row.used.amount -= i128::from(charge.amount);
                row.used.count = row.used.count.saturating_sub(u32::from(charge.counted));
            }
        }
    }

    fn row_of(&mut self, charge: &Charge) -> Option<&mut Row> {
        self.rows.get_mut(&charge.usage).filter(|row| row.until == charge.until)
    }

    pub fn next_due(&self) -> Option<Millis> {
        self.expiries.first().map(|(until, _)| *until)
    }

    /// Lets go of periods that are over, a bounded number at once.
    pub fn tick(&mut self, now: Millis) {
        for _ in 0..TICK_WORK_MAX {
            let Some((until, usage)) = self.expiries.first().copied().filter(|(until, _)| *until <= now) else { break };
            self.expiries.remove(&(until, usage));
            self.rows.remove(&usage);
        }
    }

    /// Whether the index fits, and no usage is less than what the remembered events were charged.
    pub fn check<'a>(&self, charges: impl Iterator<Item = &'a Charge>) -> Result<(), String> {
        if !self.expiries.iter().copied().eq({
            let mut of_rows: Vec<_> = self.rows.iter().map(|(usage, row)| (row.until, *usage)).collect();
            of_rows.sort_unstable();
            of_rows
        }) {
            return Err("an index of usages differs from them".into());
        }
        let mut sums: BTreeMap<UsageKey, Usage> = BTreeMap::new();
        for charge in charges.filter(|charge| self.rows.get(&charge.usage).is_some_and(|row| row.until == charge.until))
        {
            let sum = sums.entry(charge.usage).or_default();
            sum.amount += i128::from(charge.amount);
            sum.count += u32::from(charge.counted);
        }
        for (usage, row) in &self.rows {
            let sum = sums.get(usage).copied().unwrap_or_default();
            if row.used.amount < sum.amount || row.used.count < sum.count {
                return Err(format!("{usage:?}: less was used than events were charged"));
            }
        }
        Ok(())
    }
}

/// Parts what was charged for a hold: so much goes with a capture, and the count with the first. The rest stays.
pub(super) fn split(charges: &mut [Charge], amount: i64) -> Vec<Charge> {
    let part = |charge: &mut Charge| {
        let taken = Charge { amount: charge.amount.min(amount), ..charge.clone() };
        charge.amount -= taken.amount;
        charge.counted = false;
        taken
    };
    charges.iter_mut().map(part).collect()
}
