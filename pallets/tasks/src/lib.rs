//! Tasks: many accounts agree on a content, validators attest that it can be had, the chain pays.
//!
//! # The life of a task
//!
//! 1. **Create.** The creator says what is asked for (a tensor of one shape, bytes, a bundle), who may take part, how
//!    words count, how long each phase lasts, how many must take part, and what it pays and takes ([`Terms`]). The most
//!    that the task can pay is held from the creator at once, with a deposit for the record.
//! 2. **Commit.** A participant puts up a bond and commits to the hash of content id, its own account, the task and a
//!    salt ([`Pallet::commitment`]). A copied commitment opens for nobody but its author.
//! 3. **Reveal.** It opens the commitment with the content's header and Merkle root, from which the chain computes the
//!    id and checks the shape without seeing the data.
//! 4. **Attest.** When the time for reveals is over, the content leads that has more than half of all *committed*
//!    weight, if enough participants revealed at all. Attesters (session keys of validators; where there are many, a
//!    panel drawn [`Config::DrawDelay`] blocks later) fetch it, verify it, keep it, and say so. With two thirds of the
//!    panel it has won; if they do not come in time, it is void.
//! 5. **Settle.** Participants are paid and their bonds returned, a bounded number at a time. What is left returns to
//!    the creator, the record goes, and what won stays as a [`Contribution`].
//!
//! Attestations are free and come before everything else in a block. So that they cannot keep others out, panels begin
//! in each block at most [`Config::MaxPanelsPerBlock`], and each task pays [`Config::AttestFee`] when it is created.
//!
//! Nobody has to ask for the steps that time brings: they stand in the [`Agenda`] under the block from which they are
//! due, and [`Hooks::on_idle`] does as many as the block has room for. On a full chain anyone may pay for one with
//! [`Pallet::advance`].
//!
//! # Money
//!
//! | who | a content won | nothing won |
//! |---|---|---|
//! | revealed the winner | `base` and its part of the growth pool by weight; shares; bond returns | |
//! | revealed another content | `base * minority_share`; loses `bond * minority_slash` | bond returns |
//! | revealed a leader, less than a third attest | | loses `bond * minority_slash`: it vouched for what it did not serve |
//! | revealed a leader, a third attest or more | | bond returns |
//! | did not reveal | loses the bond | loses the bond |
//! | creator | pays the rent; what is not paid of the escrow returns | escrow and rent return |
//!
//! The arithmetic is in [`reward`]. Rewards, deposits and bonds are held in their owners' accounts under
//! [`HoldReason`]; the pallet has no pot. Slashed bonds go to [`Config::Slashed`]. A payment that an account cannot
//! receive never stops the others: it stays with the creator, and [`Event::Undelivered`] says so.
//!
//! # Shares
//!
//! What won belongs to those who revealed it: [`AssetId::Shares`] of the task is a class of fungible tokens with
//! [`reward::TOTAL_SHARES`] units, handed out by weight, of which an account owns [`reward::MIN_SHARES`] or none.
//! Nobody can mint, freeze or burn them: their admin is the keyless account of [`Config::PalletId`].
//!
//! # Spaces
//!
//! A task may name a space, which admits what wins.
//!
//! # Votes
//!
//! What a round of a space results in, and what the workers of a range computed in a session, are tasks as well
//! ([`Purpose::Vote`]), but such in which attester keys take part, each of which counts 1: those of the validators of the
//! session in which the vote begins, or those that are named. A result needs more than half of all of them. There are no
//! bonds, rewards, fees and shares: whoever opens a vote sees to what it costs. Ballots are free and come before
//! everything else in a block. So that they cannot keep others out, at most [`Config::MaxRounds`] and
//! [`Config::MaxTraces`] are voted on at one time, each bounded for itself, so that neither keeps the other out.
//!
//! When the outcome is known, voters are dismissed one by one. [`Config::Outcomes`] is told of each, and an event names
//! each that failed: came not, did not reveal, or revealed another result than the one that won. Silence is a failure
//! whatever the outcome; where nothing won, nobody is outvoted. At last it is told how the vote ended. A vote leaves no
//! [`Contribution`]: its result is for those to remember who asked.
//!
//! # Who may read it
//!
//! A task is public or restricted ([`Audience`]). The chain says who is entitled to what won a restricted one; nodes
//! ask it before they serve. Settlement tells [`Config::Exchange`] of every winner and of every contribution, so that
//! winners are granted what others won.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod agenda;
mod attest;
mod ballots;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod contribute;
mod create;
mod exchange;
mod funds;
mod integrity;
#[cfg(test)]
mod mock;
mod offchain_worker;
pub mod reward;
mod settle;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod turns;
pub mod types;
mod view;
mod votes;
pub mod weights;

