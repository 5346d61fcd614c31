//! Restricted tensors on their way between two nodes.

use async_trait::async_trait;
use codec::Encode;
use ensemble_host::FetchError;
use futures::channel::oneshot;
use parking_lot::Mutex;
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
    store::Mark,
};

/// A node that serves, and the network through which others reach it.
struct Host {
    peer: PeerId,
    home: Home,
    /// The chain as it knows it.
    rules: Rules,
    /// The chain as its visitors know it.
    theirs: Rules,
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
        Self { peer, home, rules, theirs: Rules::default(), requests: sender }
    }

    /// One that restricts what it holds, as part of `content`.
    fn restricting(samples: &[&Sample], content: TensorId) -> Self {
        let host = Self::new(&[]);
        for sample in samples {
            restrict(&host.home, sample, content);
            host.home.put(sample);
        }
        host
    }

    /// Has somebody entitled, as everybody knows.
    fn entitle(&self, content: TensorId, person: &Person) {
        self.rules.entitle(content, &[person.asker()]);
        self.theirs.entitle(content, &[person.asker()]);
    }

    async fn ask(&self, peer: PeerId, request: Request) -> Vec<u8> {
        ask(&self.requests, peer, request.encode()).await.unwrap()
    }

    /// A node that asks this one with the keys of `signer`.
    fn visitor(&self, signer: Arc<dyn Signer>) -> (Home, Fetcher) {
        let (home, node) = (Home::new(1 << 26), PeerId::random());
        let fetcher = self.fetcher(&home, node, signer, &[self], 1);
        (home, fetcher)
    }

    /// A fetcher for a node that reaches these, and is connected to the first of them.
    fn fetcher(
        &self,
        home: &Home,
        node: PeerId,
        signer: Arc<dyn Signer>,
        hosts: &[&Self],
        connected: usize,
    ) -> Fetcher {
        self.fetcher_over(home, signer, Wire::new(node, hosts, connected, |_, _| None))
    }

    /// A fetcher that reaches others by this network, and knows of the chain what visitors of this node do.
    fn fetcher_over(&self, home: &Home, signer: Arc<dyn Signer>, wire: Wire) -> Fetcher {
        let identity = Identity { genesis: GENESIS, node: wire.from, signer, chain: Arc::new(self.theirs.clone()) };
        fetcher_as(home, Arc::new(wire), identity, PATIENCE)
    }
}

/// What a peer answers in place of what its node would.
type Whim = Box<dyn Fn(PeerId, Request) -> Option<Vec<u8>> + Send + Sync>;

/// The network as one node sees it.
struct Wire {
    from: PeerId,
    to: Vec<(PeerId, async_channel::Sender<IncomingRequest>)>,
    /// How many of them it is connected to. The DHT knows all.
    connected: usize,
    whim: Whim,
}

impl Wire {
    fn new(
        from: PeerId,
        hosts: &[&Host],
        connected: usize,
        whim: impl Fn(PeerId, Request) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        let to = hosts.iter().map(|host| (host.peer, host.requests.clone())).collect();
        Self { from, to, connected, whim: Box::new(whim) }
    }
}

#[async_trait]
impl Network for Wire {
    async fn peers(&self) -> Vec<PeerId> {
        self.to.iter().take(self.connected).map(|(peer, _)| *peer).collect()
    }

