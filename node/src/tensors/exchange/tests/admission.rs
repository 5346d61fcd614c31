//! Restricted tensors on their way between two nodes.

use async_trait::async_trait;
use codec::Encode;
use ensemble_host::FetchError;
use futures::channel::oneshot;
use sc_network::{config::IncomingRequest, ReputationChange};

use super::*;
use crate::tensors::{
    exchange::{
        network::Unanswered,
        protocol::{Request, Response},
        server::Server,
        JobStatus, Terms,
    },
    gate::{
        tests::{restrict, Person, Rules, TASK},
        Gate, Signer,
    },
    store::{Mark, Marker},
};

/// A node that serves, and the network through which others reach it.
struct Host {
    peer: PeerId,
    home: Home,
    rules: Rules,
    requests: async_channel::Sender<IncomingRequest>,
}

impl Host {
    fn new(samples: &[&Sample]) -> Self {
        let (home, rules, peer) = (Home::new(1 << 26), Rules::default(), PeerId::random());
        samples.iter().for_each(|sample| home.put(sample));
        let (sender, requests) = async_channel::bounded(64);
        let gate = Arc::new(Gate::new(home.store.clone(), Arc::new(rules.clone()), GENESIS, peer));
        let network = Arc::new(Script::default());
        tokio::spawn(Server::new(requests, home.store.clone(), gate, network, home.metrics.clone()).run());
        Self { peer, home, rules, requests: sender }
    }

    async fn ask(&self, peer: PeerId, request: Request) -> Vec<u8> {
        ask(&self.requests, peer, request.encode()).await.unwrap()
    }

    /// A node that asks this one with the keys of `signer`.
    fn visitor(&self, signer: Arc<dyn Signer>) -> (Home, Fetcher) {
        let (home, node) = (Home::new(1 << 26), PeerId::random());
        let wire = Arc::new(Wire { from: node, to: self.peer, requests: self.requests.clone() });
        let fetcher = fetcher_as(&home, wire, Identity { genesis: GENESIS, node, signer }, PATIENCE);
        (home, fetcher)
    }
}

/// A network of two.
struct Wire {
    from: PeerId,
    to: PeerId,
    requests: async_channel::Sender<IncomingRequest>,
}

#[async_trait]
impl Network for Wire {
    async fn peers(&self) -> Vec<PeerId> {
        vec![self.to]
    }

    async fn providers(&self, _: TensorId, _: std::collections::HashSet<PeerId>) -> Vec<PeerId> {
        Vec::new()
    }

    async fn request(&self, peer: PeerId, request: Vec<u8>) -> Result<Vec<u8>, Unanswered> {
        assert_eq!(peer, self.to);
        ask(&self.requests, self.from, request).await
    }

    fn report(&self, peer: PeerId, change: ReputationChange) {
        panic!("nothing is wrong with {peer}: {}", change.reason);
    }
}

async fn ask(
    requests: &async_channel::Sender<IncomingRequest>,
    peer: PeerId,
    payload: Vec<u8>,
) -> Result<Vec<u8>, Unanswered> {
    let (pending_response, response) = oneshot::channel();
    requests.send(IncomingRequest { peer, payload, pending_response }).await.map_err(|_| Unanswered)?;
    let response = response.await.map_err(|_| Unanswered)?;
    // It has gone out.
    if let Some(sent) = response.sent_feedback {
        let _ = sent.send(());
    }
    response.result.map_err(|()| Unanswered)
}

/// Waits for the end of a job.
async fn end(fetcher: &Fetcher, id: &TensorId) -> JobStatus {
    loop {
        match fetcher.status(id) {
            JobStatus::Active { .. } => tokio::time::sleep(Duration::from_millis(5)).await,
            status => return status,
        }
    }
}

fn order(home: &Home, fetcher: &Fetcher, sample: &Sample, restricted: bool) {
    if restricted {
        home.store.restrict(&sample.id, Mark { task: TASK, content: sample.id }, Marker::Job).unwrap();
    }
    fetcher.fetch(sample.id, Terms::of_data(u64::MAX)).unwrap();
}

#[tokio::test]
async fn a_stranger_is_refused_whatever_it_asks() {
    let sample = Sample::bytes(2 * PIECE, 1);
    let host = Host::new(&[]);
    restrict(&host.home, &sample, sample.id);
    let requests = [
        Request::Have(sample.id),
        Request::Outline { id: sample.id, page: 0 },
        Request::Piece { id: sample.id, index: 0 },
    ];
    let stranger = PeerId::random();
    for request in requests {
        assert_eq!(host.ask(stranger, request).await, Response::Absent.encode());
    }
    host.home.put(&sample);
    for request in requests {
        assert_eq!(host.ask(stranger, request).await, Response::Restricted { task: Some(TASK) }.encode());
    }
    assert_eq!(host.home.metrics.served_bytes.get(), 0);
    assert_eq!(host.home.store.announceable(10), [], "nobody hears of it");
    host.home.store.pin(&sample.id).unwrap();
    assert_eq!(host.home.store.announceable(10), [sample.id]);
}

