//! Random lives of tasks: whatever people do, money is conserved and every task ends once.

use std::collections::BTreeMap;

use ensemble_core::{
    tasks::{Phases, Terms, Weighting},
    TaskId,
};
use frame_support::weights::Weight;
use proptest::prelude::*;
use sp_runtime::Permill;

use crate::{mock::*, reward::TOTAL_SHARES, Access, Attestation, Attestations, Balance, Event, Outcome, State};

/// Something that happens. A task is chosen among those that are open, an account among all.
#[derive(Clone, Debug)]
enum Action {
    Create(Design),
    Commit {
        who: usize,
        task: usize,
        content: u8,
        bond: Balance,
    },
    /// Everybody commits to every task.
    CommitAll {
        contents: [u8; ACCOUNTS.len()],
    },
    Reveal {
        who: usize,
        task: usize,
        content: u8,
    },
    /// Everybody reveals what it committed to any task, or keeps silent.
    RevealAll {
        silent: [bool; ACCOUNTS.len()],
    },
    Attest {
        task: usize,
        seat: usize,
    },
    /// The drawn attesters of every task attest it.
    AttestAll,
    Cancel {
        who: usize,
        task: usize,
    },
    Advance {
        who: usize,
        task: usize,
    },
    /// Blocks with this much time to spare.
    Blocks {
        count: u64,
        ref_time: u64,
    },
    /// Blocks with all time to spare, up to the next phase of a task.
    NextPhase {
        task: usize,
    },
    Session {
        attesters: u32,
    },
}

/// What a task is like.
#[derive(Clone, Debug)]
struct Design {
    creator: usize,
    weighted: bool,
    committee: Option<usize>,
    quorum: u32,
    participants: u32,
    base: Balance,
    /// Growth, the minority's share and its slash.
    percents: [u32; 3],
    phases: [u64; 3],
}

fn any_design() -> impl Strategy<Value = Design> {
    (
        (0..ACCOUNTS.len(), any::<bool>(), prop::option::weighted(0.3, 1usize..6), 1u32..4, 1u32..6),
        (0u128..3_000, prop::array::uniform3(0u32..=100), prop::array::uniform3(2u64..8)),
    )
        .prop_map(|((creator, weighted, committee, quorum, participants), (base, percents, phases))| Design {
            creator,
            weighted,
            committee,
            quorum,
            participants,
            base,
            percents,
            phases,
        })
}

fn any_action() -> impl Strategy<Value = Action> {
    let who = 0..ACCOUNTS.len();
    let task = 0usize..4;
    let content = prop_oneof![4 => Just(1u8), 1 => 2u8..4];
    let contents = prop::array::uniform5(content.clone());
    prop_oneof![
        3 => any_design().prop_map(Action::Create),
        4 => (who.clone(), task.clone(), content.clone(), 40u128..1_000)
            .prop_map(|(who, task, content, bond)| Action::Commit { who, task, content, bond }),
        6 => contents.prop_map(|contents| Action::CommitAll { contents }),
        4 => (who.clone(), task.clone(), content)
            .prop_map(|(who, task, content)| Action::Reveal { who, task, content }),
        6 => prop::array::uniform5(prop::bool::weighted(0.15)).prop_map(|silent| Action::RevealAll { silent }),
        3 => Just(Action::AttestAll),
        4 => (task.clone(), 0usize..3).prop_map(|(task, seat)| Action::Attest { task, seat }),
        1 => (who.clone(), task.clone()).prop_map(|(who, task)| Action::Cancel { who, task }),
        2 => (who, task.clone()).prop_map(|(who, task)| Action::Advance { who, task }),
        2 => (1u64..4, 0u64..3_000_000_000).prop_map(|(count, ref_time)| Action::Blocks { count, ref_time }),
        5 => task.prop_map(|task| Action::NextPhase { task }),
        1 => (0u32..9).prop_map(|attesters| Action::Session { attesters }),
    ]
}

fn open_tasks() -> Vec<TaskId> {
    let mut ids: Vec<_> = crate::Tasks::<Test>::iter_keys().collect();
    ids.sort_unstable();
    ids
}

/// The open task with this place in the list, or the number of one that never was.
fn nth(place: usize) -> TaskId {
    let ids = open_tasks();
    ids.get(place % ids.len().max(1)).copied().unwrap_or(TaskId::MAX)
}

fn create(design: Design) {
    let [growth, minority_share, minority_slash] = design.percents.map(Permill::from_percent);
    let [commit, reveal, attest] = design.phases;
    let new = NewTask {
        creator: ACCOUNTS[design.creator],
        access: design.committee.map_or(Access::Open, |members| committee(&ACCOUNTS[..members])),
        weighting: if design.weighted { Weighting::Bond { cap: 800 } } else { Weighting::Account },
        phases: Phases { commit, reveal, attest },
        quorum: design.quorum,
        max_participants: design.committee.map_or(design.participants, |members| u32::try_from(members).unwrap()),
        terms: Terms { base: design.base, growth, minority_share, bond: BOND, minority_slash },
        ..Default::default()
    };
    let _ = new.create();
}

/// What each account committed to each task.
type Committed = BTreeMap<(usize, TaskId), u8>;

fn commit_as(who: usize, task: TaskId, content: u8, bond: Balance, committed: &mut Committed) {
    if commit(ACCOUNTS[who], task, &tensor(content), bond).is_ok() {
        committed.insert((who, task), content);
    }
}

