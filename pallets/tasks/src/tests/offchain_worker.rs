//! The off-chain worker, with a keystore, a pool and a store around it.

use codec::Decode;
use ensemble_core::{exchange::Audience, tasks::Content};
use ensemble_host::TensorStatus;
use ensemble_tensor::Kind;
use frame_support::{dispatch::GetDispatchInfo, traits::Hooks, weights::Weight};
use sp_runtime::{
    offchain::storage_lock::{StorageLock, Time},
    traits::DispatchTransaction,
};

use crate::{mock::*, offchain_worker::LOCK_KEY, Attestation, Call, Seat};

/// A task in its attest phase, of which the next block is block 13.
fn attesting() -> u32 {
    let id = NewTask::default().id();
    contribute(id, &[(ALICE, 1), (BOB, 1)]);
    next_block();
    id
}

fn work() {
    <Tasks as Hooks<BlockNumber>>::offchain_worker(System::block_number());
}

/// Makes a block and has the worker look at it.
fn next_worked_block() {
    next_block();
    work();
}

/// The attestations submitted since the last time.
fn take_submitted() -> Vec<Attestation> {
    let transactions = std::mem::take(&mut node().pool.write().transactions);
    let calls = transactions.into_iter().map(|bytes| Extrinsic::decode(&mut &bytes[..]).unwrap().function);
    calls
        .map(|call| match call {
            RuntimeCall::Tasks(Call::attest { attestation, signature }) => {
                assert_eq!(signed(&attestation, &signature), Ok(()), "what is sent would be let in");
                attestation
            },
            other => panic!("the worker sent {other:?}"),
        })
        .collect()
}

fn signed(
    attestation: &Attestation,
    signature: &ensemble_core::attester::AttesterSignature,
) -> Result<(), sp_runtime::transaction_validity::TransactionValidityError> {
    Tasks::authorize_attest(sp_runtime::transaction_validity::TransactionSource::Local, attestation, signature)
        .map(drop)
}

#[test]
fn what_it_sends_is_a_transaction_that_blocks_take() {
    ExtBuilder::default().build_and_execute(|| {
        let id = attesting();
        node().store.hold(&tensor(1));
        work();
        let bytes = node().pool.write().transactions.remove(0);
        let transaction = Extrinsic::decode(&mut &bytes[..]).unwrap();
        let info = transaction.get_dispatch_info();
        let (unsigned, call) = (RuntimeOrigin::none(), transaction.function);
        let dispatched = TxExtension::new().dispatch_transaction(unsigned, call, &info, bytes.len(), 0);
        assert!(dispatched.unwrap().is_ok());
        assert_eq!(crate::Attestations::<Test>::get(id).unwrap().given(), 1);
    });
}

/// 4 rows of 8 columns of 2 bytes.
const LEN: u64 = 64;

#[test]
fn fetches_then_pins_then_attests_once_with_each_key() {
    ExtBuilder::default().build_and_execute(|| {
        let id = attesting();
        let content = tensor(1).id();
        work();
        assert_eq!(node().store.take_asked(), [Asked::Fetch(content, LEN)]);
        node().store.set(content, TensorStatus::Fetching { received: 10, total: Some(LEN) });
        next_worked_block();
        assert_eq!(node().store.take_asked(), [Asked::Fetch(content, LEN)], "it says that it still wants it");
        assert_eq!(take_submitted(), []);

        node().store.hold(&tensor(1));
        next_worked_block();
        assert_eq!(node().store.take_asked(), [Asked::Pin(content)]);
        let submitted = take_submitted();
        assert_eq!(submitted.iter().map(|sent| sent.attester.clone()).collect::<Vec<_>>(), drawn(id));
        assert!(submitted.iter().all(|sent| sent.task == id && sent.content == content));
        next_worked_block();
        assert_eq!(take_submitted(), [], "they are on their way");
    });
}

#[test]
fn of_a_restricted_task_the_store_first_hears_as_what_it_may_come() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { audience: Audience::Restricted { exchanged: false }, ..Default::default() }.id();
        contribute(id, &[(ALICE, 1), (BOB, 1)]);
        next_block();
        work();
        let content = tensor(1).id();
        let both = [Asked::Restrict(content, id), Asked::Fetch(content, LEN)];
        assert_eq!(node().store.take_asked(), both);
        node().store.fail(content);
        next_worked_block();
        assert_eq!(node().store.take_asked(), both);
    });
}

