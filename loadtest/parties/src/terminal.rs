//! A POS terminal: builds requests, keeps session keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use iso8583::Fields;
use iso8583::domain::AdditionalAmount;
use payment_crypto::{Pin, os_random, pin_block};
use time::{OffsetDateTime, UtcOffset};
use tokio::io::{AsyncRead, AsyncWrite};
use zeroize::Zeroize;

use crate::{
    Administration, CardProfile, Connection, Dialect, Error, Exchange, Kind, Original, Request, Reversal, SessionKeys,
    TerminalProfile,
};

/// STANs run from 1 to this and begin again.
pub const STAN_MAX: u32 = 999_999;

/// What DE 4 holds.
const AMOUNT_MAX: u64 = 999_999_999_999;

/// DE 25: an ordinary transaction.
const ORDINARY: &str = "00";

/// DE 25: the completion of a pre-authorization.
const COMPLETION: &str = "06";

/// DE 54: the cash part of a purchase with cashback.
const CASH_PART: &str = "40";

type Clock = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

/// Building takes `&self`, so that many tasks can share a terminal that has its keys.
pub struct Terminal {
    profile: TerminalProfile,
    dialect: Dialect,
    keys: Option<Arc<SessionKeys>>,
    next_stan: AtomicU32,
    clock: Clock,
}

/// The two exchanges that begin a session.
#[derive(Debug)]
pub struct SessionOpening {
    pub sign_on: Exchange,
    pub key_exchange: Exchange,
}

impl Terminal {
    /// Its STANs begin anywhere: two runs within a second must not look like one message and its duplicate.
    pub fn new(profile: TerminalProfile, dialect: Dialect) -> Self {
        let clock: Clock = Arc::new(OffsetDateTime::now_utc);
        let mut seed = [0; 4];
        let random = os_random(&mut seed).map_or_else(|_| clock().nanosecond(), |()| u32::from_be_bytes(seed));
        Self { profile, dialect, keys: None, next_stan: AtomicU32::new(random % STAN_MAX + 1), clock }
    }

