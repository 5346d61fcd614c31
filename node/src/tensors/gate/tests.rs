//! The gate, with a chain of which the test says who is entitled.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use ensemble_core::{
    exchange::{Asker, Received, Refusal, Title, Ways},
    AssetId, TaskId,
};
use ensemble_runtime::{AccountId, BlockNumber, Hash};
use ensemble_tensor::TensorId;
use parking_lot::Mutex;
use sc_network_types::PeerId;
use sp_core::{ed25519, sr25519, Pair};
use sp_runtime::MultiSignature;

use super::{
    challenge::{Challenges, CHALLENGE_LIFETIME},
    message, Admission, Chain, Challenge, Denied, Gate, Holder, Identity, Party, Signer, Token, Unavailable,
};
use crate::tensors::{exchange::tests::Home, samples::Sample, store::Mark};

/// The chain's first block.
pub const GENESIS: Hash = Hash::repeat_byte(7);
/// The task that the tests' contents won.
pub const TASK: TaskId = 3;

/// Who is entitled to what.
#[derive(Clone, Default)]
pub struct Rules(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    block: u64,
    entitled: Vec<(Asker<AccountId>, TaskId, TensorId)>,
    unavailable: bool,
    /// Questions before which nobody was drawn.
    unheard_of: usize,
    asked: usize,
}

impl Rules {
    /// A gate of some node over what `home` has.
    pub fn gate(&self, home: &Home) -> Arc<Gate> {
        Arc::new(Gate::new(home.store.clone(), Arc::new(self.clone()), GENESIS, PeerId::random()))
    }

    /// Says in a new block who is entitled to a content of [`TASK`].
    pub fn entitle(&self, content: TensorId, askers: &[Asker<AccountId>]) {
        let mut state = self.0.lock();
        state.block += 1;
        state.entitled.retain(|(_, _, other)| *other != content);
        state.entitled.extend(askers.iter().map(|asker| (asker.clone(), TASK, content)));
    }

    /// Entitles one more to a content of another task.
    pub fn entitle_for(&self, task: TaskId, content: TensorId, asker: Asker<AccountId>) {
        let mut state = self.0.lock();
        state.block += 1;
        state.entitled.push((asker, task, content));
    }

    /// Entitles somebody of whom the chain has heard only after so many questions.
    pub fn entitle_after(&self, questions: usize, content: TensorId, asker: Asker<AccountId>) {
        self.entitle(content, &[asker]);
        self.0.lock().unheard_of = questions;
    }

    /// How often the chain was asked since the last time.
    fn take_asked(&self) -> usize {
        std::mem::take(&mut self.0.lock().asked)
    }
}

impl Chain for Rules {
    fn best(&self) -> Hash {
        Hash::from_low_u64_be(self.0.lock().block)
    }

    fn entitlement(
        &self,
        at: Hash,
        asker: &Asker<AccountId>,
        task: TaskId,
        content: TensorId,
    ) -> Result<Result<Title<BlockNumber>, Refusal>, Unavailable> {
        assert_eq!(at, self.best());
        let mut state = self.0.lock();
        state.asked += 1;
        if state.unavailable {
            return Err(Unavailable);
        }
        if state.unheard_of > 0 {
            state.unheard_of -= 1;
            return Ok(Err(Refusal::NotDrawn { task }));
        }
        let entitled = state.entitled.contains(&(asker.clone(), task, content));
        Ok(if entitled { Ok(Title::Shareholder) } else { Err(refusal()) })
    }

    fn received(&self, at: Hash, account: &AccountId) -> Result<Vec<Received<BlockNumber>>, Unavailable> {
        assert_eq!(at, self.best());
        let state = self.0.lock();
        if state.unavailable {
            return Err(Unavailable);
        }
        let asker = Asker::Account(account.clone());
        let own = state.entitled.iter().filter(|(entitled, ..)| *entitled == asker);
        let grant = |(_, task, content): &_| Received { task: *task, content: *content, since: 3, until: 9 };
        Ok(own.map(grant).collect())
    }
}

pub fn refusal() -> Refusal {
    Refusal::NotEntitled(Ways { task: TASK, shares: AssetId::Shares(TASK), exchanged: true, sold: false })
}

/// A node without keys.
pub struct Nobody;

impl Signer for Nobody {
    fn parties(&self) -> Vec<Party> {
        Vec::new()
    }

    fn sign(&self, _: &Party, _: &[u8]) -> Option<[u8; 64]> {
        None
    }
}

