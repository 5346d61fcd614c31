//! Buying calls.

use ensemble_core::{
    market::{Cost, TicketId, Way},
    modules::Modules,
    ModuleId,
};
use frame_support::{ensure, pallet_prelude::*};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::{Saturating, Zero};

use crate::{
    types::offer_in, Balance, Config, Ending, Error, Event, HoldReason, ListingOf, Listings, NextTicketId, Pallet,
    Tariff, Ticket, Tickets,
};

/// What a buyer pays at most.
pub(crate) struct Limits {
    /// For all calls, in planck or in the asset's smallest unit.
    pub max_price: Balance,
    /// As toll, in planck.
    pub max_toll: Balance,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_buy(
        who: T::AccountId,
        module: ModuleId,
        calls: u32,
        way: Way,
        limits: Limits,
        validity: BlockNumberFor<T>,
    ) -> DispatchResult {
        ensure!(calls > 0, Error::<T>::ZeroCalls);
        ensure!(!validity.is_zero() && validity <= T::MaxValidity::get(), Error::<T>::BadValidity);
        let mut listing = Listings::<T>::get(module).ok_or(Error::<T>::NotListed)?;
        let owner = T::Modules::owner(module).ok_or(Error::<T>::NotListed)?;
        ensure!(listing.merit(T::MinScore::get()).is_some(), Error::<T>::NotListed);
        ensure!(owner != who, Error::<T>::OwnListing);
        let cost = Self::cost_of(&listing, calls, way).ok_or(Error::<T>::WrongWay)?;
        ensure!(cost.price <= limits.max_price, Error::<T>::Underpaid);
        ensure!(cost.toll <= limits.max_toll, Error::<T>::TollAboveMax);

        Self::settle(&who, &owner, &cost)?;
        let Cost { price, toll, .. } = cost;
        let burnt = if way == Way::Burn { price } else { toll };
        listing.usage.burnt = listing.usage.burnt.saturating_add(burnt);
        let intensity = listing.terms.intensity;
        Listings::<T>::insert(module, listing);
        Self::count_ticket(calls, burnt);
        let (ticket, until) = Self::issue(&who, module, calls, intensity, validity)?;
        Self::deposit_event(Event::TicketBought { ticket, module, buyer: who, owner, calls, way, price, toll, until });
        Ok(())
    }

    /// What calls cost now; none if they are not for sale, or not in this way.
    pub(crate) fn cost_of(listing: &ListingOf<T>, calls: u32, way: Way) -> Option<Cost<Balance>> {
        let score = listing.merit(T::MinScore::get())?;
        let offer = offer_in(&listing.terms.offers, way)?;
        Some(Self::tariff().cost(offer, score, listing.terms.intensity, calls))
    }

    /// What the market takes now.
    pub(crate) fn tariff() -> Tariff {
        Tariff { base: T::BurnBase::get(), factor: T::BurnFactor::get(), toll: T::Toll::get() }
    }

    /// Makes a ticket that ends when its calls cannot be redeemed any more.
    fn issue(
        who: &T::AccountId,
        module: ModuleId,
        calls: u32,
        intensity: u32,
        validity: BlockNumberFor<T>,
    ) -> Result<(TicketId, BlockNumberFor<T>), Error<T>> {
        let deposit = T::TicketDeposit::get();
        Self::hold(HoldReason::Ticket, who, deposit)?;
        let id = NextTicketId::<T>::get();
        NextTicketId::<T>::put(id.saturating_add(1));
        let until = frame_system::Pallet::<T>::block_number().saturating_add(validity);
        Tickets::<T>::insert(id, Ticket { buyer: who.clone(), module, calls, redeemed: 0, intensity, until, deposit });
        Self::end_after(Self::redeemable_until(until), Ending::Ticket(id));
        Ok((id, until))
    }

    /// The last block in which calls of a ticket can be redeemed that is good until a block.
    pub(crate) fn redeemable_until(until: BlockNumberFor<T>) -> BlockNumberFor<T> {
        until.saturating_add(T::RedeemPeriod::get())
    }
}
