//! The daemon: everything is made and wired here, and nowhere else.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use admin_core::{RateLimits, Services, TokenKeys};
use admin_store::{DataKeys, Database, Scope, Store};
use anyhow::Context;
use directory::{Directory, PanHasher};
use host_commands::{HsmClient, HsmConfig};
use iso8583::Spec;
use iso8583::framing::{Framing, HeaderKind, LengthHeader};
use ledger::{AccountView, Feed, FileStorage, Ledger, LedgerConfig, SystemClock};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio_util::task::TaskTracker;
use tranlog::{Follower, Tranlog};

use crate::data_dir::DataDir;
use crate::limits;
use crate::listener::Listener;
use crate::message::{self, InFlight, Link, PinChecks, Sessions, Switch, SwitchSessionKeys};
use crate::observability::{self, Readiness};
use crate::runtimes::background_thread;
use crate::stop_signals::StopSignals;

/// What the daemon is told.
pub struct Settings {
    pub data_dir: DataDir,
    pub listeners: Vec<ListenerSettings>,
    pub admin: SocketAddr,
    pub hsm: Vec<String>,
    pub database: Database,
}

/// One listener for messages about cards.
pub struct ListenerSettings {
    pub name: String,
    pub address: SocketAddr,
    pub spec: String,
    pub header: HeaderKind,
    pub serves: Serves,
}

/// Who connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    Terminals,
    Networks,
}

/// The parts that hold state, opened before anything is bound: seeding and checks work on them.
pub struct Parts {
    pub store: Store,
    pub keys: DataKeys,
    pub hsm: HsmClient,
    pub ledger: Ledger,
    /// Turns true when the ledger has stopped by itself.
    ledger_stopped: watch::Receiver<bool>,
    /// Comes when the transaction log has taken over the last event and is closed.
    tranlog_closed: oneshot::Receiver<()>,
    readiness: Readiness,
}

impl Parts {
    /// Opens database, HSM, transaction log and ledger. Must run on the card runtime, where the HSM connections live;
    /// what follows the ledger does so on `background`.
    pub async fn open(settings: &Settings, background: &tokio::runtime::Handle) -> anyhow::Result<Self> {
        let hsm = HsmClient::new(HsmConfig {
            addresses: settings.hsm.clone(),
            connections: limits::HSM_CONNECTIONS,
            header_length: 4,
            timeout: limits::HSM_TIMEOUT,
            in_flight_max: limits::HSM_IN_FLIGHT_MAX,
            ..HsmConfig::default()
        });
        let about = hsm.diagnostics().await.with_context(|| {
            format!("no HSM answers at {}; start one, or correct its address", settings.hsm.join(", "))
        })?;
        tracing::info!(firmware = about.firmware, lmk_check_value = about.lmk_check_value, "HSM answers");
        let store = Store::open(&settings.database).await.context("cannot open the database")?;
        let keys = crate::data_keys::open(&store, &hsm).await?;
        let readiness = Readiness::default();
        let (stopped, ledger_stopped) = watch::channel(false);
        let on_stop = {
            let readiness = readiness.clone();
            move |reason: String| {
                readiness.set(false);
                tracing::error!(reason, "the ledger has stopped; nothing is answered any more");
                let _ = stopped.send(true);
            }
        };
        let (projection, subscription) = ledger::subscribe("projection", store.projected_seq().await?);
        background.spawn(store.clone().project(subscription));
        let (tranlog, tranlog_closed) = follow_in_tranlog(&settings.data_dir, background).await?;
        let config = LedgerConfig {
            queue_max: limits::LEDGER_QUEUE_MAX,
            on_stop: Box::new(on_stop),
            feeds: vec![projection, tranlog],
            ..LedgerConfig::new(Arc::new(SystemClock))
        };
        let storage = Arc::new(FileStorage::open(&settings.data_dir.ledger())?);
        let ledger = tokio::task::spawn_blocking(move || Ledger::open(storage, config)).await??;
        // What a crash has left between SQL and ledger is put in order before anybody sees it.
        admin_core::open_missing_accounts(&store, &ledger).await.context("cannot open accounts in the ledger")?;
        admin_core::settle_intents(&store, &ledger).await.context("cannot settle money operations")?;
        Ok(Self { store, keys, hsm, ledger, ledger_stopped, tranlog_closed, readiness })
    }
}

