//! The thread of one answer.
//!
//! What completes a position is signed by those whose outputs were taken, before anything follows from it. So whatever
//! happens later, the positions that are complete can be closed with: an answer that breaks off is shorter, not lost.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    ops::Range,
    sync::{
        mpsc::{Receiver, RecvTimeoutError},
        Arc,
    },
    thread,
    time::{Duration, Instant},
};

use codec::Encode;
use ensemble_compute::inference::{self, ranges, Entry, Next, Run, RunError, Stage, Trace};
use ensemble_core::inference::{ask_bytes, ranges_of, Contested, RangeIndex, SessionPhase, MAX_CONTESTED_BYTES};
use ensemble_tensor::merkle;
use sp_core::Pair;

use super::{
    answers::{part, Answers, Asked, Certainty, Shares, Stuck},
    crew::{Member, Unfit},
    progress::{Agreement, Item, Summary},
    text::Text,
    Generation, Mail,
};
use crate::rows::{
    chain::{self, Session},
    keys::AttesterPair,
    ledger::{self, Disagreement, Report, Signed},
    limits::{MAX_DISAGREEMENTS, MAX_LAG, MAX_LAG_BYTES},
    model::Model,
    protocol::{Call, End, Frame, Message, Refused, Reply, VectorBytes, MAX_BATCH, MAX_OUTPUT_LEN},
    Context, LOG_TARGET,
};

/// How often it is looked who is late, at least.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Why an answer is not completed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// A range has no worker.
    #[error("no worker of range {0} is left: {1}")]
    Lost(RangeIndex, String),
    /// Nobody stands behind what was taken for a range.
    #[error("nobody who is left signs what was computed of range {0}: {1}")]
    Unsigned(RangeIndex, String),
    /// The model does not go on.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The outputs do not fit the model.
    #[error("outputs that were taken do not fit the model")]
    Outputs,
    /// The prompt fills the session.
    #[error("the session has no room for an answer")]
    NoRoom,
    /// The chain gave it up.
    #[error("the session's time is over")]
    Over,
    /// What comes of it cannot be kept.
    #[error("the answer cannot be kept: {0}")]
    Ledger(#[from] ledger::Error),
}

impl Failure {
    /// Whether what is complete of the answer can be closed with.
    fn leaves_an_answer(&self) -> bool {
        match self {
            Self::Lost(..) | Self::Unsigned(..) | Self::Run(_) | Self::Outputs => true,
            Self::NoRoom | Self::Over | Self::Ledger(_) => false,
        }
    }
}

/// Drives one answer.
pub struct Driver {
    context: Arc<Context>,
    session: Session,
    shares: Shares,
    model: Arc<dyn Model>,
    generation: Arc<Generation>,
    mail: Receiver<Mail>,
    /// The gateway's key.
    pair: AttesterPair,
    crew: Vec<Member>,
    /// All tokens, prompt first.
    tokens: Vec<u32>,
    trace: Trace,
    /// Positions that are complete.
    complete: u32,
    /// Number of the next call.
    next: u32,
    /// Calls that somebody may still answer, oldest first.
    open: VecDeque<Answers>,
    /// Numbers of the calls with answers that were not looked at yet.
    news: BTreeSet<u32>,
    /// Bytes of all open calls and their answers.
    bytes: usize,
    /// For each range the least that workers agreed since the last token.
    since_token: Vec<Certainty>,
    contested: Vec<Contested>,
    contested_bytes: usize,
    /// Ranges, and workers that outvoted somebody there.
    outvoters: HashSet<(RangeIndex, Vec<u32>)>,
    report: Report,
    began: Instant,
    /// When the chain was asked whether the session goes on.
    checked: Instant,
    /// When it was looked who is late.
    looked: Instant,
    /// When the first token was there.
    first_token: Option<Instant>,
    text: Text,
    /// Whether any worker has answered anything.
    was_answered: bool,
}

