//! The off-chain worker: holds the models that this node serves, closes what it generated, votes on what it served, and
//! disputes what others did wrong.
//!
//! 1. **Models.** The bundle of each model that a key of this node serves is fetched, and pinned as long as it does.
//! 2. **Closing.** When the node has the answer of a session whose gateway it is, the closing is sent, and sent again
//!    until the chain has it.
//! 3. **Votes.** In each vote on a range that this node served it commits to its trace and reveals it. If the gateway says
//!    that it gave the node something else, the node abstains, and its log says so. What a commitment is made with is
//!    written down before it is sent, so that it can always be opened.
//! 4. **Watching.** Each session in its window whose model is held is computed again by the node, its own first, at most
//!    [`CHECKS`] of those whose contents are here at one time. What shows that somebody was wrong is submitted by a key whose
//!    bond is at stake, until the chain knows it.
//!
//! The worker never waits: the node fetches and computes in the background, and the worker of the next block looks again.
//! A session is forgotten, and what it took is let go, when it has been over for [`CONFIRMATIONS`] blocks. Neither a
//! restart nor a fork that is abandoned makes the node forget what it committed with.
//!
//! Validators' attestations of traces are the work of the pallet that holds votes.

#![expect(clippy::cast_possible_truncation, reason = "codec's derive numbers variants with `as u8`")]

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use codec::{Decode, Encode};
use ensemble_compute::inference::Architecture;
use ensemble_core::{
    inference::{closing_bytes, ranges_of, Closing, Evidence, RangeIndex, RangeVote, MAX_CONTESTED_BYTES},
    tasks::{Descriptor, KEPT_PREFIX},
    votes::{Turn, Voting},
    AttesterId, SessionId, TaskId,
};
use ensemble_host::{inference, tensors, Check, CheckStatus, Pinning, TensorStatus, TraceStatus};
use ensemble_tensor::TensorId;
use frame_support::traits::Get;
use frame_system::{offchain::SubmitTransaction, pallet_prelude::BlockNumberFor};
use sp_application_crypto::RuntimeAppPublic;
use sp_core::{offchain::Duration, H256};
use sp_runtime::{
    offchain::{
        storage::{MutateStorageError, StorageRetrievalError, StorageValueRef},
        storage_lock::{StorageLock, Time},
    },
    traits::{CheckedDiv, SaturatedConversion, Saturating, Zero},
};

use crate::{
    dispute, types::bit, Call, Config, CurrentLengths, FalseKeys, Faults, KeyOwners, Models, Notes, Pallet, Range,
    SessionOf, Sessions, State, Workers, LOG,
};

/// Keeps two workers from running at the same time.
pub(crate) const LOCK_KEY: &[u8] = b"ensemble/inference/lock";
/// The block that the worker ran for last.
const LAST_BLOCK_KEY: &[u8] = b"ensemble/inference/last-block";
/// What is being done, and what is pinned.
const JOURNAL_KEY: &[u8] = b"ensemble/inference/journal";

/// How long a lock holds if its owner was killed.
const LOCK_DURATION: Duration = Duration::from_millis(10_000);
/// Blocks after which a closing, a vote or evidence that is not on the chain is sent again: the pool may have dropped what it
/// accepted, and phases may be short. Both have the same tag, so that one gets in, and nobody pays for it.
const RESEND_AFTER: u32 = 2;
/// A fetch that failed is tried again in every block whose number this divides.
const RETRY_EVERY: u32 = 4;
/// Blocks for which something must be over before the node lets go what it took. GRANDPA usually needs three.
const CONFIRMATIONS: u32 = 32;
/// Sessions that are checked at one time.
const CHECKS: u32 = 4;
/// The part of a window in which the contents of its session should come. Of others that are missed those go first whose
/// time has not passed: a gateway that never gives what it named keeps nobody else's session from being checked.
const PATIENCE: u32 = 4;
/// Most bytes of a model that a worker fetches. How much of its store a content may take, the node decides.
const MAX_MODEL_BYTES: u64 = 1 << 40;

/// A vote on a trace, with the hash of all that it depends on.
type ErrandId = (SessionId, RangeIndex, H256);

