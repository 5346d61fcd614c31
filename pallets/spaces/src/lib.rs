//! Spaces: which contributions make one coherent state, and what that state is.
//!
//! # The life of a space
//!
//! 1. **Create.** Anybody creates a space: the shape of a table, its anchors, the rule by which tables are combined,
//!    how many members it takes and needs ([`SpaceSpec`]). A deposit is held for its records.
//! 2. **Admit.** A task may name a space, of whoever the space lets ([`ensemble_core::spaces::Contributors`]). What wins
//!    the task becomes a [`Member`], with what the task was won with as its weight, within the space's limits. Nothing is
//!    admitted twice. A full space admits nothing, unless a suspended
//!    member can go: the one that has been suspended longest.
//! 3. **Aggregate.** A round begins when enough members count, something has changed since the last one began, that is
//!    [`SpaceSpec::cadence`] blocks ago, and the owner can pay for it. What members take part is written down
//!    ([`Rosters`]), so that all validators compute from the same, whoever comes or goes meanwhile. Their vote is a task of the pallet that
//!    implements [`Votes`]. What wins is the space's state; a round without result is recorded and tried again.
//! 4. **Report.** The result is a bundle, of which the chain knows the id. One of its members says what the round found
//!    of each contribution ([`Report`]). Whoever has it may submit it, once ([`Pallet::submit_report`]): nobody signs
//!    and nobody pays, because only these bytes have this id. It can be submitted until the next round settles.
//! 5. **Retire.** The owner retires the space. It admits nothing more, no round begins, and nodes leave alone the one that
//!    runs. When that is over, its records are removed, some in each block, and the deposit returns.
//!
//! # Who computes
//!
//! Validators do, with [`Hooks::offchain_worker`]: it has the node fetch what takes part and combine it, commits to the
//! result and reveals it. All of them find the same, bit by bit; who does not is outvoted. Contributions are public, so
//! that every validator can have them. What cannot be had in time keeps a validator from voting, and nothing else.
//!
//! # Who counts
//!
//! A member that is rejected by [`Config::MaxRejections`] reports, one after the other, is suspended. The space's owner
//! may readmit it, and may suspend any member itself: a content that nobody can have any more would stop every round.
//!
//! A weight is what a task was won with, and whoever has bonds put up today may put them up for another task tomorrow.
//! It is no proof of anything but of money that lay still for so long. [`SpaceSpec::least_weight`] sets what a
//! membership takes, [`SpaceSpec::most_weight`] what it counts at most, and [`SpaceSpec::tolerated`] what part of all
//! may cheat.
//!
//! # Time
//!
//! A space stands in the [`Agenda`] only if a round is due. [`Hooks::on_idle`] begins rounds, oldest first, and each
//! step is charged before it is taken. As many rounds run at one time, of all spaces together, as [`Config::Votes`] has
//! room for, because each costs every validator work; the others wait for their turn.
//!
//! The space's owner pays for each round as it begins, by what it takes to compute ([`Pallet::round_fee`]). A round that
//! ended without result doubles the time until the next one is tried, up to [`Config::MaxCadence`]; one that settles, or a
//! new member, ends that. Suspending and readmitting does not.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod create;
mod funds;
mod idle;
mod integrity;
mod members;
#[cfg(test)]
mod mock;
mod neighbours;
mod offchain_worker;
mod report;
mod retire;
mod rounds;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
pub mod types;
mod view;
pub mod weights;

pub use pallet::*;
pub use types::{Balance, CreditOf, Manifest, MembersOf, Refusal, ReportBytes, RosterOf, Space, SpaceOf, SpecOf};
pub use weights::WeightInfo;

use ensemble_core::{
    spaces::{PastRound, RoundIndex},
    tasks::Phases,
    votes::{VoteVoid, Votes, Voting},
    SpaceId, TaskId,
};
use ensemble_tensor::TensorId;
use frame_support::{
    pallet_prelude::*,
    traits::{fungible, OnUnbalanced},
};
use frame_system::{ensure_authorized, offchain::CreateAuthorizedTransaction, pallet_prelude::*};

/// Target of this pallet's log lines.
pub(crate) const LOG: &str = "runtime::spaces";

