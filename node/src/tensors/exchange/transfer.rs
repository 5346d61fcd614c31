//! Fetching one tensor from the peers that have it.
//!
//! Peers are asked whether they hold it; whoever does becomes a source. A source first gives the outline, which is
//! verified against the id, then pieces, which are verified against the outline, a few at a time and from as many
//! sources as there are. Every source is on probation:
//!
//! | what a source does | what follows |
//! |---|---|
//! | sends bytes that do not match, or no message of the protocol | it is reported, and never asked again |
//! | is late | what it owes is also asked of another; it gets nothing new until it answers |
//! | does not answer at all, or is gone | it loses its place, until all others are exhausted |
//! | does not hold the tensor | it loses its place |
//! | serves it to those alone who are entitled | it is shown who asks; if that does not help, it loses its place |
//! | serves it so, and others openly or for another task | it is left alone while those answer |
//! | says so only when it is asked for bytes | it gives none at once, and others are looked for first |
//! | keeps others waiting by saying that it serves it openly | in this job it is waited for no more, until it gives a piece |
//! | is busy | it is left alone for as long as it asks; without a piece for too long, it counts as out of reach |
//!
//! While no source is free, or none serves openly, others are looked for. When no source is left, the DHT is asked, then,
//! if some only were out of reach, everybody once more. After that the transfer fails, and also when next to nothing
//! arrives for a minute. What has arrived stays for the next attempt.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use codec::Encode;
use ensemble_core::{exchange::Refusal, TaskId};
use ensemble_host::FetchError;
use ensemble_tensor::{Hash, Header, Outline, TensorId};
use futures::{
    future::BoxFuture,
    stream::{FuturesUnordered, StreamExt},
    FutureExt,
};
use sc_network::ReputationChange;
use sc_network_types::PeerId;

use super::{
    fetcher::{blocking, Context, Progress, Shared},
    protocol::{page_count, Request, Response},
};
use crate::tensors::{
    gate::{Denied, Party},
    store::{Arrival, Download, Mark},
    LOG_TARGET,
};

/// Requests for pieces that a transfer has under way, late ones not counted.
pub const PIECES_AT_ONCE: usize = 4;
/// Requests that one source may owe.
const MOST_PER_SOURCE: usize = PIECES_AT_ONCE;
/// Most peers that a transfer asks at once.
pub const MAX_PEERS: usize = 128;
/// A transfer with more pieces than this to fetch looks for further sources.
const MANY_PIECES: usize = 4;
/// Tasks as content of which a peer is asked for what it restricts. It names one, which comes first.
const MOST_TASKS: usize = 4;
/// Longest pause that a busy peer may ask for.
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(5);

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// The tensor.
    pub id: TensorId,
    /// The bundle as a member of which it is.
    pub part_of: Option<TensorId>,
}

/// A peer that has a tensor, and for whom it restricts it.
pub(super) type Known = (PeerId, Option<Mark>);

/// Bytes that have to arrive within [`Patience::window`], so that nobody keeps a transfer going with next to nothing.
const MIN_GAIN: u64 = 1 << 20;

/// For bytes that do not match the hash they were asked for by.
pub const WRONG_BYTES: ReputationChange = ReputationChange::new_fatal("Tensor bytes do not match their hash");
/// For what is no message of the protocol, or no answer to the question.
pub const BAD_RESPONSE: ReputationChange = ReputationChange::new_fatal("Malformed tensor response");
/// For not answering in time.
pub const NO_ANSWER: ReputationChange = ReputationChange::new(-(1 << 10), "Tensor request not answered in time");

