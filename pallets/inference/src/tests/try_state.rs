//! Each thing that may be off is found.

use ensemble_core::inference::RangeVote;
use frame_support::{assert_ok, storage::with_transaction};
use sp_runtime::{DispatchError, TransactionOutcome};

use crate::{
    fixture::World, mock::*, Agenda, HoldReason, KeyOwners, Models, Pallet, Pots, Range, SeatCounts, Seats, Sessions,
    State, UsedConsent, Workers,
};

/// Changes something, expects to be told so, and changes it back.
fn off(expected: &str, change: impl FnOnce()) {
    let _ = with_transaction(|| {
        change();
        let found = Pallet::<Test>::do_try_state();
        assert_eq!(found, Err(sp_runtime::TryRuntimeError::Other(leak(expected))));
        TransactionOutcome::Rollback(Ok::<_, DispatchError>(()))
    });
    check_state();
}

fn leak(text: &str) -> &'static str {
    String::from(text).leak()
}

#[test]
fn whatever_is_off_is_found() {
    with_workers(3, |model| {
        let id = run_to_window(question(), &World::honest());
        off("a model is not that of its task", || {
            Models::<Test>::mutate(model, |model| model.as_mut().unwrap().task = 99);
        });
        off("the number of a model's sessions is off", || {
            Models::<Test>::mutate(model, |model| model.as_mut().unwrap().sessions = 0);
        });
        off("a worker does not own its key", || KeyOwners::<Test>::remove(key(WORKERS[0])));
        off("the number of a worker's sessions is off", || {
            Workers::<Test>::mutate(WORKERS[0], |worker| worker.as_mut().unwrap().sessions = 0);
        });
        off("a worker answers for other prices than it should", || {
            Workers::<Test>::mutate(GATEWAY, |worker| worker.as_mut().unwrap().pledged -= 1);
        });
        off("a worker answers for other prices than it should", || {
            Workers::<Test>::mutate(WORKERS[0], |worker| worker.as_mut().unwrap().pledged = 1);
        });
        off("a consent was used twice", || {
            Workers::<Test>::mutate(GATEWAY, |worker| {
                let worker = worker.as_mut().unwrap();
                worker.consents.try_push(UsedConsent { until: 9, ..worker.consents[0] }).unwrap();
            });
        });
        off("a worker's bond is not what is held", || {
            Workers::<Test>::mutate(WORKERS[0], |worker| worker.as_mut().unwrap().bond = 20 * BOND);
            Seats::<Test>::mutate(model, 1, |seat| seat.as_mut().unwrap().weight = 10 * BOND);
        });
        off("the places of a model's workers have gaps", || SeatCounts::<Test>::insert(model, 5));
        off("a worker's place is empty", || Seats::<Test>::remove(model, 1));
        off("a session is not in the agenda", || {
            Agenda::<Test>::remove(session(id).due.unwrap(), id);
        });
        off("the agenda names a session that is not due", || Agenda::<Test>::insert(999, id, ()));
        off("a requester's prices are not what is held", || {
            Sessions::<Test>::mutate(id, |session| session.as_mut().unwrap().held -= 1);
        });
        // From whom nothing should be held at all.
        off("a requester's prices are not what is held", || {
            assert_ok!(Inference::hold(HoldReason::Price, &STRANGER, 100));
        });
        off("a worker's bond is not what is held", || {
            assert_ok!(Inference::hold(HoldReason::Bond, &STRANGER, 100));
        });
        off("a challenger's deposit is held after its dispute", || {
            assert_ok!(Inference::hold(HoldReason::Dispute, &STRANGER, DISPUTE));
        });
        let change = |range: usize, change: &dyn Fn(&mut Range)| {
            Sessions::<Test>::mutate(id, |session| {
                let State::Disputable { ranges, .. } = &mut session.as_mut().unwrap().state else {
                    panic!("no window")
                };
                change(&mut ranges[range]);
            });
        };
        off("a worker has voted on a range that it does not serve", || change(1, &|range| range.backers |= 1 << 3));
        off("somebody has won or lost in a range of which no trace won", || {
            change(1, &|range| range.vote = RangeVote::Void);
        });
        off("a session can be disputed, and a vote is not over", || {
            change(1, &|range| range.vote = RangeVote::Open(1));
        });
        off("a pot lacks money", || Sessions::<Test>::mutate(id, |session| session.as_mut().unwrap().purse = 1));
        off("the number of locked shares is off", || {
            Pots::<Test>::mutate(model, |pot| pot.as_mut().unwrap().contribution.locked = 1);
        });
        // Of a model that is gone.
        off("a pot lacks shares", || {
            crate::TaskOfModel::<Test>::insert(9, TASK);
            crate::Holdings::<Test>::mutate(9, STRANGER, |holding| holding.rows.amount = 1);
        });
    });
}
