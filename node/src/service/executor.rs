//! What runs the runtime's wasm, and keeps what it was compiled to.

use std::path::PathBuf;

use sc_executor::{HeapAllocStrategy, DEFAULT_HEAP_ALLOC_STRATEGY};
use sc_service::Configuration;

/// What the runtime may call: the standard functions and Ensemble's own for off-chain workers.
pub type HostFunctions = (
    sp_io::SubstrateHostFunctions,
    ensemble_host::tensors::HostFunctions,
    ensemble_host::aggregation::HostFunctions,
    ensemble_host::inference::HostFunctions,
);
/// Runs the runtime's wasm.
pub type Executor = sc_executor::WasmExecutor<HostFunctions>;

/// Options of a node that concern running the runtime.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct RuntimeParams {
    /// Where compiled runtimes are kept, so that a node that starts again need not compile them.
    ///
    /// Nodes on one machine may share it. It holds machine code, which the node runs: nobody else may write there. By
    /// default it is `runtimes` in the base path.
    #[arg(long, value_name = "DIR")]
    pub runtime_cache: Option<PathBuf>,
}

impl RuntimeParams {
    /// The executor of a node: that of the SDK, but for the cache.
    pub fn executor(&self, config: &Configuration) -> Executor {
        let options = &config.executor;
        let heap = options
            .default_heap_pages
            .map_or(DEFAULT_HEAP_ALLOC_STRATEGY, |pages| HeapAllocStrategy::Static { extra_pages: pages as u32 });
        let cache = self.runtime_cache.clone().unwrap_or_else(|| config.base_path.path().join("runtimes"));
        Executor::builder()
            .with_execution_method(options.wasm_method)
            .with_onchain_heap_alloc_strategy(heap)
            .with_offchain_heap_alloc_strategy(heap)
            .with_max_runtime_instances(options.max_runtime_instances)
            .with_runtime_cache_size(options.runtime_cache_size)
            .with_cache_path(std::path::absolute(&cache).unwrap_or(cache))
            .build()
    }
}