/// A node with many keys.
struct Crowd(usize);

impl Signer for Crowd {
    fn parties(&self) -> Vec<Party> {
        (0..self.0).map(|number| Person::new(&number.to_string()).party()).collect()
    }

    fn sign(&self, _: &Party, _: &[u8]) -> Option<[u8; 64]> {
        None
    }
}

/// Somebody with a key.
#[derive(Clone)]
pub struct Person(pub sr25519::Pair);

impl Person {
    pub fn new(name: &str) -> Self {
        Self(sr25519::Pair::from_string(&format!("//{name}"), None).unwrap())
    }

    pub fn account(&self) -> AccountId {
        super::account_of(self.0.public())
    }

    pub fn asker(&self) -> Asker<AccountId> {
        Asker::Account(self.account())
    }

    pub fn party(&self) -> Party {
        Party::Account(self.0.public().0)
    }

    fn sign(&self, message: &str) -> [u8; 64] {
        self.0.sign(message.as_bytes()).0
    }
}

impl Signer for Person {
    fn parties(&self) -> Vec<Party> {
        vec![self.party()]
    }

    fn sign(&self, party: &Party, message: &[u8]) -> Option<[u8; 64]> {
        (*party == self.party()).then(|| self.0.sign(message).0)
    }
}

/// A node with a restricted tensor.
struct Node {
    _home: Home,
    rules: Rules,
    gate: Arc<Gate>,
    id: TensorId,
}

impl Node {
    fn new() -> Self {
        let (home, rules, sample) = (Home::new(1 << 24), Rules::default(), Sample::bytes(100, 1));
        restrict(&home, &sample, sample.id);
        home.put(&sample);
        let gate = rules.gate(&home);
        Self { _home: home, rules, gate, id: sample.id }
    }

    fn knock(&self, peer: PeerId, person: &Person) -> Result<Admission, Denied> {
        let challenge = self.gate.challenge(Some(peer), self.id);
        let signature = person.sign(&self.gate.message(Some((peer, TASK)), self.id, &challenge));
        self.gate.admit_peer(peer, self.id, TASK, person.party(), &challenge, signature)
    }

    fn unlock(&self, person: &Person) -> Result<Token, Denied> {
        let challenge = self.gate.challenge(None, self.id);
        let signature = person.sign(&self.gate.message(None, self.id, &challenge));
        self.unlock_with(person, &challenge, signature)
    }

    fn unlock_with(&self, person: &Person, challenge: &Challenge, signature: [u8; 64]) -> Result<Token, Denied> {
        let signature = MultiSignature::Sr25519(signature.into());
        self.gate.admit_account(self.id, &person.account(), challenge, &signature).map(|(token, _)| token)
    }

    fn serves(&self, holder: Holder) -> bool {
        self.gate.admits(Some(holder), &self.id).is_ok()
    }
}

/// Restricts a tensor as the operator does, as part of `content`.
pub fn restrict(home: &Home, sample: &Sample, content: TensorId) {
    home.store.restrict(&sample.id, Mark { task: TASK, content }).unwrap();
}

#[test]
fn whoever_is_entitled_is_served_and_nobody_else() {
    let node = Node::new();
    let (ann, eve) = (Person::new("ann"), Person::new("eve"));
    let (peer, other) = (PeerId::random(), PeerId::random());
    node.rules.entitle(node.id, &[ann.asker()]);
    assert_eq!(node.gate.admits(None, &node.id), Err(Some(TASK)));
    assert!(!node.serves(Holder::Peer(peer)));

    assert_eq!(node.knock(peer, &ann), Ok(Admission { title: Title::Shareholder, task: TASK }));
    assert_eq!(node.knock(other, &eve), Err(Denied::Refused(refusal())));
    assert!(node.serves(Holder::Peer(peer)) && !node.serves(Holder::Peer(other)));

    let token = node.unlock(&ann).unwrap();
    assert_eq!(node.unlock(&eve), Err(Denied::Refused(refusal())));
    assert!(node.serves(Holder::Token(token)) && !node.serves(Holder::Token([1; 32])));
    // What is not restricted is served to everybody.
    assert_eq!(node.gate.admits(None, &TensorId([9; 32])), Ok(()));
}

#[test]
fn the_refusal_says_how_to_become_entitled() {
    let node = Node::new();
    let denied = node.unlock(&Person::new("eve")).unwrap_err().to_string();
    assert!(denied.contains("buy") && denied.contains("{\"Shares\":3}") && denied.contains("granted"), "{denied}");
}