/// How long to wait for whom.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the answer whether a peer holds the tensor.
    pub offer: Duration,
    /// For an outline or a piece, before another source is asked as well.
    pub late: Duration,
    /// For an outline or a piece, in all.
    pub answer: Duration,
    /// Before peers that were out of reach are asked once more.
    pub pause: Duration,
    /// How often they are.
    pub rounds: u32,
    /// For a piece from a source that says it is busy.
    pub busy: Duration,
    /// For a piece from a source that is to be asked first, before all are.
    pub preference: Duration,
    /// For [`MIN_GAIN`] bytes of a tensor.
    pub window: Duration,
    /// For a job, before others have their turn.
    pub turn: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            offer: Duration::from_secs(5),
            late: Duration::from_secs(3),
            answer: Duration::from_secs(15),
            pause: Duration::from_secs(2),
            rounds: 2,
            busy: Duration::from_secs(30),
            preference: Duration::from_secs(10),
            window: Duration::from_secs(60),
            turn: Duration::from_secs(30),
        }
    }
}

/// One tensor being fetched.
pub(super) struct Transfer<'a> {
    context: &'a Context,
    wanted: Wanted,
    shared: Shared<'a>,
    sources: HashMap<PeerId, Source>,
    todo: VecDeque<Task>,
    running: HashMap<u64, Running>,
    serial: u64,
    requests: FuturesUnordered<BoxFuture<'a, Event>>,
    timers: FuturesUnordered<BoxFuture<'a, Event>>,
    download: Option<Arc<Download>>,
    search: Search,
    /// Searches that have not ended.
    searches: usize,
    rounds: u32,
    /// Bytes that had arrived when the window began.
    received: u64,
    /// For whom those restrict it who were asked for pieces, if they do.
    under: Option<Mark>,
    /// When the last piece arrived, or the transfer began.
    arrived_at: Instant,
    /// Whether searches are not waited for any more.
    waited: bool,
    /// Whether somebody holds the tensor and does not serve it to this node.
    refused: bool,
}

/// Something that a source can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Task {
    Outline,
    Piece(u32),
}

struct Running {
    peer: PeerId,
    task: Task,
    late: bool,
}

struct Source {
    standing: Standing,
    /// When it was asked whether it has the tensor.
    asked_at: Instant,
    /// Requests that it owes.
    owes: usize,
    /// Requests that it may owe: more with every piece, one after being late.
    may_owe: usize,
    /// Since when it has been busy without giving a piece.
    busy_since: Option<Instant>,
    /// For whom it restricts the tensor, which it serves this node as one of those.
    under: Option<Mark>,
    /// For whom it restricted the bundle that the tensor is a member of.
    admitted: Option<Mark>,
    /// Whether it has said that it has the tensor, and for whom.
    offered: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// Asked whether it holds the tensor.
    Asked,
    /// Holds the tensor and answers.
    Ready,
    /// Holds the tensor, but is late with an answer.
    Late,
    /// Wants to be left alone for a while.
    Paused,
    /// Out of reach.
    Lost,
    /// Does not hold the tensor.
    Absent,
    /// Sent something wrong.
    Barred,
}

/// Who has been asked for sources.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Search {
    Nobody,
    Peers,
    Dht,
}

enum Event {
    Candidates(Vec<PeerId>),
    Offer { peer: PeerId, outcome: Result<Option<Mark>, Fault> },
    Done { serial: u64, outcome: Result<Answer, Fault> },
    Late { serial: u64 },
    Rested { peer: PeerId },
    Window,
}

/// What a peer says to this node's keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Admission {
    Given(Mark),
    Refused,
    /// It may not have heard of the block by which one of them is entitled.
    NotYet,
}

enum Answer {
    Outline(Outline),
    Piece,
}

/// Why a request did not lead to what it asked for.
pub(super) enum Fault {
    Unanswered,
    Stalled,
    Absent,
    /// The tensor is restricted, and the peer does not admit this node.
    Refused,
    /// The tensor is restricted otherwise than the peer said so far, and the peer admits this node.
    Under(Mark),
    Busy(Duration),
    /// Something wrong, and how many bytes of it.
    Wrong(ReputationChange, u64),
    /// Not the peer's fault.
    Local(FetchError),
}

