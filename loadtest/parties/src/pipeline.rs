//! Many requests under way on one connection; answers come in any order.

use std::collections::VecDeque;

use iso8583::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::{AnswerFault, Connection, Error, Exchange, Request};

/// Matches answers by MTI and STAN. Copies of one request are matched in the order they were sent.
pub struct Pipeline<R = OwnedReadHalf, W = OwnedWriteHalf> {
    connection: Connection<R, W>,
    waiting: VecDeque<Request>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Pipeline<R, W> {
    pub fn new(connection: Connection<R, W>) -> Self {
        Self { connection, waiting: VecDeque::new() }
    }

    /// Sends without waiting for an answer. The switch stops reading when too many are under way, so a caller that
    /// sends without end and never receives runs into the write timeout.
    pub async fn send(&mut self, request: Request) -> Result<(), Error> {
        self.connection.send(request.wire()).await?;
        self.waiting.push_back(request);
        Ok(())
    }

    /// The next answer with its request; `None` when nothing is under way.
    pub async fn receive(&mut self) -> Result<Option<Exchange>, Error> {
        let Some(oldest) = self.waiting.front() else { return Ok(None) };
        let spec = oldest.spec().clone();
        let wire = self.connection.receive().await?;
        let answer = spec.decode(&wire).map_err(AnswerFault::Undecodable)?;
        let request = self.take(&answer)?;
        Exchange::check(request, wire).map(Some)
    }

    /// Requests without an answer so far.
    pub fn under_way(&self) -> usize {
        self.waiting.len()
    }

    /// The connection, once no more answers are wanted.
    pub fn into_connection(self) -> Connection<R, W> {
        self.connection
    }

    fn take(&mut self, answer: &Message<'_>) -> Result<Request, Error> {
        let stan = answer.text(11).unwrap_or_default();
        // Most answers belong to the oldest request or one near it.
        let found =
            self.waiting.iter().position(|request| request.stan() == stan && request.answer_mti() == answer.mti());
        found
            .and_then(|at| self.waiting.remove(at))
            .ok_or_else(|| AnswerFault::NobodyWaits { mti: answer.mti().to_owned(), stan: stan.into_owned() }.into())
    }
}

impl<R, W> std::fmt::Debug for Pipeline<R, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").field("under_way", &self.waiting.len()).finish_non_exhaustive()
    }
}
