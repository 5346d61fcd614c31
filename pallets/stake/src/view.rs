//! What outsiders may ask: the answers of the runtime API `StakeApi`. Only the worth of one stake is asked by calls.

use alloc::{collections::BTreeSet, vec::Vec};

use ensemble_core::{
    stake::{MovedView, PoolView, StakeView, UnbondingView},
    ModuleId,
};
use frame_system::pallet_prelude::BlockNumberFor;

use crate::{Balance, Config, MoveOf, Moves, Pallet, PoolOf, Pools, Stakes, Unbondings};

/// Most entries of an answer.
const MAX_ENTRIES: u32 = 100;

type PoolViewOf<T> = PoolView<Balance, BlockNumberFor<T>>;
type StakeViewOf<T> = StakeView<Balance, BlockNumberFor<T>>;

impl<T: Config> Pallet<T> {
    /// The stake on a module; nothing if nobody has any and its owner set no fee.
    pub fn pool_view(module: ModuleId) -> Option<PoolViewOf<T>> {
        let pool = Pools::<T>::try_get(module).ok()?;
        Some(PoolView {
            module,
            staked: pool.active.value,
            unbonding: pool.unbonding.value,
            moved: pool.moved.value,
            holders: pool.active.holders,
            price: pool.active.price(),
            fee: pool.fee,
            fee_rise_from: pool.fee_rise_from,
        })
    }

    /// An account's stake, in the order of the modules' numbers, from `first` on, at most `limit` (and 100).
    pub fn stakes_of(account: &T::AccountId, first: ModuleId, limit: u32) -> Vec<StakeViewOf<T>> {
        let mut modules: BTreeSet<_> = Stakes::<T>::iter_key_prefix(account).collect();
        modules.extend(Moves::<T>::iter_key_prefix(account));
        modules.extend(Unbondings::<T>::iter_key_prefix(account));
        let entries = usize::try_from(limit.min(MAX_ENTRIES)).unwrap_or(usize::MAX);
        modules.range(first..).take(entries).map(|module| Self::stake_view(account, *module)).collect()
    }

    /// What an account has staked on a module with this pool, what it moved there included.
    pub(crate) fn worth_of(who: &T::AccountId, module: ModuleId, pool: &PoolOf<T>) -> Balance {
        let stake = Stakes::<T>::get(who, module).map_or(0, |position| pool.active.worth(&position));
        let moved = Moves::<T>::get(who, module).map_or(0, |moved| Self::worth_of_move(&moved, pool));
        stake.saturating_add(moved)
    }

    /// What moved stake is worth, less what slashes of where it came from took.
    fn worth_of_move(moved: &MoveOf<T>, pool: &PoolOf<T>) -> Balance {
        let slashed = Self::slashed_at_source(moved, &Pools::<T>::get(moved.from));
        pool.active.worth(&moved.position).saturating_sub(slashed)
    }

    fn stake_view(who: &T::AccountId, module: ModuleId) -> StakeViewOf<T> {
        let now = frame_system::Pallet::<T>::block_number();
        let pool = Pools::<T>::get(module);
        let unbondings = Unbondings::<T>::get(who, module).into_iter();
        let unbonding: Vec<_> = unbondings
            .map(|entry| UnbondingView { amount: pool.unbonding.worth(&entry.position), ready_at: entry.ready_at })
            .collect();
        let ready = unbonding.iter().filter(|entry| entry.ready_at <= now);
        StakeView {
            module,
            staked: Self::worth_of(who, module, &pool),
            moved: Moves::<T>::get(who, module).map(|moved| MovedView {
                from: moved.from,
                amount: Self::worth_of_move(&moved, &pool),
                until: moved.until,
            }),
            withdrawable: ready.fold(0, |sum: Balance, entry| sum.saturating_add(entry.amount)),
            unbonding,
        }
    }
}
