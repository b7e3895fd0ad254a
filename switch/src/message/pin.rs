//! Checking a PIN: in the HSM, one check in flight per card, judged by the ledger.
//!
//! The HSM only says right or wrong. Whether a try is left, and counting a wrong one, is part of the event that the
//! ledger makes durable, so that neither a restart nor parallel attempts buy further tries.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use directory::Card;
use host_commands::{KeyUnderLmk, PinVerdict};
use ledger::PinCheck;

use super::request::FinancialRequest;
use super::response_code::ResponseCode;
use super::security::hsm_failed;
use super::session::KeyPair;
use super::{Step, Switch};

/// One lock a card with a PIN check in work.
#[derive(Default)]
pub struct PinChecks(Mutex<HashMap<i64, Weak<tokio::sync::Mutex<()>>>>);

impl PinChecks {
    /// Held until the event with the check's result is durable; `None` when those before take longer than `patience`.
    pub async fn turn(&self, card: i64, patience: Duration) -> Option<tokio::sync::OwnedMutexGuard<()>> {
        let lock = {
            let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let known = table.get(&card).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                table.retain(|_, lock| lock.strong_count() > 0);
                let lock = Arc::new(tokio::sync::Mutex::new(()));
                table.insert(card, Arc::downgrade(&lock));
                lock
            })
        };
        let turn = tokio::time::timeout(patience, lock.lock_owned()).await.ok();
        metrics::counter!("umbra_pin_turns_missed_total").increment(turn.is_none().into());
        turn
    }
}

/// Asks the HSM about the request's PIN block. Without a try left it is not asked: the ledger answers for it.
pub async fn check(
    switch: &Switch,
    card: &Card,
    request: &FinancialRequest,
    keys: Option<&KeyPair>,
) -> Result<PinCheck, ResponseCode> {
    let Some(block) = request.pin_block else { return Ok(PinCheck::NotChecked) };
    let tries = switch.ledger.pin_tries(u64::try_from(card.card_id).unwrap_or(u64::MAX));
    let tries = tries.map_err(|_| ResponseCode::MALFUNCTION)?;
    if tries >= card.pin_tries_max {
        return Ok(PinCheck::Wrong);
    }
    let (Some(keys), Some(pvv)) = (keys, &card.pvv) else {
        // Without a session key, or a PIN on file, the block says nothing.
        return Err(ResponseCode::PIN_BLOCK_UNDECIPHERABLE);
    };
    let pvk = KeyUnderLmk::from(card.pvk.clone());
    let _verifying = Step::VerifyPin.start();
    let verdict =
        switch.hsm.verify_pin_pvv(keys.pin_key(), &pvk, block, &request.pan.account12(), card.pvki, pvv).await;
    match verdict {
        Ok(PinVerdict::Right) => Ok(PinCheck::Right),
        Ok(PinVerdict::Wrong) => Ok(PinCheck::Wrong),
        Ok(PinVerdict::BlockInvalid) => Err(ResponseCode::PIN_BLOCK_UNDECIPHERABLE),
        Err(error) => Err(hsm_failed("verify PIN", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_check_a_card_and_no_endless_wait() {
        let (checks, long, short) = (PinChecks::default(), Duration::from_secs(60), Duration::from_millis(5));
        let turn = checks.turn(7, long).await;
        assert!(turn.is_some() && checks.turn(8, short).await.is_some());
        assert!(checks.turn(7, short).await.is_none());
        drop(turn);
        assert!(checks.turn(7, short).await.is_some());
    }
}
