//! Making metrics for Prometheus. Without a registry they count for nobody.

use substrate_prometheus_endpoint::{prometheus, register, Counter, Gauge, PrometheusError, Registry, U64};

/// A number that goes up and down.
pub fn gauge(registry: Option<&Registry>, name: &str, help: &str) -> Result<Gauge<U64>, PrometheusError> {
    registered(Gauge::new(name, help)?, registry)
}

/// A number that goes up.
pub fn counter(registry: Option<&Registry>, name: &str, help: &str) -> Result<Counter<U64>, PrometheusError> {
    registered(Counter::new(name, help)?, registry)
}

fn registered<M>(metric: M, registry: Option<&Registry>) -> Result<M, PrometheusError>
where
    M: Clone + prometheus::core::Collector + 'static,
{
    match registry {
        Some(registry) => register(metric, registry),
        None => Ok(metric),
    }
}
