//! Lives of sessions: whatever happens, money is conserved, nobody is paid twice, and everything goes.

use ensemble_core::{inference::Payment, SessionId};
use frame_support::assert_ok;
use proptest::prelude::*;

use crate::{fixture::World, mock::*, Agenda, Event, Question, Sessions, State};

#[derive(Clone, Debug)]
enum Op {
    Open {
        workers: u32,
        replicas: u32,
        /// Whether the gateway asks itself.
        own: bool,
    },
    Close(usize),
    /// What each worker says of a range, as digits: right, another, nothing.
    Vote(usize, Vec<u8>),
    Dispute(usize, u8),
    Leave(usize),
    TopUp(usize),
    Lock(u8),
    Block {
        idle: u64,
    },
    Blocks(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let any = any::<usize>;
    prop_oneof![
        4 => (1u32..6, 0u32..3, proptest::bool::ANY).prop_map(|(workers, replicas, own)| {
            Op::Open { workers, replicas: 2 * replicas + 1, own }
        }),
        6 => any().prop_map(Op::Close),
        8 => (any(), prop::collection::vec(prop_oneof![6 => Just(0u8), 1 => Just(1), 1 => Just(2), 1 => Just(3)], 9))
            .prop_map(|(id, says)| Op::Vote(id, says)),
        4 => (any(), 0u8..6).prop_map(|(id, kind)| Op::Dispute(id, kind)),
        1 => any().prop_map(Op::Leave),
        2 => any().prop_map(Op::TopUp),
        1 => (0u8..4).prop_map(Op::Lock),
        8 => prop_oneof![Just(u64::MAX), 0..60u64].prop_map(|idle| Op::Block { idle }),
        4 => (1..12u64).prop_map(Op::Blocks),
    ]
}

fn nth(number: usize, matches: impl Fn(&State<AccountId, BlockNumber>) -> bool) -> Option<SessionId> {
    let mut ids: Vec<_> = Sessions::<Test>::iter().filter(|(_, session)| matches(&session.state)).collect();
    ids.sort_unstable_by_key(|(id, _)| *id);
    ids.get(number.checked_rem(ids.len())?).map(|(id, _)| *id)
}

/// The world in which everybody lies in one row.
fn lie() -> World {
    let mut world = World::honest();
    world.falsify(4, 3, 0);
    world
}

fn apply(op: Op) {
    match op {
        Op::Open { workers, replicas, own } => {
            let asked = Question { workers, replicas, ..question() };
            let payment = if workers == 1 { Payment::Credits } else { Payment::Tune };
            let _ = match own {
                true => Inference::open(signed(GATEWAY), 0, GATEWAY, asked, payment, None),
                false => try_open(asked, payment),
            };
        },
        Op::Close(number) => {
            let waiting = nth(number, |state| matches!(state, State::Assigned { .. }));
            let _ = waiting.map(|id| try_close(id, closing()));
        },
        Op::Vote(number, says) => {
            let Some(id) = nth(number, |state| matches!(state, State::Voting { .. })) else { return };
            // Even sessions vote for a world in which one row is wrong.
            let world = if id % 2 == 0 { lie() } else { World::honest() };
            let (workers, members) = (session(id).question.workers, team(id));
            let how = |who: AccountId, range: u32| {
                let place = members.iter().position(|member| *member == who).unwrap();
                match says[(place + range as usize) % says.len()] {
                    0 => Vote::Right,
                    3 => Vote::Silent,
                    other => Vote::Other(other),
                }
            };
            end_votes_on(id, |range| world.trace(range, workers).id(), how);
        },
        Op::Dispute(number, kind) => {
            let Some(id) = nth(number, |state| matches!(state, State::Disputable { .. })) else { return };
            let workers = session(id).question.workers;
            let lie = lie();
            let evidence = match kind {
                0..2 => lie.row(4, 3, 0, workers),
                2 => World::honest().row(4, 3, 0, workers),
                3 => lie.norm(4, 2),
                4 => lie.sum(4, 4, workers),
                _ => lie.carry(4, 1),
            };
            let who = WORKERS[usize::from(kind)];
            let _ =
                if kind % 2 == 0 { dispute(id, &evidence, STRANGER) } else { dispute_as_worker(id, &evidence, who) };
        },
        Op::Leave(number) => {
            let _ = Inference::leave(signed(WORKERS[number % 8]));
        },
        Op::TopUp(number) => {
            let _ = Inference::bond_extra(signed(WORKERS[number % 8]), BOND);
        },
        Op::Lock(kind) => {
            let class = if kind % 2 == 0 { crate::Class::Contribution } else { crate::Class::Rows };
            let who = if kind % 2 == 0 { REQUESTER } else { WORKERS[0] };
            let _ = if kind < 2 {
                Inference::lock(signed(who), 0, class, 50)
            } else {
                Inference::unlock(signed(who), 0, class, 50)
            };
        },
        Op::Block { idle } => {
            let _ = next_block_with(idle);
        },
        Op::Blocks(blocks) => run_to(System::block_number() + blocks),
    }
}

/// All money there is, and all that is gone.
fn all() -> u128 {
    let pots: u128 = wealth(Inference::pot(0));
    everybody().map(wealth).sum::<u128>() + pots + BurntSoFar::get()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 2_000, ..Default::default() })]

    #[test]
    fn money_is_conserved_and_everything_goes(ops in prop::collection::vec(op(), 1..120)) {
        new_chain().execute_with(|| {
            let model = register();
            join(GATEWAY, model, 5 * BOND);
            WORKERS.iter().for_each(|who| join(*who, model, 2 * BOND));
            give_shares(REQUESTER, 1_000);
            let before = all();
            for op in ops {
                apply(op);
                check_state();
                assert_eq!(all(), before, "money came or went");
            }
            // Whatever happened, everything can be wound up.
            while let Some(id) = nth(0, |_| true) {
                apply(Op::Vote(0, vec![0; 9]));
                next_block();
                assert!(System::block_number() < 10_000, "session {id} never ends");
            }
            assert_eq!(Agenda::<Test>::iter().count(), 0);
            let mut settled: Vec<_> = events()
                .into_iter()
                .filter_map(|event| match event {
                    Event::WorkerSettled { session, who, .. } => Some((session, who)),
                    _ => None,
                })
                .collect();
            let count = settled.len();
            settled.sort_unstable();
            settled.dedup();
            assert_eq!(settled.len(), count, "a worker was settled twice");
            let workers = || WORKERS.into_iter().chain([GATEWAY]);
            for who in workers() {
                let _ = Inference::leave(signed(who));
            }
            System::set_block_number(20_000);
            workers().for_each(|who| { assert_ok!(Inference::withdraw(signed(who))); });
            for (who, class) in [(REQUESTER, crate::Class::Contribution), (WORKERS[0], crate::Class::Rows)] {
                let amount = crate::Holdings::<Test>::get(model, who).of(class).amount;
                let _ = Inference::unlock(signed(who), model, class, amount);
            }
            assert_ok!(Inference::retire_model(signed(REGISTRANT), model));
            assert_eq!(all(), before);
            // Nothing is held from anybody.
            assert!(everybody().all(|who| wealth(who) == free(who)));
            assert_eq!(wealth(Inference::pot(model)), 0);
            check_state();
        });
    }
}