impl<'a> Transfer<'a> {
    /// A transfer of one tensor.
    pub fn new(context: &'a Context, wanted: Wanted, shared: Shared<'a>) -> Self {
        Self {
            context,
            wanted,
            shared,
            sources: HashMap::new(),
            todo: VecDeque::new(),
            running: HashMap::new(),
            serial: 0,
            requests: FuturesUnordered::new(),
            timers: FuturesUnordered::new(),
            download: None,
            search: Search::Nobody,
            searches: 0,
            rounds: context.patience.rounds,
            received: 0,
            under: None,
            arrived_at: Instant::now(),
            waited: false,
            refused: false,
        }
    }

    /// Fetches the tensor into the store. First turns to the peers `known` to have the bundle that it is a member of.
    /// Returns those that have it.
    pub async fn run(mut self, known: &[Known]) -> Result<Vec<Known>, FetchError> {
        let outcome = self.drive(known).await;
        if let Err(FetchError::StoreFull | FetchError::Invalid) = outcome {
            // What has arrived takes room that is missing, or is no use to anybody.
            let (store, id) = (self.context.store.clone(), self.wanted.id);
            blocking(move || store.give_up(&id)).await?;
        }
        outcome?;
        let ready = self.sources.iter().filter(|(_, source)| source.standing == Standing::Ready);
        Ok(ready.map(|(peer, source)| (*peer, source.under)).collect())
    }

    async fn drive(&mut self, known: &[Known]) -> Result<(), FetchError> {
        self.begin(known).await?;
        loop {
            if let Some(download) = self.download.clone().filter(|download| download.is_complete()) {
                return Ok(blocking(move || download.finish()).await??);
            }
            self.hand_out();
            match self.next_event().await {
                Some(event) => self.on_event(event).await?,
                None => self.look_further().await?,
            }
        }
    }

    async fn begin(&mut self, known: &[Known]) -> Result<(), FetchError> {
        self.open_window();
        let (store, id) = (self.context.store.clone(), self.wanted.id);
        match blocking(move || store.interrupted(&id)).await? {
            Some(outline) => self.start_download(outline).await?,
            None => self.todo.push_back(Task::Outline),
        }
        for (peer, admitted) in known {
            self.ask_whether_it_has(*peer, *admitted);
        }
        if self.sources.is_empty() {
            self.widen();
        }
        Ok(())
    }

    async fn start_download(&mut self, outline: Outline) -> Result<(), FetchError> {
        let header = *outline.header();
        if !self.shared.budget.take(&header) {
            return Err(FetchError::TooLarge);
        }
        let (store, id) = (self.context.store.clone(), self.wanted.id);
        let begun = blocking(move || store.download(outline).map(|download| (download, store.came_under(&id))));
        let (download, came_under) = begun.await??;
        self.under = came_under;
        self.shared.progress.size_known(header.data_len());
        self.shared.progress.received(download.received());
        self.todo = download.missing().into_iter().map(Task::Piece).collect();
        self.download = Some(download);
        if self.todo.len() > MANY_PIECES {
            self.widen();
        }
        Ok(())
    }

    /// Asks sources for what is to be done, as far as they may be asked.
    fn hand_out(&mut self) {
        self.lose_patience();
        while self.running.values().filter(|running| !running.late).count() < PIECES_AT_ONCE {
            let Some(task) = self.todo.pop_front() else { return };
            if self.is_done(task) {
                continue;
            }
            let Some(peer) = self.idlest_source() else {
                self.todo.push_front(task);
                return;
            };
            self.ask_for(peer, task);
        }
    }

    fn is_done(&self, task: Task) -> bool {
        match (task, &self.download) {
            (Task::Outline, download) => download.is_some(),
            (Task::Piece(index), Some(download)) => download.has(index),
            (Task::Piece(_), None) => false,
        }
    }

