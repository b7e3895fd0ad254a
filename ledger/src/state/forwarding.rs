//! Requests that another party decides.

use super::accounts::Terms;
use super::entry::{first, size, well_formed};
use super::record::Effect;
use super::{Changes, Done, State, Step};
use crate::controls::Controls;
use crate::event::EventId;
use crate::limits::{HORIZON_MS, REVERSIBLE_MS};
use crate::messages::ForwardResult;
use crate::outcome::{AnswerBytes, Code, Outcome};

impl State {
    /// The answer has come: what it says is done, and becomes what the request itself was answered.
    pub(super) fn close_forward(
        &mut self,
        forward: EventId,
        result: &ForwardResult,
        answer: &[u8],
        controls: &Controls,
        changes: &mut Changes,
    ) -> Step {
        if let ForwardResult::Approved { entry } = result {
            well_formed(entry)?;
        }
        if !self.messages.awaits_answer(forward, self.at) {
            return Err(Code::ForwardNotFound);
        }
        let done = match result {
            ForwardResult::Declined { reason } => {
                self.may_send(controls)?;
                self.answer(forward, Code::Declined, *reason, &Done::nothing(None, Effect::Nothing), answer);
                self.memory.ended(forward, self.at, HORIZON_MS);
                Done::nothing(None, Effect::Final)
            }
            ForwardResult::Approved { entry } => {
                self.accounts.judge(entry, Terms { released: None, forced: true }, None)?;
                self.may_send(controls)?;
                let posted = self.post_in_place_of(None, entry, changes);
                let posted = self.count_total(posted, entry, controls);
                self.answer(forward, Code::Approved, 0, &posted, answer);
                self.memory.ended(forward, self.at, REVERSIBLE_MS);
                Done::new(size(entry), first(entry), Effect::Final)
            }
        };
        self.messages.close_forward(forward);
        Ok(done)
    }

    /// No answer is waited for any more.
    pub(super) fn give_up_forward(&mut self, forward: EventId) {
        if self.messages.give_up_forward(forward, self.seq, self.at) {
            self.answer(forward, Code::Unanswered, 0, &Done::nothing(None, Effect::Nothing), &[]);
            self.memory.ended(forward, self.at, HORIZON_MS);
        }
    }

    /// What copies of a forwarded request are answered from now on. Its sequence, time and approval number stay.
    fn answer(&mut self, forward: EventId, code: Code, reason: u16, done: &Done, answer: &[u8]) {
        let view = done.account.and_then(|account| self.accounts.get(account));
        let (balance, available) = view.map_or((0, 0), |account| (account.balance(), account.available()));
        let Some(record) = self.memory.get_mut(forward) else { return };
        let approval = if code == Code::Approved { super::approval(record.seq) } else { 0 };
        let (amount, account) = (done.amount, done.account);
        let before = record.outcome();
        record.set_outcome(&Outcome { code, reason, amount, account, balance, available, approval, ..before });
        record.effect = done.effect.clone();
        let more = record.more.get_or_insert_default();
        more.total = done.total;
        if !answer.is_empty() {
            more.answer = AnswerBytes::from(answer);
        }
    }
}
