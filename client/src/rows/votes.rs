//! The votes on what was served: for each range whose trace is kept, what to vote for, and the commitment and its opening.
//!
//! A worker that the gateway gave something else than it says abstains: nobody could tell who of the two is right.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
};

use ensemble_tensor::{Header, OutlineBuilder, Tensor, TensorId};
use parking_lot::Mutex;
use subxt::rpcs::rpc_params;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::{
    ballot::Ballot,
    book::{Book, Kept},
    trace, Rows,
};
use crate::{
    chain::{
        ensemble,
        types::{
            ensemble_core::{attester::app::Public, inference as chain, tasks::Phase},
            pallet_tasks::types::Ballot as Cast,
        },
        At,
    },
    commands::task::record,
    connection::Connection,
    error::{Error, Kind},
    miner::{Event, Miner},
    send::blake2_256,
    tensors::{self, fetch_encoded, header_of},
    views::{hex_text, tasks::Record},
};

/// Blocks after which a vote that the chain does not have is sent again: the pool may have dropped what it took.
const RESEND_AFTER: u64 = 2;

/// What is known of votes beside what the chain and the disk say.
#[derive(Default)]
pub struct Votes {
    errands: Mutex<HashMap<(Kept, String), Errand>>,
    busy: Mutex<HashSet<Kept>>,
}

/// How far a vote is.
#[derive(Clone, Debug, Default)]
struct Errand {
    /// Whether it is told what became of it.
    is_told: bool,
    /// The block in which it was sent last, and whether that was the opening.
    sent: Option<(u64, bool)>,
    /// What went wrong last.
    failure: Option<String>,
}

/// A vote that may need something to be done.
pub struct Due {
    kept: Kept,
    task: u32,
    /// What tells it from other votes on the same range, which there may be on other forks.
    matter: String,
    closing: Closing,
}

/// What a gateway says, as far as votes depend on it.
#[derive(Clone, Copy, Debug)]
struct Closing {
    trace: (Header, TensorId),
    tokens: (Header, TensorId),
}

impl Closing {
    /// Nothing if there can be no such tensors.
    fn of(closing: &chain::Closing) -> Option<Self> {
        let named = |descriptor: &crate::chain::types::ensemble_core::tasks::Descriptor| {
            let header = header_of(&descriptor.header)?;
            Some((header, header.id(&descriptor.root)))
        };
        Some(Self { trace: named(&closing.trace)?, tokens: named(&closing.tokens)? })
    }

    fn matter(&self, task: u32) -> String {
        let hash = blake2_256(&[&task.to_le_bytes(), &self.tokens.1 .0, &self.trace.1 .0]);
        hex::encode(hash.get(..8).unwrap_or_default())
    }
}

/// What a key may do in a vote in the next block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Turn {
    Commit,
    Wait,
    Reveal,
    Over,
}

/// What a key may do in a vote, of which it has said so much, in a block.
fn turn(task: &Record, cast: &Cast, next: u64) -> Turn {
    let is_open = matches!(task.phase, Phase::Commit | Phase::Reveal);
    let commits = is_open && next <= u64::from(task.commit_until);
    let reveals = is_open && !commits && next <= u64::from(task.reveal_until);
    match cast {
        Cast::Awaited if commits => Turn::Commit,
        Cast::Committed(_) if commits => Turn::Wait,
        Cast::Committed(_) if reveals => Turn::Reveal,
        Cast::Awaited | Cast::Committed(_) | Cast::Revealed(_) => Turn::Over,
    }
}

/// What comes of looking up what to vote for.
enum Found {
    Ballot(Ballot),
    /// Nothing, for this reason.
    Abstain(String),
}

impl Votes {
    /// The votes on traces of a session that are not worked on.
    pub fn due(&self, phase: &chain::SessionPhase<crate::chain::AccountId32, u32>, kept: &[Kept]) -> Vec<Due> {
        let chain::SessionPhase::Voting { closing, votes, .. } = phase else { return Vec::new() };
        let Some(closing) = Closing::of(closing) else { return Vec::new() };
        let mut busy = self.busy.lock();
        let due = |kept: &Kept| {
            let vote = usize::try_from(kept.range).ok().and_then(|range| votes.get(range))?;
            let chain::RangeVote::Open(task) = vote else { return None };
            let is_free = busy.insert(*kept);
            is_free.then(|| Due { kept: *kept, task: *task, matter: closing.matter(*task), closing })
        };
        kept.iter().filter_map(due).collect()
    }