    /// The source that is to be asked next: the idlest of those that come first, as long as they give anything.
    fn idlest_source(&self) -> Option<PeerId> {
        let left = self.sources.iter().filter(|(_, source)| source.is_left());
        // Somebody who comes first may yet be found.
        let searches = self.searches > 0 && !self.waited;
        let first = if searches { 0 } else { left.map(|(peer, source)| self.rank(peer, source)).min()? };
        let waited = self.has_waited();
        let comes = |peer, source: &Source| source.is_free() && (waited || self.rank(peer, source) == first);
        let free = self.sources.iter().filter(|(peer, source)| comes(*peer, source));
        free.min_by_key(|(peer, source)| (source.owes, self.shared.doubted.contains(peer))).map(|(peer, _)| *peer)
    }

    /// Whether nothing has come for as long as those who come first are waited for.
    fn has_waited(&self) -> bool {
        self.arrived_at.elapsed() >= self.context.patience.preference
    }

    /// Notes who kept the transfer waiting though others would have given it what is missing, so that this happens once in
    /// a job and not with every few pieces.
    fn lose_patience(&mut self) {
        let spurned = |source: &Source| source.under.is_some() && source.is_free();
        if !self.has_waited() || !self.sources.values().any(spurned) {
            return;
        }
        self.waited = true;
        let long = self.context.patience.preference;
        let keeps_waiting =
            |source: &Source| source.under.is_none() && source.is_left() && source.asked_at.elapsed() >= long;
        for (peer, _) in self.sources.iter().filter(|(_, source)| keeps_waiting(source)) {
            self.shared.doubted.insert(*peer);
        }
    }

    /// What comes openly, all of it, is open; what comes for one task is of use to those who are entitled by that. So
    /// whoever serves it openly comes first, then those who serve it as it came so far.
    fn rank(&self, peer: &PeerId, source: &Source) -> u8 {
        match (source.under, self.under) {
            (None, _) => self.shared.doubted.contains(peer).into(),
            (its, so_far) if so_far.is_none() || its == so_far => 1,
            _ => 2,
        }
    }

    fn ask_for(&mut self, peer: PeerId, task: Task) {
        let (context, wanted, late) = (self.context, self.wanted, self.context.patience.late);
        let serial = self.serial;
        self.serial += 1;
        self.running.insert(serial, Running { peer, task, late: false });
        let under = self.sources.get_mut(&peer).and_then(|source| {
            source.owes += 1;
            source.under
        });
        let answer = match (task, &self.download) {
            (Task::Piece(index), Some(download)) => {
                self.under = under.or(self.under);
                context.piece(peer, wanted, index, under, download.clone(), self.shared.progress).boxed()
            },
            _ => context.outline(peer, wanted, under).boxed(),
        };
        self.requests.push(answer.map(move |outcome| Event::Done { serial, outcome }).boxed());
        self.timers.push(tokio::time::sleep(late).map(move |()| Event::Late { serial }).boxed());
    }

    /// The next thing that happens; nothing if nothing is under way.
    async fn next_event(&mut self) -> Option<Event> {
        let resting = self.sources.values().any(|source| source.standing == Standing::Paused);
        if self.requests.is_empty() && !resting {
            return None;
        }
        tokio::select! {
            Some(event) = self.requests.next() => Some(event),
            Some(event) = self.timers.next() => Some(event),
            else => None,
        }
    }

    async fn on_event(&mut self, event: Event) -> Result<(), FetchError> {
        match event {
            Event::Candidates(peers) => self.on_candidates(peers),
            Event::Offer { peer, outcome } => match outcome {
                Ok(under) => self.on_offer(&peer, under),
                Err(fault) => self.on_fault(peer, fault)?,
            },
            Event::Done { serial, outcome } => self.on_done(serial, outcome).await?,
            Event::Late { serial } => self.on_late(serial),
            Event::Window => self.on_window()?,
            Event::Rested { peer } => self.on_rested(&peer),
        }
        Ok(())
    }

    fn on_candidates(&mut self, peers: Vec<PeerId>) {
        self.searches = self.searches.saturating_sub(1);
        let new: Vec<_> = peers.into_iter().filter(|peer| !self.sources.contains_key(peer)).take(MAX_PEERS).collect();
        for peer in new {
            self.ask_whether_it_has(peer, None);
        }
    }

