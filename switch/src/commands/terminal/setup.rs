//! What flags leave open, from demo.json.

use std::cell::OnceCell;
use std::fmt::Display;
use std::net::SocketAddr;

use iso8583::domain::Currency;
use parties::{CardProfile, DemoFile, DemoTerminal, Dialect, KeyScheme, TerminalProfile};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::options::Options;

/// A command line that cannot be carried out as it stands.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(String);

pub fn usage(what: impl Display) -> anyhow::Error {
    Usage(what.to_string()).into()
}

/// The currency of cards that nobody says one of: the demo's.
const CURRENCY: &str = "710";

/// Where the terminal is and what it is set up with.
pub struct Station {
    pub address: SocketAddr,
    pub dialect: Dialect,
    pub profile: TerminalProfile,
}

/// Reads demo.json when something is first missing, and not at all when nothing is.
pub struct Setup<'a> {
    pub options: &'a Options,
    demo: OnceCell<DemoFile>,
}

impl<'a> Setup<'a> {
    pub fn new(options: &'a Options) -> Self {
        Self { options, demo: OnceCell::new() }
    }

    fn demo(&self) -> Result<&DemoFile, parties::Error> {
        match self.demo.get() {
            Some(demo) => Ok(demo),
            None => {
                let read = DemoFile::read(&self.options.data_dir.join("demo.json"))?;
                Ok(self.demo.get_or_init(|| read))
            }
        }
    }

    pub fn station(&self) -> anyhow::Result<Station> {
        let listener = &self.options.listener;
        let address = match self.options.address {
            Some(address) => address,
            None => *self
                .demo()?
                .listeners
                .get(listener)
                .ok_or_else(|| usage(format!("demo.json has no listener {listener}; give --address")))?,
        };
        let mut profile = self.profile()?;
        if let Some(scheme) = self.options.key_scheme {
            profile.key_scheme = scheme;
        }
        profile.mac &= !self.options.no_mac;
        Ok(Station { address, dialect: Dialect::of_listener(listener)?, profile })
    }

    /// From flags alone when they say all that is needed, else from demo.json, its values replaced where flags say so.
    fn profile(&self) -> anyhow::Result<TerminalProfile> {
        let Options { tid, mid, tmk, .. } = self.options;
        let tmk = tmk.as_ref().map(|tmk| TerminalProfile::tmk(tmk)).transpose().map_err(usage)?;
        match (tid, mid, tmk) {
            (Some(tid), Some(mid), Some(tmk)) => Ok(TerminalProfile {
                terminal_id: tid.clone(),
                merchant_id: mid.clone(),
                tmk,
                key_scheme: KeyScheme::Tr31,
                mac: true,
            }),
            (.., tmk) => {
                let mut profile = TerminalProfile::from_demo(self.known_terminal()?)?;
                if let Some(mid) = mid {
                    mid.clone_into(&mut profile.merchant_id);
                }
                if let Some(tmk) = tmk {
                    profile.tmk = tmk;
                }
                Ok(profile)
            }
        }
    }

    fn known_terminal(&self) -> anyhow::Result<&DemoTerminal> {
        let wanted = self.options.tid.as_deref();
        let mut terminals = self.demo()?.terminals.iter();
        let found = terminals.find(|terminal| wanted.is_none_or(|tid| terminal.terminal_id == tid));
        found.ok_or_else(|| match wanted {
            Some(tid) => usage(format!("demo.json has no terminal {tid}; give --mid and --tmk (or UMBRA_TMK) too")),
            None => usage("demo.json has no terminals; give --tid, --mid and --tmk (or UMBRA_TMK)"),
        })
    }

    pub fn card(&self) -> anyhow::Result<CardProfile> {
        let Options { card, pan, expiry, pin, .. } = self.options;
        let profile = match (pan, card, expiry) {
            (Some(_), Some(_), _) => return Err(usage("--pan and --card name two cards; give one of them")),
            (None, _, Some(_)) => return Err(usage("--expiry goes with --pan; a card of demo.json has its own")),
            (Some(pan), None, expiry) => {
                let currency = self.currency_of(pan);
                CardProfile::keyed(pan, expiry.as_ref().map(|text| text.as_str()), &currency).map_err(usage)?
            }
            (None, index, None) => self.known_card(index.unwrap_or(0))?,
        };
        let profile = match pin {
            Some(pin) => profile.with_pin(pin).map_err(usage)?,
            None => profile,
        };
        match &self.options.currency {
            Some(text) => Ok(profile.with_currency(&format!("{:03}", currency(text)?.number()))),
            None => Ok(profile),
        }
    }

