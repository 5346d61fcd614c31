//! What outsiders may ask: the answers of the runtime API `StakeApi`. Only the worth of one stake is asked by calls, and
//! what an account owns in all.

use alloc::{collections::BTreeSet, vec::Vec};

use ensemble_core::{
    stake::{MovedView, PoolView, StakeView, UnbondingView},
    ModuleId,
};
use frame_support::{traits::Get, weights::Weight};
use frame_system::pallet_prelude::BlockNumberFor;

use crate::{Balance, Config, MoveOf, Moves, Pallet, PoolOf, Pools, Stakes, Unbondings};

/// Most entries of an answer.
const MAX_ENTRIES: u32 = 100;

/// Most entries of each kind (stake, moved stake, what is unbonding) that count in what an account owns.
pub const MAX_COUNTED: usize = 16;

/// Entries of the state that one counted entry of each kind takes to read: its key, itself, and pools.
const READS_PER_COUNTED: u64 = 3 + 4 + 3;

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

    /// All that an account has in pools, in planck: staked, moved and unbonding, after slashes.
    ///
    /// At most [`MAX_COUNTED`] entries of each kind are counted. Of an account that has more, it is never told too much.
    pub fn owned_by(who: &T::AccountId) -> Balance {
        let stakes = Stakes::<T>::iter_prefix(who).take(MAX_COUNTED);
        let staked = stakes.map(|(module, position)| Pools::<T>::get(module).active.worth(&position));
        let moves = Moves::<T>::iter_prefix(who).take(MAX_COUNTED);
        let moved = moves.map(|(module, moved)| Self::worth_of_move(&moved, &Pools::<T>::get(module)));
        let waiting = Unbondings::<T>::iter_prefix(who).take(MAX_COUNTED);
        let unbonding = waiting.map(|(module, entries)| {
            let pool = Pools::<T>::get(module).unbonding;
            entries.iter().fold(0, |sum: Balance, entry| sum.saturating_add(pool.worth(&entry.position)))
        });
        staked.chain(moved).chain(unbonding).fold(0, Balance::saturating_add)
    }

    /// What [`Self::owned_by`] weighs at most.
    pub fn owned_by_weight() -> Weight {
        T::DbWeight::get().reads(READS_PER_COUNTED.saturating_mul(MAX_COUNTED as u64))
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