    /// Asks a peer whether it has the tensor; `admitted` is for what it serves this node already.
    fn ask_whether_it_has(&mut self, peer: PeerId, admitted: Option<Mark>) {
        self.sources.insert(peer, Source::asked(admitted));
        self.request_offer(peer, admitted);
    }

    fn request_offer(&mut self, peer: PeerId, admitted: Option<Mark>) {
        let offer = self.context.offer(peer, self.wanted, admitted);
        self.requests.push(offer.map(move |outcome| Event::Offer { peer, outcome }).boxed());
    }

    /// Notes that a source has the tensor, and for whom it restricts it. Before it is asked for more, others are looked
    /// for who may serve it openly: also members of a bundle, which may be tensors of their own elsewhere.
    fn on_offer(&mut self, peer: &PeerId, under: Option<Mark>) {
        if let Some(source) = self.sources.get_mut(peer) {
            source.offered = true;
            // It does not stop to.
            source.under = under.or(source.under);
        }
        while under.is_some() && self.search != Search::Dht {
            self.widen();
        }
        self.set_standing(peer, Standing::Ready);
    }

    async fn on_done(&mut self, serial: u64, outcome: Result<Answer, Fault>) -> Result<(), FetchError> {
        let Some(Running { peer, task, .. }) = self.running.remove(&serial) else { return Ok(()) };
        if let Some(source) = self.sources.get_mut(&peer) {
            source.owes = source.owes.saturating_sub(1);
        }
        match outcome {
            Ok(answer) => {
                self.set_standing(&peer, Standing::Ready);
                self.on_answer(&peer, answer).await
            },
            Err(fault) => {
                if !self.is_done(task) && !self.todo.contains(&task) {
                    self.todo.push_front(task);
                }
                self.on_fault(peer, fault)
            },
        }
    }

    async fn on_answer(&mut self, peer: &PeerId, answer: Answer) -> Result<(), FetchError> {
        match answer {
            Answer::Outline(outline) if self.download.is_none() => self.start_download(outline).await,
            Answer::Outline(_) => Ok(()),
            Answer::Piece => {
                self.arrived_at = Instant::now();
                if let Some(source) = self.sources.get_mut(peer) {
                    if source.under.is_none() {
                        self.shared.doubted.remove(peer);
                    }
                    source.may_owe = (source.may_owe + 1).min(MOST_PER_SOURCE);
                    source.busy_since = None;
                }
                Ok(())
            },
        }
    }

    fn on_fault(&mut self, peer: PeerId, fault: Fault) -> Result<(), FetchError> {
        match fault {
            Fault::Unanswered => self.set_standing(&peer, Standing::Lost),
            Fault::Stalled => {
                tracing::debug!(target: LOG_TARGET, "{peer} does not answer for tensor {}", self.wanted.id);
                self.context.network.report(peer, NO_ANSWER);
                self.set_standing(&peer, Standing::Lost);
            },
            Fault::Absent => self.set_standing(&peer, Standing::Absent),
            Fault::Refused => {
                self.refused = true;
                self.set_standing(&peer, Standing::Absent);
            },
            Fault::Under(mark) => self.on_offer(&peer, Some(mark)),
            Fault::Busy(pause) => self.on_busy(peer, pause),
            Fault::Wrong(change, len) => {
                let id = self.wanted.id;
                tracing::warn!(target: LOG_TARGET, "Dropping {peer}, asked for tensor {id}: {}", change.reason);
                self.context.metrics.rejected_bytes.inc_by(len);
                self.context.network.report(peer, change);
                self.set_standing(&peer, Standing::Barred);
            },
            Fault::Local(error) => return Err(error),
        }
        Ok(())
    }

    fn on_busy(&mut self, peer: PeerId, pause: Duration) {
        let Some(source) = self.sources.get_mut(&peer) else { return };
        if source.busy_since.get_or_insert_with(Instant::now).elapsed() >= self.context.patience.busy {
            return self.set_standing(&peer, Standing::Lost);
        }
        self.set_standing(&peer, Standing::Paused);
        let pause = tokio::time::sleep(pause.min(MAX_PAUSE));
        self.timers.push(pause.map(move |()| Event::Rested { peer }).boxed());
        if self.idlest_source().is_none() {
            self.widen();
        }
    }

