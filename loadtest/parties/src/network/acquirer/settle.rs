//! No outcome is left open: what is not answered is reversed, and the reversal repeated until it is answered.
//! Where the other side has lost the keys, it is given new ones in between.

use std::time::Duration;

use super::AcquirerSide;
use crate::network::NetworkError;
use crate::{CardProfile, Exchange, Original, Request, Reversal};

/// DE 39 for a message whose MAC is not right.
const MAC_REFUSED: &str = "63";

/// DE 39 of refusals that pass: not available, malfunction, and keys that are replaced.
const PASSING: [&str; 3] = ["91", "96", MAC_REFUSED];

/// When a reversal is sent again. Pauses double from the first to the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeats {
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// Copies before a person has to see to it.
    pub copies_max: u32,
}

impl Default for Repeats {
    fn default() -> Self {
        Self { first_pause: Duration::from_secs(1), longest_pause: Duration::from_secs(60), copies_max: u32::MAX }
    }
}

/// A reversal that was answered.
#[derive(Debug)]
pub struct Reversed {
    pub exchange: Exchange,
    /// How often it was sent: one 0420, then 0421.
    pub copies: u32,
}

/// How a request ended.
#[derive(Debug)]
pub enum Settlement {
    Answered(Box<Exchange>),
    /// No answer could be trusted to have come; the other side now knows that it does not count.
    Reversed(Box<Reversed>),
}

impl AcquirerSide {
    /// Sends a request that moves money. Whatever leaves its outcome open, a time-out, a broken connection or an
    /// answer that cannot be trusted, is followed by its reversal.
    pub async fn settle(&self, request: &Request, card: &CardProfile) -> Result<Settlement, NetworkError> {
        if let Ok(Some(exchange)) = self.send(request).await
            && is_trusted(&exchange)
        {
            return Ok(Settlement::Answered(Box::new(exchange)));
        }
        let reversed = self.reverse_until_answered(request, card).await?;
        Ok(Settlement::Reversed(Box::new(reversed)))
    }

    /// Sends an 0420, then 0421 with growing pauses, over as many connections as it takes. A refusal that no repeat
    /// can change is an error.
    pub async fn reverse_until_answered(
        &self,
        original: &Request,
        card: &CardProfile,
    ) -> Result<Reversed, NetworkError> {
        let how = Reversal { advice: true, remaining_minor: None };
        let mut reversal = self.reversal(how, card, &Original::of(original)?)?;
        let repeats = self.settings.repeats;
        let mut pause = repeats.first_pause;
        let (mut copies, mut keys_renewed) = (0, false);
        while copies < repeats.copies_max {
            copies += 1;
            // Broken connections and untrusted answers are no answers.
            match self.send(&reversal).await {
                Ok(Some(exchange)) if exchange.is_approved() => return Ok(Reversed { exchange, copies }),
                Ok(Some(exchange)) if !PASSING.contains(&exchange.code()) => return Err(refused(&exchange)),
                Ok(Some(exchange)) if !keys_renewed && self.may_renew_keys(&exchange) => {
                    keys_renewed = self.renew_keys(&reversal).await.is_ok();
                }
                _ => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(repeats.longest_pause);
            reversal = self.repeat(&reversal)?;
        }
        Err(NetworkError::NeverAnswered(copies))
    }

    /// A 63 without MAC comes from a side that has no key to make one.
    fn may_renew_keys(&self, refusal: &Exchange) -> bool {
        self.settings.exchange_keys && refusal.code() == MAC_REFUSED && !refusal.authenticated
    }
}

fn refused(exchange: &Exchange) -> NetworkError {
    NetworkError::ReversalRefused { code: exchange.code().to_owned(), meaning: exchange.meaning() }
}

/// Anybody can refuse without a MAC, whatever the other side has done.
fn is_trusted(exchange: &Exchange) -> bool {
    exchange.authenticated || !exchange.request.has_mac()
}