    /// Takes DE 7, 12, 13 and 37 from this clock; DE 12 and 13 in the offset it gives.
    pub fn with_clock(mut self, clock: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The next request has this STAN.
    pub fn set_next_stan(&self, stan: u32) -> Result<(), Error> {
        if !(1..=STAN_MAX).contains(&stan) {
            return Err(Error::Stan(stan));
        }
        self.next_stan.store(stan, Ordering::Relaxed);
        Ok(())
    }

    pub fn profile(&self) -> &TerminalProfile {
        &self.profile
    }

    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    pub fn has_keys(&self) -> bool {
        self.keys.is_some()
    }

    /// Uses these keys from now on; requests already built keep theirs.
    pub fn set_keys(&mut self, keys: SessionKeys) {
        self.keys = Some(Arc::new(keys));
    }

    /// An 0800. Sign-on and key exchange have no MAC, as they come before there are keys; an echo has one if there
    /// are keys, which proves them.
    pub fn administer(&self, what: Administration) -> Result<Request, Error> {
        let mut fields = self.begin("0800", (self.clock)());
        fields.set(70, what.code());
        let keys = match what {
            Administration::SignOn | Administration::KeyExchange => None,
            Administration::Echo if self.keys.is_none() => None,
            Administration::Echo | Administration::SignOff => self.mac_keys()?,
        };
        Request::seal(fields, &self.dialect.spec, keys)
    }

    /// A transaction with the cardholder present. A balance inquiry has no amount: give 0.
    pub fn request(&self, kind: Kind, card: &CardProfile, amount_minor: u64) -> Result<Request, Error> {
        let now = (self.clock)();
        let mut fields = self.begin(kind.mti(), now);
        fields.set(37, retrieval_reference(now, &fields));
        card.write_to(&mut fields);
        set_money(&mut fields, kind.processing_code(), amount_minor, card.currency())?;
        fields.set(25, ORDINARY);
        if let Kind::Cashback { cash } = kind {
            fields.set(54, cash_part(cash, card.currency())?);
        }
        if let (Some(pin), true) = (card.pin(), kind.asks_for_pin()) {
            fields.set_binary(52, self.pin_block(pin, card)?);
        }
        Request::seal(fields, &self.dialect.spec, self.mac_keys()?)
    }

    /// 0220 with DE 25 = 06: posts what a pre-authorization held, all of it, less or more.
    pub fn completion(
        &self,
        card: &CardProfile,
        amount_minor: u64,
        approval: &str,
        hold: &Original,
    ) -> Result<Request, Error> {
        if hold.data.is_none() && hold.rrn.is_none() {
            return Err(Error::Original("a completion needs DE 90 or DE 37 of its pre-authorization; give one"));
        }
        let mut fields = self.begin("0220", (self.clock)());
        card.write_to(&mut fields);
        set_money(&mut fields, &hold.processing_code, amount_minor, &hold.currency)?;
        fields.set(25, COMPLETION);
        fields.set(38, approval);
        set_original(&mut fields, hold);
        Request::seal(fields, &self.dialect.spec, self.mac_keys()?)
    }

    /// 0400 or 0420: takes an earlier message back, all of it or down to what remains. Where the original has no
    /// DE 90 data, the reversal must have its STAN: see [`Terminal::set_next_stan`].
    pub fn reversal(&self, how: Reversal, card: &CardProfile, original: &Original) -> Result<Request, Error> {
        let mut fields = self.begin(if how.advice { "0420" } else { "0400" }, (self.clock)());
        card.write_to(&mut fields);
        set_money(&mut fields, &original.processing_code, original.amount_minor, &original.currency)?;
        fields.set(25, ORDINARY);
        set_original(&mut fields, original);
        if let Some(remaining) = how.remaining_minor {
            fields.set(95, replacement_amounts(remaining)?);
        }
        Request::seal(fields, &self.dialect.spec, self.mac_keys()?)
    }

    /// Any fields as a request of this terminal, MACed as its others are.
    pub fn seal(&self, fields: Fields) -> Result<Request, Error> {
        Request::seal(fields, &self.dialect.spec, self.mac_keys()?)
    }

    /// Asks for session keys and, when the switch grants them, uses them from now on.
    pub async fn exchange_keys<R, W>(&mut self, connection: &mut Connection<R, W>) -> Result<Exchange, Error>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let exchange = connection.exchange(&self.administer(Administration::KeyExchange)?).await?;
        if exchange.is_approved() {
            let carrier = exchange.answer.text(62).ok_or(Error::KeyCarrier("is missing"))?;
            self.set_keys(SessionKeys::from_carrier(carrier, self.profile.key_scheme, &self.profile.tmk)?);
        }
        Ok(exchange)
    }

