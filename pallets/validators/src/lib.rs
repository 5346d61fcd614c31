//! The chain's block validators: who stands, who is elected, how long sessions and eras last, and what offences cost.
//!
//! # The life of a validator
//!
//! 1. **Stand.** The owner of a module that plays the part of a validator, with at least [`Config::MinStake`] on it and
//!    with session keys, stands with it. From then on the module's stake decides, and answers for the owner's machine.
//! 2. **Election.** An era is a fixed number of sessions. When the last session before an era begins, the candidates
//!    with most stake are elected for it ([`selection`]). The order of candidates is kept up to date whenever stake
//!    changes, so that an election reads no more of them than there are seats, and [`Config::MaxSkips`] whose owners
//!    have no session keys any more, who are chilled.
//! 3. **Sit.** Each session's validators are handed to pallet-session, so that `historical` has a root for each, and an
//!    equivocation can be proved against the session in which it happened.
//! 4. **Chill.** Who asks for it, has too little stake, plays another part, loses its module or commits an offence stands
//!    no more. Who sits keeps its seat to the end of the era, but for offenders.
//!
//! # Continuity
//!
//! While fewer than [`Config::MinValidators`] can be elected, all who sit stay; so do the validators of genesis, who need
//! no module, until enough stand. Newcomers are few enough that finality goes on even if none of them, and none of those
//! who were silent lately, ever works: with `p` others that stay and `u` that were silent, at most `(p - 1) / 2 - u` come.
//! A chain whose genesis names fewer than three validators therefore keeps those.
//!
//! # Offences
//!
//! An offender is disabled at once, is chilled, may not stand again for [`Config::ChillPeriod`] eras, and leaves the
//! sessions to come, unless fewer than [`Config::MinValidators`] would remain: a chain without validators helps nobody.
//! The part of its module's stake that the offence names is slashed, of all offences of an era the largest.
//!
//! Equivocations are proved by anybody who saw them, in transactions of BABE and GRANDPA. Silence is seen by the chain
//! itself: who authors nothing in at least [`Config::SilentSessions`] whole sessions in a row, while its share of the
//! blocks that were made comes to [`Config::SilentShare`], is reported when the last of them ends. In a session in which
//! few blocks are made, everybody's share is small: a chain that stalls punishes nobody.
//!
//! # Lengths
//!
//! The lengths of sessions and eras are set at genesis and never change: BABE derives every epoch from the one, and
//! the era of an offence follows from the other.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod attendance;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod election;
mod integrity;
pub mod migrations;
#[cfg(test)]
mod mock;
mod neighbours;
mod offences;
pub mod selection;
mod session;
mod standing;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
pub mod types;
mod view;
pub mod weights;

pub use pallet::*;
pub use session::{Identification, SessionLengthOf};
pub use types::{Attendance, Balance, Candidate, CandidateOf, ChillReason, OffenderOf, Seat, SeatsOf, Silence};
pub use weights::WeightInfo;

use alloc::vec::Vec;

use ensemble_core::{modules::Modules, order::GreatestFirst, stake::Stake, EraIndex, ModuleId};
use frame_support::{
    pallet_prelude::*,
    traits::{ConstU32, ConstU64},
};
use frame_system::pallet_prelude::*;
use sp_runtime::Perbill;
use sp_staking::{offence::ReportOffence, SessionIndex};

/// Target of this pallet's log lines.
pub(crate) const LOG: &str = "runtime::validators";

/// Slots, of 3 s each, that a session lasts unless genesis says otherwise: one hour.
const DEFAULT_SESSION_LENGTH: u64 = 1_200;

/// Sessions that an era lasts unless genesis says otherwise.
const DEFAULT_SESSIONS_PER_ERA: u32 = 6;

#[expect(clippy::cast_possible_truncation, reason = "FRAME's macros number variants with `as u8`")]
#[frame_support::pallet]
pub mod pallet {
    use super::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// In the runtime this pallet stands before pallet-session, whose genesis asks it for validators, and
    /// pallet-authorship after that, so that the first block of a session counts for who authored it.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>>
        + pallet_session::historical::Config<
            ValidatorId = <Self as frame_system::Config>::AccountId,
            FullIdentification = (),
        >
    {
        /// The registry of modules. It must tell this pallet of removals, transfers and other parts that modules play.
        type Modules: Modules<Self::AccountId>;

        /// The stake on modules. It must tell this pallet of every change.
        type Stake: Stake<Self::AccountId, Balance>;

        /// Where silence is reported.
        type ReportSilence: ReportOffence<Self::AccountId, OffenderOf<Self>, Silence<OffenderOf<Self>>>;

        /// Most validators in the set.
        #[pallet::constant]
        type MaxValidators: Get<u32>;

        /// With fewer candidates all who sit stay, and an offence excludes nobody when fewer would remain.
        #[pallet::constant]
        type MinValidators: Get<u32>;

        /// Most modules that stand at one time.
        #[pallet::constant]
        type MaxCandidates: Get<u32>;

        /// Least stake on a module that stands, in planck.
        #[pallet::constant]
        type MinStake: Get<Balance>;

        /// Most candidates without session keys that an election passes over, and chills.
        #[pallet::constant]
        type MaxSkips: Get<u32>;

        /// Whole eras after that of its report for which an offender may not stand.
        #[pallet::constant]
        type ChillPeriod: Get<EraIndex>;

        /// Sessions, beside the current one, in which an offence can still be proved.
        #[pallet::constant]
        type ReportableSessions: Get<SessionIndex>;

        /// Least whole sessions in a row without a block that are silence.
        #[pallet::constant]
        type SilentSessions: Get<u32>;

        /// Least number of blocks that were a validator's share while it was silent.
        #[pallet::constant]
        type SilentShare: Get<u32>;

        /// Weights of calls, and of what happens when sessions end.
        type WeightInfo: WeightInfo;
    }

