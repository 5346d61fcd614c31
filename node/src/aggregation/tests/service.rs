//! Combinations in the background, as the off-chain worker asks for them.

use std::{
    thread,
    time::{Duration, Instant},
};

use ensemble_core::{combination::CombinationStatus, tasks::Descriptor};
use ensemble_host::AggregationAccess;

use super::*;
use crate::aggregation::{
    jobs::{FAILURE_LIFETIME, LIFETIME, QUEUE},
    service::Aggregation,
    worker::Worker,
    Metrics,
};
use crate::tensors::StoreError;

/// Aggregation whose orders are filled when the test says so.
struct Bench {
    lab: Lab,
    aggregation: Aggregation,
    metrics: Metrics,
}

impl Bench {
    fn new(lab: Lab) -> Self {
        let metrics = Metrics::new(None).unwrap();
        let aggregation = Aggregation::new(lab.store.clone(), metrics.clone());
        Self { lab, aggregation, metrics }
    }

    fn ask(&self, combination: &Combination) -> CombinationStatus {
        self.aggregation.combine(combination.clone())
    }

    /// Fills the orders that wait; returns how many.
    fn fill(&self) -> usize {
        let worker = Worker {
            store: self.lab.store.clone(),
            desk: self.aggregation.desk.clone(),
            metrics: self.metrics.clone(),
            machine: Machine::ONE_CORE,
        };
        let next = || self.aggregation.desk.jobs().take_smallest();
        std::iter::from_fn(next).inspect(|order| worker.fill(order)).count()
    }

    fn age(&self, by: Duration) {
        self.aggregation.desk.jobs().age(by);
    }

