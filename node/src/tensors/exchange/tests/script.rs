//! Peers that do as they are told.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use codec::Encode;
use parking_lot::Mutex;
use sc_network::ReputationChange;
use sc_network_types::PeerId;

use super::*;
use crate::tensors::exchange::{
    network::{Network, Unanswered},
    protocol::{Request, Response, HASHES_PER_PAGE},
};

/// What a peer does when it is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Manner {
    /// It answers what is true.
    Honest,
    /// It holds nothing.
    Empty,
    /// It flips a bit in every piece.
    WrongPieces,
    /// It flips a bit in every outline.
    WrongOutline,
    /// It answers with what is no message.
    Garbage,
    /// It answers with more than a message may have.
    Flood,
    /// It says that it holds everything, and then that it does not.
    Boaster,
    /// It never answers.
    Silent,
    /// It answers all but requests for pieces.
    StallsPieces,
    /// It is gone after so many pieces.
    DiesAfter(usize),
    /// It is busy for the first so many requests.
    BusyFor(usize),
    /// It says that it holds the tensor, and then that it is busy.
    BusyAfterOffer,
    /// It answers an outline with a piece, and a piece with an outline.
    Confused,
}

/// How long a piece of a dripping tensor takes: shorter than the deadline for an answer.
pub const DRIP: Duration = Duration::from_millis(500);

/// A network of such peers.
#[derive(Default)]
pub struct Script {
    pub connected: Vec<(PeerId, Manner)>,
    pub in_dht: Vec<(PeerId, Manner)>,
    pub library: HashMap<TensorId, Sample>,
    /// Tensors of which every piece takes a [`DRIP`].
    pub dripping: HashSet<TensorId>,
    pub asked: Mutex<Vec<(PeerId, Request)>>,
    pub reported: Mutex<Vec<(PeerId, ReputationChange)>>,
    pub lookups: AtomicUsize,
    pub pieces_in_flight: AtomicUsize,
    pub most_pieces_in_flight: AtomicUsize,
}

impl Script {
    pub fn new(manners: &[Manner], samples: &[&Sample]) -> Self {
        let connected = manners.iter().map(|manner| (PeerId::random(), *manner)).collect();
        let library = samples.iter().map(|sample| (sample.id, (*sample).clone())).collect();
        Self { connected, library, ..Self::default() }
    }

    /// The pieces of a tensor that a peer was asked for.
    pub fn pieces_asked(&self, peer: usize, sample: &Sample) -> Vec<u32> {
        let (peer, _) = self.connected[peer];
        let piece = |request: Request| match request {
            Request::Piece { id, index, .. } if id == sample.id => Some(index),
            _ => None,
        };
        self.asked
            .lock()
            .iter()
            .filter(|(asked, _)| *asked == peer)
            .filter_map(|(_, request)| piece(*request))
            .collect()
    }

    /// What was reported of a peer.
    pub fn reports(&self, peer: usize) -> Vec<ReputationChange> {
        let (peer, _) = self.connected[peer];
        self.reported.lock().iter().filter(|(reported, _)| *reported == peer).map(|(_, change)| *change).collect()
    }

    fn manner(&self, peer: &PeerId) -> Option<Manner> {
        self.connected.iter().chain(&self.in_dht).find(|(other, _)| other == peer).map(|(_, manner)| *manner)
    }

    fn answer(&self, request: Request) -> Vec<u8> {
        match request {
            Request::Have(id) if self.library.contains_key(&id) => Response::Present.encode(),
            Request::Outline { id, page, .. } if self.library.contains_key(&id) => {
                let outline = &self.library[&id].outline;
                let hashes = outline.pieces().chunks(HASHES_PER_PAGE).nth(page.into()).unwrap();
                Response::Outline { header: *outline.header(), hashes: Cow::Borrowed(hashes) }.encode()
            },
            Request::Piece { id, index, .. } if self.library.contains_key(&id) => {
                Response::Piece(self.library[&id].piece(index)).encode()
            },
            _ => Response::Absent.encode(),
        }
    }

    async fn act(&self, manner: Manner, request: Request, times_asked: usize) -> Result<Vec<u8>, Unanswered> {
        let piece = matches!(request, Request::Piece { .. });
        let outline = matches!(request, Request::Outline { .. });
        let mut answer = self.answer(request);
        match manner {
            Manner::Empty => answer = Response::Absent.encode(),
            Manner::WrongPieces if piece => *answer.last_mut().unwrap() ^= 1,
            Manner::WrongOutline if outline => *answer.last_mut().unwrap() ^= 1,
            Manner::Garbage => answer = vec![0xff; 100],
            Manner::Flood if !matches!(request, Request::Have(_)) => answer = vec![4; 3 * PIECE],
            Manner::Boaster if matches!(request, Request::Have(_)) => answer = Response::Present.encode(),
            Manner::Boaster => answer = Response::Absent.encode(),
            Manner::Silent => std::future::pending().await,
            Manner::StallsPieces if piece => std::future::pending().await,
            Manner::DiesAfter(pieces) if times_asked > pieces => return Err(Unanswered),
            Manner::BusyFor(times) if times_asked <= times => answer = Response::Busy { retry_after: 5 }.encode(),
            Manner::BusyAfterOffer if piece || outline => answer = Response::Busy { retry_after: 5 }.encode(),
            Manner::Confused if outline => answer = Response::Piece(&[1, 2, 3]).encode(),
            _ => {},
        }
        Ok(answer)
    }

    /// How often a peer was asked: of one that dies, only for pieces.
    fn times_asked(&self, peer: &PeerId, manner: Manner) -> usize {
        let asked = self.asked.lock();
        let counts =
            |request: &Request| !matches!(manner, Manner::DiesAfter(_)) || matches!(request, Request::Piece { .. });
        asked.iter().filter(|(other, request)| other == peer && counts(request)).count()
    }
}

#[async_trait]
impl Network for Script {
    async fn peers(&self) -> Vec<PeerId> {
        self.connected.iter().map(|(peer, _)| *peer).collect()
    }

    async fn providers(&self, _: TensorId, known: HashSet<PeerId>) -> Vec<PeerId> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        self.in_dht.iter().map(|(peer, _)| *peer).filter(|peer| !known.contains(peer)).collect()
    }

    async fn request(&self, peer: PeerId, request: Vec<u8>) -> Result<Vec<u8>, Unanswered> {
        let request = Request::parse(&request).expect("the fetcher keeps to the protocol");
        self.asked.lock().push((peer, request));
        let manner = self.manner(&peer).ok_or(Unanswered)?;
        let times_asked = self.times_asked(&peer, manner);
        if !matches!(request, Request::Piece { .. }) {
            return self.act(manner, request, times_asked).await;
        }
        let in_flight = self.pieces_in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_pieces_in_flight.fetch_max(in_flight, Ordering::SeqCst);
        // Others get a turn while this one is under way.
        tokio::task::yield_now().await;
        if matches!(request, Request::Piece { id, .. } if self.dripping.contains(&id)) {
            tokio::time::sleep(DRIP).await;
        }
        let answer = self.act(manner, request, times_asked).await;
        self.pieces_in_flight.fetch_sub(1, Ordering::SeqCst);
        answer
    }

    fn report(&self, peer: PeerId, change: ReputationChange) {
        self.reported.lock().push((peer, change));
    }
}
