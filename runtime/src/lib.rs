//! The Ensemble runtime: the pallets put together.
//!
//! - [`configs`]: what each pallet is told, by concern;
//! - [`apis`]: what the node and the outside may ask;
//! - [`genesis`]: the presets `dev`, `local` and `production`;
//! - [`migrations`]: what an upgrade changes in the state;
//! - [`weights`]: what calls cost, measured.

#![cfg_attr(not(feature = "std"), no_std)]
// The runtime and its APIs are declared by macros that recurse over all pallets.
#![recursion_limit = "512"]

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

extern crate alloc;

pub mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
pub mod configs;
pub mod genesis;
pub mod migrations;
mod version;
pub mod weights;

use alloc::vec::Vec;

use sp_runtime::{
    generic, impl_opaque_keys,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
    MultiAddress, MultiSignature,
};

pub use apis::RuntimeApi;
pub use version::VERSION;

use configs::{pallet_origins, pallet_voters};

/// Number of a block.
pub type BlockNumber = u32;
/// Signature of a transaction.
pub type Signature = MultiSignature;
/// An account: the public key of a signature scheme.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// An amount of TUNE, in planck; 10^12 planck are 1 TUNE.
pub type Balance = u128;
/// How many transactions an account has sent.
pub type Nonce = u32;
/// Hash of blocks, transactions and state.
pub type Hash = sp_core::H256;
/// How transactions name accounts.
pub type Address = MultiAddress<AccountId, ()>;
/// Header of a block.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block with decoded transactions.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// A transaction as it comes in.
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What a transaction's signature covers.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;
/// The checks that every transaction passes, in their order.
pub type TxExtension = (
    frame_system::AuthorizeCall<Runtime>,
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckEra<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
    frame_system::WeightReclaim<Runtime>,
);
/// What the node knows of blocks: it stores and passes on transactions without decoding them, whatever runtime is next.
pub mod opaque {
    use sp_runtime::{generic, OpaqueExtrinsic};

    /// A block whose transactions are bytes.
    pub type Block = generic::Block<super::Header, OpaqueExtrinsic>;
}
/// Runs blocks.
pub type Executive =
    frame_executive::Executive<Runtime, Block, frame_system::ChainContext<Runtime>, Runtime, AllPalletsWithSystem>;

/// One TUNE, in planck.
pub const TUNE: Balance = 1_000_000_000_000;
/// Smallest balance an account may have, in planck: 0.001 TUNE.
pub const EXISTENTIAL_DEPOSIT: Balance = TUNE / 1_000;
/// Time from one block to the next, in milliseconds.
pub const MILLISECS_PER_BLOCK: u64 = 3_000;
/// Blocks in a minute.
pub const MINUTES: BlockNumber = 60_000 / 3_000;
/// Blocks in an hour.
pub const HOURS: BlockNumber = MINUTES * 60;
/// Blocks in a day.
pub const DAYS: BlockNumber = HOURS * 24;

/// The deposit for `items` entries of `bytes` in all that someone keeps in the chain's state, in planck.
pub const fn deposit(items: u32, bytes: u32) -> Balance {
    items as Balance * TUNE / 100 + bytes as Balance * TUNE / 10_000
}

impl_opaque_keys! {
    /// The keys with which a validator takes part in a session.
    pub struct SessionKeys {
        /// Authors blocks.
        pub babe: Babe,
        /// Finalises blocks.
        pub grandpa: Grandpa,
        /// Signs the validator's addresses, so that the others find it.
        pub authority_discovery: AuthorityDiscovery,
        /// Attests that winning content can be had.
        pub attester: Tasks,
    }
}

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp;

    // Consensus. Babe comes before Session, which ends when Babe's epoch does.
    #[runtime::pallet_index(10)]
    pub type Babe = pallet_babe;
    #[runtime::pallet_index(12)]
    pub type Validators = pallet_validators;
    #[runtime::pallet_index(13)]
    pub type Session = pallet_session;
    #[runtime::pallet_index(14)]
    pub type Historical = pallet_session::historical;
    #[runtime::pallet_index(15)]
    pub type Offences = pallet_offences;
    #[runtime::pallet_index(16)]
    pub type Grandpa = pallet_grandpa;
    #[runtime::pallet_index(17)]
    pub type AuthorityDiscovery = pallet_authority_discovery;
    // After Session, because the author of a session's first block is named by its place among the validators of that
    // session. The order of hooks is that of these numbers.
    #[runtime::pallet_index(18)]
    pub type Authorship = pallet_authorship;

    // Money.
    #[runtime::pallet_index(20)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(21)]
    pub type TransactionPayment = pallet_transaction_payment;
    #[runtime::pallet_index(22)]
    pub type Assets = pallet_assets;

    // Convenience of accounts.
    #[runtime::pallet_index(30)]
    pub type Utility = pallet_utility;
    #[runtime::pallet_index(31)]
    pub type Proxy = pallet_proxy;
    #[runtime::pallet_index(32)]
    pub type Multisig = pallet_multisig;
    #[runtime::pallet_index(33)]
    pub type Sudo = pallet_sudo;

    // What Ensemble exists for.
    #[runtime::pallet_index(40)]
    pub type Tasks = pallet_tasks;
    #[runtime::pallet_index(41)]
    pub type Modules = pallet_modules;
    #[runtime::pallet_index(42)]
    pub type Stake = pallet_stake;
    #[runtime::pallet_index(43)]
    pub type Matching = pallet_matching;
    #[runtime::pallet_index(44)]
    pub type Scores = pallet_scores;
    // After all that mint at genesis, because its own genesis counts all TUNE.
    #[runtime::pallet_index(45)]
    pub type Emission = pallet_emission;
    #[runtime::pallet_index(46)]
    pub type Exchange = pallet_exchange;
    // After Tasks, whose off-chain worker lets go what this one's keeps.
    #[runtime::pallet_index(47)]
    pub type Spaces = pallet_spaces;
    // After Tasks, as Spaces.
    #[runtime::pallet_index(48)]
    pub type Inference = pallet_inference;
    #[runtime::pallet_index(49)]
    pub type Market = pallet_market;

    // Governance.
    #[runtime::pallet_index(50)]
    pub type Origins = pallet_origins;
    #[runtime::pallet_index(51)]
    pub type Preimage = pallet_preimage;
    #[runtime::pallet_index(52)]
    pub type Scheduler = pallet_scheduler;
    #[runtime::pallet_index(53)]
    pub type Referenda = pallet_referenda;
    #[runtime::pallet_index(54)]
    pub type ConvictionVoting = pallet_conviction_voting;
    #[runtime::pallet_index(55)]
    pub type Treasury = pallet_treasury;
    #[runtime::pallet_index(56)]
    pub type Parameters = pallet_parameters;
    #[runtime::pallet_index(57)]
    pub type Voters = pallet_voters;
}