    fn known_card(&self, index: usize) -> anyhow::Result<CardProfile> {
        let cards = &self.demo()?.cards;
        let card = cards.get(index).ok_or_else(|| {
            usage(format!("demo.json has {} cards, counted from 0; choose another --card", cards.len()))
        })?;
        Ok(CardProfile::from_demo(card)?)
    }

    /// A card that is keyed in may still be one of the demo's.
    fn currency_of(&self, pan: &str) -> String {
        let known = self.demo().ok().and_then(|demo| demo.cards.iter().find(|card| card.pan == pan));
        known.map_or_else(|| CURRENCY.to_owned(), |card| card.currency.clone())
    }

    /// `--amount` in minor units.
    pub fn amount(&self, card: &CardProfile) -> anyhow::Result<u64> {
        match &self.options.amount {
            Some(text) => minor_units("--amount", text, card.currency()),
            None => Err(usage("--amount is missing; give it in major units, like --amount 12.50")),
        }
    }

    pub fn refuse_amount(&self) -> anyhow::Result<()> {
        match &self.options.amount {
            Some(_) => Err(usage("this command moves no money; leave --amount out")),
            None => Ok(()),
        }
    }
}

pub fn currency(text: &str) -> anyhow::Result<Currency> {
    Currency::parse(text).ok_or_else(|| usage(format!("{text} is no currency of ISO 4217; write 710 or ZAR")))
}

/// DE 4 has twelve digits.
const MINOR_MAX: u64 = 999_999_999_999;

/// Exact: more decimals than the currency has are refused, even zeros.
pub fn minor_units(flag: &str, text: &str, currency_text: &str) -> anyhow::Result<u64> {
    let currency = currency(currency_text)?;
    let decimals = currency.exponent();
    let amount = Decimal::from_str_exact(text)
        .ok()
        .filter(|amount| !amount.is_sign_negative())
        .ok_or_else(|| usage(format!("{flag} {text} is no amount; write major units, like 12.50")))?;
    if amount.scale() > decimals {
        return Err(usage(format!("{flag} {text} has more decimals than {} has ({decimals})", currency.code())));
    }
    amount
        .checked_mul(Decimal::from(10_u64.pow(decimals)))
        .and_then(|minor| minor.to_u64())
        .filter(|minor| *minor <= MINOR_MAX)
        .ok_or_else(|| usage(format!("{flag} {text} does not fit the twelve digits of DE 4; give a smaller one")))
}

/// The inverse of [`minor_units`].
pub fn major_units(minor: u64, currency_text: &str) -> String {
    let decimals = Currency::parse(currency_text).map_or(2, Currency::exponent);
    Decimal::from_i128_with_scale(i128::from(minor), decimals).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        let cases = [
            ("12.50", "710", 1250),
            ("12.5", "710", 1250),
            ("12", "710", 1200),
            ("0.01", "710", 1),
            ("12", "392", 12),
            ("1.234", "048", 1234),
            ("9999999999.99", "710", MINOR_MAX),
        ];
        for (text, currency, minor) in cases {
            assert_eq!(minor_units("--amount", text, currency).unwrap(), minor, "{text} {currency}");
            let back = major_units(minor, currency);
            assert_eq!(minor_units("--amount", &back, currency).unwrap(), minor, "{back}");
        }
        let refused = [
            ("12.505", "710"),
            ("12.500", "710"),
            ("12.5", "392"),
            ("-1", "710"),
            ("", "710"),
            ("1e3", "710"),
            ("12,50", "710"),
            ("10000000000", "710"),
            ("79228162514264337593543950335", "710"),
            ("1", "XXY"),
        ];
        for (text, currency) in refused {
            let error = minor_units("--amount", text, currency).unwrap_err();
            assert!(error.is::<Usage>(), "{text} {currency}");
        }
    }
}
