//! The thread that serves one session: it multiplies, so that nothing else has to wait for that.

use std::sync::{
    mpsc::{self, Receiver},
    Arc,
};

use base64::{engine::general_purpose::STANDARD, Engine};
use codec::Encode;
use ensemble_compute::Machine;
use ensemble_rows::{
    protocol::{Call, Message, Refused},
    Matrices, Served, Terms,
};
use tokio::sync::mpsc::Sender;

use super::{
    attester::{Attester, SessionKeys},
    book::Book,
};

/// Most bytes of an answer: in base64, and with what is around it, it is less than a node reads of one call.
const MAX_ANSWER: usize = 7 << 20;
/// Why a call is not answered after the end.
pub const OVER: &str = "this worker's part in this session is over";

/// What all sessions are served with.
pub struct Tools {
    /// The model.
    pub matrices: Arc<dyn Matrices>,
    /// The worker's key.
    pub attester: Arc<Attester>,
    /// What it must not forget.
    pub book: Arc<Book>,
    /// What it multiplies with.
    pub machine: Machine,
}

/// Session and place.
pub type SeatId = (u32, u32);

/// What threads say.
#[derive(Debug)]
pub enum Out {
    /// An answer, in base64. The thread has its next answer wait until `turn` is gone: a gateway takes the answers of a
    /// session in the order of its calls, and the node hands on what it gets in no order.
    Answer {
        /// The encoded message.
        text: String,
        /// Goes when the node has it, or is not to get it.
        turn: Option<mpsc::Sender<()>>,
    },
    /// A session is served from now on.
    Began {
        /// Session and place.
        seat: SeatId,
        /// The ranges.
        ranges: Vec<u32>,
    },
    /// A thread is done.
    Ended {
        /// Session and place.
        seat: SeatId,
        /// Tells it from others of the same session.
        number: u64,
        /// Positions of the traces that are kept, if the session was served at all.
        positions: Option<u32>,
        /// What went wrong.
        failure: Option<String>,
    },
}

/// A session's thread.
pub struct Seat {
    /// What it is served with.
    pub tools: Arc<Tools>,
    /// What the chain says of the worker's part in it.
    pub terms: Terms,
    /// The key of its gateway.
    pub gateway: [u8; 32],
    /// Tells it from others of the same session.
    pub number: u64,
    /// What the gateway wants.
    pub calls: Receiver<Call>,
    /// Where answers go.
    pub out: Sender<Out>,
}

impl Seat {
    /// Answers calls until there are to be no more, and keeps the traces.
    pub fn run(self) {
        let Self { tools, terms, gateway, number, calls, out } = self;
        let (seat, ranges) = ((terms.session, terms.place), terms.ranges.clone());
        let mut voice = Voice { out: out.clone(), before: None };
        // What comes after this is signed.
        let begun = tools.book.begin(terms.session, terms.place);
        if !matches!(begun, Ok(true)) {
            let (passing, reason) = if begun.is_ok() { (false, OVER) } else { (true, "this worker cannot write now") };
            for call in calls.try_iter() {
                voice.say(&Message::Refused(Refused::new(&call, passing, reason)));
            }
            let failure = begun.err().map(|error| error.line());
            let _ = out.blocking_send(Out::Ended { seat, number, positions: None, failure });
            return;
        }
        let keys = SessionKeys::new(tools.attester.clone(), terms.session, gateway);
        let mut served = Served::new(terms, tools.matrices.clone(), Box::new(keys), tools.machine);
        let _ = out.blocking_send(Out::Began { seat, ranges });
        for call in calls {
            if !voice.answer(&mut served, &call) {
                break;
            }
        }
        let (positions, failure) = seal(&tools.book, seat, served);
        let _ = out.blocking_send(Out::Ended { seat, number, positions: Some(positions), failure });
    }
}

/// How a thread says its answers: one after the other.
struct Voice {
    out: Sender<Out>,
    /// Ends when the answer before is with the node.
    before: Option<Receiver<()>>,
}

impl Voice {
    /// Answers a call, or refuses it. Says whether anybody wants answers still.
    fn answer(&mut self, served: &mut Served, call: &Call) -> bool {
        let mut is_wanted = true;
        match served.answer(call, |message| is_wanted = self.reply(call, message)) {
            Ok(()) => is_wanted,
            Err(reason) => self.say(&Message::Refused(Refused::new(call, false, &reason))),
        }
    }