impl Driver {
    /// Has asked nobody yet.
    pub fn new(
        context: Arc<Context>,
        session: Session,
        model: Arc<dyn Model>,
        pair: AttesterPair,
        prompt: Vec<u32>,
        generation: Arc<Generation>,
        mail: Receiver<Mail>,
    ) -> Self {
        let shares = Shares { workers: session.workers, replicas: session.replicas };
        let member = |((place, worker), peer): ((u32, &chain::Participant), _)| {
            let ranges = ranges_of(place, shares.workers, shares.replicas).collect();
            Member::new(place, peer, worker.key.clone(), ranges)
        };
        let crew = (0..).zip(chain::workers(&session)).zip(generation.peers.iter().copied()).map(member).collect();
        let trace = Trace::new(model.llama());
        Self {
            context,
            session,
            shares,
            model,
            generation,
            mail,
            pair,
            crew,
            tokens: prompt,
            trace,
            complete: 0,
            next: 0,
            open: VecDeque::new(),
            news: BTreeSet::new(),
            bytes: 0,
            since_token: vec![Certainty::Full; shares.workers as usize],
            contested: Vec::new(),
            contested_bytes: 0,
            outvoters: HashSet::new(),
            report: Report::default(),
            began: Instant::now(),
            checked: Instant::now(),
            looked: Instant::now(),
            first_token: None,
            text: Text::default(),
            was_answered: false,
        }
    }

    /// Answers, and tells the subscribers how it ended. Says whether it could be tried again: nobody has answered
    /// anything.
    pub fn run(mut self) -> bool {
        let (id, context) = (self.session.id, self.context.clone());
        self.crew.iter_mut().for_each(|member| member.keep(&context.post));
        let unknown = self.crew.iter().filter(|member| member.peer.is_none()).map(|member| member.place);
        for place in unknown.collect::<Vec<_>>() {
            self.drop_worker(place, "has announced no valid peer id");
        }
        let end = match self.answer() {
            Ok(()) => self.close(None),
            Err(failure) if failure.leaves_an_answer() && self.complete >= self.session.prompt_tokens => {
                self.ask_chain().and_then(|()| self.close(Some(failure.to_string())))
            },
            Err(failure) => Err(failure),
        };
        match &end {
            Ok(summary) => {
                let (tokens, rate) = (summary.report.tokens, summary.rate);
                tracing::info!(target: LOG_TARGET, "Answered session {id}: {tokens} tokens, {rate:.1} per second");
                if let Some(cut) = &summary.cut {
                    tracing::warn!(target: LOG_TARGET, "The answer of session {id} breaks off: {cut}");
                }
            },
            Err(failure) => tracing::warn!(target: LOG_TARGET, "Session {id} is not answered: {failure}"),
        }
        let left: Vec<_> = self.crew.iter().filter(|member| member.is_in()).map(|member| member.place).collect();
        left.into_iter().for_each(|place| self.send_end(place));
        self.generation.progress.end(end.map_err(|failure| failure.to_string()));
        // A substream that closes takes with it what is not sent yet.
        thread::sleep(context.patience.retry);
        self.crew.iter_mut().for_each(|member| member.release(&context.post, None));
        !self.was_answered
    }

    /// Generates until the model or the session ends the answer.
    fn answer(&mut self) -> Result<(), Failure> {
        let llama = *self.model.llama();
        let mut run = Run::new(&llama, self.model.clone(), true, self.context.machine)?;
        let most = (self.session.max_tokens as usize).min((llama.positions as usize).saturating_sub(self.tokens.len()));
        if most == 0 {
            return Err(Failure::NoRoom);
        }
        let prompt = self.tokens.clone();
        let mut batches = prompt.chunks(self.batch()).peekable();
        let mut token = None;
        while let Some(batch) = batches.next() {
            token = self.step(&mut run, batch, batches.peek().is_none())?;
        }
        let mut given = 0;
        while let Some(next) = token {
            self.tokens.push(next);
            given += 1;
            let is_last = given >= most || self.model.is_end(next);
            self.give_out(next, is_last);
            token = if is_last { None } else { self.step(&mut run, &[next], true)? };
        }
        Ok(())
    }

    /// Positions that go together: what comes back of any stage has to fit into a message.
    fn batch(&self) -> usize {
        let (llama, Shares { workers, replicas }) = (self.model.llama(), self.shares);
        let stages = (0..4).filter_map(|number| llama.stage(number));
        let most = stages.map(|stage| u64::from(llama.outputs(stage))).max().unwrap_or_default();
        let bytes = most.saturating_mul(8).saturating_mul(replicas.into()) / u64::from(workers.max(1));
        let fits = (MAX_OUTPUT_LEN as u64).checked_div(bytes).unwrap_or(u64::MAX);
        usize::try_from(fits.clamp(1, MAX_BATCH.into())).unwrap_or(1)
    }

