//! The tasks: which ones to answer, which commitments to open, and what became of them.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use subxt::rpcs::rpc_params;

use super::{
    answers::{Answer, Answers},
    Event, Miner,
};
use crate::{
    amount::Amount,
    chain::{
        ensemble,
        types::ensemble_core::{exchange::Audience, tasks as chain},
        AccountId32, At, H256,
    },
    commands::task::{outcome, record},
    commitments::Opening,
    connection::{ask, Connection},
    error::{Error, Kind},
    send::submit,
    tensors::{self, Content, File},
    views::tasks::{asks_for, Record, TaskView},
};

/// Entries of a page of the runtime API.
const PAGE: u32 = 100;
/// Tasks that are answered at one time.
const AT_ONCE: usize = 4;
/// Blocks until a task is tried again that could not be answered.
const REST: u64 = 10;
/// Blocks that are read at most for what settled meanwhile.
const CATCH_UP: u64 = 64;

/// What the miner knows of tasks beside what the chain says.
#[derive(Default)]
pub struct Tasks {
    /// Those that are worked on.
    busy: HashSet<u32>,
    /// Those that are left to others.
    left: HashSet<u32>,
    /// Those that are not tried before a block.
    resting: HashMap<u32, u64>,
    /// The last final block that was read.
    read: u64,
    /// What was paid and lost in those that were settled: reward and slash, in planck.
    settled: HashMap<u32, (u128, u128)>,
}

/// Something to do.
pub enum Job {
    /// Contribute to a task.
    Answer(Box<TaskView>),
    /// Open a commitment.
    Reveal(u32),
}

impl Job {
    fn task(&self) -> u32 {
        match self {
            Self::Answer(task) => task.task,
            Self::Reveal(task) => *task,
        }
    }
}

/// A job that is over.
pub struct Done {
    task: u32,
    is_reveal: bool,
    result: Result<Outcome, Error>,
}

enum Outcome {
    Did(Event),
    NotYet,
    Nothing,
}

impl Tasks {
    /// Nothing is worked on with a new connection.
    pub fn begin(&mut self) {
        self.busy.clear();
    }

    /// What there is to do after a block. Tells what was settled.
    ///
    /// # Errors
    ///
    /// If the node does not answer, or openings cannot be read.
    pub async fn look(&mut self, miner: &Miner<'_>, connection: &Connection, best: &At) -> Result<Vec<Job>, Error> {
        let block = best.block_number();
        let open = open_tasks(best).await?;
        let duties = obligations(best, &miner.account).await?;
        let is_open = |task: &u32| open.iter().any(|open| open.id == *task);
        self.left.retain(is_open);
        self.resting.retain(|task, _| is_open(task));
        self.settle(miner, connection, &open).await?;
        let mut jobs = Vec::new();
        for duty in duties.iter().filter(|duty| matches!(duty.duty, chain::Duty::Reveal)) {
            let is_time = |task: &&Record| task.id == duty.task && u64::from(task.commit_until) <= block;
            if self.is_free(duty.task, block) && open.iter().any(|task| is_time(&task)) {
                jobs.push(Job::Reveal(duty.task));
            }
        }
        let has_committed: HashSet<u32> =
            duties.iter().filter(|duty| !matches!(duty.duty, chain::Duty::Commit)).map(|duty| duty.task).collect();
        let room = AT_ONCE.saturating_sub(self.busy.len());
        let offers = open.into_iter().filter(|task| !has_committed.contains(&task.id));
        let offers = offers.filter(|task| self.is_free(task.id, block) && miner.wants(task, block)).take(room);
        jobs.extend(offers.map(|task| Job::Answer(Box::new(task.into()))));
        self.busy.extend(jobs.iter().map(Job::task));
        Ok(jobs)
    }

    fn is_free(&self, task: u32, block: u64) -> bool {
        let rests = self.resting.get(&task).is_some_and(|until| block < *until);
        !rests && !self.busy.contains(&task) && !self.left.contains(&task)
    }

    /// Takes note of a job that is over.
    ///
    /// # Errors
    ///
    /// If the connection was lost.
    pub fn done(&mut self, miner: &Miner<'_>, block: u64, done: Done) -> Result<(), Error> {
        let Done { task, is_reveal, result } = done;
        self.busy.remove(&task);
        match result {
            Ok(Outcome::Did(event)) => miner.tell(&event),
            Ok(Outcome::NotYet) => Ok(()),
            Ok(Outcome::Nothing) => {
                self.left.insert(task);
                Ok(())
            },
            Err(error) if error.kind() == Kind::NoNode => Err(error),
            Err(error) => {
                // A reveal that comes too late costs the bond; what is not there will not come.
                self.resting.insert(task, block + if is_reveal { 1 } else { REST });
                if error.kind() == Kind::NotFound {
                    self.left.insert(task);
                }
                miner.tell(&Event::Failed { task: Some(task), message: error.line() })
            },
        }
    }

