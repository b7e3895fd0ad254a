//! Logs, metrics and health. None of them ever holds card data: what is logged is chosen field by field.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Environment variable with the log filter, in the syntax of `tracing_subscriber::EnvFilter`.
const LOG_FILTER: &str = "UMBRA_LOG";

/// Structured logs on standard error: JSON lines, or plain text when a person is watching.
pub fn start_logs() {
    let filter = EnvFilter::try_from_env(LOG_FILTER)
        .unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn,fjall=warn,lsm_tree=warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    if let Err(error) = started {
        eprintln!("umbra: logs stay as they were: {error}");
    }
}

/// Seconds; from a tenth of a journal sync to the longest time-out.
const SECONDS: [f64; 14] =
    [0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0, 10.0];

/// Seconds of one step of a message: from a decoding to a journal that stands still.
const STEP_SECONDS: [f64; 16] = [
    0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005,
    0.01, 0.05, 0.2, 1.0,
];

/// How often samples are put into their buckets; until then each takes memory of its own.
const UPKEEP: Duration = Duration::from_secs(5);

/// Keeps the metrics small whether anybody reads them or not.
pub async fn tidy_metrics(metrics: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        metrics.run_upkeep();
    }
}

/// Installs the metrics recorder of this process.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    Ok(PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full("umbra_step_seconds".to_owned()), &STEP_SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()?)
}

/// Whether the daemon takes traffic; false before everything is bound, while draining, and after a ledger stop.
#[derive(Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Clone)]
struct Probes {
    readiness: Readiness,
    metrics: PrometheusHandle,
    /// Brings gauges up to date before they are read.
    refresh: Arc<dyn Fn() + Send + Sync>,
}

/// `/metrics`, `/healthz`, `/readyz`.
pub fn router(readiness: Readiness, metrics: PrometheusHandle, refresh: Arc<dyn Fn() + Send + Sync>) -> Router {
    Router::new()
        .route("/metrics", get(render_metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(Probes { readiness, metrics, refresh })
}

async fn render_metrics(State(probes): State<Probes>) -> impl IntoResponse {
    (probes.refresh)();
    probes.metrics.run_upkeep();
    ([("content-type", "text/plain; version=0.0.4")], probes.metrics.render())
}

async fn ready(State(probes): State<Probes>) -> impl IntoResponse {
    if probes.readiness.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready: starting, draining, or the ledger has stopped; see the log\n")
    }
}