pub use pallet::*;
pub(crate) use types::existential_deposit;
pub use types::{
    Access, AccessOf, Attestation, Balance, Ballot, CommitteeOf, Contribution, CreditOf, Leader, Opened, Order,
    OrderOf, Outcome, Panel, PanelOf, Participation, Purpose, Request, Sealed, Seat, State, Step, Tally, Task, TaskOf,
    Undeliverable, VoidReason, VoteCounts,
};
pub use weights::WeightInfo;

use ensemble_core::{
    attester::AttesterSignature,
    exchange::{Audience, Exchange},
    spaces::Spaces,
    tasks::{Content, Descriptor, Phases, Terms, Weighting},
    votes::{Failure, Matter, VoteOutcome},
    AssetId, AttesterId, SpaceId, TaskId,
};
use ensemble_tensor::TensorId;
use frame_support::{
    pallet_prelude::*,
    traits::{fungible, fungibles, OnUnbalanced, Randomness},
    PalletId,
};
use frame_system::{ensure_authorized, offchain::CreateAuthorizedTransaction, pallet_prelude::*};
use sp_core::H256;

/// Target of this pallet's log lines.
pub(crate) const LOG: &str = "runtime::tasks";

#[expect(clippy::cast_possible_truncation, reason = "FRAME's macros number variants with `as u8`")]
#[expect(clippy::too_many_arguments, reason = "those of `create` are what a wallet shows, one by one")]
#[frame_support::pallet]
pub mod pallet {
    use super::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The runtime's transaction extensions must contain `frame_system::AuthorizeCall`, which lets attestations in.
    #[pallet::config]
    pub trait Config:
        CreateAuthorizedTransaction<Call<Self>> + frame_system::Config<RuntimeEvent: From<Event<Self>>>
    {
        /// The runtime's reasons for holds.
        type RuntimeHoldReason: From<HoldReason>;

        /// The native token: rewards, deposits and bonds are held in it.
        type Currency: fungible::MutateHold<Self::AccountId, Balance = Balance, Reason = Self::RuntimeHoldReason>
            + fungible::BalancedHold<Self::AccountId>;

        /// Shares of contributions. Nothing else may create classes of the form [`AssetId::Shares`].
        type Shares: fungibles::Create<Self::AccountId>
            + fungibles::Mutate<Self::AccountId, AssetId = AssetId, Balance = Balance>;

        /// Hands what wins on to the winners of other tasks.
        type Exchange: Exchange<Self::AccountId>;

        /// Admits what wins tasks that name a space.
        type Spaces: Spaces<Self::AccountId>;

        /// Is told how votes end, and passes it on to whose matter it is.
        type Outcomes: VoteOutcome;

        /// Receives what is slashed from bonds, and what tasks cost their creators.
        type Slashed: OnUnbalanced<CreditOf<Self>>;

        /// What the author of the block before could not choose, but may have known. It is mixed into [`Entropy`] at
        /// the start of every block.
        type Randomness: Randomness<Self::Hash, BlockNumberFor<Self>>;

        /// Owns the classes of shares.
        #[pallet::constant]
        type PalletId: Get<PalletId>;

        /// Most tasks that are not settled, at one time; votes come on top.
        #[pallet::constant]
        type MaxTasks: Get<u32>;

        /// Most rounds that are voted on at one time. The votes on so many must leave others room in a block, as they
        /// are free and come before everything else; [`Hooks::integrity_test`] sees to that.
        #[pallet::constant]
        type MaxRounds: Get<u32>;

        /// Most traces that are voted on at one time, likewise. Each has at most
        /// [`ensemble_core::inference::MAX_REPLICAS`] voters.
        #[pallet::constant]
        type MaxTraces: Get<u32>;

        /// Most participants of a task.
        #[pallet::constant]
        type MaxParticipants: Get<u32>;

        /// Most attesters in a session. Further ones are left out.
        #[pallet::constant]
        type MaxAttesters: Get<u32>;

        /// Attesters drawn for a task; all of them where there are no more.
        #[pallet::constant]
        type AttestersPerTask: Get<u32>;

        /// Blocks between the last reveal and the draw of attesters, where not all of them attest. Each adds to
        /// [`Entropy`] what its author knew: whoever decides in the last block what to reveal knows who will be drawn
        /// only if it is the author of all of these.
        #[pallet::constant]
        type DrawDelay: Get<BlockNumberFor<Self>>;

        /// Most panels that begin to attest in a block. The attestations of so many must leave others room in a block,
        /// as they are free and come before everything else; [`Hooks::integrity_test`] sees to that.
        #[pallet::constant]
        type MaxPanelsPerBlock: Get<u32>;

        /// Most participants that one [`Pallet::advance`] settles.
        #[pallet::constant]
        type SettlePerCall: Get<u32>;

        /// Shortest phase in blocks, at least 1.
        #[pallet::constant]
        type MinPhase: Get<BlockNumberFor<Self>>;

        /// Longest phase in blocks.
        #[pallet::constant]
        type MaxPhase: Get<BlockNumberFor<Self>>;

        /// Smallest bond that a task may ask for, in planck; at least the existential deposit.
        #[pallet::constant]
        type MinBond: Get<Balance>;

        /// Held from the creator while the task's record exists, in planck; at least the existential deposit. It
        /// doubles with each tenth of [`Config::MaxTasks`] that is taken, so that nobody can keep all others out for
        /// little.
        #[pallet::constant]
        type TaskDeposit: Get<Balance>;

        /// Most bytes of a content, as validators keep it: data without headers, for a bundle of all members together.
        #[pallet::constant]
        type MaxContentBytes: Get<u64>;

        /// What a creator pays for each MiB, or part of one, that the content of its task may have, in planck, if one
        /// wins: validators keep what won for ever. Held until then.
        #[pallet::constant]
        type RentPerMib: Get<Balance>;

        /// What a creator pays for the attestations of its task, in planck, whatever becomes of it: about what they
        /// would cost those who send them, who pay nothing.
        #[pallet::constant]
        type AttestFee: Get<Balance>;

        /// Priority of attestations and ballots in the transaction pool.
        #[pallet::constant]
        type AttestPriority: Get<TransactionPriority>;

        /// Weights of calls and steps.
        type WeightInfo: WeightInfo;
    }

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The creator's deposit for a task's record.
        TaskDeposit,
        /// The most that the creator's tasks can still pay.
        Reward,
        /// The bonds of a participant.
        Bond,
        /// The rent of what may win the creator's tasks.
        Rent,
    }

    /// The number of the next task.
    #[pallet::storage]
    pub type NextTaskId<T> = StorageValue<_, TaskId, ValueQuery>;

    /// Tasks that are not settled; at most [`Config::MaxTasks`], and the [`OpenVotes`].
    #[pallet::storage]
    pub type Tasks<T: Config> = CountedStorageMap<_, Twox64Concat, TaskId, TaskOf<T>>;

    /// The committees, sorted, of tasks that have one. Goes with the task.
    #[pallet::storage]
    pub type Committees<T: Config> = StorageMap<_, Twox64Concat, TaskId, CommitteeOf<T>>;

    /// The parts that accounts take in tasks; at most `max_participants` per task. Each goes as it is settled.
    #[pallet::storage]
    pub type Participations<T: Config> =
        StorageDoubleMap<_, Twox64Concat, TaskId, Blake2_128Concat, T::AccountId, Participation>;

    /// The keys that may vote, and what they said; at most [`Config::MaxAttesters`] per task, or as many as can be
    /// named. Each goes as it is dismissed.
    #[pallet::storage]
    pub type Ballots<T: Config> = StorageDoubleMap<_, Twox64Concat, TaskId, Blake2_128Concat, AttesterId, Ballot>;

    /// The number of votes that are not over: at most [`Config::MaxRounds`] on rounds, and [`Config::MaxTraces`] on
    /// traces.
    #[pallet::storage]
    pub type OpenVotes<T> = StorageValue<_, VoteCounts, ValueQuery>;

    /// Support for the contents that were revealed. Each goes with the first of its backers to be settled.
    #[pallet::storage]
    pub type Tallies<T: Config> = StorageDoubleMap<_, Twox64Concat, TaskId, Identity, TensorId, Tally, ValueQuery>;

    /// The panels of tasks in their attest phase.
    #[pallet::storage]
    pub type Attestations<T: Config> = StorageMap<_, Twox64Concat, TaskId, PanelOf<T>>;

    /// The randomness of all blocks so far, mixed: blake2b-256 over what it was before and the randomness of one more.
    #[pallet::storage]
    pub type Entropy<T> = StorageValue<_, H256, ValueQuery>;

    /// Panels that began to attest in this block; at most [`Config::MaxPanelsPerBlock`].
    #[pallet::storage]
    pub type PanelsOpened<T> = StorageValue<_, u32, ValueQuery>;

    /// What won, by task. Stays.
    #[pallet::storage]
    pub type Contributions<T: Config> =
        StorageMap<_, Twox64Concat, TaskId, Contribution<T::AccountId, BlockNumberFor<T>>>;

    /// For each task the block from which its next step is due; one entry per task.
    #[pallet::storage]
    pub type Agenda<T: Config> = StorageDoubleMap<_, Twox64Concat, BlockNumberFor<T>, Twox64Concat, TaskId, ()>;

    /// The first block that the agenda may have entries for.
    #[pallet::storage]
    pub type NextDue<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

    /// The attester keys of the session's validators.
    #[pallet::storage]
    pub type Attesters<T: Config> = StorageValue<_, BoundedVec<AttesterId, T::MaxAttesters>, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A task was created: `deposit` is held for its record, `escrow` for its rewards, `rent` for keeping what
        /// wins, and `fee` was paid for its attestations.
        TaskCreated {
            task: TaskId,
            creator: T::AccountId,
            content: Content,
            audience: Audience,
            space: Option<SpaceId>,
            commit_until: BlockNumberFor<T>,
            reveal_until: BlockNumberFor<T>,
            deposit: Balance,
            escrow: Balance,
            rent: Balance,
            fee: Balance,
        },
        /// A task was cancelled by its creator.
        TaskCancelled { task: TaskId, creator: T::AccountId },
        /// An account committed.
        Committed { task: TaskId, who: T::AccountId, bond: Balance },
        /// An account opened its commitment.
        Revealed { task: TaskId, who: T::AccountId, content: TensorId },
        /// A content leads, and `attesters` of the chain's attesters were drawn to fetch it.
        AttestStarted { task: TaskId, content: TensorId, attesters: u32, until: BlockNumberFor<T> },
        /// A drawn attester has fetched, verified and kept the leader.
        Attested { task: TaskId, content: TensorId, attester: AttesterId },
        /// The outcome of a task is known. It does not change any more.
        TaskDecided { task: TaskId, outcome: Outcome },
        /// A participant was settled: paid `reward` and `shares`, slashed `slashed`, the rest of its bond returned.
        ParticipantSettled { task: TaskId, who: T::AccountId, reward: Balance, slashed: Balance, shares: Balance },
        /// An account could not receive what it was due. A reward stays with the creator; shares are not created; a
        /// rest of a bond or escrow too small for the account to exist on is slashed.
        Undelivered { task: TaskId, who: T::AccountId, due: Undeliverable, amount: Balance },
        /// All participants of a task were settled. `returned` of the escrow went back to its creator, and `rent` was
        /// paid for keeping what won.
        TaskSettled { task: TaskId, creator: T::AccountId, returned: Balance, rent: Balance },
        /// The vote of so many keys on a matter began.
        VoteOpened {
            task: TaskId,
            matter: Matter,
            voters: u32,
            commit_until: BlockNumberFor<T>,
            reveal_until: BlockNumberFor<T>,
        },
        /// A voter committed to a result.
        VoteCommitted { task: TaskId, voter: AttesterId },
        /// A voter opened its commitment.
        VoteRevealed { task: TaskId, voter: AttesterId, content: TensorId },
        /// A voter failed in a vote that is over.
        VoterFailed { task: TaskId, voter: AttesterId, failure: Failure },
        /// All voters were dismissed, and whose matter it is was told how the vote ended.
        VoteClosed { task: TaskId, matter: Matter },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// There is no such task.
        UnknownTask,
        /// The task is over: cancelled, or nothing is left but to settle it.
        TaskOver,
        /// The chain has as many open tasks as it allows. Try again when some are settled.
        TooManyTasks,
        /// No content can have this kind, shape or size.
        InvalidContent,
        /// The content may be larger than the chain allows.
        ContentTooLarge,
        /// A phase is shorter or longer than the chain allows.
        InvalidPhase,
        /// The quorum must be at least 1 and at most the number of participants.
        InvalidQuorum,
        /// The task asks for more participants than the chain allows.
        TooManyParticipants,
        /// A committee needs at least one member.
        EmptyCommittee,
        /// An account stands in the committee twice.
        DuplicateMember,
        /// The number of participants must be the number of the committee's members.
        CommitteeSize,
        /// The bond is lower than the chain allows.
        BondTooLow,
        /// The cap on bonds is lower than the bond.
        CapBelowBond,
        /// The worst case of the rewards is no amount that can exist.
        RewardTooLarge,
        /// The creator's free balance does not cover the worst case of the rewards, the deposit, the rent and
        /// the fee.
        CannotPay,
        /// The task takes no commitments now.
        NotCommitting,
        /// The account is not in the task's committee.
        NotInCommittee,
        /// The account has committed already. A commitment cannot be changed.
        AlreadyCommitted,
        /// The task has as many participants as it takes.
        TaskFull,
        /// The bond must be exactly the one that the task names.
        WrongBond,
        /// The bond is lower than the one that the task names.
        BondBelowTerms,
        /// The bond is higher than the cap that the task names.
        BondAboveCap,
        /// The account's free balance does not cover the bond.
        CannotBond,
        /// The task takes no reveals now.
        NotRevealing,
        /// The account did not commit to the task.
        NotCommitted,
        /// The account has revealed already.
        AlreadyRevealed,
        /// The commitment is not the hash of this content, account, task and salt.
        WrongOpening,
        /// The content is of another kind than the task asks for.
        WrongKind,
        /// The content is of another shape than the task asks for.
        WrongShape,
        /// The content is larger than the task allows.
        TooLarge,
        /// Only the creator may cancel a task.
        NotCreator,
        /// Somebody has committed: the task cannot be cancelled any more.
        HasCommitments,
        /// The task is not in its attest phase.
        NotAttesting,
        /// The attestation is for another content than the leader.
        NotTheLeader,
        /// The key was not drawn to attest this task.
        NotDrawn,
        /// The attester has attested already.
        AlreadyAttested,
        /// Nothing is due for the task in this block.
        NothingDue,
        /// As many panels began to attest in this block as may. Try again in the next one.
        TooManyPanels,
        /// What a space takes must be public, because all validators compute with it.
        NotPublic,
        /// The task is a vote, in which attester keys take part.
        ForVoters,
        /// The task is no vote. Accounts take part in it.
        ForAccounts,
        /// Nobody could vote: the session has no attesters, or no key was named.
        NoVoters,
        /// A key was named twice as a voter.
        DuplicateVoter,
        /// As many matters of this sort are voted on as may.
        TooManyVotes,
        /// The key is not among those that may vote, or was dismissed.
        NotAVoter,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::mix_entropy();
            PanelsOpened::<T>::kill();
            <T as Config>::WeightInfo::on_initialize()
        }

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
        /// Creates a task, holds what it can cost, the worst case of its rewards, the deposit and the rent, and takes
        /// the fee for its attestations.
        ///
        /// - `content`: what is asked for.
        /// - `access`: who may take part. A committee counts as many members as `max_participants` says.
        /// - `weighting`: how words count.
        /// - `phases`: lengths in blocks, the first from this block on.
        /// - `quorum`: number of valid reveals needed.
        /// - `max_participants`: most participants.
        /// - `terms`: what the task pays and takes.
        /// - `audience`: who may read what wins.
        /// - `space`: the space that is to admit what wins. It must take such contents from tasks of the creator, and the
        ///   task must be public.
        #[pallet::call_index(0)]
        #[pallet::weight(Pallet::<T>::create_weight(access.members(), space.is_some()))]
        pub fn create(
            origin: OriginFor<T>,
            content: Content,
            access: AccessOf<T>,
            weighting: Weighting<Balance>,
            phases: Phases<BlockNumberFor<T>>,
            quorum: u32,
            max_participants: u32,
            terms: Terms<Balance>,
            audience: Audience,
            space: Option<SpaceId>,
        ) -> DispatchResult {
            let creator = ensure_signed(origin)?;
            let request =
                Request { content, access, weighting, phases, quorum, max_participants, terms, audience, space };
            Self::do_create(creator, request)
        }

        /// Commits to a content and holds `bond`, in planck, until the task is settled.
        ///
        /// `commitment` is the blake2b-256 hash of the SCALE encoding of content id, account, task and a salt of 32
        /// bytes that nobody else knows. Whoever loses the salt loses the bond.
        #[pallet::call_index(1)]
        pub fn commit(origin: OriginFor<T>, task: TaskId, commitment: H256, bond: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_commit(who, task, commitment, bond)
        }

        /// Opens a commitment: names the content by its header and Merkle root, and the salt.
        #[pallet::call_index(2)]
        pub fn reveal(origin: OriginFor<T>, task: TaskId, descriptor: Descriptor, salt: [u8; 32]) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_reveal(who, task, descriptor, salt)
        }

        /// Cancels a task before its first commitment; for its creator. Everything held for it is released.
        #[pallet::call_index(3)]
        pub fn cancel(origin: OriginFor<T>, task: TaskId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_cancel(who, task)
        }

        /// Does what is due for a task, settling at most [`Config::SettlePerCall`] participants; for anyone.
        ///
        /// Blocks with room to spare do the same by themselves. The weight of what was not needed is refunded.
        #[pallet::call_index(4)]
        #[pallet::weight(Pallet::<T>::advance_weight(T::SettlePerCall::get()))]
        pub fn advance(origin: OriginFor<T>, task: TaskId) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            Self::do_advance(task)
        }

        /// Attests that the leader of a task can be had; for a drawn attester.
        ///
        /// `signature` is the attester's over [`Attestation::signed_bytes`]. It is checked before the transaction gets
        /// into the pool or a block. Such a transaction costs nothing, because no account signs it. One that an account
        /// signs fails, and pays for that like any other.
        #[pallet::call_index(5)]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_attest())]
        #[pallet::authorize(Pallet::<T>::authorize_attest)]
        pub fn attest(origin: OriginFor<T>, attestation: Attestation, _signature: AttesterSignature) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_attest(attestation)
        }

        /// Commits a voter to a result, without a bond.
        ///
        /// `signature` is that of the attester key over [`Sealed::signed_bytes`]. It is checked, and what is not let in
        /// refused, as with [`Pallet::attest`].
        #[pallet::call_index(6)]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_commit_as_attester())]
        #[pallet::authorize(Pallet::<T>::authorize_commit)]
        pub fn commit_as_attester(
            origin: OriginFor<T>,
            sealed: Sealed,
            _signature: AttesterSignature,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_commit_as_attester(sealed)
        }

        /// Opens a voter's commitment: names the result by its header and Merkle root, and the salt.
        ///
        /// `signature` is that of the attester key over [`Opened::signed_bytes`]. It is checked, and what is not let in
        /// refused, as with [`Pallet::attest`].
        #[pallet::call_index(7)]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_reveal_as_attester())]
        #[pallet::authorize(Pallet::<T>::authorize_reveal)]
        pub fn reveal_as_attester(
            origin: OriginFor<T>,
            opened: Opened,
            _signature: AttesterSignature,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_reveal_as_attester(opened)
        }
    }
}
