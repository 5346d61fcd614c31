//! Fetching from peers of every kind.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use ensemble_host::FetchError;
use ensemble_tensor::Kind;
use proptest::prelude::*;

use super::*;
use crate::tensors::exchange::{
    fetcher::{JobStatus, Terms, MAX_JOBS, MAX_RUNNING},
    transfer::{BAD_RESPONSE, PIECES_AT_ONCE, WRONG_BYTES},
};
use crate::tensors::store::footprint;

const PLENTY: u64 = 1 << 30;

/// A node that fetches from scripted peers.
struct Node {
    home: Home,
    script: Arc<Script>,
    fetcher: Fetcher,
}

impl Node {
    fn new(script: Script) -> Self {
        Self::with_home(Home::new(PLENTY), script)
    }

    fn with_home(home: Home, script: Script) -> Self {
        let script = Arc::new(script);
        let fetcher = fetcher(&home, script.clone());
        Self { home, script, fetcher }
    }

    fn with_patience(script: Script, patience: Patience) -> Self {
        let (home, script) = (Home::new(PLENTY), Arc::new(script));
        let fetcher = fetcher_with(&home, script.clone(), patience);
        Self { home, script, fetcher }
    }

    /// The same store with other peers.
    fn reconnected(self, script: Script) -> Self {
        Self::with_home(self.home, script)
    }

    /// Fetches and waits until the job has ended.
    async fn fetch(&self, sample: &Sample, max_bytes: u64) -> JobStatus {
        self.fetcher.fetch(sample.id, Terms::of_data(max_bytes)).unwrap();
        self.ended(sample).await
    }

    async fn ended(&self, sample: &Sample) -> JobStatus {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            match self.fetcher.status(&sample.id) {
                JobStatus::Active { .. } if Instant::now() < deadline => tokio::task::yield_now().await,
                status => return status,
            }
        }
    }

    async fn assert_fetches(&self, sample: &Sample) {
        assert_eq!(self.fetch(sample, PLENTY).await, JobStatus::None);
        assert!(self.home.holds(sample));
    }

    async fn assert_fails(&self, sample: &Sample, error: FetchError) {
        assert_eq!(self.fetch(sample, PLENTY).await, JobStatus::Failed(error));
        assert!(!self.home.store.has(&sample.id));
    }
}

fn samples(count: u8) -> Vec<Sample> {
    (0..count).map(|seed| Sample::bytes(5000 + 10 * usize::from(seed), seed)).collect()
}

#[tokio::test]
async fn a_tensor_comes_from_the_peer_that_has_it() {
    let sample = Sample::bytes(8 * PIECE + 5, 1);
    let node = Node::new(Script::new(&[Manner::Empty, Manner::Honest], &[&sample]));
    node.assert_fetches(&sample).await;
    assert_eq!(node.home.metrics.fetched_bytes.get(), sample.header.data_len());
    assert!(node.script.reported.lock().is_empty());
    assert!(node.script.pieces_asked(0, &sample).is_empty());
    // Every piece was asked for once, and never too many at a time.
    let mut pieces = node.script.pieces_asked(1, &sample);
    pieces.sort_unstable();
    assert_eq!(pieces, (0..9).collect::<Vec<_>>());
    assert!(node.script.most_pieces_in_flight.load(Ordering::SeqCst) <= PIECES_AT_ONCE);
    // Held already: nobody is asked.
    let asked = node.script.asked.lock().len();
    node.assert_fetches(&sample).await;
    assert_eq!(node.script.asked.lock().len(), asked);
}

#[tokio::test]
async fn several_sources_share_the_work() {
    let sample = Sample::bytes(24 * PIECE, 1);
    let node = Node::new(Script::new(&[Manner::Honest; 3], &[&sample]));
    node.assert_fetches(&sample).await;
    assert!((0..3).all(|peer| !node.script.pieces_asked(peer, &sample).is_empty()));
}

