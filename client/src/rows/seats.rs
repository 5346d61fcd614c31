//! The sessions that are served: which calls go to which thread, and the checks before a session gets one.

use std::{
    collections::HashMap,
    sync::{
        mpsc::{self, Receiver, SyncSender, TrySendError},
        Arc,
    },
    thread::{self, JoinHandle},
};

use ensemble_compute::inference::{ranges::ranges_of, Entry, Llama};
use ensemble_rows::{
    protocol::{Call, End, Message, Refused, IN_FLIGHT},
    Terms,
};
use parking_lot::Mutex;
use tokio::sync::mpsc::Sender;

use super::seat::{encoded, Out, Seat, SeatId, Tools};
use crate::{
    chain::{ensemble, types::ensemble_core::inference as chain, AccountId32},
    connection::{ask, Connection},
    error::{Error, Kind},
};

/// Sessions that are served at once. Each has a thread that sleeps between calls.
const SEATS: usize = 64;
/// Those of them that one gateway may take.
const SEATS_OF_GATEWAY: usize = SEATS / 4;
/// Most bytes of the traces that are in memory for one session.
const MAX_TRACE_BYTES: u64 = 1 << 30;

/// What the chain says of a session.
type Session = chain::SessionView<AccountId32, u128, u32>;

/// The sessions that are served.
pub struct Seats {
    model: u32,
    tools: Arc<Tools>,
    out: Sender<Out>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    taken: HashMap<SeatId, Taken>,
    /// How many were ever taken.
    count: u64,
    threads: Vec<JoinHandle<()>>,
}

/// The way to a session's thread.
struct Taken {
    /// Tells it from others of the same session, which came before or come after it.
    number: u64,
    calls: SyncSender<Call>,
    /// Who calls, once that is known.
    gateway: Option<[u8; 32]>,
    /// Whether the session seemed to be over in the last block.
    was_over: bool,
}

/// A session of which the first call has come, and nothing is known yet.
pub struct Admission {
    seat: SeatId,
    number: u64,
    calls: Receiver<Call>,
}

/// Why a session is not served, and whether that may change in a second or two.
#[derive(Debug, Eq, PartialEq)]
struct Denied {
    passing: bool,
    reason: &'static str,
}

fn denied(reason: &'static str) -> Denied {
    Denied { passing: false, reason }
}

fn not_yet(reason: &'static str) -> Denied {
    Denied { passing: true, reason }
}

impl Seats {
    /// Nobody is served yet.
    pub fn new(model: u32, tools: Arc<Tools>, out: Sender<Out>) -> Self {
        Self { model, tools, out, state: Mutex::default() }
    }

    /// Takes a call. Returns the session if it is the first of it.
    ///
    /// # Errors
    ///
    /// The refusal of the call.
    pub fn call(&self, call: Call) -> Result<Option<Admission>, Box<Message>> {
        let (seat, mut state) = ((call.session, call.place), self.state.lock());
        let sent = match state.taken.get(&seat) {
            Some(taken) => taken.calls.try_send(call),
            None => Err(TrySendError::Disconnected(call)),
        };
        let call = match sent {
            Ok(()) => return Ok(None),
            Err(TrySendError::Full(call)) => {
                return Err(Box::new(refusal(&call, &not_yet("more calls are unanswered than a gateway may have"))));
            },
            Err(TrySendError::Disconnected(call)) => call,
        };
        state.taken.remove(&seat);
        if state.taken.len() >= SEATS {
            return Err(Box::new(refusal(&call, &not_yet("this worker serves as many sessions as it can"))));
        }
        let (sender, calls) = mpsc::sync_channel(IN_FLIGHT as usize);
        // There is room for the first call.
        let _ = sender.try_send(call);
        state.count = state.count.saturating_add(1);
        let number = state.count;
        state.taken.insert(seat, Taken { number, calls: sender, gateway: None, was_over: false });
        Ok(Some(Admission { seat, number, calls }))
    }

    /// Ends what is served to a gateway: the thread does what still waits, and keeps what it has.
    pub fn end(&self, end: &End) {
        self.state.lock().taken.remove(&(end.session, end.place));
    }

    /// A thread is done. Another may have taken its place.
    pub fn left(&self, seat: SeatId, number: u64) {
        let mut state = self.state.lock();
        if state.taken.get(&seat).is_some_and(|taken| taken.number == number) {
            state.taken.remove(&seat);
        }
        state.threads.retain(|thread| !thread.is_finished());
    }

    /// The sessions that are served.
    pub fn sessions(&self) -> Vec<u32> {
        self.state.lock().taken.keys().map(|(session, _)| *session).collect()
    }

    /// Notes what a block says of a session. It is over if two blocks in a row say so: on the way from one fork to another,
    /// one may seem to be.
    pub fn look(&self, session: u32, is_on: bool) {
        self.state
            .lock()
            .taken
            .retain(|(other, _), taken| *other != session || !std::mem::replace(&mut taken.was_over, !is_on) || is_on);
    }

