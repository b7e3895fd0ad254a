//! Session keys of terminals: which pair is in use, which waits for its first use, which still serves for a minute.
//!
//! Keys are under the LMK here and in the store. A new pair is stored before the terminal hears of it. Later steps
//! (first use, expiry) are stored afterwards: a crash in between leaves the pair pending, and pending pairs are tried.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use admin_store::{SessionRow, Store};
use host_commands::KeyUnderLmk;
use ledger::Millis;

use crate::limits::PREVIOUS_KEYS_LIFE_MS;

/// TPK and TAK under the LMK, exchanged together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    pub tpk: KeyUnderLmk,
    pub tak: KeyUnderLmk,
}

/// What one terminal has at this moment.
#[derive(Clone, Debug, Default)]
struct Session {
    current: Option<KeyPair>,
    pending: Option<KeyPair>,
    previous: Option<(KeyPair, Millis)>,
    signed_off: bool,
}

/// The sessions of all terminals, by the terminal's row id.
pub struct Sessions {
    sessions: Mutex<HashMap<i64, Session>>,
    store: Store,
    /// Rows are taken and stored one after the other, so that an older one cannot overwrite a newer.
    storing: tokio::sync::Mutex<()>,
}

impl Sessions {
    /// Takes over what the store kept.
    pub async fn load(store: Store) -> anyhow::Result<Self> {
        let rows = store.load_sessions().await?;
        let sessions = rows.into_iter().map(|row| (row.terminal, Session::from_row(row))).collect();
        Ok(Self { sessions: Mutex::new(sessions), store, storing: tokio::sync::Mutex::default() })
    }

    fn with<T>(&self, terminal: i64, act: impl FnOnce(&mut Session) -> T) -> T {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        act(sessions.entry(terminal).or_default())
    }

    /// The pairs a MAC may verify under, most likely first.
    pub fn candidates(&self, terminal: i64, now: Millis) -> Vec<KeyPair> {
        self.with(terminal, |session| {
            let previous = session.previous.iter().filter(|(_, until)| now < *until).map(|(pair, _)| pair);
            session.current.iter().chain(&session.pending).chain(previous).cloned().collect()
        })
    }

    /// The pair in use, for a terminal that sends no MACs.
    pub fn current(&self, terminal: i64) -> Option<KeyPair> {
        self.with(terminal, |session| session.current.clone().or_else(|| session.pending.clone()))
    }

    /// Stores a fresh pair as pending; it replaces only an earlier pending one.
    pub async fn offer(&self, terminal: i64, pair: KeyPair) -> anyhow::Result<()> {
        let _turn = self.storing.lock().await;
        let row =
            self.with(terminal, |session| Session { pending: Some(pair.clone()), ..session.clone() }.to_row(terminal));
        self.store.save_session(&row).await?;
        self.with(terminal, |session| session.pending = Some(pair));
        Ok(())
    }

    /// Notes that a message verified under `pair`. The first use of the pending pair makes it current.
    pub fn used(self: &Arc<Self>, terminal: i64, pair: &KeyPair, now: Millis) {
        let promoted = self.with(terminal, |session| {
            if session.pending.as_ref() != Some(pair) {
                return false;
            }
            session.previous = session.current.take().map(|old| (old, now + PREVIOUS_KEYS_LIFE_MS));
            session.current = session.pending.take();
            true
        });
        if promoted {
            let sessions = Arc::clone(self);
            tokio::spawn(async move {
                let _turn = sessions.storing.lock().await;
                let row = sessions.with(terminal, |session| session.to_row(terminal));
                if let Err(error) = sessions.store.save_session(&row).await {
                    tracing::warn!(terminal, %error, "first use of a key pair not stored; it stays pending there and is tried again");
                }
            });
        }
    }

    pub fn set_signed_off(&self, terminal: i64, signed_off: bool) {
        self.with(terminal, |session| session.signed_off = signed_off);
    }

    pub fn is_signed_off(&self, terminal: i64) -> bool {
        self.with(terminal, |session| session.signed_off)
    }
}

impl Session {
    fn from_row(row: SessionRow) -> Self {
        let pair = |keys: Option<(String, String)>| {
            keys.map(|(tpk, tak)| KeyPair { tpk: KeyUnderLmk::from(tpk), tak: KeyUnderLmk::from(tak) })
        };
        Self {
            current: pair(row.current),
            pending: pair(row.pending),
            previous: pair(row.previous).zip(row.previous_until.and_then(|until| Millis::try_from(until).ok())),
            signed_off: false,
        }
    }

    fn to_row(&self, terminal: i64) -> SessionRow {
        let keys = |pair: &KeyPair| (pair.tpk.as_str().to_owned(), pair.tak.as_str().to_owned());
        SessionRow {
            terminal,
            current: self.current.as_ref().map(keys),
            pending: self.pending.as_ref().map(keys),
            previous: self.previous.as_ref().map(|(pair, _)| keys(pair)),
            previous_until: self.previous.as_ref().and_then(|(_, until)| i64::try_from(*until).ok()),
        }
    }
}