/// Opens the transaction log and keeps it up with the ledger that is given the feed.
async fn follow_in_tranlog(
    data_dir: &DataDir,
    background: &tokio::runtime::Handle,
) -> anyhow::Result<(Feed, oneshot::Receiver<()>)> {
    let folder = data_dir.tranlog();
    // There, so that the store's own threads are background too.
    let (log, seq) = background
        .spawn_blocking({
            let folder = folder.clone();
            move || {
                let log = Tranlog::open(&folder)?;
                let seq = log.seq()?;
                Ok::<_, tranlog::Error>((log, seq))
            }
        })
        .await??;
    let (feed, subscription) = ledger::subscribe("transaction log", seq);
    let (closed, when_closed) = oneshot::channel();
    let follower = Follower::new(log, folder, message::row_of);
    let follow = move || {
        if let Err(error) = follower.run(subscription) {
            tracing::error!(%error, "transaction log not followed");
        }
        let _ = closed.send(());
    };
    background_thread("tranlog", follow).context("cannot start a thread for the transaction log")?;
    Ok((feed, when_closed))
}

/// A daemon that serves.
pub struct Daemon {
    /// Listener name to bound address.
    pub listeners: BTreeMap<String, SocketAddr>,
    store: Store,
    ledger: Ledger,
    readiness: Readiness,
    stop: watch::Sender<bool>,
    connections: TaskTracker,
    ledger_stopped: watch::Receiver<bool>,
    tranlog_closed: oneshot::Receiver<()>,
}

/// How a daemon's life ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    Asked,
    LedgerStopped,
}

impl Daemon {
    /// Binds every listener and serves. Cards run on the current runtime, the rest on `background`.
    pub async fn start(
        settings: &Settings,
        parts: Parts,
        metrics: PrometheusHandle,
        background: &tokio::runtime::Handle,
    ) -> anyhow::Result<Self> {
        let Parts { store, keys, hsm, ledger, ledger_stopped, tranlog_closed, readiness } = parts;
        let (stop, stopping) = watch::channel(false);
        let directory = follow_directory(&store, stopping.clone(), background).await?;
        let sessions = Arc::new(Sessions::load(store.clone()).await?);
        let session_keys = Arc::new(SwitchSessionKeys {
            directory: Arc::clone(&directory),
            hsm: hsm.clone(),
            sessions: Arc::clone(&sessions),
        });
        let switch = Arc::new(Switch {
            directory: Arc::clone(&directory),
            ledger: ledger.clone(),
            hsm: hsm.clone(),
            hasher: PanHasher::new(keys.pan_lookup.clone()),
            sessions,
            in_flight: InFlight::default(),
            pin_checks: PinChecks::default(),
            clock: Arc::new(SystemClock),
        });

        let mut listeners = BTreeMap::new();
        let connections = TaskTracker::new();
        let room = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
        let mut bound = Vec::new();
        for settings in &settings.listeners {
            let listener = bind(settings).await?;
            listeners.insert(listener.name().to_owned(), listener.local_addr()?);
            bound.push(listener);
        }
        let admin = std::net::TcpListener::bind(settings.admin).with_context(|| {
            format!("cannot listen on {} for admin; stop what uses it or choose another address", settings.admin)
        })?;
        admin.set_nonblocking(true)?;
        listeners.insert("admin".into(), admin.local_addr()?);

        for listener in bound {
            tokio::spawn(listener.run(Arc::clone(&switch), Arc::clone(&room), connections.clone(), stopping.clone()));
        }
        background.spawn(observability::tidy_metrics(metrics.clone()));
        let probes = observability::router(readiness.clone(), metrics, gauges(switch, directory));
        let tokens = TokenKeys::open(&store, &keys).await?;
        background.spawn(settle_while_serving(store.clone(), ledger.clone(), stopping.clone()));
        let services = Services::new(admin_core::Parts {
            store: store.clone(),
            ledger: ledger.clone(),
            hsm,
            session_keys,
            data_keys: keys,
            tokens,
            rates: RateLimits::default(),
        });
        let api = admin_api::router(Arc::new(services));
        background.spawn(serve_admin(admin, api.merge(probes), stopping));
        Ok(Self { listeners, store, ledger, readiness, stop, connections, ledger_stopped, tranlog_closed })
    }

    /// What the ledger has on a wallet's account.
    pub async fn wallet_account(&self, wallet: i64) -> anyhow::Result<AccountView> {
        let row = self.store.wallet(Scope::Global, wallet).await?.context("no such wallet")?;
        self.ledger.account(u64::try_from(row.account)?)?.context("the wallet has no account in the ledger")
    }

