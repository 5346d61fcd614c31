//! What a validator does in each block: draw, measure, commit, reveal, each once in an epoch.

use std::time::Instant;

use super::{
    clock::Clock,
    events::{Event, MinerScore},
    formula::Found,
    measure::{Examiner, Measured, Miner},
    sealed::seal,
};
use crate::{
    chain::{ensemble, text, types::ensemble_core::scores, At, H256},
    commands::validator::miners_of,
    commitments::{Commitments, ScoresOpening},
    connection::{ask, Connection},
    error::{Error, Kind},
    events::Teller,
    send::submit,
    views::modules::{module_record, Types},
};

/// A validator gives up for the epoch when the chain has refused it so often.
const MAX_REFUSALS: u32 = 3;

/// A validator at work.
pub struct Rounds {
    /// Asks miners.
    pub examiner: Examiner,
    /// Where scores lie until they are revealed.
    pub commitments: Commitments,
    /// Tells what happens.
    pub teller: Teller,
    progress: Progress,
}

/// What was done in an epoch, as far as the chain does not know it.
#[derive(Default)]
struct Progress {
    epoch: u32,
    /// Whether its miners were measured, whatever came of it.
    is_measured: bool,
    refusals: u32,
    /// Batches whose loss was told.
    lost: Vec<u32>,
    /// What was told last of why there is nothing to do.
    idle: Option<String>,
}

impl Rounds {
    /// A validator that has done nothing yet.
    pub fn new(examiner: Examiner, commitments: Commitments, teller: Teller) -> Self {
        Self { examiner, commitments, teller, progress: Progress::default() }
    }

    /// Does what is to be done in the block after the best one.
    ///
    /// # Errors
    ///
    /// If the node is gone, or something is wrong that waiting does not mend.
    pub async fn step(&mut self, connection: &Connection) -> Result<(), Error> {
        let best = connection.best().await?;
        let view = ask(&best, ensemble::runtime_apis().emission_api().epoch()).await?;
        let number = u32::try_from(best.block_number()).unwrap_or(u32::MAX);
        let clock = Clock::new(&view, number);
        if clock.epoch != self.progress.epoch {
            self.begin(clock.epoch)?;
        }
        let duties = ask(&best, ensemble::runtime_apis().scores_api().duties(self.validator())).await?;
        let Some(duties) = duties else {
            return self.idle("the module is no active validator; `ensemble validator status` says why");
        };
        // The block before the first of an epoch knows only what was.
        if duties.epoch != clock.epoch || self.progress.refusals >= MAX_REFUSALS {
            return Ok(());
        }
        let done = match clock.is_commit() {
            true => self.commit_phase(connection, &best, clock, duties).await,
            false => self.reveal_phase(connection, clock, duties).await,
        };
        match done {
            Err(error) if can_wait(&error) => {
                self.progress.refusals += 1;
                self.teller.tell(&Event::failed(format!("epoch {}", clock.epoch), &error))
            },
            other => other,
        }
    }

    fn validator(&self) -> u32 {
        self.examiner.validator
    }

    fn begin(&mut self, epoch: u32) -> Result<(), Error> {
        let idle = self.progress.idle.take();
        self.progress = Progress { epoch, idle, ..Progress::default() };
        // Scores of the epoch before are kept a while longer, for those who want to look.
        self.commitments.remove_scores_before(&self.examiner.genesis, self.validator(), epoch.saturating_sub(1))
    }

    /// Tells why there is nothing to do, once.
    fn idle(&mut self, reason: &str) -> Result<(), Error> {
        if self.progress.idle.as_deref() == Some(reason) {
            return Ok(());
        }
        self.progress.idle = Some(reason.into());
        self.teller.tell(&Event::Idle { reason: reason.into() })
    }

    async fn commit_phase(
        &mut self,
        connection: &Connection,
        best: &At,
        clock: Clock,
        duties: scores::Duties,
    ) -> Result<(), Error> {
        let own = miners_of(best, self.validator()).await?;
        let Some(checks) = duties.checks else {
            return match own.is_empty() {
                true => self.idle("no miner is matched with this validator yet"),
                false => self.draw(connection, clock).await,
            };
        };
        let mut openings = self.openings(clock.epoch)?;
        if openings.is_empty() && !self.progress.is_measured {
            openings = self.measure(best, clock, &own, &checks).await?;
        }
        for opening in openings {
            let is_committed = duties.unrevealed.iter().any(|(batch, _)| *batch == opening.batch);
            if !is_committed {
                self.commit(connection, &opening).await?;
            }
        }
        Ok(())
    }

    /// Has the chain draw what is checked, if it does not do so by itself.
    async fn draw(&mut self, connection: &Connection, clock: Clock) -> Result<(), Error> {
        if !clock.is_drawn() {
            return Ok(());
        }
        let call = ensemble::transactions().scores().draw(self.validator());
        let sent = submit(connection, &self.examiner.key, &call).await?;
        self.teller.tell(&Event::Drawn { epoch: clock.epoch, block: sent.receipt.block })
    }