    async fn providers(&self, _: TensorId, known: std::collections::HashSet<PeerId>) -> Vec<PeerId> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.to.iter().map(|(peer, _)| *peer).filter(|peer| !known.contains(peer)).collect()
    }

    async fn request(&self, peer: PeerId, request: Vec<u8>) -> Result<Vec<u8>, Unanswered> {
        if let Some(answer) = (self.whim)(peer, Request::parse(&request).unwrap()) {
            return Ok(answer);
        }
        let (_, requests) = self.to.iter().find(|(other, _)| *other == peer).unwrap();
        ask(requests, self.from, request).await
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

fn mark(task: u32, content: &Sample) -> Mark {
    Mark { task, content: content.id }
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
        assert!(home.store.order(&sample.id, mark(TASK, sample)));
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
        Request::Outline { id: sample.id, page: 0, under: None },
        Request::Piece { id: sample.id, index: 0, under: None },
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
    let host = Host::restricting(&[&sample], sample.id);
    let ann = Person::new("ann");
    host.entitle(sample.id, &ann);
    let (home, fetcher) = host.visitor(Arc::new(ann));
    order(&home, &fetcher, &sample, true);
    assert_eq!(end(&fetcher, &sample.id).await, JobStatus::None);
    assert!(home.holds(&sample));
    assert_eq!(home.store.marks(&sample.id), Some(vec![Mark { task: TASK, content: sample.id }]));
}

#[tokio::test]
async fn who_is_not_entitled_fetches_nothing() {
    let sample = Sample::bytes(PIECE, 1);
    let host = Host::restricting(&[&sample], sample.id);
    let (ann, eve) = (Person::new("ann"), Person::new("eve"));
    // Eve's node knows another chain.
    host.theirs.entitle(sample.id, &[ann.asker(), eve.asker()]);
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
    let host = Host::restricting(&[&sample], sample.id);
    let ann = Person::new("ann");
    host.entitle(sample.id, &ann);
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
    let host = Host::restricting(&[&members[0], &members[1], &bundle], bundle.id);
    let ann = Person::new("ann");
    host.entitle(bundle.id, &ann);
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
    let host = Host::restricting(&[&sample], sample.id);
    let peer = PeerId::random();
    let party = Person::new("eve").party();
    let admit = Request::Admit { id: sample.id, task: TASK, party, challenge: [0; 32], signature: [0; 64] };
    let mut checked = 0;
    while matches!(Response::parse(&host.ask(peer, admit).await), Ok(Response::Denied(_))) {
        checked += 1;
    }
    assert!(checked <= 64, "{checked}");
}

/// Another task.
const OTHER: u32 = TASK + 2;

#[tokio::test]
async fn nothing_is_fetched_as_content_of_another_task() {
    let sample = Sample::bytes(2 * PIECE, 1);
    let host = Host::restricting(&[&sample], sample.id);
    let ann = Person::new("ann");
    host.entitle(sample.id, &ann);
    for rules in [&host.rules, &host.theirs] {
        rules.entitle_for(OTHER, sample.id, ann.asker());
    }
    let (home, fetcher) = host.visitor(Arc::new(ann));
    // Ordered for the other task alone, though its key is entitled to both.
    assert!(home.store.order(&sample.id, mark(OTHER, &sample)));
    order(&home, &fetcher, &sample, false);
    assert_eq!(end(&fetcher, &sample.id).await, JobStatus::Failed(FetchError::Restricted));
    assert_eq!((home.store.marks(&sample.id), host.home.metrics.served_bytes.get()), (None, 0));
    // Ordered for both, it is restricted for the one that it came for.
    assert!(home.store.order(&sample.id, mark(OTHER, &sample)));
    order(&home, &fetcher, &sample, true);
    assert_eq!(end(&fetcher, &sample.id).await, JobStatus::None);
    assert_eq!(home.store.marks(&sample.id), Some(vec![mark(TASK, &sample)]));
    assert!(home.store.holding(&sample.id).unwrap().restricted);
}

#[tokio::test]
async fn the_task_that_the_source_names_is_tried_first_however_many_others_were_ordered() {
    let sample = Sample::bytes(2 * PIECE, 1);
    let host = Host::restricting(&[&sample], sample.id);
    let ann = Person::new("ann");
    host.entitle(sample.id, &ann);
    let others = OTHER..OTHER + 100;
    for task in others.clone() {
        for rules in [&host.rules, &host.theirs] {
            rules.entitle_for(task, sample.id, ann.asker());
        }
    }
    let home = Home::new(1 << 26);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = asked.clone();
    let whim = move |_: PeerId, request: Request| {
        if let Request::Admit { task, .. } = request {
            heard.lock().push(task);
        }
        None
    };
    let fetcher = host.fetcher_over(&home, Arc::new(ann), Wire::new(PeerId::random(), &[&host], 1, whim));
    assert!(home.store.order(&sample.id, mark(TASK, &sample)));
    for task in others.clone() {
        assert!(home.store.order(&sample.id, mark(task, &sample)));
    }
    order(&home, &fetcher, &sample, false);
    assert_eq!(end(&fetcher, &sample.id).await, JobStatus::None);
    assert_eq!(home.store.marks(&sample.id), Some(vec![mark(TASK, &sample)]));
    assert_eq!(std::mem::take(&mut *asked.lock()), [TASK]);

    // Of those that the source does not name, few are tried: each costs a part of what it gives.
    home.store.remove(&sample.id).unwrap();
    for task in others {
        assert!(home.store.order(&sample.id, mark(task, &sample)));
    }
    order(&home, &fetcher, &sample, false);
    assert_eq!(end(&fetcher, &sample.id).await, JobStatus::Failed(FetchError::Restricted));
    assert!(asked.lock().len() <= 4, "{asked:?}");
}

#[tokio::test]
async fn what_comes_openly_is_open_whatever_it_was_ordered_for() {
    let members = [Sample::bytes(100, 1), Sample::bytes(2 * PIECE, 2)];
    let bundle = Sample::bundle(&[&members[0], &members[1]]);
    // The members are everybody's; somebody names them in a restricted bundle.
    let host = Host::restricting(&[&bundle], bundle.id);
    members.iter().for_each(|member| host.home.put(member));
    let ann = Person::new("ann");
    host.entitle(bundle.id, &ann);
    let (home, fetcher) = host.visitor(Arc::new(ann));
    order(&home, &fetcher, &bundle, true);
    assert_eq!(end(&fetcher, &bundle.id).await, JobStatus::None);
    assert_eq!(home.store.marks(&bundle.id), Some(vec![mark(TASK, &bundle)]));
    for member in &members {
        assert_eq!(home.store.marks(&member.id), None);
        assert!(!home.store.holding(&member.id).unwrap().restricted);
    }
    assert!(home.store.holding(&bundle.id).unwrap().restricted);

    let public = Sample::bytes(PIECE, 3);
    host.home.put(&public);
    order(&home, &fetcher, &public, true);
    assert_eq!(end(&fetcher, &public.id).await, JobStatus::None);
    assert_eq!(home.store.marks(&public.id), None);
}

#[tokio::test]
async fn whoever_serves_it_openly_comes_first() {
    let sample = Sample::bytes(8 * PIECE, 1);
    let (owner, locker) = (Host::new(&[&sample]), Host::restricting(&[&sample], sample.id));
    let ann = Person::new("ann");
    locker.entitle(sample.id, &ann);
    // Also if the other one is found only in the DHT.
    for connected in [2, 1] {
        let home = Home::new(1 << 26);
        let hosts = [&locker, &owner];
        let fetcher = locker.fetcher(&home, PeerId::random(), Arc::new(ann.clone()), &hosts, connected);
        order(&home, &fetcher, &sample, true);
        assert_eq!(end(&fetcher, &sample.id).await, JobStatus::None);
        assert_eq!(home.store.marks(&sample.id), None);
        assert_eq!(locker.home.metrics.served_bytes.get(), 0);
    }
}

#[tokio::test]
async fn an_open_session_opens_nothing() {
    let member = Sample::bytes(PIECE + 1, 1);
    let (bundle, public) = (Sample::bundle(&[&member]), Sample::bundle(&[&member, &Sample::bytes(5, 5)]));
    let host = Host::restricting(&[&member, &bundle], bundle.id);
    host.home.put(&Sample::bytes(5, 5));
    host.home.put(&public);
    let ann = Person::new("ann");
    host.entitle(bundle.id, &ann);
    let (home, fetcher) = host.visitor(Arc::new(ann));
    order(&home, &fetcher, &bundle, true);
    assert_eq!(end(&fetcher, &bundle.id).await, JobStatus::None);
    // The node is still served it; a public bundle names it as well.
    home.store.remove(&member.id).unwrap();
    order(&home, &fetcher, &public, false);
    assert_eq!(end(&fetcher, &public.id).await, JobStatus::Failed(FetchError::Restricted));
    assert!(!home.store.has(&member.id));
    // Once it is here as content of the task, it stays so.
    order(&home, &fetcher, &bundle, true);
    assert_eq!(end(&fetcher, &bundle.id).await, JobStatus::None);
    order(&home, &fetcher, &public, false);
    assert_eq!(end(&fetcher, &public.id).await, JobStatus::None);
    assert_eq!(home.store.marks(&member.id), Some(vec![mark(TASK, &bundle)]));
    assert_eq!(home.store.marks(&public.id), None);
    assert!(home.store.holding(&public.id).unwrap().restricted, "for its member");
}

#[tokio::test]
async fn a_stub_keeps_nobody_from_a_restricted_tensor() {
    let sample = Sample::bytes(PIECE, 1);
    let host = Host::restricting(&[&sample], sample.id);
    let ann = Person::new("ann");
    host.entitle(sample.id, &ann);
    let (home, fetcher) = host.visitor(Arc::new(ann));
    // What a peer without a piece, and an upload of sixteen bytes, leave behind.
    drop(home.store.download(sample.outline.clone()).unwrap());
    home.store.upload(Uploader::Anybody, sample.id, 0, &sample.encoding()[..16]).unwrap();
    order(&home, &fetcher, &sample, true);
    assert_eq!(end(&fetcher, &sample.id).await, JobStatus::None);
    assert_eq!(home.store.marks(&sample.id), Some(vec![mark(TASK, &sample)]));
}

#[tokio::test]
async fn who_does_not_say_as_what_it_asks_gets_nothing_though_it_is_admitted() {
    let sample = Sample::bytes(PIECE, 1);
    let host = Host::restricting(&[&sample], sample.id);
    let ann = Person::new("ann");
    host.entitle(sample.id, &ann);
    let (home, node) = (Home::new(1 << 26), PeerId::random());
    let fetcher = host.fetcher(&home, node, Arc::new(ann), &[&host], 1);
    order(&home, &fetcher, &sample, true);
    assert_eq!(end(&fetcher, &sample.id).await, JobStatus::None);
    let refused = Response::Restricted { task: Some(TASK) }.encode();
    for under in [None, Some(OTHER)] {
        let outline = Request::Outline { id: sample.id, page: 0, under };
        for request in [outline, Request::Piece { id: sample.id, index: 0, under }] {
            assert_eq!(host.ask(node, request).await, refused);
        }
    }
    let piece = host.ask(node, Request::Piece { id: sample.id, index: 0, under: Some(TASK) }).await;
    assert_eq!(Response::parse(&piece), Ok(Response::Piece(sample.piece(0))));
}

#[tokio::test]
async fn who_was_busy_is_asked_again_how_it_serves_a_tensor() {
    let sample = Sample::bytes(2 * PIECE, 1);
    let host = Host::restricting(&[&sample], sample.id);
    let ann = Person::new("ann");
    host.entitle(sample.id, &ann);
    let home = Home::new(1 << 26);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = asked.clone();
    // Busy the first two times that it is asked for each kind of thing.
    let whim = move |_: PeerId, request: Request| {
        let mut heard = heard.lock();
        heard.push(request);
        let kind = std::mem::discriminant(&request);
        let times = heard.iter().filter(|other| std::mem::discriminant(*other) == kind).count();
        (times <= 2).then(|| Response::Busy { retry_after: 5 }.encode())
    };
    let wire = Wire::new(PeerId::random(), &[&host], 1, whim);
    let fetcher = host.fetcher_over(&home, Arc::new(ann), wire);
    order(&home, &fetcher, &sample, true);
    assert_eq!(end(&fetcher, &sample.id).await, JobStatus::None);
    assert_eq!(home.store.marks(&sample.id), Some(vec![mark(TASK, &sample)]));
    for request in asked.lock().iter() {
        if let Request::Outline { under, .. } | Request::Piece { under, .. } = request {
            assert_eq!(*under, Some(TASK), "it is known how it serves it before it is asked for bytes");
        }
    }
}

#[tokio::test]
async fn who_says_only_late_that_it_restricts_locks_nothing_away() {
    let sample = Sample::bytes(2 * PIECE, 1);
    let (owner, locker) = (Host::new(&[&sample]), Host::restricting(&[&sample], sample.id));
    let ann = Person::new("ann");
    locker.entitle(sample.id, &ann);
    // The other one is found only in the DHT, or known at once.
    for connected in [1, 1, 2, 2, 2] {
        let home = Home::new(1 << 26);
        let (liar, header, outline) = (locker.peer, sample.header, sample.outline.clone());
        let whim = move |peer: PeerId, request: Request| match request {
            Request::Have(_) if peer == liar => Some(Response::Present.encode()),
            Request::Outline { .. } if peer == liar => {
                Some(Response::Outline { header, hashes: outline.pieces().into() }.encode())
            },
            _ => None,
        };
        let wire = Wire::new(PeerId::random(), &[&locker, &owner], connected, whim);
        let fetcher = locker.fetcher_over(&home, Arc::new(ann.clone()), wire);
        order(&home, &fetcher, &sample, true);
        assert_eq!(end(&fetcher, &sample.id).await, JobStatus::None);
        assert_eq!(home.store.marks(&sample.id), None);
        assert_eq!(locker.home.metrics.served_bytes.get(), 0);
    }
}

#[tokio::test]
async fn who_only_says_that_it_serves_openly_delays_a_job_once() {
    let members: Vec<_> = (1..=8).map(|seed| Sample::bytes(3 * PIECE, seed)).collect();
    let bundle = Sample::bundle(&members.iter().collect::<Vec<_>>());
    let all: Vec<_> = members.iter().chain([&bundle]).collect();
    let (host, liar) = (Host::restricting(&all, bundle.id), Host::new(&[]));
    let ann = Person::new("ann");
    host.entitle(bundle.id, &ann);
    let preference = Duration::from_secs(1);
    let patience = Patience { preference, busy: Duration::from_secs(60), ..PATIENCE };
    // One says that it has it, the other does not even say that.
    for says_so in [true, false] {
        let liar_id = liar.peer;
        let whim = move |peer: PeerId, request: Request| {
            let answer = match request {
                Request::Have(_) if says_so => Response::Present,
                _ => Response::Busy { retry_after: 5 },
            };
            (peer == liar_id).then(|| answer.encode())
        };
        let wire = Wire::new(PeerId::random(), &[&liar, &host], 2, whim);
        let signer = Arc::new(ann.clone());
        let identity = Identity { genesis: GENESIS, node: wire.from, signer, chain: Arc::new(host.theirs.clone()) };
        let home = Home::new(1 << 26);
        let fetcher = fetcher_as(&home, Arc::new(wire), identity, patience);
        let began = std::time::Instant::now();
        order(&home, &fetcher, &bundle, true);
        assert_eq!(end(&fetcher, &bundle.id).await, JobStatus::None);
        assert!((1..=2).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
        assert!(members.iter().all(|member| home.store.marks(&member.id) == Some(vec![mark(TASK, &bundle)])));
    }
}

#[tokio::test]
async fn what_came_as_a_tasks_is_opened_by_those_who_serve_all_of_it_openly() {
    let member = Sample::bytes(3 * PIECE, 1);
    let bundle = Sample::bundle(&[&member]);
    let (locker, owner) = (Host::restricting(&[&member, &bundle], bundle.id), Host::new(&[&member, &bundle]));
    let ann = Person::new("ann");
    locker.entitle(bundle.id, &ann);
    let whim_of = |spoilt: Option<u32>, liar: PeerId| {
        let whole = member.clone();
        move |peer: PeerId, request: Request| match request {
            // It has all pieces of the member but one.
            Request::Piece { id, index, .. } if peer == liar && id == whole.id && spoilt == Some(index) => {
                Some(Response::Absent.encode())
            },
            _ => None,
        }
    };
    let home = Home::new(1 << 26);
    let signer = Arc::new(ann);
    let fetcher = locker.fetcher(&home, PeerId::random(), signer.clone(), &[&locker], 1);
    order(&home, &fetcher, &bundle, true);
    assert_eq!(end(&fetcher, &bundle.id).await, JobStatus::None);
    let came_as = home.store.came_as(&bundle.id).unwrap();
    assert_eq!(came_as, [mark(TASK, &bundle)]);
    let reopen = |hosts: Vec<&Host>, spoilt, came_as: Vec<Mark>| {
        let wire = Wire::new(PeerId::random(), &hosts, 1, whim_of(spoilt, owner.peer));
        let fetcher = locker.fetcher_over(&home, signer.clone(), wire);
        fetcher.reopen(bundle.id, Terms::of_data(u64::MAX), came_as).unwrap();
        let id = bundle.id;
        async move { end(&fetcher, &id).await }
    };
    let restricted = || [&bundle, &member].map(|sample| home.store.marks(&sample.id).is_some());
    let failed = JobStatus::Failed(FetchError::Restricted);
    // Not by those who restrict it, nor by one who has not all of it; and a fetch looks for nothing that is held.
    assert_eq!(reopen(vec![&locker], None, came_as.clone()).await, failed);
    assert_eq!(restricted(), [true, true]);
    assert_eq!(reopen(vec![&locker, &owner], Some(2), came_as.clone()).await, failed);
    assert_eq!(restricted(), [false, true], "the manifest is open");
    assert_eq!(reopen(vec![&locker, &owner], None, vec![mark(OTHER, &bundle)]).await, JobStatus::None);
    assert_eq!(reopen(vec![&locker, &owner], None, Vec::new()).await, JobStatus::None);
    assert_eq!(restricted(), [false, true]);
    // The owner is found in the DHT alone.
    assert_eq!(reopen(vec![&locker, &owner], None, came_as).await, JobStatus::None);
    assert_eq!(restricted(), [false, false]);
    assert!(!home.store.holding(&bundle.id).unwrap().restricted && home.holds(&member));
}

#[tokio::test]
async fn a_members_open_sources_are_looked_for_too() {
    let member = Sample::bytes(2 * PIECE, 1);
    let bundle = Sample::bundle(&[&member]);
    let (owner, locker) = (Host::new(&[&member]), Host::restricting(&[&member, &bundle], bundle.id));
    let ann = Person::new("ann");
    locker.entitle(bundle.id, &ann);
    for connected in [2, 1] {
        let home = Home::new(1 << 26);
        let hosts = [&locker, &owner];
        let fetcher = locker.fetcher(&home, PeerId::random(), Arc::new(ann.clone()), &hosts, connected);
        order(&home, &fetcher, &bundle, true);
        assert_eq!(end(&fetcher, &bundle.id).await, JobStatus::None);
        assert_eq!(home.store.marks(&bundle.id), Some(vec![mark(TASK, &bundle)]));
        assert_eq!(home.store.marks(&member.id), None);
    }
}

#[tokio::test]
async fn what_came_for_one_task_goes_on_as_that_after_a_pause() {
    let sample = Sample::bytes(4 * PIECE, 1);
    let (host, other) = (Host::restricting(&[&sample], sample.id), Host::new(&[]));
    other.home.store.restrict(&sample.id, mark(OTHER, &sample)).unwrap();
    other.home.put(&sample);
    let ann = Person::new("ann");
    for rules in [&host.rules, &host.theirs, &other.rules] {
        rules.entitle(sample.id, &[ann.asker()]);
        rules.entitle_for(OTHER, sample.id, ann.asker());
    }
    // Which of them is turned to first is left to chance.
    for _ in 0..8 {
        let home = Home::new(1 << 26);
        let download = home.store.download(sample.outline.clone()).unwrap();
        download.accept(0, sample.piece(0), Some(mark(OTHER, &sample))).unwrap();
        drop(download);
        let fetcher = host.fetcher(&home, PeerId::random(), Arc::new(ann.clone()), &[&host, &other], 2);
        order(&home, &fetcher, &sample, true);
        assert_eq!(end(&fetcher, &sample.id).await, JobStatus::None);
        assert_eq!(home.store.marks(&sample.id), Some(vec![mark(OTHER, &sample)]));
    }
}
