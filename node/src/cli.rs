//! The command line.

use crate::{
    commands::{model::ModelCmd, tensor::TensorCmd},
    rows::RowParams,
    service::RuntimeParams,
    tensors::TensorParams,
};

/// The Ensemble node. Without a subcommand it runs the node.
#[derive(Debug, clap::Parser)]
pub struct Cli {
    /// What to do instead of running the node.
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,

    /// How to run the node.
    #[command(flatten)]
    pub run: sc_cli::RunCmd,

    /// How to run the runtime.
    #[command(flatten)]
    pub runtime: RuntimeParams,

    /// How to keep tensors.
    #[command(flatten)]
    pub tensors: TensorParams,

    /// How to multiply rows.
    #[command(flatten)]
    pub rows: RowParams,
}

/// What the binary does beside running the node.
#[derive(Debug, clap::Subcommand)]
pub enum Subcommand {
    /// Manage keys: generate, inspect and insert them
    #[command(subcommand)]
    Key(sc_cli::KeySubcommand),

    /// Sign a message with a secret key
    Sign(sc_cli::SignCmd),

    /// Verify the signature of a message
    Verify(sc_cli::VerifyCmd),

    /// Convert, inspect, prove and verify tensor files
    Tensor(TensorCmd),

    /// Import models, and ask them
    Model(ModelCmd),

    /// Print a chain specification, with the address of this node's key as a boot node
    BuildSpec(sc_cli::BuildSpecCmd),

    /// Write a chain specification to a file
    ExportChainSpec(sc_cli::ExportChainSpecCmd),

    /// Print what the database holds: best and finalised block, genesis
    ChainInfo(sc_cli::ChainInfoCmd),

    /// Execute a block of the database again and check it
    CheckBlock(sc_cli::CheckBlockCmd),

    /// Write blocks to a file
    ExportBlocks(sc_cli::ExportBlocksCmd),

    /// Read blocks from a file
    ImportBlocks(sc_cli::ImportBlocksCmd),

    /// Write the state at a block as a chain specification
    ExportState(sc_cli::ExportStateCmd),

    /// Remove the chain's database
    PurgeChain(sc_cli::PurgeChainCmd),

    /// Take the chain back to an earlier state
    Revert(sc_cli::RevertCmd),
}
