//! Scores: what validators find of miners, sealed until nobody can copy it, and what follows from it.
//!
//! # An epoch
//!
//! 1. **Draw.** Every validator that committed in the epoch before is drawn some miners of its types that are not its own,
//!    and a source of truth, which it must score as well. One that did not draws for itself ([`Pallet::draw`]). Nobody
//!    commits before it is drawn, so that nobody can leave the checks out.
//! 2. **Measure.** What a validator asks of miners, and how, is not the chain's business.
//! 3. **Commit** ([`Pallet::commit`]), in the first part of the epoch: the hash of miners, scores and a salt, in batches.
//! 4. **Reveal** ([`Pallet::reveal`]), in the rest of it, when nobody can commit any more. The hash names the validator,
//!    so that what another one revealed cannot be revealed again.
//! 5. **Earn.** With each reveal the miner's score is computed anew: of each part the stake-weighted median
//!    ([`median`]). A miner earns by its score, if at least one of its own validators scored it; a validator by its
//!    reliability times the part of its miners that it scored. Miners that it got after it committed last do not count.
//!    Who reveals nothing earns nothing.
//! 6. **Settle**, when the epoch is over: scores are compared, reliability moves, and who is found out is flagged.
//! 7. **Forget**, when [`Config::KeptEpochs`] have passed since.
//!
//! An active validator with miners reveals in every epoch; one without need not. If it had miners all through an epoch and
//! revealed nothing, anyone may report it ([`Pallet::report_silent`]), and its miners are matched with others.
//!
//! # Who is judged
//!
//! A score of a source of truth is compared with what it deserves as soon as it is revealed, any other with the median when
//! the epoch is over. It agrees if it is within [`Config::Tolerance`]. Where those who agree with the median do not have
//! more than half of the weight, nobody is judged: two validators that say different things have no majority. A check
//! that a validator was drawn and left out of what it revealed counts as one that did not agree, because else a liar
//! would leave out the sources of truth.
//!
//! The **reliability** of a validator moves once per epoch, a tenth of the way towards the part that agreed. Where it
//! committed and did not reveal, it falls by a quarter ([`reliability`]).
//!
//! A validator is **flagged** if less than [`Config::LeastAgreement`] of its last judgements agreed, and there were at
//! least [`Config::MinJudged`]. At most [`Config::JudgementsKept`] count, and a flag begins the count anew. A miner is
//! flagged if at least two of those who were drawn to check it gave it less than [`Config::LeastAgreement`] of what its own
//! validators did, and have more than half of the weight of all of them ([`ratings`]). Either also gets nothing for the
//! epoch whose scores show the fault: emission does not pay for an epoch before it is settled.
//!
//! # Those who leave
//!
//! A validator that is not active reveals nothing; what it committed to counts as not revealed. Scores of miners that are
//! not active, or that were the validator's in this epoch and are no longer, are ignored and named in the event. A score
//! of somebody else's miner makes the whole reveal fail.
//!
//! # Time
//!
//! Nothing depends on the number of miners or validators. Each epoch has two lists, of the miners rated and of the
//! validators at work, to which calls append. `on_idle` walks through them, some entries in each block, and each is
//! charged before it is touched. An epoch that is not settled when the next one is over is settled before it.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod commit;
mod draw;
mod forget;
mod idle;
mod integrity;
pub mod median;
#[cfg(test)]
mod mock;
mod neighbours;
pub mod ratings;
pub mod reliability;
mod reveal;
mod settle;
mod silent;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
pub mod types;
mod view;
pub mod weights;

pub use pallet::*;
pub use types::{
    Balance, Check, ChecksOf, Commitment, Cursor, Forgetting, Lengths, Record, ScoresOf, Settlement, Tally, Verdict,
    Work, MAX_CHECKS,
};
pub use weights::WeightInfo;

use ensemble_core::{
    emission::Earnings,
    epochs::{EpochIndex, Epochs},
    market::OnScored,
    matching::Matching,
    modules::Modules,
    scores::Score,
    stake::Stake,
    ModuleId,
};
use frame_support::{pallet_prelude::*, traits::Randomness};
use frame_system::pallet_prelude::*;
use sp_core::H256;
use sp_runtime::Permill;

#[expect(clippy::cast_possible_truncation, reason = "FRAME's macros number variants with `as u8`")]
#[frame_support::pallet]
pub mod pallet {
    use super::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The registry of modules.
        type Modules: Modules<Self::AccountId>;

        /// Stake on modules. With the deposit it is the weight of what a validator says.
        type Stake: Stake<Self::AccountId, Balance>;