    /// Ends everything, and waits until all traces are kept.
    pub fn close(&self) {
        let threads = {
            let mut state = self.state.lock();
            state.taken.clear();
            std::mem::take(&mut state.threads)
        };
        for thread in threads {
            // What a thread that panicked had to say is lost.
            let _ = thread.join();
        }
    }

    /// Begins to serve a session, if it turns out to be one that this worker serves.
    ///
    /// # Errors
    ///
    /// If the connection was lost.
    pub async fn admit(&self, connection: &Connection, admission: Admission) -> Result<(), Error> {
        let (id, place) = admission.seat;
        let part = match session(connection, id).await {
            Ok(Some(session)) => {
                let llama = self.tools.matrices.llama();
                check(&session, place, self.model, &self.tools.attester.public(), llama)
            },
            Ok(None) => Err(not_yet("there is no such session, or none any more")),
            // The gateway asks again.
            Err(error) if error.kind() == Kind::NoNode => {
                self.left(admission.seat, admission.number);
                return Err(error);
            },
            Err(_) => Err(not_yet("the chain's state cannot be read")),
        };
        let refused = match part {
            Ok(part) if self.has_room(admission.seat, &part.gateway) => {
                self.sit(part, admission);
                return Ok(());
            },
            Ok(_) => not_yet("this worker serves as many sessions of this gateway as it can"),
            Err(refused) => refused,
        };
        self.left(admission.seat, admission.number);
        // Nothing comes after what waits now.
        for call in admission.calls.try_iter() {
            let text = encoded(&refusal(&call, &refused));
            let _ = self.out.send(Out::Answer { text, turn: None }).await;
        }
        Ok(())
    }

    /// Whether there is room for another session of a gateway, which takes its place then.
    fn has_room(&self, seat: SeatId, gateway: &[u8; 32]) -> bool {
        let mut state = self.state.lock();
        let of_gateway = state.taken.values().filter(|taken| taken.gateway.as_ref() == Some(gateway)).count();
        if of_gateway >= SEATS_OF_GATEWAY {
            return false;
        }
        if let Some(taken) = state.taken.get_mut(&seat) {
            taken.gateway = Some(*gateway);
        }
        true
    }

    fn sit(&self, part: Part, admission: Admission) {
        let Admission { seat: id, number, calls } = admission;
        let Part { terms, gateway } = part;
        let seat = Seat { tools: self.tools.clone(), terms, gateway, number, calls, out: self.out.clone() };
        match thread::Builder::new().name(format!("rows-{}", id.0)).spawn(move || seat.run()) {
            Ok(thread) => self.state.lock().threads.push(thread),
            // The gateway asks again, and the session begins with that call.
            Err(_) => self.left(id, number),
        }
    }
}

/// A session as the best block has it.
async fn session(connection: &Connection, id: u32) -> Result<Option<Session>, Error> {
    ask(&connection.best().await?, ensemble::runtime_apis().inference_api().session(id)).await
}

fn refusal(call: &Call, Denied { passing, reason }: &Denied) -> Message {
    Message::Refused(Refused::new(call, *passing, reason))
}

/// A worker's part in a session.
struct Part {
    terms: Terms,
    /// The key of the gateway.
    gateway: [u8; 32],
}

/// The checks before a session is served, all but that it was never begun.
fn check(session: &Session, place: u32, model: u32, key: &[u8; 32], llama: &Llama) -> Result<Part, Denied> {
    let workers = match &session.phase {
        chain::SessionPhase::Open { .. } => return Err(not_yet("the workers of this session are not drawn yet")),
        chain::SessionPhase::Assigned { workers, .. } => workers,
        chain::SessionPhase::Voting { .. } | chain::SessionPhase::Disputable { .. } => {
            return Err(denied("this session is closed"));
        },
    };
    let worker = usize::try_from(place).ok().and_then(|place| workers.get(place));
    let worker = worker.ok_or_else(|| denied("this session has fewer workers"))?;
    if worker.key.0 != *key {
        return Err(denied("the worker at this place has its key elsewhere"));
    }
    if session.model != model {
        return Err(denied("this worker serves another model now"));
    }
    let terms = Terms {
        session: session.id,
        place,
        ranges: ranges_of(place, session.workers, session.replicas).collect(),
        count: session.workers,
        prompt_tokens: session.prompt_tokens,
        // All tokens but the last.
        positions: session.prompt_tokens.saturating_add(session.max_tokens).saturating_sub(1),
    };
    let row = u64::from(llama.stages()).saturating_mul(Entry::LEN as u64);
    let bytes = row.saturating_mul(terms.ranges.len() as u64).saturating_mul(terms.positions.into());
    if bytes > MAX_TRACE_BYTES {
        return Err(denied("the traces of this session would take too much memory"));
    }
    Ok(Part { terms, gateway: session.gateway.key.0 })
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "tests count in small numbers")]
mod tests {
    use ensemble_compute::Machine;
    use ensemble_rows::sample::{Sample, LLAMA};
    use tokio::sync::mpsc::channel;

