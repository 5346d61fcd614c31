//! Recomputes every total from its parts and says which one is off.

use alloc::{collections::BTreeMap, collections::BTreeSet};

use ensemble_core::{exchange::Audience, exchange::Contributions, AssetId, ModuleId, TaskId};
use frame_support::{
    ensure,
    traits::{
        fungible::{Inspect, InspectHold},
        fungibles::Inspect as _,
        Get,
    },
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::TryRuntimeError;

use crate::{
    existential_deposit, index::shelves, rank::Rank, Accesses, Asks, Balance, Config, CurrentTotals, Days, Ending,
    Ends, HoldReason, Index, ListingOf, Listings, NextEnd, NextTicketId, Pallet, Position, Positions, RefreshQueue,
    Refreshes, Sales, Tickets,
};

type Check = Result<(), TryRuntimeError>;
/// What should be held from accounts.
type Held<T> = BTreeMap<<T as frame_system::Config>::AccountId, Balance>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_try_state() -> Check {
        Self::check_listings()?;
        Self::check_index()?;
        Self::check_queue()?;
        Self::check_tickets()?;
        Self::check_ends()?;
        Self::check_sales()?;
        Self::check_positions()?;
        Self::check_days()?;
        Self::check_deposits()?;
        Self::check_pot()
    }

    fn check_listings() -> Check {
        for (module, listing) in Listings::<T>::iter() {
            ensure!(!listing.terms.offers.is_empty(), "a listing cannot be paid in any way");
            ensure!(listing.terms.intensity > 0, "calls of a listing take nothing");
            ensure!(listing.words.windows(2).all(|pair| pair[0] < pair[1]), "words of a listing are out of order");
            Self::check_place(module, &listing)?;
        }
        Ok(())
    }

    /// A listing that is not in the queue stands where its score and usage put it.
    fn check_place(module: ModuleId, listing: &ListingOf<T>) -> Check {
        let Some(place) = listing.place.filter(|_| !listing.queued) else { return Ok(()) };
        let score = listing.merit(T::MinScore::get()).or(listing.score).unwrap_or_default();
        ensure!(listing.serving, "what does not serve stands in the index");
        ensure!(
            place.rank == Rank::new(score, listing.usage.intensity, module),
            "a listing does not stand where it should"
        );
        Ok(())
    }

    /// Listings are on the shelves that they say, and nothing else is.
    fn check_index() -> Check {
        let (mut entries, mut listed) = (0usize, 0u32);
        for (_, listing) in Listings::<T>::iter() {
            let Some(place) = listing.place else { continue };
            listed = listed.saturating_add(1);
            for shelf in shelves(place.model_type, &listing.words) {
                entries = entries.saturating_add(1);
                ensure!(Index::<T>::contains_key(shelf, place.rank), "a listing is missing on a shelf");
            }
        }
        ensure!(Index::<T>::iter_keys().count() == entries, "something on a shelf is no listing");
        ensure!(CurrentTotals::<T>::get().listed == listed, "the number of listings in the index is wrong");
        Ok(())
    }

    fn check_queue() -> Check {
        let queue = RefreshQueue::<T>::get();
        let numbers: BTreeSet<_> = Refreshes::<T>::iter_keys().collect();
        ensure!(numbers.iter().copied().eq(queue.first..queue.end), "the queue has gaps, or entries outside of it");
        let modules: BTreeSet<_> = Refreshes::<T>::iter_values().collect();
        let waiting = Listings::<T>::iter().filter(|(_, listing)| listing.queued).map(|(module, _)| module);
        ensure!(waiting.into_iter().all(|module| modules.contains(&module)), "a listing waits outside of the queue");
        Ok(())
    }

    fn check_tickets() -> Check {
        let next = NextTicketId::<T>::get();
        for (id, ticket) in Tickets::<T>::iter() {
            ensure!(id < next, "a ticket has a number that none was given");
            ensure!(
                ticket.calls > 0 && ticket.redeemed <= ticket.calls,
                "a ticket has more calls redeemed than bought"
            );
        }
        ensure!(CurrentTotals::<T>::get().tickets == next, "the number of tickets is wrong");
        Ok(())
    }

    /// Every ticket and every access ends once, when it says.
    fn check_ends() -> Check {
        let (mut tickets, mut accesses) = (0usize, 0usize);
        for (key, ending) in Ends::<T>::iter() {
            let ends = match ending {
                Ending::Ticket(id) => {
                    tickets = tickets.saturating_add(1);
                    Tickets::<T>::get(id).map(|ticket| Self::redeemable_until(ticket.until))
                },
                Ending::Access { task, buyer } => {
                    accesses = accesses.saturating_add(1);
                    Accesses::<T>::get(task, buyer).map(|access| access.until)
                },
            };
            let block = ends.map(|block: BlockNumberFor<T>| Self::number_of(block));
            ensure!(block == Some(key.block()), "what is to end is not there, or ends at another time");
        }
        ensure!(Tickets::<T>::iter_keys().count() == tickets, "a ticket never ends, or twice");
        ensure!(Accesses::<T>::iter_keys().count() == accesses, "an access never ends, or twice");
        ensure!(NextEnd::<T>::get() >= NextTicketId::<T>::get(), "a ticket was made that never ends");
        Ok(())
    }

    fn check_sales() -> Check {
        let mut positions = BTreeMap::<TaskId, alloc::vec::Vec<Position>>::new();
        for (class, _, position) in Positions::<T>::iter() {
            let AssetId::Shares(task) = class else { return Err("what takes part in a sale is no share".into()) };
            positions.entry(task).or_default().push(position);
        }
        let mut asks = BTreeMap::<(TaskId, Balance), Balance>::new();
        for (task, sale) in Sales::<T>::iter() {
            let held = positions.remove(&task).unwrap_or_default();
            let shares = held.iter().fold(0, |sum: Balance, position| sum.saturating_add(position.shares));
            ensure!(sale.shares == shares && shares > 0, "the shares in a sale are not those of its holders");
            ensure!(usize::try_from(sale.holders) == Ok(held.len()), "the number of holders in a sale is wrong");
            let due = held.iter().map(|position| sale.income.due(position.shares, position.since));
            let due = due.fold(0, |sum: Balance, due| sum.saturating_add(due));
            ensure!(due <= sale.income.owed, "shareholders are due more than was paid for them");
            for position in held {
                let asking = asks.entry((task, position.ask)).or_default();
                *asking = asking.saturating_add(position.shares);
            }
        }
        ensure!(positions.is_empty(), "shares take part in a sale that is not there");
        let stored: BTreeMap<_, _> = Asks::<T>::iter().map(|(task, ask, shares)| ((task, ask), shares)).collect();
        ensure!(stored == asks, "what shares ask for is not what their holders do");
        Ok(())
    }

    fn check_positions() -> Check {
        for (class, who, position) in Positions::<T>::iter() {
            ensure!(position.shares > 0 && position.ask > 0, "nothing takes part in a sale, or for nothing");
            ensure!(position.shares <= T::Assets::balance(class, &who), "shares take part that have left the account");
            let AssetId::Shares(task) = class else { return Err("what takes part in a sale is no share".into()) };
            let won = T::Contributions::won(task).ok_or("what is sold did not win")?;
            ensure!(won.audience != Audience::Public, "what is sold is public");
        }
        Ok(())
    }

    fn check_days() -> Check {
        let (mut burnt, mut sold, mut calls) = (0, 0u64, 0u64);
        for (slot, day) in Days::<T>::iter() {
            let right = day.day.checked_rem(ensemble_core::market::DAYS_KEPT) == Some(slot);
            ensure!(right && day.day <= Self::today(), "a day is kept at the wrong place");
            burnt = day.burnt.saturating_add(burnt);
            sold = sold.saturating_add(day.sold);
            calls = calls.saturating_add(day.calls);
        }
        let totals = CurrentTotals::<T>::get();
        let fits = burnt <= totals.burnt && sold <= totals.sold && calls <= totals.calls;
        ensure!(fits && totals.calls <= totals.sold, "in the latest days more happened than ever");
        Ok(())
    }

    /// What is held from accounts is what records say.
    fn check_deposits() -> Check {
        let listings = Listings::<T>::iter_values().map(|listing| (listing.depositor, listing.deposit));
        Self::check_held(HoldReason::Listing, listings, "what is held for listings is wrong")?;
        let tickets = Tickets::<T>::iter_values().map(|ticket| (ticket.buyer, ticket.deposit));
        Self::check_held(HoldReason::Ticket, tickets, "what is held for tickets is wrong")?;
        let accesses = Accesses::<T>::iter().map(|(_, buyer, access)| (buyer, access.deposit));
        Self::check_held(HoldReason::Access, accesses, "what is held for access is wrong")
    }

    fn check_held(
        reason: HoldReason,
        parts: impl Iterator<Item = (T::AccountId, Balance)>,
        complaint: &'static str,
    ) -> Check {
        let mut sums = Held::<T>::new();
        for (who, amount) in parts {
            let sum = sums.entry(who).or_default();
            *sum = sum.saturating_add(amount);
        }
        let reason = reason.into();
        for (who, sum) in sums {
            ensure!(T::Currency::balance_on_hold(&reason, &who) == sum, complaint);
        }
        Ok(())
    }

    /// What is held in the pot is what shareholders are owed.
    fn check_pot() -> Check {
        let pot = Self::account_id();
        let owed = Sales::<T>::iter_values().fold(0, |sum: Balance, sale| sum.saturating_add(sale.income.owed));
        ensure!(
            T::Currency::balance_on_hold(&HoldReason::Sales.into(), &pot) == owed,
            "what is held for shareholders is not what they are owed"
        );
        let endowed = T::Currency::balance(&pot) >= existential_deposit::<T>();
        ensure!(endowed || Sales::<T>::iter_keys().next().is_none(), "the pot has no existential deposit");
        Ok(())
    }
}
