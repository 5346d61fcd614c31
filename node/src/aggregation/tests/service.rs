//! Combinations in the background, as the off-chain worker asks for them.

use std::{
    sync::mpsc::Receiver,
    thread,
    time::{Duration, Instant},
};

use ensemble_core::{combination::CombinationStatus, tasks::Descriptor};
use ensemble_host::AggregationAccess;

use super::*;
use crate::aggregation::{
    service::{key, Aggregation, QUEUE},
    worker::{Order, Worker},
    Metrics,
};

/// Aggregation whose orders are filled when the test says so.
struct Bench {
    lab: Lab,
    aggregation: Aggregation,
    metrics: Metrics,
    orders: Receiver<Order>,
}

impl Bench {
    fn new(lab: Lab) -> Self {
        let metrics = Metrics::new(None).unwrap();
        let (aggregation, orders) = Aggregation::new(lab.store.clone(), metrics.clone());
        Self { lab, aggregation, metrics, orders }
    }

    fn ask(&self, combination: &Combination) -> CombinationStatus {
        self.aggregation.combine(combination.clone())
    }

    /// Fills the orders that wait; returns how many.
    fn fill(&self) -> usize {
        let (_, none) = std::sync::mpsc::sync_channel(0);
        let worker = Worker {
            store: self.lab.store.clone(),
            jobs: self.aggregation.jobs.clone(),
            orders: none,
            metrics: self.metrics.clone(),
            machine: Machine::ONE_CORE,
        };
        self.orders.try_iter().inspect(|order| worker.fill(order)).count()
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
    assert!(bench.lab.store.holding(&result.id()).unwrap().pinned);
    assert_eq!((bench.result(&combination), bench.fill()), (result, 0));
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
fn a_result_that_was_let_go_is_pinned_or_computed_again() {
    let bench = Bench::new(Lab::new());
    let combination = round(bench.lab.honest(4));
    bench.ask(&combination);
    bench.fill();
    let result = bench.result(&combination);
    bench.lab.store.unpin(&result.id()).unwrap();
    assert_eq!(bench.result(&combination), result);
    assert!(bench.lab.store.holding(&result.id()).unwrap().pinned);
    bench.lab.remove(&result.id());
    assert_eq!(bench.ask(&combination), CombinationStatus::Running);
    assert_eq!(bench.fill(), 1);
    assert_eq!(bench.result(&combination), result);
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
    bench.aggregation.jobs.lock().age(&key(&hopeless));
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
    lab.remove(&expected.id());
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