    /// Asks everybody who is to be scored, and keeps what was found, sealed, on the disk.
    async fn measure(
        &mut self,
        best: &At,
        clock: Clock,
        own: &[u32],
        checks: &[u32],
    ) -> Result<Vec<ScoresOpening>, Error> {
        let deadline = Instant::now() + clock.time_to_measure();
        let miners = self.miners(best, own, checks).await?;
        if miners.is_empty() {
            self.idle("no miner is matched with this validator yet")?;
            return Ok(Vec::new());
        }
        let measured = self.examiner.measure(miners, deadline).await?;
        self.progress.is_measured = true;
        self.progress.idle = None;
        let told = measured.iter().map(MinerScore::from).collect();
        self.teller.tell(&Event::Measured { epoch: clock.epoch, miners: told })?;
        let constants = ensemble::constants().scores();
        let size = best.constants().entry(constants.max_scores()).map_err(Error::chain)?;
        let most = best.constants().entry(constants.max_batches()).map_err(Error::chain)?;
        let openings = sealed(self.validator(), clock.epoch, &measured, size, most)?;
        for opening in &openings {
            self.commitments.add_scores(&self.examiner.genesis, opening)?;
        }
        Ok(openings)
    }

    /// The miners of the validator and those that it checks, in the order of their numbers.
    async fn miners(&self, best: &At, own: &[u32], checks: &[u32]) -> Result<Vec<Miner>, Error> {
        let types = Types::of(best).await?;
        let mut numbers = [own, checks].concat();
        numbers.sort_unstable();
        numbers.dedup();
        let mut miners = Vec::new();
        for module in numbers {
            let record = match module_record(best, &module.to_string()).await {
                Err(error) if error.kind() == Kind::NotFound => continue,
                other => other?,
            };
            miners.push(Miner {
                module,
                name: text(&record.name),
                r#type: types.name(record.model_type),
                endpoint: text(&record.endpoint),
                is_own: own.contains(&module),
            });
        }
        Ok(miners)
    }

    async fn commit(&mut self, connection: &Connection, opening: &ScoresOpening) -> Result<(), Error> {
        let ScoresOpening { validator, epoch, batch, .. } = *opening;
        let call = ensemble::transactions().scores().commit(validator, batch, opening.hash()?);
        let sent = submit(connection, &self.examiner.key, &call).await?;
        self.teller.tell(&Event::Committed { epoch, batch, block: sent.receipt.block })
    }

    async fn reveal_phase(
        &mut self,
        connection: &Connection,
        clock: Clock,
        duties: scores::Duties,
    ) -> Result<(), Error> {
        for (batch, hash) in duties.unrevealed {
            self.reveal(connection, clock.epoch, batch, hash).await?;
        }
        Ok(())
    }

    async fn reveal(&mut self, connection: &Connection, epoch: u32, batch: u32, hash: H256) -> Result<(), Error> {
        let validator = self.validator();
        let opening = self.commitments.scores(&self.examiner.genesis, validator, epoch, batch)?;
        let Some(opening) = opening.filter(|opening| opening.hash().is_ok_and(|own| own == hash)) else {
            return self.lost(epoch, batch);
        };
        let call = ensemble::transactions().scores().reveal(validator, batch, opening.for_chain(), opening.salt()?);
        let sent = submit(connection, &self.examiner.key, &call).await?;
        self.teller.tell(&Event::Revealed { epoch, batch, block: sent.receipt.block })
    }

    /// Tells once that a batch was committed to with a salt that is not here.
    fn lost(&mut self, epoch: u32, batch: u32) -> Result<(), Error> {
        if self.progress.lost.contains(&batch) {
            return Ok(());
        }
        self.progress.lost.push(batch);
        let reason = "its salt is not on this machine; run the validator where it committed, or name its folder with \
                      --state"
            .into();
        self.teller.tell(&Event::Lost { epoch, batch, reason })
    }

    /// What was sealed in an epoch, in the order of batches, which have numbers without gaps.
    fn openings(&self, epoch: u32) -> Result<Vec<ScoresOpening>, Error> {
        let mut openings = Vec::new();
        for batch in 0.. {
            match self.commitments.scores(&self.examiner.genesis, self.validator(), epoch, batch)? {
                Some(opening) => openings.push(opening),
                None => break,
            }
        }
        Ok(openings)
    }
}

/// Whether it may go well in another block or epoch.
fn can_wait(error: &Error) -> bool {
    matches!(error.kind(), Kind::Refused | Kind::NotYours | Kind::NotFound | Kind::NoFunds | Kind::NodeRefused)
}

/// What was found, in batches of at most `size` miners, of which there are at most `most`.
fn sealed(
    validator: u32,
    epoch: u32,
    measured: &[Measured],
    size: u32,
    most: u32,
) -> Result<Vec<ScoresOpening>, Error> {
    let found: Vec<(u32, Found)> =
        measured.iter().filter_map(|measured| Some((measured.miner.module, measured.found?))).collect();
    let batches = found.chunks(size.max(1) as usize).take(most as usize).zip(0..);
    batches.map(|(found, batch)| seal(validator, epoch, batch, found)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_sealed_in_batches() {
        let measured = |module, found| Measured {
            miner: Miner { module, name: String::new(), r#type: String::new(), endpoint: String::new(), is_own: true },
            found,
            asked: 1,
            answered: 1,
            problem: None,
        };
        let all: Vec<Measured> = (1..=6).map(|module| measured(module, (module != 3).then(Found::default))).collect();
        let batches = |size, most| {
            let sealed = sealed(7, 9, &all, size, most).expect("is sealed");
            let numbers = |opening: &ScoresOpening| opening.scores.iter().map(|(miner, _)| *miner).collect::<Vec<_>>();
            sealed.iter().map(|opening| (opening.batch, numbers(opening))).collect::<Vec<_>>()
        };
        assert_eq!(batches(2, 8), [(0, vec![1, 2]), (1, vec![4, 5]), (2, vec![6])]);
        assert_eq!(batches(2, 1), [(0, vec![1, 2])]);
        assert!(sealed(7, 9, &[], 2, 8).expect("is sealed").is_empty());
    }
}
