//! The off-chain worker: has this node compute what rounds result in, votes with its attester keys, and submits reports.
//!
//! For each round that its keys may vote on it keeps an [`Errand`] in the node's persistent storage, which survives
//! restarts. The contents are fetched and combined by the node in the background, and the worker of the next block looks
//! again: it never waits. Once the result is known it is written down with the salt, before anything is sent, so that a
//! commitment can always be opened. A round that cannot be finished is given up, and the log says so once.
//!
//! A round is known by all that its result depends on: on another fork the same round may have other members.
//!
//! What a round needs, its result, and the states of spaces, which are fetched where they are missing, are pinned in the
//! tensor store, and let go when nothing has needed them for [`CONFIRMATIONS`] blocks, unless somebody else had pinned
//! them before. The worker of tasks lets go what it attested in a round; this one runs after it, and pins in every block
//! what is to stay.

#![expect(clippy::cast_possible_truncation, reason = "codec's derive numbers variants with `as u8`")]

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use codec::{Decode, Encode};
use ensemble_core::{
    combination::{Combination, CombinationStatus},
    spaces::{Activity, RoundIndex, Settled, MAX_MANIFEST_BYTES, MAX_REPORT_BYTES, REPORT},
    tasks::{Descriptor, KEPT_PREFIX},
    votes::{Turn, Voting},
    AttesterId, SpaceId, TaskId,
};
use ensemble_host::{aggregation, tensors, Pinning, TensorStatus};
use ensemble_tensor::{Bundle, TensorId};
use frame_system::{offchain::SubmitTransaction, pallet_prelude::BlockNumberFor};
use sp_application_crypto::RuntimeAppPublic;
use sp_core::{offchain::Duration, H256};
use sp_runtime::{
    offchain::{
        storage::{MutateStorageError, StorageRetrievalError, StorageValueRef},
        storage_lock::{StorageLock, Time},
    },
    traits::{SaturatedConversion, Saturating, Zero},
};

use crate::{Call, Config, Manifest, Pallet, ReportBytes, Rosters, SpaceOf, Spaces, LOG};

/// Keeps two workers from running at the same time.
pub(crate) const LOCK_KEY: &[u8] = b"ensemble/spaces/lock";
/// The block that the worker ran for last.
const LAST_BLOCK_KEY: &[u8] = b"ensemble/spaces/last-block";
/// The errands, and what is pinned.
const JOURNAL_KEY: &[u8] = b"ensemble/spaces/journal";

/// How long a lock holds if its owner was killed.
const LOCK_DURATION: Duration = Duration::from_millis(10_000);
/// Blocks after which a vote that is not on the chain is sent again: the next one but one, because the pool may have
/// dropped what it accepted, and phases may be short. It is the same transaction, which nobody pays for.
const RESEND_AFTER: u32 = 2;
/// A report that is not on the chain is sent in every block, counted from when the round settled, that this divides.
const REPORT_EVERY: u32 = 5;
/// A fetch that failed is tried again in every block whose number this divides.
const RETRY_EVERY: u32 = 4;
/// Blocks for which something must be over before the node lets go what it took. GRANDPA usually needs three.
const CONFIRMATIONS: u32 = 32;

/// A round, with the hash of all that its result depends on.
type ErrandId = (SpaceId, RoundIndex, H256);

/// What this node does for a round.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
struct Errand<BlockNumber> {
    /// How far it is.
    stage: Stage<BlockNumber>,
    /// Block in which the round was first seen to be over.
    ended_at: Option<BlockNumber>,
}

/// How far the node is with a round.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
enum Stage<BlockNumber> {
    /// The result is not known.
    Computing,
    /// The result is known, and what it is committed to with.
    Voting {
        /// The bundle.
        result: Descriptor,
        /// What every key of this node commits with.
        salt: [u8; 32],
        /// What was sent last by each key.
        sent: Vec<Sent<BlockNumber>>,
    },
    /// Nothing more is done, and the log said why.
    GivenUp,
}