        /// Who scores whom.
        type Matching: Matching;

        /// Who keeps count of what modules earn by.
        type Earnings: Earnings;

        /// Hears of the scores that are settled.
        type OnScored: OnScored;

        /// The clock.
        type Epochs: Epochs;

        /// What the author of a block could not choose. It decides who checks whom in the epoch that begins.
        type Randomness: Randomness<Self::Hash, BlockNumberFor<Self>>;

        /// Most batches of a validator in an epoch.
        #[pallet::constant]
        type MaxBatches: Get<u32>;

        /// Most miners in a batch.
        #[pallet::constant]
        type MaxScores: Get<u32>;

        /// Most ratings of a miner in an epoch that are kept. As many places as a miner can have validators are for these.
        #[pallet::constant]
        type MaxRatings: Get<u32>;

        /// Miners that a validator is drawn to check in an epoch, beside a source of truth; less than [`MAX_CHECKS`].
        #[pallet::constant]
        type ChecksPerEpoch: Get<u32>;

        /// How far a score may be from what it should be and still agree.
        #[pallet::constant]
        type Tolerance: Get<Permill>;

        /// Who agrees less than this is flagged.
        #[pallet::constant]
        type LeastAgreement: Get<Permill>;

        /// Fewest judgements for which a validator is flagged; at least 1.
        #[pallet::constant]
        type MinJudged: Get<u32>;

        /// Most judgements for which a validator is flagged. Of older ones ever less is remembered.
        #[pallet::constant]
        type JudgementsKept: Get<u32>;

        /// Epochs for which results are kept when they are over; at least 1.
        #[pallet::constant]
        type KeptEpochs: Get<EpochIndex>;

        /// Most entries that a block settles, and most that it forgets.
        #[pallet::constant]
        type MaxSteps: Get<u32>;

