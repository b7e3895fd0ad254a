//! Either kind of load, as a round sees it.

use std::time::Duration;

use super::card_load::CardLoad;
use super::cipher::CipherWork;
use super::lane::{Finish, Record};
use super::rest_load::RestLoad;
use super::slice::Slice;
use super::transfers::Transfer;

/// Sent, and not judged yet.
pub enum Fired {
    Cards(Vec<Vec<Record>>),
    Rest(Vec<(Transfer, Record)>),
}

pub enum Load {
    Cards(Box<CardLoad>),
    Rest(Box<RestLoad>),
}

impl Load {
    /// Makes what a slice will send. `part`: where in the run the slice lies, from 0 to 1.
    pub async fn prepare(&mut self, rate: f64, length: Duration, part: (f64, f64)) -> anyhow::Result<()> {
        match self {
            Self::Cards(load) => {
                load.prepare(rate, length, part)?;
                load.connect().await
            }
            Self::Rest(load) => load.prepare(rate, length).await,
        }
    }

    /// The echo server with the prepared frames, or the empty handler.
    pub async fn baseline(&mut self, length: Duration) -> anyhow::Result<Slice> {
        match self {
            Self::Cards(load) => load.echo(length).await,
            Self::Rest(load) => load.baseline(length).await,
        }
    }

    pub fn cipher_work(&self) -> Option<CipherWork> {
        match self {
            Self::Cards(load) => load.cipher_work(),
            Self::Rest(_) => None,
        }
    }

    /// How many messages are ready to be sent.
    pub fn prepared(&self) -> usize {
        match self {
            Self::Cards(load) => load.prepared(),
            Self::Rest(load) => load.prepared(),
        }
    }

    /// Sends what was prepared, while the clock runs.
    pub async fn fire(&mut self, finish: &Finish, part: (f64, f64)) -> anyhow::Result<Fired> {
        Ok(match self {
            Self::Cards(load) => Fired::Cards(load.fire(finish, part).await?),
            Self::Rest(load) => Fired::Rest(load.fire(finish).await?),
        })
    }

    /// Reads the answers, when it has stopped.
    pub fn judge(&mut self, fired: Fired, finish: &Finish) -> anyhow::Result<Slice> {
        match (self, fired) {
            (Self::Cards(load), Fired::Cards(records)) => load.judge(records, finish),
            (Self::Rest(load), Fired::Rest(done)) => Ok(load.judge(done, finish)),
            _ => anyhow::bail!("the answers are of another load"),
        }
    }
}
