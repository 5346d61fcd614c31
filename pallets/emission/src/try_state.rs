//! Recomputes every total from its parts and says which one is off.

use alloc::collections::{BTreeMap, BTreeSet};

use ensemble_core::{epochs::EpochIndex, ModuleId};
use frame_support::{
    ensure,
    traits::{fungible::Inspect, Get},
};
use sp_runtime::TryRuntimeError;

use crate::{
    existential_deposit, Balance, Config, CurrentSplit, Earned, EarnerOf, Earners, Forgetting, GenesisIssuance, Open,
    Pallet, Paying, Payout, Period, Periods, TotalBurnt, TotalEmitted, Weights,
};

type Check = Result<(), TryRuntimeError>;
type EarnersOf<T> = BTreeMap<EpochIndex, BTreeMap<ModuleId, EarnerOf<T>>>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_try_state() -> Check {
        Self::check_books()?;
        Self::check_pot()?;
        Self::check_clocks()?;
        Self::check_epochs()
    }

    /// Nothing came into existence or went out of it beside the books.
    fn check_books() -> Check {
        let (genesis, emitted, burnt) = (GenesisIssuance::<T>::get(), TotalEmitted::<T>::get(), TotalBurnt::<T>::get());
        let issuance = T::Currency::total_issuance();
        ensure!(
            issuance.checked_add(burnt) == genesis.checked_add(emitted),
            "issuance is not genesis and emission less what was burnt"
        );
        ensure!(emitted <= T::Cap::get(), "more was emitted than the cap");
        ensure!(CurrentSplit::<T>::get().is_whole(), "the parts of the split do not make one");
        Ok(())
    }

    /// What is held is what is owed.
    fn check_pot() -> Check {
        let owed = Periods::<T>::iter_values().fold(0, |sum: Balance, period| sum.saturating_add(period.owed));
        ensure!(Self::held() == owed, "what is held is not what is owed");
        let free = T::Currency::balance(&Self::account_id());
        ensure!(free >= existential_deposit::<T>(), "the pot has no existential deposit");
        Ok(())
    }

    fn check_clocks() -> Check {
        let (open, paying, forgetting) = (Open::<T>::get(), Paying::<T>::get(), Forgetting::<T>::get());
        ensure!(paying.epoch <= open.epoch, "an epoch is paid that is not over");
        ensure!(paying.epoch <= Self::first_unpayable(), "an epoch is paid that is not settled");
        ensure!(forgetting.epoch <= paying.epoch, "an epoch is forgotten that was not paid");
        let known = |epoch: EpochIndex| (forgetting.epoch..open.epoch).contains(&epoch);
        ensure!(Periods::<T>::iter_keys().all(known), "an epoch is closed that is open or forgotten");
        Ok(())
    }

    fn check_epochs() -> Check {
        let mut epochs = EarnersOf::<T>::new();
        for (epoch, module, earner) in Earned::<T>::iter() {
            ensure!(earner.miner.is_zero() || earner.validator.is_zero(), "a module earned on both sides");
            epochs.entry(epoch).or_default().insert(module, earner);
        }
        let (open, forgetting) = (Open::<T>::get(), Forgetting::<T>::get());
        Self::check_list(open.epoch, 0..open.earners, epochs.get(&open.epoch))?;
        Self::check_sums(open.weights, epochs.get(&open.epoch))?;
        for (epoch, period) in Periods::<T>::iter() {
            let is_going = epoch == forgetting.epoch && forgetting.place > 0;
            let first = if is_going { forgetting.place } else { 0 };
            Self::check_list(epoch, first..period.earners, epochs.get(&epoch))?;
            if !is_going {
                Self::check_sums(period.weights, epochs.get(&epoch))?;
                Self::check_payouts(&period, epochs.get(&epoch))?;
            }
            Self::check_turns(epoch, &period)?;
        }
        let known = |epoch: EpochIndex| epoch == open.epoch || Periods::<T>::contains_key(epoch);
        ensure!(epochs.into_keys().all(known), "a module earned in an unknown epoch");
        ensure!(Earners::<T>::iter_keys().all(|(epoch, _)| known(epoch)), "a list is that of an unknown epoch");
        Ok(())
    }

    /// The places of the list are taken by the modules that earned, each once.
    fn check_list(
        epoch: EpochIndex,
        places: core::ops::Range<u32>,
        earners: Option<&BTreeMap<ModuleId, EarnerOf<T>>>,
    ) -> Check {
        let listed: BTreeSet<_> = places.clone().filter_map(|place| Earners::<T>::get(epoch, place)).collect();
        let none = BTreeMap::new();
        let earned: BTreeSet<_> = earners.unwrap_or(&none).keys().copied().collect();
        let count = Earners::<T>::iter_key_prefix(epoch).count();
        ensure!(listed == earned && places.len() == count && count == earned.len(), "a list is not that of who earned");
        Ok(())
    }

    fn check_sums(weights: Weights, earners: Option<&BTreeMap<ModuleId, EarnerOf<T>>>) -> Check {
        let parts = earners.into_iter().flat_map(|earners| earners.values()).map(EarnerOf::<T>::weights);
        let sum = parts.fold(Weights::default(), Weights::plus);
        ensure!(sum == weights, "sums of weights are not those of their parts");
        Ok(())
    }

    /// What is owed is what the epoch brought, less what was paid.
    fn check_payouts(period: &Period, earners: Option<&BTreeMap<ModuleId, EarnerOf<T>>>) -> Check {
        let (mut paid, mut all): (Balance, Balance) = (0, 0);
        for earner in earners.into_iter().flat_map(|earners| earners.values()) {
            let amount = period.amount(earner);
            all = all.saturating_add(amount);
            paid = paid.saturating_add(match earner.payout {
                Payout::Pending => 0,
                Payout::OwnerPending(rest) | Payout::Forfeited(rest) => amount.saturating_sub(rest),
                Payout::Done => amount,
            });
        }
        ensure!(all <= period.parts.owed(), "modules get more of an epoch than it brought");
        ensure!(period.owed.saturating_add(paid) == period.parts.owed(), "what is owed is not what was not paid");
        Ok(())
    }

    /// The cursor has passed only places that exist.
    fn check_turns(epoch: EpochIndex, period: &Period) -> Check {
        let paying = Paying::<T>::get();
        ensure!(paying.epoch != epoch || paying.place <= period.earners, "a place is paid that nobody has");
        Ok(())
    }
}
