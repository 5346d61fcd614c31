//! Serving peers, hostile ones first.

use codec::Encode;
use futures::channel::oneshot;
use proptest::prelude::*;
use sc_network::config::{IncomingRequest, OutgoingResponse};
use sc_network_types::PeerId;

use super::*;
use crate::tensors::exchange::{
    limits::PEER_IN_FLIGHT_BYTES,
    protocol::{Request, Response, MAX_REQUEST_LEN, MAX_RESPONSE_LEN},
    server::{Server, BAD_REQUEST, NOT_TAKEN},
};
use crate::tensors::gate::tests::Rules;

/// A node that serves.
struct Node {
    home: Home,
    network: Arc<Script>,
    requests: async_channel::Sender<IncomingRequest>,
}

impl Node {
    fn new(samples: &[&Sample]) -> Self {
        let home = Home::new(1 << 30);
        samples.iter().for_each(|sample| home.put(sample));
        let (sender, requests) = async_channel::bounded(64);
        let network = Arc::new(Script::default());
        let gate = Rules::default().gate(&home);
        let mut server = Server::new(requests, home.store.clone(), gate, network.clone(), home.metrics.clone());
        server.patience = PATIENCE.answer;
        tokio::spawn(server.run());
        Self { home, network, requests: sender }
    }

    async fn ask(&self, peer: PeerId, payload: Vec<u8>) -> OutgoingResponse {
        let (pending_response, response) = oneshot::channel();
        self.requests.send(IncomingRequest { peer, payload, pending_response }).await.unwrap();
        response.await.unwrap()
    }

    /// The answer to a well-formed request, received in full.
    async fn answer(&self, request: Request) -> Vec<u8> {
        let response = self.ask(PeerId::random(), request.encode()).await;
        assert!(response.reputation_changes.is_empty());
        response.result.unwrap()
    }

    async fn assert_refused(&self, payload: Vec<u8>) {
        let response = self.ask(PeerId::random(), payload).await;
        assert_eq!((response.result, response.reputation_changes), (Err(()), vec![BAD_REQUEST]));
    }
}

#[tokio::test]
async fn malformed_requests_cost_reputation() {
    let sample = Sample::bytes(PIECE, 1);
    let node = Node::new(&[&sample]);
    node.assert_refused(vec![]).await;
    node.assert_refused(vec![0xff; 33]).await;
    node.assert_refused(vec![0; MAX_REQUEST_LEN + 1]).await;
    node.assert_refused(vec![0; MAX_RESPONSE_LEN]).await;
    node.assert_refused([Request::Have(sample.id).encode(), vec![0]].concat()).await;
    // Pieces and pages that the tensor does not have.
    node.assert_refused(Request::Piece { id: sample.id, index: 1, under: None }.encode()).await;
    node.assert_refused(Request::Piece { id: sample.id, index: u32::MAX, under: None }.encode()).await;
    node.assert_refused(Request::Outline { id: sample.id, page: 1, under: None }.encode()).await;
    assert_eq!(node.home.metrics.served_bytes.get(), 0);
    // The server is none the worse for it.
    assert_eq!(node.answer(Request::Have(sample.id)).await, Response::Present.encode());
}

#[tokio::test]
async fn what_is_held_is_served() {
    let sample = Sample::bytes(2 * PIECE + 5, 1);
    let node = Node::new(&[&sample]);
    let outline = node.answer(Request::Outline { id: sample.id, page: 0, under: None }).await;
    let hashes = sample.outline.pieces().into();
    assert_eq!(Response::parse(&outline), Ok(Response::Outline { header: sample.header, hashes }));
    for index in 0..3 {
        let piece = node.answer(Request::Piece { id: sample.id, index, under: None }).await;
        assert_eq!(Response::parse(&piece), Ok(Response::Piece(sample.piece(index))));
    }
    assert_eq!(node.home.metrics.served_bytes.get(), sample.header.data_len());
}

#[tokio::test]
async fn damaged_pieces_are_not_served() {
    let sample = Sample::bytes(2 * PIECE, 1);
    let node = Node::new(&[&sample]);
    let file = node.home.file(&sample);
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let piece = node.answer(Request::Piece { id: sample.id, index: 0, under: None }).await;
    assert_eq!(Response::parse(&piece), Ok(Response::Piece(sample.piece(0))));
    assert_eq!(node.answer(Request::Piece { id: sample.id, index: 1, under: None }).await, Response::Absent.encode());
    assert!(!node.home.store.has(&sample.id) && !file.exists());
    assert_eq!(node.answer(Request::Have(sample.id)).await, Response::Absent.encode());
}