/// What this node does in a vote.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
struct Errand<BlockNumber> {
    /// How far it is.
    stage: Stage<BlockNumber>,
    /// Block in which the vote was first seen to be over.
    ended_at: Option<BlockNumber>,
}

/// How far the node is with a vote.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
enum Stage<BlockNumber> {
    /// What to vote for is not known.
    Waiting,
    /// It is known, and what it is committed to with.
    Voting {
        /// The trace.
        trace: Descriptor,
        /// What every key of this node commits with.
        salt: [u8; 32],
        /// What was sent last by each key.
        sent: Vec<Sent<BlockNumber>>,
    },
    /// The node abstains, and the log said why.
    Abstains,
}

impl<BlockNumber> Stage<BlockNumber> {
    /// What commitments are made with.
    fn salt(&self) -> Option<&[u8; 32]> {
        match self {
            Self::Voting { salt, .. } => Some(salt),
            Self::Waiting | Self::Abstains => None,
        }
    }
}

/// A vote on its way.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
struct Sent<BlockNumber> {
    /// The key.
    voter: AttesterId,
    /// Whether it is the reveal.
    reveals: bool,
    /// Block in which it was sent.
    at: BlockNumber,
}

/// What this node does with a session that it takes part in or watches.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
struct Visit<BlockNumber> {
    /// Block in which the closing was sent last.
    closed_at: Option<BlockNumber>,
    /// The evidence that was sent.
    disputed: Vec<Disputed<BlockNumber>>,
    /// How far the check is.
    watch: Watch,
    /// Block in which its contents were needed first.
    begun_at: Option<BlockNumber>,
    /// Block in which the session was first seen to be over.
    ended_at: Option<BlockNumber>,
}

/// Evidence on its way.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
struct Disputed<BlockNumber> {
    /// Its hash.
    hash: H256,
    /// Block in which it was sent last.
    at: BlockNumber,
}

/// How far a check is.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
enum Watch {
    /// It was not begun.
    Not,
    /// It waits for contents, or is under way.
    Begun,
    /// It could not be done, as the log said. What it was for may change, so that the node is asked further.
    Unable,
    /// Something is wrong, and the chain does not know all of it.
    Disputing,
    /// Nothing is left to do, and the log said what came of it.
    Done,
}

impl<BlockNumber> Default for Visit<BlockNumber> {
    fn default() -> Self {
        Self { closed_at: None, disputed: Vec::new(), watch: Watch::Not, begun_at: None, ended_at: None }
    }
}

/// What the worker remembers.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
struct Journal<BlockNumber> {
    /// The votes.
    errands: BTreeMap<ErrandId, Errand<BlockNumber>>,
    /// The sessions.
    visits: BTreeMap<SessionId, Visit<BlockNumber>>,
    /// What the worker pinned, and the block since which nothing needs it.
    pinned: BTreeMap<TensorId, Option<BlockNumber>>,
}

impl<BlockNumber> Default for Journal<BlockNumber> {
    fn default() -> Self {
        Self { errands: BTreeMap::new(), visits: BTreeMap::new(), pinned: BTreeMap::new() }
    }
}

impl<BlockNumber> Journal<BlockNumber> {
    /// This journal with what another worker added since `before` was loaded.
    fn beside(mut self, before: &Self, others: Self) -> Self {
        for (id, theirs) in others.errands {
            match self.errands.get_mut(&id) {
                // It may have been committed with.
                Some(ours) if theirs.stage.salt().is_some_and(|salt| ours.stage.salt() != Some(salt)) => {
                    ours.stage = theirs.stage;
                },
                None if !before.errands.contains_key(&id) => {
                    self.errands.insert(id, theirs);
                },
                Some(_) | None => {},
            }
        }
        for (id, theirs) in others.visits {
            match self.visits.get_mut(&id) {
                // It was sent.
                Some(ours) => {
                    let is_new = |sent: &Disputed<_>| ours.disputed.iter().all(|known| known.hash != sent.hash);
                    let sent: Vec<_> = theirs.disputed.into_iter().filter(is_new).collect();
                    ours.disputed.extend(sent);
                },
                None if !before.visits.contains_key(&id) => {
                    self.visits.insert(id, theirs);
                },
                None => {},
            }
        }
        let added = others.pinned.into_iter().filter(|(content, _)| !before.pinned.contains_key(content));
        for (content, unneeded_since) in added {
            self.pinned.entry(content).or_insert(unneeded_since);
        }
        self
    }
}