#[tokio::test]
async fn wrong_bytes_are_rejected_reported_and_fetched_elsewhere() {
    for (manner, change) in [
        (Manner::WrongPieces, WRONG_BYTES),
        (Manner::WrongOutline, WRONG_BYTES),
        (Manner::Garbage, BAD_RESPONSE),
        (Manner::Flood, BAD_RESPONSE),
        (Manner::Confused, BAD_RESPONSE),
    ] {
        let sample = Sample::bytes(6 * PIECE, 1);
        // First alone, so that it is certain to be asked.
        let node = Node::new(Script::new(&[manner], &[&sample]));
        node.assert_fails(&sample, FetchError::NotFound).await;
        assert_eq!(node.script.reports(0)[0], change, "{manner:?}");
        assert!(node.home.metrics.rejected_bytes.get() > 0 || change == BAD_RESPONSE);
        assert_eq!(node.home.metrics.fetched_bytes.get(), 0);
        // It was asked for one piece and, once it was wrong, for nothing more.
        assert!(node.script.pieces_asked(0, &sample).len() <= 1, "{manner:?}");

        let node = node.reconnected(Script::new(&[manner, Manner::Honest], &[&sample]));
        node.assert_fetches(&sample).await;
        assert!(node.script.reports(1).is_empty());
    }
}

#[tokio::test]
async fn a_stalling_source_is_passed_by() {
    let sample = Sample::bytes(8 * PIECE, 1);
    for manner in [Manner::StallsPieces, Manner::Silent] {
        let node = Node::new(Script::new(&[manner, Manner::Honest], &[&sample]));
        let start = Instant::now();
        node.assert_fetches(&sample).await;
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        // It gets nothing more to do once it is late.
        assert!(node.script.pieces_asked(0, &sample).len() <= 1);
        assert!(node.script.reports(1).is_empty());
    }
}

#[tokio::test]
async fn when_everybody_stalls_the_job_ends() {
    let sample = Sample::bytes(2 * PIECE, 1);
    let node = Node::new(Script::new(&[Manner::StallsPieces, Manner::Silent], &[&sample]));
    node.assert_fails(&sample, FetchError::NotFound).await;
    assert!(node.script.reports(0).iter().all(|change| change.value > WRONG_BYTES.value));
}

#[tokio::test]
async fn a_source_that_dies_is_replaced_and_nothing_is_fetched_twice() {
    let sample = Sample::bytes(8 * PIECE, 1);
    let node = Node::new(Script::new(&[Manner::DiesAfter(2), Manner::Honest], &[&sample]));
    node.assert_fetches(&sample).await;
    assert_eq!(node.home.metrics.fetched_bytes.get(), sample.header.data_len());
    assert!(node.script.reported.lock().is_empty());
}

#[tokio::test]
async fn an_interrupted_transfer_resumes() {
    let sample = Sample::bytes(8 * PIECE, 1);
    let node = Node::new(Script::new(&[Manner::DiesAfter(3)], &[&sample]));
    node.assert_fails(&sample, FetchError::NotFound).await;
    assert_eq!(node.home.metrics.fetched_bytes.get(), 3 * PIECE as u64);

    let node = node.reconnected(Script::new(&[Manner::Honest], &[&sample]));
    node.assert_fetches(&sample).await;
    let mut pieces = node.script.pieces_asked(0, &sample);
    pieces.sort_unstable();
    pieces.dedup();
    assert_eq!(pieces.len(), 5);
    assert_eq!(node.home.metrics.fetched_bytes.get(), sample.header.data_len());
}

#[tokio::test]
async fn when_all_lack_it_the_dht_is_asked() {
    let sample = Sample::bytes(5000, 1);
    let node = Node::new(Script::new(&[Manner::Empty, Manner::Boaster], &[&sample]));
    node.assert_fails(&sample, FetchError::NotFound).await;
    assert_eq!(node.script.lookups.load(Ordering::SeqCst), 1);

    let mut script = Script::new(&[Manner::Empty], &[&sample]);
    script.in_dht = vec![(sc_network_types::PeerId::random(), Manner::Honest)];
    let node = node.reconnected(script);
    node.assert_fetches(&sample).await;
}

#[tokio::test]
async fn nobody_connected_is_not_found() {
    let sample = Sample::bytes(5000, 1);
    Node::new(Script::default()).assert_fails(&sample, FetchError::NotFound).await;
}

#[tokio::test]
async fn a_busy_source_is_waited_for() {
    let sample = Sample::bytes(3 * PIECE, 1);
    let node = Node::new(Script::new(&[Manner::BusyFor(4)], &[&sample]));
    node.assert_fetches(&sample).await;
    assert!(node.script.reported.lock().is_empty());
}

#[tokio::test]
async fn a_source_that_is_always_busy_is_given_up() {
    let sample = Sample::bytes(3 * PIECE, 1);
    let node = Node::new(Script::new(&[Manner::BusyFor(usize::MAX)], &[&sample]));
    node.assert_fails(&sample, FetchError::NotFound).await;
}

