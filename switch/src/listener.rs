//! TCP listeners for terminals and card networks: frames in, frames out, nothing of one connection able to hold up another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use futures::{SinkExt, StreamExt};
use iso8583::framing::{Frame, FrameCodec, Framing};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::codec::{FramedRead, FramedWrite};
use tokio_util::task::TaskTracker;

use crate::limits;
use crate::message::{self, Link, Reply, Step, Switch};
use crate::undecodable::Undecodable;

/// One bound listener.
pub struct Listener {
    socket: TcpListener,
    /// As connections have it.
    link: Link,
    framing: Framing,
}

impl Listener {
    pub async fn bind(address: SocketAddr, link: Link, framing: Framing) -> anyhow::Result<Self> {
        let socket = TcpListener::bind(address).await.map_err(|error| {
            anyhow::anyhow!(
                "cannot listen on {address} for {}: {error}; stop what uses it or choose another address",
                link.listener
            )
        })?;
        Ok(Self { socket, link, framing })
    }

    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub fn name(&self) -> &str {
        &self.link.listener
    }

    /// Accepts until `stop` turns true; connections finish what they have begun.
    pub async fn run(
        self,
        switch: Arc<Switch>,
        room: Arc<Semaphore>,
        tasks: TaskTracker,
        mut stop: watch::Receiver<bool>,
    ) {
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, most likely: give connections time to end rather than spin.
                    tracing::warn!(listener = self.link.listener, %error, "accept failed");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    continue;
                }
            };
            let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
                metrics::counter!("umbra_connections_refused_total", "listener" => self.link.listener.clone())
                    .increment(1);
                tracing::warn!(listener = self.link.listener, %peer, bound = limits::CONNECTIONS_MAX, "connection refused: too many are open");
                continue;
            };
            let connection = Connection {
                switch: Arc::clone(&switch),
                link: Arc::new(self.link.another()),
                framing: self.framing,
                peer,
            };
            let stop = stop.clone();
            tasks.spawn(async move {
                connection.serve(stream, stop).await;
                drop(permit);
            });
        }
    }
}

struct Connection {
    switch: Arc<Switch>,
    link: Arc<Link>,
    framing: Framing,
    peer: SocketAddr,
}

impl Connection {
    async fn serve(self, stream: TcpStream, stop: watch::Receiver<bool>) {
        let gauge = metrics::gauge!("umbra_connections", "listener" => self.link.listener.clone());
        gauge.increment(1.0);
        tracing::info!(listener = self.link.listener, peer = %self.peer, "connected");
        let why = self.exchange(stream, stop).await;
        tracing::info!(listener = self.link.listener, peer = %self.peer, why, "disconnected");
        gauge.decrement(1.0);
    }

    /// Reads requests, answers them as they finish, and says why it ended.
    async fn exchange(&self, stream: TcpStream, mut stop: watch::Receiver<bool>) -> &'static str {
        let _ = stream.set_nodelay(true);
        let (read, write) = stream.into_split();
        let mut frames = FramedRead::new(read, FrameCodec::new(self.framing));
        let (answers, queue) = mpsc::channel(limits::CONNECTION_ANSWERS_MAX);
        let (not_understood, mut told) = mpsc::channel(limits::CONNECTION_IN_FLIGHT_MAX);
        let mut writer = tokio::spawn(write_answers(FramedWrite::new(write, FrameCodec::new(self.framing)), queue));
        let in_work = Arc::new(Semaphore::new(limits::CONNECTION_IN_FLIGHT_MAX));
        let mut undecodable = Undecodable::default();
        let mut arrival = 0;
        let why = loop {
            // At the bound the socket is not read; the peer's own buffers fill and it waits.
            let permit = tokio::select! {
                permit = Arc::clone(&in_work).acquire_owned() => permit,
                _ = &mut writer => break "answers could not be written",
            };
            let Ok(permit) = permit else { break "closing" };
            let frame = tokio::select! {
                biased;
                Some(arrival) = told.recv() => {
                    if undecodable.note(arrival) {
                        break "too many messages in a row could not be understood";
                    }
                    continue;
                }
                frame = tokio::time::timeout(limits::IDLE_TIMEOUT, frames.next()) => frame,
                _ = &mut writer => break "answers could not be written",
                _ = stop.wait_for(|stop| *stop) => break "the daemon is stopping",
            };
            match frame {
                Err(_) => break "idle for too long",
                Ok(None) => break "closed by the other side",
                Ok(Some(Err(_))) => break "connection broken",
                Ok(Some(Ok(frame))) => {
                    arrival += 1;
                    self.start(frame, arrival, answers.clone(), not_understood.clone(), permit);
                }
            }
        };
        // What is in work still gets its answer: the writer ends when the last sender is gone.
        drop(answers);
        if !writer.is_finished() {
            let _ = tokio::time::timeout(limits::DRAIN_TIMEOUT, &mut writer).await;
        }
        writer.abort();
        why
    }

    /// Works on one frame beside the others; its arrival number goes to `not_understood` if it could not be.
    fn start(
        &self,
        frame: Frame,
        arrival: u64,
        answers: mpsc::Sender<Frame>,
        not_understood: mpsc::Sender<u64>,
        permit: tokio::sync::OwnedSemaphorePermit,
    ) {
        let switch = Arc::clone(&self.switch);
        let link = Arc::clone(&self.link);
        let peer = self.peer;
        let arrived = Instant::now();
        tokio::spawn(async move {
            drop(Step::Queue.since(arrived));
            match answer_frame(&switch, &link, peer, frame).await {
                Ok(Some(answer)) => {
                    // A closed queue means the connection is gone; the event stays, as it must.
                    let _ = answers.send(answer).await;
                }
                Ok(None) => {}
                Err(()) => {
                    let _ = not_understood.send(arrival).await;
                }
            }
            drop(permit);
        });
    }
}

/// The frame to send back, if any; `Err` when the message could not be understood.
async fn answer_frame(switch: &Switch, link: &Link, peer: SocketAddr, frame: Frame) -> Result<Option<Frame>, ()> {
    if frame.is_keep_alive() {
        // A frame of length 0 is a keep-alive.
        return Ok(Some(frame));
    }
    match message::handle(switch, link, frame.body.clone()).await {
        Reply::Answer(wire) => Ok(Some(frame.reply(wire.freeze()))),
        Reply::Silence(why) => {
            drop_message(link, peer, why);
            Ok(None)
        }
        Reply::Undecodable => {
            drop_message(link, peer, "undecodable");
            Err(())
        }
    }
}

fn drop_message(link: &Link, peer: SocketAddr, why: &'static str) {
    metrics::counter!("umbra_messages_dropped_total", "listener" => link.listener.clone(), "why" => why).increment(1);
    tracing::warn!(listener = link.listener, %peer, why, "message dropped");
}

/// Writes what is queued with one flush; a peer that takes nothing for too long is given up.
async fn write_answers(
    mut frames: FramedWrite<tokio::net::tcp::OwnedWriteHalf, FrameCodec>,
    mut queue: mpsc::Receiver<Frame>,
) {
    while let Some(frame) = queue.recv().await {
        let written = tokio::time::timeout(limits::WRITE_TIMEOUT, async {
            frames.feed(frame).await?;
            while let Ok(frame) = queue.try_recv() {
                frames.feed(frame).await?;
            }
            frames.flush().await
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                metrics::counter!("umbra_slow_readers_closed_total").increment(1);
                return;
            }
        }
    }
}
