//! Selling access to restricted contributions.

use ensemble_core::{
    exchange::{Audience, Contributions},
    market::{Cost, Way},
    AssetId, TaskId,
};
use frame_support::{ensure, pallet_prelude::*, traits::fungibles::Inspect};
use sp_runtime::traits::Saturating;

use crate::{
    Access, Accesses, Asks, Balance, Config, Ending, Error, Event, HoldReason, Pallet, Position, Positions, Sale, Sales,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_offer_contribution(
        who: T::AccountId,
        task: TaskId,
        shares: Balance,
        ask: Balance,
    ) -> DispatchResult {
        let class = AssetId::Shares(task);
        let position = Positions::<T>::get(class, &who);
        if shares == 0 {
            ensure!(position.is_some(), Error::<T>::NotOffering);
        } else {
            Self::ensure_restricted(task)?;
            ensure!(T::Assets::balance(class, &who) >= shares, Error::<T>::NotEnoughShares);
            ensure!(ask > 0, Error::<T>::ZeroPrice);
        }

        let mut sale = Sales::<T>::get(task).unwrap_or_default();
        let before = position.unwrap_or_default();
        Self::endow_pot(&who)?;
        Self::pay_what_is_due(&who, task, &mut sale, &before)?;
        let after = Position { shares, ask, since: sale.income.per_share };
        Self::change_position(task, &mut sale, &before, &after);
        if shares > 0 {
            Positions::<T>::insert(class, &who, after);
        } else {
            Positions::<T>::remove(class, &who);
        }
        let price = sale.price;
        Self::store_sale(&who, task, sale)?;
        Self::deposit_event(Event::ContributionOffered { task, who, shares, ask, price });
        Ok(())
    }

    /// Counts an account's shares where they are now, and takes its price if most shares ask for it.
    fn change_position(task: TaskId, sale: &mut Sale, before: &Position, after: &Position) {
        Self::change_ask(task, before.ask, |asking| asking.saturating_sub(before.shares));
        let asking = Self::change_ask(task, after.ask, |asking| asking.saturating_add(after.shares));
        sale.shares = sale.shares.saturating_sub(before.shares).saturating_add(after.shares);
        sale.holders = sale.holders.saturating_sub(u32::from(before.shares > 0));
        sale.holders = sale.holders.saturating_add(u32::from(after.shares > 0));
        if after.shares > 0 && asking > sale.shares.saturating_sub(asking) {
            sale.price = Some(after.ask);
        }
        if sale.shares == 0 {
            sale.price = None;
        }
    }

    fn change_ask(task: TaskId, ask: Balance, change: impl FnOnce(Balance) -> Balance) -> Balance {
        Asks::<T>::mutate_exists(task, ask, |asking| {
            let shares = change(asking.unwrap_or_default());
            *asking = Some(shares).filter(|shares| *shares > 0);
            shares
        })
    }

    /// Stores a sale that `who` has changed. Without shares it is over, and what rounding left is paid to the last one
    /// who leaves.
    fn store_sale(who: &T::AccountId, task: TaskId, sale: Sale) -> Result<(), Error<T>> {
        if sale.shares > 0 {
            Sales::<T>::insert(task, sale);
            return Ok(());
        }
        Sales::<T>::remove(task);
        let amount = sale.income.owed;
        Self::pay_out(who, amount)?;
        if amount > 0 {
            Self::deposit_event(Event::SalesClaimed { task, who: who.clone(), amount });
        }
        Ok(())
    }

    fn pay_what_is_due(
        who: &T::AccountId,
        task: TaskId,
        sale: &mut Sale,
        position: &Position,
    ) -> Result<Balance, Error<T>> {
        let amount = sale.income.due(position.shares, position.since);
        Self::pay_out(who, amount)?;
        sale.income.pay_out(amount);
        if amount > 0 {
            Self::deposit_event(Event::SalesClaimed { task, who: who.clone(), amount });
        }
        Ok(amount)
    }

    pub(crate) fn do_claim_sales(who: T::AccountId, task: TaskId) -> DispatchResult {
        let class = AssetId::Shares(task);
        let mut position = Positions::<T>::get(class, &who).ok_or(Error::<T>::NotOffering)?;
        let mut sale = Sales::<T>::get(task).ok_or(Error::<T>::NotOffering)?;

        let paid = Self::pay_what_is_due(&who, task, &mut sale, &position)?;
        ensure!(paid > 0, Error::<T>::NothingDue);
        position.since = sale.income.per_share;
        Positions::<T>::insert(class, &who, position);
        Sales::<T>::insert(task, sale);
        Ok(())
    }

    pub(crate) fn do_buy_contribution(who: T::AccountId, task: TaskId, max_price: Balance) -> DispatchResult {
        let mut sale = Sales::<T>::get(task).ok_or(Error::<T>::NotForSale)?;
        let Cost { price, toll, .. } = Self::cost_of_access(&sale).ok_or(Error::<T>::NotForSale)?;
        ensure!(!T::Contributions::owns_shares(task, &who), Error::<T>::OwnContribution);
        ensure!(!Accesses::<T>::contains_key(task, &who), Error::<T>::AlreadyBought);
        ensure!(price <= max_price, Error::<T>::Underpaid);
        ensure!(sale.income.pay_in(price, sale.shares), Error::<T>::SaleFull);

        Self::take_in(&who, price)?;
        Self::burn(&who, toll)?;
        let deposit = T::AccessDeposit::get();
        Self::hold(HoldReason::Access, &who, deposit)?;
        Sales::<T>::insert(task, sale);
        let until = frame_system::Pallet::<T>::block_number().saturating_add(T::AccessPeriod::get());
        Accesses::<T>::insert(task, &who, Access { until, deposit });
        Self::end_after(until, Ending::Access { task, buyer: who.clone() });
        Self::count_access(toll);
        Self::deposit_event(Event::AccessBought { task, buyer: who, price, toll, until });
        Ok(())
    }

    /// What access costs now; none if it is not for sale.
    pub(crate) fn cost_of_access(sale: &Sale) -> Option<Cost<Balance>> {
        let price = sale.price?;
        Some(Cost { way: Way::Tune, price, toll: Self::tariff().toll_of(price) })
    }

    fn ensure_restricted(task: TaskId) -> Result<(), Error<T>> {
        let won = T::Contributions::won(task).ok_or(Error::<T>::NothingWon)?;
        ensure!(won.audience != Audience::Public, Error::<T>::NotRestricted);
        Ok(())
    }
}