    /// Takes some tokens through all stages. Gives the one that follows, if there is to be an answer.
    fn step(&mut self, run: &mut Run<Arc<dyn Model>>, tokens: &[u32], answer: bool) -> Result<Option<u32>, Failure> {
        self.check_session()?;
        let mut call = run.begin(tokens, answer)?;
        loop {
            let outputs = self.ask(&call)?;
            call = match run.supply(&outputs)? {
                Next::Call(call) => call,
                Next::Token(token) => return Ok(Some(token)),
                Next::Stored => return Ok(None),
            };
        }
    }

    /// Ends an answer that nobody will be paid for any more.
    fn check_session(&mut self) -> Result<(), Failure> {
        if self.checked.elapsed() < self.context.patience.idle {
            return Ok(());
        }
        self.checked = Instant::now();
        self.ask_chain()
    }

    fn ask_chain(&self) -> Result<(), Failure> {
        match self.context.chain.session(self.session.id) {
            Ok(Some(session)) if matches!(session.phase, SessionPhase::Assigned { .. }) => Ok(()),
            Ok(_) => Err(Failure::Over),
            // The chain can be asked again later.
            Err(_) => Ok(()),
        }
    }

    /// Asks all workers for a stage, and waits until each range has outputs that can be taken.
    fn ask(&mut self, call: &inference::Call) -> Result<Vec<Vec<i64>>, Failure> {
        self.send(call);
        // What is left to do for the calls before is done while the workers multiply.
        self.settle();
        // From when on those are charged who are waited for.
        let (start, mut from) = (Instant::now(), None::<Instant>);
        while !self.take()? {
            let before = Instant::now();
            let awaited = match from {
                Some(from) if from <= before => self.open.back().map(Answers::awaited).unwrap_or_default(),
                _ => BTreeSet::new(),
            };
            self.wait(from.filter(|from| *from > before));
            self.charge(&awaited, before.elapsed());
            if from.is_none() && self.open.back().is_some_and(Answers::has_answer) {
                from = Some(Instant::now() + start.elapsed().max(self.context.patience.grace));
            }
            self.check_session()?;
        }
        let stage = self.model.llama().stage(call.stage).ok_or(Failure::Outputs)?;
        let answers = self.open.back().ok_or(Failure::Outputs)?;
        self.complete = self.complete.max(answers.asked.done.end);
        self.join(stage, call.inputs.len(), &answers.taken())
    }

    fn join(&self, stage: Stage, inputs: usize, taken: &[&[i64]]) -> Result<Vec<Vec<i64>>, Failure> {
        let of_input = |input: usize| {
            let parts = taken.iter().map(|outputs| part(outputs, input, inputs));
            ranges::join(self.model.llama(), stage, &parts.collect::<Vec<_>>())
        };
        (0..inputs).map(of_input).collect::<Option<_>>().ok_or(Failure::Outputs)
    }

    /// Sends a call to all workers.
    fn send(&mut self, call: &inference::Call) {
        let (now, number) = (Instant::now(), self.next);
        self.next = self.next.saturating_add(1);
        let encoded: Vec<_> = call.inputs.iter().map(|input| input.encode()).collect();
        let inputs: Vec<_> = encoded.iter().map(|input| merkle::leaf_hash(input)).collect();
        for ((input, state), position) in inputs.iter().zip(&call.states).zip(call.first..) {
            self.trace.record(position, call.stage, &Entry { input: *input, other: *state });
        }
        let encoded: Vec<VectorBytes> = encoded.into_iter().filter_map(|input| input.try_into().ok()).collect();
        let bytes = encoded.iter().map(|input| input.len()).sum();
        let done = self.completed(call.stage, call.first, encoded.len());
        let frame = Arc::new(Frame::new(Call {
            session: self.session.id,
            place: 0,
            number,
            stage: call.stage,
            first: call.first,
            asked: (call.stage == 0).then(|| self.sign_ask(call.first, encoded.len())),
            inputs: encoded.try_into().unwrap_or_default(),
        }));
        let there = self.crew.iter().filter(|member| member.is_in()).map(|member| member.place).collect();
        let asked = Asked { number, stage: call.stage, first: call.first, inputs, done };
        self.bytes = self.bytes.saturating_add(bytes);
        self.open.push_back(Answers::new(asked, bytes, self.shares, there));
        for member in self.crew.iter_mut().filter(|member| member.is_in()) {
            member.ask(frame.clone(), now);
            member.pump(&self.context.post, now);
        }
    }

