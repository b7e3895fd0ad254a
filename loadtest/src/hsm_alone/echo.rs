//! The baseline of the network: a bare server that sends back every frame it gets.

use bytes::BytesMut;
use futures::{FutureExt, StreamExt};
use host_commands::wire::FrameCodec;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_util::codec::{Encoder, FramedRead};

use crate::local_server::LocalServer;

/// Bytes gathered for one write at most.
const WRITE_MAX: usize = 64 * 1024;

pub fn start() -> anyhow::Result<LocalServer> {
    LocalServer::start("echo", 1, move |listener| async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream));
        }
    })
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
