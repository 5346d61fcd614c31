//! Redeeming calls.

use ensemble_core::market::{Receipt, TicketId};
use frame_support::{ensure, pallet_prelude::*};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::traits::Zero;

use crate::{Config, Error, Event, Listings, Pallet, ReceiptsOf, TicketOf, Tickets};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_redeem(receipts: ReceiptsOf<T>) -> DispatchResult {
        let genesis = Self::genesis();
        let mut redeemed = 0u64;
        for (receipt, signature) in receipts {
            let calls = Self::redeem_one(genesis, &receipt, &signature)?;
            redeemed = redeemed.saturating_add(calls.into());
        }
        ensure!(redeemed > 0, Error::<T>::NothingNew);

        Self::count_calls(redeemed);
        Ok(())
    }

    /// The hash of the chain's first block, which is part of what buyers sign.
    pub(crate) fn genesis() -> H256 {
        frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
    }

    /// Redeems what is new on a receipt and says how many calls it was.
    fn redeem_one(genesis: H256, receipt: &Receipt, signature: &T::Signature) -> Result<u32, Error<T>> {
        let Receipt { ticket: id, calls: redeemed, .. } = *receipt;
        let mut ticket = Tickets::<T>::get(id).ok_or(Error::<T>::UnknownTicket)?;
        let now = frame_system::Pallet::<T>::block_number();
        ensure!(now <= Self::redeemable_until(ticket.until), Error::<T>::TicketOver);
        ensure!(redeemed <= ticket.calls, Error::<T>::MoreThanBought);
        ensure!(receipt.is_signed(genesis, signature, &ticket.buyer), Error::<T>::BadSignature);
        let calls = redeemed.saturating_sub(ticket.redeemed);
        if calls > 0 {
            ticket.redeemed = redeemed;
            Self::note_usage(id, &ticket, calls);
            Tickets::<T>::insert(id, ticket);
        }
        Ok(calls)
    }

    /// Counts calls as usage of the ticket's module, if that is still listed.
    fn note_usage(id: TicketId, ticket: &TicketOf<T>, calls: u32) {
        let module = ticket.module;
        if let Some(mut listing) = Listings::<T>::get(module) {
            listing.usage.add(calls, ticket.intensity);
            Self::enqueue(module, &mut listing);
            Listings::<T>::insert(module, listing);
        }
        Self::deposit_event(Event::Redeemed { ticket: id, module, calls, redeemed: ticket.redeemed });
    }
}
