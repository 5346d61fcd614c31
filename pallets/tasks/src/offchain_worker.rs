//! The off-chain worker: fetches and verifies the leaders that this node's attester keys were drawn for, and says so.
//!
//! For each such task it keeps an [`Errand`] in the node's persistent storage, which survives restarts. The errand is
//! written before anything is done for it, and goes only when the task's outcome has stood for [`CONFIRMATIONS`]
//! blocks: then what won stays pinned in the tensor store and what lost is let go. Neither a crash at any point nor a
//! fork that is abandoned makes the node forget a content that it vouched for, or vouch twice.
//!
//! The worker never waits: the store fetches in the background, and the worker of the next block looks again. It asks
//! for what it wants in every block, also while that is being fetched. What is not asked for any more, because the
//! attest phase is over, the store need not go on fetching.

use alloc::{collections::BTreeMap, vec::Vec};

use codec::{Decode, Encode};
use ensemble_core::{
    exchange::{Audience, Contributions as _},
    tasks::{Content, KEPT_PREFIX},
    AttesterId, TaskId,
};
use ensemble_host::{tensors, FetchError, TensorStatus};
use ensemble_tensor::{Header, TensorId};
use frame_system::{offchain::SubmitTransaction, pallet_prelude::BlockNumberFor};
use sp_application_crypto::RuntimeAppPublic;
use sp_core::offchain::Duration;
use sp_runtime::{
    offchain::{
        storage::{MutateStorageError, StorageRetrievalError, StorageValueRef},
        storage_lock::{StorageLock, Time},
    },
    traits::{Saturating, Zero},
};

use crate::{Attestation, Attestations, Call, Config, Contributions, Outcome, Pallet, State, TaskOf, Tasks, LOG};

/// Keeps two workers from running at the same time.
pub(crate) const LOCK_KEY: &[u8] = b"ensemble/tasks/lock";
/// The block that the worker ran for last.
const LAST_BLOCK_KEY: &[u8] = b"ensemble/tasks/last-block";
/// The errands.
const JOURNAL_KEY: &[u8] = b"ensemble/tasks/journal";

/// How long a lock holds if its owner was killed.
const LOCK_DURATION: Duration = Duration::from_millis(10_000);
/// Blocks after which an attestation that is not on the chain is sent again.
const RESEND_AFTER: u32 = 5;
/// Blocks to wait after the first failed fetch. Doubled with every further failure.
const FIRST_RETRY_AFTER: u32 = 1;
/// Most blocks to wait after a failed fetch.
const LAST_RETRY_AFTER: u32 = 32;
/// Blocks for which an outcome must have stood before the node acts on it. GRANDPA usually needs three.
const CONFIRMATIONS: u32 = 32;

/// What this node does for a task.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
struct Errand<BlockNumber> {
    /// Failed attempts to fetch the content.
    failures: u32,
    /// Block from which on it may be tried again.
    retry_at: BlockNumber,
    /// The attestations sent, and the block of each.
    sent: Vec<(AttesterId, BlockNumber)>,
    /// Block in which the attest phase was first seen to be over.
    ended_at: Option<BlockNumber>,
}

impl<BlockNumber: Zero> Default for Errand<BlockNumber> {
    fn default() -> Self {
        Self { failures: 0, retry_at: Zero::zero(), sent: Vec::new(), ended_at: None }
    }
}

impl<BlockNumber: Copy + From<u32> + Saturating> Errand<BlockNumber> {
    /// Has the next attempt wait, longer each time.
    fn back_off(&mut self, now: BlockNumber) {
        let pause = FIRST_RETRY_AFTER.saturating_mul(2u32.saturating_pow(self.failures)).min(LAST_RETRY_AFTER);
        self.failures.saturating_inc();
        self.retry_at = now.saturating_add(pause.into());
    }
}

/// Errands by task and content: on another fork another content may lead the task.
type Journal<BlockNumber> = BTreeMap<(TaskId, TensorId), Errand<BlockNumber>>;