        /// Weights of calls and steps.
        type WeightInfo: WeightInfo;
    }

    /// What validators do in an epoch, of those that were drawn what to check. Goes when the epoch is forgotten.
    #[pallet::storage]
    pub type Works<T: Config> = StorageDoubleMap<_, Twox64Concat, EpochIndex, Twox64Concat, ModuleId, Work<T>>;

    /// The validators that have an entry in [`Works`] for an epoch, from place 0 on.
    #[pallet::storage]
    pub type Workers<T: Config> = StorageDoubleMap<_, Twox64Concat, EpochIndex, Twox64Concat, u32, ModuleId>;

    /// What an epoch's validators say of miners. Goes when the epoch is forgotten.
    #[pallet::storage]
    pub type Results<T: Config> = StorageDoubleMap<_, Twox64Concat, EpochIndex, Twox64Concat, ModuleId, Verdict<T>>;

    /// The miners that have an entry in [`Results`] for an epoch, from place 0 on.
    #[pallet::storage]
    pub type Rated<T: Config> = StorageDoubleMap<_, Twox64Concat, EpochIndex, Twox64Concat, u32, ModuleId>;

    /// The lengths of the two lists of an epoch.
    #[pallet::storage]
    pub type Lists<T: Config> = StorageMap<_, Twox64Concat, EpochIndex, Lengths, ValueQuery>;

    /// The number of results of all epochs that are kept.
    #[pallet::storage]
    pub type ResultsKept<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// The last scores of miners that were settled, with their epochs. Each goes when its epoch is forgotten.
    #[pallet::storage]
    pub type LastScores<T: Config> = StorageMap<_, Twox64Concat, ModuleId, (EpochIndex, Score)>;

    /// How well validators agreed in the last epochs. Each goes with the last epoch in which it was at work.
    #[pallet::storage]
    pub type Records<T: Config> = StorageMap<_, Twox64Concat, ModuleId, Record, ValueQuery>;

    /// What the draws of an epoch follow from. It is fixed in the epoch's first block. Whom it stands for depends on the
    /// miners and sources of truth that are active when a validator is drawn: who draws for itself, and waits until they
    /// are others, is drawn others.
    #[pallet::storage]
    pub type Seed<T: Config> = StorageValue<_, (EpochIndex, H256)>;

    /// How far settling has come: all before is settled.
    #[pallet::storage]
    pub type Settling<T: Config> = StorageValue<_, Cursor<Settlement>, ValueQuery>;

    /// How far forgetting has come: all before is forgotten.
    #[pallet::storage]
    pub type Forgotten<T: Config> = StorageValue<_, Cursor<Forgetting>, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A validator must score these in this epoch, besides its own miners.
        ChecksDrawn { epoch: EpochIndex, validator: ModuleId, miners: BoundedVec<ModuleId, ConstU32<MAX_CHECKS>> },
        /// A validator committed to a batch of scores.
        Committed { epoch: EpochIndex, validator: ModuleId, batch: u32, hash: H256 },
        /// A validator revealed a batch. Scores of miners that are `ignored` count for nothing: they are not active, or
        /// no longer the validator's, or have been rated as often as the chain allows. `merit` is what the validator
        /// earns by in this epoch, so far.
        Revealed {
            epoch: EpochIndex,
            validator: ModuleId,
            batch: u32,
            ignored: BoundedVec<ModuleId, T::MaxScores>,
            merit: Permill,
        },
        /// This is what an epoch's validators found of a miner together.
        MinerSettled { epoch: EpochIndex, miner: ModuleId, score: Score },
        /// A validator's reliability after an epoch in which so many of its scores were `judged` and `agreed`, and in
        /// which it had `unrevealed` batches.
        ValidatorSettled {
            epoch: EpochIndex,
            validator: ModuleId,
            judged: u32,
            agreed: u32,
            unrevealed: u32,
            reliability: Permill,
        },
        /// All of an epoch is settled.
        EpochSettled { epoch: EpochIndex },
        /// A validator was switched off, because it had miners all through an epoch and revealed nothing in it.
        SilentReported { validator: ModuleId, epoch: EpochIndex, reliability: Permill },
        /// The results of an epoch are no longer kept.
        EpochForgotten { epoch: EpochIndex },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// There is no such module, or it was removed.
        UnknownModule,
        /// Only the module's owner may do that.
        NotOwner,
        /// The module is no active validator.
        NotActive,
        /// Scores can be committed to, and checks drawn, in the first part of an epoch only.
        NotCommitPhase,
        /// Scores can be revealed in the last part of an epoch only.
        NotRevealPhase,
        /// The number of the batch is higher than the chain allows.
        NoSuchBatch,
        /// The validator has already committed to this batch in this epoch.
        AlreadyCommitted,
        /// The validator has not committed to this batch in this epoch, or has already revealed it.
        NotCommitted,
        /// This is not what the validator committed to.
        NotAsCommitted,
        /// The miners are not in the order of their numbers, each once.
        NotInOrder,
        /// A score, quality or availability is above one.
        ScoreAboveOne,
        /// A miner is neither one of the validator's nor one that it was drawn to check.
        NotYourMiner,
        /// The validator has already scored a miner in this epoch, in another batch.
        AlreadyScored,
        /// Checks were already drawn for the validator in this epoch.
        AlreadyDrawn,
        /// The validator revealed scores in the last epoch, or committed to some in this one, or need not have.
        NotSilent,
        /// The validator was not drawn yet what to check in this epoch: draw first.
        NotDrawn,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::sow();
            <T as Config>::WeightInfo::on_initialize()
        }

        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::work_off(remaining)
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
        /// Commits a validator to a batch of scores, in the first part of an epoch; for its owner.
        ///
        /// `hash` is the BLAKE2b-256 hash of the SCALE encoding of [`ensemble_core::scores::Sealed`]. Batches are numbered
        /// from 0, less than [`Config::MaxBatches`]. What the validator must check has to be drawn before.
        #[pallet::call_index(0)]
        pub fn commit(origin: OriginFor<T>, validator: ModuleId, batch: u32, hash: H256) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_commit(who, validator, batch, hash)
        }

        /// Reveals a batch of scores, in the last part of the epoch in which it was committed; for the validator's owner.
        ///
        /// The miners stand in the order of their numbers. They are those of the validator and those that it was drawn to
        /// check.
        #[pallet::call_index(1)]
        #[pallet::weight(<T as Config>::WeightInfo::reveal(scores.len() as u32))]
        pub fn reveal(
            origin: OriginFor<T>,
            validator: ModuleId,
            batch: u32,
            scores: ScoresOf<T>,
            salt: [u8; 32],
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_reveal(who, validator, batch, scores, salt)
        }

        /// Draws what a validator must check in this epoch, in its first part, if it was not drawn yet; for its owner.
        #[pallet::call_index(2)]
        pub fn draw(origin: OriginFor<T>, validator: ModuleId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_draw(who, validator)
        }

        /// Switches a validator off that had miners all through the last epoch and revealed nothing in it; for anyone. Its
        /// reliability falls as for what is committed and not revealed.
        #[pallet::call_index(3)]
        pub fn report_silent(origin: OriginFor<T>, validator: ModuleId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_report_silent(validator)
        }
    }
}
