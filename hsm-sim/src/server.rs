//! The simulator's TCP and TLS side.

mod connection;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::audit::AuditLog;
use crate::behaviour::Behaviour;
use crate::device::Device;
use crate::keys::LmkStoreError;
use crate::policy::Policy;
use crate::usage::Usage;
use connection::serve;

/// How the simulator is set up.
#[derive(Clone)]
pub struct HsmOptions {
    pub device: Arc<Device>,
    pub behaviour: Arc<Behaviour>,
    pub usage: Arc<Usage>,
    pub audit: Option<Arc<AuditLog>>,
    /// Serves TLS instead of plain TCP.
    pub tls: Option<Arc<tokio_rustls::rustls::ServerConfig>>,
    /// Characters of the message header, 0 to 64.
    pub header_length: usize,
    /// Connections at once; further ones are closed.
    pub connections_max: usize,
}

impl HsmOptions {
    /// An ideal device behind plain TCP, with a header of four characters.
    pub fn new(device: Device) -> Self {
        Self {
            device: Arc::new(device),
            behaviour: Arc::default(),
            usage: Arc::default(),
            audit: None,
            tls: None,
            header_length: 4,
            connections_max: 64,
        }
    }

    /// The test LMKs, in the authorised state.
    pub fn with_test_lmks() -> Result<Self, LmkStoreError> {
        Ok(Self::new(Device::with_test_lmks(Policy::default())?))
    }

    /// Commands a second, where the device has a licence for so many.
    pub fn licensed(&self) -> Option<u32> {
        self.behaviour.capacity.as_ref().map(crate::behaviour::Capacity::per_second)
    }
}

impl std::fmt::Debug for HsmOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HsmOptions").field("device", &self.device).finish_non_exhaustive()
    }
}

/// A bound simulator.
pub struct Server {
    listener: TcpListener,
    options: Arc<HsmOptions>,
}

/// A client that does not finish its TLS handshake for this long is closed.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

impl Server {
    pub async fn bind(address: SocketAddr, options: HsmOptions) -> std::io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, options: Arc::new(options) })
    }

    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` completes; then its connections are closed.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let room = Arc::new(Semaphore::new(self.options.connections_max));
        let (closing, closed) = watch::channel(false);
        let clock = tokio::spawn(keep_time(Arc::clone(&self.options)));
        tokio::pin!(stop);
        loop {
            let stream = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut stop => break,
            };
            let Ok((stream, peer)) = stream else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
                tracing::warn!(%peer, "HSM connection refused: too many are open");
                continue;
            };
            let options = Arc::clone(&self.options);
            let mut closed = closed.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = accept(stream, peer, &options) => {}
                    _ = closed.wait_for(|closed| *closed) => {}
                }
                drop(permit);
            });
        }
        let _ = closing.send(true);
        clock.abort();
        if let Some(audit) = &self.options.audit {
            audit.flush();
        }
    }
}

async fn accept(stream: tokio::net::TcpStream, peer: SocketAddr, options: &HsmOptions) {
    let _ = stream.set_nodelay(true);
    let Some(tls) = &options.tls else {
        let (read, write) = stream.into_split();
        return serve(read, write, peer, options).await;
    };
    let handshake = TlsAcceptor::from(Arc::clone(tls)).accept(stream);
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await {
        Ok(Ok(stream)) => {
            let (read, write) = tokio::io::split(stream);
            serve(read, write, peer, options).await;
        }
        Ok(Err(error)) => tracing::warn!(%peer, %error, "HSM connection refused: no TLS"),
        Err(_) => tracing::warn!(%peer, "HSM connection refused: the TLS handshake takes too long"),
    }
}

/// Once a second: usage figures, and the audit log to disk.
async fn keep_time(options: Arc<HsmOptions>) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.tick().await;
    loop {
        seconds.tick().await;
        options.usage.tick(options.licensed());
        if let Some(audit) = options.audit.clone() {
            let _ = tokio::task::spawn_blocking(move || audit.flush()).await;
        }
    }
}
