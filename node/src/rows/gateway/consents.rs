//! What this node has agreed to as a gateway, and the prompts that it needs for that.
//!
//! Whoever agreed to a session answers for its price with its bond. So each consent lies in a file of its own before it is
//! given out: a node that starts again still answers. It is forgotten when it can open no session any more, and the
//! session that it opened needs no answer.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use codec::{Decode, DecodeAll, Encode};
use ensemble_core::{
    inference::{ModelId, Payment, Question, SessionId, SessionPhase},
    AttesterId,
};
use ensemble_runtime::{AccountId, Balance, BlockNumber};
use parking_lot::Mutex;

use super::need::Need;
use crate::rows::{
    chain::{self, Session},
    ledger::{write, UNFINISHED},
    LOG_TARGET,
};

/// Consents of a gateway that may open a session, or did so lately. The chain remembers as many of their numbers.
const MAX_OF_GATEWAY: usize = 32;
/// Most consents.
const MAX_CONSENTS: usize = 64;
/// Blocks for which a consent is kept after its last one: the best chain may turn out to be another.
const FORKED: BlockNumber = 20;
/// How the files of consents end.
const ENDING: &str = "consent";

/// The consents of this node's gateways.
pub struct Consents {
    folder: PathBuf,
    given: Mutex<BTreeMap<u32, Given>>,
}

/// A consent that was given.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct Promise {
    /// The gateway's key.
    pub key: AttesterId,
    /// Who may open the session.
    pub requester: AccountId,
    /// The model.
    pub model: ModelId,
    /// What is asked.
    pub question: Question,
    /// What it is paid with.
    pub payment: Payment,
    /// Tells it from all others that this node remembers.
    pub number: u32,
    /// Last block in which the session may be opened.
    pub until: BlockNumber,
    /// What the gateway's bond answers for.
    pub price: Balance,
    /// What the answer takes.
    pub need: Need,
    /// The prompt.
    pub tokens: Vec<u32>,
}

/// A consent, and the session that it has opened, by the state of the best block.
struct Given {
    promise: Promise,
    session: Option<SessionId>,
}

/// What consents bind, at most.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Bound {
    /// Sessions that are to be answered.
    pub sessions: usize,
    /// What their answers take.
    pub need: Need,
}

impl Promise {
    /// Whether a session is one that this may have opened.
    fn fits(&self, session: &Session) -> bool {
        let Self { key, requester, model, question, payment, .. } = self;
        let same_people = session.gateway.key == *key && session.requester == *requester;
        same_people && session.model == *model && chain::question(session) == *question && session.payment == *payment
    }
}

impl Given {
    /// Whether it needs an answer, or may come to need one.
    fn is_due(&self, best: BlockNumber, is_over: impl Fn(SessionId) -> bool) -> bool {
        match self.session {
            Some(session) => !is_over(session),
            None => best <= self.promise.until,
        }
    }
}

