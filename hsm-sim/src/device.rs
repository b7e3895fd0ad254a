//! The device itself: its LMKs, its settings and its state, without anything of the network.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use zeroize::Zeroize;

use crate::commands::{self, Reply};
use crate::error::Code;
use crate::fields::{Bare, Fields, ZmkLength};
use crate::keys::{KeyCache, KeyType, LmkStore, LmkStoreError, Permission, Vault};
use crate::policy::Policy;

/// Longest answer that its frame's length can tell.
const FRAME_MAX: usize = u16::MAX as usize;

/// A device that runs commands.
#[derive(Debug)]
pub struct Device {
    lmks: LmkStore,
    policy: Policy,
    cache: KeyCache,
    authorised: AtomicBool,
    /// What LG asked for, in milliseconds.
    delay: AtomicU64,
    zmk: Option<ZmkLength>,
}

/// How a command ended, for the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The error code, `00` when there was none.
    pub code: &'static str,
    /// The row of the table; none for a command that is not offered.
    pub command: Option<&'static commands::Command>,
}

impl Device {
    /// `zmk`: how long a zone master key without a scheme letter is; without a setting it is double, or single where that
    /// alone makes sense of the command.
    pub fn new(lmks: LmkStore, policy: Policy, authorised: bool, zmk: Option<ZmkLength>) -> Self {
        Self {
            lmks,
            policy,
            cache: KeyCache::default(),
            authorised: AtomicBool::new(authorised),
            delay: AtomicU64::new(0),
            zmk,
        }
    }

    /// With the test LMKs, in the authorised state.
    pub fn with_test_lmks(policy: Policy) -> Result<Self, LmkStoreError> {
        Ok(Self::new(LmkStore::test()?, policy, true, None))
    }

    /// Without any LMK, for commands that are only read.
    pub(crate) fn empty() -> Self {
        Self::new(LmkStore::default(), Policy::default(), false, None)
    }

    #[cfg(test)]
    pub(crate) fn test() -> Self {
        Self::with_test_lmks(Policy::default()).unwrap()
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    pub fn lmks(&self) -> &LmkStore {
        &self.lmks
    }

    pub fn is_authorised(&self) -> bool {
        self.authorised.load(Ordering::Relaxed)
    }

    /// Enters or leaves the authorised state. Hosts can only leave it (RA).
    pub fn set_authorised(&self, authorised: bool) {
        self.authorised.store(authorised, Ordering::Relaxed);
    }

    /// 17 outside the authorised state.
    pub(crate) fn require_authorised(&self) -> Result<(), Code> {
        if self.is_authorised() { Ok(()) } else { Err(Code::NOT_AUTHORISED) }
    }

    /// Whether the permission table lets something be done with keys of a type.
    pub(crate) fn permit(&self, key_type: KeyType, of: fn(KeyType) -> Permission) -> Result<(), Code> {
        match of(key_type) {
            Permission::Always => Ok(()),
            Permission::Authorised => self.require_authorised(),
            Permission::Never => Err(Code::NOT_PERMITTED),
        }
    }

    /// How long every answer is held back.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay.load(Ordering::Relaxed))
    }

    pub(crate) fn set_delay(&self, milliseconds: u64) {
        self.delay.store(milliseconds, Ordering::Relaxed);
    }

    /// The keys under an LMK.
    pub(crate) fn vault(&self, id: u8) -> Result<Vault<'_>, Code> {
        Ok(Vault {
            id,
            loaded: self.lmks.get(id).ok_or(Code::LMK)?,
            cache: &self.cache,
            separated: self.policy.separate_terminal_keys,
            refuse_disguised: self.policy.refuse_disguised_keys,
        })
    }

    /// The keys under an LMK that is in key change storage.
    pub(crate) fn old_vault(&self, id: u8) -> Result<Vault<'_>, Code> {
        Ok(Vault { loaded: self.lmks.old(id).ok_or(Code::KEY_CHANGE_STORAGE)?, ..self.vault(id)? })
    }

    /// Runs one command and writes the whole answer: header, code, error code, fields, trailer. `answer` is empty before.
    pub fn run(&self, header: &[u8], command: [u8; 2], body: &[u8], answer: &mut Vec<u8>) -> Outcome {
        let row = commands::find(command).filter(|row| !self.policy.disabled_commands.contains(row.code));
        let (result, trailer) = match row {
            Some(row) => self.attempt(row, body),
            None => (Err(Code::NOT_OFFERED), &[][..]),
        };
        let reply = result.unwrap_or_else(Reply::error);
        answer.extend_from_slice(header);
        answer.extend_from_slice(&host_commands::wire::response_code(command));
        answer.extend_from_slice(reply.code.0.as_bytes());
        answer.extend_from_slice(&reply.fields);
        answer.extend_from_slice(trailer);
        if answer.len() > FRAME_MAX {
            // Data that grew on its way: bytes written in hexadecimal, commands in a chain.
            answer.zeroize();
            answer.extend_from_slice(header);
            answer.extend_from_slice(&host_commands::wire::response_code(command));
            answer.extend_from_slice(Code::DATA_LENGTH.0.as_bytes());
            return Outcome { code: Code::DATA_LENGTH.0, command: row };
        }
        Outcome { code: reply.code.0, command: row }
    }

    /// Reads the fields with keys of the usual lengths, and with others where that makes no sense: fields are left over or
    /// missing, or what was taken for a key is none. Gives the trailer, too.
    fn attempt<'a>(&self, row: &commands::Command, body: &'a [u8]) -> (Result<Reply, Code>, &'a [u8]) {
        let mut best: Option<Attempt> = None;
        for bare in Bare::attempts(self.zmk) {
            let attempt = self.attempt_with(row, body, bare);
            let is_key = !matches!(attempt.result, Err(Code::SOURCE_PARITY));
            let ended = attempt.ended;
            if best.as_ref().is_none_or(|best| ended && (is_key || !best.ended)) {
                best = Some(attempt);
            }
            if ended && is_key {
                break;
            }
        }
        let Some(best) = best else { return (Err(Code::INPUT), &[]) };
        (best.result, body.get(body.len() - best.trailer..).unwrap_or_default())
    }

    fn attempt_with(&self, row: &commands::Command, body: &[u8], bare: Bare) -> Attempt {
        let mut fields = Fields::for_device(body, self, bare);
        let result = (row.run)(self, &mut fields);
        Attempt { result, ended: fields.ended(), trailer: fields.trailer().len() }
    }
}

struct Attempt {
    result: Result<Reply, Code>,
    /// Whether all fields were there and nothing else.
    ended: bool,
    /// Characters of the trailer.
    trailer: usize,
}
