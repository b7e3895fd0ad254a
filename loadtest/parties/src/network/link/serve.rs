//! What comes in on a link.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use iso8583::framing::Frame;
use iso8583::{Fields, Message};

use super::{End, Link, Receiver};
use crate::network::administration::{CUT_OVER, needs_mac};
use crate::network::counts::Count;
use crate::network::key_carrier;
use crate::network::key_ring::Verdict;
use crate::network::party::{Reaction, Then, answer_to, is_answer};
use crate::network::sighting::Way;
use crate::network::waiting::{AnswerKey, Found, LateAnswer};
use crate::{Error, Exchange, SessionKeys, mac};

/// Silence is no fault on a link; the read only begins anew.
const SILENCE: Duration = Duration::from_secs(3_600);

/// Messages in a row that cannot be decoded before the link is closed.
const UNDECODABLE_MAX: u32 = 3;

/// An answer, and the keys of its MAC; `None` where the request's MAC did not verify.
struct Reply {
    reaction: Reaction,
    keys: Option<Arc<SessionKeys>>,
}

impl Link {
    pub(super) async fn read(self: Arc<Self>, mut receiver: Receiver) {
        let mut undecodable = 0;
        while undecodable < UNDECODABLE_MAX {
            let deadline = tokio::time::Instant::now() + SILENCE;
            let frame = tokio::select! {
                () = self.closed.cancelled() => break,
                frame = receiver.frame(deadline) => frame,
            };
            match frame {
                Ok(frame) if frame.is_keep_alive() => {
                    let _ = self.send_frame(Frame::KEEP_ALIVE).await;
                }
                Ok(frame) => undecodable = if self.take(frame.body).await { 0 } else { undecodable + 1 },
                Err(Error::Timeout { .. }) => {}
                Err(_) => break,
            }
        }
        self.close();
    }

    /// Whether the message could be decoded.
    async fn take(self: &Arc<Self>, wire: Bytes) -> bool {
        let Some(reply) = self.judge(&wire) else {
            self.party.sight_undecodable();
            return false;
        };
        if let Some(Reply { reaction, keys }) = reply {
            self.carry_out(reaction, keys).await;
        }
        true
    }

    /// `None` when the message cannot be decoded; inside it, `None` where it is an answer.
    fn judge(self: &Arc<Self>, wire: &Bytes) -> Option<Option<Reply>> {
        let spec = Arc::clone(&self.party.dialect.spec);
        let message = spec.decode(wire).ok()?;
        if is_answer(message.mti()) {
            self.deliver(&message, wire);
            return Some(None);
        }
        let verdict = self.party.zone.verify(&message);
        let reply = match (message.mti().starts_with("08"), verdict) {
            (_, Verdict::Misplaced) => self.refuse(&message, "30"),
            (_, Verdict::Wrong) => self.refuse(&message, "63"),
            (true, Verdict::Right(keys)) => Reply { reaction: self.manage(&message), keys: Some(keys) },
            (true, Verdict::None) if self.may_lack_mac(&message) => {
                Reply { reaction: self.manage(&message), keys: None }
            }
            (false, Verdict::Right(keys)) => Reply { reaction: self.traffic(&message, &keys), keys: Some(keys) },
            (_, Verdict::None) => self.refuse(&message, "63"),
        };
        self.party.sight(Way::Received, &message, reply.reaction.note.clone());
        Some(Some(reply))
    }

    fn may_lack_mac(&self, message: &Message<'_>) -> bool {
        !self.party.zone.has_keys() || !needs_mac(&message.text(70).unwrap_or_default())
    }

    /// A message without a right MAC has no effect, and its answer has no MAC either.
    fn refuse(&self, message: &Message<'_>, code: &str) -> Reply {
        self.party.counts.add(Count::MacRefused);
        Reply { reaction: Reaction::at_once(answer_to(message, code)).noted("MAC refused"), keys: None }
    }

    fn traffic(&self, message: &Message<'_>, keys: &SessionKeys) -> Reaction {
        match &self.party.traffic {
            Some(traffic) => traffic.react(message, keys),
            None => Reaction::at_once(answer_to(message, "92")),
        }
    }

