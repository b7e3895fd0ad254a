//! Session keys of terminals: which pair is in use, which waits for its first use, which still serves for a minute.
//!
//! Keys are under the LMK here and in the store. A new pair is stored before the terminal hears of it. Later steps
//! (first use, expiry) are stored afterwards: a crash in between leaves the pair pending, and pending pairs are tried.
//! Pairs count as long as the terminal has the master key they were exchanged under: a new one ends them all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use admin_store::{SessionRow, Store};
use directory::Terminal;
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
    /// The master key under the LMK, under which the pairs were exchanged.
    tmk: String,
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

    fn with<T>(&self, terminal: &Terminal, act: impl FnOnce(&mut Session) -> T) -> T {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.entry(terminal.id).or_default();
        if session.tmk != terminal.tmk {
            *session = Session { tmk: terminal.tmk.clone(), signed_off: session.signed_off, ..Session::default() };
        }
        act(session)
    }

    /// The pairs a MAC may verify under, most likely first.
    pub fn candidates(&self, terminal: &Terminal, now: Millis) -> Vec<KeyPair> {
        self.with(terminal, |session| {
            let previous = session.previous.iter().filter(|(_, until)| now < *until).map(|(pair, _)| pair);
            session.current.iter().chain(&session.pending).chain(previous).cloned().collect()
        })
    }

    /// The pair in use, for a terminal that sends no MACs.
    pub fn current(&self, terminal: &Terminal) -> Option<KeyPair> {
        self.with(terminal, |session| session.current.clone().or_else(|| session.pending.clone()))
    }

    /// Stores a fresh pair as pending; it replaces only an earlier pending one.
    pub async fn offer(&self, terminal: &Terminal, pair: KeyPair) -> anyhow::Result<()> {
        let _turn = self.storing.lock().await;
        let with_it = |session: &mut Session| Session { pending: Some(pair.clone()), ..session.clone() };
        let row = self.with(terminal, |session| with_it(session).to_row(terminal.id));
        self.store.save_session(&row).await?;
        self.with(terminal, |session| session.pending = Some(pair));
        Ok(())
    }

    /// Notes that a message verified under `pair`. The first use of the pending pair makes it current.
    pub fn used(self: &Arc<Self>, terminal: &Terminal, pair: &KeyPair, now: Millis) {
        let promoted = self.with(terminal, |session| {
            if session.pending.as_ref() != Some(pair) {
                return false;
            }
            session.previous = session.current.take().map(|old| (old, now + PREVIOUS_KEYS_LIFE_MS));
            session.current = session.pending.take();
            true
        });
        if promoted {
            let (sessions, terminal) = (Arc::clone(self), terminal.clone());
            tokio::spawn(async move {
                let _turn = sessions.storing.lock().await;
                let row = sessions.with(&terminal, |session| session.to_row(terminal.id));
                if let Err(error) = sessions.store.save_session(&row).await {
                    let terminal = terminal.id;
                    tracing::warn!(terminal, %error, "first use of a key pair not stored; it stays pending there and is tried again");
                }
            });
        }
    }

    pub fn set_signed_off(&self, terminal: &Terminal, signed_off: bool) {
        self.with(terminal, |session| session.signed_off = signed_off);
    }

    pub fn is_signed_off(&self, terminal: &Terminal) -> bool {
        self.with(terminal, |session| session.signed_off)
    }
}

impl Session {
    fn from_row(row: SessionRow) -> Self {
        let pair = |keys: Option<(String, String)>| {
            keys.map(|(tpk, tak)| KeyPair { tpk: KeyUnderLmk::from(tpk), tak: KeyUnderLmk::from(tak) })
        };
        Self {
            tmk: row.tmk,
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
            tmk: self.tmk.clone(),
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
    use admin_store::{Database, NewAccount, NewTerminal};
    use directory::{KeyScheme, TerminalName};

    /// A store with one terminal, and that terminal as the directory knows it.
    async fn enrolled(folder: &std::path::Path) -> (Store, Terminal) {
        let store = Store::open(&Database::Sqlite(folder.join("umbra.sqlite"))).await.unwrap();
        let mut change = store.begin().await.unwrap();
        let tenant_id = store.insert_tenant(&mut change, "T", None, "{}").await.unwrap();
        let account = NewAccount { tenant_id, kind: "MERCHANT", name: "m", currency: 710, unlimited: false };
        let account = account.insert(&mut change).await.unwrap();
        let row = NewTerminal {
            tenant_id,
            terminal_type_id: None,
            terminal_id: "T1",
            merchant_id: "M1",
            key_scheme: "tr31",
            tmk: "UA",
            tmk_kcv: "",
            mac_required: true,
            merchant_account: account,
        };
        let row = row.insert(&mut change).await.unwrap();
        store.commit(change).await.unwrap();
        let terminal = Terminal {
            id: row.id,
            tenant_id,
            name: TerminalName::new("T1", "M1"),
            active: true,
            key_scheme: KeyScheme::Tr31,
            tmk: "UA".into(),
            mac_required: true,
            merchant_account: u64::try_from(account).unwrap(),
        };
        (store, terminal)
    }

    fn pair(name: &str) -> KeyPair {
        KeyPair { tpk: KeyUnderLmk::from(format!("U{name}P")), tak: KeyUnderLmk::from(format!("U{name}A")) }
    }

    #[tokio::test]
    async fn a_new_master_key_ends_the_old_pairs_for_good() {
        let folder = tempfile::tempdir().unwrap();
        let (store, terminal) = enrolled(folder.path()).await;
        let sessions = Arc::new(Sessions::load(store.clone()).await.unwrap());
        sessions.offer(&terminal, pair("1")).await.unwrap();
        assert_eq!(sessions.candidates(&terminal, 0), [pair("1")]);
        let renewed = Terminal { tmk: "UB".into(), ..terminal.clone() };
        assert_eq!(sessions.candidates(&renewed, 0), []);
        // Nor after a restart, though the old row is still there.
        let sessions = Sessions::load(store).await.unwrap();
        assert_eq!(sessions.candidates(&renewed, 0), []);
        sessions.offer(&renewed, pair("2")).await.unwrap();
        assert_eq!(sessions.candidates(&renewed, 0), [pair("2")]);
    }

    #[tokio::test]
    async fn the_last_step_is_what_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let (store, terminal) = enrolled(folder.path()).await;
        let sessions = Arc::new(Sessions::load(store.clone()).await.unwrap());
        for number in 0..50 {
            let new = pair(&number.to_string());
            sessions.offer(&terminal, new.clone()).await.unwrap();
            // Stored in the background, while the next pair is offered.
            sessions.used(&terminal, &new, 0);
        }
        let _turn = sessions.storing.lock().await;
        let stored = Sessions::load(store).await.unwrap();
        let (kept, known) = (stored.candidates(&terminal, 0), sessions.candidates(&terminal, 0));
        assert_eq!(known[0], pair("49"));
        assert!(kept.contains(&pair("49")), "{kept:?}");
    }
}