#[test]
fn of_a_public_task_what_is_restricted_is_not_attested() {
    for (audience, attested) in [(Audience::Public, 0), (Audience::Restricted { exchanged: true }, 3)] {
        ExtBuilder::default().build_and_execute(|| {
            let id = NewTask { audience, ..Default::default() }.id();
            contribute(id, &[(ALICE, 1), (BOB, 1)]);
            next_block();
            node().store.hold_as(&tensor(1), true);
            work();
            assert_eq!(take_submitted().len(), attested);
            let pinned = node().store.take_asked().contains(&Asked::Pin(tensor(1).id()));
            assert_eq!(pinned, attested > 0, "nor is it kept");
            // What is open is attested whatever the task.
            node().store.hold(&tensor(1));
            next_worked_block();
            assert_eq!(take_submitted().len(), 3 - attested);
        });
    }
}

#[test]
fn what_came_for_tasks_that_count_no_more_is_looked_for_openly() {
    ExtBuilder::default().build_and_execute(|| {
        let restricted = || NewTask { audience: Audience::Restricted { exchanged: false }, ..Default::default() }.id();
        let content = tensor(1).id();
        let win = |task, account, number| {
            contribute(task, &[(account, number)]);
            attest_all(task);
            while !crate::Contributions::<Test>::contains_key(task) {
                next_block();
            }
            task
        };
        let (won, lost, void) = (win(restricted(), ALICE, 1), win(restricted(), BOB, 2), restricted());
        while crate::Tasks::<Test>::contains_key(void) {
            next_block();
        }
        let undecided = restricted();
        let phases = ensemble_core::tasks::Phases { commit: 2, reveal: 2, attest: 50 };
        contribute(NewTask { phases, ..Default::default() }.id(), &[(ALICE, 1), (BOB, 1)]);
        next_block();
        // Pauses double, so that each of these times, twice as long as the one before, begins with an attempt.
        let looked_for = |blocks, came_as: &[(u32, _)]| {
            node().store.hold_for(&tensor(1), came_as);
            (0..blocks).for_each(|_| next_worked_block());
            assert_eq!(take_submitted(), []);
            node().store.take_asked().contains(&Asked::Reopen(content, LEN))
        };
        assert!(crate::Tasks::<Test>::contains_key(undecided));
        assert!(!looked_for(1, &[(undecided, content)]), "it may win");
        assert!(!looked_for(2, &[(won, content)]), "it is restricted by what the chain says");
        assert!(!looked_for(4, &[(lost, content), (won, content)]));
        assert!(looked_for(8, &[(lost, content), (void, content)]), "another won one, nothing won the other");
    });
}

#[test]
fn what_is_kept_for_another_task_is_neither_attested_nor_fetched() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { audience: Audience::Restricted { exchanged: false }, ..Default::default() }.id();
        contribute(id, &[(ALICE, 1), (BOB, 1)]);
        next_block();
        let content = tensor(1).id();
        node().store.keep_for(content, id + 1);
        work();
        assert_eq!(node().store.take_asked(), [Asked::Restrict(content, id)]);
        node().store.hold_as(&tensor(1), true);
        next_worked_block();
        assert_eq!(take_submitted(), []);
        assert_eq!(node().store.take_asked(), [Asked::Restrict(content, id)], "nor is it kept");
        // Once it is for this task too, it is.
        node().store.keep_for(content, id);
        next_worked_block();
        assert_eq!(take_submitted().len(), 3);
    });
}

#[test]
fn stops_asking_when_the_attest_phase_is_over() {
    ExtBuilder::default().build_and_execute(|| {
        let id = attesting();
        let content = tensor(1).id();
        node().store.set(content, TensorStatus::Fetching { received: 10, total: Some(LEN) });
        assert_eq!(asked_within(4), [1, 2, 3, 4].map(|block| (block, Asked::Fetch(content, LEN))));
        assert_eq!(System::block_number(), task(id).attest_until());
        next_block();
        node().store.take_asked();
        // Once the outcome has stood for long enough, what was fetched may go.
        let asked = asked_within(50);
        assert!(asked.iter().all(|(_, asked)| *asked == Asked::Unpin(content)), "{asked:?}");
    });
}

#[test]
fn does_nothing_without_a_drawn_key() {
    ExtBuilder::default().build_and_execute(|| {
        let id = attesting();
        crate::Attestations::<Test>::mutate(id, |panel| {
            for seat in &mut panel.as_mut().unwrap().seats {
                let attester = sp_core::sr25519::Public::from_raw([1; 32]).into();
                *seat = Seat { attester, attested: false };
            }
        });
        work();
        assert_eq!(node().store.take_asked(), []);
    });
}