#[test]
fn who_sold_its_shares_is_served_no_more_from_the_next_block_on() {
    let node = Node::new();
    let (ann, ben, peer) = (Person::new("ann"), Person::new("ben"), PeerId::random());
    node.rules.entitle(node.id, &[ann.asker()]);
    node.knock(peer, &ann).unwrap();
    let token = Holder::Token(node.unlock(&ann).unwrap());
    assert!(node.serves(Holder::Peer(peer)) && node.serves(token));

    node.rules.entitle(node.id, &[ben.asker()]);
    assert!(!node.serves(Holder::Peer(peer)) && !node.serves(token));
    assert_eq!(node.knock(peer, &ann), Err(Denied::Refused(refusal())));
    node.knock(peer, &ben).unwrap();
    assert!(node.serves(Holder::Peer(peer)) && !node.serves(token));
}

#[test]
fn the_chain_is_asked_once_a_block() {
    let node = Node::new();
    let (ann, peer) = (Person::new("ann"), PeerId::random());
    node.rules.entitle(node.id, &[ann.asker()]);
    node.knock(peer, &ann).unwrap();
    assert_eq!(node.rules.take_asked(), 1);
    assert!((0..100).all(|_| node.serves(Holder::Peer(peer))));
    assert_eq!(node.rules.take_asked(), 0);
    node.rules.entitle(node.id, &[ann.asker()]);
    assert!((0..100).all(|_| node.serves(Holder::Peer(peer))));
    assert_eq!(node.rules.take_asked(), 1);
    node.rules.0.lock().unavailable = true;
    node.rules.entitle(node.id, &[ann.asker()]);
    assert!(!node.serves(Holder::Peer(peer)), "without the chain nobody is served");
    assert_eq!(node.knock(peer, &ann), Err(Denied::NoState));
}

#[test]
fn a_signature_is_good_once() {
    let node = Node::new();
    let ann = Person::new("ann");
    node.rules.entitle(node.id, &[ann.asker()]);
    let challenge = node.gate.challenge(None, node.id);
    let signature = ann.sign(&node.gate.message(None, node.id, &challenge));
    node.unlock_with(&ann, &challenge, signature).unwrap();
    assert_eq!(node.unlock_with(&ann, &challenge, signature), Err(Denied::Replayed));
    // Not even if nothing came of it the first time.
    node.rules.entitle(node.id, &[]);
    let challenge = node.gate.challenge(None, node.id);
    let signature = ann.sign(&node.gate.message(None, node.id, &challenge));
    assert_eq!(node.unlock_with(&ann, &challenge, signature), Err(Denied::Refused(refusal())));
    node.rules.entitle(node.id, &[ann.asker()]);
    assert_eq!(node.unlock_with(&ann, &challenge, signature), Err(Denied::Replayed));
}

#[test]
fn a_signature_is_no_use_to_another_peer_at_another_node_or_for_another_content() {
    let (node, elsewhere) = (Node::new(), Node::new());
    let (ann, eve) = (Person::new("ann"), Person::new("eve"));
    let (peer, forger) = (PeerId::random(), PeerId::random());
    for node in [&node, &elsewhere] {
        node.rules.entitle(node.id, &[ann.asker()]);
    }
    let challenge = node.gate.challenge(Some(peer), node.id);
    let signature = ann.sign(&node.gate.message(Some((peer, TASK)), node.id, &challenge));
    let party = ann.party();
    assert_eq!(node.gate.admit_peer(forger, node.id, TASK, party, &challenge, signature), Err(Denied::Stale));
    assert_eq!(elsewhere.gate.admit_peer(peer, node.id, TASK, party, &challenge, signature), Err(Denied::Stale));
    assert_eq!(node.gate.admit_peer(peer, TensorId([1; 32]), TASK, party, &challenge, signature), Err(Denied::Stale));
    assert_eq!(node.unlock_with(&ann, &challenge, signature), Err(Denied::Stale));
    // A challenge of its own does not help the forger: what Ann signed names another peer.
    let own = node.gate.challenge(Some(forger), node.id);
    assert_eq!(node.gate.admit_peer(forger, node.id, TASK, party, &own, signature), Err(Denied::BadSignature));
    // Nor does it help to pass on this node's challenge as its own: what Ann signs then names the forger's node.
    let relayed = message(&GENESIS, &forger, Some((peer, TASK)), node.id, &own);
    assert_eq!(node.gate.admit_peer(forger, node.id, TASK, party, &own, ann.sign(&relayed)), Err(Denied::BadSignature));
    // Nor to sign in Ann's name.
    let signature = eve.sign(&node.gate.message(Some((forger, TASK)), node.id, &own));
    assert_eq!(node.gate.admit_peer(forger, node.id, TASK, party, &own, signature), Err(Denied::BadSignature));
    // None of this used up the challenge that Ann was given.
    let signature = ann.sign(&node.gate.message(Some((peer, TASK)), node.id, &challenge));
    node.gate.admit_peer(peer, node.id, TASK, party, &challenge, signature).unwrap();
    assert!(node.serves(Holder::Peer(peer)) && !node.serves(Holder::Peer(forger)));
}

