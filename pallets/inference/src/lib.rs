//! Inference: models that the network runs together, and sessions in which they answer.
//!
//! # Models and workers
//!
//! A **model** is a bundle that won a public task. Whoever registers it shows its manifest, of which the chain computes the
//! id, and its `config`, and puts up a deposit ([`Pallet::register_model`]). A **worker** is an account that serves a
//! model's rows: it puts up a bond, and names a key, which it proves to have, and a peer id. An account serves one model.
//!
//! # The life of a session
//!
//! 1. **Open.** A requester names a model, a gateway, the hash of its prompt and how many workers in how many replicas, and
//!    what the session can cost is held ([`price`]). The gateway is a worker, of whatever model. It has agreed to that
//!    (see [`Pallet::open`]), and its bond answers for the price.
//! 2. **Assign.** [`Config::AssignDelay`] blocks later workers are drawn by randomness to which each of those blocks has
//!    added ([`seats`]): by bond up to a cap, none twice, and not the gateway. The worker at place `p` serves the ranges
//!    `p`, `p - 1` and so on ([`ensemble_core::inference::ranges_of`]).
//! 3. **Close.** The gateway generates, off the chain, and closes with the descriptors of all tokens and of its trace
//!    ([`Pallet::close`]): nobody pays for that, because its key signs it.
//! 4. **Vote.** The workers of each range vote on its trace ([`votes`]), as soon as there is room for all votes. If there is
//!    none for long, the session goes on without votes ([`waiting`]).
//! 5. **Window.** Anybody may show that something is wrong ([`dispute`]). The chain computes it again.
//! 6. **Settle.** Each worker is settled, one at a time, then everybody else, and the record goes ([`paying`]).
//!
//! Nobody has to ask for the steps that time brings: they stand in the [`Agenda`], and [`Hooks::on_idle`] does as many as a
//! block has room for. On a full chain anyone may pay for them with [`Pallet::advance`].
//!
//! # Money
//!
//! | who | all is well | not assigned | not closed, or nobody agreed | something was shown to be wrong |
//! |---|---|---|---|---|
//! | requester | pays for the positions that were computed; the rest returns | what is held returns | what is held returns, and the fee of the votes | what is held returns but for what workers are missing, and the fee of the votes as far as the purse goes |
//! | worker that revealed what won | its part by products of the rows it served; shares of rows | | | that part from the purse as far as it goes, the rest from the price |
//! | worker that revealed something else | loses `outvoted` of the least bond | | | |
//! | worker that did not reveal | unpaid | | | unpaid |
//! | workers that were wrong | | | | lose `wrong` of their bonds, up to the cap |
//! | gateway | its part, unless it had to be excused or a range is void | | loses the price: what the requester does not get of it is burnt | that part from the purse, unless a range is void |
//! | gateway that was wrong | | | | loses `wrong` of its bond, up to the cap, and at least the price |
//! | shareholders | credits | | | |
//! | challenger | | | | its part of what the guilty lost, but of a gateway's nothing of the price |
//!
//! Of a **void** range no trace won. Its part of what was computed is burnt, and the gateway's part; the other ranges pay, and
//! are disputed, like those of any session. If of no range most workers revealed the same, the gateway has closed with nothing
//! that anybody else has seen, and pays as if it had not closed.
//!
//! Where votes could not begin in time all ranges are void, and the gateway is not to blame for that.
//!
//! So nobody gets an answer for less than its price by driving it, or by working for it and keeping silent: whether a gateway
//! does not close, or closes with what nobody can see, or is wrong and has a friend show it, its bond loses as much, and
//! nobody is the richer for it. A bond answers for all sessions that its gateway drives together: none is opened with a
//! price that the bond does not cover beside theirs.
//!
//! What the guilty lose and the challenger does not get is the session's **purse**: it pays those who did their work, in
//! proportion where it does not reach, and the fee of the votes that the requester paid; what is left is burnt. What
//! workers are missing then the requester pays, for a bond that is used up would make sessions free that go wrong on
//! purpose. A slash never takes more than there is. A worker whose bond falls below [`Config::MinBond`] is not drawn any
//! more until it tops it up.
//!
//! A deposit is held from the requester as long as the session is open; it is dearer the more sessions are.
//!
//! Prices, bonds and deposits are held in their owners' accounts under [`HoldReason`]. Each model has an account, the
//! **pot**, in which lies as much TUNE as its shareholders have credits, and purses, and the price of sessions paid with
//! credits. A payment that an account cannot receive never stops the others: [`Event::Undelivered`] says so.
//!
//! # Credits
//!
//! A part of the price of each session becomes credits of those who have locked shares: of the
//! contribution, or of the model's rows, which workers are paid beside money ([`credits`]). A credit is worth a planck, in
//! sessions of that model and nowhere else.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod agenda;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod closing;
mod consents;
pub mod credits;
pub mod dispute;
#[cfg(test)]
mod fixture;
mod funds;
mod integrity;
#[cfg(test)]
mod mock;
mod models;
mod offchain_worker;
mod parameters;
pub mod paying;
pub mod price;
pub mod seats;
mod sessions;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
pub mod types;
mod view;
pub mod votes;
pub mod waiting;
pub mod weights;
mod workers;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use pallet::*;
pub use types::{
    Balance, Class, ConfigBytes, ConsentOf, CreditOf, Culprit, Earnings, End, Excuse, FalseKeys, Faults, Holding,
    HoldingOf, Lengths, Lock, Manifest, Model, ModelOf, Note, Notes, NotesOf, Parameters, PartyOf, Pot, Range, Ranges,
    Rates, Refund, Seat, Session, SessionOf, Slashes, Split, State, StateOf, Step, Team, TeamOf, Undeliverable,
    UsedConsent, Work, Worker, WorkerOf,
};
pub use weights::WeightInfo;

