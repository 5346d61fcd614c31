//! Finding out that what came as restricted content is open elsewhere.
//!
//! Somebody may name a content of everybody's in a restricted task of his own, so that it comes as that task's first. If
//! the task counts no more, and others serve the content openly, it is open here too. Every piece has to come openly, as
//! of what is fetched: else whoever knows some of a content could have all of it opened. Nothing is written.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use ensemble_host::FetchError;
use ensemble_tensor::{Outline, TensorId};
use futures::stream::{self, StreamExt};
use parking_lot::Mutex;
use sc_network_types::PeerId;

use super::{
    fetcher::{blocking, Context},
    protocol::{Request, Response},
    transfer::{MAX_PAUSE, MAX_PEERS, WRONG_BYTES},
};
use crate::tensors::{store::Mark, LOG_TARGET};

/// Peers that are asked at a time whether they serve a tensor openly.
const ASKED_AT_ONCE: usize = 16;

/// What of a job is looked for at those who serve it openly.
pub(super) struct Reopening {
    /// What came as these alone.
    came_as: Vec<Mark>,
    /// How many pieces of each tensor came openly so far, the first ones, also in earlier turns.
    pieces: Mutex<HashMap<TensorId, u32>>,
}

impl Reopening {
    pub fn new(came_as: Vec<Mark>) -> Self {
        Self { came_as, pieces: Mutex::default() }
    }

    fn pieces(&self, id: &TensorId) -> u32 {
        self.pieces.lock().get(id).copied().unwrap_or_default()
    }
}

impl Context {
    /// Opens a held tensor, if it is among those that are looked for, and all of it can be had openly.
    pub(super) async fn reopen(&self, id: TensorId, reopening: &Reopening) -> Result<(), FetchError> {
        if !self.store.came_only_as(&id, &reopening.came_as) {
            return Ok(());
        }
        let store = self.store.clone();
        let outline = Arc::new(blocking(move || store.outline(&id)).await??);
        for peer in self.open_sources(id).await {
            self.take_pieces(peer, id, &outline, reopening).await?;
            if reopening.pieces(&id) == Outline::piece_count(outline.header()) {
                tracing::info!(target: LOG_TARGET, "Tensor {id} came as restricted content, and is open elsewhere");
                let (store, came_as) = (self.store.clone(), reopening.came_as.clone());
                return Ok(blocking(move || store.came_openly(&id, &came_as)).await??);
            }
        }
        Err(FetchError::Restricted)
    }

    /// Those who say that they serve a tensor to everybody.
    async fn open_sources(&self, id: TensorId) -> Vec<PeerId> {
        let mut peers = self.network.peers().await;
        let found = self.network.providers(id, peers.iter().copied().collect()).await;
        peers.extend(found);
        let ask = |peer| async move {
            let message = self.ask_once(peer, Request::Have(id), self.patience.offer).await.ok()?;
            matches!(Response::parse(&message), Ok(Response::Present)).then_some(peer)
        };
        let asked = stream::iter(peers.into_iter().take(MAX_PEERS)).map(ask).buffer_unordered(ASKED_AT_ONCE);
        asked.filter_map(std::future::ready).collect().await
    }

    /// Takes as many of the pieces that are missing as a peer gives.
    async fn take_pieces(
        &self,
        peer: PeerId,
        id: TensorId,
        outline: &Arc<Outline>,
        reopening: &Reopening,
    ) -> Result<(), FetchError> {
        let mut given_at = Instant::now();
        loop {
            let index = reopening.pieces(&id);
            if index >= Outline::piece_count(outline.header()) {
                return Ok(());
            }
            let request = Request::Piece { id, index, under: None };
            let Ok(message) = self.ask_once(peer, request, self.patience.answer).await else { return Ok(()) };
            match Response::parse(&message) {
                Ok(Response::Piece(bytes)) => {
                    let (outline, bytes) = (outline.clone(), bytes.to_vec());
                    if !blocking(move || outline.verify_piece(index, &bytes)).await? {
                        self.network.report(peer, WRONG_BYTES);
                        return Ok(());
                    }
                    reopening.pieces.lock().insert(id, index.saturating_add(1));
                    given_at = Instant::now();
                },
                Ok(Response::Busy { retry_after }) if given_at.elapsed() < self.patience.busy => {
                    let pause = Duration::from_millis(retry_after.into());
                    tokio::time::sleep(pause.min(MAX_PAUSE)).await;
                },
                _ => return Ok(()),
            }
        }
    }
}