    use super::{
        super::{attester::tests::attester, book::Book},
        *,
    };
    use crate::chain::{
        types::{bounded_collections::bounded_vec::BoundedVec, ensemble_core::attester::app::Public},
        H256,
    };

    fn party(key: [u8; 32]) -> chain::Party<AccountId32> {
        chain::Party { account: AccountId32([0; 32]), key: Public(key), peer: BoundedVec(Vec::new()) }
    }

    /// Session 3 of model 0, whose worker at place 1 is the one with key 7.
    fn assigned() -> Session {
        let workers = vec![party([6; 32]), party([7; 32]), party([8; 32])];
        chain::SessionView {
            id: 3,
            requester: AccountId32([1; 32]),
            model: 0,
            gateway: party([9; 32]),
            prompt: H256::zero(),
            prompt_tokens: 5,
            max_tokens: 8,
            workers: 3,
            replicas: 3,
            price: 1,
            payment: chain::Payment::Tune,
            phase: chain::SessionPhase::Assigned { workers, until: 100 },
        }
    }

    fn reason(session: &Session, place: u32, model: u32, key: u8) -> (bool, &'static str) {
        let Denied { passing, reason } = check(session, place, model, &[key; 32], &LLAMA).err().expect("is denied");
        (passing, reason)
    }

    #[test]
    fn a_session_is_served_at_the_place_of_the_worker_s_own_key() {
        let part = check(&assigned(), 1, 0, &[7; 32], &LLAMA).expect("is served");
        assert_eq!((part.terms.session, part.terms.place, part.terms.positions), (3, 1, 12));
        assert_eq!((part.terms.ranges, part.gateway), (vec![1, 0, 2], [9; 32]));
        assert_eq!(reason(&assigned(), 0, 0, 7), (false, "the worker at this place has its key elsewhere"));
        assert_eq!(reason(&assigned(), 3, 0, 7), (false, "this session has fewer workers"));
        assert_eq!(reason(&assigned(), 1, 1, 7), (false, "this worker serves another model now"));
    }

    #[test]
    fn a_session_is_served_as_long_as_it_is_assigned() {
        let open = Session { phase: chain::SessionPhase::Open { assign_at: 9 }, ..assigned() };
        assert_eq!(reason(&open, 1, 0, 7), (true, "the workers of this session are not drawn yet"));
        let long = Session { max_tokens: u32::MAX, ..assigned() };
        assert_eq!(reason(&long, 1, 0, 7), (false, "the traces of this session would take too much memory"));
    }

    fn seats(folder: &tempfile::TempDir) -> Seats {
        let tools = Tools {
            matrices: Arc::new(Sample::new(1)),
            attester: Arc::new(attester("//Alice")),
            book: Arc::new(Book::open(folder.path().into()).expect("can be opened")),
            machine: Machine::PORTABLE,
        };
        Seats::new(0, Arc::new(tools), channel(8).0)
    }

    fn call(session: u32, number: u32) -> Call {
        Call { session, place: 0, number, stage: 0, first: 0, asked: None, inputs: Default::default() }
    }

    fn is_passing(message: &Message) -> bool {
        matches!(message, Message::Refused(refused) if refused.passing)
    }

    #[test]
    fn calls_wait_in_a_short_queue_and_sessions_are_few() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let seats = seats(&folder);
        let admission = seats.call(call(0, 0)).expect("there is room").expect("is the first");
        assert!(seats.call(call(0, 1)).expect("there is room").is_none());
        assert!(matches!(seats.call(call(0, 2)), Err(refused) if is_passing(&refused)));
        let others: Vec<_> = (1..SEATS as u32).map(|session| seats.call(call(session, 0)).expect("is room")).collect();
        assert!(others.iter().all(Option::is_some));
        assert!(matches!(seats.call(call(999, 0)), Err(refused) if is_passing(&refused)));
        // Whoever waited for it is gone, so that it begins anew.
        drop(admission);
        assert!(seats.call(call(0, 1)).expect("there is room").is_some());
    }

    #[test]
    fn a_session_is_over_if_two_blocks_in_a_row_say_so() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let seats = seats(&folder);
        let _admissions = [1, 2].map(|session| seats.call(call(session, 0)).expect("there is room"));
        for (is_on, left) in [(false, 2), (true, 2), (false, 2), (false, 1)] {
            seats.look(1, is_on);
            seats.look(2, true);
            assert_eq!(seats.sessions().len(), left);
        }
        assert_eq!(seats.sessions(), [2]);
    }

    #[test]
    fn a_gateway_has_its_share_of_the_seats() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let seats = seats(&folder);
        let sessions = 0..SEATS_OF_GATEWAY as u32 + 1;
        let _admissions: Vec<_> =
            sessions.clone().map(|session| seats.call(call(session, 0)).expect("is room")).collect();
        let room: Vec<_> = sessions.map(|session| seats.has_room((session, 0), &[1; 32])).collect();
        assert_eq!(room.iter().filter(|has| **has).count(), SEATS_OF_GATEWAY);
        assert!(seats.has_room((SEATS_OF_GATEWAY as u32, 0), &[2; 32]));
    }
}