    fn on_rested(&mut self, peer: &PeerId) {
        let Some(source) = self.sources.get_mut(peer) else { return };
        // Meanwhile something else may have become of it.
        match source.standing {
            Standing::Paused if source.offered => source.standing = Standing::Ready,
            Standing::Paused => {
                // How it serves the tensor has to be known before anything is taken from it.
                source.standing = Standing::Asked;
                let admitted = source.admitted;
                self.request_offer(*peer, admitted);
            },
            _ => {},
        }
    }

    fn on_late(&mut self, serial: u64) {
        let Some(running) = self.running.get_mut(&serial) else { return };
        running.late = true;
        let (peer, task) = (running.peer, running.task);
        self.set_standing(&peer, Standing::Late);
        if let Some(source) = self.sources.get_mut(&peer) {
            source.may_owe = 1;
        }
        if !self.todo.contains(&task) {
            self.todo.push_front(task);
        }
        if self.idlest_source().is_none() {
            self.widen();
        }
    }

    fn open_window(&mut self) {
        let end = tokio::time::sleep(self.context.patience.window);
        self.timers.push(end.map(|()| Event::Window).boxed());
    }

    /// Gives the transfer up if next to nothing arrived.
    fn on_window(&mut self) -> Result<(), FetchError> {
        let received = self.download.as_ref().map_or(0, |download| download.received());
        if received.saturating_sub(self.received) < MIN_GAIN {
            tracing::debug!(target: LOG_TARGET, "Tensor {} arrives too slowly", self.wanted.id);
            return Err(FetchError::NotFound);
        }
        self.received = received;
        self.open_window();
        Ok(())
    }

    /// Changes a source's standing. Being barred is for good.
    fn set_standing(&mut self, peer: &PeerId, standing: Standing) {
        if let Some(source) = self.sources.get_mut(peer).filter(|source| source.standing != Standing::Barred) {
            source.standing = standing;
        }
    }

    /// Looks for further sources: among the connected peers, then in the DHT.
    fn widen(&mut self) {
        let (context, id) = (self.context, self.wanted.id);
        let candidates = match self.search {
            Search::Nobody => context.network.peers(),
            Search::Peers => context.network.providers(id, self.sources.keys().copied().collect()),
            Search::Dht => return,
        };
        self.search = if self.search == Search::Nobody { Search::Peers } else { Search::Dht };
        self.searches += 1;
        self.requests.push(candidates.map(Event::Candidates).boxed());
    }

    /// With no source left, looks for others, or asks those once more that were out of reach.
    async fn look_further(&mut self) -> Result<(), FetchError> {
        if self.search != Search::Dht {
            self.widen();
            return Ok(());
        }
        let before = self.sources.len();
        self.sources.retain(|_, source| source.standing != Standing::Lost);
        if self.sources.len() == before || self.rounds == 0 {
            return Err(if self.refused { FetchError::Restricted } else { FetchError::NotFound });
        }
        self.rounds -= 1;
        tokio::time::sleep(self.context.patience.pause).await;
        self.search = Search::Nobody;
        self.widen();
        Ok(())
    }
}

impl Source {
    /// One that was asked whether it holds the tensor.
    fn asked(admitted: Option<Mark>) -> Self {
        Self {
            standing: Standing::Asked,
            asked_at: Instant::now(),
            owes: 0,
            may_owe: 1,
            busy_since: None,
            under: None,
            admitted,
            offered: false,
        }
    }

    /// Whether it may be asked for something.
    fn is_free(&self) -> bool {
        self.standing == Standing::Ready && self.owes < self.may_owe
    }

