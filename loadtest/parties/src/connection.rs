//! A terminal's TCP connection. Every wait has an end.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use iso8583::framing::{Frame, FrameCodec, Framing, Header};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::codec::{FramedRead, FramedWrite};

use crate::dialect::header;
use crate::{AnswerFault, Error, Exchange, Request};

/// How long connecting may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a switch may take none of what is sent.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer may take, unless said otherwise: longer than the switch waits for a network.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// The half that sends.
pub struct Sender<W = OwnedWriteHalf> {
    frames: FramedWrite<W, FrameCodec>,
    header: Header,
}

/// The half that receives.
pub struct Receiver<R = OwnedReadHalf> {
    frames: FramedRead<R, FrameCodec>,
    /// What an answer must have.
    expected: Header,
    timeout: Duration,
}

/// Both halves. Take them apart to send and receive at once.
pub struct Connection<R = OwnedReadHalf, W = OwnedWriteHalf> {
    pub sender: Sender<W>,
    pub receiver: Receiver<R>,
}

impl Connection {
    pub async fn connect(address: SocketAddr, framing: Framing) -> Result<Self, Error> {
        let fault = |reason: String| Error::Connect { address, reason };
        let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(address))
            .await
            .map_err(|_| fault(format!("no answer for {} s", CONNECT_TIMEOUT.as_secs())))?
            .map_err(|error| fault(error.to_string()))?;
        // Messages are small and waited for; collecting them into larger packets would only delay them.
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        Ok(Self::over(read, write, framing))
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Connection<R, W> {
    /// Over streams made elsewhere, TLS for one.
    pub fn over(read: R, write: W, framing: Framing) -> Self {
        let header = header(framing);
        let sender = Sender { frames: FramedWrite::new(write, FrameCodec::new(framing)), header };
        let receiver = Receiver {
            frames: FramedRead::new(read, FrameCodec::new(framing)),
            expected: header.reply(),
            timeout: ANSWER_TIMEOUT,
        };
        Self { sender, receiver }
    }

    /// Waits this long for answers.
    pub fn with_answer_timeout(mut self, timeout: Duration) -> Self {
        self.receiver.timeout = timeout;
        self
    }

    /// Sends a message without framing; the frame is put around it.
    pub async fn send(&mut self, wire: &Bytes) -> Result<(), Error> {
        self.sender.send(wire).await
    }

    /// The next message without framing, whatever it answers.
    pub async fn receive(&mut self) -> Result<Bytes, Error> {
        self.receiver.receive().await
    }

    /// Sends a request and checks what comes next as its answer.
    pub async fn exchange(&mut self, request: &Request) -> Result<Exchange, Error> {
        self.send(request.wire()).await?;
        Exchange::check(request.clone(), self.receive().await?)
    }

    /// Sends a frame of length 0, which the switch must echo before anything else.
    pub async fn keep_alive(&mut self) -> Result<(), Error> {
        self.sender.send_frame(Frame::KEEP_ALIVE).await?;
        let deadline = Instant::now() + self.receiver.timeout;
        match self.receiver.frame(deadline).await? {
            frame if frame == Frame::KEEP_ALIVE => Ok(()),
            _ => Err(AnswerFault::KeepAlive.into()),
        }
    }
}

impl<W: AsyncWrite + Unpin> Sender<W> {
    pub async fn send(&mut self, wire: &Bytes) -> Result<(), Error> {
        self.send_frame(Frame { header: self.header, body: wire.clone() }).await
    }

    pub(crate) async fn send_frame(&mut self, frame: Frame) -> Result<(), Error> {
        let sent = timeout(WRITE_TIMEOUT, self.frames.send(frame)).await;
        sent.map_err(|_| Error::Timeout { doing: "sending", after: WRITE_TIMEOUT })?.map_err(Error::Broken)
    }
}

impl<R: AsyncRead + Unpin> Receiver<R> {
    /// The next message without framing. Nothing is lost when the future is dropped before it is ready.
    pub async fn receive(&mut self) -> Result<Bytes, Error> {
        let deadline = Instant::now() + self.timeout;
        loop {
            let frame = self.frame(deadline).await?;
            if frame == Frame::KEEP_ALIVE {
                continue;
            }
            if frame.header != self.expected {
                return Err(AnswerFault::Tpdu.into());
            }
            return Ok(frame.body);
        }
    }

    pub(crate) async fn frame(&mut self, deadline: Instant) -> Result<Frame, Error> {
        match timeout_at(deadline, self.frames.next()).await {
            Err(_) => Err(Error::Timeout { doing: "the answer", after: self.timeout }),
            Ok(None) => Err(Error::Closed),
            Ok(Some(frame)) => frame.map_err(Error::Broken),
        }
    }
}

impl<R, W> std::fmt::Debug for Connection<R, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The buffers hold messages.
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