impl<BlockNumber> Stage<BlockNumber> {
    /// What commitments are made with.
    fn salt(&self) -> Option<&[u8; 32]> {
        match self {
            Self::Voting { salt, .. } => Some(salt),
            Self::Computing | Self::GivenUp => None,
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

/// What the worker remembers.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
struct Journal<BlockNumber> {
    /// The rounds.
    errands: BTreeMap<ErrandId, Errand<BlockNumber>>,
    /// What the worker pinned, and the block since which nothing needs it.
    pinned: BTreeMap<TensorId, Option<BlockNumber>>,
}

impl<BlockNumber> Default for Journal<BlockNumber> {
    fn default() -> Self {
        Self { errands: BTreeMap::new(), pinned: BTreeMap::new() }
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
        let added = others.pinned.into_iter().filter(|(content, _)| !before.pinned.contains_key(content));
        for (content, unneeded_since) in added {
            self.pinned.entry(content).or_insert(unneeded_since);
        }
        self
    }
}

/// A round that keys of this node may vote on.
struct Assignment {
    id: ErrandId,
    task: TaskId,
    combination: Combination,
    /// Most bytes of a contribution.
    max_bytes: u64,
    /// The keys, and what each may do in the next block.
    turns: Vec<(AttesterId, Turn)>,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn run_offchain_worker(now: BlockNumberFor<T>) {
        let mut lock = StorageLock::<Time>::with_deadline(LOCK_KEY, LOCK_DURATION);
        let Ok(_guard) = lock.try_lock() else {
            log::debug!(target: LOG, "the off-chain worker of another block is still running");
            return;
        };
        if !Self::first_run_for(now) {
            return;
        }
        let keys = AttesterId::all();
        if !keys.is_empty() {
            Self::run_errands(now, &keys);
        }
        Self::submit_reports(now);
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

    fn run_errands(now: BlockNumberFor<T>, keys: &[AttesterId]) {
        let stored = load_journal::<BlockNumberFor<T>>();
        let mut journal = stored.clone();
        let assignments = Self::assignments(keys);
        for assignment in &assignments {
            let begun = || Errand { stage: Stage::Computing, ended_at: None };
            let errand = journal.errands.entry(assignment.id).or_insert_with(begun);
            errand.ended_at = None;
            Self::compute(now, assignment, errand);
        }
        let is_running = |id: &ErrandId| assignments.iter().any(|assignment| assignment.id == *id);
        conclude(now, &mut journal, is_running);
        // Salts are stored before anything is sent that cannot be opened without them, and before what may take longer than
        // the lock holds.
        let Some(mut journal) = save_journal(&stored, journal) else { return };

        Self::fetch_states(now);
        let computed = journal.clone();
        Self::keep(now, &assignments, &mut journal);
        for assignment in &assignments {
            if let Some(errand) = journal.errands.get_mut(&assignment.id) {
                Self::vote(now, assignment, errand);
            }
        }
        save_journal(&computed, journal);
    }

    /// The rounds that run and that keys of this node may vote on. Votes on other matters are none of this worker.
    fn assignments(keys: &[AttesterId]) -> Vec<Assignment> {
        let assignment = |(id, space): (SpaceId, SpaceOf<T>)| {
            // Nobody needs the state of a space that is retired: the vote ends without result.
            let Activity::Running { round, task, is_last: false, .. } = space.activity else { return None };
            let turn = |key: &AttesterId| Some((key.clone(), T::Votes::turn(task, key)?));
            let turns: Vec<_> = keys.iter().filter_map(turn).collect();
            if turns.is_empty() {
                return None;
            }
            let combination = Combination::of(&space.spec, &Rosters::<T>::get(id, round)?)?;
            let input = H256(sp_io::hashing::blake2_256(&(task, &combination).encode()));
            let max_bytes = space.spec.contribution().max_bytes();
            Some(Assignment { id: (id, round, input), task, combination, max_bytes, turns })
        };
        Spaces::<T>::iter().filter_map(assignment).collect()
    }

    /// Brings the result of a round nearer, if it is not known.
    fn compute(now: BlockNumberFor<T>, assignment: &Assignment, errand: &mut Errand<BlockNumberFor<T>>) {
        if errand.stage != Stage::Computing {
            return;
        }
        let (space, round, _) = assignment.id;
        let missing = missing(assignment);
        if !assignment.turns.iter().any(|(_, turn)| *turn == Turn::Commit) {
            log::warn!(
                target: LOG,
                "space {space}: round {round} is skipped: no result in time, {} of {} contents are missing",
                missing.len(),
                assignment.combination.entrants.len(),
            );
            errand.stage = Stage::GivenUp;
            return;
        }
        if !missing.is_empty() {
            missing.iter().for_each(|content| Self::fetch(now, content, assignment.max_bytes));
            return;
        }
        match aggregation::combine(assignment.combination.clone()) {
            CombinationStatus::Waiting | CombinationStatus::Running => {},
            CombinationStatus::Done { result } => {
                log::info!(target: LOG, "space {space}: round {round} results in {}", result.id());
                errand.stage = Stage::Voting { result, salt: sp_io::offchain::random_seed(), sent: Vec::new() };
            },
            CombinationStatus::Failed => {
                log::error!(target: LOG, "space {space}: round {round} is skipped: it cannot be computed");
                errand.stage = Stage::GivenUp;
            },
        }
    }

    /// Has the states of spaces fetched that are not here: validators come and go, and a space may rest for long.
    fn fetch_states(now: BlockNumberFor<T>) {
        for space in Spaces::<T>::iter_values().filter(|space| !space.is_retired()) {
            if let Some(state) = &space.state {
                Self::fetch(now, &state.content, space.spec.result().max_bytes());
            }
        }
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

    /// Pins what is needed, and lets go what has not been needed for long.
    fn keep(now: BlockNumberFor<T>, assignments: &[Assignment], journal: &mut Journal<BlockNumberFor<T>>) {
        let results = journal.errands.values().filter_map(|errand| match &errand.stage {
            Stage::Voting { result, .. } => Some(result.id()),
            Stage::Computing | Stage::GivenUp => None,
        });
        let results: BTreeSet<_> = results.collect();
        let states = Spaces::<T>::iter_values().filter_map(|space| space.state).map(|state| state.content);
        let mut needed: BTreeSet<_> = states.chain(results.iter().copied()).collect();
        let computing = assignments.iter().filter(|assignment| {
            journal.errands.get(&assignment.id).is_some_and(|errand| errand.stage == Stage::Computing)
        });
        needed.extend(computing.flat_map(|assignment| &assignment.combination.entrants).map(|entrant| entrant.content));

        for content in &needed {
            let pinning = tensors::pin(content.0);
            // What was pinned before is somebody else's to let go, but for what the node made for this worker.
            let is_own = pinning == Pinning::Begun || results.contains(content) || journal.pinned.contains_key(content);
            if pinning.is_pinned() && is_own {
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

    /// Commits or reveals with each key whose turn it is.
    fn vote(now: BlockNumberFor<T>, assignment: &Assignment, errand: &mut Errand<BlockNumberFor<T>>) {
        let Stage::Voting { result, salt, sent } = &mut errand.stage else { return };
        let (space, round, _) = assignment.id;
        for (voter, turn) in &assignment.turns {
            let reveals = match turn {
                Turn::Commit => false,
                Turn::Reveal => true,
                Turn::Wait | Turn::Over => continue,
            };
            let recent = |at: BlockNumberFor<T>| at <= now && now < at.saturating_add(RESEND_AFTER.into());
            if sent.iter().any(|sent| sent.voter == *voter && sent.reveals == reveals && recent(sent.at)) {
                continue;
            }
            let accepted = match reveals {
                true => T::Votes::reveal(assignment.task, voter, *result, *salt),
                false => T::Votes::commit(assignment.task, voter, result.id(), salt),
            };
            if !accepted {
                log::debug!(target: LOG, "space {space}: a vote on round {round} was not accepted");
                continue;
            }
            sent.retain(|sent| sent.voter != *voter);
            sent.push(Sent { voter: voter.clone(), reveals, at: now });
        }
    }

    /// Submits the reports that the chain waits for and whose bundles are here. Every node sends the same bytes, so that
    /// all of them together send one transaction.
    fn submit_reports(now: BlockNumberFor<T>) {
        for (id, space) in Spaces::<T>::iter() {
            let Some(state) = space.state.filter(|state| !state.reported) else { continue };
            let is_time = (now.saturating_sub(state.at) % REPORT_EVERY.saturated_into()).is_zero();
            let Some((manifest, report)) = is_time.then(|| report_in(&state)).flatten() else { continue };
            if Self::check_report(id, state.round, &manifest, &report).is_err() {
                log::debug!(target: LOG, "space {id}: the report of round {} is none that can be read", state.round);
                continue;
            }
            let call = Call::<T>::submit_report { space: id, round: state.round, manifest, report };
            let transaction = T::create_authorized_transaction(call.into());
            let submitted = SubmitTransaction::<T, Call<T>>::submit_transaction(transaction).is_ok();
            log::debug!(target: LOG, "space {id}: the report of round {}: sent {submitted}", state.round);
        }
    }
}

/// The contents that take part and are not here.
fn missing(assignment: &Assignment) -> Vec<TensorId> {
    let contents = assignment.combination.entrants.iter().map(|entrant| entrant.content);
    contents.filter(|content| !matches!(tensors::status(content.0), TensorStatus::Held { .. })).collect()
}

/// Removes the errands of rounds that have been over for long.
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

/// The manifest of what a space has settled on and the report in it, if both are here.
fn report_in<BlockNumber>(state: &Settled<BlockNumber>) -> Option<(Manifest, ReportBytes)> {
    let manifest = tensors::read(state.content.0, MAX_MANIFEST_BYTES)?;
    let report = Bundle::parse(&manifest).ok()?.get(REPORT)?;
    let report = tensors::read(report.0, MAX_REPORT_BYTES)?;
    Some((manifest.try_into().ok()?, report.try_into().ok()?))
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
