//! Over many tasks everyone's contributions are handed on about equally often.

use std::collections::BTreeMap;

use frame_support::assert_ok;
use proptest::{prelude::*, sample::subsequence};

use crate::{mock::*, Event, Parameters, Rule};

const ACCOUNTS: u64 = 12;
const TASKS: usize = 300;

/// How often each contribution was handed on that joined a full line and has left it, by the order in which they did.
fn handed(rule: Rule, tasks: &[Vec<AccountId>]) -> Vec<u32> {
    handed_by(Parameters { rule, ..DefaultParameters::get() }, tasks)
}

fn handed_by(parameters: Parameters<BlockNumber>, tasks: &[Vec<AccountId>]) -> Vec<u32> {
    let mut counts = BTreeMap::new();
    new_test_ext().execute_with(|| {
        assert_ok!(Exchange::set_parameters(RuntimeOrigin::root(), parameters));
        for (task, winners) in (0..).zip(tasks) {
            System::set_block_number(u64::from(task) + 1);
            System::reset_events();
            settle(task, winners, EXCHANGED);
            for event in events() {
                if let Event::Granted { task, .. } = event {
                    *counts.entry(task).or_default() += 1;
                }
            }
        }
        check_state();
    });
    let last = u32::try_from(tasks.len()).unwrap() - RECENT;
    (RECENT..last).map(|task| counts.get(&task).copied().unwrap_or(0)).collect()
}

/// Whether each was handed on at least half and at most one and a half times as often as the average, and the standard
/// deviation is at most a fifth of it.
fn is_fair(handed: &[u32]) -> bool {
    let number = handed.len() as f64;
    let mean = handed.iter().sum::<u32>() as f64 / number;
    let variance = handed.iter().map(|&times| (f64::from(times) - mean).powi(2)).sum::<f64>() / number;
    let within = |times: &u32| (0.5 * mean..=1.5 * mean).contains(&f64::from(*times));
    mean > 1.0 && handed.iter().all(within) && variance.sqrt() <= 0.2 * mean
}

/// Tasks with one to four winners each.
fn any_tasks() -> impl Strategy<Value = Vec<Vec<AccountId>>> {
    prop::collection::vec(subsequence((0..ACCOUNTS).collect::<Vec<_>>(), 1..=4).prop_shuffle(), TASKS)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn everyones_are_handed_on_about_equally_often(tasks in any_tasks()) {
        let handed = handed(Rule::LeastHanded, &tasks);
        prop_assert!(is_fair(&handed), "{handed:?}");
    }

    /// The measure tells a rule that is not fair.
    #[test]
    fn the_newest_first_is_not_fair(tasks in any_tasks()) {
        let handed = handed(Rule::Newest, &tasks);
        prop_assert!(!is_fair(&handed), "{handed:?}");
    }
}

/// An account that wins every second task has its contributions handed on as often as everybody else: to one more or
/// less, which is as even as whole numbers can be.
#[test]
fn who_wins_often_is_served_like_others() {
    let other = |task| 1 + task % (ACCOUNTS - 1);
    let winners = |task| if task % 2 == 0 { vec![0, other(task)] } else { vec![other(task)] };
    let tasks: Vec<_> = (0..TASKS as u64).map(winners).collect();
    for number in 1..=4 {
        let handed = handed_by(Parameters { number, ..DefaultParameters::get() }, &tasks);
        let (least, most) = (handed.iter().min().unwrap(), handed.iter().max().unwrap());
        assert!(*least > 0 && most - least <= 1, "{number} a victory: {handed:?}");
    }
}