#[test]
fn an_account_is_not_an_attester() {
    let node = Node::new();
    let (ann, peer) = (Person::new("ann"), PeerId::random());
    let attester = Party::Attester(ann.0.public().0);
    node.rules.entitle(node.id, &[attester.into()]);
    assert_eq!(node.knock(peer, &ann), Err(Denied::Refused(refusal())));
    let challenge = node.gate.challenge(Some(peer), node.id);
    let signature = ann.sign(&node.gate.message(Some((peer, TASK)), node.id, &challenge));
    node.gate.admit_peer(peer, node.id, TASK, attester, &challenge, signature).unwrap();
}

#[test]
fn wallets_sign_in_a_frame_and_with_other_schemes() {
    let node = Node::new();
    let pair = ed25519::Pair::from_string("//ann", None).unwrap();
    let account: AccountId =
        sp_runtime::traits::IdentifyAccount::into_account(sp_runtime::MultiSigner::from(pair.public()));
    node.rules.entitle(node.id, &[Asker::Account(account.clone())]);
    let challenge = node.gate.challenge(None, node.id);
    let framed = format!("<Bytes>{}</Bytes>", node.gate.message(None, node.id, &challenge));
    let signature = MultiSignature::Ed25519(pair.sign(framed.as_bytes()));
    node.gate.admit_account(node.id, &account, &challenge, &signature).unwrap();
}

#[test]
fn rpc_has_only_so_many_signatures_checked() {
    let node = Node::new();
    let mut state = node.gate.state.lock();
    let start = state.counted_at;
    let taken =
        |state: &mut super::State, now| (0..1000).take_while(|_| state.check_rpc_allowance(now).is_ok()).count();
    assert_eq!(taken(&mut state, start), 64);
    assert_eq!(state.check_rpc_allowance(start), Err(Denied::Busy));
    assert_eq!(taken(&mut state, start + Duration::from_millis(10)), 10);
}

#[test]
fn who_has_no_challenge_takes_nobody_elses_turn() {
    let node = Node::new();
    let ann = Person::new("ann");
    node.rules.entitle(node.id, &[ann.asker()]);
    for _ in 0..10_000 {
        assert_eq!(node.unlock_with(&ann, &[7; 32], [0; 64]), Err(Denied::Stale));
    }
    node.unlock(&ann).unwrap();
}

#[test]
fn who_unlocks_again_and_again_pushes_nobody_out() {
    let node = Node::new();
    let (ann, eve, peer) = (Person::new("ann"), Person::new("eve"), PeerId::random());
    node.rules.entitle(node.id, &[ann.asker(), eve.asker()]);
    node.knock(peer, &ann).unwrap();
    let token = node.unlock(&ann).unwrap();
    let others: HashSet<_> = (0..10).map(|_| node.unlock(&eve).unwrap()).collect();
    assert_eq!(others.len(), 1);
    assert_eq!(node.gate.state.lock().sessions.len(), 3);
    assert!(node.serves(Holder::Token(token)) && node.serves(Holder::Peer(peer)));
    assert_ne!(others, HashSet::from([token]), "each has its own");
    // Nobody else's, of no other content, and of no other node.
    assert_ne!(Node::new().gate.state.lock().challenges.token(&ann.account(), &node.id), token);
    assert_ne!(node.gate.state.lock().challenges.token(&ann.account(), &TensorId([1; 32])), token);
}