#[tokio::test]
async fn a_busy_source_does_not_keep_others_from_being_found() {
    let sample = Sample::bytes(3 * PIECE, 1);
    let mut script = Script::new(&[Manner::BusyAfterOffer], &[&sample]);
    script.in_dht = vec![(sc_network_types::PeerId::random(), Manner::Honest)];
    let node = Node::with_patience(script, Patience { busy: Duration::from_secs(60), ..PATIENCE });
    let start = Instant::now();
    node.assert_fetches(&sample).await;
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test]
async fn what_is_too_large_is_not_fetched() {
    let sample = Sample::bytes(2 * PIECE, 1);
    let node = Node::new(Script::new(&[Manner::Honest], &[&sample]));
    let len = sample.header.data_len();
    assert_eq!(node.fetch(&sample, len - 1).await, JobStatus::Failed(FetchError::TooLarge));
    assert!(node.script.pieces_asked(0, &sample).is_empty());
    assert_eq!(node.home.store.usage().bytes, 0);
    // Asked for again with a larger limit, it starts anew.
    assert_eq!(node.fetch(&sample, len).await, JobStatus::None);
}

#[tokio::test]
async fn what_does_not_fit_into_the_store_is_not_fetched() {
    let (kept, sample) = (Sample::bytes(PIECE, 1), Sample::bytes(2 * PIECE, 2));
    let node = Node::with_home(Home::new(5 * PIECE as u64 / 2), Script::new(&[Manner::Honest], &[&sample]));
    node.home.put(&kept);
    assert!(node.home.store.pin(&kept.id).unwrap());
    node.assert_fails(&sample, FetchError::StoreFull).await;
    assert!(node.script.pieces_asked(0, &sample).is_empty());
    assert!(node.home.holds(&kept));
    node.home.store.unpin(&kept.id).unwrap();
    node.assert_fetches(&sample).await;
}

#[tokio::test]
async fn what_is_no_tensor_is_invalid_and_nobody_s_fault() {
    // A scale that is infinite, and a manifest that is none; both with the right hash.
    let header = Header::new(Kind::Q4_0, 1, 32).unwrap();
    let mut block = vec![0; 18];
    block[..2].copy_from_slice(&0x7c00u16.to_le_bytes());
    let infinite = Sample::new(header, block);
    let manifest = Sample::new(Header::new(Kind::Bundle, 3, 1).unwrap(), vec![1, 2, 3]);
    for sample in [infinite, manifest] {
        let node = Node::new(Script::new(&[Manner::Honest], &[&sample]));
        node.assert_fails(&sample, FetchError::Invalid).await;
        assert!(node.script.reported.lock().is_empty());
        assert_eq!(node.home.store.usage().bytes, 0);
    }
}

#[tokio::test]
async fn a_bundle_comes_with_its_members() {
    let members = samples(6);
    let bundle = Sample::bundle(&members.iter().collect::<Vec<_>>());
    let all: Vec<_> = members.iter().chain([&bundle]).collect();
    let node = Node::new(Script::new(&[Manner::Honest, Manner::Empty], &all));
    let bytes = all.iter().map(|sample| sample.header.data_len()).sum();
    assert_eq!(node.fetch(&bundle, bytes).await, JobStatus::None);
    assert_eq!(node.home.store.holding(&bundle.id).unwrap().bytes, bytes);
    // Whoever had the manifest was asked for the members first: the other was asked once, whether it has the bundle.
    let (empty, _) = node.script.connected[1];
    assert!(node.script.asked.lock().iter().filter(|(peer, _)| *peer == empty).count() <= 1);

    // The limit holds for all together.
    let node = Node::new(Script::new(&[Manner::Honest], &all));
    assert_eq!(node.fetch(&bundle, bytes - 1).await, JobStatus::Failed(FetchError::TooLarge));
    assert_eq!(node.home.store.holding(&bundle.id), None);
}

#[tokio::test]
async fn a_bundle_with_a_missing_member_fails_and_resumes() {
    let members = samples(3);
    let bundle = Sample::bundle(&members.iter().collect::<Vec<_>>());
    let node = Node::new(Script::new(&[Manner::Honest], &[&bundle, &members[0], &members[2]]));
    assert_eq!(node.fetch(&bundle, PLENTY).await, JobStatus::Failed(FetchError::NotFound));
    assert_eq!(node.home.store.holding(&bundle.id), None);
    assert!(node.home.holds(&bundle));

    let node = node.reconnected(Script::new(&[Manner::Honest], &[&bundle, &members[0], &members[1], &members[2]]));
    assert_eq!(node.fetch(&bundle, PLENTY).await, JobStatus::None);
    assert!(node.home.store.holding(&bundle.id).is_some());
    assert!(node.script.pieces_asked(0, &bundle).is_empty());
}