    /// Whether it may give the tensor yet.
    fn is_left(&self) -> bool {
        match self.standing {
            Standing::Asked | Standing::Ready | Standing::Late | Standing::Paused => true,
            Standing::Lost | Standing::Absent | Standing::Barred => false,
        }
    }
}

impl Context {
    /// Asks whether `peer` holds the tensor, and has it admit this node if it restricts the tensor. Returns for whom it
    /// does. Who has admitted this node for a task is taken at its word that the tensor is that task's.
    async fn offer(&self, peer: PeerId, wanted: Wanted, admitted: Option<Mark>) -> Result<Option<Mark>, Fault> {
        let message = self.ask_once(peer, Request::Have(wanted.id), self.patience.offer).await?;
        let task = match parse(&message)? {
            Response::Present => return Ok(None),
            Response::Restricted { task } => task,
            other => return Err(other.into()),
        };
        match admitted.filter(|mark| task == Some(mark.task)) {
            Some(mark) => Ok(Some(mark)),
            None => self.show_party(peer, wanted, task, self.patience.offer).await.map(Some),
        }
    }

    /// Asks for the outline and verifies it.
    async fn outline(&self, peer: PeerId, wanted: Wanted, under: Option<Mark>) -> Result<Answer, Fault> {
        let id = wanted.id;
        let (header, mut hashes) = self.page(peer, wanted, 0, under).await?;
        for page in 1..page_count(&header) {
            let (other, more) = self.page(peer, wanted, page, under).await?;
            if other != header || more.is_empty() {
                return Err(Fault::Wrong(BAD_RESPONSE, 0));
            }
            hashes.extend(more);
        }
        let len = size_of_val(&hashes[..]) as u64;
        let outline = Outline::verify(&id, &header, hashes).map_err(|_| Fault::Wrong(WRONG_BYTES, len))?;
        Ok(Answer::Outline(outline))
    }

    async fn page(
        &self,
        peer: PeerId,
        wanted: Wanted,
        page: u16,
        under: Option<Mark>,
    ) -> Result<(Header, Vec<Hash>), Fault> {
        let request = Request::Outline { id: wanted.id, page, under: under.map(|mark| mark.task) };
        let message = self.ask(peer, wanted, request, under).await?;
        match parse(&message)? {
            Response::Outline { header, hashes } => Ok((header, hashes.into_owned())),
            other => Err(other.into()),
        }
    }

    /// Asks for a piece, verifies and writes it. `under` is for whom the source restricts it.
    async fn piece(
        &self,
        peer: PeerId,
        wanted: Wanted,
        index: u32,
        under: Option<Mark>,
        download: Arc<Download>,
        progress: &Progress,
    ) -> Result<Answer, Fault> {
        let request = Request::Piece { id: wanted.id, index, under: under.map(|mark| mark.task) };
        let message = self.ask(peer, wanted, request, under).await?;
        let accepted = blocking(move || {
            let bytes = match parse(&message)? {
                Response::Piece(bytes) => bytes,
                other => return Err(other.into()),
            };
            let len = bytes.len() as u64;
            match download.accept(index, bytes, under) {
                Ok(Arrival::Accepted) => Ok(len),
                Ok(Arrival::Duplicate) => Ok(0),
                Ok(Arrival::Wrong) => Err(Fault::Wrong(WRONG_BYTES, len)),
                Err(error) => Err(Fault::Local(error.into())),
            }
        });
        let len = accepted.await.map_err(Fault::Local)??;
        progress.received(len);
        Ok(Answer::Piece)
    }

    /// Asks, and once more after showing who asks, if the peer wants to know that again. If it turns out to restrict
    /// the tensor otherwise than by `under`, nothing is taken from it yet.
    async fn ask(&self, peer: PeerId, wanted: Wanted, request: Request, under: Option<Mark>) -> Result<Vec<u8>, Fault> {
        let patience = self.patience.answer;
        let message = self.ask_once(peer, request, patience).await?;
        let Ok(Response::Restricted { task }) = Response::parse(&message) else { return Ok(message) };
        let mark = self.show_party(peer, wanted, task, patience).await?;
        match under == Some(mark) {
            true => self.ask_once(peer, request, patience).await,
            false => Err(Fault::Under(mark)),
        }
    }

