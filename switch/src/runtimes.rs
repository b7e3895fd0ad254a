//! Threads: card traffic on its own, everything else beside it at a lower priority.

use tokio::runtime::{Builder, Runtime};

/// Niceness of background threads: card traffic goes first when processors are short.
const BACKGROUND_NICENESS: i32 = 10;

pub struct Runtimes {
    /// Terminal connections and the HSM client.
    pub cards: Runtime,
    /// REST, projection, change feed.
    pub background: Runtime,
    /// In the demo the HSM simulator. Card traffic waits for it, so it must not wait behind background work.
    pub hsm: Runtime,
}

impl Runtimes {
    pub fn new() -> std::io::Result<Self> {
        let cards = Builder::new_multi_thread().worker_threads(1).thread_name("cards").enable_all().build()?;
        let background = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("background")
            .on_thread_start(give_way)
            .enable_all()
            .build()?;
        let hsm = Builder::new_multi_thread().worker_threads(1).thread_name("hsm").enable_all().build()?;
        Ok(Self { cards, background, hsm })
    }
}

/// A thread of its own for background work that blocks.
pub fn background_thread(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let work = || {
        give_way();
        work();
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(|_| ())
}

/// Makes the calling thread background.
fn give_way() {
    // Linux takes the calling thread for process 0. A refusal only costs the preference.
    let _ = rustix::process::setpriority_process(None, BACKGROUND_NICENESS);
}
