//! The baseline of the network: a bare server that sends back every frame it gets.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use anyhow::Context;
use bytes::BytesMut;
use futures::{FutureExt, StreamExt};
use host_commands::wire::FrameCodec;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_util::codec::{Encoder, FramedRead};

/// Bytes gathered for one write at most.
const WRITE_MAX: usize = 64 * 1024;

/// On a thread of its own; ended when it is dropped.
pub struct EchoServer {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl EchoServer {
    pub fn start() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).context("no port for the echo server")?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener) => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("echo".into()).spawn(serve)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for EchoServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(echo(stream));
    }
}

/// Frame by frame and with answers written together, as the simulator does it.
async fn echo(stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let (read, mut write) = stream.into_split();
    let mut frames = FramedRead::new(read, FrameCodec);
    let mut out = BytesMut::with_capacity(WRITE_MAX);
    while let Some(Ok(first)) = frames.next().await {
        let mut next = Some(first);
        while let Some(frame) = next {
            if FrameCodec.encode(&frame, &mut out).is_err() {
                return;
            }
            next =
                if out.len() < WRITE_MAX { frames.next().now_or_never().flatten().and_then(Result::ok) } else { None };
        }
        if write.write_all(&out).await.is_err() {
            return;
        }
        out.clear();
    }
}