    /// Tells what became of commitments whose tasks are settled for good, and forgets them.
    async fn settle(&mut self, miner: &Miner<'_>, connection: &Connection, open: &[Record]) -> Result<(), Error> {
        let store = miner.context.commitments();
        let kept = store.tasks(&miner.genesis, &miner.account)?;
        let last = connection.finalized().await?;
        self.read_settlements(miner, connection, &last, kept.is_empty()).await?;
        for task in kept {
            let is_open = open.iter().any(|open| open.id == task) || self.busy.contains(&task);
            if is_open || record(&last, task).await?.is_some() {
                continue;
            }
            let Some(opening) = store.get(&miner.genesis, task, &miner.account)? else { continue };
            let winner = outcome(&last, task).await?.content;
            let paid = self.settled.remove(&task);
            miner.tell(&Event::Settled {
                task,
                is_won: winner.as_ref() == Some(&opening.content),
                content: opening.content,
                reward: paid.map(|(reward, _)| Amount::planck(reward)),
                slashed: paid.map(|(_, slashed)| Amount::planck(slashed)),
            })?;
            store.remove(&miner.genesis, task, &miner.account)?;
        }
        Ok(())
    }

    /// Reads what final blocks say of the account's settlements, from the one after the last that was read on.
    async fn read_settlements(
        &mut self,
        miner: &Miner<'_>,
        connection: &Connection,
        last: &At,
        is_idle: bool,
    ) -> Result<(), Error> {
        let end = last.block_number();
        let begin = (self.read + 1).max(end.saturating_sub(CATCH_UP));
        self.read = end;
        if is_idle {
            self.settled.clear();
            return Ok(());
        }
        for number in begin..=end {
            match settlements(connection, number, &miner.account).await {
                Ok(settled) => self.settled.extend(settled),
                Err(error) if error.kind() == Kind::NoNode => return Err(error),
                // The node has forgotten the block: what it paid stays unknown.
                Err(_) => {},
            }
        }
        Ok(())
    }
}

/// What a block says of an account's settlements: reward and slash in planck, by task.
async fn settlements(
    connection: &Connection,
    number: u64,
    account: &AccountId32,
) -> Result<Vec<(u32, (u128, u128))>, Error> {
    let hash: H256 = connection.request("chain_getBlockHash", rpc_params![number]).await?;
    let events = connection.at(hash).await?.events().fetch().await.map_err(Error::chain)?;
    let mut all = Vec::new();
    for settled in events.find::<ensemble::tasks::events::ParticipantSettled>() {
        let settled = settled.map_err(Error::chain)?;
        if settled.who == *account {
            all.push((settled.task, (settled.reward, settled.slashed)));
        }
    }
    Ok(all)
}

