//! What Prometheus may know of checks.

use substrate_prometheus_endpoint::{Counter, Gauge, PrometheusError, Registry, U64};

use crate::metrics::{counter, gauge};

/// Counters and gauges of checks. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    /// Sessions that are queued or being computed again.
    pub under_way: Gauge<U64>,
    /// Sessions that were right.
    pub right: Counter<U64>,
    /// Sessions that were wrong.
    pub wrong: Counter<U64>,
    /// Sessions that could not be judged.
    pub unable: Counter<U64>,
    /// Milliseconds spent computing.
    pub busy: Counter<U64>,
}

impl Metrics {
    /// Registers the metrics, if there is a registry; without one they count for nobody.
    pub fn new(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
        Ok(Self {
            under_way: gauge(registry, "ensemble_checks_under_way", "Sessions queued or being computed again")?,
            right: counter(registry, "ensemble_checks_right_total", "Sessions computed again that were right")?,
            wrong: counter(registry, "ensemble_checks_wrong_total", "Sessions computed again that were wrong")?,
            unable: counter(registry, "ensemble_checks_unable_total", "Sessions that could not be judged")?,
            busy: counter(registry, "ensemble_checks_busy_milliseconds_total", "Milliseconds spent checking sessions")?,
        })
    }
}