pub use ensemble_core::inference::Question;

use ensemble_compute::inference::Architecture;
use ensemble_core::{
    attester::AttesterSignature,
    exchange::Contributions,
    inference::{Closing, Evidence, Payment, Peer, Position, RangeIndex, RangeVote},
    votes::{Votes, Voting},
    AssetId, AttesterId, ModelId, SessionId, TaskId,
};
use ensemble_tensor::TensorId;
use frame_support::{
    pallet_prelude::*,
    traits::{fungible, fungibles, OnUnbalanced},
    PalletId,
};
use frame_system::{ensure_authorized, offchain::CreateAuthorizedTransaction, pallet_prelude::*};
use sp_core::H256;

/// Target of this pallet's log lines.
pub(crate) const LOG: &str = "runtime::inference";

#[expect(clippy::cast_possible_truncation, reason = "FRAME's macros number variants with `as u8`")]
#[frame_support::pallet]
pub mod pallet {
    use super::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The runtime's transaction extensions must contain `frame_system::AuthorizeCall`, which lets gateways close.
    #[pallet::config]
    pub trait Config:
        CreateAuthorizedTransaction<Call<Self>> + frame_system::Config<RuntimeEvent: From<Event<Self>>>
    {
        /// The runtime's reasons for holds.
        type RuntimeHoldReason: From<HoldReason>;

        /// The native token: prices, bonds and deposits are held in it.
        type Currency: fungible::MutateHold<Self::AccountId, Balance = Balance, Reason = Self::RuntimeHoldReason>
            + fungible::BalancedHold<Self::AccountId>
            + fungible::Mutate<Self::AccountId>;

        /// Shares. Nothing else may create classes of the form [`AssetId::Rows`].
        type Shares: fungibles::Create<Self::AccountId>
            + fungibles::Mutate<Self::AccountId, AssetId = AssetId, Balance = Balance>;

        /// Knows what won which task.
        type Contributions: Contributions<Self::AccountId>;

        /// Who holds votes. Its off-chain worker runs before this pallet's.
        type Votes: Votes<BlockNumberFor<Self>> + Voting;

        /// Receives what is slashed, and what votes cost.
        type Slashed: OnUnbalanced<CreditOf<Self>>;

        /// The randomness of all blocks so far, mixed, so that no author knows what those after it add.
        type Entropy: Get<H256>;

        /// May change the parameters.
        type ParametersOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// The parameters until [`Pallet::set_parameters`] says otherwise.
        #[pallet::constant]
        type DefaultParameters: Get<Parameters>;

        /// Lengths of what happens, unless genesis says otherwise.
        #[pallet::constant]
        type DefaultLengths: Get<Lengths<BlockNumberFor<Self>>>;

        /// Owns the classes of shares; the accounts of pots follow from it.
        #[pallet::constant]
        type PalletId: Get<PalletId>;

        /// Most models at one time.
        #[pallet::constant]
        type MaxModels: Get<u32>;

        /// Most workers of a model.
        #[pallet::constant]
        type MaxWorkers: Get<u32>;

        /// Most sessions that are not over, at one time.
        #[pallet::constant]
        type MaxSessions: Get<u32>;

        /// Held from a requester for one more session beside its price, in planck, until it is over; at least the
        /// existential deposit. It doubles with every tenth of [`Config::MaxSessions`] that are open.
        #[pallet::constant]
        type SessionDeposit: Get<Balance>;

        /// Most bytes of a session's tokens, of its gateway's trace, and of those of all ranges. Whoever computes it again
        /// holds them all.
        #[pallet::constant]
        type MaxSessionBytes: Get<u64>;

        /// Most positions of a session, however many its model has.
        #[pallet::constant]
        type MaxPositions: Get<u32>;

        /// Blocks between opening a session and the draw of its workers. Each adds to [`Config::Entropy`] what its author
        /// knew: a requester knows who will be drawn only if it is the author of all of these.
        #[pallet::constant]
        type AssignDelay: Get<BlockNumberFor<Self>>;

        /// Most blocks for which a gateway agrees in advance to drive a session.
        #[pallet::constant]
        type ConsentLength: Get<BlockNumberFor<Self>>;

        /// Most workers that one [`Pallet::advance`] settles.
        #[pallet::constant]
        type SettlePerCall: Get<u32>;

        /// Held from a registrant while its model is registered, in planck; at least the existential deposit. As much as
        /// that is put into the model's pot beside it.
        #[pallet::constant]
        type ModelDeposit: Get<Balance>;

        /// Smallest bond of a worker, in planck; at least the existential deposit, and [`Config::DisputeDeposit`].
        #[pallet::constant]
        type MinBond: Get<Balance>;

        /// A bond counts in a draw up to this, in planck.
        #[pallet::constant]
        type BondCap: Get<Balance>;

        /// What evidence costs that does not show what it says, in planck.
        #[pallet::constant]
        type DisputeDeposit: Get<Balance>;

        /// What a session pays for each vote of a worker, in planck: about what that would cost whoever sends it, who pays
        /// nothing.
        #[pallet::constant]
        type VoteFee: Get<Balance>;

        /// What a session pays for the attestations of each range's trace, in planck, likewise, for every 4 MiB that it may
        /// have, the last ones begun.
        #[pallet::constant]
        type AttestFee: Get<Balance>;

        /// Products that a paid worker serves for one unit of shares of rows.
        #[pallet::constant]
        type ProductsPerShare: Get<u128>;

        /// Fewest shares of rows that an account can own, and fewest shares of a class that it can lock. Shares keep their
        /// owner's account in existence without any deposit, so that nobody must be able to spread them over many.
        #[pallet::constant]
        type MinShares: Get<Balance>;

        /// Most shares of the rows of a model.
        #[pallet::constant]
        type MaxShares: Get<Balance>;

        /// Priority of closings in the transaction pool. That of a worker's dispute is lower by the number of its bytes.
        #[pallet::constant]
        type ClosePriority: Get<TransactionPriority>;

        /// Weights of calls and steps.
        type WeightInfo: WeightInfo;

        /// Has tasks won, for benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper<Self::AccountId>;
    }

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The registrant's deposit for a model's record.
        Model,
        /// The bond of a worker.
        Bond,
        /// The most that the requester's sessions can still cost.
        Price,
        /// The challenger's deposit while its evidence is looked at.
        Dispute,
        /// The requester's deposits for its sessions' records.
        Session,
    }

    /// What sessions cost, and how that is divided.
    #[pallet::storage]
    pub type CurrentParameters<T: Config> = StorageValue<_, Parameters, ValueQuery, T::DefaultParameters>;

    /// Lengths of what happens. Set at genesis.
    #[pallet::storage]
    pub type CurrentLengths<T: Config> = StorageValue<_, Lengths<BlockNumberFor<T>>, ValueQuery, T::DefaultLengths>;

    /// The number of the next model.
    #[pallet::storage]
    pub type NextModelId<T> = StorageValue<_, ModelId, ValueQuery>;

    /// All models; at most [`Config::MaxModels`].
    #[pallet::storage]
    pub type Models<T: Config> = CountedStorageMap<_, Twox64Concat, ModelId, ModelOf<T>>;

    /// The model that is what won a task.
    #[pallet::storage]
    pub type ModelOfTask<T> = StorageMap<_, Twox64Concat, TaskId, ModelId>;

    /// The task that each model won. Stays when the model is retired, so that its shares can be unlocked.
    #[pallet::storage]
    pub type TaskOfModel<T> = StorageMap<_, Twox64Concat, ModelId, TaskId>;

    /// All workers.
    #[pallet::storage]
    pub type Workers<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, WorkerOf<T>>;

    /// Whose worker's key it is.
    #[pallet::storage]
    pub type KeyOwners<T: Config> = StorageMap<_, Blake2_128Concat, AttesterId, T::AccountId>;

    /// The workers of each model that are drawn, at places from 0 on without a gap.
    #[pallet::storage]
    pub type Seats<T: Config> = StorageDoubleMap<_, Twox64Concat, ModelId, Twox64Concat, u32, Seat<T::AccountId>>;

    /// The number of workers of each model that are drawn; at most [`Config::MaxWorkers`].
    #[pallet::storage]
    pub type SeatCounts<T> = StorageMap<_, Twox64Concat, ModelId, u32, ValueQuery>;

    /// The number of the next session.
    #[pallet::storage]
    pub type NextSessionId<T> = StorageValue<_, SessionId, ValueQuery>;

    /// Sessions that are not over; at most [`Config::MaxSessions`].
    #[pallet::storage]
    pub type Sessions<T: Config> = CountedStorageMap<_, Twox64Concat, SessionId, SessionOf<T>>;

    /// The session that was closed before all others whose votes wait for room, behind its last block for that.
    #[pallet::storage]
    pub type FirstWaiting<T: Config> = StorageValue<_, (BlockNumberFor<T>, SessionId)>;

    /// For each session, unless it is voted on, the block from which its next step is due.
    #[pallet::storage]
    pub type Agenda<T: Config> = StorageDoubleMap<_, Twox64Concat, BlockNumberFor<T>, Twox64Concat, SessionId, ()>;

    /// The first block that the agenda may have entries for.
    #[pallet::storage]
    pub type NextDue<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

    /// The credits of each model.
    #[pallet::storage]
    pub type Pots<T> = StorageMap<_, Twox64Concat, ModelId, Pot>;

    /// What accounts have locked and earned. Goes when that is nothing.
    #[pallet::storage]
    pub type Holdings<T: Config> =
        StorageDoubleMap<_, Twox64Concat, ModelId, Blake2_128Concat, T::AccountId, HoldingOf<T>, ValueQuery>;

    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Lengths of what happens; nothing: [`Config::DefaultLengths`].
        pub lengths: Option<Lengths<BlockNumberFor<T>>>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            if let Some(lengths) = self.lengths {
                Pallet::<T>::check_lengths(&lengths);
                CurrentLengths::<T>::put(lengths);
            }
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A model was registered, and `deposit` is held from its registrant. Its pot is an account of its own.
        ModelRegistered {
            model: ModelId,
            registrant: T::AccountId,
            task: TaskId,
            content: TensorId,
            architecture: Architecture,
            deposit: Balance,
            pot: T::AccountId,
        },
        /// A model is no more. `burnt` of credits nobody can spend any more.
        ModelRetired { model: ModelId, registrant: T::AccountId, deposit: Balance, burnt: Balance },
        /// An account serves a model, and `bond` is held from it.
        Joined { who: T::AccountId, model: ModelId, peer: Peer, key: AttesterId, bond: Balance },
        /// A worker changed its peer id or its key, for sessions that are assigned from now on.
        Announced { who: T::AccountId, peer: Peer, key: AttesterId },
        /// A worker's bond is larger.
        BondRaised { who: T::AccountId, bond: Balance },
        /// A worker is drawn.
        Seated { who: T::AccountId, model: ModelId },
        /// A worker is not drawn any more: it leaves, or its bond fell below what is needed.
        Unseated { who: T::AccountId, model: ModelId },
        /// A worker leaves, and may take its bond away from block `at` on.
        Leaving { who: T::AccountId, at: BlockNumberFor<T> },
        /// A worker is none any more, and has its bond back.
        Withdrawn { who: T::AccountId, bond: Balance },
        /// A session was opened, and `price` is held for it, and `deposit` until it is over. Workers are drawn in block
        /// `assign_at` or a later one.
        SessionOpened {
            session: SessionId,
            requester: T::AccountId,
            model: ModelId,
            gateway: T::AccountId,
            question: Question,
            payment: Payment,
            price: Balance,
            deposit: Balance,
            assign_at: BlockNumberFor<T>,
        },
        /// Workers were drawn, in the order of their places. The gateway may close until block `until`.
        SessionAssigned { session: SessionId, workers: alloc::vec::Vec<T::AccountId>, until: BlockNumberFor<T> },
        /// The gateway closed a session.
        SessionClosed { session: SessionId, closing: Closing },
        /// The workers vote, in a task for each range, and the requester paid `fee` for that.
        VotesOpened { session: SessionId, tasks: alloc::vec::Vec<TaskId>, fee: Balance },
        /// The votes of a session could not begin in time, and it goes on without them: all its ranges are void.
        VotesGivenUp { session: SessionId },
        /// The vote on a range is over. The places of workers as bits: who revealed what won, and who something else.
        RangeDecided { session: SessionId, range: RangeIndex, vote: RangeVote, backers: u32, outvoted: u32 },
        /// All ranges are decided, and disputes are taken until block `until`.
        WindowOpened { session: SessionId, until: BlockNumberFor<T> },
        /// Somebody showed that `culprit` was wrong, and was paid `reward`. `slashed` was taken in all.
        Upheld { session: SessionId, culprit: Culprit, challenger: T::AccountId, slashed: Balance, reward: Balance },
        /// Somebody showed by the outputs of ranges that the gateway was wrong at `position`. That counts when the window is
        /// over, after block `until`, unless it is excused by then.
        Noted { session: SessionId, challenger: T::AccountId, position: Position, until: BlockNumberFor<T> },
        /// A worker signed another row of `range` than won: what was noted of the gateway by that at `position` does not
        /// count.
        Excused { session: SessionId, position: Position, range: RangeIndex },
        /// Evidence does not show what it says, and cost who brought it `lost`.
        Rejected { session: SessionId, culprit: Culprit, challenger: T::AccountId, lost: Balance },
        /// A part of an account's bond was taken.
        Slashed { session: SessionId, who: T::AccountId, amount: Balance },
        /// A session is over, and is settled from now on.
        SessionOver { session: SessionId, refund: Option<Refund> },
        /// A worker was settled: paid `paid`, and `shares` of the model's rows.
        WorkerSettled { session: SessionId, who: T::AccountId, paid: Balance, shares: Balance },
        /// A session was settled. Of its price the gateway got `gateway`, shareholders `credits`, `burnt` was burnt, and
        /// `returned` went back to the requester.
        SessionSettled {
            session: SessionId,
            requester: T::AccountId,
            gateway: Balance,
            credits: Balance,
            burnt: Balance,
            returned: Balance,
        },
        /// An account could not receive what it was due. Money stays with the requester, or is burnt if it was taken from
        /// somebody; shares are not created.
        Undelivered { session: Option<SessionId>, who: T::AccountId, due: Undeliverable, amount: Balance },
        /// An account locked shares, which earn credits from now on.
        Locked { who: T::AccountId, model: ModelId, class: Class, amount: Balance },
        /// An account has locked shares back.
        Unlocked { who: T::AccountId, model: ModelId, class: Class, amount: Balance },
        /// Sessions that are opened from now on cost this.
        ParametersSet { parameters: Parameters },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// There is no such model.
        UnknownModel,
        /// The chain has as many models as it allows.
        TooManyModels,
        /// Nothing won this task.
        NothingWon,
        /// What won the task is not public. Workers, and whoever checks them, need all of it.
        NotPublic,
        /// What won the task is a model already.
        AlreadyAModel,
        /// The manifest is none, or not that of what won the task.
        NotTheManifest,
        /// The `config` is not that of the bundle, or says no architecture that can be computed.
        NotTheConfig,
        /// The bundle lacks a tensor that its architecture needs, or `config`, `rope` or `tokenizer`.
        MemberMissing,
        /// Only who registered the model may do that.
        NotRegistrant,
        /// The model is in use: it has workers, or sessions that are not over.
        ModelInUse,
        /// The account's free balance does not cover what is to be held or paid.
        CannotPay,
        /// The account is a worker already.
        AlreadyAWorker,
        /// The account is no worker.
        NotAWorker,
        /// The key belongs to another worker.
        KeyTaken,
        /// The proof does not show that the account has the key.
        NotYourKey,
        /// The peer id is none: it is the multihash of a key, by identity of an Ed25519 key or by SHA2-256.
        InvalidPeer,
        /// The bond is lower than the chain asks for.
        BondTooLow,
        /// The model has as many workers as the chain allows.
        TooManyWorkers,
        /// The worker leaves.
        AlreadyLeaving,
        /// The worker has to leave first, and to wait.
        NotLeaving,
        /// The time until the bond may be taken away, or shares unlocked, is not over.
        TooEarly,
        /// The worker takes part in sessions that are not over.
        InSessions,
        /// The gateway must be a worker with a full bond that does not leave.
        NotAGateway,
        /// The gateway's bond does not cover the price beside those of the other sessions that it drives.
        BondNotFree,
        /// The gateway has to agree, unless it is itself who asks.
        NoConsent,
        /// The gateway has not agreed to this: its key did not sign it for this requester, model, question and payment.
        NotWhatWasAgreed,
        /// The gateway agreed for a time that is over.
        ConsentExpired,
        /// The gateway agreed for a longer time than the chain allows.
        ConsentTooLong,
        /// The consent has opened a session already.
        ConsentUsed,
        /// The gateway has as many consents that were used and have not expired as the chain remembers. Try again in a later
        /// block.
        TooManyConsents,
        /// A session has at least one token of a prompt and one of an answer, and no more positions than the model or the
        /// chain allows.
        InvalidLength,
        /// A session has at least one worker and at most as many as the chain allows.
        InvalidWorkers,
        /// All traces of the session together would have more bytes than the chain allows.
        TracesTooLarge,
        /// The number of replicas is odd, at most that of workers, and at most as many as the chain allows.
        InvalidReplicas,
        /// The chain has as many open sessions as it allows. Try again when some are over.
        TooManySessions,
        /// The price is no amount that can exist.
        PriceTooHigh,
        /// The account has not as many credits of this model.
        TooFewCredits,
        /// There is no such session, or it is over.
        UnknownSession,
        /// The session is not waiting for its gateway.
        NotAssigned,
        /// The closing is none of this session: kinds or shapes are wrong, or there are too few or too many tokens.
        InvalidClosing,
        /// Nothing is due for the session in this block.
        NothingDue,
        /// There is no room for the session's votes now, or others are before it. Try again in a later block.
        NoRoomForVotes,
        /// The session is not in its window.
        NotDisputable,
        /// That was shown already, or is excused by what was shown.
        AlreadyShown,
        /// The evidence is none: numbers or sizes are not those of the session.
        MalformedEvidence,
        /// The worker's bond is lower than what a false dispute costs.
        BondTooSmall,
        /// The worker's key has shown something false in this session, and shows nothing there any more.
        DisputedBefore,
        /// Fewer shares than can be locked, or would be left.
        TooFewShares,
        /// The account does not own so many shares, or has not locked so many.
        NotYourShares,
        /// The parts add up to more than the whole.
        InvalidParameters,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(now: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::work_through_agenda(now, remaining)
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
        /// Registers what won a public task as a model, with the bundle's manifest and the bytes of its `config`.
        ///
        /// [`Config::ModelDeposit`] is held until the model is retired, and the existential deposit of the model's pot is
        /// taken, which comes back with it.
        #[pallet::call_index(0)]
        #[pallet::weight(<T as Config>::WeightInfo::register_model(models::bytes_of(manifest)))]
        pub fn register_model(
            origin: OriginFor<T>,
            task: TaskId,
            manifest: Manifest,
            config: ConfigBytes,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_register_model(who, task, &manifest, &config)
        }

        /// Retires a model that has neither workers nor sessions; for its registrant. Credits that were not spent are
        /// burnt. Locked shares can be unlocked as before.
        #[pallet::call_index(1)]
        pub fn retire_model(origin: OriginFor<T>, model: ModelId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_retire_model(who, model)
        }

        /// Makes the account a worker of a model.
        ///
        /// - `peer`: its node's libp2p peer id, the bytes of the multihash.
        /// - `key`: the key that the node signs with, of the type `atst`.
        /// - `proof`: that the account has the key, as `author_rotateKeysWithOwner` gives it: the key's signature over
        ///   `POP_` and the account.
        /// - `bond`: what is held from it, in planck. The more, up to a cap, the more often it is drawn.
        #[pallet::call_index(2)]
        pub fn join(
            origin: OriginFor<T>,
            model: ModelId,
            peer: Peer,
            key: AttesterId,
            proof: AttesterSignature,
            bond: Balance,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_join(who, model, peer, key, &proof, bond)
        }

        /// Has the worker drawn no more. It cannot be undone; its sessions go on.
        #[pallet::call_index(3)]
        pub fn leave(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_leave(who)
        }

        /// Returns the bond of a worker that left long enough ago and takes part in no session.
        #[pallet::call_index(4)]
        pub fn withdraw(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_withdraw(who)
        }

        /// Adds to a worker's bond. One that was not drawn any more, because its bond was too low, is drawn again.
        #[pallet::call_index(5)]
        pub fn bond_extra(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_bond_extra(who, amount)
        }

        /// Changes a worker's peer id and key, for sessions that are assigned from now on. `proof` is as in
        /// [`Pallet::join`].
        #[pallet::call_index(6)]
        pub fn announce(origin: OriginFor<T>, peer: Peer, key: AttesterId, proof: AttesterSignature) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_announce(who, peer, key, &proof)
        }

        /// Opens a session and holds the most that it can cost. The gateway's bond answers for as much until it is over.
        ///
        /// - `consent`: that of the gateway, its key's signature over [`ensemble_core::inference::consent_bytes`]. It may be
        ///   missing where the gateway is itself who asks.
        #[pallet::call_index(7)]
        pub fn open(
            origin: OriginFor<T>,
            model: ModelId,
            gateway: T::AccountId,
            question: Question,
            payment: Payment,
            consent: Option<ConsentOf<T>>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_open(who, model, gateway, question, payment, consent)
        }

        /// Closes a session with what its gateway says of it.
        ///
        /// `signature` is that of the gateway's key over [`ensemble_core::inference::closing_bytes`]. It is checked before
        /// the transaction gets into the pool or a block. Such a transaction costs nothing, because no account signs it.
        /// One that an account signs fails, and pays for that like any other.
        #[pallet::call_index(8)]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_close())]
        #[pallet::authorize(Pallet::<T>::authorize_close)]
        pub fn close(
            origin: OriginFor<T>,
            session: SessionId,
            closing: Closing,
            _signature: AttesterSignature,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_close(session, closing)
        }

        /// Shows that something in a session is wrong. Whoever is right is paid from what the guilty lose.
        ///
        /// Evidence that does not show what it says costs [`Config::DisputeDeposit`].
        #[pallet::call_index(9)]
        #[pallet::weight(dispute::weight_of::<T>(evidence))]
        pub fn dispute(origin: OriginFor<T>, session: SessionId, evidence: Evidence) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_dispute(who, session, &evidence)
        }

        /// Shows that something in a session is wrong, for a worker, of whatever model, with its bond at stake.
        ///
        /// `signature` is that of the worker's key over [`dispute::signed_bytes`]. It is checked, and what is not let in
        /// refused, as with [`Pallet::close`].
        #[pallet::call_index(10)]
        #[pallet::weight(dispute::weight_of::<T>(evidence))]
        #[pallet::weight_of_authorize(dispute::weight_of_authorize::<T>(evidence))]
        #[pallet::authorize(Pallet::<T>::authorize_dispute)]
        pub fn dispute_as_worker(
            origin: OriginFor<T>,
            session: SessionId,
            evidence: Evidence,
            key: AttesterId,
            _signature: AttesterSignature,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_dispute_as_worker(session, &evidence, &key)
        }

        /// Does what is due for a session, settling at most [`Config::SettlePerCall`] workers; for anyone.
        ///
        /// Blocks with room to spare do the same by themselves.
        #[pallet::call_index(11)]
        #[pallet::weight(Pallet::<T>::advance_weight(T::SettlePerCall::get()))]
        pub fn advance(origin: OriginFor<T>, session: SessionId) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            Self::do_advance(session)
        }

        /// Locks shares, which earn credits until they are unlocked: not before as many blocks later as a window lasts.
        #[pallet::call_index(12)]
        pub fn lock(origin: OriginFor<T>, model: ModelId, class: Class, amount: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_lock(who, model, class, amount)
        }

        /// Returns locked shares, some time after the account locked some of this class for the last time. Credits that they
        /// earned stay.
        #[pallet::call_index(13)]
        pub fn unlock(origin: OriginFor<T>, model: ModelId, class: Class, amount: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_unlock(who, model, class, amount)
        }

        /// Changes what sessions cost that are opened from now on; for [`Config::ParametersOrigin`].
        #[pallet::call_index(14)]
        pub fn set_parameters(origin: OriginFor<T>, parameters: Parameters) -> DispatchResult {
            T::ParametersOrigin::ensure_origin(origin)?;
            Self::do_set_parameters(parameters)
        }
    }
}