impl Miner<'_> {
    /// Whether a task is one to answer after this block.
    fn wants(&self, task: &Record, block: u64) -> bool {
        let chain::PurposeView::Contribution { terms, committee, .. } = &task.purpose else { return false };
        self.plan.answers.is_some()
            && matches!(task.phase, chain::Phase::Commit)
            && block < u64::from(task.commit_until)
            && task.committed < task.max_participants
            && terms.base >= self.plan.min_reward.planck
            && terms.bond <= self.plan.max_bond.planck
            && committee.as_ref().is_none_or(|members| members.contains(&self.account))
    }

    /// Does what there is to do.
    pub(super) async fn work_on(&self, connection: &Connection, job: Job) -> Done {
        let (task, is_reveal) = (job.task(), matches!(job, Job::Reveal(_)));
        let result = match (job, &self.plan.answers) {
            (Job::Reveal(task), _) => self.reveal(connection, task).await,
            (Job::Answer(task), Some(answers)) => self.contribute(connection, answers, &task).await,
            (Job::Answer(_), None) => Ok(Outcome::Nothing),
        };
        Done { task, is_reveal, result }
    }

    /// Commits to what answers a task, once the node has it and the salt is on the disk. What was kept before and is
    /// not on the chain is sent again.
    async fn contribute(&self, connection: &Connection, answers: &Answers, view: &TaskView) -> Result<Outcome, Error> {
        let (task, store) = (view.task, self.context.commitments());
        let known = store.get(&self.genesis, task, &self.account)?;
        let path = match (&known, answers) {
            (Some(opening), _) => opening.file.clone(),
            (None, answers) => match answers.to(view).await? {
                Answer::File(path) => std::path::absolute(&path).map_err(Error::read(&path))?,
                Answer::NotYet => return Ok(Outcome::NotYet),
                Answer::Nothing => return Ok(Outcome::Nothing),
            },
        };
        // Finding the answer may have taken long.
        let best = connection.best().await?;
        let Some(record) = record(&best, task).await?.filter(|task| self.wants(task, best.block_number())) else {
            return Ok(Outcome::NotYet);
        };
        let chain::PurposeView::Contribution { terms, .. } = &record.purpose else { return Ok(Outcome::Nothing) };
        let file = File::open(&path)?;
        let content = content_for(&file, &record)?;
        check(&content, &path, &record, known.as_ref())?;
        tensors::upload(connection, &content, restricted(&record)).await?;
        let _turn = self.sending.lock().await;
        let opening = match &known {
            Some(opening) => opening.clone(),
            None => {
                let opening = Opening::new(task, &self.account, &content, &path)?;
                store.add(&self.genesis, &self.account, &opening)?;
                opening
            },
        };
        let call = ensemble::transactions().tasks().commit(task, opening.commitment(&self.account)?, terms.bond);
        match submit(connection, &self.key, &call).await {
            Ok(sent) => Ok(Outcome::Did(Event::Committed {
                task,
                content: opening.content,
                file: path.display().to_string(),
                bond: Amount::planck(terms.bond),
                block: sent.receipt.block,
            })),
            // It was on its way when the miner or the connection ended the last time.
            Err(Error::Refused(refusal)) if known.is_some() && refusal.name == "AlreadyCommitted" => {
                Ok(Outcome::NotYet)
            },
            Err(error) => {
                // What the chain has refused needs no salt; of anything else it is kept.
                if known.is_none() && matches!(error, Error::Refused(_) | Error::NoFunds { .. }) {
                    store.remove(&self.genesis, task, &self.account)?;
                }
                Err(error)
            },
        }
    }

    /// Opens a commitment, and sees to it that the node has the content: it may be another one than before.
    async fn reveal(&self, connection: &Connection, task: u32) -> Result<Outcome, Error> {
        let opening = self.context.commitments().get(&self.genesis, task, &self.account)?.ok_or_else(|| {
            Error::not_found(
                format!("salt of {} for task {task} on this machine", self.account),
                "mine on the machine on which you committed, or give its folder with --state",
            )
        })?;
        let call = ensemble::transactions().tasks().reveal(task, opening.descriptor()?, opening.salt()?);
        let sent = {
            let _turn = self.sending.lock().await;
            submit(connection, &self.key, &call).await
        };
        match sent {
            Ok(sent) => {
                self.tell(&Event::Revealed { task, content: opening.content.clone(), block: sent.receipt.block })?;
            },
            // It was on its way when the miner or the connection ended the last time.
            Err(Error::Refused(refusal)) if refusal.name == "AlreadyRevealed" => {},
            Err(error) => return Err(error),
        }
        if let Some(record) = record(&connection.best().await?, task).await? {
            let file = File::open(&opening.file)?;
            let content = content_for(&file, &record)?;
            check(&content, &opening.file, &record, Some(&opening))?;
            tensors::upload(connection, &content, restricted(&record)).await?;
        }
        Ok(Outcome::NotYet)
    }
}

/// What a file becomes for a task. Where bytes are asked for, it is taken as it is unless it is such a tensor already.
fn content_for<'a>(file: &'a File, task: &Record) -> Result<Content<'a>, Error> {
    let content = file.content(None, false);
    let is_bytes = matches!(task.content, chain::Content::Bytes { .. });
    match content {
        Ok(content) if content.fits(&task.content) || !is_bytes => Ok(content),
        Err(error) if !is_bytes => Err(error),
        _ => file.content(None, true),
    }
}

/// Refuses a content that is not what the task asks for, or not what was committed to.
fn check(content: &Content<'_>, path: &Path, task: &Record, known: Option<&Opening>) -> Result<(), Error> {
    let header = &content.header;
    let wrong = |message: String, remedy: &str| Error::File { path: path.into(), message, remedy: remedy.into() };
    if !content.fits(&task.content) {
        let shape = format!("{} {}x{}", header.kind(), header.rows(), header.cols());
        let message = format!("it becomes {shape}, but the task asks for {}", asks_for(&task.content));
        return Err(wrong(message, "give a file of that kind and shape"));
    }
    match known.filter(|opening| opening.content != content.id.to_string()) {
        Some(_) => Err(wrong("it was changed after its salt was kept".into(), "bring back what it was")),
        None => Ok(()),
    }
}

/// The task to whose readers its contents are restricted.
fn restricted(task: &Record) -> Option<u32> {
    match &task.purpose {
        chain::PurposeView::Contribution { audience: Audience::Restricted { .. }, .. } => Some(task.id),
        _ => None,
    }
}

/// All tasks that are not settled.
async fn open_tasks(at: &At) -> Result<Vec<Record>, Error> {
    let mut all: Vec<Record> = Vec::new();
    loop {
        let first = all.last().map_or(0, |task| task.id.saturating_add(1));
        let page = ask(at, ensemble::runtime_apis().tasks_api().open_tasks(first, PAGE)).await?;
        let is_last = page.len() < PAGE as usize;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// All that an account has to do in tasks.
async fn obligations(at: &At, account: &AccountId32) -> Result<Vec<chain::Obligation<u128, u32>>, Error> {
    let mut all: Vec<chain::Obligation<u128, u32>> = Vec::new();
    loop {
        let first = all.last().map_or(0, |duty| duty.task.saturating_add(1));
        let page = ask(at, ensemble::runtime_apis().tasks_api().obligations(*account, first, PAGE)).await?;
        let is_last = page.len() < PAGE as usize;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}
