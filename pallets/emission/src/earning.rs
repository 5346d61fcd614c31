//! What modules earn by: at most three writes for each thing that is said of one.
//!
//! In one epoch a module earns on one side: that on which it has a merit other than zero first. Whoever changes from
//! validator to miner within an epoch would count the same money on both.

use ensemble_core::{
    emission::{Earnings, Side},
    epochs::EpochIndex,
    modules::Modules,
    stake::Stake,
    ModuleId,
};
use sp_runtime::Permill;

use crate::{Config, Earned, EarnerOf, Earners, Event, Open, Pallet, Payout, Periods};

impl<T: Config> Earnings for Pallet<T> {
    /// A module that was removed earns nothing more; what it earned before stays. Nothing changes if it earns on the
    /// other side.
    fn set_merit(module: ModuleId, side: Side, merit: Permill) {
        let Some(owner) = T::Modules::owner(module) else { return };
        Self::change_earner(module, owner.clone(), |earner| {
            if !earner.may_earn(side) {
                return;
            }
            earner.owner = owner;
            earner.staked = T::Stake::steady(module);
            earner.deposit = T::Modules::deposit(module);
            earner.set(side, merit);
        });
    }

    /// It is written down even of a module that has not earned yet, because it may be about to.
    fn forfeit(module: ModuleId) {
        let known = Earned::<T>::get(Open::<T>::get().epoch, module).map(|earner| earner.owner);
        let Some(owner) = known.or_else(|| T::Modules::owner(module)) else { return };
        Self::change_earner(module, owner, |earner| earner.forfeited = true);
    }

    /// What it forfeits is owed to nobody and stays with the epoch, until it is forgotten with it.
    fn forfeit_closed(epoch: EpochIndex, module: ModuleId) {
        let Some(period) = Periods::<T>::get(epoch) else { return };
        let Some(mut earner) = Earned::<T>::get(epoch, module) else { return };
        let amount = period.unpaid(&earner);
        if amount == 0 {
            return;
        }
        earner.payout = Payout::Forfeited(amount);
        Earned::<T>::insert(epoch, module, earner);
        Self::deposit_event(Event::Forfeited { epoch, module, amount });
    }
}

impl<T: Config> Pallet<T> {
    /// Changes what a module earns by in the open epoch, and the sums with it. If it is new, it belongs to `owner`.
    fn change_earner(module: ModuleId, owner: T::AccountId, change: impl FnOnce(&mut EarnerOf<T>)) {
        let mut open = Open::<T>::get();
        let known = Earned::<T>::get(open.epoch, module);
        if known.is_none() {
            Earners::<T>::insert(open.epoch, open.earners, module);
            open.earners = open.earners.saturating_add(1);
        }
        let mut earner = known.unwrap_or_else(|| EarnerOf::<T>::new(owner));
        let before = earner.weights();
        change(&mut earner);
        open.weights = open.weights.minus(before).plus(earner.weights());
        Earned::<T>::insert(open.epoch, module, earner);
        Open::<T>::put(open);
    }
}
