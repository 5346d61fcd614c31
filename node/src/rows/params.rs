//! The command line's part of the configuration.

use std::num::NonZeroUsize;

use ensemble_compute::Machine;

/// Options of a node that concern inference.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct RowParams {
    /// Threads that multiply rows for one session.
    ///
    /// By default as many as there are cores. Fewer leave room for others where several nodes share a machine.
    #[arg(long, value_name = "COUNT")]
    pub row_threads: Option<NonZeroUsize>,
}

impl RowParams {
    /// What rows are multiplied with.
    pub fn machine(&self) -> Machine {
        let native = Machine::native();
        Machine { threads: self.row_threads.map_or(native.threads, NonZeroUsize::get), ..native }
    }
}