/// A vote that keys of this node may take part in.
struct Ballot {
    id: ErrandId,
    task: TaskId,
    closing: Closing,
    /// The keys, and what each may do in the next block.
    turns: Vec<(AttesterId, Turn)>,
}

/// A session in its window.
struct Window<AccountId> {
    session: SessionId,
    /// All that a check depends on.
    check: Check,
    ranges: Vec<Range>,
    faults: Faults,
    false_keys: FalseKeys,
    notes: Notes<AccountId>,
    /// Tokens that the model knows.
    vocabulary: u32,
    /// Whether keys of this node take part in it.
    is_own: bool,
}

impl<AccountId> Window<AccountId> {
    /// What is fetched for a check, with the most bytes that it may have, and whether nothing can be done without it.
    fn contents(&self) -> impl Iterator<Item = (TensorId, u64, bool)> + '_ {
        let Closing { tokens, trace, contested } = &self.check.closing;
        let bytes = trace.header.data_len();
        let said = [(tokens.id(), tokens.header.data_len(), true), (trace.id(), bytes, true)];
        let contested = contested.map(|contested| (contested, MAX_CONTESTED_BYTES.into(), false));
        let won = self.check.won.iter().flatten().map(move |won| (*won, bytes, true));
        said.into_iter().chain(contested).chain(won)
    }

    /// Most bytes of all that is fetched.
    fn bytes(&self) -> u64 {
        self.contents().fold(0, |sum, (_, bytes, _)| sum.saturating_add(bytes))
    }

    /// Whether all that a check needs is here, or, of what it can do without, nobody has it.
    fn is_here(&self) -> bool {
        self.contents().all(|(content, _, is_needed)| match tensors::status(content.0) {
            TensorStatus::Held { .. } => true,
            TensorStatus::Failed(_) => !is_needed,
            TensorStatus::Absent | TensorStatus::Fetching { .. } => false,
        })
    }

    /// Number of ranges.
    fn count(&self) -> u32 {
        u32::try_from(self.ranges.len()).unwrap_or(u32::MAX)
    }

    /// Whether the chain would refuse a piece of evidence now: a signature that finds nobody, and that nothing noted needs.
    fn is_early(&self, evidence: &Evidence) -> bool {
        let Evidence::Signature { range, place, trace, .. } = evidence else { return false };
        let voted = self.ranges.get(*range as usize).is_some_and(|range| range.backers & bit(*place) != 0);
        let finds = voted && self.faults.signers & bit(*place) == 0;
        !finds && !self.notes.need_excuse(trace.index, *range)
    }

    /// Whether the chain knows already what a piece of evidence shows, or does not want to any more.
    fn is_shown(&self, evidence: &Evidence) -> bool {
        match evidence {
            Evidence::Row { range, .. } | Evidence::Input { range, .. } => {
                self.ranges.get(*range as usize).is_some_and(|range| range.is_wrong)
            },
            // It may excuse a gateway later on.
            Evidence::Signature { .. } => false,
            Evidence::Short { .. } => self.faults.gateway,
            Evidence::Glue(glue) => {
                // Who was given something else than what won cannot be held to it.
                let basis = dispute::notes::basis(glue, self.count(), self.vocabulary);
                let is_known = basis.is_some_and(|(position, ranges)| self.notes.know(position, ranges));
                self.faults.gateway || self.notes.are_full() && basis.is_some() || is_known
            },
        }
    }
}

/// The sessions in which keys of this node take part, and those that are in their window.
type SessionsFor<T> = (Vec<(SessionId, SessionOf<T>)>, Vec<Window<<T as frame_system::Config>::AccountId>>);

impl<T: Config> Pallet<T> {
    pub(crate) fn run_offchain_worker(now: BlockNumberFor<T>) {
        let mut lock = StorageLock::<Time>::with_deadline(LOCK_KEY, LOCK_DURATION);
        let Ok(_guard) = lock.try_lock() else {
            log::debug!(target: LOG, "the off-chain worker of another block is still running");
            return;
        };
        if Self::first_run_for(now) {
            Self::attend(now, &AttesterId::all());
        }
    }

