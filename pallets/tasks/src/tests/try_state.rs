//! The check of the state finds what is off, and says so.

use crate::{
    mock::*, Agenda, Attestations, Ballot, Ballots, Committees, HoldReason, NextDue, NextTaskId, OpenVotes,
    Participation, Participations, Purpose, State, Tallies, Tasks as Stored, VoteCounts,
};
use frame_support::{assert_ok, traits::fungible::MutateHold};

/// Spoils the state of a task in its reveal phase, and expects this complaint.
fn complains(spoil: impl FnOnce(u32), complaint: &'static str) {
    complains_in(7, spoil, complaint);
}

fn complains_in(block: BlockNumber, spoil: impl FnOnce(u32), complaint: &'static str) {
    ExtBuilder::default().build().execute_with(|| {
        let id = NewTask { access: committee(&[ALICE, BOB, CHARLIE]), max_participants: 3, ..Default::default() }.id();
        for who in [ALICE, BOB, CHARLIE] {
            assert_ok!(commit(who, id, &tensor(1), BOND));
        }
        run_to(7);
        assert_ok!(reveal(ALICE, id, &tensor(1)));
        assert_ok!(reveal(BOB, id, &tensor(1)));
        run_to(block);
        check_state();
        spoil(id);
        assert_eq!(Tasks::do_try_state(), Err(complaint.into()));
    });
}

fn change(id: u32, change: impl FnOnce(&mut crate::TaskOf<Test>)) {
    Stored::<Test>::mutate(id, |task| change(task.as_mut().unwrap()));
}

fn change_order(id: u32, change_order: impl FnOnce(&mut crate::OrderOf<Test>)) {
    change(id, |task| match &mut task.purpose {
        Purpose::Contribution(order) => change_order(order),
        Purpose::Vote(_) => panic!("the task is a vote"),
    });
}

#[test]
fn participants() {
    complains(|id| change(id, |task| task.committed = 2), "the number of commitments is off");
    complains(|id| change(id, |task| task.committed = 4), "a task has more participants than it takes");
    complains(|id| change(id, |task| task.revealed = 3), "the number of reveals is off");
    complains(|id| change(id, |task| task.committed_weight += 1), "the committed weight is off");
    complains_in(
        14,
        |id| {
            change(id, |task| {
                task.state =
                    State::Settling { outcome: crate::Outcome::Void(crate::VoidReason::NoMajority), unsettled: 2 }
            })
        },
        "the number of unsettled participants is off",
    );
}

#[test]
fn tallies() {
    let content = tensor(1).id();
    complains(
        |id| Tallies::<Test>::mutate(id, content, |tally| tally.weight += 1),
        "the tallies are not those of the reveals",
    );
    complains(
        |id| Tallies::<Test>::insert(id, tensor(2).id(), crate::Tally::default()),
        "the tallies are not those of the reveals",
    );
    complains(|id| change(id, |task| task.state = State::Open { leader: None }), "the leader has not the most weight");
}

#[test]
fn panels() {
    complains_in(14, Attestations::<Test>::remove, "a task in its attest phase has no panel");
    complains_in(
        14,
        |id| {
            Attestations::<Test>::mutate(id, |panel| {
                panel.as_mut().unwrap().seats.iter_mut().for_each(|seat| seat.attested = true)
            })
        },
        "a panel has decided and its task goes on",
    );
    complains_in(
        14,
        |id| Attestations::<Test>::mutate(id, |panel| panel.as_mut().unwrap().content = tensor(2).id()),
        "a panel attests another content than the leader",
    );
}

#[test]
fn agenda() {
    complains(|id| Agenda::<Test>::remove(12, id), "the agenda has not one entry per task");
    complains(|id| change(id, |task| task.due = 13), "a task is not in the agenda");
    complains(|_| NextDue::<Test>::put(13), "the agenda's cursor has passed a task");
}

#[test]
fn panels_of_a_block() {
    complains(|_| crate::PanelsOpened::<Test>::put(3), "more panels began in a block than may");
}

#[test]
fn orphans() {
    let part = Participation::Revealed { content: tensor(1).id(), bond: 0 };
    complains(|id| Participations::<Test>::insert(id + 1, ALICE, part), "a participant has no task");
    complains(|id| Tallies::<Test>::insert(id + 1, tensor(1).id(), crate::Tally::default()), "a tally has no task");
    complains(|id| Committees::<Test>::insert(id + 1, Committees::<Test>::get(id).unwrap()), "a committee has no task");
    complains(|_| NextTaskId::<Test>::put(0), "a task has a number that was not given out");
}

#[test]
fn money() {
    let release = |reason: HoldReason, who, amount| {
        let released = Balances::release(&reason.into(), &who, amount, frame_support::traits::tokens::Precision::Exact);
        assert_ok!(released);
    };
    complains(|_| release(HoldReason::TaskDeposit, CREATOR, 1), "a creator's deposits are not what is held");
    complains(|_| release(HoldReason::Reward, CREATOR, 1), "a creator's escrows are not what is held");
    complains(|_| release(HoldReason::Bond, BOB, 1), "an account's bonds are not what is held");
    complains(|id| change_order(id, |order| order.rent += 1), "a creator's rents are not what is held");
    complains(|id| change_order(id, |order| order.escrow -= 1), "an escrow was touched before there is a winner");
    complains(|id| change_order(id, |order| order.escrow += 1), "an escrow is more than the worst case of the rewards");
}

#[test]
fn votes() {
    let complains = |spoil: fn(u32), complaint: &'static str| {
        ExtBuilder::default().build().execute_with(|| {
            let id = open_vote().unwrap();
            let voter = &voters(id)[0];
            assert_eq!(let_in(commit_call(seal(id, voter, &tensor(1)))), Ok(()));
            run_to(7);
            assert_eq!(let_in(reveal_call(unseal(id, voter, &tensor(1)))), Ok(()));
            check_state();
            spoil(id);
            assert_eq!(Tasks::do_try_state(), Err(complaint.into()));
        });
    };
    complains(|_| OpenVotes::<Test>::put(VoteCounts { rounds: 2, traces: 0 }), "the number of votes is off");
    complains(|_| OpenVotes::<Test>::put(VoteCounts { rounds: 0, traces: 1 }), "the number of votes is off");
    complains(|id| Ballots::<Test>::remove(id, &voters(id)[1]), "the number of ballots is off");
    complains(|id| change(id, |task| task.committed = 2), "the number of commitments is off");
    complains(|id| change(id, |task| task.committed_weight = 2), "the committed weight is off");
    complains(|id| change(id, |task| task.revealed = 2), "the number of reveals is off");
    complains(
        |id| Ballots::<Test>::insert(id, &voters(id)[0], Ballot::Revealed(tensor(2).id())),
        "the tallies are not those of the reveals",
    );
    complains(|id| Ballots::<Test>::insert(id + 1, &voters(id)[0], Ballot::Awaited), "a ballot has no vote");
    complains(
        |id| Participations::<Test>::insert(id, ALICE, Participation::Revealed { content: tensor(1).id(), bond: 0 }),
        "an account takes part in a vote",
    );
    complains(
        |id| Committees::<Test>::insert(id, crate::CommitteeOf::<Test>::default()),
        "a vote has a committee of accounts",
    );
}
