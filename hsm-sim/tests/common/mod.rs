//! A simulator on a port of its own, and raw frames.

#![allow(dead_code)]

use std::net::SocketAddr;

use hsm_sim::{Device, HsmOptions, LmkStore, Policy, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

pub struct Running {
    pub address: SocketAddr,
    pub stop: Option<oneshot::Sender<()>>,
    pub ended: tokio::task::JoinHandle<()>,
}

pub async fn start_at(address: SocketAddr, options: HsmOptions) -> Running {
    let server = Server::bind(address, options).await.unwrap();
    let address = server.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = tokio::spawn(server.run(async move {
        let _ = stopped.await;
    }));
    Running { address, stop: Some(stop), ended }
}

pub async fn start_with(options: HsmOptions) -> Running {
    start_at("127.0.0.1:0".parse().unwrap(), options).await
}

pub async fn start() -> Running {
    start_with(HsmOptions::with_test_lmks().unwrap()).await
}

/// Test LMKs, and a policy.
pub async fn start_under(policy: Policy) -> Running {
    start_with(HsmOptions::new(Device::with_test_lmks(policy).unwrap())).await
}

/// Test LMKs outside the authorised state.
pub async fn start_unauthorised() -> Running {
    start_with(HsmOptions::new(Device::new(LmkStore::test().unwrap(), Policy::default(), false, None))).await
}

pub struct Raw(pub TcpStream);

impl Raw {
    pub async fn connect(running: &Running) -> Self {
        Self(TcpStream::connect(running.address).await.unwrap())
    }

    pub async fn send(&mut self, header: &[u8; 4], command: &str, body: &[u8]) {
        let frame = [header, command.as_bytes(), body].concat();
        // One write: two would wait for each other's acknowledgement.
        let length = u16::try_from(frame.len()).unwrap().to_be_bytes();
        self.0.write_all(&[&length[..], &frame].concat()).await.unwrap();
    }

    /// Header and the rest of the next answer; none when the connection ends.
    pub async fn receive(&mut self) -> Option<([u8; 4], Vec<u8>)> {
        let length = usize::from(self.0.read_u16().await.ok()?);
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer).await.ok()?;
        let (header, rest) = answer.split_first_chunk::<4>().unwrap();
        Some((*header, rest.to_vec()))
    }

    /// The answer to one command: code and all that follows.
    pub async fn ask(&mut self, command: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
        self.send(b"HEAD", command, body.as_ref()).await;
        let (header, answer) = self.receive().await.unwrap();
        assert_eq!(&header, b"HEAD");
        answer
    }

    /// The same as text.
    pub async fn tell(&mut self, command: &str, body: impl AsRef<[u8]>) -> String {
        String::from_utf8(self.ask(command, body).await).unwrap()
    }

    /// The fields of an answer that must be 00.
    pub async fn fields(&mut self, command: &str, body: impl AsRef<[u8]>) -> String {
        let answer = self.tell(command, body).await;
        assert_eq!(&answer[2..4], "00", "{command}: {answer}");
        answer[4..].to_owned()
    }

    /// The error code.
    pub async fn code(&mut self, command: &str, body: impl AsRef<[u8]>) -> String {
        let answer = self.ask(command, body).await;
        String::from_utf8(answer[2..4].to_vec()).unwrap()
    }
}