    /// Whether the worker has not run for this block. Says so once only.
    fn first_run_for(now: BlockNumberFor<T>) -> bool {
        let last = StorageValueRef::persistent(LAST_BLOCK_KEY);
        let claimed = last.mutate(|stored: Result<Option<BlockNumberFor<T>>, StorageRetrievalError>| match stored {
            Ok(Some(block)) if block == now => Err(()),
            _ => Ok(now),
        });
        match claimed {
            Ok(_) => true,
            Err(MutateStorageError::ConcurrentModification(_) | MutateStorageError::ValueFunctionFailed(())) => false,
        }
    }

    /// Does everything that there is to do for the keys of this node.
    fn attend(now: BlockNumberFor<T>, keys: &[AttesterId]) {
        let stored = load_journal::<BlockNumberFor<T>>();
        if keys.is_empty() && stored == Journal::default() {
            return;
        }
        let mut journal = stored.clone();
        let (own, windows) = Self::sessions_for(keys, &journal);
        for (id, _) in &own {
            journal.visits.entry(*id).or_default().ended_at = None;
        }
        let ballots: Vec<_> = own.iter().flat_map(|(id, session)| Self::ballots(*id, session, keys)).collect();
        for ballot in &ballots {
            let begun = || Errand { stage: Stage::Waiting, ended_at: None };
            let errand = journal.errands.entry(ballot.id).or_insert_with(begun);
            errand.ended_at = None;
            look_up(ballot, errand);
        }
        conclude(now, &mut journal, |id| ballots.iter().any(|ballot| ballot.id == *id));
        // Salts are stored before anything is sent that cannot be opened without them.
        let Some(mut journal) = save_journal(&stored, journal) else { return };

        let known = journal.clone();
        for (id, session) in &own {
            if let Some(visit) = journal.visits.get_mut(id) {
                Self::close_answered(now, *id, session, keys, visit);
            }
        }
        for ballot in &ballots {
            if let Some(errand) = journal.errands.get_mut(&ballot.id) {
                Self::vote(now, ballot, errand);
            }
        }
        let watched = Self::watch(now, keys, windows, &mut journal);
        Self::keep(now, keys, &watched, &mut journal);
        Self::forget_sessions(now, &mut journal);
        save_journal(&known, journal);
    }

    /// The sessions in which keys of this node take part, and all that are in their window and not done with.
    fn sessions_for(keys: &[AttesterId], journal: &Journal<BlockNumberFor<T>>) -> SessionsFor<T> {
        let is_done = |id: &SessionId| journal.visits.get(id).is_some_and(|visit| visit.watch == Watch::Done);
        let (mut own, mut windows) = (Vec::new(), Vec::new());
        for (id, session) in Sessions::<T>::iter() {
            if !is_done(&id) {
                windows.extend(Self::window(id, &session, keys));
            }
            if Self::takes_part(&session, keys) {
                own.push((id, session));
            }
        }
        (own, windows)
    }

    /// The votes on ranges of a session that keys of this node serve.
    fn ballots(id: SessionId, session: &SessionOf<T>, keys: &[AttesterId]) -> Vec<Ballot> {
        let State::Voting { team, closing, ranges } = &session.state else { return Vec::new() };
        let (workers, replicas) = (session.question.workers, session.question.replicas);
        let served = (0..)
            .zip(team)
            .filter(|(_, party)| keys.contains(&party.key))
            .flat_map(|(place, party)| ranges_of(place, workers, replicas).map(move |range| (range, &party.key)));
        let mut voters = BTreeMap::<RangeIndex, Vec<&AttesterId>>::new();
        served.for_each(|(range, key)| voters.entry(range).or_default().push(key));
        let ballot = |(range, keys): (RangeIndex, Vec<&AttesterId>)| {
            let RangeVote::Open(task) = ranges.get(range as usize)?.vote else { return None };
            let turn = |key: &AttesterId| Some((key.clone(), T::Votes::turn(task, key)?));
            let turns: Vec<_> = keys.into_iter().filter_map(turn).collect();
            let input = H256(sp_io::hashing::blake2_256(&(task, closing).encode()));
            (!turns.is_empty()).then_some(Ballot { id: (id, range, input), task, closing: *closing, turns })
        };
        voters.into_iter().filter_map(ballot).collect()
    }