    /// Has a peer admit this node to a restricted tensor, with the first of its keys that is entitled, and says by which
    /// mark.
    ///
    /// It asks as what the tensor was ordered as, or its bundle came as, first as content of the task that the peer
    /// `named`: whoever knows a content's id can have it ordered for many. What was not ordered as restricted is not
    /// fetched from whoever restricts it.
    async fn show_party(
        &self,
        peer: PeerId,
        wanted: Wanted,
        named: Option<TaskId>,
        patience: Duration,
    ) -> Result<Mark, Fault> {
        // What is restricted for no task is served to nobody.
        let named = named.ok_or(Fault::Refused)?;
        let (store, identity) = (self.store.clone(), self.identity.clone());
        let claims = blocking(move || {
            let bundle = wanted.part_of.and_then(|bundle| store.marks(&bundle)).unwrap_or_default();
            let mut marks = [store.orders(&wanted.id), bundle].concat();
            marks.sort_by_key(|mark| mark.task != named);
            identity.claims(&marks, MOST_TASKS)
        });
        let claims = claims.await.map_err(Fault::Local)?;
        let mut admission = self.try_claims(peer, wanted.id, &claims, patience).await?;
        if admission == Admission::NotYet {
            tokio::time::sleep(self.patience.pause).await;
            admission = self.try_claims(peer, wanted.id, &claims, patience).await?;
        }
        match admission {
            Admission::Given(mark) => Ok(mark),
            Admission::NotYet | Admission::Refused => Err(Fault::Refused),
        }
    }

    async fn try_claims(
        &self,
        peer: PeerId,
        id: TensorId,
        claims: &[(Mark, Party)],
        patience: Duration,
    ) -> Result<Admission, Fault> {
        let mut outcome = Admission::Refused;
        for (mark, party) in claims {
            let message = self.ask_once(peer, Request::Challenge(id), patience).await?;
            let challenge = match parse(&message)? {
                Response::Challenge(challenge) => challenge,
                other => return Err(other.into()),
            };
            let task = mark.task;
            let Some(signature) = self.identity.answer(party, peer, id, task, &challenge) else { continue };
            let request = Request::Admit { id, task, party: *party, challenge, signature };
            let message = self.ask_once(peer, request, patience).await?;
            let denied = match parse(&message)? {
                Response::Admitted => return Ok(Admission::Given(*mark)),
                Response::Denied(denied) => denied,
                other => return Err(other.into()),
            };
            tracing::debug!(target: LOG_TARGET, "{peer} does not serve {id}, of task {task}, to {party:?}: {denied}");
            if matches!(denied, Denied::Refused(Refusal::NotDrawn { .. } | Refusal::NothingWon { .. })) {
                outcome = Admission::NotYet;
            }
        }
        Ok(outcome)
    }

    pub(super) async fn ask_once(&self, peer: PeerId, request: Request, patience: Duration) -> Result<Vec<u8>, Fault> {
        match tokio::time::timeout(patience, self.network.request(peer, request.encode())).await {
            Ok(Ok(message)) => Ok(message),
            Ok(Err(_)) => Err(Fault::Unanswered),
            Err(_) => Err(Fault::Stalled),
        }
    }
}

fn parse(message: &[u8]) -> Result<Response<'_>, Fault> {
    Response::parse(message).map_err(|_| Fault::Wrong(BAD_RESPONSE, message.len() as u64))
}

/// What a response means that is not the one asked for.
impl From<Response<'_>> for Fault {
    fn from(response: Response<'_>) -> Self {
        match response {
            Response::Absent => Self::Absent,
            Response::Restricted { .. } => Self::Refused,
            Response::Busy { retry_after } => Self::Busy(Duration::from_millis(retry_after.into())),
            other => Self::Wrong(BAD_RESPONSE, other.encoded_size() as u64),
        }
    }
}
