//! What Prometheus may know of rows.

use substrate_prometheus_endpoint::{Counter, Gauge, PrometheusError, Registry, U64};

use crate::metrics::{counter, gauge};

/// Counters and gauges of workers and gateways. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    /// Sessions served.
    pub seats: Gauge<U64>,
    /// Calls answered.
    pub calls: Counter<U64>,
    /// Calls handed on to workers without a node.
    pub handed_on: Counter<U64>,
    /// Calls refused.
    pub refused: Counter<U64>,
    /// Microseconds spent multiplying.
    pub busy: Counter<U64>,
    /// Sessions being answered.
    pub generations: Gauge<U64>,
    /// Sessions agreed to and not answered.
    pub consents: Gauge<U64>,
    /// Tokens given out.
    pub tokens: Counter<U64>,
    /// Microseconds that answers waited for workers. The rest of their time is glue.
    pub waited: Counter<U64>,
    /// Outputs of workers that differed from what was taken.
    pub disagreements: Counter<U64>,
    /// Workers that were dropped from a session.
    pub dropped: Counter<U64>,
    /// Messages that nobody had asked for.
    pub unsolicited: Counter<U64>,
    /// Messages that could not be read.
    pub malformed: Counter<U64>,
}

impl Metrics {
    /// Registers the metrics, if there is a registry; without one they count for nobody.
    pub fn new(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
        Ok(Self {
            seats: gauge(registry, "ensemble_rows_sessions_served", "Sessions that this node serves as a worker")?,
            calls: counter(registry, "ensemble_rows_calls_answered_total", "Calls of gateways answered")?,
            handed_on: counter(
                registry,
                "ensemble_rows_calls_handed_on_total",
                "Calls of gateways handed on to workers without a node",
            )?,
            refused: counter(registry, "ensemble_rows_calls_refused_total", "Calls of gateways refused")?,
            busy: counter(registry, "ensemble_rows_busy_microseconds_total", "Microseconds spent multiplying rows")?,
            generations: gauge(
                registry,
                "ensemble_rows_sessions_answered",
                "Sessions that this node answers as a gateway",
            )?,
            consents: gauge(
                registry,
                "ensemble_rows_consents_outstanding",
                "Sessions that this node agreed to drive as a gateway, and has not answered",
            )?,
            tokens: counter(registry, "ensemble_rows_tokens_total", "Tokens generated as a gateway")?,
            waited: counter(
                registry,
                "ensemble_rows_waited_microseconds_total",
                "Microseconds that a gateway's answers waited for workers",
            )?,
            disagreements: counter(
                registry,
                "ensemble_rows_disagreements_total",
                "Outputs of workers that differed from those taken",
            )?,
            dropped: counter(registry, "ensemble_rows_workers_dropped_total", "Workers dropped from a session")?,
            unsolicited: counter(
                registry,
                "ensemble_rows_unsolicited_messages_total",
                "Messages of peers that nobody had asked for",
            )?,
            malformed: counter(
                registry,
                "ensemble_rows_malformed_messages_total",
                "Messages of peers that could not be read",
            )?,
        })
    }
}