#[expect(clippy::cast_possible_truncation, reason = "FRAME's macros number variants with `as u8`")]
#[frame_support::pallet]
pub mod pallet {
    use super::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The runtime's transaction extensions must contain `frame_system::AuthorizeCall`, which lets reports in.
    #[pallet::config]
    pub trait Config:
        CreateAuthorizedTransaction<Call<Self>> + frame_system::Config<RuntimeEvent: From<Event<Self>>>
    {
        /// The runtime's reasons for holds.
        type RuntimeHoldReason: From<HoldReason>;

        /// The native token, in which deposits are held and fees are paid.
        type Currency: fungible::MutateHold<Self::AccountId, Balance = Balance, Reason = Self::RuntimeHoldReason>
            + fungible::Balanced<Self::AccountId>;

        /// Receives what rounds cost.
        type Fees: OnUnbalanced<CreditOf<Self>>;

        /// Who holds votes on rounds. Its off-chain worker runs before this pallet's.
        type Votes: Votes<BlockNumberFor<Self>> + Voting;

        /// Most spaces at one time.
        #[pallet::constant]
        type MaxSpaces: Get<u32>;

        /// Most members of a space, at most [`ensemble_core::spaces::MAX_MEMBERS`].
        #[pallet::constant]
        type MaxMembers: Get<u32>;

        /// Most bytes of what a round results in.
        #[pallet::constant]
        type MaxResultBytes: Get<u64>;

        /// Most bytes that as many members have as a space takes: what a validator needs room for in a round.
        #[pallet::constant]
        type MaxRoundBytes: Get<u64>;

        /// Most work of a round with as many members as a space takes: see [`ensemble_core::spaces::SpaceSpec::work`].
        #[pallet::constant]
        type MaxRoundWork: Get<u64>;

        /// Lengths of the phases of a round's vote unless genesis says otherwise. Before the first is over every
        /// validator must have computed the result.
        #[pallet::constant]
        type DefaultPhases: Get<Phases<BlockNumberFor<Self>>>;

        /// Fewest blocks from the beginning of a round to the beginning of the space's next one; at least 1.
        #[pallet::constant]
        type MinCadence: Get<BlockNumberFor<Self>>;

        /// Most blocks that a space may ask for from the beginning of a round to the beginning of the next.
        #[pallet::constant]
        type MaxCadence: Get<BlockNumberFor<Self>>;

        /// Number of reports, one after the other, that suspend the member that they reject; at least 1.
        #[pallet::constant]
        type MaxRejections: Get<u32>;

        /// Rounds of each space that are kept when they are over; at least 1. Its state stays in any case.
        #[pallet::constant]
        type KeptRounds: Get<RoundIndex>;

        /// Held from a space's owner for its records, in planck; at least the existential deposit. With
        /// [`Config::StateDepositPerMib`] it doubles with each tenth of [`Config::MaxSpaces`] that is taken, so that nobody
        /// can keep all others out for little.
        #[pallet::constant]
        type SpaceDeposit: Get<Balance>;

        /// Held from a space's owner for each MiB, or part of one, that its state may have, in planck: all validators keep
        /// it.
        #[pallet::constant]
        type StateDepositPerMib: Get<Balance>;

        /// What an owner pays for each round, in planck, whatever becomes of it: about what the votes and the attestations
        /// would cost those who send them, who pay nothing.
        #[pallet::constant]
        type RoundFee: Get<Balance>;

        /// What an owner pays beside [`Config::RoundFee`] for each thousand million products of
        /// [`ensemble_core::spaces::SpaceSpec::work`], or part of them, in planck: every validator computes them.
        #[pallet::constant]
        type WorkFee: Get<Balance>;

        /// Priority of reports in the transaction pool.
        #[pallet::constant]
        type ReportPriority: Get<TransactionPriority>;

        /// Weights of calls and steps.
        type WeightInfo: WeightInfo;
    }

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The owner's deposit for a space's records and state.
        SpaceDeposit,
    }

    /// Lengths of the phases of a round's vote. Set at genesis.
    #[pallet::storage]
    pub type RoundPhases<T: Config> = StorageValue<_, Phases<BlockNumberFor<T>>, ValueQuery, T::DefaultPhases>;

    /// The number of the next space.
    #[pallet::storage]
    pub type NextSpaceId<T> = StorageValue<_, SpaceId, ValueQuery>;

    /// All spaces; at most [`Config::MaxSpaces`].
    #[pallet::storage]
    pub type Spaces<T: Config> = CountedStorageMap<_, Twox64Concat, SpaceId, SpaceOf<T>>;

    /// The members of spaces, in the order of their tasks. Goes with the space.
    #[pallet::storage]
    pub type Members<T: Config> = StorageMap<_, Twox64Concat, SpaceId, MembersOf<T>, ValueQuery>;

    /// The members that take part in a round, in the order of their contents' ids. Goes when the round is void, its
    /// report is read, or the next one settles.
    #[pallet::storage]
    pub type Rosters<T: Config> = StorageDoubleMap<_, Twox64Concat, SpaceId, Twox64Concat, RoundIndex, RosterOf<T>>;

    /// Rounds that are over: of each space the last [`Config::KeptRounds`].
    #[pallet::storage]
    pub type History<T: Config> =
        StorageDoubleMap<_, Twox64Concat, SpaceId, Twox64Concat, RoundIndex, PastRound<BlockNumberFor<T>>>;

    /// For each space with a round that is due the block from which it is.
    #[pallet::storage]
    pub type Agenda<T: Config> = StorageDoubleMap<_, Twox64Concat, BlockNumberFor<T>, Twox64Concat, SpaceId, ()>;

    /// The first block that the agenda may have entries for.
    #[pallet::storage]
    pub type NextDue<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

    /// Retired spaces whose records are being removed.
    #[pallet::storage]
    pub type Closing<T> = StorageMap<_, Twox64Concat, SpaceId, ()>;

    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Lengths of the phases of a round's vote; nothing: [`Config::DefaultPhases`].
        pub phases: Option<Phases<BlockNumberFor<T>>>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            if let Some(phases) = self.phases {
                assert!(integrity::take_time(&phases), "every phase of a round must take time");
                RoundPhases::<T>::put(phases);
            }
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A space was created, and `deposit` is held from its owner, who pays `fee` for each round.
        SpaceCreated { space: SpaceId, owner: T::AccountId, spec: SpecOf<T>, deposit: Balance, fee: Balance },
        /// A space was retired by its owner. Its last round may still run.
        SpaceRetired { space: SpaceId },
        /// The records of a space were removed, and its deposit returned.
        SpaceClosed { space: SpaceId, owner: T::AccountId, deposit: Balance },
        /// What won a task is a member of a space, in place of the suspended member that won the task `replaced`.
        MemberAdmitted { space: SpaceId, task: TaskId, content: TensorId, weight: u128, replaced: Option<TaskId> },
        /// What won the task `by` is a member already, as what won `task`, and weighs more from now on.
        MemberRaised { space: SpaceId, task: TaskId, by: TaskId, content: TensorId, weight: u128 },
        /// What won a task is no member of the space that the task names.
        MemberRefused { space: SpaceId, task: TaskId, content: TensorId, refusal: Refusal },
        /// A member does not take part until it is readmitted: the report of a round rejected it once too often, or the
        /// space's owner said so.
        MemberSuspended { space: SpaceId, task: TaskId, report: Option<RoundIndex> },
        /// A member takes part again.
        MemberReadmitted { space: SpaceId, task: TaskId },
        /// Validators vote on a round by a task. So many members take part, and the owner paid `fee`.
        RoundOpened { space: SpaceId, round: RoundIndex, task: TaskId, entrants: u32, fee: Balance },
        /// A round was due, and no vote could begin, or the owner could not pay ([`Error::CannotPay`]). It is tried again
        /// in block `until`, or a later one.
        RoundNotOpened { space: SpaceId, error: DispatchError, until: BlockNumberFor<T> },
        /// A space has a new state.
        RoundSettled { space: SpaceId, round: RoundIndex, content: TensorId },
        /// A round has no result.
        RoundVoided { space: SpaceId, round: RoundIndex, reason: VoteVoid },
        /// The report of a round was read: it accepts so many members, and rejects so many.
        Reported { space: SpaceId, round: RoundIndex, accepted: u32, rejected: u32 },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// There is no such space.
        UnknownSpace,
        /// The space is retired.
        SpaceRetired,
        /// Only the space's owner may do that.
        NotOwner,
        /// The chain has as many spaces as it allows. Try again when some are closed.
        TooManySpaces,
        /// No table can have this shape, or tables of this shape are too large to be combined.
        InvalidTable,
        /// Anchors are rows of the table, and at least as many as it has columns.
        InvalidAnchors,
        /// A matrix has a shape that no matrix can have, is too large to be combined, or has a side in a member's basis
        /// that is not as long as the table has columns.
        InvalidMatrix,
        /// The names of matrices are letters, digits, dots, underscores, slashes and hyphens, each once, and neither
        /// `state` nor `report`.
        InvalidMatrixName,
        /// The result of a round would be larger than the chain allows.
        ResultTooLarge,
        /// As many members as the space takes would be larger together than the chain allows.
        RoundTooLarge,
        /// To combine as many members as the space takes would be more work than the chain allows. It grows with the
        /// cube of columns, and with the square of members times anchors.
        TooMuchWork,
        /// Less than half of all members may cheat.
        TooManyTolerated,
        /// A space takes at least one member, and at most as many as the chain allows.
        InvalidCapacity,
        /// The quorum must be at least 1 and at most the number of members that the space takes.
        InvalidQuorum,
        /// The least weight must be at least 1 and at most the most weight.
        InvalidWeights,
        /// The cadence is shorter or longer than the chain allows.
        InvalidCadence,
        /// The owner's free balance does not cover the deposit, or the fee of a round.
        CannotPay,
        /// The space takes other contributions.
        WrongContent,
        /// The space has no member that won this task.
        UnknownMember,
        /// The member is suspended already.
        AlreadySuspended,
        /// The member is not suspended.
        NotSuspended,
        /// No report of this round can be submitted: it has not settled, or its report was read, or a later round has
        /// settled.
        NoReportDue,
        /// The manifest is not that of the bundle that the round settled on.
        NotTheResult,
        /// The report is not that of the bundle.
        NotTheReport,
        /// The report is not one of the members that took part.
        MalformedReport,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(now: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::work_off(now, remaining)
        }

        fn offchain_worker(now: BlockNumberFor<T>) {
            Self::run_offchain_worker(now);
        }

        fn integrity_test() {
            Self::check_constants();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Creates a space, and holds a deposit that returns when it is retired and closed.
        #[pallet::call_index(0)]
        pub fn create(origin: OriginFor<T>, spec: SpecOf<T>) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::do_create(owner, spec)
        }

        /// Retires a space; for its owner. It admits nothing more, and no round begins. It cannot be undone.
        #[pallet::call_index(1)]
        pub fn retire(origin: OriginFor<T>, space: SpaceId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_retire(&who, space)
        }

        /// Suspends the member of a space that won `task`; for the space's owner. A round that runs goes on with it.
        #[pallet::call_index(2)]
        pub fn suspend(origin: OriginFor<T>, space: SpaceId, task: TaskId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_suspend(&who, space, task)
        }

        /// Readmits the suspended member of a space that won `task`; for the space's owner.
        #[pallet::call_index(3)]
        pub fn readmit(origin: OriginFor<T>, space: SpaceId, task: TaskId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_readmit(&who, space, task)
        }

        /// Submits the report of the last round of a space that settled, once, with the manifest of the round's bundle
        /// that names it.
        ///
        /// Both are checked against the bundle's id before the transaction gets into the pool or a block. Such a
        /// transaction costs nothing, because no account signs it. One that an account signs fails, and pays for that
        /// like any other.
        #[pallet::call_index(4)]
        #[pallet::weight(<T as Config>::WeightInfo::submit_report(report::findings_in(report.len())))]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_submit_report())]
        #[pallet::authorize(Pallet::<T>::authorize_report)]
        pub fn submit_report(
            origin: OriginFor<T>,
            space: SpaceId,
            round: RoundIndex,
            manifest: Manifest,
            report: ReportBytes,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_submit_report(space, round, &manifest, &report)
        }
    }
}
