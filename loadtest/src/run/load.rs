//! Either kind of load, as a round sees it.

use std::time::Duration;

use super::card_load::CardLoad;
use super::cipher::CipherWork;
use super::lane::Finish;
use super::rest_load::RestLoad;
use super::slice::Slice;

pub enum Load {
    Cards(CardLoad),
    Rest(RestLoad),
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

    pub async fn fire(&mut self, finish: &Finish, part: (f64, f64)) -> anyhow::Result<Slice> {
        match self {
            Self::Cards(load) => load.fire(finish, part).await,
            Self::Rest(load) => load.fire(finish).await,
        }
    }
}
