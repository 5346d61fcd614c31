//! What Prometheus may know of aggregation.

use substrate_prometheus_endpoint::{Counter, Gauge, PrometheusError, Registry, U64};

use crate::metrics::{counter, gauge};

/// Counters and gauges of aggregation. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    /// Combinations that are queued or being computed.
    pub under_way: Gauge<U64>,
    /// Combinations that were computed.
    pub combined: Counter<U64>,
    /// Combinations that could not be computed.
    pub failed: Counter<U64>,
    /// Members that reports reject.
    pub rejected: Counter<U64>,
    /// Milliseconds spent computing.
    pub busy: Counter<U64>,
}

impl Metrics {
    /// Registers the metrics, if there is a registry; without one they count for nobody.
    pub fn new(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
        Ok(Self {
            under_way: gauge(registry, "ensemble_aggregation_under_way", "Combinations queued or being computed")?,
            combined: counter(registry, "ensemble_aggregation_combined_total", "Combinations computed")?,
            failed: counter(registry, "ensemble_aggregation_failed_total", "Combinations that could not be computed")?,
            rejected: counter(
                registry,
                "ensemble_aggregation_rejected_members_total",
                "Members rejected in the reports of combinations",
            )?,
            busy: counter(
                registry,
                "ensemble_aggregation_busy_milliseconds_total",
                "Milliseconds spent computing combinations",
            )?,
        })
    }
}
