//! The origins that referenda give their proposals, and how long a day of governance is.
//!
//! An origin may do what its track decides on, and nothing else. All periods of governance are given in hours of a day
//! whose length in blocks is set at genesis: one runtime serves networks that decide in weeks and tests that decide in
//! minutes.

use core::marker::PhantomData;

use frame_support::{
    parameter_types,
    traits::{EnsureOrigin, Get, OriginTrait},
};
use frame_system::RawOrigin;

pub use pallet::*;

use super::parameters::dynamic_params::treasury;
use crate::{Balance, BlockNumber, OriginCaller, Runtime, RuntimeOrigin};

#[frame_support::pallet]
pub mod pallet {
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::BlockNumberFor;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// Blocks of a day of governance unless genesis says otherwise; at least 1.
        #[pallet::constant]
        type DefaultDay: Get<BlockNumberFor<Self>>;
    }

    /// Who a proposal acts as once its referendum has passed; see the tracks for how it passes.
    #[pallet::origin]
    #[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
    pub enum Origin {
        /// Sets parameters: how emission is split, what things cost, how much is required.
        Parameters,
        /// Rules over the registry: types and patterns of names, flags of miners, answers that are known to be true.
        Registry,
        /// Slashes the stake of a module.
        Slasher,
        /// Spends what is large from the treasury.
        BigSpender,
        /// Spends what is small from the treasury.
        SmallSpender,
        /// Ends a referendum; deposits are returned.
        Canceller,
        /// Ends a referendum and takes its deposits.
        Killer,
    }

    /// Blocks of a day of governance. Set at genesis, for ever.
    #[pallet::storage]
    pub type Day<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery, T::DefaultDay>;

    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Blocks of a day of governance; nothing: [`Config::DefaultDay`].
        pub day: Option<BlockNumberFor<T>>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            if let Some(day) = self.day {
                assert!(day >= 1u32.into(), "a day of governance must have at least one block");
                Day::<T>::put(day);
            }
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::DefaultDay::get() >= 1u32.into(), "a day of governance must have at least one block");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[cfg(any(feature = "try-runtime", feature = "std"))]
    impl<T: Config> Pallet<T> {
        /// A day has blocks.
        pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
            ensure!(Day::<T>::get() >= 1u32.into(), "a day of governance has no blocks");
            Ok(())
        }
    }
}

/// Blocks of so many hours of governance, where a day has `day` blocks; at least one.
pub(super) fn blocks_of(hours: u32, day: BlockNumber) -> BlockNumber {
    let blocks = u64::from(hours).saturating_mul(day.into()) / 24;
    BlockNumber::try_from(blocks).unwrap_or(BlockNumber::MAX).max(1)
}

/// Blocks of so many hours of governance.
pub struct Hours<const COUNT: u32>;

impl<const COUNT: u32> Get<BlockNumber> for Hours<COUNT> {
    fn get() -> BlockNumber {
        blocks_of(COUNT, Day::<Runtime>::get())
    }
}

parameter_types! {
    pub const ParametersOrigin: Origin = Origin::Parameters;
    pub const RegistryOrigin: Origin = Origin::Registry;
    pub const SlasherOrigin: Origin = Origin::Slasher;
    pub const CancellerOrigin: Origin = Origin::Canceller;
    pub const KillerOrigin: Origin = Origin::Killer;
}

/// Root, or a referendum on the track of this origin.
pub struct RootOr<Granted>(PhantomData<Granted>);

/// Sets parameters.
pub type EnsureParameters = RootOr<ParametersOrigin>;
/// Rules over the registry.
pub type EnsureRegistry = RootOr<RegistryOrigin>;
/// Slashes stake.
pub type EnsureSlasher = RootOr<SlasherOrigin>;
/// Cancels referenda.
pub type EnsureCanceller = RootOr<CancellerOrigin>;
/// Kills referenda.
pub type EnsureKiller = RootOr<KillerOrigin>;

impl<Granted: Get<Origin>> EnsureOrigin<RuntimeOrigin> for RootOr<Granted> {
    type Success = ();

    fn try_origin(origin: RuntimeOrigin) -> Result<(), RuntimeOrigin> {
        match origin.caller() {
            OriginCaller::system(RawOrigin::Root) => Ok(()),
            OriginCaller::Origins(granted) if *granted == Granted::get() => Ok(()),
            _ => Err(origin),
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn try_successful_origin() -> Result<RuntimeOrigin, ()> {
        Ok(RuntimeOrigin::root())
    }
}

/// Who spends from the treasury, and how much at one time, in planck.
pub struct EnsureSpender;

impl EnsureOrigin<RuntimeOrigin> for EnsureSpender {
    type Success = Balance;

    fn try_origin(origin: RuntimeOrigin) -> Result<Balance, RuntimeOrigin> {
        match origin.caller() {
            OriginCaller::system(RawOrigin::Root) => Ok(Balance::MAX),
            OriginCaller::Origins(Origin::BigSpender) => Ok(treasury::BigSpend::get()),
            OriginCaller::Origins(Origin::SmallSpender) => Ok(treasury::SmallSpend::get()),
            _ => Err(origin),
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn try_successful_origin() -> Result<RuntimeOrigin, ()> {
        Ok(RuntimeOrigin::root())
    }
}