    /// The gateway's signature of what it asks for, from a position on.
    fn sign_ask(&self, first: u32, count: usize) -> [u8; 64] {
        let last = first.saturating_add(u32::try_from(count).unwrap_or(u32::MAX)).saturating_sub(1);
        self.pair.sign(&ask_bytes(&self.context.genesis, self.session.id, last)).into_inner().0
    }

    /// The positions whose rows a call completes.
    fn completed(&self, stage: u32, first: u32, inputs: usize) -> Range<u32> {
        ensemble_rows::completed(stage, self.model.llama().head(), first, inputs, self.session.prompt_tokens)
    }

    /// Takes what can be taken of the answers to the last call. Of those that complete positions no more signatures are
    /// looked at than it takes: the others can wait until the next call is on its way.
    fn take(&mut self) -> Result<bool, Failure> {
        let Some(last) = self.open.len().checked_sub(1) else { return Ok(false) };
        let completes = self.open.get(last).is_some_and(Answers::completes);
        if completes {
            // Who strayed in the calls before?
            self.settle();
        }
        // Calls before the last may be over by now.
        while !self.take_now()? {
            if !completes || !self.examine_next(self.open.len().saturating_sub(1)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn take_now(&mut self) -> Result<bool, Failure> {
        let taken = self.open.back_mut().map_or(Ok(false), Answers::take);
        taken.map_err(|stuck| match stuck {
            Stuck::Lost(range) => Failure::Lost(range, self.reasons(range)),
            Stuck::Unsigned(range) => Failure::Unsigned(range, self.reasons(range)),
        })
    }

    /// Why workers of a range were dropped.
    fn reasons(&self, range: RangeIndex) -> String {
        let of_range = |place: &u32| ranges_of(*place, self.shares.workers, self.shares.replicas).any(|x| x == range);
        let dropped = self.report.dropped.iter().filter(|(place, _)| of_range(place));
        dropped.map(|(place, reason)| format!("the one at place {place} {reason}")).collect::<Vec<_>>().join("; ")
    }

    /// Has workers answer for the time that others waited for them. One that takes most of its time for each call would
    /// hold an answer for ever otherwise.
    fn charge(&mut self, awaited: &BTreeSet<u32>, time: Duration) {
        let positions = self.open.back().map_or(0, |answers| answers.asked.first.saturating_add(1));
        let patience = &self.context.patience;
        let members = self.crew.iter_mut().filter(|member| awaited.contains(&member.place));
        let slow = members.filter_map(|member| member.holds_up(time, positions, patience).then_some(member.place));
        for place in slow.collect::<Vec<_>>() {
            self.drop_worker(place, "held up the others for too long");
        }
    }

    /// Waits for a message or until something is due, and at most until `end`.
    fn wait(&mut self, end: Option<Instant>) {
        let patience = &self.context.patience;
        let due = self.crew.iter().filter_map(|member| member.due(patience)).chain(end).min();
        let pause = due.map_or(patience.call, |due| due.saturating_duration_since(Instant::now()));
        let began = Instant::now();
        let mail = self.mail.recv_timeout(pause);
        self.context.metrics.waited.inc_by(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
        match mail {
            Ok(mail) => self.handle(mail),
            Err(RecvTimeoutError::Timeout) => self.check_deadlines(),
            // This thread holds a sender itself.
            Err(RecvTimeoutError::Disconnected) => (),
        }
    }

    fn check_deadlines(&mut self) {
        let (now, context) = (Instant::now(), self.context.clone());
        self.looked = now;
        self.crew.iter_mut().for_each(|member| member.release(&context.post, Some(context.patience.retry)));
        let late = self.crew.iter().filter(|member| member.is_late(&context.patience, now));
        for place in late.map(|member| member.place).collect::<Vec<_>>() {
            self.drop_worker(place, "did not answer in time");
        }
        self.crew.iter_mut().filter(|member| member.is_in()).for_each(|member| member.pump(&context.post, now));
    }

    fn handle(&mut self, mail: Mail) {
        match mail {
            Mail::Reply(reply) => {
                self.generation.took(reply.place);
                self.on_reply(reply);
            },
            Mail::Refused(refused) => {
                self.generation.took(refused.place);
                self.on_refused(&refused);
            },
            Mail::Opened(peer) => {
                let (now, post) = (Instant::now(), &self.context.post);
                self.crew
                    .iter_mut()
                    .filter(|member| member.peer == Some(peer))
                    .for_each(|member| member.pump(post, now));
            },
            Mail::Closed(peer) => {
                let now = Instant::now();
                let of_peer = self.crew.iter_mut().filter(|member| member.peer == Some(peer) && member.is_in());
                let gone = of_peer.filter_map(|member| member.lost(now).then_some(member.place)).collect::<Vec<_>>();
                gone.into_iter().for_each(|place| self.drop_worker(place, "was lost too often"));
            },
            Mail::Banned(peer) => {
                let of_peer = self.crew.iter().filter(|member| member.peer == Some(peer)).map(|member| member.place);
                of_peer.collect::<Vec<_>>().into_iter().for_each(|place| self.drop_worker(place, "broke the protocol"));
            },
        }
    }

    fn on_reply(&mut self, reply: Reply) {
        let Reply { place, number, ranges, .. } = reply;
        let now = Instant::now();
        let Some(member) = self.crew.get_mut(place as usize).filter(|member| member.is_in()) else { return };
        if !member.answered(number, now) {
            // It was asked twice and has answered twice, or it makes things up.
            self.context.metrics.unsolicited.inc();
            return self.fault(place);
        }
        self.was_answered = true;
        member.pump(&self.context.post, now);
        let served = member.ranges.clone();
        let Some(answers) = self.index(number).and_then(|index| self.open.get_mut(index)) else { return };
        let ranges = ranges.into_inner();
        if !fits(self.model.as_ref(), self.shares, &answers.asked, &served, &ranges) {
            return self.drop_worker(place, "sent outputs of a wrong shape");
        }
        let before = answers.bytes();
        answers.add(place, served.into_iter(), ranges);
        self.bytes = self.bytes.saturating_add(answers.bytes().saturating_sub(before));
        self.news.insert(number);
    }

    /// Where an open call is.
    fn index(&self, number: u32) -> Option<usize> {
        let oldest = self.open.front()?.asked.number;
        number.checked_sub(oldest).map(|index| index as usize)
    }

    fn on_refused(&mut self, refused: &Refused) {
        let Some(member) = self.crew.get_mut(refused.place as usize).filter(|member| member.is_in()) else { return };
        if !member.owes(refused.number) {
            self.context.metrics.unsolicited.inc();
            return self.fault(refused.place);
        }
        if refused.passing {
            return member.retry(Instant::now() + self.context.patience.retry);
        }
        self.drop_worker(refused.place, &format!("refused: {}", refused.reason()));
    }

    /// Counts a message of a worker that was out of turn.
    fn fault(&self, place: u32) {
        if let Some(peer) = self.crew.get(place as usize).and_then(|member| member.peer) {
            self.context.fault(peer);
        }
    }

    /// Asks a worker nothing more in this session.
    fn drop_worker(&mut self, place: u32, reason: &str) {
        let Some(member) = self.crew.get_mut(place as usize).filter(|member| member.is_in()) else { return };
        member.leave();
        self.generation.leave_out(place);
        let (id, peer) = (self.session.id, member.peer.map_or("nobody".into(), |peer| peer.to_string()));
        tracing::warn!(target: LOG_TARGET, "Session {id}: the worker at place {place}, {peer}, {reason}");
        self.context.metrics.dropped.inc();
        self.report.dropped.push((place, reason.to_string()));
        self.open.iter_mut().for_each(|answers| answers.give_up(place));
        self.send_end(place);
    }

    fn send_end(&self, place: u32) {
        let end = Message::End(End { session: self.session.id, place });
        if let Some(peer) = self.crew.get(place as usize).and_then(|member| member.peer) {
            self.context.post.send(&peer, &end);
        }
    }

    /// Does what is left to do for calls whose outputs were taken: hashes, signatures, comparisons. Drops workers that
    /// are late, or too far behind.
    fn settle(&mut self) {
        for number in std::mem::take(&mut self.news) {
            let Some(index) = self.index(number) else { continue };
            match self.open.get(index).is_some_and(Answers::is_taken) {
                true => {
                    while self.examine_next(index) {}
                    self.compare(index);
                },
                // The last call's outputs are not taken yet.
                false => drop(self.news.insert(number)),
            }
        }
        while self.open.front().is_some_and(|answers| !answers.is_open() && answers.is_taken()) {
            if let Some(answers) = self.open.pop_front() {
                self.bytes = self.bytes.saturating_sub(answers.bytes());
                self.finish(&answers);
            }
        }
        if self.open.len() > MAX_LAG || self.bytes > MAX_LAG_BYTES {
            let slowest = self.open.front().map(|answers| {
                let waited = self.crew.iter().filter(|member| answers.waits_for(member.place));
                waited.map(|member| member.place).collect::<Vec<_>>()
            });
            slowest.unwrap_or_default().into_iter().for_each(|place| self.drop_worker(place, "was too far behind"));
        }
        // While mail comes nobody waits for what is due.
        if self.looked.elapsed() >= LOOK_INTERVAL {
            self.check_deadlines();
        }
    }

    /// Looks at the next answer to a call: writes it into the worker's traces, and checks what it signed. Says whether
    /// there was one.
    fn examine_next(&mut self, index: usize) -> bool {
        let stages = self.model.llama().stages();
        let Some(answers) = self.open.get_mut(index) else { return false };
        let Some(place) = answers.unexamined() else { return false };
        answers.hash();
        let Some(member) = self.crew.get_mut(place as usize) else { return true };
        for range in member.ranges.clone() {
            let roots = answers.roots(place, range).unwrap_or_default();
            let rows = (answers.asked.first..).zip(answers.asked.inputs.iter().zip(roots));
            for (position, (input, root)) in rows {
                let entry = Entry { input: *input, other: *root };
                member.record(range, position, answers.asked.stage, stages, &entry);
            }
        }
        let (genesis, session) = (self.context.genesis, self.session.id);
        for (range, signatures) in answers.signed_by(place) {
            let mut signs_all = true;
            for (position, signature) in answers.asked.done.clone().zip(signatures) {
                match member.sign(&genesis, session, range, position, signature) {
                    Ok(is_taken) => signs_all &= is_taken,
                    Err(Unfit) => {
                        answers.strike(place);
                        self.drop_worker(place, "signed what it did not send");
                        return true;
                    },
                }
            }
            if signs_all {
                answers.sign(place, range);
            }
        }
        true
    }

    /// Compares the answers to a call with what was taken.
    fn compare(&mut self, index: usize) {
        let Some(answers) = self.open.get_mut(index) else { return };
        for place in answers.uncompared() {
            let Some(member) = self.crew.get_mut(place as usize) else { continue };
            for (range, position) in answers.differences(place) {
                member.strays(range, position);
                self.context.metrics.disagreements.inc();
                if self.report.disagreements.len() < MAX_DISAGREEMENTS {
                    let stage = answers.asked.stage;
                    self.report.disagreements.push(Disagreement { place, range, stage, position });
                }
            }
        }
    }

    /// Counts the answers to a call that nobody will answer any more.
    fn finish(&mut self, answers: &Answers) {
        for (certainty, least) in answers.certainties().zip(&mut self.since_token) {
            *least = certainty.min(*least);
            let count = match certainty {
                Certainty::Full => &mut self.report.full,
                Certainty::Majority => &mut self.report.majority,
                Certainty::Unverified => &mut self.report.unverified,
            };
            *count = count.saturating_add(1);
        }
        let stage = answers.asked.stage;
        for (range, position, places, outputs) in answers.contested() {
            let contested = Contested { range, position, stage, outputs: outputs.to_vec() };
            let bytes = self.contested_bytes.saturating_add(contested.encoded_size());
            // The length of the list takes a few bytes too.
            if bytes + 8 <= MAX_CONTESTED_BYTES as usize && self.outvoters.insert((range, places)) {
                self.contested_bytes = bytes;
                self.contested.push(contested);
            }
        }
    }

    /// How far workers agreed since the last token, by what has come so far.
    fn agreement(&mut self) -> Agreement {
        let mut least = std::mem::replace(&mut self.since_token, vec![Certainty::Full; self.shares.workers as usize]);
        for answers in &self.open {
            answers.certainties().zip(&mut least).for_each(|(certainty, least)| *least = certainty.min(*least));
        }
        let count = |wanted| u32::try_from(least.iter().filter(|one| **one == wanted).count()).unwrap_or(u32::MAX);
        Agreement {
            full: count(Certainty::Full),
            majority: count(Certainty::Majority),
            unverified: count(Certainty::Unverified),
        }
    }

    /// Tells the subscribers a token.
    fn give_out(&mut self, token: u32, is_last: bool) {
        while let Ok(mail) = self.mail.try_recv() {
            self.handle(mail);
        }
        let agreement = self.agreement();
        let text = self.text.push(&*self.model, token, is_last);
        let known = self.generation.progress.len();
        let since = *self.first_token.get_or_insert_with(Instant::now);
        let rate = match known {
            0 => per_second(1, self.began.elapsed()),
            known => per_second(known, since.elapsed()),
        };
        let position = u32::try_from(self.tokens.len().saturating_sub(1)).unwrap_or(u32::MAX);
        self.context.metrics.tokens.inc();
        self.generation.progress.push(Item { token, text, position, rate, agreement });
    }

    /// Waits for those who are behind, then keeps what comes of the answer: what is complete of it, if it breaks off for
    /// some reason.
    fn close(&mut self, cut: Option<String>) -> Result<Summary, Failure> {
        let complete = self.complete;
        self.tokens.truncate((complete as usize).saturating_add(1));
        self.trace.truncate(complete);
        let given = self.tokens.len().saturating_sub(self.session.prompt_tokens as usize);
        self.report.tokens = u32::try_from(given).unwrap_or(u32::MAX);
        let rate = per_second(given, self.began.elapsed());
        if self.open.back().is_some_and(|answers| !answers.is_taken()) {
            // Nobody waits for it any more.
            if let Some(answers) = self.open.pop_back() {
                self.bytes = self.bytes.saturating_sub(answers.bytes());
            }
        }
        let end = Instant::now() + self.context.patience.drain;
        self.settle();
        while !self.open.is_empty() && Instant::now() < end {
            self.wait(Some(end));
            self.settle();
        }
        let late = self.crew.iter().filter(|member| self.open.iter().any(|answers| answers.waits_for(member.place)));
        for place in late.map(|member| member.place).collect::<Vec<_>>() {
            self.drop_worker(place, "was behind when the answer was complete");
        }
        self.settle();
        self.contested.retain(|contested| contested.position < complete);
        let mut signed: Vec<Signed> = self.crew.iter_mut().flat_map(Member::signed).collect();
        signed.iter_mut().for_each(|signed| signed.rows.truncate(complete as usize));
        let (id, report) = (self.session.id, self.report.clone());
        let closing = self.context.ledger.close(id, &self.tokens, &self.trace, &self.contested, signed, report)?;
        Ok(Summary { tokens: self.tokens.clone(), rate, closing, report: self.report.clone(), cut })
    }
}

/// Whether a worker's answer has outputs and signatures of the right number.
fn fits(
    model: &dyn Model,
    shares: Shares,
    asked: &Asked,
    served: &[RangeIndex],
    replies: &[crate::rows::protocol::RangeReply],
) -> bool {
    let llama = model.llama();
    let Some(stage) = llama.stage(asked.stage) else { return false };
    let (done, inputs) = (asked.done.len(), asked.inputs.len());
    let of_range = |range| ranges::len(llama, stage, range, shares.workers).saturating_mul(inputs);
    served.len() == replies.len()
        && served
            .iter()
            .zip(replies)
            .all(|(range, reply)| reply.outputs.len() == of_range(*range) && reply.signatures.len() == done)
}

fn per_second(count: usize, time: Duration) -> f64 {
    // The clock may stand still for a moment.
    count as f64 / time.as_secs_f64().max(1e-6)
}