    /// Signs on and exchanges keys; a refusal of either is an error.
    pub async fn open_session<R, W>(&mut self, connection: &mut Connection<R, W>) -> Result<SessionOpening, Error>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let sign_on = connection.exchange(&self.administer(Administration::SignOn)?).await?;
        granted(Administration::SignOn, &sign_on)?;
        let key_exchange = self.exchange_keys(connection).await?;
        granted(Administration::KeyExchange, &key_exchange)?;
        Ok(SessionOpening { sign_on, key_exchange })
    }

    /// The fields every request has: DE 7, 11, 12, 13, 41, 42.
    fn begin(&self, mti: &str, local: OffsetDateTime) -> Fields {
        let universal = local.to_offset(UtcOffset::UTC);
        let mut fields = Fields::new(mti);
        fields.set(7, format!("{}{}", month_and_day(universal), clock_time(universal)));
        fields.set(11, format!("{:06}", self.take_stan()));
        fields.set(12, clock_time(local));
        fields.set(13, month_and_day(local));
        fields.set(41, self.profile.terminal_id.as_str());
        fields.set(42, self.profile.merchant_id.as_str());
        fields
    }

    fn take_stan(&self) -> u32 {
        let next = |stan: u32| Some(stan % STAN_MAX + 1);
        self.next_stan.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_else(|stan| stan)
    }

    /// The keys for a MAC, or none where the terminal sends no MACs.
    fn mac_keys(&self) -> Result<Option<&Arc<SessionKeys>>, Error> {
        match (&self.keys, self.profile.mac) {
            (_, false) => Ok(None),
            (Some(keys), true) => Ok(Some(keys)),
            (None, true) => Err(Error::NoSessionKeys),
        }
    }

    /// DE 52: ISO 9564 format 0 under the TPK.
    fn pin_block(&self, pin: &Pin, card: &CardProfile) -> Result<Vec<u8>, Error> {
        let keys = self.keys.as_ref().ok_or(Error::NoSessionKeys)?;
        let mut clear = pin_block::format0::encode(pin, &card.pan().account12())?;
        let enciphered = keys.tpk.encrypt_block(clear);
        clear.zeroize();
        Ok(enciphered.to_vec())
    }
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal").field("profile", &self.profile).field("keys", &self.keys).finish_non_exhaustive()
    }
}

fn granted(what: Administration, exchange: &Exchange) -> Result<(), Error> {
    if exchange.is_approved() {
        return Ok(());
    }
    Err(Error::Refused { doing: what.name(), code: exchange.code().to_owned(), meaning: exchange.meaning() })
}

pub(crate) fn month_and_day(time: OffsetDateTime) -> String {
    format!("{:02}{:02}", u8::from(time.month()), time.day())
}

pub(crate) fn clock_time(time: OffsetDateTime) -> String {
    format!("{:02}{:02}{:02}", time.hour(), time.minute(), time.second())
}

/// DE 37 as terminals make it: last digit of the year, day of the year, hour, STAN.
fn retrieval_reference(now: OffsetDateTime, fields: &Fields) -> String {
    let now = now.to_offset(UtcOffset::UTC);
    let stan = fields.text(11).unwrap_or_default();
    format!("{}{:03}{:02}{stan}", now.year() % 10, now.ordinal(), now.hour())
}

/// DE 3, 4 and 49.
fn set_money(fields: &mut Fields, processing_code: &str, amount_minor: u64, currency: &str) -> Result<(), Error> {
    fields.set(3, processing_code);
    fields.set(4, twelve_digits(amount_minor)?);
    fields.set(49, currency);
    Ok(())
}

/// DE 37 and DE 90.
fn set_original(fields: &mut Fields, original: &Original) {
    if let Some(rrn) = &original.rrn {
        fields.set(37, rrn.as_str());
    }
    if let Some(data) = &original.data {
        fields.set(90, data.encode());
    }
}

fn twelve_digits(amount_minor: u64) -> Result<String, Error> {
    if amount_minor > AMOUNT_MAX {
        return Err(Error::Amount);
    }
    Ok(format!("{amount_minor:012}"))
}

/// DE 54 with one item; the cash is a debit to the cardholder, as the purchase is.
fn cash_part(cash_minor: u64, currency: &str) -> Result<String, Error> {
    let amount = i64::try_from(cash_minor).map_err(|_| Error::Amount)?;
    let item = AdditionalAmount {
        account_type: "00".to_owned(),
        amount_type: CASH_PART.to_owned(),
        currency: currency.to_owned(),
        amount: -amount,
    };
    item.encode().map_err(|_| Error::Amount)
}

/// DE 95: transaction amount, settlement amount, and the fees of both (ISO 8583:1987).
fn replacement_amounts(remaining_minor: u64) -> Result<String, Error> {
    Ok(format!("{}{:012}C{:08}C{:08}", twelve_digits(remaining_minor)?, 0, 0, 0))
}

#[cfg(test)]
mod tests;