#[tokio::test]
async fn whoever_is_entitled_fetches_and_restricts_what_it_fetched() {
    let sample = Sample::bytes(3 * PIECE, 1);
    let host = Host::new(&[]);
    restrict(&host.home, &sample, sample.id);
    host.home.put(&sample);
    let ann = Person::new("ann");
    host.rules.entitle(sample.id, &[ann.asker()]);
    let (home, fetcher) = host.visitor(Arc::new(ann));
    order(&home, &fetcher, &sample, true);
    assert_eq!(end(&fetcher, &sample.id).await, JobStatus::None);
    assert!(home.holds(&sample));
    assert_eq!(home.store.marks(&sample.id), Some(vec![Mark { task: TASK, content: sample.id }]));
}

#[tokio::test]
async fn who_is_not_entitled_fetches_nothing() {
    let sample = Sample::bytes(PIECE, 1);
    let host = Host::new(&[]);
    restrict(&host.home, &sample, sample.id);
    host.home.put(&sample);
    let (ann, eve) = (Person::new("ann"), Person::new("eve"));
    host.rules.entitle(sample.id, &[ann.asker()]);
    let signers: [Arc<dyn Signer>; 2] = [Arc::new(eve), Arc::new(Nobody)];
    for signer in signers {
        let (home, fetcher) = host.visitor(signer);
        order(&home, &fetcher, &sample, true);
        assert_eq!(end(&fetcher, &sample.id).await, JobStatus::Failed(FetchError::Restricted));
        assert!(!home.store.has(&sample.id));
        assert_eq!(home.store.marks(&sample.id), None, "a job that failed leaves no mark");
    }
    // What was not ordered as restricted is not fetched as such: this node would serve it to everybody.
    let (home, fetcher) = host.visitor(Arc::new(ann));
    order(&home, &fetcher, &sample, false);
    assert_eq!(end(&fetcher, &sample.id).await, JobStatus::Failed(FetchError::Restricted));
    assert_eq!(host.home.metrics.served_bytes.get(), 0);
}

#[tokio::test]
async fn a_peer_that_has_not_heard_of_the_panel_is_asked_once_more() {
    let sample = Sample::bytes(PIECE, 1);
    let host = Host::new(&[]);
    restrict(&host.home, &sample, sample.id);
    host.home.put(&sample);
    let ann = Person::new("ann");
    host.rules.entitle_after(1, sample.id, ann.asker());
    let (home, fetcher) = host.visitor(Arc::new(ann));
    order(&home, &fetcher, &sample, true);
    assert_eq!(end(&fetcher, &sample.id).await, JobStatus::None);
    assert!(home.holds(&sample));
}

#[tokio::test]
async fn a_bundle_comes_with_its_members_all_of_them_restricted() {
    let members = [Sample::bytes(100, 1), Sample::bytes(PIECE + 1, 2)];
    let bundle = Sample::bundle(&[&members[0], &members[1]]);
    let host = Host::new(&[]);
    for sample in members.iter().chain([&bundle]) {
        restrict(&host.home, sample, bundle.id);
        host.home.put(sample);
    }
    let ann = Person::new("ann");
    host.rules.entitle(bundle.id, &[ann.asker()]);
    let (home, fetcher) = host.visitor(Arc::new(ann));
    order(&home, &fetcher, &bundle, true);
    assert_eq!(end(&fetcher, &bundle.id).await, JobStatus::None);
    for sample in members.iter().chain([&bundle]) {
        assert!(home.holds(sample));
        assert_eq!(home.store.marks(&sample.id), Some(vec![Mark { task: TASK, content: bundle.id }]));
    }
}

#[tokio::test]
async fn signatures_cost_much_more_than_other_requests() {
    let sample = Sample::bytes(100, 1);
    let host = Host::new(&[]);
    restrict(&host.home, &sample, sample.id);
    host.home.put(&sample);
    let peer = PeerId::random();
    let party = Person::new("eve").party();
    let admit = Request::Admit { id: sample.id, party, challenge: [0; 32], signature: [0; 64] };
    let mut checked = 0;
    while matches!(Response::parse(&host.ask(peer, admit).await), Ok(Response::Denied(_))) {
        checked += 1;
    }
    assert!(checked <= 64, "{checked}");
}