    /// Sends the closing of a session that this node is the gateway of, once it has the answer.
    fn close_answered(
        now: BlockNumberFor<T>,
        id: SessionId,
        session: &SessionOf<T>,
        keys: &[AttesterId],
        visit: &mut Visit<BlockNumberFor<T>>,
    ) {
        let key = &session.gateway.key;
        let is_answering = matches!(session.state, State::Assigned { .. }) && keys.contains(key);
        if !is_answering || visit.closed_at.is_some_and(|at| is_recent(now, at)) {
            return;
        }
        let Some(closing) = inference::closing(id) else { return };
        let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        let Some(signature) = key.sign(&closing_bytes(&genesis, id, &closing)) else {
            log::error!(target: LOG, "session {id}: the keystore does not sign with the gateway's key");
            return;
        };
        if submit::<T>(Call::close { session: id, closing, signature }) {
            log::info!(target: LOG, "session {id}: closed with {} positions", closing.positions());
            visit.closed_at = Some(now);
        }
    }

    /// Commits or reveals with each key whose turn it is.
    fn vote(now: BlockNumberFor<T>, ballot: &Ballot, errand: &mut Errand<BlockNumberFor<T>>) {
        let Stage::Voting { trace, salt, sent } = &mut errand.stage else { return };
        let (session, range, _) = ballot.id;
        for (voter, turn) in &ballot.turns {
            let reveals = match turn {
                Turn::Commit => false,
                Turn::Reveal => true,
                Turn::Wait | Turn::Over => continue,
            };
            if sent.iter().any(|sent| sent.voter == *voter && sent.reveals == reveals && is_recent(now, sent.at)) {
                continue;
            }
            let accepted = match reveals {
                true => T::Votes::reveal(ballot.task, voter, *trace, *salt),
                false => T::Votes::commit(ballot.task, voter, trace.id(), salt),
            };
            if !accepted {
                log::debug!(target: LOG, "session {session}: a vote on range {range} was not accepted");
                continue;
            }
            sent.retain(|sent| sent.voter != *voter);
            sent.push(Sent { voter: voter.clone(), reveals, at: now });
        }
    }

    /// Has sessions in their window checked, and disputes what is wrong. Returns those whose contents are needed.
    fn watch(
        now: BlockNumberFor<T>,
        keys: &[AttesterId],
        mut windows: Vec<Window<T::AccountId>>,
        journal: &mut Journal<BlockNumberFor<T>>,
    ) -> Vec<Window<T::AccountId>> {
        // Without a bond at stake nobody is heard.
        let Some(challenger) = Self::challenger(keys) else { return Vec::new() };
        windows.retain(|window| matches!(tensors::status(window.check.model.0), TensorStatus::Held { .. }));
        let mut windows = Self::in_order(now, windows, journal);
        let mut room = T::MaxSessionBytes::get().saturating_mul(CHECKS.into());
        windows.retain(|(_, window)| {
            let left = room.checked_sub(window.bytes());
            room = left.unwrap_or(room);
            left.is_some()
        });
        let mut places = CHECKS;
        for (is_here, window) in &windows {
            let visit = journal.visits.entry(window.session).or_default();
            visit.ended_at = None;
            visit.begun_at.get_or_insert(now);
            if visit.watch == Watch::Not {
                visit.watch = Watch::Begun;
            }
            window.contents().for_each(|(content, max_bytes, _)| Self::fetch(now, &content, max_bytes));
            // What was found is known, and computed no more; nor is anything computed without contents, but of its own
            // sessions the node may know what shows that somebody was wrong all the same.
            let takes_place = *is_here && visit.watch != Watch::Disputing;
            let has_place = if takes_place { places > 0 } else { *is_here || window.is_own };
            if has_place {
                places = places.saturating_sub(takes_place.into());
                Self::judge(now, window, *is_here, &challenger, visit);
            }
        }
        windows.into_iter().map(|(_, window)| window).collect()
    }