/// A leader to attest, and the keys of this node that were drawn and have not attested.
struct Assignment {
    task: TaskId,
    wanted: Content,
    audience: Audience,
    id: TensorId,
    header: Header,
    keys: Vec<AttesterId>,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn run_offchain_worker(now: BlockNumberFor<T>) {
        let keys = AttesterId::all();
        if keys.is_empty() {
            return;
        }
        let mut lock = StorageLock::<Time>::with_deadline(LOCK_KEY, LOCK_DURATION);
        let Ok(_guard) = lock.try_lock() else {
            log::debug!(target: LOG, "the off-chain worker of another block is still running");
            return;
        };
        if Self::first_run_for(now) {
            Self::run_errands(now, &keys);
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

    fn run_errands(now: BlockNumberFor<T>, keys: &[AttesterId]) {
        let stored = load_journal::<BlockNumberFor<T>>();
        let mut journal = stored.clone();
        let assignments = Self::assignments(keys);
        for assignment in &assignments {
            let errand = journal.entry((assignment.task, assignment.id)).or_default();
            errand.ended_at = None;
        }
        save_journal(&stored, &journal);

        let begun = journal.clone();
        for assignment in assignments {
            if let Some(errand) = journal.get_mut(&(assignment.task, assignment.id)) {
                Self::attend(now, &assignment, errand);
            }
        }
        Self::conclude(now, &mut journal);
        save_journal(&begun, &journal);
    }

    /// The tasks in their attest phase for which keys of this node were drawn, with the keys that have not attested.
    fn assignments(keys: &[AttesterId]) -> Vec<Assignment> {
        let panels = Attestations::<T>::iter();
        panels
            .filter(|(_, panel)| panel.seats.iter().any(|seat| keys.contains(&seat.attester)))
            .filter_map(|(task, panel)| {
                let record = Tasks::<T>::get(task)?;
                let audience = record.audience();
                let State::Attesting { leader, .. } = record.state else { return None };
                let open = panel.seats.into_iter().filter(|seat| !seat.attested && keys.contains(&seat.attester));
                let keys = open.map(|seat| seat.attester).collect();
                Some(Assignment {
                    task,
                    wanted: record.content,
                    audience,
                    id: leader.content,
                    header: leader.descriptor.header,
                    keys,
                })
            })
            .collect()
    }

    /// Does for a task what can be done now.
    fn attend(now: BlockNumberFor<T>, assignment: &Assignment, errand: &mut Errand<BlockNumberFor<T>>) {
        let Assignment { task, wanted, audience, id, .. } = assignment;
        match tensors::status(id.0) {
            TensorStatus::Absent if now < errand.retry_at => (),
            TensorStatus::Absent | TensorStatus::Fetching { .. } => Self::fetch(assignment),
            TensorStatus::Failed(error) => Self::retry(now, assignment, errand, error),
            // It came as content of another task: whoever named it here would have it made public.
            TensorStatus::Held { restricted: true, .. } if *audience == Audience::Public => {
                log::warn!(target: LOG, "task {task}: {id} is restricted as content of another task; not attested");
                Self::reopen(now, assignment, errand);
            },
            TensorStatus::Held { .. } if !Self::is_served(assignment) => {
                log::warn!(target: LOG, "task {task}: {id} is kept for those entitled to another task; not attested");
            },
            TensorStatus::Held { header, bytes, .. } => {
                let fits = header == assignment.header && wanted.admits(&header) && bytes <= wanted.max_bytes();
                if !fits {
                    log::warn!(target: LOG, "task {task}: {id} has {bytes} bytes and is not what it asks for");
                    return;
                }
                if tensors::pin(id.0).is_pinned() {
                    Self::send(now, assignment, errand);
                }
            },
        }
    }

    /// Starts a failed fetch anew, but after ever longer pauses.
    fn retry(
        now: BlockNumberFor<T>,
        assignment: &Assignment,
        errand: &mut Errand<BlockNumberFor<T>>,
        error: FetchError,
    ) {
        if now < errand.retry_at {
            return;
        }
        let Assignment { task, id, .. } = assignment;
        log::debug!(target: LOG, "task {task}: fetching {id} again after {error:?}");
        errand.back_off(now);
        Self::fetch(assignment);
    }

    /// Has others looked for who serve the leader of a public task openly, if it came as restricted content of tasks that
    /// count no more, but after ever longer pauses. It is restricted then because somebody named it in a task of his own.
    fn reopen(now: BlockNumberFor<T>, assignment: &Assignment, errand: &mut Errand<BlockNumberFor<T>>) {
        if now < errand.retry_at {
            return;
        }
        errand.back_off(now);
        let Assignment { wanted, id, .. } = assignment;
        let Some(came_as) = tensors::came_as(id.0) else { return };
        if !came_as.iter().any(|(task, content)| Self::restricts(*task, *content)) {
            tensors::reopen(id.0, wanted.max_bytes(), came_as);
        }
    }

    /// Whether a content won a restricted task, or may yet.
    fn restricts(task: TaskId, content: TensorId) -> bool {
        if let Some(won) = Self::won(task) {
            return won.content == content && won.audience != Audience::Public;
        }
        let restricts = |record: TaskOf<T>| {
            record.audience() != Audience::Public
                && !matches!(record.state, State::Settling { outcome: Outcome::Void(_), .. })
        };
        Tasks::<T>::get(task).is_some_and(restricts)
    }

    /// Has the leader fetched. Of a restricted task, the store first hears as content of which task it may come.
    fn fetch(assignment: &Assignment) {
        let Assignment { task, wanted, id, .. } = assignment;
        match Self::is_served(assignment) {
            true => tensors::fetch(id.0, wanted.max_bytes()),
            false => {
                log::warn!(target: LOG, "task {task}: {id} is kept for those entitled to another task; not fetched")
            },
        }
    }

    /// Whether this node serves the leader of a restricted task to those who will be entitled, or will do so when it has
    /// it. An attestation says that the leader can be had.
    fn is_served(assignment: &Assignment) -> bool {
        let Assignment { task, audience, id, .. } = assignment;
        *audience == Audience::Public || tensors::restrict(id.0, *task)
    }

    /// Signs and submits the attestations that are neither on the chain nor on their way.
    fn send(now: BlockNumberFor<T>, assignment: &Assignment, errand: &mut Errand<BlockNumberFor<T>>) {
        for key in &assignment.keys {
            let on_its_way = errand
                .sent
                .iter()
                .any(|(sent, at)| sent == key && *at <= now && now < at.saturating_add(RESEND_AFTER.into()));
            if on_its_way {
                continue;
            }
            if Self::submit(assignment, key) {
                errand.sent.retain(|(sent, _)| sent != key);
                errand.sent.push((key.clone(), now));
            }
        }
    }

    fn submit(assignment: &Assignment, key: &AttesterId) -> bool {
        let (task, content) = (assignment.task, assignment.id);
        let attestation = Attestation { task, content, attester: key.clone() };
        let Some(signature) = key.sign(&attestation.signed_bytes(&Self::genesis())) else {
            log::error!(target: LOG, "task {task}: the keystore does not sign with {key:?}");
            return false;
        };
        let call = Call::<T>::attest { attestation, signature };
        let transaction = T::create_authorized_transaction(call.into());
        let submitted = SubmitTransaction::<T, Call<T>>::submit_transaction(transaction).is_ok();
        if submitted {
            log::info!(target: LOG, "task {task}: {content} fetched, verified and attested");
        } else {
            log::warn!(target: LOG, "task {task}: the attestation of {content} was not accepted");
        }
        submitted
    }

    /// Ends the errands whose outcome is certain.
    fn conclude(now: BlockNumberFor<T>, journal: &mut Journal<BlockNumberFor<T>>) {
        for ((task, content), errand) in journal.iter_mut() {
            if Self::is_undecided(*task, *content) {
                errand.ended_at = None;
            } else {
                errand.ended_at.get_or_insert(now);
            }
        }
        let certain = |errand: &Errand<BlockNumberFor<T>>| {
            errand.ended_at.is_some_and(|at| now >= at.saturating_add(CONFIRMATIONS.into()))
        };
        let done: Vec<_> = journal.iter().filter(|(_, errand)| certain(errand)).map(|(key, _)| *key).collect();
        for key in &done {
            journal.remove(key);
        }
        for (task, content) in done {
            let wanted_elsewhere = journal.keys().any(|(_, other)| *other == content);
            Self::keep_or_let_go(task, content, wanted_elsewhere);
        }
    }

    /// Whether the content can still win, or has won and its record is not written yet.
    fn is_undecided(task: TaskId, content: TensorId) -> bool {
        Tasks::<T>::get(task).is_some_and(|record| record.leader().is_some_and(|leader| leader.content == content))
    }

    fn keep_or_let_go(task: TaskId, content: TensorId, wanted_elsewhere: bool) {
        let key = [KEPT_PREFIX, &content.0].concat();
        let kept = StorageValueRef::persistent(&key);
        if Contributions::<T>::get(task).is_some_and(|contribution| contribution.content == content) {
            tensors::pin(content.0);
            kept.set(&true);
        } else if !wanted_elsewhere && kept.get::<bool>() == Ok(None) {
            tensors::unpin(content.0);
        }
    }
}

fn load_journal<BlockNumber: Decode>() -> Journal<BlockNumber> {
    match StorageValueRef::persistent(JOURNAL_KEY).get() {
        Ok(journal) => journal.unwrap_or_default(),
        Err(StorageRetrievalError::Undecodable) => {
            log::error!(target: LOG, "the journal of the off-chain worker cannot be read and is begun anew");
            Journal::new()
        },
    }
}

fn save_journal<BlockNumber: Encode + PartialEq>(before: &Journal<BlockNumber>, after: &Journal<BlockNumber>) {
    if before != after {
        StorageValueRef::persistent(JOURNAL_KEY).set(after);
    }
}
