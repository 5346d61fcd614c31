//! What Prometheus may know of the tensors.

use substrate_prometheus_endpoint::{Counter, Gauge, PrometheusError, Registry, U64};

use crate::metrics::{counter, gauge};

/// Counters and gauges of the store and the exchange. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    /// Bytes of the quota in use.
    pub stored_bytes: Gauge<U64>,
    /// Tensors held whole.
    pub held: Gauge<U64>,
    /// Tensors that are kept on purpose, members of bundles not counted.
    pub pinned: Gauge<U64>,
    /// Bytes of tensors sent to peers.
    pub served_bytes: Counter<U64>,
    /// Verified bytes of tensors received from peers.
    pub fetched_bytes: Counter<U64>,
    /// Bytes received from peers that did not match their hash.
    pub rejected_bytes: Counter<U64>,
    /// Requests of peers that were not answered because of a limit.
    pub refused_requests: Counter<U64>,
    /// Fetch jobs that are running.
    pub jobs_running: Gauge<U64>,
    /// Tensors that this node is announced as a provider of.
    pub announced: Gauge<U64>,
}

impl Metrics {
    /// Registers the metrics, if there is a registry; without one they count for nobody.
    pub fn new(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
        Ok(Self {
            stored_bytes: gauge(registry, "ensemble_tensors_stored_bytes", "Bytes of the tensor quota in use")?,
            held: gauge(registry, "ensemble_tensors_held", "Tensors held whole")?,
            pinned: gauge(registry, "ensemble_tensors_pinned", "Tensors pinned")?,
            served_bytes: counter(registry, "ensemble_tensors_served_bytes_total", "Tensor bytes sent to peers")?,
            fetched_bytes: counter(
                registry,
                "ensemble_tensors_fetched_bytes_total",
                "Verified tensor bytes received from peers",
            )?,
            rejected_bytes: counter(
                registry,
                "ensemble_tensors_rejected_bytes_total",
                "Bytes received from peers that did not match their hash",
            )?,
            refused_requests: counter(
                registry,
                "ensemble_tensors_refused_requests_total",
                "Requests of peers refused because of a limit",
            )?,
            jobs_running: gauge(registry, "ensemble_tensors_jobs_running", "Fetch jobs running")?,
            announced: gauge(registry, "ensemble_tensors_announced", "Tensors announced in the DHT")?,
        })
    }
}