#[tokio::test]
async fn a_spoilt_outline_is_not_rebuilt_for_a_stranger() {
    let sample = Sample::bytes(2 * PIECE, 1);
    let node = Node::new(&[&sample]);
    std::fs::remove_file(node.home.file(&sample).with_extension("outline")).unwrap();
    let request = Request::Outline { id: sample.id, page: 0, under: None };
    assert_eq!(node.answer(request).await, Response::Absent.encode());
    // The background check is told, and makes it anew.
    assert_eq!(node.home.store.next_doubtful(), Some(sample.id));
    let mut check = node.home.store.check(&sample.id).unwrap();
    while check.step().unwrap() {}
    assert_ne!(node.answer(request).await, Response::Absent.encode());
    assert!(node.home.store.holding(&sample.id).unwrap().is_verified());
}

#[tokio::test]
async fn what_is_not_held_is_absent() {
    let (sample, other) = (Sample::bytes(5000, 1), Sample::bytes(5000, 2));
    let node = Node::new(&[&sample]);
    node.home.store.remove(&sample.id).unwrap();
    for Sample { id, .. } in [sample, other] {
        for request in [
            Request::Have(id),
            Request::Outline { id, page: 9, under: None },
            Request::Piece { id, index: 9, under: None },
        ] {
            assert_eq!(node.answer(request).await, Response::Absent.encode());
        }
    }
}

#[tokio::test]
async fn a_peer_that_does_not_take_its_answers_gets_no_more() {
    let sample = Sample::bytes(PIECE, 1);
    let node = Node::new(&[&sample]);
    let (greedy, other) = (PeerId::random(), PeerId::random());
    let request = Request::Piece { id: sample.id, index: 0, under: None }.encode();
    let mut unsent = Vec::new();
    for _ in 0..PEER_IN_FLIGHT_BYTES / PIECE as u64 {
        unsent.push(node.ask(greedy, request.clone()).await);
    }
    let refused = node.ask(greedy, request.clone()).await.result.unwrap();
    assert!(matches!(Response::parse(&refused), Ok(Response::Busy { .. })));
    assert_eq!(node.home.metrics.refused_requests.get(), 1);
    // Nobody else suffers.
    let served = node.ask(other, request.clone()).await.result.unwrap();
    assert!(matches!(Response::parse(&served), Ok(Response::Piece(_))));
    // When its answers have gone out, or failed to, it may ask again.
    for response in unsent {
        response.sent_feedback.unwrap().send(()).unwrap();
    }
    let served = node.ask(greedy, request).await.result.unwrap();
    assert!(matches!(Response::parse(&served), Ok(Response::Piece(_))));
}

#[tokio::test]
async fn a_peer_that_lets_an_answer_lie_is_locked_out() {
    let sample = Sample::bytes(PIECE, 1);
    let node = Node::new(&[&sample]);
    let (lazy, broken) = (PeerId::random(), PeerId::random());
    let request = Request::Piece { id: sample.id, index: 0, under: None }.encode();
    // A connection that breaks fails at once, and nobody is to blame.
    drop(node.ask(broken, request.clone()).await);
    let unsent = node.ask(lazy, request.clone()).await;
    tokio::time::sleep(2 * PATIENCE.answer).await;
    drop(unsent);
    while node.network.reported.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(*node.network.reported.lock(), [(lazy, NOT_TAKEN)]);
    let refused = node.ask(lazy, request.clone()).await.result.unwrap();
    assert!(matches!(Response::parse(&refused), Ok(Response::Busy { retry_after }) if retry_after > 30_000));
    for peer in [broken, PeerId::random()] {
        let served = node.ask(peer, request.clone()).await.result.unwrap();
        assert!(matches!(Response::parse(&served), Ok(Response::Piece(_))));
    }
}

#[tokio::test]
async fn the_server_ends_with_the_network() {
    let home = Home::new(1 << 20);
    let (sender, requests) = async_channel::bounded(1);
    let gate = Rules::default().gate(&home);
    let network = Arc::new(Script::default());
    let server = Server::new(requests, home.store.clone(), gate, network, home.metrics.clone());
    let server = tokio::spawn(server.run());
    drop(sender);
    server.await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_do_no_harm(payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let sample = Sample::bytes(100, 1);
            let node = Node::new(&[&sample]);
            for payload in payloads {
                let response = node.ask(PeerId::random(), payload).await;
                assert!(response.result.is_ok_and(|bytes| bytes.len() <= MAX_RESPONSE_LEN)
                    || response.reputation_changes == [BAD_REQUEST]);
            }
            assert_eq!(node.answer(Request::Have(sample.id)).await, Response::Present.encode());
        });
    }
}