    fn manage(&self, message: &Message<'_>) -> Reaction {
        match message.text(70).unwrap_or_default().as_ref() {
            "101" => Reaction::at_once(self.take_keys(message)),
            "001" | "002" | "301" | CUT_OVER => Reaction::at_once(answer_to(message, "00")),
            _ => Reaction::at_once(answer_to(message, "12")),
        }
    }

    /// Takes the keys the other side sends, or makes some where it sends none.
    fn take_keys(&self, message: &Message<'_>) -> Fields {
        let Some(carrier) = message.text(62) else { return self.give_keys(message) };
        // Where both sides offer at once, the one that connected has its way.
        if self.offering.load(Ordering::SeqCst) && self.end == End::Connected {
            return answer_to(message, "91");
        }
        let zone = &self.party.zone;
        match key_carrier::open(&carrier, zone.key_scheme(), zone.master_key()) {
            Ok(keys) => {
                zone.ring().activate(Arc::new(keys), Instant::now());
                answer_to(message, "00")
            }
            Err(Error::KeyCarrier(_)) => answer_to(message, "30"),
            Err(_) => answer_to(message, "63"),
        }
    }

    /// The pair serves once the other side uses it.
    fn give_keys(&self, message: &Message<'_>) -> Fields {
        let zone = &self.party.zone;
        let made = key_carrier::fresh().and_then(|keys| {
            let carrier = key_carrier::seal(&keys, zone.key_scheme(), zone.master_key())?;
            Ok((keys, carrier))
        });
        let Ok((keys, carrier)) = made else { return answer_to(message, "96") };
        zone.ring().offer(Arc::new(keys));
        let mut answer = answer_to(message, "00");
        answer.set(62, carrier);
        answer
    }

    fn deliver(&self, answer: &Message<'_>, wire: &Bytes) {
        let found = self.waiting().take(&AnswerKey::of_answer(answer), wire.clone());
        let note = match found {
            Found::Delivered => None,
            Found::Late(request, sent) => match Exchange::check(request, wire.clone()) {
                Ok(exchange) => {
                    self.party.keep_late(LateAnswer { exchange, after: sent.elapsed() });
                    Some(format!("late, after {:.1} s", sent.elapsed().as_secs_f64()))
                }
                Err(_) => Some("late, and its MAC is not right".to_owned()),
            },
            Found::Nobody(difference) => {
                self.party.counts.add(Count::Unmatched);
                Some(match difference {
                    Some(difference) => format!("answers nothing that waits; {difference} differ"),
                    None => "answers nothing that waits".to_owned(),
                })
            }
        };
        self.party.sight(Way::Received, answer, note);
    }

    async fn carry_out(self: &Arc<Self>, reaction: Reaction, keys: Option<Arc<SessionKeys>>) {
        let Reaction { answer, delay, note: _, then } = reaction;
        match then {
            Then::GoOn => {}
            Then::Close => return self.close(),
            Then::SignOff(away) => {
                let link = Arc::clone(self);
                tokio::spawn(async move { link.stay_away(away).await });
            }
        }
        let Some(mut answer) = answer else { return };
        let Ok(wire) = mac::seal(&self.party.dialect.spec, &mut answer, keys.as_ref().map(|keys| &keys.tak)) else {
            return;
        };
        if delay.is_zero() {
            let _ = self.send(wire, None).await;
            return;
        }
        self.send_later(wire, delay).await;
    }

    /// Waits where too many answers are delayed already, so that nothing more is read until one is sent.
    async fn send_later(self: &Arc<Self>, wire: Bytes, delay: Duration) {
        let permit = tokio::select! {
            () = self.closed.cancelled() => return,
            permit = Arc::clone(&self.delays).acquire_owned() => permit,
        };
        let link = Arc::clone(self);
        self.answers.spawn(async move {
            // A link that is gone meanwhile has lost its answers.
            tokio::select! {
                () = link.closed.cancelled() => {}
                () = tokio::time::sleep(delay) => drop(link.send(wire, None).await),
            }
            drop(permit);
        });
    }
}