    pub fn set_ready(&self) {
        self.readiness.set(true);
    }

    /// Serves until `signals` or the ledger's own stop.
    pub async fn wait(&self, mut signals: StopSignals) -> Ending {
        let mut ledger_stopped = self.ledger_stopped.clone();
        tokio::select! {
            () = signals.received() => Ending::Asked,
            _ = ledger_stopped.wait_for(|stopped| *stopped) => Ending::LedgerStopped,
        }
    }

    /// Takes no new work, lets what is in work finish, closes the ledger.
    pub async fn stop(self) {
        self.readiness.set(false);
        let _ = self.stop.send(true);
        self.connections.close();
        if tokio::time::timeout(limits::DRAIN_TIMEOUT, self.connections.wait()).await.is_err() {
            tracing::warn!(open = self.connections.len(), "connections left open at the end of the drain time");
        }
        self.ledger.shutdown().await;
        if tokio::time::timeout(limits::DRAIN_TIMEOUT, self.tranlog_closed).await.is_err() {
            tracing::warn!("the transaction log is not complete; the next start completes it");
        }
    }
}

async fn bind(settings: &ListenerSettings) -> anyhow::Result<Listener> {
    let ListenerSettings { name, address, spec, header, serves } = settings;
    let spec = Spec::builtin(spec).with_context(|| format!("listener {name} names spec {spec}"))?;
    let framing = Framing { length: LengthHeader::Binary2, header: *header, max: limits::FRAME_MAX };
    let link = match serves {
        Serves::Terminals => Link::terminals(name.clone(), spec),
        Serves::Networks => Link::network(name.clone(), spec),
    };
    Listener::bind(*address, link, framing).await
}

/// Fills the directory and keeps it up to date from the store's change feed.
async fn follow_directory(
    store: &Store,
    mut stopping: watch::Receiver<bool>,
    background: &tokio::runtime::Handle,
) -> anyhow::Result<Arc<Directory>> {
    /// Changes are also looked for without a notice, should one ever be missed.
    const LOOK_AGAIN: Duration = Duration::from_millis(250);
    /// Rows of the feed taken over at once.
    const BATCH: i64 = 1000;

    let directory = Arc::new(Directory::new());
    let (all, mut position) = store.load_directory().await?;
    directory.apply(all);
    store.forget_directory_changes(position).await?;
    let (store, follower) = (store.clone(), Arc::clone(&directory));
    background.spawn(async move {
        let mut changed = store.directory_changed();
        loop {
            tokio::select! {
                _ = changed.changed() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
            // Many at once are taken over in parts, without waiting in between.
            loop {
                match store.directory_changes(position, BATCH).await {
                    Ok((changes, last)) if last > position => {
                        position = last;
                        follower.apply(changes);
                    }
                    Ok(_) => break,
                    Err(error) => {
                        tracing::warn!(%error, "directory not brought up to date; it is tried again");
                        break;
                    }
                }
            }
        }
    });
    Ok(directory)
}

/// Writes the results of money operations that could not be written when they happened.
async fn settle_while_serving(store: Store, ledger: Ledger, mut stopping: watch::Receiver<bool>) {
    const PAUSE: Duration = Duration::from_secs(30);
    loop {
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        if let Err(error) = admin_core::settle_known_intents(&store, &ledger).await {
            tracing::warn!(%error, "money operations not settled; it is tried again");
        }
    }
}

fn gauges(switch: Arc<Switch>, directory: Arc<Directory>) -> Arc<dyn Fn() + Send + Sync> {
    Arc::new(move || {
        // Counts are far below what a double holds exactly.
        metrics::gauge!("umbra_requests_in_work").set(switch.in_flight.len() as f64);
        metrics::gauge!("umbra_directory_terminals").set(directory.terminal_count() as f64);
        metrics::gauge!("umbra_connections_bound").set(limits::CONNECTIONS_MAX as f64);
        switch.hsm.publish();
    })
}

async fn serve_admin(listener: std::net::TcpListener, router: axum::Router, mut stopping: watch::Receiver<bool>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "admin listener not taken over");
            return;
        }
    };
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
        let _ = stopping.wait_for(|stop| *stop).await;
    });
    if let Err(error) = serving.await {
        tracing::error!(%error, "admin listener ended");
    }
}
