//! The pairs of zone keys that are in use at a moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use iso8583::Message;

use crate::{AnswerFault, Error, SessionKeys, mac};

/// How long a replaced pair still serves what was under way.
const OVERLAP: Duration = Duration::from_secs(60);

/// What a message's MAC says.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    None,
    /// This pair made it; it also serves DE 52 and the answer.
    Right(Arc<SessionKeys>),
    Wrong,
    /// It stands where none may stand.
    Misplaced,
}

/// `Debug` shows lengths only.
#[derive(Debug, Default)]
pub(crate) struct KeyRing {
    current: Option<Arc<SessionKeys>>,
    /// Sent, and not yet known to have arrived.
    pending: Option<Arc<SessionKeys>>,
    previous: Option<(Arc<SessionKeys>, Instant)>,
}

impl KeyRing {
    /// The pair for what is sent.
    pub fn current(&self) -> Option<&Arc<SessionKeys>> {
        self.current.as_ref().or(self.pending.as_ref())
    }

    /// Whether both sides are known to have a pair.
    pub fn is_in_use(&self) -> bool {
        self.current.is_some()
    }

    /// The other side is being given this pair.
    pub fn offer(&mut self, keys: Arc<SessionKeys>) {
        self.pending = Some(keys);
    }

    /// The other side did not take the offer.
    pub fn withdraw(&mut self, keys: &Arc<SessionKeys>) {
        if self.pending.as_ref().is_some_and(|pending| Arc::ptr_eq(pending, keys)) {
            self.pending = None;
        }
    }

    /// Whether the pair is current or on offer.
    pub fn holds(&self, keys: &Arc<SessionKeys>) -> bool {
        [&self.current, &self.pending].into_iter().flatten().any(|known| Arc::ptr_eq(known, keys))
    }

    /// Both sides have this pair.
    pub fn activate(&mut self, keys: Arc<SessionKeys>, now: Instant) {
        self.pending = None;
        if self.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, &keys)) {
            return;
        }
        self.previous = self.current.replace(keys).map(|old| (old, now + OVERLAP));
    }

    /// Finds the pair that made the message's MAC. One that was pending has arrived, then.
    pub fn verify(&mut self, message: &Message<'_>, now: Instant) -> Verdict {
        if self.previous.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.previous = None;
        }
        let previous = self.previous.as_ref().map(|(keys, _)| keys);
        let known: Vec<_> = [self.current.as_ref(), self.pending.as_ref(), previous].into_iter().flatten().collect();
        let mut verdict = with_no_key(message);
        for keys in known {
            match mac::verify(message, Some(&keys.tak)) {
                Ok(true) => verdict = Verdict::Right(Arc::clone(keys)),
                Err(Error::Answer(AnswerFault::MacWrong)) => continue,
                _ => {}
            }
            break;
        }
        if let Verdict::Right(keys) = &verdict
            && self.pending.as_ref().is_some_and(|pending| Arc::ptr_eq(pending, keys))
        {
            self.activate(Arc::clone(keys), now);
        }
        verdict
    }
}

/// What can be said without a key: a MAC that no key can verify is wrong.
fn with_no_key(message: &Message<'_>) -> Verdict {
    match mac::verify(message, None) {
        Ok(_) => Verdict::None,
        Err(Error::Answer(AnswerFault::MacMisplaced(_))) => Verdict::Misplaced,
        Err(_) => Verdict::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use iso8583::Fields;

    use super::*;
    use crate::network::key_carrier::fresh;
    use crate::network::zone::dialect;

    fn pair() -> Arc<SessionKeys> {
        Arc::new(fresh().unwrap())
    }

    fn sealed(keys: Option<&SessionKeys>) -> Bytes {
        let mut fields = Fields::new("0200");
        fields.set(11, "000001");
        mac::seal(&dialect().unwrap().spec, &mut fields, keys.map(|keys| &keys.tak)).unwrap()
    }

    fn made_by(ring: &mut KeyRing, wire: &Bytes, keys: &Arc<SessionKeys>, now: Instant) -> bool {
        let spec = dialect().unwrap().spec;
        let message = spec.decode(wire).unwrap();
        matches!(ring.verify(&message, now), Verdict::Right(found) if Arc::ptr_eq(&found, keys))
    }

    #[test]
    fn an_offer_serves_once_it_is_used_and_the_old_pair_a_minute_more() {
        let (mut ring, now) = (KeyRing::default(), Instant::now());
        let (first, second) = (pair(), pair());
        ring.activate(Arc::clone(&first), now);
        ring.offer(Arc::clone(&second));
        assert!(Arc::ptr_eq(ring.current().unwrap(), &first), "an offer is not used before it is known to be taken");
        assert!(made_by(&mut ring, &sealed(Some(&second)), &second, now));
        assert!(Arc::ptr_eq(ring.current().unwrap(), &second), "the other side uses it");
        assert!(made_by(&mut ring, &sealed(Some(&first)), &first, now + Duration::from_secs(59)));
        assert!(!made_by(&mut ring, &sealed(Some(&first)), &first, now + Duration::from_secs(61)));
    }

    #[test]
    fn an_offer_alone_is_sent_under_and_not_in_use() {
        let (mut ring, keys) = (KeyRing::default(), pair());
        ring.offer(Arc::clone(&keys));
        assert!(ring.current().is_some() && !ring.is_in_use());
        assert!(made_by(&mut ring, &sealed(Some(&keys)), &keys, Instant::now()));
        assert!(ring.is_in_use());
    }

    #[test]
    fn a_withdrawn_offer_is_forgotten() {
        let (mut ring, now) = (KeyRing::default(), Instant::now());
        let (first, second) = (pair(), pair());
        ring.activate(Arc::clone(&first), now);
        ring.offer(Arc::clone(&second));
        ring.withdraw(&first);
        assert!(ring.pending.is_some(), "another pair");
        ring.withdraw(&second);
        assert!(!made_by(&mut ring, &sealed(Some(&second)), &second, now));
    }

    #[test]
    fn messages_without_a_right_mac_are_told_apart() {
        let spec = dialect().unwrap().spec;
        let mut ring = KeyRing::default();
        let (bare, strange) = (sealed(None), sealed(Some(&pair())));
        for _ in 0..2 {
            assert!(matches!(ring.verify(&spec.decode(&bare).unwrap(), Instant::now()), Verdict::None));
            assert!(matches!(ring.verify(&spec.decode(&strange).unwrap(), Instant::now()), Verdict::Wrong));
            ring.activate(pair(), Instant::now());
        }
        let mut fields = Fields::new("0420");
        fields.set(90, "0".repeat(42));
        fields.set_binary(64, vec![0; 8]);
        let mut wire = bytes::BytesMut::new();
        spec.encode(&fields, &mut wire).unwrap();
        assert!(matches!(ring.verify(&spec.decode(&wire).unwrap(), Instant::now()), Verdict::Misplaced));
    }
}