#[test]
fn never_runs_twice_for_one_block_nor_twice_at_a_time() {
    ExtBuilder::default().build_and_execute(|| {
        attesting();
        work();
        work();
        assert_eq!(node().store.take_asked().len(), 1);
        next_block();
        let mut lock = StorageLock::<Time>::new(LOCK_KEY);
        {
            let _running = lock.try_lock().unwrap();
            work();
            assert_eq!(node().store.take_asked(), []);
        }
        work();
        assert_eq!(node().store.take_asked().len(), 1);
    });
}

#[test]
fn sends_again_what_did_not_get_in() {
    ExtBuilder::default().build_and_execute(|| {
        let id =
            NewTask { phases: ensemble_core::tasks::Phases { commit: 5, reveal: 5, attest: 50 }, ..Default::default() }
                .id();
        contribute(id, &[(ALICE, 1), (BOB, 1)]);
        next_block();
        node().store.hold(&tensor(1));
        work();
        let sent = take_submitted();
        assert_eq!(sent.len(), 3);
        // One is included, two are lost.
        assert_eq!(attest(sent[0].clone()), Ok(()));
        for _ in 0..4 {
            next_worked_block();
            assert_eq!(take_submitted(), []);
        }
        next_worked_block();
        assert_eq!(take_submitted(), sent[1..]);
    });
}

#[test]
fn a_failed_fetch_is_tried_again_at_growing_distances() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask {
            phases: ensemble_core::tasks::Phases { commit: 5, reveal: 5, attest: 100 },
            ..Default::default()
        }
        .id();
        contribute(id, &[(ALICE, 1), (BOB, 1)]);
        next_block();
        node().store.fail(tensor(1).id());
        let mut attempts = Vec::new();
        for _ in 0..75 {
            work();
            if !node().store.take_asked().is_empty() {
                attempts.push(System::block_number() - 13);
            }
            next_block();
        }
        assert_eq!(attempts, [0, 1, 3, 7, 15, 31, 63]);
        assert_eq!(take_submitted(), []);
    });
}

#[test]
fn does_not_vouch_for_what_the_task_does_not_ask_for() {
    ExtBuilder::default().build_and_execute(|| {
        attesting();
        let (header, other) = (tensor(1).header, ensemble_tensor::Header::new(Kind::I32, 4, 8).unwrap());
        for (header, bytes) in [(other, LEN), (header, LEN + 1)] {
            node().store.set(tensor(1).id(), TensorStatus::Held { header, bytes, restricted: false });
            next_worked_block();
            assert_eq!(node().store.take_asked(), []);
            assert_eq!(take_submitted(), []);
        }
    });
}

#[test]
fn a_bundle_is_weighed_with_its_members() {
    ExtBuilder::default().build_and_execute(|| {
        let header = ensemble_tensor::Header::new(Kind::Bundle, 40, 1).unwrap();
        let bundle = ensemble_core::tasks::Descriptor { header, root: [1; 32] };
        let id = NewTask { content: Content::Bundle { max_bytes: 1_000 }, ..Default::default() }.id();
        frame_support::assert_ok!(commit(ALICE, id, &bundle, BOND));
        run_to(7);
        frame_support::assert_ok!(reveal(ALICE, id, &bundle));
        run_to(13);
        work();
        assert_eq!(node().store.take_asked(), [Asked::Fetch(bundle.id(), 1_000)]);
        node().store.set(bundle.id(), TensorStatus::Held { header, bytes: 1_001, restricted: false });
        next_worked_block();
        assert_eq!(take_submitted(), []);
        node().store.set(bundle.id(), TensorStatus::Held { header, bytes: 1_000, restricted: false });
        next_worked_block();
        assert_eq!(take_submitted().len(), 3);
    });
}

/// Runs blocks with the worker, and gives what it asked of the store, block by block counted from now.
fn asked_within(blocks: u64) -> Vec<(u64, Asked)> {
    let start = System::block_number();
    let mut all = Vec::new();
    for _ in 0..blocks {
        next_worked_block();
        let at = System::block_number() - start;
        all.extend(node().store.take_asked().into_iter().map(|asked| (at, asked)));
    }
    all
}

