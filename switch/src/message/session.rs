//! Session keys of terminals and networks: which pair is in use, which waits for its first use, which still serves for
//! a minute.
//!
//! Keys are under the LMK here and in the store. A new pair is stored before the other side hears of it. Later steps
//! (first use, expiry) are stored afterwards: a crash in between leaves the pair pending, and pending pairs are tried.
//! Pairs count as long as their holder has the master key they were exchanged under: a new one ends them all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use admin_store::{KeyHolder, SessionRow, Store};
use host_commands::{KeyDomain, KeyUnderLmk, SessionKey};
use ledger::Millis;

use super::origin::Origin;
use crate::limits::PREVIOUS_KEYS_LIFE_MS;

/// PIN key and MAC key under the LMK, exchanged together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    pub domain: KeyDomain,
    pub pin: KeyUnderLmk,
    pub mac: KeyUnderLmk,
}

impl KeyPair {
    pub fn pin_key(&self) -> SessionKey<'_> {
        (self.domain, &self.pin)
    }

    pub fn mac_key(&self) -> SessionKey<'_> {
        (self.domain, &self.mac)
    }
}

/// Who has keys, and the master key under the LMK that they are exchanged under.
#[derive(Clone, Copy)]
pub struct Holder<'a> {
    pub id: KeyHolder,
    pub master_key: &'a str,
}

impl<'a> Holder<'a> {
    pub fn of(origin: &'a Origin) -> Self {
        Self { id: origin.key_holder(), master_key: origin.master_key() }
    }
}

/// What one holder has at this moment.
#[derive(Clone, Debug, Default)]
struct Session {
    /// The master key under the LMK, under which the pairs were exchanged.
    master_key: String,
    current: Option<KeyPair>,
    pending: Option<KeyPair>,
    previous: Option<(KeyPair, Millis)>,
    signed_off: bool,
}

/// The sessions of all terminals and networks.
pub struct Sessions {
    sessions: Mutex<HashMap<KeyHolder, Session>>,
    store: Store,
    /// Rows are taken and stored one after the other, so that an older one cannot overwrite a newer.
    storing: tokio::sync::Mutex<()>,
}

impl Sessions {
    /// Takes over what the store kept.
    pub async fn load(store: Store) -> anyhow::Result<Self> {
        let rows = store.load_sessions().await?;
        let sessions = rows.into_iter().map(|row| (row.holder, Session::from_row(row))).collect();
        Ok(Self { sessions: Mutex::new(sessions), store, storing: tokio::sync::Mutex::default() })
    }

    fn with<T>(&self, holder: Holder<'_>, act: impl FnOnce(&mut Session) -> T) -> T {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.entry(holder.id).or_default();
        if session.master_key != holder.master_key {
            let (master_key, signed_off) = (holder.master_key.to_owned(), session.signed_off);
            *session = Session { master_key, signed_off, ..Session::default() };
        }
        act(session)
    }

    /// The pairs a MAC may verify under, most likely first.
    pub fn candidates(&self, holder: Holder<'_>, now: Millis) -> Vec<KeyPair> {
        self.with(holder, |session| {
            let previous = session.previous.iter().filter(|(_, until)| now < *until).map(|(pair, _)| pair);
            session.current.iter().chain(&session.pending).chain(previous).cloned().collect()
        })
    }

    /// The pair in use, for a terminal that sends no MACs.
    pub fn current(&self, holder: Holder<'_>) -> Option<KeyPair> {
        self.with(holder, |session| session.current.clone().or_else(|| session.pending.clone()))
    }

    /// Stores a fresh pair as pending; it replaces only an earlier pending one.
    pub async fn offer(&self, holder: Holder<'_>, pair: KeyPair) -> anyhow::Result<()> {
        let _turn = self.storing.lock().await;
        let with_it = |session: &mut Session| Session { pending: Some(pair.clone()), ..session.clone() };
        let row = self.with(holder, |session| with_it(session).to_row(holder.id));
        self.store.save_session(&row).await?;
        self.with(holder, |session| session.pending = Some(pair));
        Ok(())
    }