    /// Nothing is worked on with a new connection.
    pub fn begin(&self) {
        self.busy.lock().clear();
    }

    /// Lets go what is known of a session.
    pub fn forget(&self, session: u32) {
        self.errands.lock().retain(|(kept, _), _| kept.session != session);
    }

    fn errand<T>(&self, due: &Due, change: impl FnOnce(&mut Errand) -> T) -> T {
        change(self.errands.lock().entry((due.kept, due.matter.clone())).or_default())
    }
}

impl Rows {
    /// Does what there is to do in a vote.
    ///
    /// # Errors
    ///
    /// If the connection was lost, or nothing can be told.
    pub(super) async fn vote(&self, miner: &Miner<'_>, connection: &Connection, due: Due) -> Result<(), Error> {
        let voted = self.try_vote(miner, connection, &due).await;
        self.votes.busy.lock().remove(&due.kept);
        let Err(error) = voted else { return Ok(()) };
        if error.kind() == Kind::NoNode {
            return Err(error);
        }
        // It is tried again in each block, and told once.
        let message = format!("session {}, vote on range {}: {}", due.kept.session, due.kept.range, error.line());
        let is_new =
            self.votes.errand(&due, |errand| errand.failure.replace(message.clone()).as_ref() != Some(&message));
        if is_new {
            return miner.tell(&Event::Failed { task: Some(due.task), message });
        }
        Ok(())
    }

    async fn try_vote(&self, miner: &Miner<'_>, connection: &Connection, due: &Due) -> Result<(), Error> {
        let best = connection.best().await?;
        let Some(cast) = self.cast(&best, due.task).await? else { return Ok(()) };
        let Some(task) = record(&best, due.task).await? else { return Ok(()) };
        let known = self.tools.book.ballot(&due.kept, &due.matter)?;
        let now = best.block_number();
        match (turn(&task, &cast, now.saturating_add(1)), known) {
            (Turn::Commit, None) => {
                if self.votes.errand(due, |errand| errand.is_told) {
                    return Ok(());
                }
                match self.find(connection, due).await? {
                    Found::Abstain(reason) => self.abstain(miner, due, reason),
                    Found::Ballot(ballot) => {
                        self.tools.book.keep_ballot(&due.kept, &due.matter, &ballot)?;
                        self.send(connection, due, &ballot, false).await
                    },
                }
            },
            (Turn::Commit, Some(ballot)) => self.send(connection, due, &ballot, false).await,
            (Turn::Reveal, Some(ballot)) => match &cast {
                Cast::Committed(hash) if hash.0 != ballot.commitment(&self.tools.attester.public()) => {
                    self.abstain(miner, due, "this key committed to something else on another machine".into())
                },
                _ => self.send(connection, due, &ballot, true).await,
            },
            (Turn::Reveal, None) => {
                self.abstain(miner, due, "what this key committed with is not on this machine".into())
            },
            (Turn::Over, None) if matches!(cast, Cast::Awaited) => {
                self.abstain(miner, due, "there was no trace of it in time".into())
            },
            (Turn::Over, _) => match cast {
                Cast::Revealed(content) => self.tell_voted(miner, due, hex_text(&content.0)),
                Cast::Awaited | Cast::Committed(_) => {
                    self.abstain(miner, due, "the vote did not get into a block in time".into())
                },
            },
            (Turn::Wait, _) => Ok(()),
        }
    }

    /// What the chain has of this worker's vote; nothing if it may not vote.
    async fn cast(&self, best: &At, task: u32) -> Result<Option<Cast>, Error> {
        let key = (task, Public(self.tools.attester.public()));
        let entry = best.storage().try_fetch(ensemble::storage().tasks().ballots(), key).await;
        entry.map_err(Error::chain)?.map(|entry| entry.decode()).transpose().map_err(Error::chain)
    }

