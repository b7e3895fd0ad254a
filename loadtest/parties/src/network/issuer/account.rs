//! Cards' accounts. What is on an account is kept from its first change on; until then it follows from the seed.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use iso8583::domain::Pan;
use payment_crypto::Pin;

use super::IssuerCard;
use super::digest::{Digest, digest};
use crate::network::chance::{Chance, Draw};

/// Wrong PINs before a card's PIN is no longer tried.
const PIN_TRIES: u8 = 3;

/// Minor units. Advices may take both below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    pub ledger: i64,
    /// What holds set aside.
    pub held: i64,
}

impl Balance {
    pub fn available(self) -> i64 {
        self.ledger - self.held
    }
}

/// What is known of a card besides its balance.
#[derive(Debug, Default)]
pub(crate) struct CardFile {
    pub pin: Option<Pin>,
    pub decline: Option<[u8; 2]>,
    balance_minor: Option<u64>,
    wrong_pins: u8,
}

impl CardFile {
    /// DE 39 when the PIN is not the card's.
    pub fn judge(&mut self, entered: &Pin) -> Option<[u8; 2]> {
        let pin = self.pin.as_ref()?;
        if self.wrong_pins >= PIN_TRIES {
            return Some(*b"75");
        }
        if pin == entered {
            self.wrong_pins = 0;
            return None;
        }
        self.wrong_pins += 1;
        Some(*b"55")
    }
}

/// A card's account in a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    name: Digest,
    /// What is on it before anything has changed it.
    opening: i64,
}

// No `Debug`: balances and seed together could give card numbers away.
pub(crate) struct Accounts {
    chance: Chance,
    opening: RangeInclusive<u64>,
    cards: HashMap<Digest, CardFile>,
    balances: HashMap<Digest, Balance>,
}

impl Accounts {
    pub fn new(seed: u64, opening: RangeInclusive<u64>, cards: &[IssuerCard]) -> Self {
        let file = |card: &IssuerCard| CardFile {
            pin: card.pin.clone(),
            decline: card.decline,
            balance_minor: card.balance_minor,
            wrong_pins: 0,
        };
        let cards = cards.iter().map(|card| (card_name(&card.pan), file(card))).collect();
        Self { chance: Chance::new(seed), opening, cards, balances: HashMap::new() }
    }

    pub fn card(&mut self, pan: &Pan) -> Option<&mut CardFile> {
        self.cards.get_mut(&card_name(pan))
    }

    pub fn account(&self, pan: &Pan, currency: &str) -> Account {
        Account { name: digest("account", &[pan.as_str(), currency]), opening: self.opening_of(pan) }
    }

    pub fn balance(&self, account: Account) -> Balance {
        let unchanged = Balance { ledger: account.opening, held: 0 };
        self.balances.get(&account.name).copied().unwrap_or(unchanged)
    }

    pub fn change(&mut self, account: Account, ledger: i64, held: i64) {
        if (ledger, held) == (0, 0) {
            return;
        }
        let unchanged = Balance { ledger: account.opening, held: 0 };
        let balance = self.balances.entry(account.name).or_insert(unchanged);
        balance.ledger = balance.ledger.saturating_add(ledger);
        balance.held = balance.held.saturating_add(held);
    }

    #[cfg(test)]
    pub fn changed(&self) -> usize {
        self.balances.len()
    }

    /// What was said of the card, or what its number and the seed give.
    fn opening_of(&self, pan: &Pan) -> i64 {
        let known = self.cards.get(&card_name(pan)).and_then(|card| card.balance_minor);
        let drawn = || {
            let (low, high) = (*self.opening.start(), *self.opening.end());
            let choices = high.saturating_sub(low).saturating_add(1);
            low + self.chance.bits(self.chance.of_text(pan.as_str()), Draw::Opening) % choices
        };
        i64::try_from(known.unwrap_or_else(drawn)).unwrap_or(i64::MAX)
    }
}

fn card_name(pan: &Pan) -> Digest {
    digest("card", &[pan.as_str()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pan(text: &str) -> Pan {
        Pan::parse(text).unwrap()
    }

    #[test]
    fn opening_balances_are_repeatable_and_in_range() {
        let opened = |seed| {
            let accounts = Accounts::new(seed, 1_000..=2_000, &[]);
            let pans = (0..100).map(|n| pan(&format!("99999800000{n:05}")));
            pans.map(|pan| {
                let account = accounts.account(&pan, "710");
                accounts.balance(account).ledger
            })
            .collect::<Vec<_>>()
        };
        assert_eq!(opened(1), opened(1));
        assert_ne!(opened(1), opened(2));
        assert!(opened(1).iter().all(|balance| (1_000..=2_000).contains(balance)));
    }

    #[test]
    fn a_given_balance_is_kept_and_currencies_are_apart() {
        let number = pan("9999980000000007");
        let card = IssuerCard::new(number.as_str()).unwrap().with_balance(500);
        let mut accounts = Accounts::new(1, 1_000..=1_000, &[card]);
        let (rand, dollar) = (accounts.account(&number, "710"), accounts.account(&number, "840"));
        accounts.change(rand, -200, 50);
        assert_eq!(accounts.balance(rand), Balance { ledger: 300, held: 50 });
        assert_eq!(accounts.balance(rand).available(), 250);
        assert_eq!(accounts.account(&number, "710"), rand);
        assert_eq!(accounts.balance(dollar).ledger, 500);
    }

    #[test]
    fn only_what_has_changed_is_kept() {
        let mut accounts = Accounts::new(1, 1_000..=1_000, &[]);
        let account = accounts.account(&pan("9999980000000007"), "710");
        accounts.change(account, 0, 0);
        assert_eq!((accounts.balance(account).ledger, accounts.balances.len()), (1_000, 0));
        accounts.change(account, -1, 0);
        assert_eq!((accounts.balance(account).ledger, accounts.balances.len()), (999, 1));
    }

    #[test]
    fn three_wrong_pins_are_enough() {
        let mut card = CardFile { pin: Some(Pin::parse("4711").unwrap()), ..CardFile::default() };
        let (right, wrong) = (Pin::parse("4711").unwrap(), Pin::parse("4712").unwrap());
        for _ in 0..2 {
            assert_eq!(card.judge(&wrong), Some(*b"55"));
        }
        assert_eq!(card.judge(&right), None);
        for _ in 0..3 {
            assert_eq!(card.judge(&wrong), Some(*b"55"));
        }
        assert_eq!(card.judge(&right), Some(*b"75"));
    }
}
