//! The HSM simulator beside the daemon. The daemon reaches it over TCP like any other HSM.

use std::net::SocketAddr;

use anyhow::Context;
use hsm_sim::{HsmOptions, Server};
use tokio::sync::oneshot;

pub struct DemoHsm {
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
}

impl DemoHsm {
    /// Binds the simulator with the published test LMKs and runs it on `runtime`.
    pub async fn start(address: SocketAddr, runtime: &tokio::runtime::Handle) -> anyhow::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let options = HsmOptions::with_test_lmks()?;
        let server = runtime.spawn(Server::bind(address, options)).await?.with_context(|| {
            format!("cannot listen on {address} for hsm; stop what uses it or choose --ephemeral-ports")
        })?;
        let address = server.local_addr()?;
        runtime.spawn(server.run(async move {
            let _ = stopped.await;
        }));
        Ok(Self { address, stop })
    }

    pub fn stop(self) {
        let _ = self.stop.send(());
    }
}
