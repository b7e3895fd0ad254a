//! What must hold, and what the state amounts to.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::State;
use super::accounts::Account;
use crate::event::AccountId;
use crate::limits::TABLES;

/// Pending debits and credits that open holds make up on one account.
type Pending = BTreeMap<AccountId, (i128, i128)>;

impl State {
    /// What must hold after every event; the text names what does not. Reads the whole state.
    pub fn check_invariants(&self) -> Result<(), String> {
        let mut pending = self.pending()?;
        let mut totals: BTreeMap<u16, [i128; 4]> = BTreeMap::new();
        for (id, account) in self.accounts.iter() {
            check_account(account, pending.remove(&id).unwrap_or_default())
                .map_err(|what| format!("account {id}: {what}"))?;
            let numbers = [account.debits, account.credits, account.pending_debits, account.pending_credits];
            for (total, number) in totals.entry(account.currency).or_default().iter_mut().zip(numbers) {
                *total += i128::from(number);
            }
        }
        if let Some(id) = pending.keys().next() {
            return Err(format!("account {id}: named by a hold and not there"));
        }
        for (currency, [debits, credits, pending_debits, pending_credits]) in totals {
            if debits != credits || pending_debits != pending_credits {
                return Err(format!("currency {currency}: debits and credits differ"));
            }
        }
        for ((table, rows), (_, bound)) in self.sizes().into_iter().zip(self.bounds.tables()) {
            if rows > bound {
                return Err(format!("{rows} {table}, of at most {bound}"));
            }
        }
        self.usages.check(self.memory.charges())?;
        self.messages.check()?;
        self.memory.check(|id| self.holds.contains(id) || self.messages.is_forward(id))
    }

    fn pending(&self) -> Result<Pending, String> {
        let mut pending = Pending::new();
        for (id, hold) in self.holds.iter() {
            if self.memory.get(id).is_none() || !self.holds.expiries().contains(&(hold.expires_at, id)) {
                return Err(format!("hold {:032x}: its event is not remembered, or it would never expire", id.0));
            }
            for posting in &hold.entry.postings {
                let sums = pending.entry(posting.account).or_default();
                let amount = i128::from(posting.amount);
                if amount < 0 { sums.0 -= amount } else { sums.1 += amount }
            }
        }
        if self.holds.expiries().len() != self.holds.len() {
            return Err("an expiry names a hold that is not there".into());
        }
        Ok(pending)
    }

    /// Equal states have equal digests, however they came about.
    pub fn digest(&self) -> u64 {
        let mut digest = Digest(Digest::START);
        let holds: BTreeMap<_, _> = self.holds.iter().collect();
        // Writing to a digest cannot fail.
        let _ = write!(digest, "{:?}{holds:?}{:?}", self.accounts.sorted(), self.memory.rows());
        let _ = write!(digest, "{:?}{:?}{:?}", self.pin_tries, self.counters, self.usages);
        let _ = write!(digest, "{:?}{:?}{},{}", self.terminals, self.messages, self.seq, self.at);
        digest.0
    }

    /// Rows of the tables, for reports and gauges, in the order of `Bounds::tables`.
    pub fn sizes(&self) -> [(&'static str, usize); TABLES] {
        [
            ("accounts", self.accounts.len()),
            ("open_holds", self.holds.len()),
            ("remembered_events", self.memory.len()),
            ("reversed_before_seen", self.memory.tombstone_count()),
            ("cards_with_wrong_pins", self.pin_tries.len()),
            ("cards_with_counters", self.counters.len()),
            ("usages", self.usages.len()),
            ("terminals", self.terminals.len()),
            ("messages", self.messages.len()),
        ]
    }

    /// Per currency: posted debits, posted credits.
    pub fn trial_balance(&self) -> BTreeMap<u16, (i128, i128)> {
        let mut totals: BTreeMap<u16, (i128, i128)> = BTreeMap::new();
        for (_, account) in self.accounts.iter() {
            let total = totals.entry(account.currency).or_default();
            total.0 += i128::from(account.debits);
            total.1 += i128::from(account.credits);
        }
        totals
    }
}

fn check_account(account: &Account, held: (i128, i128)) -> Result<(), &'static str> {
    let numbers = [account.debits, account.credits, account.pending_debits, account.pending_credits];
    if numbers.iter().any(|number| *number < 0) {
        return Err("a number is negative");
    }
    if held != (i128::from(account.pending_debits), i128::from(account.pending_credits)) {
        return Err("open holds and pending amounts differ");
    }
    if account.debits.checked_add(account.pending_debits).is_none()
        || account.credits.checked_add(account.pending_credits).is_none()
    {
        return Err("posted and pending amounts leave the range of 64 bits");
    }
    if account.closed && (account.balance() != 0 || held != (0, 0)) {
        return Err("closed, and not empty");
    }
    Ok(())
}

/// FNV-1a over text as it is written: nothing as large as the state is ever built.
struct Digest(u64);

impl Digest {
    const START: u64 = 0xCBF2_9CE4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01B3;
}

impl Write for Digest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = text.bytes().fold(self.0, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(Self::PRIME));
        Ok(())
    }
}
