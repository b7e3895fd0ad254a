//! Events as bytes. Everything is little-endian; every length is checked before it is believed.

use crate::controls::{Atc, Controls, Limit, Period, Side, Subject, Sum, Total, Totals, UsageKey};
use crate::event::{
    AccountKind, Body, CardAction, CardEvent, Content, Entry, Event, EventId, Floor, PinCheck, Posting, Reference,
};
use crate::limits::{
    ALIASES_MAX, ANSWER_MAX, BATCH_ENTRIES_MAX, BATCH_POSTINGS_MAX, LIMITS_MAX, MESSAGE_MAX, POSTINGS_MAX, RECORD_MAX,
};
use crate::messages::{ForwardResult, MessageDid, Outgoing};

/// Set in the kind of an event that has controls.
const CONTROLLED: u8 = 0x80;

/// Bytes that are no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no event of this format")]
pub struct NoEvent;

/// An event that is larger than the format allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event is larger than the journal's format allows")]
pub struct TooLarge;

/// Appends an event: id, content, kind, fields.
pub fn encode(event: &Event, out: &mut Vec<u8>) -> Result<(), TooLarge> {
    out.extend_from_slice(&event.id.0.to_le_bytes());
    out.extend_from_slice(&event.content.0);
    if !event.controls.is_empty() && !event.body.is_controlled() {
        return Err(TooLarge);
    }
    match &event.body {
        Body::OpenAccount { account, currency, kind, floor } => {
            out.push(1);
            out.extend_from_slice(&account.to_le_bytes());
            out.extend_from_slice(&currency.to_le_bytes());
            out.push(match kind {
                AccountKind::Wallet => 0,
                AccountKind::Merchant => 1,
                AccountKind::System => 2,
            });
            let (tag, value) = match floor {
                Floor::Limited(value) => (0, *value),
                Floor::Unlimited => (1, 0),
            };
            out.push(tag);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Body::CloseAccount { account } => {
            out.push(2);
            out.extend_from_slice(&account.to_le_bytes());
        }
        Body::Post { entry, record } => {
            put_kind(3, &event.controls, out)?;
            put_entry(entry, out)?;
            put_bytes(record, RECORD_MAX, out)?;
        }
        Body::PlaceHold { entry, expires_at, record } => {
            put_kind(4, &event.controls, out)?;
            put_entry(entry, out)?;
            out.extend_from_slice(&expires_at.to_le_bytes());
            put_bytes(record, RECORD_MAX, out)?;
        }
        Body::CaptureHold { hold, amount, last, record } => {
            out.push(5);
            out.extend_from_slice(&hold.0.to_le_bytes());
            out.extend_from_slice(&amount.to_le_bytes());
            out.push(u8::from(*last));
            put_bytes(record, RECORD_MAX, out)?;
        }
        Body::VoidHold { hold } => {
            out.push(6);
            out.extend_from_slice(&hold.0.to_le_bytes());
        }
        Body::Reverse { original, remaining, record } => {
            put_kind(7, &event.controls, out)?;
            out.extend_from_slice(&original.0.to_le_bytes());
            out.extend_from_slice(&remaining.to_le_bytes());
            put_bytes(record, RECORD_MAX, out)?;
        }
        Body::Card(card) => {
            put_kind(8, &event.controls, out)?;
            put_card(card, out)?;
        }
        Body::ResetPinTries { card } => {
            out.push(9);
            out.extend_from_slice(&card.to_le_bytes());
        }
        Body::Tick => out.push(10),
        Body::ForgetAtc { card } => {
            out.push(13);
            out.extend_from_slice(&card.to_le_bytes());
        }
        Body::CloseForward { forward, result, answer, record } => {
            put_kind(15, &event.controls, out)?;
            out.extend_from_slice(&forward.0.to_le_bytes());
            match result {
                ForwardResult::Approved { entry } => {
                    out.push(0);
                    put_entry(entry, out)?;
                }
                ForwardResult::Declined { reason } => {
                    out.push(1);
                    out.extend_from_slice(&reason.to_le_bytes());
                }
            }
            put_bytes(answer, ANSWER_MAX, out)?;
            put_bytes(record, RECORD_MAX, out)?;
        }
        Body::Message { message, did } => {
            out.push(16);
            out.extend_from_slice(&message.0.to_le_bytes());
            match did {
                MessageDid::Delivered => out.push(0),
                MessageDid::Failed { retry_at, tries_max } => {
                    out.push(1);
                    out.extend_from_slice(&retry_at.to_le_bytes());
                    out.extend_from_slice(&tries_max.to_le_bytes());
                }
                MessageDid::Retried => out.push(2),
                MessageDid::Discarded => out.push(3),
            }
        }
        Body::CloseTotals { terminal, currency, next_date, counted, record } => {
            out.push(14);
            out.extend_from_slice(&terminal.to_le_bytes());
            out.extend_from_slice(&currency.to_le_bytes());
            out.extend_from_slice(&next_date.to_le_bytes());
            out.push(u8::from(counted.is_some()));
            for sum in
                counted.iter().flat_map(|all| [all.debits, all.debit_reversals, all.credits, all.credit_reversals])
            {
                out.extend_from_slice(&sum.count.to_le_bytes());
                out.extend_from_slice(&sum.amount.to_le_bytes());
            }
            put_bytes(record, RECORD_MAX, out)?;
        }
        Body::PostAll { entries, record } => {
            let postings: usize = entries.iter().map(|entry| entry.postings.len()).sum();
            if entries.len() > BATCH_ENTRIES_MAX || postings > BATCH_POSTINGS_MAX {
                return Err(TooLarge);
            }
            out.push(12);
            out.extend_from_slice(&u16::try_from(entries.len()).map_err(|_| TooLarge)?.to_le_bytes());
            entries.iter().try_for_each(|entry| put_entry(entry, out))?;
            put_bytes(record, RECORD_MAX, out)?;
        }
        Body::IncreaseHold { hold, amount, record } => {
            put_kind(11, &event.controls, out)?;
            out.extend_from_slice(&hold.0.to_le_bytes());
            out.extend_from_slice(&amount.to_le_bytes());
            put_bytes(record, RECORD_MAX, out)?;
        }
    }
    Ok(())
}

/// The kind, and the controls of an event that has some.
fn put_kind(kind: u8, controls: &Controls, out: &mut Vec<u8>) -> Result<(), TooLarge> {
    if controls.is_empty() {
        out.push(kind);
        return Ok(());
    }
    if controls.limits.len() > LIMITS_MAX {
        return Err(TooLarge);
    }
    out.push(kind | CONTROLLED);
    out.push(u8::try_from(controls.limits.len()).map_err(|_| TooLarge)?);
    for limit in &controls.limits {
        let (tag, of) = match limit.usage.of {
            Subject::Account(account) => (0, account),
            Subject::Card(card) => (1, card),
        };
        out.push(tag);
        out.extend_from_slice(&of.to_le_bytes());
        out.push(limit.usage.class);
        out.push(match limit.usage.period {
            Period::Day => 0,
            Period::Week => 1,
            Period::Month => 2,
        });
        out.extend_from_slice(&limit.ends_at.to_le_bytes());
        put_option(limit.count_max.map(u32::to_le_bytes), out);
        put_option(limit.amount_max.map(i64::to_le_bytes), out);
    }
    out.push(u8::from(controls.atc.is_some()));
    if let Some(atc) = controls.atc {
        out.extend_from_slice(&atc.value.to_le_bytes());
        out.extend_from_slice(&atc.ahead_max.to_le_bytes());
    }
    out.push(u8::from(controls.total.is_some()));
    if let Some(total) = controls.total {
        out.extend_from_slice(&total.terminal.to_le_bytes());
        out.push(match total.side {
            Side::Debit => 0,
            Side::Credit => 1,
        });
        out.extend_from_slice(&total.business_date.to_le_bytes());
    }
    out.push(u8::from(controls.send.is_some()));
    if let Some(send) = &controls.send {
        out.extend_from_slice(&send.link.to_le_bytes());
        put_bytes(&send.message, MESSAGE_MAX, out)?;
    }
    Ok(())
}

fn put_card(card: &CardEvent, out: &mut Vec<u8>) -> Result<(), TooLarge> {
    if card.aliases.len() > ALIASES_MAX {
        return Err(TooLarge);
    }
    out.push(u8::try_from(card.aliases.len()).map_err(|_| TooLarge)?);
    for key in &card.aliases {
        out.extend_from_slice(&key.to_le_bytes());
    }
    put_option(card.repeat_of.map(u128::to_le_bytes), out);
    out.push(u8::from(card.advice));
    put_option(card.card.map(u64::to_le_bytes), out);
    out.push(match card.pin {
        PinCheck::NotChecked => 0,
        PinCheck::Right => 1,
        PinCheck::Wrong => 2,
    });
    out.push(card.pin_tries_max);
    match &card.action {
        CardAction::Decline { reason } => {
            out.push(0);
            out.extend_from_slice(&reason.to_le_bytes());
        }
        CardAction::Inquire { account } => {
            out.push(1);
            out.extend_from_slice(&account.to_le_bytes());
        }
        CardAction::Post { entry } => {
            out.push(2);
            put_entry(entry, out)?;
        }
        CardAction::Hold { entry, expires_at } => {
            out.push(3);
            put_entry(entry, out)?;
            out.extend_from_slice(&expires_at.to_le_bytes());
        }
        CardAction::Complete { hold, approval, entry, tolerance_bp } => {
            out.push(4);
            put_reference(*hold, out);
            put_option(approval.map(u32::to_le_bytes), out);
            put_entry(entry, out)?;
            out.extend_from_slice(&tolerance_bp.to_le_bytes());
        }
        CardAction::Reverse { original, remaining } => {
            out.push(5);
            put_reference(*original, out);
            out.extend_from_slice(&remaining.to_le_bytes());
        }
        CardAction::Force { entry, hold } => {
            out.push(6);
            put_entry(entry, out)?;
            out.push(u8::from(hold.is_some()));
            hold.iter().for_each(|hold| put_reference(*hold, out));
        }
        CardAction::Forward { link, expires_at, reversal } => {
            out.push(7);
            out.extend_from_slice(&link.to_le_bytes());
            out.extend_from_slice(&expires_at.to_le_bytes());
            put_bytes(reversal, MESSAGE_MAX, out)?;
        }
    }
    put_bytes(&card.answer, ANSWER_MAX, out)?;
    put_bytes(&card.record, RECORD_MAX, out)
}

fn put_entry(entry: &Entry, out: &mut Vec<u8>) -> Result<(), TooLarge> {
    let count =
        u8::try_from(entry.postings.len()).ok().filter(|count| usize::from(*count) <= POSTINGS_MAX).ok_or(TooLarge)?;
    out.extend_from_slice(&entry.currency.to_le_bytes());
    out.push(count);
    for posting in &entry.postings {
        out.extend_from_slice(&posting.account.to_le_bytes());
        out.extend_from_slice(&posting.amount.to_le_bytes());
    }
    Ok(())
}

fn put_reference(reference: Reference, out: &mut Vec<u8>) {
    let (tag, values) = match reference {
        Reference::Id(id) => (0, [Some(id.0), None]),
        Reference::Key(key) => (1, [Some(key), None]),
        Reference::IdOrRepeat(id, key) => (2, [Some(id.0), Some(key)]),
    };
    out.push(tag);
    values.into_iter().flatten().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
}

fn put_option<const N: usize>(value: Option<[u8; N]>, out: &mut Vec<u8>) {
    match value {
        Some(bytes) => {
            out.push(1);
            out.extend_from_slice(&bytes);
        }
        None => out.push(0),
    }
}

fn put_bytes(bytes: &[u8], max: usize, out: &mut Vec<u8>) -> Result<(), TooLarge> {
    let length = u16::try_from(bytes.len()).ok().filter(|_| bytes.len() <= max).ok_or(TooLarge)?;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

/// The inverse of [`encode`]; the bytes must be used up.
pub fn decode(bytes: &[u8]) -> Result<Event, NoEvent> {
    let mut reader = Reader(bytes);
    let id = EventId(u128::from_le_bytes(reader.array()?));
    let content = Content(reader.array()?);
    let kind = reader.byte()?;
    let controls = if kind & CONTROLLED == 0 { Controls::default() } else { reader.controls()? };
    let body = match kind & !CONTROLLED {
        1 => Body::OpenAccount {
            account: reader.u64()?,
            currency: reader.u16()?,
            kind: match reader.byte()? {
                0 => AccountKind::Wallet,
                1 => AccountKind::Merchant,
                2 => AccountKind::System,
                _ => return Err(NoEvent),
            },
            floor: match (reader.byte()?, reader.i64()?) {
                (0, value) => Floor::Limited(value),
                (1, 0) => Floor::Unlimited,
                _ => return Err(NoEvent),
            },
        },
        2 => Body::CloseAccount { account: reader.u64()? },
        3 => Body::Post { entry: reader.entry()?, record: reader.bytes(RECORD_MAX)? },
        4 => Body::PlaceHold { entry: reader.entry()?, expires_at: reader.u64()?, record: reader.bytes(RECORD_MAX)? },
        5 => Body::CaptureHold {
            hold: EventId(u128::from_le_bytes(reader.array()?)),
            amount: reader.i64()?,
            last: reader.flag()?,
            record: reader.bytes(RECORD_MAX)?,
        },
        6 => Body::VoidHold { hold: EventId(u128::from_le_bytes(reader.array()?)) },
        7 => Body::Reverse {
            original: EventId(u128::from_le_bytes(reader.array()?)),
            remaining: reader.i64()?,
            record: reader.bytes(RECORD_MAX)?,
        },
        8 => Body::Card(reader.card()?),
        9 => Body::ResetPinTries { card: reader.u64()? },
        10 => Body::Tick,
        11 => Body::IncreaseHold {
            hold: EventId(u128::from_le_bytes(reader.array()?)),
            amount: reader.i64()?,
            record: reader.bytes(RECORD_MAX)?,
        },
        12 => Body::PostAll { entries: reader.entries()?, record: reader.bytes(RECORD_MAX)? },
        13 => Body::ForgetAtc { card: reader.u64()? },
        15 => Body::CloseForward {
            forward: EventId(u128::from_le_bytes(reader.array()?)),
            result: match reader.byte()? {
                0 => ForwardResult::Approved { entry: reader.entry()? },
                1 => ForwardResult::Declined { reason: reader.u16()? },
                _ => return Err(NoEvent),
            },
            answer: reader.bytes(ANSWER_MAX)?,
            record: reader.bytes(RECORD_MAX)?,
        },
        16 => Body::Message {
            message: EventId(u128::from_le_bytes(reader.array()?)),
            did: match reader.byte()? {
                0 => MessageDid::Delivered,
                1 => MessageDid::Failed { retry_at: reader.u64()?, tries_max: reader.u16()? },
                2 => MessageDid::Retried,
                3 => MessageDid::Discarded,
                _ => return Err(NoEvent),
            },
        },
        14 => Body::CloseTotals {
            terminal: reader.u64()?,
            currency: reader.u16()?,
            next_date: reader.u32()?,
            counted: if reader.flag()? { Some(reader.totals()?) } else { None },
            record: reader.bytes(RECORD_MAX)?,
        },
        _ => return Err(NoEvent),
    };
    // One event has one form: no controls are not written.
    let has_none = kind & CONTROLLED != 0 && (controls.is_empty() || !body.is_controlled());
    if has_none || !reader.0.is_empty() { Err(NoEvent) } else { Ok(Event { id, content, controls, body }) }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], NoEvent> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(NoEvent)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, NoEvent> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn u16(&mut self) -> Result<u16, NoEvent> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, NoEvent> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, NoEvent> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn i64(&mut self) -> Result<i64, NoEvent> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    fn flag(&mut self) -> Result<bool, NoEvent> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(NoEvent),
        }
    }

    fn option<const N: usize>(&mut self) -> Result<Option<[u8; N]>, NoEvent> {
        if self.flag()? { Ok(Some(self.array()?)) } else { Ok(None) }
    }

    fn controls(&mut self) -> Result<Controls, NoEvent> {
        let count = usize::from(self.byte()?);
        if count > LIMITS_MAX {
            return Err(NoEvent);
        }
        let limits = (0..count).map(|_| self.limit()).collect::<Result<_, _>>()?;
        let atc = if self.flag()? { Some(Atc { value: self.u16()?, ahead_max: self.u16()? }) } else { None };
        let total = if self.flag()? { Some(self.total()?) } else { None };
        let send =
            if self.flag()? { Some(Outgoing { link: self.u32()?, message: self.bytes(MESSAGE_MAX)? }) } else { None };
        Ok(Controls { limits, atc, total, send })
    }

    fn total(&mut self) -> Result<Total, NoEvent> {
        Ok(Total {
            terminal: self.u64()?,
            side: match self.byte()? {
                0 => Side::Debit,
                1 => Side::Credit,
                _ => return Err(NoEvent),
            },
            business_date: self.u32()?,
        })
    }

    fn totals(&mut self) -> Result<Totals, NoEvent> {
        let mut sum = || Ok(Sum { count: self.u32()?, amount: self.u64()? });
        Ok(Totals { debits: sum()?, debit_reversals: sum()?, credits: sum()?, credit_reversals: sum()? })
    }

    fn limit(&mut self) -> Result<Limit, NoEvent> {
        let of = match (self.byte()?, self.u64()?) {
            (0, account) => Subject::Account(account),
            (1, card) => Subject::Card(card),
            _ => return Err(NoEvent),
        };
        let class = self.byte()?;
        let period = match self.byte()? {
            0 => Period::Day,
            1 => Period::Week,
            2 => Period::Month,
            _ => return Err(NoEvent),
        };
        Ok(Limit {
            usage: UsageKey { of, class, period },
            ends_at: self.u64()?,
            count_max: self.option()?.map(u32::from_le_bytes),
            amount_max: self.option()?.map(i64::from_le_bytes),
        })
    }

    fn bytes(&mut self, max: usize) -> Result<Vec<u8>, NoEvent> {
        let length = usize::from(self.u16()?);
        let (taken, rest) = self.0.split_at_checked(length).filter(|_| length <= max).ok_or(NoEvent)?;
        self.0 = rest;
        Ok(taken.to_vec())
    }

    fn entry(&mut self) -> Result<Entry, NoEvent> {
        let currency = self.u16()?;
        let count = usize::from(self.byte()?);
        if count > POSTINGS_MAX {
            return Err(NoEvent);
        }
        let postings =
            (0..count).map(|_| Ok(Posting { account: self.u64()?, amount: self.i64()? })).collect::<Result<_, _>>()?;
        Ok(Entry { currency, postings })
    }

    fn entries(&mut self) -> Result<Vec<Entry>, NoEvent> {
        let count = usize::from(self.u16()?);
        if count > BATCH_ENTRIES_MAX {
            return Err(NoEvent);
        }
        let entries: Vec<Entry> = (0..count).map(|_| self.entry()).collect::<Result<_, _>>()?;
        let postings: usize = entries.iter().map(|entry| entry.postings.len()).sum();
        if postings > BATCH_POSTINGS_MAX { Err(NoEvent) } else { Ok(entries) }
    }

    fn reference(&mut self) -> Result<Reference, NoEvent> {
        match (self.byte()?, u128::from_le_bytes(self.array()?)) {
            (0, id) => Ok(Reference::Id(EventId(id))),
            (1, key) => Ok(Reference::Key(key)),
            (2, id) => Ok(Reference::IdOrRepeat(EventId(id), u128::from_le_bytes(self.array()?))),
            _ => Err(NoEvent),
        }
    }

    fn card(&mut self) -> Result<CardEvent, NoEvent> {
        let count = usize::from(self.byte()?);
        if count > ALIASES_MAX {
            return Err(NoEvent);
        }
        let aliases = (0..count).map(|_| Ok(u128::from_le_bytes(self.array()?))).collect::<Result<_, _>>()?;
        Ok(CardEvent {
            aliases,
            repeat_of: self.option()?.map(u128::from_le_bytes),
            advice: self.flag()?,
            card: self.option()?.map(u64::from_le_bytes),
            pin: match self.byte()? {
                0 => PinCheck::NotChecked,
                1 => PinCheck::Right,
                2 => PinCheck::Wrong,
                _ => return Err(NoEvent),
            },
            pin_tries_max: self.byte()?,
            action: self.action()?,
            answer: self.bytes(ANSWER_MAX)?,
            record: self.bytes(RECORD_MAX)?,
        })
    }

    fn action(&mut self) -> Result<CardAction, NoEvent> {
        Ok(match self.byte()? {
            0 => CardAction::Decline { reason: self.u16()? },
            1 => CardAction::Inquire { account: self.u64()? },
            2 => CardAction::Post { entry: self.entry()? },
            3 => CardAction::Hold { entry: self.entry()?, expires_at: self.u64()? },
            4 => CardAction::Complete {
                hold: self.reference()?,
                approval: self.option()?.map(u32::from_le_bytes),
                entry: self.entry()?,
                tolerance_bp: u32::from_le_bytes(self.array()?),
            },
            5 => CardAction::Reverse { original: self.reference()?, remaining: self.i64()? },
            6 => CardAction::Force {
                entry: self.entry()?,
                hold: if self.flag()? { Some(self.reference()?) } else { None },
            },
            7 => CardAction::Forward { link: self.u32()?, expires_at: self.u64()?, reversal: self.bytes(MESSAGE_MAX)? },
            _ => return Err(NoEvent),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry() -> impl Strategy<Value = Entry> {
        (any::<u16>(), proptest::collection::vec((any::<u64>(), any::<i64>()), 0..=16)).prop_map(
            |(currency, postings)| {
                let postings = postings.into_iter().map(|(account, amount)| Posting { account, amount }).collect();
                Entry { currency, postings }
            },
        )
    }

    fn reference() -> impl Strategy<Value = Reference> {
        prop_oneof![
            any::<u128>().prop_map(|id| Reference::Id(EventId(id))),
            any::<u128>().prop_map(Reference::Key),
            any::<(u128, u128)>().prop_map(|(id, key)| Reference::IdOrRepeat(EventId(id), key)),
        ]
    }

    fn action() -> impl Strategy<Value = CardAction> {
        prop_oneof![
            any::<u16>().prop_map(|reason| CardAction::Decline { reason }),
            any::<u64>().prop_map(|account| CardAction::Inquire { account }),
            entry().prop_map(|entry| CardAction::Post { entry }),
            (entry(), any::<u64>()).prop_map(|(entry, expires_at)| CardAction::Hold { entry, expires_at }),
            (reference(), any::<Option<u32>>(), entry(), any::<u32>()).prop_map(
                |(hold, approval, entry, tolerance_bp)| CardAction::Complete { hold, approval, entry, tolerance_bp }
            ),
            (reference(), any::<i64>()).prop_map(|(original, remaining)| CardAction::Reverse { original, remaining }),
            (entry(), proptest::option::of(reference())).prop_map(|(entry, hold)| CardAction::Force { entry, hold }),
            (any::<u32>(), any::<u64>(), proptest::collection::vec(any::<u8>(), 0..40))
                .prop_map(|(link, expires_at, reversal)| CardAction::Forward { link, expires_at, reversal }),
        ]
    }

    fn controls() -> impl Strategy<Value = Controls> {
        let of = prop_oneof![any::<u64>().prop_map(Subject::Account), any::<u64>().prop_map(Subject::Card)];
        let period = prop_oneof![Just(Period::Day), Just(Period::Week), Just(Period::Month)];
        let limit = (of, any::<u8>(), period, any::<u64>(), any::<Option<u32>>(), any::<Option<i64>>()).prop_map(
            |(of, class, period, ends_at, count_max, amount_max)| Limit {
                usage: UsageKey { of, class, period },
                ends_at,
                count_max,
                amount_max,
            },
        );
        let atc = any::<Option<(u16, u16)>>().prop_map(|atc| atc.map(|(value, ahead_max)| Atc { value, ahead_max }));
        let total = any::<Option<(u64, bool, u32)>>().prop_map(|total| {
            let side = |debit| if debit { Side::Debit } else { Side::Credit };
            total.map(|(terminal, debit, business_date)| Total { terminal, side: side(debit), business_date })
        });
        let send = proptest::option::of((any::<u32>(), proptest::collection::vec(any::<u8>(), 0..40)));
        let send = send.prop_map(|send| send.map(|(link, message)| Outgoing { link, message }));
        (proptest::collection::vec(limit, 0..=3), atc, total, send).prop_map(|(limits, atc, total, send)| Controls {
            limits,
            atc,
            total,
            send,
        })
    }

    fn body() -> impl Strategy<Value = Body> {
        let record = || proptest::collection::vec(any::<u8>(), 0..40);
        let pin = prop_oneof![Just(PinCheck::NotChecked), Just(PinCheck::Right), Just(PinCheck::Wrong)];
        prop_oneof![
            (any::<u64>(), any::<u16>(), any::<Option<i64>>()).prop_map(|(account, currency, floor)| {
                Body::OpenAccount {
                    account,
                    currency,
                    kind: AccountKind::Merchant,
                    floor: floor.map_or(Floor::Unlimited, Floor::Limited),
                }
            }),
            any::<u64>().prop_map(|account| Body::CloseAccount { account }),
            (entry(), record()).prop_map(|(entry, record)| Body::Post { entry, record }),
            (proptest::collection::vec(entry(), 0..6), record())
                .prop_map(|(entries, record)| Body::PostAll { entries, record }),
            (entry(), any::<u64>(), record()).prop_map(|(entry, expires_at, record)| Body::PlaceHold {
                entry,
                expires_at,
                record
            }),
            (any::<u128>(), any::<i64>(), any::<bool>(), record()).prop_map(|(hold, amount, last, record)| {
                Body::CaptureHold { hold: EventId(hold), amount, last, record }
            }),
            (any::<u128>(), any::<i64>(), record())
                .prop_map(|(hold, amount, record)| { Body::IncreaseHold { hold: EventId(hold), amount, record } }),
            any::<u128>().prop_map(|hold| Body::VoidHold { hold: EventId(hold) }),
            (any::<u128>(), any::<i64>(), record()).prop_map(|(original, remaining, record)| Body::Reverse {
                original: EventId(original),
                remaining,
                record
            }),
            any::<u64>().prop_map(|card| Body::ResetPinTries { card }),
            any::<u64>().prop_map(|card| Body::ForgetAtc { card }),
            (any::<u128>(), entry(), any::<Option<u16>>(), record(), record()).prop_map(
                |(forward, entry, reason, answer, record)| Body::CloseForward {
                    forward: EventId(forward),
                    result: match reason {
                        Some(reason) => ForwardResult::Declined { reason },
                        None => ForwardResult::Approved { entry },
                    },
                    answer,
                    record,
                }
            ),
            (any::<u128>(), any::<(u64, u16)>(), 0..4_u8).prop_map(|(message, (retry_at, tries_max), did)| {
                let did = match did {
                    0 => MessageDid::Delivered,
                    1 => MessageDid::Failed { retry_at, tries_max },
                    2 => MessageDid::Retried,
                    _ => MessageDid::Discarded,
                };
                Body::Message { message: EventId(message), did }
            }),
            (any::<u64>(), any::<u16>(), any::<u32>(), any::<Option<[(u32, u64); 4]>>(), record()).prop_map(
                |(terminal, currency, next_date, counted, record)| {
                    let counted = counted.map(|sums| {
                        let [debits, debit_reversals, credits, credit_reversals] =
                            sums.map(|(count, amount)| Sum { count, amount });
                        Totals { debits, debit_reversals, credits, credit_reversals }
                    });
                    Body::CloseTotals { terminal, currency, next_date, counted, record }
                }
            ),
            Just(Body::Tick),
            (
                proptest::collection::vec(any::<u128>(), 0..=4),
                any::<Option<u128>>(),
                any::<bool>(),
                any::<Option<u64>>(),
                pin,
                any::<u8>(),
                action(),
                record(),
                record()
            )
                .prop_map(
                    |(aliases, repeat_of, advice, card, pin, pin_tries_max, action, answer, record)| {
                        Body::Card(CardEvent {
                            aliases,
                            repeat_of,
                            advice,
                            card,
                            pin,
                            pin_tries_max,
                            action,
                            answer,
                            record,
                        })
                    }
                ),
        ]
    }

    #[test]
    fn no_event_is_longer_than_its_bound() {
        let entry = Entry { currency: 710, postings: vec![Posting { account: 1, amount: 1 }; POSTINGS_MAX] };
        let hold = Reference::IdOrRepeat(EventId(1), 1);
        let body = Body::Card(CardEvent {
            aliases: vec![0; ALIASES_MAX],
            repeat_of: Some(1),
            advice: true,
            card: Some(1),
            pin: PinCheck::Right,
            pin_tries_max: 3,
            action: CardAction::Complete { hold, approval: Some(1), entry, tolerance_bp: 1 },
            answer: vec![0; ANSWER_MAX],
            record: vec![0; RECORD_MAX],
        });
        let mut bytes = Vec::new();
        let usage = UsageKey { of: Subject::Card(1), class: 0, period: Period::Day };
        let limit = Limit { usage, ends_at: 1, count_max: Some(1), amount_max: Some(1) };
        let total = Total { terminal: 1, side: Side::Debit, business_date: 1 };
        let send = Outgoing { link: 1, message: vec![0; MESSAGE_MAX] };
        let controls = Controls {
            limits: vec![limit; LIMITS_MAX],
            atc: Some(Atc { value: 1, ahead_max: 1 }),
            total: Some(total),
            send: Some(send),
        };
        let event = Event { controls, ..Event::new(EventId(1), Content([0; 16]), body) };
        encode(&event, &mut bytes).unwrap();
        assert!(bytes.len() <= crate::limits::EVENT_BYTES_MAX, "{}", bytes.len());
        let posting = Posting { account: 1, amount: 1 };
        let entries = |count: usize, postings: usize| {
            let entries = vec![Entry { currency: 710, postings: vec![posting; postings] }; count];
            let body = Body::PostAll { entries, record: vec![0; RECORD_MAX] };
            let mut bytes = Vec::new();
            encode(&Event::new(EventId(1), Content([0; 16]), body), &mut bytes).map(|()| bytes.len())
        };
        let longest = entries(BATCH_ENTRIES_MAX, BATCH_POSTINGS_MAX / BATCH_ENTRIES_MAX).unwrap();
        assert!(longest <= crate::limits::BATCH_EVENT_BYTES_MAX, "{longest}");
        assert!(entries(BATCH_ENTRIES_MAX + 1, 1).is_err() && entries(BATCH_POSTINGS_MAX / 16 + 1, 16).is_err());
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(id: u128, content: [u8; 16], body in body(), controls in controls()) {
            let controls = if body.is_controlled() { controls } else { Controls::default() };
            let event = Event { id: EventId(id), content: Content(content), controls, body };
            let mut bytes = Vec::new();
            encode(&event, &mut bytes).unwrap();
            prop_assert_eq!(decode(&bytes), Ok(event));
            bytes.push(0);
            prop_assert_eq!(decode(&bytes), Err(NoEvent));
            for cut in 0..bytes.len() - 1 {
                prop_assert_eq!(decode(&bytes[..cut]), Err(NoEvent));
            }
        }

        #[test]
        fn any_bytes_are_refused_or_an_event(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(event) = decode(&bytes) {
                let mut again = Vec::new();
                encode(&event, &mut again).unwrap();
                prop_assert_eq!(again, bytes);
            }
        }
    }
}
