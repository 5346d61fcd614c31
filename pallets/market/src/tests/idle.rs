//! What blocks do with the weight that they have left.

use ensemble_core::market::Way;
use frame_support::{
    assert_ok,
    traits::{fungible::MutateHold, tokens::Precision, Hooks},
    weights::Weight,
};

use crate::{mock::*, CurrentTotals, Event, HoldReason, RefreshQueue, Tickets};

fn idle(weight: u64) -> Weight {
    StepWeight::set(Weight::from_parts(10, 0));
    Market::on_idle(System::block_number(), Weight::from_parts(weight, 0))
}

#[test]
fn listings_are_moved_as_far_as_the_weight_reaches() {
    on_chain(|| {
        for module in MODULES {
            assert_ok!(list(module, ""));
            score(module, 0);
        }
        assert_eq!(idle(9), Weight::zero());
        assert_eq!(CurrentTotals::<Test>::get().listed, 3);
        assert_eq!(idle(29), Weight::from_parts(20, 0));
        assert_eq!(CurrentTotals::<Test>::get().listed, 1);
        check_state();
        assert_eq!(idle(100), Weight::from_parts(10, 0));
        assert_eq!(CurrentTotals::<Test>::get().listed, 0);
        let queue = RefreshQueue::<Test>::get();
        assert_eq!((queue.first, queue.end, crate::Refreshes::<Test>::iter().count()), (3, 3, 0));
    });
}

#[test]
fn a_listing_waits_in_the_queue_once() {
    on_chain(|| {
        assert_ok!(list(ONE, ""));
        for parts in [700_000, 900_000, 0, 800_001] {
            score(ONE, parts);
        }
        assert_eq!(RefreshQueue::<Test>::get().end, 1);
        // Also if it is another listing of the same module by then.
        assert_ok!(unlist(OWNER, ONE));
        assert_ok!(list(ONE, ""));
        score(ONE, 900_000);
        assert_eq!(RefreshQueue::<Test>::get().end, 2);
        next_block();
        assert_eq!(found(None, ""), vec![ONE]);
    });
}

#[test]
fn tickets_end_in_the_order_of_time_as_far_as_the_weight_reaches() {
    on_chain(|| {
        assert_ok!(list(ONE, ""));
        for validity in [30, 10, 20] {
            assert_ok!(buy_for(ALICE, ONE, 1, Way::Burn, validity));
        }
        let left = || {
            let mut left: Vec<_> = Tickets::<Test>::iter_keys().collect();
            left.sort_unstable();
            left
        };
        System::set_block_number(1 + 10 + REDEEM_PERIOD);
        assert_eq!((idle(100), left()), (Weight::zero(), vec![0, 1, 2]));
        System::set_block_number(2 + 10 + REDEEM_PERIOD);
        assert_eq!((idle(9), left()), (Weight::zero(), vec![0, 1, 2]));
        assert_eq!((idle(100), left()), (Weight::from_parts(10, 0), vec![0, 2]));
        assert_eq!(last_event(), Event::TicketEnded { ticket: 1, buyer: ALICE, deposit: TICKET_DEPOSIT });
        assert_eq!(held(HoldReason::Ticket, ALICE), 2 * TICKET_DEPOSIT);
        System::set_block_number(1_000);
        assert_eq!((idle(19), left()), (Weight::from_parts(10, 0), vec![0]));
        assert_eq!((idle(100), left()), (Weight::from_parts(10, 0), vec![]));
        assert_eq!(held(HoldReason::Ticket, ALICE), 0);
    });
}

#[test]
fn access_ends() {
    on_chain(|| {
        assert_ok!(offer(ALICE, SECRET, 500, 1_000));
        assert_ok!(buy_contribution(OWNER, SECRET));
        skip(ACCESS_PERIOD);
        assert_eq!(held(HoldReason::Access, OWNER), ACCESS_DEPOSIT);
        skip(2);
        assert_eq!(held(HoldReason::Access, OWNER), 0);
        let expected = Event::AccessEnded { task: SECRET, buyer: OWNER, deposit: ACCESS_DEPOSIT };
        assert_eq!(last_event(), expected);
    });
}

#[test]
fn a_deposit_that_somebody_else_took_does_not_stop_the_rest() {
    new_chain().execute_with(|| {
        assert_ok!(list(ONE, ""));
        assert_ok!(buy_for(ALICE, ONE, 1, Way::Burn, 1));
        assert_ok!(buy_for(BOB, ONE, 1, Way::Burn, 1));
        let reason = HoldReason::Ticket.into();
        assert_ok!(Balances::release(&reason, &ALICE, TICKET_DEPOSIT, Precision::Exact));
        System::set_block_number(100);
        idle(100);
        assert_eq!((Tickets::<Test>::iter().count(), held(HoldReason::Ticket, BOB)), (0, 0));
        check_state();
    });
}