    /// The validators of the sessions to come, in the order in which they came.
    #[pallet::storage]
    pub type Validators<T: Config> = StorageValue<_, BoundedVec<T::AccountId, T::MaxValidators>, ValueQuery>;

    /// Length of a session, in slots. Set at genesis, for ever.
    #[pallet::storage]
    pub type SessionLength<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<DEFAULT_SESSION_LENGTH>>;

    /// Length of an era, in sessions. Set at genesis, for ever.
    #[pallet::storage]
    pub type SessionsPerEra<T: Config> = StorageValue<_, u32, ValueQuery, ConstU32<DEFAULT_SESSIONS_PER_ERA>>;

    /// The modules that stand.
    #[pallet::storage]
    pub type Candidates<T: Config> = CountedStorageMap<_, Twox64Concat, ModuleId, CandidateOf<T>>;

    /// The module with which an account stands.
    #[pallet::storage]
    pub type StandsWith<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, ModuleId>;

    /// Those who stand, by the stake on their modules: the greatest comes first, and of equals the module that was
    /// registered first.
    ///
    /// Stakes are keys as they are, so that the map is read in their order. Someone may so deepen the path to a
    /// candidate by staking almost as much on others: by one node for each, and by no more than a key has half-bytes.
    #[pallet::storage]
    pub type Ranking<T: Config> = StorageMap<_, Identity, GreatestFirst, T::AccountId>;

    /// Who was elected for an era: the last that can still be reported, and that barred offenders come from.
    #[pallet::storage]
    pub type Seats<T: Config> = StorageMap<_, Twox64Concat, EraIndex, SeatsOf<T>, ValueQuery>;

    /// First era in which an offender may stand again.
    #[pallet::storage]
    pub type Bars<T: Config> = StorageMap<_, Twox64Concat, T::AccountId, EraIndex>;

    /// Blocks that validators authored in the current session.
    #[pallet::storage]
    pub type Authored<T: Config> = StorageMap<_, Twox64Concat, T::AccountId, u32, ValueQuery>;

    /// The validators of the session that ended last, and for how long they were silent.
    #[pallet::storage]
    pub type Attendances<T: Config> =
        StorageValue<_, BoundedVec<Attendance<T::AccountId>, T::MaxValidators>, ValueQuery>;

    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The first validators; their session keys stand in pallet-session's genesis.
        pub validators: Vec<T::AccountId>,
        /// Length of a session, in slots; nothing: one hour.
        pub session_length: Option<u64>,
        /// Length of an era, in sessions; nothing: six.
        pub sessions_per_era: Option<u32>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let validators = BoundedVec::try_from(self.validators.clone())
                .expect("genesis names more validators than MaxValidators allows");
            Pallet::<T>::trust(&validators);
            Validators::<T>::put(validators);
            if let Some(length) = self.session_length {
                assert!(length > 0, "a session of no slots never ends");
                SessionLength::<T>::put(length);
            }
            if let Some(sessions) = self.sessions_per_era {
                assert!(sessions > 0, "an era has at least one session");
                SessionsPerEra::<T>::put(sessions);
            }
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An account stands with its module, on which `stake` is staked, in planck.
        Stood { module: ModuleId, validator: T::AccountId, stake: Balance },
        /// An account stands with its module no more.
        Chilled { module: ModuleId, validator: T::AccountId, reason: ChillReason },
        /// The validators of an era were elected; the last `newcomers` of them did not sit before.
        Elected { era: EraIndex, validators: Vec<T::AccountId>, newcomers: u32 },
        /// A validator was reported: it had authored no block in `sessions` whole sessions in a row, up to `session`.
        Silent { validator: T::AccountId, session: SessionIndex, sessions: u32 },
        /// An offender was excluded from the sessions to come. The offence was in `session`.
        Excluded { validator: T::AccountId, session: SessionIndex },
        /// An offender stays in the set, because too few would remain without it. The offence was in `session`.
        Retained { validator: T::AccountId, session: SessionIndex },
        /// For an offence in `session` the module that answers for a validator lost `amount`, in planck. Now `part` of
        /// what it had is slashed in that session's era.
        Slashed { validator: T::AccountId, module: ModuleId, session: SessionIndex, part: Perbill, amount: Balance },
        /// An offender may stand again from the era `until` on.
        Barred { validator: T::AccountId, until: EraIndex },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// There is no such module.
        UnknownModule,
        /// Only the module's owner may do this.
        NotOwner,
        /// Only a module that plays the part of a validator stands. Set its role first.
        NotValidator,
        /// The account has no session keys. Set them first.
        NoSessionKeys,
        /// The module stands already.
        StandsAlready,
        /// The account stands with another module. Chill that one first.
        StandsElsewhere,
        /// Less is staked on the module than the chain asks of those who stand.
        StakeTooLow,
        /// The account committed an offence and may not stand yet.
        Barred,
        /// As many modules stand as the chain allows.
        TooManyCandidates,
        /// The module does not stand.
        NotStanding,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
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
        /// Stands for the election of block validators with a module; for its owner, whose session keys will author and
        /// finalise blocks.
        #[pallet::call_index(0)]
        pub fn stand(origin: OriginFor<T>, module: ModuleId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_stand(who, module)
        }

        /// Stands no more with a module; for its owner. Who sits keeps its seat to the end of the era.
        #[pallet::call_index(1)]
        pub fn chill(origin: OriginFor<T>, module: ModuleId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_chill(&who, module)
        }
    }
}
