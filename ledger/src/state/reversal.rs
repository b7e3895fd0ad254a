//! Taking back what an event did.

use super::accounts::Terms;
use super::entry::{inverse, part, size};
use super::record::{Effect, Record};
use super::{Changes, Done, State, Step};
use crate::event::{Content, Entry, Event, EventId, Reference};
use crate::limits::HORIZON_MS;
use crate::outcome::{Code, Outcome};

impl State {
    /// Undoes an event down to `remaining` of its amount, once: whatever is asked a second time, nothing changes.
    /// `by`: the reversal's own id. `content`: what it must share with the original. `room`: whether what is to be sent
    /// for it can be kept.
    pub(super) fn reverse(
        &mut self,
        by: EventId,
        reference: Reference,
        content: Option<Content>,
        remaining: i64,
        room: Result<(), Code>,
        changes: &mut Changes,
    ) -> Step {
        let found = self.original(by, reference).and_then(|id| Some((id, self.memory.get(id)?)));
        // What was found in place of the event that is named is another transaction, unless it says the same.
        let is_other = |original: &Record| content.is_some_and(|content| content != original.content);
        let found = found.filter(|(_, original)| self.is_named(reference) || !is_other(original));
        let Some((id, original)) = found else {
            self.memory.bury(reference, by.time(), self.at, self.bounds.tombstones)?;
            return Err(Code::OriginalNotFound);
        };
        if is_other(original) {
            return Err(Code::OriginalDiffers);
        }
        let Outcome { account, amount, code, .. } = original.outcome();
        let is_undone = original.is_reversed() || !matches!(code, Code::Approved | Code::Forwarded);
        let taken_back = match original.effect.clone() {
            _ if is_undone => 0,
            Effect::Nothing => 0,
            // Not decided yet: what it may have done elsewhere is reversed there.
            Effect::Forwarded => {
                self.give_up_forward(id);
                0
            }
            Effect::Final => return Err(Code::NotReversible),
            Effect::Posted(kept) => self.unpost(&kept.into(), remaining, room, changes)?,
            Effect::Held { captured, increased } => {
                let amount = amount.saturating_add(increased);
                self.reduce(id, amount, captured, remaining, room, changes)?
            }
        };
        if taken_back > 0
            && let Some(original) = self.memory.get_mut(id)
        {
            original.set_reversed();
            let (posted, total) = match &original.effect {
                Effect::Posted(kept) => (Some(Entry::from(kept.clone())), original.total().copied()),
                _ => (None, None),
            };
            if let (Some(entry), Some(total)) = (&posted, total) {
                self.terminals.add_reversal(&total, entry.currency, taken_back);
            }
            let is_undone = match posted {
                Some(entry) => taken_back == size(&entry),
                None => !self.holds.contains(id),
            };
            self.give_back(id, (!is_undone).then_some(taken_back));
        }
        Ok(Done::new(taken_back, account, Effect::Final))
    }

    /// The event a reversal names, if it can be meant.
    fn original(&self, by: EventId, reference: Reference) -> Option<EventId> {
        let id = self.memory.named(reference, by.time())?;
        let by_its_id = !matches!(reference, Reference::Key(_)) && self.is_named(reference);
        let is_recent = id.time() >= by.time().saturating_sub(HORIZON_MS) || self.holds.contains(id);
        (by_its_id || is_recent).then_some(id)
    }

    /// Whether what a reference gives is what it names, and not a repeat that may have come in its place.
    fn is_named(&self, reference: Reference) -> bool {
        match reference {
            Reference::Id(_) | Reference::Key(_) => true,
            Reference::IdOrRepeat(named, _) => self.memory.by_id(named).is_some(),
        }
    }

    /// What is left to do for a reversal that came before the copy it named, where another copy had been approved:
    /// that one is taken back as far as it can be.
    pub(super) fn undo_first_copy(&mut self, event: &Event, changes: &mut Changes) {
        let first = self.memory.known(event).map(|(id, _)| id).filter(|id| *id != event.id);
        if let Some(first) = first {
            // What was captured meanwhile stays: its own reversal can be asked for.
            let _ = self.reverse(event.id, Reference::Id(first), Some(event.content), 0, Ok(()), changes);
        }
    }

    /// Posts the opposite of what is to go. Gives the amount.
    fn unpost(
        &mut self,
        entry: &Entry,
        remaining: i64,
        room: Result<(), Code>,
        changes: &mut Changes,
    ) -> Result<i64, Code> {
        if !(0..=size(entry)).contains(&remaining) {
            return Err(Code::InvalidAmount);
        }
        let back = size(entry) - remaining;
        if back == 0 {
            return Ok(0);
        }
        let reversal = inverse(&part(entry, back).ok_or(Code::NotReversible)?);
        self.accounts.judge(&reversal, Terms { released: None, forced: true }, None)?;
        room?;
        self.move_posted(&reversal, changes);
        Ok(back)
    }

    /// Lets so much of a hold go that `remaining` of the `amount` it was made and increased to is captured or still held. Gives what went.
    fn reduce(
        &mut self,
        id: EventId,
        amount: i64,
        captured: i64,
        remaining: i64,
        room: Result<(), Code>,
        changes: &mut Changes,
    ) -> Result<i64, Code> {
        if !(0..=amount).contains(&remaining) {
            return Err(Code::InvalidAmount);
        }
        // What was captured has been posted by an event of its own, which has to be reversed itself.
        if remaining < captured {
            return Err(Code::NotReversible);
        }
        // Completed, voided or expired: there is nothing left to let go.
        let Some(hold) = self.holds.usable(id, self.at) else { return Ok(0) };
        let (held, keep) = (size(&hold.entry), remaining - captured);
        if keep >= held {
            return Ok(0);
        }
        let rest = if keep == 0 { None } else { Some(part(&hold.entry, keep).ok_or(Code::NotReversible)?) };
        room?;
        self.replace_hold(id, rest, changes);
        Ok(held - keep)
    }
}