    /// Looks up what to vote for.
    async fn find(&self, connection: &Connection, due: &Due) -> Result<Found, Error> {
        let own = self.tools.book.header(&due.kept)?;
        if let Some(reason) = trace::misfit(&own, &due.closing.trace.0) {
            return Ok(Found::Abstain(reason));
        }
        // Removed when this is over, however it ends.
        let folder = TempDir::new_in(self.tools.book.folder()).map_err(Error::write(self.tools.book.folder()))?;
        let path = |name: &str| folder.path().join(name);
        self.order_closing(connection, due.kept.session).await?;
        // Nobody could show that tokens are false which nobody has.
        for ((header, id), name) in [(due.closing.tokens, "tokens"), (due.closing.trace, "trace")] {
            fetch_encoded(connection, &id, header.encoded_len(), &path(name)).await?;
        }
        let (own, target) = (self.tools.book.trace(&due.kept), self.tools.book.cut(&due.kept, &due.matter));
        let (book, gateway) = (self.tools.book.clone(), path("trace"));
        let comparing = spawn_blocking(move || compare(&book, &own, &gateway, &target)).await;
        match comparing.map_err(|error| Error::Other(format!("two traces were not compared: {error}")))?? {
            Compared::Different(reason) => Ok(Found::Abstain(reason)),
            Compared::Same { header, root } => {
                let mut salt = [0; 32];
                getrandom::fill(&mut salt).map_err(|error| Error::Other(format!("no random numbers: {error}")))?;
                Ok(Found::Ballot(Ballot { task: due.task, header, root, salt }))
            },
        }
    }

    /// Has the node fetch what a gateway closed a session with. Whoever may have it fetch anything need not be its relay's
    /// worker for that.
    async fn order_closing(&self, connection: &Connection, session: u32) -> Result<(), Error> {
        let Some(token) = self.token.lock().clone() else { return Ok(()) };
        match connection.request::<serde_json::Value>("ensemble_fetchClosing", rpc_params![token, session]).await {
            Err(error) if error.kind() == Kind::NoNode => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Commits, or opens the commitment, unless that was done lately. The node may be another one than before.
    async fn send(&self, connection: &Connection, due: &Due, ballot: &Ballot, reveals: bool) -> Result<(), Error> {
        let best = connection.best().await?;
        let now = best.block_number();
        if self.votes.errand(due, |errand| errand.sent).is_some_and(|sent| is_recent(sent, now, reveals)) {
            return Ok(());
        }
        upload(connection, &self.tools.book.cut(&due.kept, &due.matter)).await?;
        let sent = match reveals {
            false => ballot.commit(connection, &best, &self.tools.attester).await,
            true => ballot.reveal(connection, &best, &self.tools.attester).await,
        };
        match sent {
            Ok(()) => self.votes.errand(due, |errand| errand.sent = Some((now, reveals))),
            Err(error) if error.kind() != Kind::NodeRefused => return Err(error),
            // The pool has it, or its block is a step ahead.
            Err(_) => {},
        }
        Ok(())
    }

    fn abstain(&self, miner: &Miner<'_>, due: &Due, reason: String) -> Result<(), Error> {
        if self.votes.errand(due, |errand| std::mem::replace(&mut errand.is_told, true)) {
            return Ok(());
        }
        let Kept { session, range, .. } = due.kept;
        miner.tell(&Event::Abstained { session, range, reason })
    }

    fn tell_voted(&self, miner: &Miner<'_>, due: &Due, content: String) -> Result<(), Error> {
        if self.votes.errand(due, |errand| std::mem::replace(&mut errand.is_told, true)) {
            return Ok(());
        }
        let Kept { session, range, .. } = due.kept;
        miner.tell(&Event::Voted { session, range, task: due.task, content })
    }
}

/// Whether what was sent in a block may still get into one. A block after this one is of a fork that was abandoned.
fn is_recent((at, revealed): (u64, bool), now: u64, reveals: bool) -> bool {
    revealed == reveals && at <= now && now < at.saturating_add(RESEND_AFTER)
}

async fn upload(connection: &Connection, cut: &Path) -> Result<(), Error> {
    let file = tensors::File::open(cut)?;
    tensors::upload(connection, &file.content(None, false)?, None).await
}

/// What comes of comparing two traces.
#[derive(Debug)]
enum Compared {
    /// They differ, and where.
    Different(String),
    /// They do not, and this is the worker's own, as far as the gateway's goes.
    Same { header: Header, root: [u8; 32] },
}

/// Compares two traces in files, and writes the first, cut to the length of the second, into a third.
fn compare(book: &Book, own: &Path, gateway: &Path, target: &Path) -> Result<Compared, Error> {
    let [own_bytes, gateway_bytes] = [own, gateway].map(|path| fs::read(path).map_err(Error::read(path)));
    let (own_bytes, gateway_bytes) = (own_bytes?, gateway_bytes?);
    let told = |error: ensemble_tensor::Error| Error::Other(format!("a trace is none: {error}"));
    let [own, gateway] = [Tensor::parse(&own_bytes), Tensor::parse(&gateway_bytes)];
    let (own, gateway) = (own.map_err(told)?, gateway.map_err(told)?);
    if let Some(reason) = trace::difference(&own, &gateway) {
        return Ok(Compared::Different(reason));
    }
    let cut = trace::cut(&own, gateway.header().rows()).map_err(told)?;
    let mut outline = OutlineBuilder::new(cut.header());
    outline.update(cut.data()).map_err(told)?;
    let root = outline.finish().map_err(told)?.root();
    book.write(target, &[&cut.header().to_bytes(), cut.data()])?;
    Ok(Compared::Same { header: *cut.header(), root })
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "tests count in small numbers")]
mod tests {
    use ensemble_compute::inference::{Entry, Trace};
    use ensemble_rows::sample::LLAMA;