#[test]
fn a_peer_is_admitted_for_the_task_that_it_names_alone() {
    let node = Node::new();
    let (ann, eve, peer) = (Person::new("ann"), Person::new("eve"), PeerId::random());
    node.rules.entitle(node.id, &[ann.asker()]);
    let knock = |named: TaskId, signed: TaskId, person: &Person| {
        let challenge = node.gate.challenge(Some(peer), node.id);
        let signature = person.sign(&node.gate.message(Some((peer, signed)), node.id, &challenge));
        node.gate.admit_peer(peer, node.id, named, person.party(), &challenge, signature)
    };
    assert_eq!(knock(TASK + 1, TASK + 1, &ann), Err(Denied::OtherTask));
    assert_eq!(knock(TASK, TASK + 1, &ann), Err(Denied::BadSignature));
    assert!(!node.serves(Holder::Peer(peer)));
    // Nor does a title to what won another task help.
    node.rules.entitle_for(TASK + 1, node.id, eve.asker());
    assert_eq!(knock(TASK + 1, TASK + 1, &eve), Err(Denied::OtherTask));
    assert_eq!(knock(TASK, TASK, &eve), Err(Denied::Refused(refusal())));
    knock(TASK, TASK, &ann).unwrap();
    assert!(node.serves(Holder::Peer(peer)));
}

#[test]
fn only_keys_that_are_entitled_are_shown() {
    let rules = Rules::default();
    let (ann, signer) = (Person::new("ann"), Arc::new(Crowd(40)));
    let identity = Identity { genesis: GENESIS, node: PeerId::random(), signer, chain: Arc::new(rules.clone()) };
    let mark = |task| Mark { task, content: TensorId([1; 32]) };
    let last = Person::new("39");
    rules.entitle(TensorId([1; 32]), &[last.asker(), ann.asker()]);
    // However many keys there are, and whichever comes first.
    assert_eq!(identity.claims(&[mark(1), mark(TASK)], 4), [(mark(TASK), last.party())]);
    assert_eq!(identity.claims(&[mark(1)], 4), []);
    assert_eq!(identity.claims(&[], 4), []);
    rules.0.lock().unavailable = true;
    assert_eq!(identity.claims(&[mark(TASK)], 4), []);
}

#[test]
fn a_challenge_expires_and_cannot_be_made() {
    let start = Instant::now();
    let mut challenges = Challenges::new(start);
    let (peer, id) = (Some(PeerId::random()), TensorId([1; 32]));
    let challenge = challenges.issue(peer, id, start);
    assert_ne!(challenges.issue(peer, id, start), challenge);
    let end = start + CHALLENGE_LIFETIME;
    assert_eq!(challenges.check(peer, id, &challenge, end), Ok(()));
    assert_eq!(challenges.check(peer, id, &challenge, end + Duration::from_millis(1)), Err(Denied::Stale));
    // Nobody makes it younger, or another one of it.
    for at in 0..32 {
        let mut forged = challenge;
        forged[at] ^= 1;
        assert_eq!(challenges.check(peer, id, &forged, start), Err(Denied::Stale), "byte {at}");
    }
    assert_eq!(Challenges::new(start).check(peer, id, &challenge, start), Err(Denied::Stale));
    // What was taken is forgotten only when it has expired.
    challenges.take(peer, id, &challenge, start).unwrap();
    assert_eq!(challenges.take(peer, id, &challenge, end), Err(Denied::Replayed));
    let later = end + Duration::from_secs(2);
    let another = challenges.issue(peer, id, later);
    challenges.take(peer, id, &another, later).unwrap();
    assert_eq!(challenges.check(peer, id, &challenge, later), Err(Denied::Stale));
}

#[test]
fn members_are_served_as_part_of_their_bundle() {
    let (home, rules) = (Home::new(1 << 24), Rules::default());
    let member = Sample::bytes(100, 1);
    let bundle = Sample::bundle(&[&member]);
    for sample in [&member, &bundle] {
        restrict(&home, sample, bundle.id);
        home.put(sample);
    }
    let (gate, ann, peer) = (rules.gate(&home), Person::new("ann"), PeerId::random());
    rules.entitle(bundle.id, &[ann.asker()]);
    assert_eq!(gate.admits(Some(Holder::Peer(peer)), &member.id), Err(Some(TASK)));
    let challenge = gate.challenge(Some(peer), bundle.id);
    let signature = ann.sign(&gate.message(Some((peer, TASK)), bundle.id, &challenge));
    gate.admit_peer(peer, bundle.id, TASK, ann.party(), &challenge, signature).unwrap();
    for id in [member.id, bundle.id] {
        assert_eq!(gate.admits(Some(Holder::Peer(peer)), &id), Ok(()));
    }
}