    fn result(&self, combination: &Combination) -> Descriptor {
        match self.ask(combination) {
            CombinationStatus::Done { result } => result,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_combination_waits_runs_and_is_done_once() {
    let bench = Bench::new(Lab::new());
    // The ids are those of contents that are not here yet.
    let combination = round(Lab::new().honest(4));
    assert_eq!(bench.ask(&combination), CombinationStatus::Waiting);
    assert_eq!(bench.fill(), 0);
    bench.lab.honest(4);
    assert_eq!(bench.ask(&combination), CombinationStatus::Running);
    assert_eq!(bench.ask(&combination), CombinationStatus::Running);
    assert_eq!(bench.metrics.under_way.get(), 1);
    assert_eq!(bench.fill(), 1);
    let result = bench.result(&combination);
    assert_eq!((bench.result(&combination), bench.fill()), (result, 0));
    assert_eq!(bench.lab.store.usage().pinned, 0, "whoever needs it pins it");
    assert_eq!((bench.metrics.combined.get(), bench.metrics.under_way.get()), (1, 0));
}

#[test]
fn what_is_restricted_is_not_combined() {
    let bench = Bench::new(Lab::new());
    let combination = round(bench.lab.honest(4));
    let content = combination.entrants[2].content;
    crate::tensors::testing::restrict(&bench.lab.store, content);
    assert_eq!(bench.ask(&combination), CombinationStatus::Waiting);
    assert_eq!(bench.fill(), 0);
    bench.lab.store.unrestrict(&content).unwrap();
    assert_eq!(bench.ask(&combination), CombinationStatus::Running);
}

#[test]
fn a_result_is_kept_as_long_as_it_is_asked_for() {
    let bench = Bench::new(Lab::new());
    let combination = round(bench.lab.honest(4));
    bench.ask(&combination);
    bench.fill();
    // Nobody has asked yet: the worker that gave up the round never does.
    let other = round(bench.lab.honest(3));
    let id = bench.lab.combine(&combination).unwrap().result.id();
    assert!(matches!(bench.lab.store.remove(&id), Err(StoreError::InUse(_))));
    bench.age(LIFETIME / 2);
    let result = bench.result(&combination);
    bench.age(LIFETIME / 2);
    bench.ask(&other);
    assert!(matches!(bench.lab.store.remove(&id), Err(StoreError::InUse(_))));
    bench.age(LIFETIME / 2);
    bench.ask(&other);
    assert_eq!(bench.result(&combination), result, "it is still here, though nothing keeps it");
    bench.lab.store.remove(&id).unwrap();
}

#[test]
fn a_result_that_was_lost_is_computed_again() {
    let bench = Bench::new(Lab::new());
    let combination = round(bench.lab.honest(4));
    bench.ask(&combination);
    bench.fill();
    let result = bench.result(&combination);
    bench.lab.lose(&result.id());
    assert_eq!(bench.ask(&combination), CombinationStatus::Running);
    assert_eq!(bench.fill(), 1);
    assert_eq!(bench.result(&combination), result);
}

#[test]
fn orders_that_nobody_asks_for_are_dropped() {
    let bench = Bench::new(Lab::new());
    let (given_up, wanted) = (round(bench.lab.honest(4)), round(bench.lab.honest(5)));
    assert_eq!(bench.ask(&given_up), CombinationStatus::Running);
    assert_eq!(bench.ask(&wanted), CombinationStatus::Running);
    bench.age(LIFETIME / 2);
    assert_eq!(bench.ask(&wanted), CombinationStatus::Running);
    bench.age(LIFETIME / 2);
    assert_eq!(bench.fill(), 1);
    bench.result(&wanted);
    assert_eq!(bench.metrics.under_way.get(), 0);
    assert_eq!(bench.ask(&given_up), CombinationStatus::Running, "it begins anew");
    assert_eq!(bench.fill(), 1);
}

#[test]
fn the_smallest_order_comes_first() {
    let bench = Bench::new(Lab::new());
    let members = [6u64, 4, 7, 5];
    for count in members {
        assert_eq!(bench.ask(&round(bench.lab.honest(count))), CombinationStatus::Running);
    }
    let next = || bench.aggregation.desk.jobs().take_smallest();
    let order: Vec<_> = std::iter::from_fn(next).map(|order| order.combination.entrants.len()).collect();
    assert_eq!(order, [4, 5, 6, 7]);
    // More columns weigh more than more rows.
    let shaped = |rows, cols| Combination { rows, cols, anchors: cols, ..round(bench.lab.honest(4)) }.work();
    assert!(shaped(4096, 64) < shaped(1024, 256));
    assert_eq!(shaped(u32::MAX, u32::MAX), u64::MAX);
}

#[test]
fn contents_found_at_the_start_are_checked_first_and_the_result_is_the_same() {
    let bench = Bench::new(Lab::new());
    let combination = round(bench.lab.honest(4));
    bench.ask(&combination);
    bench.fill();
    let result = bench.result(&combination);
    let Bench { lab, .. } = bench;

    let bench = Bench::new(lab.restarted());
    assert_eq!(bench.ask(&combination), CombinationStatus::Waiting);
    let store = &bench.lab.store;
    while let Some(id) = store.next_doubtful() {
        let mut check = store.check(&id).unwrap();
        while check.step().unwrap() {}
    }
    assert_eq!(bench.ask(&combination), CombinationStatus::Running);
    let before = store.usage();
    assert_eq!(bench.fill(), 1);
    assert_eq!((bench.result(&combination), store.usage()), (result, before), "nothing is written twice");
}

#[test]
fn a_queue_that_is_full_has_others_wait() {
    let bench = Bench::new(Lab::new());
    let contents = bench.lab.honest(6);
    let rounds: Vec<_> = (0..=QUEUE)
        .map(|number| Combination { anchors: 16 + u32::try_from(number).unwrap(), ..round(contents.clone()) })
        .collect();
    for round in &rounds[..QUEUE] {
        assert_eq!(bench.ask(round), CombinationStatus::Running);
    }
    assert_eq!(bench.ask(&rounds[QUEUE]), CombinationStatus::Waiting);
    assert_eq!(bench.fill(), QUEUE);
    assert_eq!(bench.ask(&rounds[QUEUE]), CombinationStatus::Running);
    assert_eq!(bench.fill(), 1);
    for round in &rounds {
        bench.result(round);
    }
}

#[test]
fn what_cannot_be_combined_fails_for_some_minutes() {
    let bench = Bench::new(Lab::new());
    let refused = Combination { anchors: 0, ..round(bench.lab.honest(4)) };
    assert_eq!(bench.ask(&refused), CombinationStatus::Failed);
    let hopeless = round(vec![bench.lab.put(Kind::Bytes, 9, 1, &[1; 9])]);
    assert_eq!(bench.ask(&hopeless), CombinationStatus::Running);
    bench.fill();
    assert_eq!(bench.ask(&hopeless), CombinationStatus::Failed);
    assert_eq!((bench.fill(), bench.metrics.failed.get()), (0, 2));
    bench.age(FAILURE_LIFETIME);
    assert_eq!(bench.ask(&hopeless), CombinationStatus::Running);
}

#[test]
fn a_content_that_turns_out_to_be_damaged_is_waited_for() {
    let bench = Bench::new(Lab::new());
    let contents = bench.lab.honest(4);
    let combination = round(contents.clone());
    bench.lab.damage(&contents[1]);
    assert_eq!(bench.ask(&combination), CombinationStatus::Running);
    bench.fill();
    assert_eq!(bench.ask(&combination), CombinationStatus::Waiting);
    assert_eq!(bench.metrics.failed.get(), 0);
    bench.lab.honest(4);
    assert_eq!(bench.ask(&combination), CombinationStatus::Running);
    bench.fill();
    bench.result(&combination);
}

#[test]
fn the_thread_computes_what_is_ordered() {
    let lab = Lab::new();
    let combination = round(lab.honest(5));
    let expected = lab.combine(&combination).unwrap().result;
    lab.store.remove(&expected.id()).unwrap();
    let metrics = Metrics::new(None).unwrap();
    let aggregation = Aggregation::start(lab.store.clone(), metrics, Machine { threads: 2, vector: true }).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match aggregation.combine(combination.clone()) {
            CombinationStatus::Running if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            status => break assert_eq!(status, CombinationStatus::Done { result: expected }),
        }
    }
}
