//! The command line's part of the configuration.

use std::num::{NonZeroU32, NonZeroUsize};

use ensemble_compute::Machine;

/// Options of a node that concern inference.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct RowParams {
    /// Threads that multiply rows for one session.
    ///
    /// By default as many as there are cores. Fewer leave room for others where several nodes share a machine.
    #[arg(long, value_name = "COUNT")]
    pub row_threads: Option<NonZeroUsize>,

    /// Least workers for each range in sessions that this node agrees to drive as a gateway.
    ///
    /// With one worker a range is lost as soon as that goes away, and nobody finds out before the end what it computed:
    /// the gateway answers for both with its bond.
    #[arg(long, value_name = "COUNT", default_value = "3")]
    pub gateway_replicas: NonZeroU32,

    /// Most workers without a node of their own to whom this node hands on what gateways send.
    ///
    /// They announce this node's peer id, and sign with the keys of workers that have a bond. What is handed on is a few
    /// hundred kilobytes for each token of a small model. With 0 this node hands on nothing.
    #[arg(long, value_name = "COUNT", default_value = "16")]
    pub row_relays: usize,
}

impl RowParams {
    /// What rows are multiplied with.
    pub fn machine(&self) -> Machine {
        let native = Machine::native();
        Machine { threads: self.row_threads.map_or(native.threads, NonZeroUsize::get), ..native }
    }
}
