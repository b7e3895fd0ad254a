//! Who sends card messages: a terminal, or an acquirer behind a card network. Both say the same things.

use anyhow::Context;
use bytes::Bytes;
use parties::{AcquirerSide, CardProfile, Kind, Original, Request, Reversal, Terminal};

pub enum Sender {
    Terminal(Box<Terminal>),
    Network(Box<AcquirerSide>),
}

impl Sender {
    /// A payment or an inquiry.
    pub fn request(&self, kind: Kind, card: &CardProfile, amount: u64) -> anyhow::Result<Request> {
        Ok(match self {
            Self::Terminal(terminal) => terminal.request(kind, card, amount)?,
            Self::Network(acquirer) => acquirer.request(kind, card, amount)?,
        })
    }

    pub fn completion(
        &self,
        card: &CardProfile,
        amount: u64,
        approval: &str,
        hold: &Original,
    ) -> anyhow::Result<Request> {
        Ok(match self {
            Self::Terminal(terminal) => terminal.completion(card, amount, approval, hold)?,
            Self::Network(acquirer) => acquirer.completion(card, amount, approval, hold)?,
        })
    }

    pub fn reversal(&self, how: Reversal, card: &CardProfile, original: &Original) -> anyhow::Result<Request> {
        Ok(match self {
            Self::Terminal(terminal) => terminal.reversal(how, card, original)?,
            Self::Network(acquirer) => acquirer.reversal(how, card, original)?,
        })
    }

    /// The same message sent again.
    pub fn repeat(&self, request: &Request) -> anyhow::Result<Request> {
        Ok(match self {
            Self::Terminal(_) => request.as_repeat()?,
            Self::Network(acquirer) => acquirer.repeat(request)?,
        })
    }

    /// Networks take back by advices alone: they tell of what has happened.
    pub fn reverses_by_advice(&self) -> bool {
        matches!(self, Self::Network(_))
    }

    /// Where a terminal's numbering goes on; a network's begins at 1.
    pub fn set_next_stan(&self, stan: u32) -> anyhow::Result<()> {
        match self {
            Self::Terminal(terminal) => Ok(terminal.set_next_stan(stan)?),
            Self::Network(_) => Ok(()),
        }
    }

    /// What a connection must begin with: networks sign on.
    pub fn greeting(&self) -> anyhow::Result<Option<Request>> {
        match self {
            Self::Terminal(_) => Ok(None),
            Self::Network(acquirer) => Ok(Some(acquirer.sign_on_request()?)),
        }
    }

    /// A message as it goes over the wire.
    pub fn framed(&self, request: &Request) -> anyhow::Result<Bytes> {
        let dialect = match self {
            Self::Terminal(terminal) => terminal.dialect(),
            Self::Network(acquirer) => acquirer.dialect(),
        };
        dialect.framed(request.wire()).context("a message is too long for its frame")
    }
}