    /// Whether the contents of windows are here, and the windows, in the order in which they are looked at.
    fn in_order(
        now: BlockNumberFor<T>,
        windows: Vec<Window<T::AccountId>>,
        journal: &Journal<BlockNumberFor<T>>,
    ) -> Vec<(bool, Window<T::AccountId>)> {
        let patience = CurrentLengths::<T>::get().window.checked_div(&PATIENCE.into()).unwrap_or_default();
        let mut windows: Vec<_> = windows.into_iter().map(|window| (window.is_here(), window)).collect();
        windows.sort_by_key(|(is_here, window)| {
            let visit = journal.visits.get(&window.session);
            let begun_at = visit.and_then(|visit| visit.begun_at);
            let is_late = !is_here && begun_at.is_some_and(|at| now >= at.saturating_add(patience));
            let is_last = is_late || visit.is_some_and(|visit| visit.watch == Watch::Unable);
            // Those that were begun go on before others begin.
            (!window.is_own || is_last, is_last, !is_here, begun_at.is_none(), window.session)
        });
        windows
    }

    /// A key of this node with which a worker can be right or wrong.
    fn challenger(keys: &[AttesterId]) -> Option<AttesterId> {
        let has_bond = |key: &&AttesterId| {
            let worker = KeyOwners::<T>::get(key).and_then(Workers::<T>::get);
            worker.is_some_and(|worker| worker.bond >= T::DisputeDeposit::get())
        };
        keys.iter().find(has_bond).cloned()
    }

    /// Asks for the check of a session, or for what the node knows without its contents, and disputes what is wrong.
    fn judge(
        now: BlockNumberFor<T>,
        window: &Window<T::AccountId>,
        is_here: bool,
        challenger: &AttesterId,
        visit: &mut Visit<BlockNumberFor<T>>,
    ) {
        let id = window.session;
        match inference::check(window.check.clone()) {
            CheckStatus::Pending => {},
            CheckStatus::Right => {
                log::info!(target: LOG, "session {id}: computed again, and right");
                visit.watch = Watch::Done;
            },
            CheckStatus::Unable(reason) => {
                if visit.watch != Watch::Unable {
                    log::error!(target: LOG, "session {id}: cannot be judged now: {reason}");
                }
                visit.watch = Watch::Unable;
            },
            CheckStatus::Wrong(found) => {
                let mut is_left = false;
                for evidence in found {
                    is_left |= !Self::dispute_until_shown(now, window, evidence, challenger, visit);
                }
                // Without contents it is not all that there is to find.
                if is_here {
                    visit.watch = if is_left { Watch::Disputing } else { Watch::Done };
                }
            },
        }
    }

    /// Submits a piece of evidence, unless that was done lately or nobody needs it. Returns whether nothing is left to do.
    fn dispute_until_shown(
        now: BlockNumberFor<T>,
        window: &Window<T::AccountId>,
        evidence: Evidence,
        challenger: &AttesterId,
        visit: &mut Visit<BlockNumberFor<T>>,
    ) -> bool {
        let id = window.session;
        let hash = H256(sp_io::hashing::blake2_256(&evidence.encode()));
        let is_refused = window.false_keys.contains(challenger);
        if is_refused || window.is_shown(&evidence) {
            return true;
        }
        let sent_at = visit.disputed.iter().find(|sent| sent.hash == hash).map(|sent| sent.at);
        if window.is_early(&evidence) || sent_at.is_some_and(|at| is_recent(now, at)) {
            return false;
        }
        let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        let Some(signature) = challenger.sign(&dispute::signed_bytes(&genesis, id, &evidence, challenger)) else {
            log::error!(target: LOG, "session {id}: the keystore does not sign with a worker's key");
            return false;
        };
        let what = shown_by(&evidence);
        let key = challenger.clone();
        if !submit::<T>(Call::dispute_as_worker { session: id, evidence, key, signature }) {
            // The pool takes one of a key at a time, and none that the chain would refuse.
            log::debug!(target: LOG, "session {id}: {what}; the pool does not take that now");
            return false;
        }
        log::warn!(target: LOG, "session {id}: {what}; disputed");
        visit.disputed.retain(|sent| sent.hash != hash);
        visit.disputed.push(Disputed { hash, at: now });
        false
    }