fn attest_from(task: TaskId, seat: usize) {
    let Some(panel) = Attestations::<Test>::get(task) else { return };
    let attester = panel.seats[seat % panel.seats.len()].attester.clone();
    let _ = attest(Attestation { task, content: panel.content, attester });
}

fn next_phase(id: TaskId) {
    let Some(task) = crate::Tasks::<Test>::get(id) else { return next_block() };
    let now = System::block_number();
    let end = match task.state {
        State::Open { .. } if now <= task.commit_until => task.commit_until,
        State::Open { .. } => task.reveal_until.max(now) + 1,
        State::Attesting { until, .. } => until + 1,
        State::Settling { .. } => now,
    };
    run_to(end + 1);
}

/// Does it, whether it succeeds or not: the state must be sound either way.
fn act(action: Action, committed: &mut Committed) {
    match action {
        Action::Create(design) => create(design),
        Action::Commit { who, task, content, bond } => commit_as(who, nth(task), content, bond, committed),
        Action::CommitAll { contents } => {
            for task in open_tasks() {
                let all = contents.iter().enumerate();
                all.for_each(|(who, content)| commit_as(who, task, *content, BOND, committed));
            }
        },
        Action::Reveal { who, task, content } => drop(reveal(ACCOUNTS[who], nth(task), &tensor(content))),
        Action::RevealAll { silent } => {
            for ((who, task), content) in committed.iter().filter(|((who, _), _)| !silent[*who]) {
                let _ = reveal(ACCOUNTS[*who], *task, &tensor(*content));
            }
        },
        Action::Attest { task, seat } => attest_from(nth(task), seat),
        Action::AttestAll => open_tasks().into_iter().for_each(|task| (0..3).for_each(|seat| attest_from(task, seat))),
        Action::Cancel { who, task } => drop(Tasks::cancel(RuntimeOrigin::signed(ACCOUNTS[who]), nth(task))),
        Action::Advance { who, task } => drop(Tasks::advance(RuntimeOrigin::signed(ACCOUNTS[who]), nth(task))),
        Action::Blocks { count, ref_time } => {
            for _ in 0..count {
                next_block_with(Weight::from_parts(ref_time, u64::MAX));
            }
        },
        Action::NextPhase { task } => next_phase(nth(task)),
        Action::Session { attesters } => drop(set_attesters(attesters)),
    }
}

/// What the events say that each account has in the end.
fn expected_balances() -> BTreeMap<AccountId, Balance> {
    let mut balances: BTreeMap<_, _> = ACCOUNTS.iter().map(|who| (*who, ENDOWMENT)).collect();
    let mut creators = BTreeMap::new();
    for event in events() {
        match event {
            Event::TaskCreated { task, creator, fee, .. } => {
                *balances.get_mut(&creator).unwrap() -= fee;
                creators.insert(task, creator);
            },
            Event::ParticipantSettled { task, who, reward, slashed, .. } => {
                *balances.get_mut(&creators[&task]).unwrap() -= reward;
                *balances.get_mut(&who).unwrap() += reward;
                *balances.get_mut(&who).unwrap() -= slashed;
            },
            Event::TaskSettled { creator, rent, .. } => *balances.get_mut(&creator).unwrap() -= rent,
            Event::Undelivered { .. } => panic!("everybody here can receive"),
            _ => (),
        }
    }
    balances
}

/// Every task that was created was cancelled, or decided once and settled once.
fn assert_one_end_per_task() {
    let mut stories = BTreeMap::<TaskId, Vec<&str>>::new();
    for event in events() {
        match event {
            Event::TaskCreated { task, .. } => stories.entry(task).or_default().push("created"),
            Event::TaskCancelled { task, .. } => stories.entry(task).or_default().push("cancelled"),
            Event::TaskDecided { task, .. } => stories.entry(task).or_default().push("decided"),
            Event::TaskSettled { task, .. } => stories.entry(task).or_default().push("settled"),
            _ => (),
        }
    }
    for (task, story) in stories {
        let sound = [&["created", "cancelled"][..], &["created", "decided", "settled"]];
        assert!(sound.contains(&&story[..]), "task {task}: {story:?}");
    }
}

fn assert_shares_belong_to_winners() {
    for event in events() {
        let Event::TaskDecided { task, outcome } = event else { continue };
        let owned: Balance = ACCOUNTS.iter().map(|who| shares(task, *who)).sum();
        match outcome {
            Outcome::Won(leader) => {
                assert!(owned <= TOTAL_SHARES && TOTAL_SHARES - owned < leader.backers.into());
            },
            Outcome::Void(_) => assert_eq!(owned, 0),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..Default::default() })]

    #[test]
    fn money_is_conserved_and_every_task_ends_once(
        attesters in 0u32..6,
        actions in prop::collection::vec(any_action(), 1..120),
    ) {
        ExtBuilder::default().attesters(attesters).build_and_execute(|| {
            AttestFee::set(7);
            RentPerMib::set(13);
            let mut committed = Committed::new();
            for action in actions {
                act(action, &mut committed);
                check_state();
            }
            // Longer than all phases of a task created just now.
            run_to(System::block_number() + 30);
            assert_all_settled();
            assert_one_end_per_task();
            assert_shares_belong_to_winners();
            for (who, balance) in expected_balances() {
                assert_eq!(free(who), balance, "of {who}");
            }
        });
    }
}