#[tokio::test]
async fn a_bundle_in_a_bundle_is_invalid() {
    let leaf = Sample::bytes(100, 1);
    let inner = Sample::bundle(&[&leaf]);
    let outer = Sample::bundle(&[&inner]);
    let node = Node::new(Script::new(&[Manner::Honest], &[&leaf, &inner, &outer]));
    assert_eq!(node.fetch(&outer, PLENTY).await, JobStatus::Failed(FetchError::Invalid));
    assert_eq!(node.fetch(&inner, PLENTY).await, JobStatus::None);
}

#[tokio::test]
async fn members_on_their_way_do_not_push_each_other_out() {
    let members: Vec<_> = (0..4).map(|seed| Sample::bytes(PIECE, seed)).collect();
    let bundle = Sample::bundle(&members.iter().collect::<Vec<_>>());
    let all: Vec<_> = members.iter().chain([&bundle]).collect();
    let node = Node::with_home(Home::new(3 * PIECE as u64 + 10_000), Script::new(&[Manner::Honest], &all));
    assert_eq!(node.fetch(&bundle, PLENTY).await, JobStatus::Failed(FetchError::StoreFull));
}

#[tokio::test]
async fn two_jobs_that_want_the_same_tensor_fetch_it_once() {
    let member = Sample::bytes(4 * PIECE, 1);
    let bundle = Sample::bundle(&[&member]);
    let node = Node::new(Script::new(&[Manner::Honest], &[&member, &bundle]));
    node.fetcher.fetch(member.id, Terms::of_data(PLENTY)).unwrap();
    node.fetcher.fetch(bundle.id, Terms::of_data(PLENTY)).unwrap();
    node.fetcher.fetch(member.id, Terms::of_data(PLENTY)).unwrap();
    assert_eq!((node.ended(&member).await, node.ended(&bundle).await), (JobStatus::None, JobStatus::None));
    assert_eq!(node.script.pieces_asked(0, &member).len(), 4);
}

#[tokio::test]
async fn jobs_that_run_and_wait_are_limited() {
    let node = Node::new(Script::new(&[Manner::Silent], &[]));
    let ids = (0u32..).map(|number| TensorId(std::array::from_fn(|at| number.to_le_bytes()[at % 4])));
    let accepted = ids.take_while(|id| node.fetcher.fetch(*id, Terms::of_data(PLENTY)).is_ok()).count();
    // The worker has not run yet: all wait.
    assert_eq!(accepted, MAX_JOBS);
    while node.home.metrics.jobs_running.get() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(node.home.metrics.jobs_running.get() <= MAX_RUNNING as u64);
}

#[tokio::test]
async fn a_job_can_be_stopped() {
    let sample = Sample::bytes(2 * PIECE, 1);
    let node = Node::new(Script::new(&[Manner::StallsPieces], &[&sample]));
    node.fetcher.fetch(sample.id, Terms::of_data(PLENTY)).unwrap();
    while node.script.pieces_asked(0, &sample).is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(node.fetcher.cancel(&sample.id));
    assert_eq!(node.ended(&sample).await, JobStatus::None);
    assert!(!node.fetcher.cancel(&sample.id));
    assert_eq!(node.home.metrics.jobs_running.get(), 0);
}

#[tokio::test]
async fn slow_jobs_make_way_for_others_and_go_on_where_they_were() {
    let slow: Vec<_> = (0..4).map(|seed| Sample::bytes(12 * PIECE, seed)).collect();
    let quick = Sample::bytes(2 * PIECE, 9);
    let mut script = Script::new(&[Manner::Honest], &slow.iter().chain([&quick]).collect::<Vec<_>>());
    script.dripping = slow.iter().map(|sample| sample.id).collect();
    let node = Node::with_patience(script, Patience { turn: Duration::from_millis(700), ..PATIENCE });
    for sample in slow.iter().chain([&quick]) {
        node.fetcher.fetch(sample.id, Terms::of_data(PLENTY)).unwrap();
    }
    assert_eq!(node.ended(&quick).await, JobStatus::None);
    assert!(node.home.holds(&quick));
    // The others needed more than one turn, and no piece twice.
    for sample in &slow {
        assert!(matches!(node.fetcher.status(&sample.id), JobStatus::Active { .. }));
    }
    for sample in &slow {
        assert_eq!(node.ended(sample).await, JobStatus::None);
        assert!(node.home.holds(sample));
    }
}

