//! The issuer's decisions: what a message does to an account, once however often it comes.

use payment_crypto::pin_block;
use zeroize::Zeroize;

use super::account::{Account, Accounts};
use super::asked::{Asked, OriginalNames, Wish};
use super::digest::Digest;
use super::memory::{Effect, Memory, REMEMBERED_MAX, Remembered, Verdict};
use crate::SessionKeys;
use crate::network::chance::{Chance, Draw};

/// What was decided, and what is special about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub verdict: Verdict,
    pub special: Special,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    Nothing,
    Duplicate,
    /// Something was given back.
    Reversed,
    /// A reversal that finds nothing to take back.
    NothingToReverse,
    /// A reversal of other contents than its original's.
    Differs,
    WrongPin,
}

pub(crate) struct Books {
    pub accounts: Accounts,
    pub memory: Memory,
    chance: Chance,
}

const APPROVED: [u8; 2] = *b"00";

impl Books {
    pub fn new(accounts: Accounts, seed: u64) -> Self {
        Self { accounts, memory: Memory::new(REMEMBERED_MAX), chance: Chance::new(seed) }
    }

    /// `decline` is for requests alone: advices and reversals are not refused.
    pub fn decide(&mut self, asked: &Asked, keys: &SessionKeys, decline: Option<[u8; 2]>) -> Decision {
        if let Some(decision) = self.first_copy(asked) {
            return decision;
        }
        let account = self.accounts.account(&asked.pan, &asked.currency);
        let (decision, effect) = match asked.wish {
            Wish::Reverse { original, remaining } => (self.reverse(asked, original, remaining), Effect::Nothing),
            _ => self.transact(asked, account, keys, decline),
        };
        let mut message = Remembered::new(asked.contents, decision.verdict, account, effect);
        message.is_repeat = asked.is_repeat;
        self.memory.remember(asked.id, asked.names.clone(), message);
        decision
    }

    /// A copy gets the first answer; what has the name of another message, 94.
    fn first_copy(&mut self, asked: &Asked) -> Option<Decision> {
        let by_copies = || match asked.is_repeat {
            true => self.memory.id_of(asked.any_copy?),
            false => self.memory.repeat_without_first(asked.any_copy?),
        };
        let id = self.memory.id_of(asked.id).or_else(by_copies)?;
        let first = self.memory.find(&[id])?;
        let (is_same, verdict) = (first.contents == asked.contents, first.verdict);
        if is_same {
            // Its reversal may name this copy.
            self.memory.alias(id, asked.id);
        }
        let verdict = if is_same { verdict } else { plain(*b"94") };
        Some(Decision { verdict, special: Special::Duplicate })
    }

    fn transact(
        &mut self,
        asked: &Asked,
        account: Account,
        keys: &SessionKeys,
        decline: Option<[u8; 2]>,
    ) -> (Decision, Effect) {
        let refused = |code, special| (Decision { verdict: plain(code), special }, Effect::Nothing);
        if self.memory.is_buried(asked.names.iter().copied().chain([asked.id])) {
            return refused(*b"68", Special::Nothing);
        }
        if !asked.is_advice {
            match self.pin_fault(asked, keys) {
                Some(code) if code == *b"55" => return refused(code, Special::WrongPin),
                Some(code) => return refused(code, Special::Nothing),
                None => {}
            }
            if let Some(code) = self.refusal(asked, account).or(decline) {
                return refused(code, Special::Nothing);
            }
        }
        let effect = self.post(asked, account);
        let verdict = Verdict {
            code: APPROVED,
            approval: Some(self.approval(asked)),
            balance: (asked.wish == Wish::Balance).then(|| self.accounts.balance(account)),
        };
        (Decision { verdict, special: Special::Nothing }, effect)
    }