    fn reply(&mut self, call: &Call, message: &Message) -> bool {
        if message.encoded_size() > MAX_ANSWER {
            let reason = "the answer has more bytes than this worker's node reads";
            return self.say(&Message::Refused(Refused::new(call, false, reason)));
        }
        self.say(message)
    }

    /// Says something. Waits until there is room for it.
    fn say(&mut self, message: &Message) -> bool {
        let text = encoded(message);
        if let Some(before) = self.before.take() {
            // Nothing comes: whoever has the other end lets it go.
            let _ = before.recv();
        }
        let (turn, before) = mpsc::channel();
        self.before = Some(before);
        self.out.blocking_send(Out::Answer { text, turn: Some(turn) }).is_ok()
    }
}

/// A message as the node takes it.
pub fn encoded(message: &Message) -> String {
    STANDARD.encode(message.encode())
}

/// Keeps the traces of a session. Returns how many positions they have, and why they are not kept.
fn seal(book: &Book, (session, place): SeatId, served: Served) -> (u32, Option<String>) {
    let (traces, _) = served.end();
    let positions = traces.first().map_or(0, |(_, trace)| trace.positions());
    if positions == 0 {
        return (0, None);
    }
    match book.seal(session, place, &traces) {
        Ok(()) => (positions, None),
        Err(error) => (0, Some(error.line())),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use ensemble_compute::inference::{signed::ask_bytes, Next, Run, Trace, Vector};
    use ensemble_rows::{
        protocol::Reply,
        sample::{vectors, Sample, LLAMA},
    };
    use tokio::sync::mpsc::{channel, Receiver as Outs};

    use super::{super::attester::tests::attester, *};
    use crate::rows::book::Kept;

    /// A worker alone in session 3, and its gateway //Bob.
    struct Lone {
        folder: tempfile::TempDir,
    }

    impl Lone {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().expect("a folder can be made") }
        }

        fn book(&self) -> Book {
            Book::open(self.folder.path().join("rows")).expect("can be opened")
        }

        fn sit(&self) -> (mpsc::SyncSender<Call>, Outs<Out>, thread::JoinHandle<()>) {
            let (calls, jobs) = mpsc::sync_channel(2);
            let (out, outs) = channel(64);
            let tools = Tools {
                matrices: Arc::new(Sample::new(1)),
                attester: Arc::new(attester("//Alice")),
                book: Arc::new(self.book()),
                machine: Machine::PORTABLE,
            };
            let terms = Terms { session: 3, place: 0, ranges: vec![0], count: 1, prompt_tokens: 2, positions: 4 };
            let gateway = attester("//Bob").public();
            let seat = Seat { tools: Arc::new(tools), terms, gateway, number: 7, calls: jobs, out };
            (calls, outs, thread::spawn(move || seat.run()))
        }
    }

    fn message(out: Option<Out>) -> Message {
        let Some(Out::Answer { text, .. }) = out else { panic!("{out:?} is no answer") };
        Message::read(&STANDARD.decode(text).expect("is base64")).expect("is a message")
    }

    fn call(number: u32, stage: u32, first: u32, inputs: &[Vector], asked: Option<[u8; 64]>) -> Call {
        let inputs: Vec<_> = inputs.iter().map(|vector| vector.encode().try_into().expect("is short enough")).collect();
        let inputs = inputs.try_into().expect("are few enough");
        Call { session: 3, place: 0, number, stage, first, asked, inputs }
    }

    /// The first call of the prompt's two positions.
    fn first_call(signature: [u8; 64]) -> Call {
        call(0, 0, 0, &vectors(LLAMA.width as usize, 2), Some(signature))
    }

    /// Has a prompt of two tokens answered with one. Returns the trace as the answers say it, and how many there were.
    fn drive(sample: &Sample, mut ask: impl FnMut(Call) -> Reply) -> (Trace, u32) {
        let mut run = Run::new(&LLAMA, sample, true, Machine::PORTABLE).expect("is a model");
        let (mut trace, mut number) = (Trace::new(&LLAMA), 0);
        let mut wanted = run.begin(&[1, 2], true).expect("are tokens");
        loop {
            let asked = (wanted.stage == 0).then(|| attester("//Bob").sign(&ask_bytes(&[1u8; 32], 3, 1)));
            let reply = ask(call(number, wanted.stage, wanted.first, &wanted.inputs, asked));
            let outputs = &reply.ranges.first().expect("is one").outputs;
            let outputs: Vec<_> = outputs.chunks(outputs.len() / wanted.inputs.len()).map(<[i64]>::to_vec).collect();
            assert!(trace.record_answer(&wanted, &outputs));
            number += 1;
            match run.supply(&outputs).expect("are the outputs") {
                Next::Call(next) => wanted = next,
                Next::Token(_) | Next::Stored => return (trace, number),
            }
        }
    }

    #[test]
    fn a_seat_answers_what_the_gateway_signs_and_refuses_the_rest() {
        let (calls, mut outs, thread) = Lone::new().sit();
        assert!(matches!(outs.blocking_recv(), Some(Out::Began { seat: (3, 0), .. })));
        calls.send(first_call([0; 64])).expect("is taken");
        assert!(matches!(message(outs.blocking_recv()), Message::Refused(refused) if !refused.passing));
        calls.send(first_call(attester("//Bob").sign(&ask_bytes(&[1u8; 32], 3, 1)))).expect("is taken");
        let Message::Reply(reply) = message(outs.blocking_recv()) else { panic!("is refused") };
        assert_eq!((reply.session, reply.place, reply.number, reply.ranges.len()), (3, 0, 0, 1));
        assert!(!reply.ranges.iter().any(|range| range.outputs.is_empty()));
        drop(calls);
        let ended = outs.blocking_recv();
        assert!(matches!(ended, Some(Out::Ended { seat: (3, 0), number: 7, positions: Some(0), failure: None })));
        thread.join().expect("ends");
    }

    #[test]
    fn an_answer_waits_until_the_node_has_the_one_before() {
        let (calls, mut outs, thread) = Lone::new().sit();
        assert!(matches!(outs.blocking_recv(), Some(Out::Began { .. })));
        for _ in 0..2 {
            calls.send(first_call([0; 64])).expect("is taken");
        }
        let first = outs.blocking_recv();
        assert!(matches!(first, Some(Out::Answer { turn: Some(_), .. })));
        // The other call is taken from the queue, so that there is room for two, when it is being answered.
        for _ in 0..2 {
            calls.send(first_call([0; 64])).expect("is taken");
        }
        assert!(outs.try_recv().is_err(), "the first is on its way");
        drop(first);
        assert!(matches!(outs.blocking_recv(), Some(Out::Answer { .. })));
        drop(outs);
        drop(calls);
        thread.join().expect("ends");
    }

    #[test]
    fn a_whole_answer_is_traced_as_anybody_computes_it_and_kept() {
        let (lone, sample) = (Lone::new(), Sample::new(1));
        let (calls, mut outs, thread) = lone.sit();
        assert!(matches!(outs.blocking_recv(), Some(Out::Began { .. })));
        let (expected, answers) = drive(&sample, |call| {
            calls.send(call).expect("is taken");
            let Message::Reply(reply) = message(outs.blocking_recv()) else { panic!("is refused") };
            reply
        });
        assert!(answers > 0);
        drop(calls);
        assert!(matches!(outs.blocking_recv(), Some(Out::Ended { positions: Some(2), failure: None, .. })));
        thread.join().expect("ends");
        let (book, kept) = (lone.book(), Kept { session: 3, place: 0, range: 0 });
        let bytes = std::fs::read(book.trace(&kept)).expect("is there");
        let kept = ensemble_tensor::Tensor::parse(&bytes).expect("is a tensor");
        assert_eq!(kept.data(), expected.bytes());
    }

    #[test]
    fn nobody_begins_twice() {
        let lone = Lone::new();
        assert!(lone.book().begin(3, 0).expect("is written"));
        let (calls, jobs) = mpsc::sync_channel(2);
        calls.send(first_call([0; 64])).expect("there is room");
        let (out, mut outs) = channel(8);
        let tools = Tools {
            matrices: Arc::new(Sample::new(1)),
            attester: Arc::new(attester("//Alice")),
            book: Arc::new(lone.book()),
            machine: Machine::PORTABLE,
        };
        let terms = Terms { session: 3, place: 0, ranges: vec![0], count: 1, prompt_tokens: 2, positions: 4 };
        Seat { tools: Arc::new(tools), terms, gateway: [0; 32], number: 1, calls: jobs, out }.run();
        let Message::Refused(refused) = message(outs.blocking_recv()) else { panic!("is answered") };
        assert_eq!((refused.passing, refused.reason().as_str()), (false, OVER));
        assert!(matches!(outs.blocking_recv(), Some(Out::Ended { positions: None, .. })));
    }
}