impl Consents {
    /// What was written in a folder, which is created if need be.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut given = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with(UNFINISHED) {
                // What was not written whole was given to nobody.
                fs::remove_file(&path)?;
                continue;
            }
            if path.extension().is_none_or(|ending| ending != ENDING) {
                tracing::warn!(target: LOG_TARGET, "{} is no consent's file; it is left alone", path.display());
                continue;
            }
            match Promise::decode_all(&mut &*fs::read(&path)?) {
                Ok(promise) => drop(given.insert(promise.number, Given { promise, session: None })),
                Err(error) => {
                    tracing::warn!(target: LOG_TARGET, "{} cannot be read: {error}; it is left alone", path.display());
                },
            }
        }
        Ok(Self { folder: folder.into(), given: Mutex::new(given) })
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.given.lock().is_empty()
    }

    /// Remembers a consent, if nobody knows its number and there are not too many. It may be given out when this says
    /// yes.
    pub fn add(&self, promise: Promise, best: BlockNumber) -> io::Result<bool> {
        let mut given = self.given.lock();
        let of_key = |other: &&Given| other.promise.key == promise.key && best <= other.promise.until;
        if given.len() >= MAX_CONSENTS
            || given.values().filter(of_key).count() >= MAX_OF_GATEWAY
            || given.contains_key(&promise.number)
        {
            return Ok(false);
        }
        write(&self.folder, &self.file(promise.number), &promise.encode())?;
        given.insert(promise.number, Given { promise, session: None });
        Ok(true)
    }

    /// What of a gateway's bond answers for sessions that are not opened yet.
    pub fn promised(&self, key: &AttesterId, best: BlockNumber) -> Balance {
        let given = self.given.lock();
        let open = given.values().filter(|given| given.session.is_none() && best <= given.promise.until);
        let of_key = open.filter(|given| given.promise.key == *key).map(|given| given.promise.price);
        of_key.fold(0, Balance::saturating_add)
    }

    /// What consents bind, those aside whose sessions are over.
    pub fn bound(&self, best: BlockNumber, is_over: impl Fn(SessionId) -> bool) -> Bound {
        let given = self.given.lock();
        given.values().filter(|given| given.is_due(best, &is_over)).fold(Bound::default(), |bound, given| Bound {
            sessions: bound.sessions.saturating_add(1),
            need: bound.need.and(given.promise.need),
        })
    }

    /// Whether a session was opened with a consent of this node.
    pub fn opened(&self, session: SessionId) -> bool {
        self.given.lock().values().any(|given| given.session == Some(session))
    }

    /// Takes note of the state of the best block, and forgets what is over. Says which sessions are to be answered, and
    /// with which prompts.
    pub fn look(&self, sessions: &[Session], best: BlockNumber) -> Vec<(SessionId, Vec<u32>)> {
        let mut all = self.given.lock();
        let is_live =
            |session: &&Session| matches!(session.phase, SessionPhase::Open { .. } | SessionPhase::Assigned { .. });
        for given in all.values_mut() {
            let is_there = |id| sessions.iter().any(|session| session.id == id && given.promise.fits(session));
            given.session = given.session.filter(|id| is_there(*id));
        }
        let mut due = Vec::new();
        for session in sessions.iter().filter(is_live) {
            if !all.values().any(|given| given.session == Some(session.id)) {
                let free = all.values_mut().find(|given| given.session.is_none() && given.promise.fits(session));
                if let Some(given) = free {
                    given.session = Some(session.id);
                }
            }
            if !matches!(session.phase, SessionPhase::Assigned { .. }) {
                continue;
            }
            // Of two sessions alike one may have been opened without consent, by the gateway itself.
            let own = all.values().find(|given| given.session == Some(session.id));
            let found = own.or_else(|| all.values().find(|given| given.promise.fits(session)));
            due.extend(found.map(|given| (session.id, given.promise.tokens.clone())));
        }
        let live: Vec<_> = sessions.iter().filter(is_live).map(|session| session.id).collect();
        let is_over = |given: &Given| {
            best > given.promise.until.saturating_add(FORKED) && given.session.is_none_or(|id| !live.contains(&id))
        };
        let over: Vec<_> = all.iter().filter(|(_, given)| is_over(given)).map(|(number, _)| *number).collect();
        for number in over {
            all.remove(&number);
            if let Err(error) = fs::remove_file(self.file(number)) {
                tracing::warn!(target: LOG_TARGET, "Could not remove the file of consent {number}: {error}");
            }
        }
        due
    }

    fn file(&self, number: u32) -> PathBuf {
        self.folder.join(number.to_string()).with_extension(ENDING)
    }
}

#[cfg(test)]
mod tests {
    use ensemble_core::inference::Party;
    use sp_core::Pair;
    use tempfile::TempDir;

    use super::*;
    use crate::rows::{keys::AttesterPair, tests::net::session};

    fn key(seed: u8) -> AttesterId {
        AttesterPair::from_seed(&[seed; 32]).public()
    }

    fn opened(id: SessionId) -> Session {
        let gateway = Party { account: [1; 32].into(), key: key(1), peer: Default::default() };
        Session { id, ..session(gateway, 1, Vec::new()) }
    }

    fn promise(number: u32, until: BlockNumber) -> Promise {
        let session = opened(0);
        Promise {
            key: key(1),
            requester: session.requester.clone(),
            model: session.model,
            question: chain::question(&session),
            payment: session.payment,
            number,
            until,
            price: 10,
            need: Need { room: 100, memory: 7 },
            tokens: vec![number],
        }
    }

    fn over(mut session: Session) -> Session {
        session.phase = SessionPhase::Voting {
            workers: Vec::new(),
            closing: ensemble_core::inference::Closing { tokens: descriptor(), trace: descriptor(), contested: None },
            votes: Vec::new(),
        };
        session
    }

    fn descriptor() -> ensemble_core::tasks::Descriptor {
        let header = ensemble_tensor::Header::new(ensemble_tensor::Kind::I32, 1, 1).unwrap();
        ensemble_core::tasks::Descriptor { header, root: [0; 32] }
    }

    fn files(folder: &TempDir) -> usize {
        fs::read_dir(folder.path()).unwrap().count()
    }