    /// DE 39 when the PIN block holds no PIN of this account, or not the card's.
    fn pin_fault(&mut self, asked: &Asked, keys: &SessionKeys) -> Option<[u8; 2]> {
        let mut clear = keys.tpk.decrypt_block(asked.pin_block?);
        let entered = pin_block::format0::decode(clear, &asked.pan.account12());
        clear.zeroize();
        match entered {
            Ok(pin) => self.accounts.card(&asked.pan)?.judge(&pin),
            Err(_) => Some(*b"86"),
        }
    }

    /// DE 39 when the card or its account forbids it.
    fn refusal(&mut self, asked: &Asked, account: Account) -> Option<[u8; 2]> {
        if let Some(code) = self.accounts.card(&asked.pan).and_then(|card| card.decline) {
            return Some(code);
        }
        match asked.wish {
            Wish::Other => Some(*b"12"),
            Wish::Debit | Wish::Hold if self.accounts.balance(account).available() < minor(asked.amount) => {
                Some(*b"51")
            }
            _ => None,
        }
    }

    fn post(&mut self, asked: &Asked, account: Account) -> Effect {
        let amount = minor(asked.amount);
        match &asked.wish {
            Wish::Hold => {
                self.accounts.change(account, 0, amount);
                return Effect::Held(amount);
            }
            Wish::Credit => {
                self.accounts.change(account, amount, 0);
                return Effect::Posted(amount);
            }
            Wish::Complete { hold } => self.release(hold, account),
            Wish::Debit => {}
            Wish::Balance | Wish::Reverse { .. } | Wish::Other => return Effect::Nothing,
        }
        self.accounts.change(account, -amount, 0);
        Effect::Posted(-amount)
    }

    /// What a completion's hold set aside is free again. A completion without its hold is posted all the same.
    fn release(&mut self, hold: &[Digest], account: Account) {
        let Some(hold) = self.memory.find(hold).filter(|hold| hold.account == account) else { return };
        if let Effect::Held(amount) = std::mem::replace(&mut hold.effect, Effect::Nothing) {
            self.accounts.change(account, 0, -amount);
        }
    }

    fn reverse(&mut self, asked: &Asked, original: OriginalNames, remaining: u64) -> Decision {
        let decision = |special, code| Decision { verdict: plain(code), special };
        let if_request = |code: [u8; 2]| if asked.is_advice { APPROVED } else { code };
        // Of its copies, another one may have come than the one that is named.
        let by_copies = || self.memory.id_of(original.any_copy?);
        let id = self.memory.id_of(original.id).or_else(by_copies);
        let Some(original) = id.and_then(|id| self.memory.find(&[id])) else {
            [Some(original.id), original.any_copy].into_iter().flatten().for_each(|name| self.memory.bury(name));
            return decision(Special::NothingToReverse, if_request(*b"25"));
        };
        if original.contents != asked.contents {
            return decision(Special::Differs, if_request(*b"77"));
        }
        if original.reversed || original.effect == Effect::Nothing {
            return decision(Special::NothingToReverse, APPROVED);
        }
        original.reversed = true;
        let account = original.account;
        let (ledger, held) = take_back(&mut original.effect, minor(remaining));
        self.accounts.change(account, ledger, held);
        decision(Special::Reversed, APPROVED)
    }

    /// Repeatable, like all else; digests are not.
    fn approval(&self, asked: &Asked) -> u32 {
        let number = self.chance.bits(self.chance.of_text(&asked.moment), Draw::Approval) % 1_000_000;
        u32::try_from(number).unwrap_or_default()
    }
}

/// Leaves of the effect what remains of it; gives the changes of ledger balance and held amount.
fn take_back(effect: &mut Effect, remaining: i64) -> (i64, i64) {
    match effect {
        Effect::Nothing => (0, 0),
        Effect::Posted(amount) => {
            let left = remaining.min(amount.abs()) * amount.signum();
            (left - std::mem::replace(amount, left), 0)
        }
        Effect::Held(amount) => {
            let left = remaining.min(*amount);
            (0, left - std::mem::replace(amount, left))
        }
    }
}

fn plain(code: [u8; 2]) -> Verdict {
    Verdict { code, approval: None, balance: None }
}

/// DE 4 has twelve digits.
fn minor(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