    /// Pins what is needed, and lets go what has not been needed for long.
    fn keep(
        now: BlockNumberFor<T>,
        keys: &[AttesterId],
        watched: &[Window<T::AccountId>],
        journal: &mut Journal<BlockNumberFor<T>>,
    ) {
        let served = keys.iter().filter_map(KeyOwners::<T>::get).filter_map(Workers::<T>::get);
        let models: BTreeSet<_> =
            served.filter_map(|worker| Models::<T>::get(worker.model)).map(|model| model.content).collect();
        models.iter().for_each(|model| Self::fetch(now, model, MAX_MODEL_BYTES));
        let contents = watched
            .iter()
            .filter(|window| journal.visits.get(&window.session).is_some_and(|visit| visit.watch != Watch::Done));
        let contents = contents.flat_map(|window| window.contents()).map(|(content, ..)| content);
        let needed: BTreeSet<_> = models.iter().copied().chain(contents).collect();
        for content in &needed {
            let pinning = tensors::pin(content.0);
            // What was pinned before is somebody else's to let go.
            if pinning == Pinning::Begun || pinning.is_pinned() && journal.pinned.contains_key(content) {
                journal.pinned.insert(*content, None);
            }
        }
        journal.pinned.retain(|content, unneeded_since| {
            if needed.contains(content) {
                return true;
            }
            let since = *unneeded_since.get_or_insert(now);
            let stays = now < since.saturating_add(CONFIRMATIONS.into());
            if !stays {
                let_go(content);
            }
            stays
        });
    }

    /// Forgets sessions that have been over for long.
    fn forget_sessions(now: BlockNumberFor<T>, journal: &mut Journal<BlockNumberFor<T>>) {
        journal.visits.retain(|id, visit| {
            if Sessions::<T>::contains_key(id) {
                return true;
            }
            if visit.ended_at.is_none() && matches!(visit.watch, Watch::Begun | Watch::Unable) {
                log::warn!(target: LOG, "session {id}: was not computed again in time");
            }
            let ended_at = *visit.ended_at.get_or_insert(now);
            let stays = now < ended_at.saturating_add(CONFIRMATIONS.into());
            if !stays {
                inference::forget(*id);
            }
            stays
        });
    }

    /// Whether a key of this node drives or serves a session.
    fn takes_part(session: &SessionOf<T>, keys: &[AttesterId]) -> bool {
        keys.contains(&session.gateway.key) || session.state.team().iter().any(|party| keys.contains(&party.key))
    }

    /// A session as it is checked, if it is in its window.
    fn window(id: SessionId, session: &SessionOf<T>, keys: &[AttesterId]) -> Option<Window<T::AccountId>> {
        let State::Disputable { closing, ranges, faults, false_keys, notes, .. } = &session.state else { return None };
        let won = ranges.iter().map(|range| match range.vote {
            RangeVote::Won(trace) => Some(trace),
            RangeVote::Open(_) | RangeVote::Void => None,
        });
        let model = Models::<T>::get(session.model)?;
        let check = Check {
            session: id,
            model: model.content,
            prompt: session.question.prompt.0,
            prompt_tokens: session.question.prompt_tokens,
            closing: *closing,
            won: won.collect(),
            backers: ranges.iter().map(|range| range.backers).collect(),
        };
        let Architecture::Llama(llama) = model.architecture;
        Some(Window {
            session: id,
            check,
            ranges: ranges.to_vec(),
            faults: *faults,
            false_keys: false_keys.clone(),
            notes: notes.clone(),
            vocabulary: llama.vocabulary,
            is_own: Self::takes_part(session, keys),
        })
    }

    /// Has a content fetched if it is not here, unless that failed lately.
    fn fetch(now: BlockNumberFor<T>, content: &TensorId, max_bytes: u64) {
        let retries = (now % RETRY_EVERY.saturated_into()).is_zero();
        match tensors::status(content.0) {
            TensorStatus::Held { .. } => {},
            TensorStatus::Failed(_) if !retries => {},
            TensorStatus::Absent | TensorStatus::Fetching { .. } | TensorStatus::Failed(_) => {
                tensors::fetch(content.0, max_bytes);
            },
        }
    }
}

/// Whether what was sent in a block may still get in. A block after this one is of a fork that was abandoned.
fn is_recent<BlockNumber: Copy + Ord + Saturating + From<u32>>(now: BlockNumber, at: BlockNumber) -> bool {
    at <= now && now < at.saturating_add(RESEND_AFTER.into())
}

