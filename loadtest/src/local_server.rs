//! A small server beside the load, on threads of its own name so that its processor time is seen apart.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// Serves until it is dropped.
pub struct LocalServer {
    pub address: SocketAddr,
    runtime: Option<Runtime>,
}

impl LocalServer {
    /// On a free port of the loopback; `serve` gets the listener.
    pub fn start<S, F>(name: &str, threads: usize, serve: S) -> anyhow::Result<Self>
    where
        S: FnOnce(TcpListener) -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        let listener =
            std::net::TcpListener::bind("127.0.0.1:0").with_context(|| format!("no port for the {name} server"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = Builder::new_multi_thread().worker_threads(threads).thread_name(name).enable_all().build()?;
        runtime.spawn(async move {
            if let Ok(listener) = TcpListener::from_std(listener) {
                serve(listener).await;
            }
        });
        Ok(Self { address, runtime: Some(runtime) })
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        // A runtime must not be waited for on a thread of another one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