    use super::*;
    use crate::chain::{
        types::{
            ensemble_core::{tasks as chain_tasks, votes::Matter},
            ensemble_tensor::id::TensorId as ChainId,
        },
        H256,
    };

    fn task(phase: Phase) -> Record {
        chain_tasks::TaskView {
            id: 7,
            purpose: chain_tasks::PurposeView::Vote {
                matter: Matter::Trace { session: 3, range: 0 },
                voters: Vec::new(),
            },
            content: chain_tasks::Content::Bytes { max_len: 1 },
            quorum: 1,
            max_participants: 1,
            phase,
            commit_until: 10,
            reveal_until: 20,
            attest_until: 30,
            committed: 0,
            revealed: 0,
            leader: None,
            attested: (0, 0),
        }
    }

    #[test]
    fn turns_are_those_of_the_chain() {
        let (awaited, committed) = (Cast::Awaited, Cast::Committed(H256::zero()));
        let (open, opening) = (task(Phase::Commit), task(Phase::Reveal));
        assert_eq!(turn(&open, &awaited, 10), Turn::Commit);
        assert_eq!(turn(&open, &committed, 10), Turn::Wait);
        // What is sent now comes into the next block, in which commitments are opened.
        assert_eq!(turn(&open, &awaited, 11), Turn::Over);
        assert_eq!(turn(&open, &committed, 11), Turn::Reveal);
        assert_eq!(turn(&opening, &committed, 20), Turn::Reveal);
        assert_eq!(turn(&opening, &committed, 21), Turn::Over);
        assert_eq!(turn(&opening, &Cast::Revealed(ChainId([0; 32])), 15), Turn::Over);
        assert_eq!(turn(&task(Phase::Attest), &committed, 15), Turn::Over);
    }

    #[test]
    fn what_is_sent_is_sent_again_after_two_blocks() {
        assert!(is_recent((5, false), 5, false) && is_recent((5, false), 6, false));
        assert!(!is_recent((5, false), 7, false));
        assert!(!is_recent((5, false), 6, true), "that was the commitment");
        assert!(!is_recent((9, false), 6, false), "that was on another fork");
    }

    fn trace(positions: u32, input: u8) -> Trace {
        let mut trace = Trace::new(&LLAMA);
        for position in 0..positions {
            assert!(trace.record(position, 0, &Entry { input: [input; 32], other: [position as u8; 32] }));
        }
        trace
    }

    #[test]
    fn a_trace_is_voted_for_as_far_as_the_gateway_s_goes() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let book = Book::open(folder.path().join("rows")).expect("can be opened");
        let kept = Kept { session: 3, place: 0, range: 0 };
        book.seal(3, 0, &[(0, trace(4, 1))]).expect("is written");
        let gateway = folder.path().join("gateway");
        let write = |trace: &Trace| {
            let tensor = Tensor::new(trace.describe().expect("has rows").0, trace.bytes()).expect("is whole").encode();
            fs::write(&gateway, tensor).expect("is written");
        };
        write(&trace(2, 1));
        let target = book.cut(&kept, "ab");
        let Compared::Same { header, root } =
            compare(&book, &book.trace(&kept), &gateway, &target).expect("are traces")
        else {
            panic!("are the same");
        };
        let expected = trace(2, 1);
        assert_eq!((header, root), expected.describe().expect("has rows"));
        let bytes = fs::read(&target).expect("is there");
        assert_eq!(Tensor::parse(&bytes).expect("is a tensor").data(), expected.bytes());
        write(&trace(2, 9));
        let compared = compare(&book, &book.trace(&kept), &gateway, &target).expect("are traces");
        assert!(matches!(compared, Compared::Different(_)), "{compared:?}");
    }
}