    /// Notes that a message verified under `pair`. The first use of the pending pair makes it current.
    pub fn used(self: &Arc<Self>, holder: Holder<'_>, pair: &KeyPair, now: Millis) {
        let promoted = self.with(holder, |session| {
            if session.pending.as_ref() != Some(pair) {
                return false;
            }
            session.previous = session.current.take().map(|old| (old, now + PREVIOUS_KEYS_LIFE_MS));
            session.current = session.pending.take();
            true
        });
        if promoted {
            let (sessions, id, master_key) = (Arc::clone(self), holder.id, holder.master_key.to_owned());
            tokio::spawn(async move {
                let _turn = sessions.storing.lock().await;
                let row = sessions.with(Holder { id, master_key: &master_key }, |session| session.to_row(id));
                if let Err(error) = sessions.store.save_session(&row).await {
                    tracing::warn!(holder = ?id, %error, "first use of a key pair not stored; it stays pending there and is tried again");
                }
            });
        }
    }

    pub fn set_signed_off(&self, holder: Holder<'_>, signed_off: bool) {
        self.with(holder, |session| session.signed_off = signed_off);
    }

    pub fn is_signed_off(&self, holder: Holder<'_>) -> bool {
        self.with(holder, |session| session.signed_off)
    }
}

impl Session {
    fn from_row(row: SessionRow) -> Self {
        let domain = match row.holder {
            KeyHolder::Terminal(_) => KeyDomain::Terminal,
            KeyHolder::Network(_) => KeyDomain::Zone,
        };
        let pair = |keys: Option<(String, String)>| {
            keys.map(|(pin, mac)| KeyPair { domain, pin: KeyUnderLmk::from(pin), mac: KeyUnderLmk::from(mac) })
        };
        Self {
            master_key: row.master_key,
            current: pair(row.current),
            pending: pair(row.pending),
            previous: pair(row.previous).zip(row.previous_until.and_then(|until| Millis::try_from(until).ok())),
            signed_off: false,
        }
    }

    fn to_row(&self, holder: KeyHolder) -> SessionRow {
        let keys = |pair: &KeyPair| (pair.pin.as_str().to_owned(), pair.mac.as_str().to_owned());
        SessionRow {
            holder,
            master_key: self.master_key.clone(),
            current: self.current.as_ref().map(keys),
            pending: self.pending.as_ref().map(keys),
            previous: self.previous.as_ref().map(|(pair, _)| keys(pair)),
            previous_until: self.previous.as_ref().and_then(|(_, until)| i64::try_from(*until).ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use admin_store::Database;

    /// A store, and one terminal's keys.
    async fn enrolled(folder: &std::path::Path) -> (Store, Holder<'static>) {
        let store = Store::open(&Database::Sqlite(folder.join("umbra.sqlite"))).await.unwrap();
        (store, Holder { id: KeyHolder::Terminal(1), master_key: "UA" })
    }

    fn pair(name: &str) -> KeyPair {
        let key = |letter: char| KeyUnderLmk::from(format!("U{name}{letter}"));
        KeyPair { domain: KeyDomain::Terminal, pin: key('P'), mac: key('A') }
    }

    #[tokio::test]
    async fn a_new_master_key_ends_the_old_pairs_for_good() {
        let folder = tempfile::tempdir().unwrap();
        let (store, holder) = enrolled(folder.path()).await;
        let sessions = Arc::new(Sessions::load(store.clone()).await.unwrap());
        sessions.offer(holder, pair("1")).await.unwrap();
        assert_eq!(sessions.candidates(holder, 0), [pair("1")]);
        let renewed = Holder { master_key: "UB", ..holder };
        assert_eq!(sessions.candidates(renewed, 0), []);
        // Nor after a restart, though the old row is still there.
        let sessions = Sessions::load(store).await.unwrap();
        assert_eq!(sessions.candidates(renewed, 0), []);
        sessions.offer(renewed, pair("2")).await.unwrap();
        assert_eq!(sessions.candidates(renewed, 0), [pair("2")]);
        let network = Holder { id: KeyHolder::Network(1), ..renewed };
        assert_eq!(sessions.candidates(network, 0), [], "of the same number, and somebody else");
    }

    #[tokio::test]
    async fn the_last_step_is_what_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let (store, holder) = enrolled(folder.path()).await;
        let sessions = Arc::new(Sessions::load(store.clone()).await.unwrap());
        for number in 0..50 {
            let new = pair(&number.to_string());
            sessions.offer(holder, new.clone()).await.unwrap();
            // Stored in the background, while the next pair is offered.
            sessions.used(holder, &new, 0);
        }
        let _turn = sessions.storing.lock().await;
        let stored = Sessions::load(store).await.unwrap();
        let (kept, known) = (stored.candidates(holder, 0), sessions.candidates(holder, 0));
        assert_eq!(known[0], pair("49"));
        assert!(kept.contains(&pair("49")), "{kept:?}");
    }
}
