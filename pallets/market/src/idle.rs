//! What is done with the weight that a block has left, each step charged before it is taken.

use frame_support::{pallet_prelude::*, weights::WeightMeter};
use frame_system::pallet_prelude::BlockNumberFor;

use crate::{
    Access, Accesses, Config, EndKey, Ending, EndingOf, Ends, Event, HoldReason, NextEnd, Pallet, RefreshQueue,
    Refreshes, Ticket, Tickets, WeightInfo,
};

impl<T: Config> Pallet<T> {
    /// Brings listings to their places and ends what is over, as far as `limit` reaches; returns what it took.
    pub(crate) fn work_off(now: BlockNumberFor<T>, limit: Weight) -> Weight {
        let mut meter = WeightMeter::with_limit(limit);
        Self::refresh_listings(&mut meter);
        Self::end_what_is_over(now, &mut meter);
        meter.consumed()
    }

    fn refresh_listings(meter: &mut WeightMeter) {
        if meter.try_consume(<T as Config>::WeightInfo::idle_look()).is_err() {
            return;
        }
        let before = RefreshQueue::<T>::get();
        let mut queue = before;
        while queue.first < queue.end && meter.try_consume(<T as Config>::WeightInfo::refresh()).is_ok() {
            if let Some(module) = Refreshes::<T>::take(queue.first) {
                Self::refresh(module);
            }
            queue.first = queue.first.saturating_add(1);
        }
        if queue != before {
            RefreshQueue::<T>::put(queue);
        }
    }

    /// Has something end in the block after `last`.
    pub(crate) fn end_after(last: BlockNumberFor<T>, ending: EndingOf<T>) {
        let number = NextEnd::<T>::get();
        NextEnd::<T>::put(number.saturating_add(1));
        Ends::<T>::insert(EndKey::new(Self::number_of(last), number), ending);
    }

    fn end_what_is_over(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
        let now = Self::number_of(now);
        // One iterator for all: a new one would step over all that was removed before, again and again.
        let mut ends = Ends::<T>::iter();
        while meter.try_consume(<T as Config>::WeightInfo::idle_look()).is_ok() {
            let Some((key, ending)) = ends.next() else { break };
            if key.block() >= now || meter.try_consume(<T as Config>::WeightInfo::end()).is_err() {
                break;
            }
            Ends::<T>::remove(key);
            Self::end(ending);
        }
    }

    pub(crate) fn end(ending: EndingOf<T>) {
        match ending {
            Ending::Ticket(ticket) => {
                let Some(Ticket { buyer, deposit, .. }) = Tickets::<T>::take(ticket) else { return };
                Self::give_back(HoldReason::Ticket, &buyer, deposit);
                Self::deposit_event(Event::TicketEnded { ticket, buyer, deposit });
            },
            Ending::Access { task, buyer } => {
                let Some(Access { deposit, .. }) = Accesses::<T>::take(task, &buyer) else { return };
                Self::give_back(HoldReason::Access, &buyer, deposit);
                Self::deposit_event(Event::AccessEnded { task, buyer, deposit });
            },
        }
    }
}
