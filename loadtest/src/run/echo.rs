//! The first baseline: a bare server that sends back what it gets. What a daemon could answer at best on this machine,
//! at this moment, to these frames on these connections.

use futures::{SinkExt, StreamExt};
use iso8583::framing::{FrameCodec, Framing};
use tokio::net::TcpStream;
use tokio_util::codec::Framed;

use crate::local_server::LocalServer;

/// On one thread, as the daemon's card traffic is.
pub fn start(framing: Framing) -> anyhow::Result<LocalServer> {
    LocalServer::start("echo", 1, move |listener| async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream, framing));
        }
    })
}

async fn echo(stream: TcpStream, framing: Framing) {
    let _ = stream.set_nodelay(true);
    let mut frames = Framed::new(stream, FrameCodec::new(framing));
    while let Some(Ok(frame)) = frames.next().await {
        if frames.send(frame).await.is_err() {
            return;
        }
    }
}