    #[test]
    fn what_was_promised_is_known_after_a_restart_and_until_it_is_over() {
        let folder = TempDir::new().unwrap();
        let consents = Consents::open(folder.path()).unwrap();
        assert!(consents.is_empty());
        assert!(consents.add(promise(7, 30), 10).unwrap());
        fs::write(folder.path().join("new-1"), b"half").unwrap();
        fs::write(folder.path().join("8.consent"), b"broken").unwrap();
        fs::create_dir(folder.path().join("mine")).unwrap();

        let again = Consents::open(folder.path()).unwrap();
        assert_eq!(files(&folder), 3);
        assert_eq!(again.promised(&key(1), 30), 10);
        assert_eq!((again.promised(&key(2), 30), again.promised(&key(1), 31)), (0, 0));
        assert_eq!(again.look(&[], 30), []);
        assert_eq!(again.look(&[opened(3)], 31), [(3, vec![7])]);
        assert!(again.opened(3) && !again.opened(4));
        assert_eq!(again.promised(&key(1), 30), 0);
        // As long as the session is to be answered nothing is forgotten.
        assert_eq!(again.look(&[opened(3)], 300), [(3, vec![7])]);
        assert_eq!(again.look(&[over(opened(3))], 50), []);
        assert!(!again.is_empty());
        assert_eq!(again.look(&[over(opened(3))], 51), []);
        assert!(again.is_empty());
        assert_eq!(files(&folder), 2);
    }

    #[test]
    fn each_consent_opens_one_session_and_none_that_differs() {
        let folder = TempDir::new().unwrap();
        let consents = Consents::open(folder.path()).unwrap();
        (1..=2).for_each(|number| assert!(consents.add(promise(number, 30), 10).unwrap()));
        let changes: [fn(&mut Session); 6] = [
            |session| session.model += 1,
            |session| session.requester = [8; 32].into(),
            |session| session.max_tokens += 1,
            |session| session.replicas += 2,
            |session| session.payment = Payment::Credits,
            |session| session.gateway.key = key(2),
        ];
        for change in changes {
            let mut other = opened(5);
            change(&mut other);
            assert_eq!(consents.look(&[other], 11), []);
        }
        assert_eq!(consents.bound(11, |_| false), Bound { sessions: 2, need: Need { room: 200, memory: 14 } });
        let both = [opened(3), opened(4)];
        assert_eq!(consents.look(&both, 11), [(3, vec![1]), (4, vec![2])]);
        assert_eq!(consents.look(&both, 12), [(3, vec![1]), (4, vec![2])]);
        assert_eq!(consents.bound(100, |_| false), Bound { sessions: 2, need: Need { room: 200, memory: 14 } });
        assert_eq!(
            consents.bound(100, |session| session == 4),
            Bound { sessions: 1, need: Need { room: 100, memory: 7 } }
        );
        // Workers of another are not drawn yet; on another fork it is the first.
        let mut open = opened(9);
        open.phase = SessionPhase::Open { assign_at: 13 };
        assert_eq!(consents.look(&[open], 12), []);
        assert_eq!(consents.look(&[opened(9)], 13), [(9, vec![1])]);
        assert_eq!(consents.promised(&key(1), 13), 10);
    }

    #[test]
    fn only_so_many_are_given() {
        let folder = TempDir::new().unwrap();
        let consents = Consents::open(folder.path()).unwrap();
        let of = |seed, number, until| Promise { key: key(seed), ..promise(number, until) };
        let most = u32::try_from(MAX_OF_GATEWAY).unwrap();
        (0..most).for_each(|number| assert!(consents.add(of(1, number, 30), 10).unwrap()));
        assert!(!consents.add(of(1, most, 30), 30).unwrap());
        assert!(!consents.add(of(2, 0, 30), 30).unwrap());
        // The chain forgets their numbers.
        assert!(consents.add(of(1, most, 60), 31).unwrap());
        (most + 1..2 * most).for_each(|number| assert!(consents.add(of(2, number, 60), 31).unwrap()));
        assert!(!consents.add(of(3, 99, 60), 31).unwrap());
        assert_eq!(files(&folder), MAX_CONSENTS);
    }

    #[test]
    fn what_cannot_be_noted_is_not_given() {
        let folder = TempDir::new().unwrap();
        let home = folder.path().join("consents");
        let consents = Consents::open(&home).unwrap();
        fs::remove_dir(&home).unwrap();
        consents.add(promise(1, 30), 10).unwrap_err();
        assert!(consents.is_empty());
    }
}