/// Looks up what to vote for, if that is not known.
fn look_up<BlockNumber: PartialEq>(ballot: &Ballot, errand: &mut Errand<BlockNumber>) {
    if errand.stage != Stage::Waiting {
        return;
    }
    let (session, range, _) = ballot.id;
    if !ballot.turns.iter().any(|(_, turn)| *turn == Turn::Commit) {
        log::warn!(target: LOG, "session {session}: the vote on range {range} is skipped: no trace in time");
        errand.stage = Stage::Abstains;
        return;
    }
    match inference::trace(session, range, ballot.closing) {
        TraceStatus::Absent | TraceStatus::Waiting => {},
        TraceStatus::Differs => {
            log::warn!(
                target: LOG,
                "session {session}: abstaining from the vote on range {range}: the gateway says that it gave other inputs",
            );
            errand.stage = Stage::Abstains;
        },
        TraceStatus::Ready(trace) => {
            errand.stage = Stage::Voting { trace, salt: sp_io::offchain::random_seed(), sent: Vec::new() };
        },
    }
}

/// What evidence shows, for the log.
fn shown_by(evidence: &Evidence) -> alloc::string::String {
    match evidence {
        Evidence::Row { range, stage, trace, .. } => {
            alloc::format!("range {range} gave a wrong row in stage {stage} at position {}", trace.index)
        },
        Evidence::Input { range, stage, trace, .. } => {
            alloc::format!("range {range} says another input of stage {stage} at position {}", trace.index)
        },
        Evidence::Signature { range, place, .. } => {
            alloc::format!("the worker at place {place} signed something else than it voted for in range {range}")
        },
        Evidence::Short { position, .. } => {
            alloc::format!("the gateway asked for position {position}, and closed with less")
        },
        Evidence::Glue(glue) => match glue.position() {
            Some(position) => alloc::format!("the gateway took a false step at position {position}"),
            None => "the tokens do not begin with the prompt".into(),
        },
    }
}

/// Submits a transaction that no account signs.
fn submit<T: Config>(call: Call<T>) -> bool {
    SubmitTransaction::<T, Call<T>>::submit_transaction(T::create_authorized_transaction(call.into())).is_ok()
}

/// Removes the errands of votes that have been over for long.
fn conclude<BlockNumber: Copy + Ord + Saturating + From<u32>>(
    now: BlockNumber,
    journal: &mut Journal<BlockNumber>,
    is_running: impl Fn(&ErrandId) -> bool,
) {
    journal.errands.retain(|id, errand| {
        if is_running(id) {
            return true;
        }
        let ended_at = *errand.ended_at.get_or_insert(now);
        now < ended_at.saturating_add(CONFIRMATIONS.into())
    });
}

/// Unpins a content, unless it won a task.
fn let_go(content: &TensorId) {
    let key = [KEPT_PREFIX, &content.0].concat();
    if StorageValueRef::persistent(&key).get::<bool>() == Ok(None) {
        tensors::unpin(content.0);
    }
}

fn load_journal<BlockNumber: Decode>() -> Journal<BlockNumber> {
    match StorageValueRef::persistent(JOURNAL_KEY).get() {
        Ok(journal) => journal.unwrap_or_default(),
        Err(StorageRetrievalError::Undecodable) => {
            log::error!(target: LOG, "the journal of the off-chain worker cannot be read and is begun anew");
            Journal::default()
        },
    }
}

/// Stores what a worker made of the journal that was loaded as `before`, and returns what is stored then: with what
/// another worker stored meanwhile, if there was one. Nothing if another one is just storing something.
fn save_journal<BlockNumber: Clone + Decode + Encode + PartialEq>(
    before: &Journal<BlockNumber>,
    after: Journal<BlockNumber>,
) -> Option<Journal<BlockNumber>> {
    if *before == after {
        return Some(after);
    }
    let merge = |stored: Result<Option<Journal<BlockNumber>>, StorageRetrievalError>| -> Result<_, ()> {
        Ok(after.beside(before, stored.ok().flatten().unwrap_or_default()))
    };
    StorageValueRef::persistent(JOURNAL_KEY).mutate(merge).ok()
}