#[test]
fn what_won_stays_pinned() {
    ExtBuilder::default().build_and_execute(|| {
        let id = attesting();
        node().store.hold(&tensor(1));
        work();
        take_submitted().into_iter().take(2).for_each(|sent| assert_eq!(attest(sent), Ok(())));
        node().store.take_asked();
        // Once more when the outcome has stood for 32 blocks, in case the node has been restarted with an empty store.
        assert_eq!(asked_within(50), [(33, Asked::Pin(tensor(1).id()))]);
        assert!(crate::Contributions::<Test>::contains_key(id));
    });
}

#[test]
fn what_lost_is_let_go_when_that_is_certain() {
    ExtBuilder::default().build_and_execute(|| {
        attesting();
        node().store.hold(&tensor(1));
        work();
        take_submitted();
        node().store.take_asked();
        let asked = asked_within(60);
        let (pins, rest): (Vec<_>, Vec<_>) =
            asked.into_iter().partition(|(_, asked)| *asked == Asked::Pin(tensor(1).id()));
        // The task is void after block 18; until then every block makes sure that the content is pinned.
        assert_eq!(pins.len(), 5);
        assert_eq!(rest, [(6 + 32, Asked::Unpin(tensor(1).id()))]);
    });
}

#[test]
fn what_won_once_is_not_let_go_when_it_loses_elsewhere() {
    ExtBuilder::default().build_and_execute(|| {
        attesting();
        node().store.hold(&tensor(1));
        work();
        take_submitted().into_iter().take(2).for_each(|sent| assert_eq!(attest(sent), Ok(())));
        asked_within(40);
        let again = NewTask::default().id();
        let now = System::block_number();
        for who in [ALICE, BOB] {
            frame_support::assert_ok!(commit(who, again, &tensor(1), BOND));
        }
        run_to(now + 6);
        for who in [ALICE, BOB] {
            frame_support::assert_ok!(reveal(who, again, &tensor(1)));
        }
        run_to(now + 12);
        let asked = asked_within(60);
        assert!(asked.iter().all(|(_, asked)| *asked == Asked::Pin(tensor(1).id())), "{asked:?}");
        assert_eq!(void(again), Some(crate::VoidReason::Unavailable { content: tensor(1).id() }));
    });
}

#[test]
fn what_is_wanted_for_another_task_is_not_let_go() {
    ExtBuilder::default().build_and_execute(|| {
        let first = NewTask::default().id();
        let second = NewTask {
            phases: ensemble_core::tasks::Phases { commit: 5, reveal: 5, attest: 100 },
            ..Default::default()
        }
        .id();
        for id in [first, second] {
            for who in [ALICE, BOB] {
                frame_support::assert_ok!(commit(who, id, &tensor(1), BOND));
            }
        }
        run_to(7);
        for id in [first, second] {
            for who in [ALICE, BOB] {
                frame_support::assert_ok!(reveal(who, id, &tensor(1)));
            }
        }
        run_to(12);
        node().store.hold(&tensor(1));
        let asked = asked_within(80);
        assert!(asked.iter().all(|(_, asked)| *asked == Asked::Pin(tensor(1).id())), "{asked:?}");
        assert!(void(first).is_some());
    });
}

#[test]
fn an_abandoned_fork_changes_nothing() {
    ExtBuilder::default().build_and_execute(|| {
        let id = attesting();
        node().store.hold(&tensor(1));
        work();
        take_submitted();
        node().store.take_asked();
        // On one fork the task is gone for a while, and the worker sees that.
        let (task, panel) = (task(id), crate::Attestations::<Test>::get(id));
        crate::Attestations::<Test>::remove(id);
        crate::Tasks::<Test>::remove(id);
        System::set_block_number(14);
        work();
        // On the fork that wins it is there.
        crate::Tasks::<Test>::insert(id, task);
        crate::Attestations::<Test>::set(id, panel);
        System::set_block_number(15);
        work();
        assert_eq!(node().store.take_asked(), [Asked::Pin(tensor(1).id())]);
        assert_eq!(take_submitted(), [], "what was sent is not sent again at once");
    });
}

#[test]
fn garbage_in_the_local_storage_does_not_stop_it() {
    ExtBuilder::default().build_and_execute(|| {
        attesting();
        for key in [&b"ensemble/tasks/journal"[..], b"ensemble/tasks/last-block", b"ensemble/tasks/lock"] {
            sp_io::offchain::local_storage_set(sp_core::offchain::StorageKind::PERSISTENT, key, &[0xff]);
        }
        work();
        assert_eq!(node().store.take_asked(), [Asked::Fetch(tensor(1).id(), LEN)]);
        next_block_with(Weight::zero());
    });
}
