//! Recomputes every total from its parts and says which one is off.

use alloc::{collections::BTreeMap, vec::Vec};

use ensemble_core::{epochs::Epochs, modules::Modules, ModuleId};
use frame_support::{
    ensure,
    traits::fungible::{Inspect, InspectHold},
};
use sp_runtime::TryRuntimeError;

use crate::{
    existential_deposit,
    pool::{Position, SharePool},
    Balance, Config, HoldReason, Moves, Pallet, PoolOf, Pools, Stakes, Unbondings,
};

type Check = Result<(), TryRuntimeError>;
type Positions = BTreeMap<ModuleId, Vec<Position>>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_try_state() -> Check {
        Self::check_records()?;
        Self::check_pools()?;
        Self::check_pot()
    }

    fn check_records() -> Check {
        for (_, module, moved) in Moves::<T>::iter() {
            ensure!(moved.from != module, "stake was moved to where it was");
        }
        for unbondings in Unbondings::<T>::iter_values() {
            ensure!(!unbondings.is_empty(), "an account has a list of no unbondings");
            let ordered = unbondings.windows(2).all(|pair| pair[0].ready_at < pair[1].ready_at);
            ensure!(ordered, "unbondings are not in the order in which they are ready");
        }
        Ok(())
    }

    fn check_pools() -> Check {
        let (active, unbonding, moved) = (Self::active_positions(), Self::unbonding_positions(), Self::liabilities());
        for (module, pool) in Pools::<T>::iter() {
            check_positions(&pool.active, active.get(&module), "the active pool is not that of its positions")?;
            check_positions(
                &pool.unbonding,
                unbonding.get(&module),
                "the unbonding pool is not that of its positions",
            )?;
            check_positions(&pool.moved, moved.get(&module), "the pool of moved stake is not that of its positions")?;
            Self::check_needed(module, &pool)?;
            Self::check_steady(&pool)?;
        }
        let known = |positions: &Positions| positions.keys().all(Pools::<T>::contains_key);
        ensure!(known(&active), "a stake has no pool");
        ensure!(known(&unbonding), "an unbonding has no pool");
        ensure!(known(&moved), "moved stake came from nowhere");
        Ok(())
    }

    /// A pool without positions is there for its module's fee alone.
    fn check_needed(module: ModuleId, pool: &PoolOf<T>) -> Check {
        ensure!(!pool.is_unused() || !pool.fee.is_zero(), "a pool has neither positions nor a fee");
        ensure!(!pool.is_unused() || T::Modules::owner(module).is_some(), "a pool has neither positions nor a module");
        Ok(())
    }

    fn check_steady(pool: &PoolOf<T>) -> Check {
        let steady = &pool.steady;
        ensure!(steady.last == pool.active.value, "a pool's steady stake does not know what is staked");
        ensure!(steady.least <= steady.last, "more was staked all through the epoch than is staked");
        ensure!(steady.epoch <= T::Epochs::current(), "a pool changed in an epoch to come");
        Ok(())
    }

    fn active_positions() -> Positions {
        let mut positions = Positions::new();
        for (_, module, position) in Stakes::<T>::iter() {
            positions.entry(module).or_default().push(position);
        }
        for (_, module, moved) in Moves::<T>::iter() {
            positions.entry(module).or_default().push(moved.position);
        }
        positions
    }

    fn unbonding_positions() -> Positions {
        let mut positions = Positions::new();
        for (_, module, unbondings) in Unbondings::<T>::iter() {
            let of_account = unbondings.iter().map(|entry| entry.position);
            positions.entry(module).or_default().extend(of_account);
        }
        positions
    }

    fn liabilities() -> Positions {
        let mut positions = Positions::new();
        for moved in Moves::<T>::iter_values() {
            positions.entry(moved.from).or_default().push(moved.liability);
        }
        positions
    }

    /// What is held is what the pools say.
    fn check_pot() -> Check {
        let pot = Self::account_id();
        let sum = Pools::<T>::iter_values().fold(0, |sum: Balance, pool| sum.saturating_add(pool.value()));
        let held = T::Currency::balance_on_hold(&HoldReason::Stake.into(), &pot);
        ensure!(held == sum, "what is held is not what is staked");
        ensure!(T::Currency::balance(&pot) >= existential_deposit::<T>(), "the pot has no existential deposit");
        Ok(())
    }
}

/// A pool counts its positions, and has as many shares and as much value as they need.
fn check_positions(pool: &SharePool, positions: Option<&Vec<Position>>, complaint: &'static str) -> Check {
    let positions = positions.map(Vec::as_slice).unwrap_or_default();
    let stale = positions.iter().filter(|position| pool.is_stale(position)).count() as u64;
    let live = (positions.len() as u64).saturating_sub(stale);
    let shares = positions.iter().fold(0u128, |sum, position| sum.saturating_add(pool.shares_of(position)));
    let worth = positions.iter().fold(0, |sum: Balance, position| sum.saturating_add(pool.worth(position)));
    let fits = pool.holders == live && pool.stale == stale && shares <= pool.shares && worth <= pool.value;
    ensure!(fits && pool.is_sound(), complaint);
    Ok(())
}