#[tokio::test]
async fn a_tensor_that_drips_is_given_up() {
    let sample = Sample::bytes(12 * PIECE, 1);
    let mut script = Script::new(&[Manner::Honest], &[&sample]);
    script.dripping.insert(sample.id);
    let node = Node::with_patience(script, Patience { window: DRIP / 2, ..PATIENCE });
    node.assert_fails(&sample, FetchError::NotFound).await;
    assert!(node.script.reported.lock().is_empty());
}

#[tokio::test]
async fn a_job_that_nobody_asks_for_any_more_ends() {
    let sample = Sample::bytes(12 * PIECE, 1);
    let mut script = Script::new(&[Manner::Honest], &[&sample]);
    script.dripping.insert(sample.id);
    let node = Node::with_patience(script, Patience { turn: Duration::from_millis(100), ..PATIENCE });
    let terms = Terms { lease: Some(Duration::from_millis(700)), ..Terms::of_data(PLENTY) };
    node.fetcher.fetch(sample.id, terms).unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1500) {
        node.fetcher.renew(&sample.id);
        assert!(matches!(node.fetcher.status(&sample.id), JobStatus::Active { .. }));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(node.ended(&sample).await, JobStatus::None);
    assert!(!node.home.store.has(&sample.id));
    // Asked for again without end, it goes on.
    node.assert_fetches(&sample).await;
}

#[tokio::test]
async fn what_takes_too_much_of_the_disk_is_not_fetched() {
    let members = samples(6);
    let bundle = Sample::bundle(&members.iter().collect::<Vec<_>>());
    let all: Vec<_> = members.iter().chain([&bundle]).collect();
    let disk = all.iter().map(|sample| footprint(&sample.header)).sum();
    let node = Node::new(Script::new(&[Manner::Honest], &all));
    node.fetcher.fetch(bundle.id, Terms { disk: disk - 1, ..Terms::of_data(PLENTY) }).unwrap();
    assert_eq!(node.ended(&bundle).await, JobStatus::Failed(FetchError::TooLarge));
    node.fetcher.fetch(bundle.id, Terms { disk, ..Terms::of_data(PLENTY) }).unwrap();
    assert_eq!(node.ended(&bundle).await, JobStatus::None);
}

#[tokio::test]
async fn progress_can_be_watched() {
    let sample = Sample::bytes(4 * PIECE, 1);
    let node = Node::new(Script::new(&[Manner::DiesAfter(1), Manner::StallsPieces], &[&sample]));
    node.fetcher.fetch(sample.id, Terms::of_data(PLENTY)).unwrap();
    assert_eq!(node.fetcher.status(&sample.id), JobStatus::Active { received: 0, total: None });
    loop {
        match node.fetcher.status(&sample.id) {
            JobStatus::Active { received, total: Some(total) } if received > 0 => {
                assert_eq!((received, total), (PIECE as u64, sample.header.data_len()));
                return;
            },
            JobStatus::Active { .. } => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
    }
}

fn any_manner() -> impl Strategy<Value = Manner> {
    prop_oneof![
        Just(Manner::Honest),
        Just(Manner::Empty),
        Just(Manner::WrongPieces),
        Just(Manner::WrongOutline),
        Just(Manner::Garbage),
        Just(Manner::Flood),
        Just(Manner::Boaster),
        Just(Manner::Silent),
        Just(Manner::StallsPieces),
        (0..5usize).prop_map(Manner::DiesAfter),
        (0..5usize).prop_map(Manner::BusyFor),
        Just(Manner::Confused),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// One honest peer is enough, whoever the others are, and no honest peer is reported.
    #[test]
    fn one_honest_peer_is_enough(
        mut manners in prop::collection::vec(any_manner(), 0..6),
        at in any::<prop::sample::Index>(),
    ) {
        manners.insert(at.index(manners.len() + 1), Manner::Honest);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let sample = Sample::bytes(5 * PIECE + 1, 1);
            let node = Node::new(Script::new(&manners, &[&sample]));
            node.assert_fetches(&sample).await;
            for (peer, manner) in manners.iter().enumerate() {
                let fair = matches!(
                    manner,
                    Manner::Honest | Manner::Empty | Manner::Boaster | Manner::BusyFor(_) | Manner::DiesAfter(_)
                );
                assert!(!fair || node.script.reports(peer).is_empty(), "{manner:?}");
            }
        });
    }
}
