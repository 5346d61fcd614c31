//! Benchmarks: each call, and each step that time and other pallets bring, at its worst.
//!
//! None has a component in the number of workers of a model, or of sessions. Evidence is as large as the component says; the
//! tensors that it is of are not there, only the paths to their roots.

use alloc::{format, string::String, vec, vec::Vec};

use codec::Encode;
use ensemble_compute::inference::{hashes, Entry, Llama};
use ensemble_core::{
    inference::{
        closing_bytes, consent_bytes, served_bytes, Chunk, Consent, Evidence, GlueEvidence, MatrixRow, MemberProof,
        Outputs, MAX_MANIFEST_BYTES, MAX_REPLICAS, MAX_SESSION_WORKERS,
    },
    tasks::Descriptor,
    votes::{Matter, VoteEnd, VoteOutcome},
};
use ensemble_tensor::{merkle, Bundle, Hash, Header, Kind, RowProof, Tensor};
use frame_benchmarking::v2::*;
use frame_support::traits::{
    fungible::Unbalanced,
    fungibles::{Create as _, Inspect as _, Mutate as _},
    tokens::Precision,
    Authorize,
};
use frame_system::RawOrigin;
use sp_application_crypto::RuntimeAppPublic;
use sp_runtime::traits::{Bounded, One};

use super::*;
use crate::models::member_hash;

type Benched<R = ()> = Result<R, BenchmarkError>;

/// What benchmarks need of others.
pub trait BenchmarkHelper<AccountId> {
    /// Has a public task been won by this content.
    fn win(task: TaskId, descriptor: Descriptor);
}

/// The task that the model has won.
const TASK: TaskId = 7;
/// Members of a model as far as paths go.
const MEMBERS: u32 = 4_000;
/// Bytes of evidence beside what grows.
const OTHERS: u32 = 4_000;

fn rich<T: Config>(name: &'static str, number: u32) -> Benched<T::AccountId> {
    let who = account(name, number, 0);
    let costs = T::BondCap::get().saturating_add(T::ModelDeposit::get()).saturating_mul(1_000);
    T::Currency::increase_balance(&who, costs, Precision::Exact)?;
    Ok(who)
}

/// So many blocks, in elements.
fn whole(elements: u32) -> u32 {
    elements.checked_div(32).unwrap_or(0).max(1).saturating_mul(32)
}

fn llama() -> Llama {
    Llama {
        layers: 1,
        width: 64,
        heads: 2,
        kv_heads: 2,
        head_width: 32,
        hidden: 64,
        vocabulary: 64,
        positions: Llama::MAX_POSITIONS,
        epsilon: 1,
        rope_interleaved: true,
        tied: false,
    }
}

/// The manifest and the `config` of a model with as many layers as fit into so many bytes, filled up with other members.
fn bundle(bytes: u32) -> Benched<(Manifest, ConfigBytes)> {
    let layers = bytes.checked_div(700).unwrap_or(0).clamp(1, Llama::MAX_LAYERS);
    let architecture = Architecture::Llama(Llama { layers, ..llama() });
    let config = architecture.encode();
    let Architecture::Llama(llama) = &architecture;
    let matrices = (0..llama.stages()).filter_map(|number| llama.stage(number)).flat_map(|stage| llama.matrices(stage));
    let mut names: Vec<String> = matrices.chain(llama.tables()).chain([llama.embedding()]).map(|it| it.name).collect();
    names.push(String::from("tokenizer"));
    let used = names.iter().fold(100usize, |sum, name| sum.saturating_add(name.len()).saturating_add(34));
    let filler = (bytes as usize).saturating_sub(used).checked_div(40).unwrap_or(0);
    names.extend((0..filler).map(|number| format!("f{number:05}")));
    let header = Header::bytes(config.len() as u64).map_err(|_| "no config")?;
    let id = Tensor::new(header, &config).and_then(|tensor| tensor.id()).map_err(|_| "no config")?;
    let members = names.iter().map(|name| (name.as_str(), TensorId::default())).chain([("config", id)]);
    let manifest = Bundle::encode(members).map_err(|_| "no manifest")?;
    let manifest = Manifest::try_from(manifest).map_err(|_| "the manifest is too long")?;
    Ok((manifest, BoundedVec::truncate_from(config)))
}

/// Has the task of benchmarks won by a bundle.
fn win<T: Config>(manifest: &[u8]) -> Benched {
    let header = Bundle::header(manifest).map_err(|_| "no bundle")?;
    let leaves = manifest.chunks(header.leaf_len()).map(merkle::leaf_hash);
    let root = merkle::root(leaves).ok_or("no bundle")?;
    T::BenchmarkHelper::win(TASK, Descriptor { header, root });
    Ok(())
}

fn new_model<T: Config>() -> Benched<T::AccountId> {
    frame_system::Pallet::<T>::set_block_number(One::one());
    let (manifest, config) = bundle(1_000)?;
    win::<T>(&manifest)?;
    let registrant = rich::<T>("registrant", 0)?;
    Pallet::<T>::do_register_model(registrant.clone(), TASK, &manifest, &config)?;
    Ok(registrant)
}

fn new_key<T: Config>(who: &T::AccountId) -> Benched<(AttesterId, AttesterSignature)> {
    let key = AttesterId::generate_pair(None);
    let proof = key.sign(&(*b"POP_", who).encode()).ok_or("the keystore does not sign")?;
    Ok((key, proof))
}

/// The longest peer id.
fn peer() -> Peer {
    let mut bytes = vec![0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
    bytes.resize(38, 1);
    BoundedVec::truncate_from(bytes)
}

fn new_worker<T: Config>(name: &'static str, number: u32) -> Benched<T::AccountId> {
    let who = rich::<T>(name, number)?;
    let (key, proof) = new_key::<T>(&who)?;
    Pallet::<T>::do_join(who.clone(), 0, peer(), key, &proof, T::MinBond::get())?;
    Ok(who)
}

fn question(workers: u32) -> Question {
    let replicas = MAX_REPLICAS.min(workers.saturating_sub(1) | 1);
    Question { prompt: H256::zero(), prompt_tokens: 1, max_tokens: 4, workers, replicas }
}

/// That a gateway agrees to a session of the first model that is paid in TUNE.
fn consent<T: Config>(
    gateway: &T::AccountId,
    requester: &T::AccountId,
    question: &Question,
    number: u32,
) -> Benched<ConsentOf<T>> {
    let key = Workers::<T>::get(gateway).ok_or("no gateway")?.key;
    let until = frame_system::Pallet::<T>::block_number();
    let bytes = consent_bytes(&Pallet::<T>::genesis(), requester, 0, question, Payment::Tune, number, &until);
    let signature = key.sign(&bytes).ok_or("the keystore does not sign")?;
    Ok(Consent { number, until, signature })
}

/// A model with so many workers and a gateway, and a session of all of them.
fn new_session<T: Config>(workers: u32) -> Benched<(T::AccountId, SessionId)> {
    new_model::<T>()?;
    let gateway = new_worker::<T>("gateway", 0)?;
    for number in 0..workers {
        new_worker::<T>("worker", number)?;
    }
    let requester = rich::<T>("requester", 0)?;
    let question = question(workers);
    let consent = consent::<T>(&gateway, &requester, &question, 0)?;
    Pallet::<T>::do_open(requester, 0, gateway.clone(), question, Payment::Tune, Some(consent))?;
    Ok((gateway, 0))
}

fn take<T: Config>(id: SessionId) -> Benched<SessionOf<T>> {
    Ok(Sessions::<T>::get(id).ok_or("no session")?)
}

fn assigned<T: Config>(workers: u32) -> Benched<SessionId> {
    let (_, id) = new_session::<T>(workers)?;
    Pallet::<T>::assign(id, take::<T>(id)?, One::one());
    Ok(id)
}

fn closing(llama: &Llama, positions: u32) -> Benched<Closing> {
    let trace = crate::closing::trace_header(&Architecture::Llama(*llama), positions).ok_or("no trace")?;
    let tokens = Header::new(Kind::I32, positions.saturating_add(1), 1).map_err(|_| "no tokens")?;
    let described = |header| Descriptor { header, root: [0; 32] };
    Ok(Closing { tokens: described(tokens), trace: described(trace), contested: Some(TensorId::default()) })
}

fn closed<T: Config>(workers: u32) -> Benched<SessionId> {
    T::Votes::fill_for_benchmark();
    let id = assigned::<T>(workers)?;
    Pallet::<T>::do_close(id, closing(&llama(), 4)?)?;
    Ok(id)
}

/// All workers have voted for everything.
fn ranges(workers: u32, vote: &RangeVote) -> Ranges {
    let range = Range { vote: vote.clone(), backers: u32::MAX, outvoted: 0, agreed: true, is_wrong: false };
    BoundedVec::truncate_from(vec![range; workers as usize])
}

fn set_state<T: Config>(id: SessionId, due: Option<BlockNumberFor<T>>, state: StateOf<T>) -> Benched {
    let mut session = take::<T>(id)?;
    session.state = state;
    Pallet::<T>::schedule(id, &mut session, due);
    Sessions::<T>::insert(id, session);
    Ok(())
}

fn team<T: Config>(id: SessionId) -> Benched<TeamOf<T>> {
    Ok(BoundedVec::truncate_from(take::<T>(id)?.state.team().to_vec()))
}

fn voting<T: Config>() -> Benched<SessionId> {
    let id = assigned::<T>(MAX_SESSION_WORKERS)?;
    let (team, closing) = (team::<T>(id)?, closing(&llama(), 4)?);
    let mut ranges = ranges(MAX_SESSION_WORKERS, &RangeVote::Won(TensorId::default()));
    if let Some(range) = ranges.get_mut(0) {
        *range = Range::voted_on(0);
    }
    set_state::<T>(id, None, State::Voting { team, closing, ranges })?;
    Ok(id)
}

/// A session that is over, in which everything counts but the first worker was outvoted once.
fn settling<T: Config>(next: u32) -> Benched<SessionId> {
    let id = assigned::<T>(MAX_SESSION_WORKERS)?;
    let team = team::<T>(id)?;
    let mut ranges = ranges(MAX_SESSION_WORKERS, &RangeVote::Won(TensorId::default()));
    if let Some(range) = ranges.get_mut(0) {
        (range.backers, range.outvoted) = (0, u32::MAX);
    }
    let work = Work { positions: 4, ranges, faults: Faults::default() };
    set_state::<T>(id, Some(One::one()), State::Settling { team, end: End::Paid(work), next })?;
    Ok(id)
}

/// A row that leads to a root, with the tensor's header.
fn row(header: Header, index: u32, leaf: Vec<u8>) -> Benched<(RowProof, Hash)> {
    let count = header.leaf_count();
    let siblings = vec![[7; 32]; merkle::path_len(index, count)];
    let root = merkle::root_of_path(merkle::leaf_hash(&leaf), index, count, &siblings).ok_or("no row")?;
    Ok((RowProof { header, index, leaf, siblings }, root))
}

/// A row of a trace with this entry in all stages.
fn trace_row(llama: &Llama, positions: u32, entry: Entry) -> Benched<(RowProof, Hash)> {
    let header = crate::closing::trace_header(&Architecture::Llama(*llama), positions).ok_or("no trace")?;
    let leaf = (0..llama.stages()).flat_map(|_| entry.to_bytes()).collect();
    row(header, positions.saturating_sub(1), leaf)
}

/// A row of a member of the model, with the root over the members.
fn member_row(name: &str, header: Header, leaf: Vec<u8>) -> Benched<(MatrixRow, Hash)> {
    let (row, root) = row(header, 0, leaf)?;
    let id = header.id(&root);
    let index = MEMBERS.saturating_sub(1);
    let siblings = vec![[8; 32]; merkle::path_len(index, MEMBERS)];
    let members = merkle::root_of_path(member_hash(name, &id), index, MEMBERS, &siblings).ok_or("no member")?;
    Ok((MatrixRow { member: MemberProof { index, id, siblings }, row }, members))
}

/// A session in its window.
struct Window {
    llama: Llama,
    members: Hash,
    won: TensorId,
    closing: Closing,
    prompt: H256,
}

impl Window {
    fn new(llama: Llama, positions: u32) -> Benched<Self> {
        let closing = closing(&llama, positions)?;
        Ok(Self { llama, members: [0; 32], won: TensorId::default(), closing, prompt: H256::zero() })
    }

    /// Has as many workers as can be guilty together lie.
    fn open<T: Config>(self) -> Benched<SessionId> {
        let id = assigned::<T>(MAX_REPLICAS)?;
        Models::<T>::mutate(0, |model| {
            if let Some(model) = model {
                model.architecture = Architecture::Llama(self.llama);
                (model.members, model.count) = (self.members, MEMBERS);
            }
        });
        let mut session = take::<T>(id)?;
        session.question.prompt = self.prompt;
        Sessions::<T>::insert(id, session);
        let (team, ranges) = (team::<T>(id)?, ranges(MAX_REPLICAS, &RangeVote::Won(self.won)));
        let until = BlockNumberFor::<T>::max_value();
        let state = State::Disputable {
            team,
            closing: self.closing,
            ranges,
            faults: Faults::default(),
            false_keys: BoundedVec::new(),
            notes: Notes::default(),
            until,
        };
        set_state::<T>(id, Some(until), state)?;
        Ok(id)
    }
}

/// Evidence of a wrong row, with a session in which it is right.
fn row_evidence<T: Config>(bytes: u32) -> Benched<(SessionId, Evidence)> {
    // A row takes 34 bytes for 32 elements, and the input 64.
    let hidden = whole(bytes.saturating_sub(OTHERS).checked_div(98).unwrap_or(0).saturating_mul(32));
    let llama = Llama { hidden: hidden.clamp(32, Llama::MAX_HIDDEN), ..llama() };
    let positions = T::MaxPositions::get();
    let mut window = Window::new(llama, positions)?;
    let header = Header::new(Kind::Q8_0, llama.width, llama.hidden).map_err(|_| "no matrix")?;
    let (matrix, members) = member_row("blk.0.ffn_down.weight", header, vec![1; header.row_len()])?;
    let mut input = 0i32.to_le_bytes().to_vec();
    input.resize((llama.hidden as usize).saturating_mul(2).saturating_add(4), 1);
    let rows = ensemble_compute::inference::ranges::rows(llama.width, 0, MAX_REPLICAS);
    let outputs = vec![i64::MAX; rows.len()];
    let entry = Entry { input: merkle::leaf_hash(&input), other: hashes::outputs(&outputs) };
    let (trace, root) = trace_row(&llama, positions, entry)?;
    (window.members, window.won) = (members, trace.header.id(&root));
    let chunk = Chunk { index: 0, outputs, siblings: Vec::new() };
    let evidence = Evidence::Row { range: 0, stage: 3, output: 0, trace, input, chunk, matrix };
    Ok((window.open::<T>()?, evidence))
}

/// Evidence of another input, with a session in which it is right.
fn input_evidence<T: Config>(bytes: u32) -> Benched<(SessionId, Evidence)> {
    let stages = bytes.saturating_sub(OTHERS).checked_div(128).unwrap_or(0);
    let layers = stages.checked_div(4).unwrap_or(0).clamp(1, Llama::MAX_LAYERS);
    let llama = Llama { layers, ..llama() };
    let positions = T::MaxPositions::get();
    let mut window = Window::new(llama, positions)?;
    let (trace, root) = trace_row(&llama, positions, Entry { input: [1; 32], other: [2; 32] })?;
    let (gateway, said) = trace_row(&llama, positions, Entry { input: [3; 32], other: [4; 32] })?;
    (window.won, window.closing.trace.root) = (trace.header.id(&root), said);
    Ok((window.open::<T>()?, Evidence::Input { range: 0, stage: 0, trace, gateway }))
}

/// Evidence that a worker signed another row, with a session in which it is right. That a gateway asked for more is checked
/// alike, without a row.
fn signature_evidence<T: Config>(bytes: u32) -> Benched<(SessionId, Evidence)> {
    let stages = bytes.saturating_sub(OTHERS).checked_div(64).unwrap_or(0);
    let layers = stages.checked_div(4).unwrap_or(0).clamp(1, Llama::MAX_LAYERS);
    let llama = Llama { layers, ..llama() };
    let positions = T::MaxPositions::get();
    let mut window = Window::new(llama, positions)?;
    let (trace, root) = trace_row(&llama, positions, Entry { input: [1; 32], other: [2; 32] })?;
    window.won = trace.header.id(&root);
    let id = window.open::<T>()?;
    let key = team::<T>(id)?.first().map(|party| party.key.clone()).ok_or("no worker")?;
    let signed = [9; 32];
    let bytes = served_bytes(&Pallet::<T>::genesis(), id, 0, trace.index, &signed);
    let signature = key.sign(&bytes).ok_or("the keystore does not sign")?;
    Ok((id, Evidence::Signature { range: 0, place: 0, signed, signature, trace }))
}

/// Evidence of a wrong norm, with a session in which it is right.
fn norm_evidence<T: Config>(bytes: u32) -> Benched<(SessionId, Evidence)> {
    // A state takes 8 bytes for an element, and the weights 4.
    let width = whole(bytes.saturating_sub(OTHERS).checked_div(12).unwrap_or(0)).min(Llama::MAX_WIDTH);
    let llama = Llama { width, ..llama() };
    let positions = T::MaxPositions::get();
    let mut window = Window::new(llama, positions)?;
    let header = Header::new(Kind::I32, 1, width).map_err(|_| "no norm")?;
    let (weights, members) = member_row("blk.0.attn_norm.weight", header, vec![1; header.row_len()])?;
    let state: Vec<_> = (0..i64::from(width)).map(|element| element.saturating_mul(1 << 20)).collect();
    let (trace, said) = trace_row(&llama, positions, Entry { input: [1; 32], other: hashes::state(&state) })?;
    (window.members, window.closing.trace.root) = (members, said);
    Ok((window.open::<T>()?, Evidence::Glue(GlueEvidence::Norm { stage: 0, trace, state, weights })))
}

/// Evidence of a wrong activation, with a session in which it is right.
fn outputs_evidence<T: Config>(bytes: u32) -> Benched<(SessionId, Evidence)> {
    let others = OTHERS.saturating_mul(MAX_REPLICAS);
    let hidden = whole(bytes.saturating_sub(others).checked_div(16).unwrap_or(0)).min(Llama::MAX_HIDDEN);
    let llama = Llama { hidden, ..llama() };
    let positions = T::MaxPositions::get();
    let mut window = Window::new(llama, positions)?;
    let mut input = 0i32.to_le_bytes().to_vec();
    input.resize((llama.width as usize).saturating_mul(2).saturating_add(4), 1);
    let given = merkle::leaf_hash(&input);
    let (trace, said) = trace_row(&llama, positions, Entry { input: given, other: [1; 32] })?;
    window.closing.trace.root = said;
    let mut outputs = Vec::new();
    let mut won = Vec::new();
    for range in 0..MAX_REPLICAS {
        let rows = ensemble_compute::inference::ranges::rows(hidden, range, MAX_REPLICAS);
        let part: Vec<_> = (0..rows.len().saturating_mul(2) as i64).map(|number| number << 24).collect();
        let (row, root) = trace_row(&llama, positions, Entry { input: given, other: hashes::outputs(&part) })?;
        won.push(row.header.id(&root));
        outputs.push(Outputs { trace: row, outputs: part });
    }
    let id = window.open::<T>()?;
    Sessions::<T>::mutate(id, |session| {
        if let Some(Session { state: State::Disputable { ranges, .. }, .. }) = session {
            ranges.iter_mut().zip(won).for_each(|(range, won)| range.vote = RangeVote::Won(won));
        }
    });
    Ok((id, Evidence::Glue(GlueEvidence::Activation { stage: 3, trace, input, outputs })))
}

/// Evidence of another prompt, with a session in which it is right.
fn prompt_evidence<T: Config>(bytes: u32) -> Benched<(SessionId, Evidence)> {
    let tokens: Vec<u32> = (0..bytes.checked_div(4).unwrap_or(0).max(2)).collect();
    let positions = u32::try_from(tokens.len()).unwrap_or(u32::MAX).saturating_sub(1);
    let mut window = Window::new(llama(), positions)?;
    let leaves = tokens.iter().map(|token| merkle::leaf_hash(&token.to_le_bytes()));
    window.closing.tokens.root = merkle::root(leaves).ok_or("no tokens")?;
    Ok((window.open::<T>()?, Evidence::Glue(GlueEvidence::Prompt { tokens })))
}

/// Checks that evidence was upheld.
fn assert_upheld<T: Config>(id: SessionId) -> Benched {
    let State::Disputable { ranges, faults, notes, .. } = take::<T>(id)?.state else { return Err("no window".into()) };
    assert!(
        faults.gateway || faults.signers != 0 || !notes.notes.is_empty() || ranges.iter().any(|range| range.is_wrong)
    );
    Ok(())
}

/// Somebody with shares of the contribution, and what locks them.
fn shareholder<T: Config>() -> Benched<(T::AccountId, Balance)> {
    new_model::<T>()?;
    let (who, class) = (rich::<T>("shareholder", 0)?, AssetId::Shares(TASK));
    if !T::Shares::asset_exists(class) {
        T::Shares::create(class, who.clone(), true, T::MinShares::get())?;
    }
    let amount = T::Shares::minimum_balance(class).saturating_mul(4);
    T::Shares::mint_into(class, &who, amount)?;
    Ok((who, amount))
}

#[benchmarks(where <T as frame_system::Config>::RuntimeCall: From<Call<T>>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register_model(b: Linear<1_000, MAX_MANIFEST_BYTES>) -> Result<(), BenchmarkError> {
        let (manifest, config) = bundle(b)?;
        win::<T>(&manifest)?;
        let who = rich::<T>("registrant", 0)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who), TASK, manifest, config);

        assert!(Models::<T>::contains_key(0));
        Ok(())
    }

    /// With credits that are burnt.
    #[benchmark]
    fn retire_model() -> Result<(), BenchmarkError> {
        let who = new_model::<T>()?;
        T::Currency::increase_balance(&Pallet::<T>::pot(0), T::ModelDeposit::get(), Precision::Exact)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who), 0);

        assert!(!Models::<T>::contains_key(0));
        Ok(())
    }

    #[benchmark]
    fn join() -> Result<(), BenchmarkError> {
        new_model::<T>()?;
        let who = rich::<T>("worker", 0)?;
        let (key, proof) = new_key::<T>(&who)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), 0, peer(), key, proof, T::MinBond::get());

        assert!(Workers::<T>::contains_key(&who));
        Ok(())
    }

    /// Another worker takes the place.
    #[benchmark]
    fn leave() -> Result<(), BenchmarkError> {
        new_model::<T>()?;
        let who = new_worker::<T>("worker", 0)?;
        let other = new_worker::<T>("worker", 1)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who));

        assert_eq!(Workers::<T>::get(&other).and_then(|worker| worker.place), Some(0));
        Ok(())
    }

    #[benchmark]
    fn withdraw() -> Result<(), BenchmarkError> {
        new_model::<T>()?;
        let who = new_worker::<T>("worker", 0)?;
        Pallet::<T>::do_leave(who.clone())?;
        frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::max_value());

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert!(!Workers::<T>::contains_key(&who));
        Ok(())
    }

    /// A worker that is drawn again.
    #[benchmark]
    fn bond_extra() -> Result<(), BenchmarkError> {
        new_model::<T>()?;
        let who = new_worker::<T>("worker", 0)?;
        drop(Pallet::<T>::slash_bond(0, &who, 1));

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), T::MinBond::get());

        assert_eq!(Workers::<T>::get(&who).and_then(|worker| worker.place), Some(0));
        Ok(())
    }

    #[benchmark]
    fn announce() -> Result<(), BenchmarkError> {
        new_model::<T>()?;
        let who = new_worker::<T>("worker", 0)?;
        let (key, proof) = new_key::<T>(&who)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), peer(), key.clone(), proof);

        assert_eq!(KeyOwners::<T>::get(&key), Some(who));
        Ok(())
    }

    /// With the last consent that is remembered.
    #[benchmark]
    fn open() -> Result<(), BenchmarkError> {
        new_model::<T>()?;
        let gateway = new_worker::<T>("gateway", 0)?;
        let (who, question) = (rich::<T>("requester", 0)?, question(MAX_SESSION_WORKERS));
        let consent = consent::<T>(&gateway, &who, &question, 0)?;
        Workers::<T>::mutate(&gateway, |worker| {
            let used = (1..types::MAX_CONSENTS).map(|number| UsedConsent { number, until: consent.until });
            if let Some(worker) = worker {
                worker.consents = BoundedVec::truncate_from(used.collect());
            }
        });

        #[extrinsic_call]
        _(RawOrigin::Signed(who), 0, gateway.clone(), question, Payment::Tune, Some(consent));

        assert!(Workers::<T>::get(&gateway).is_some_and(|worker| worker.consents.is_full()));
        Ok(())
    }

    #[benchmark]
    fn close() -> Result<(), BenchmarkError> {
        let id = assigned::<T>(MAX_SESSION_WORKERS)?;
        let (closing, session) = (closing(&llama(), 4)?, take::<T>(id)?);
        let bytes = closing_bytes(&Pallet::<T>::genesis(), id, &closing);
        let signature = session.gateway.key.sign(&bytes).ok_or("the keystore does not sign")?;

        #[extrinsic_call]
        _(RawOrigin::Authorized, id, closing, signature);

        assert!(matches!(take::<T>(id)?.state, State::Closed { .. }));
        Ok(())
    }

    #[benchmark]
    fn authorize_close() -> Result<(), BenchmarkError> {
        let id = assigned::<T>(MAX_SESSION_WORKERS)?;
        let (closing, session) = (closing(&llama(), 4)?, take::<T>(id)?);
        let bytes = closing_bytes(&Pallet::<T>::genesis(), id, &closing);
        let signature = session.gateway.key.sign(&bytes).ok_or("the keystore does not sign")?;
        let call: <T as frame_system::Config>::RuntimeCall = Call::close { session: id, closing, signature }.into();

        #[block]
        {
            call.authorize(TransactionSource::External)
                .ok_or("close is not authorised")?
                .map_err(|_| "the closing is not let in")?;
        }

        Ok(())
    }

    #[benchmark]
    fn dispute_row(b: Linear<8_000, 200_000>) -> Result<(), BenchmarkError> {
        let (id, evidence) = row_evidence::<T>(b)?;
        let who = rich::<T>("challenger", 0)?;

        #[extrinsic_call]
        dispute(RawOrigin::Signed(who), id, evidence);

        assert_upheld::<T>(id)
    }

    #[benchmark]
    fn dispute_trace(b: Linear<8_000, 130_000>) -> Result<(), BenchmarkError> {
        let (id, evidence) = input_evidence::<T>(b)?;
        let who = rich::<T>("challenger", 0)?;

        #[extrinsic_call]
        dispute(RawOrigin::Signed(who), id, evidence);

        assert_upheld::<T>(id)
    }

    #[benchmark]
    fn dispute_signature(b: Linear<8_000, 65_000>) -> Result<(), BenchmarkError> {
        let (id, evidence) = signature_evidence::<T>(b)?;
        let who = rich::<T>("challenger", 0)?;

        #[extrinsic_call]
        dispute(RawOrigin::Signed(who), id, evidence);

        assert_upheld::<T>(id)
    }

    #[benchmark]
    fn dispute_norm(b: Linear<8_000, 200_000>) -> Result<(), BenchmarkError> {
        let (id, evidence) = norm_evidence::<T>(b)?;
        let who = rich::<T>("challenger", 0)?;

        #[extrinsic_call]
        dispute(RawOrigin::Signed(who), id, evidence);

        assert_upheld::<T>(id)
    }

    #[benchmark]
    fn dispute_outputs(b: Linear<40_000, 1_000_000>) -> Result<(), BenchmarkError> {
        let (id, evidence) = outputs_evidence::<T>(b)?;
        let who = rich::<T>("challenger", 0)?;

        #[extrinsic_call]
        dispute(RawOrigin::Signed(who), id, evidence);

        assert_upheld::<T>(id)
    }

    #[benchmark]
    fn dispute_prompt(b: Linear<8, { T::MaxPositions::get().saturating_mul(4) }>) -> Result<(), BenchmarkError> {
        let (id, evidence) = prompt_evidence::<T>(b)?;
        let who = rich::<T>("challenger", 0)?;

        #[extrinsic_call]
        dispute(RawOrigin::Signed(who), id, evidence);

        assert_upheld::<T>(id)
    }

    #[benchmark]
    fn authorize_dispute(b: Linear<8_000, 200_000>) -> Result<(), BenchmarkError> {
        let (session, evidence) = row_evidence::<T>(b)?;
        let key = take::<T>(session)?.gateway.key;
        let bytes = dispute::signed_bytes(&Pallet::<T>::genesis(), session, &evidence, &key);
        let signature = key.sign(&bytes).ok_or("the keystore does not sign")?;
        let call: <T as frame_system::Config>::RuntimeCall =
            Call::dispute_as_worker { session, evidence, key, signature }.into();

        #[block]
        {
            call.authorize(TransactionSource::External)
                .ok_or("dispute_as_worker is not authorised")?
                .map_err(|_| "the dispute is not let in")?;
        }

        Ok(())
    }

    #[benchmark]
    fn lock() -> Result<(), BenchmarkError> {
        let (who, amount) = shareholder::<T>()?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), 0, Class::Contribution, amount);

        assert!(Holdings::<T>::contains_key(0, &who));
        Ok(())
    }

    #[benchmark]
    fn unlock() -> Result<(), BenchmarkError> {
        let (who, amount) = shareholder::<T>()?;
        Pallet::<T>::do_lock(who.clone(), 0, Class::Contribution, amount)?;
        frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::max_value());

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), 0, Class::Contribution, amount);

        assert!(!Holdings::<T>::contains_key(0, &who));
        Ok(())
    }

    #[benchmark]
    fn set_parameters() -> Result<(), BenchmarkError> {
        let origin = T::ParametersOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, T::DefaultParameters::get());

        assert!(CurrentParameters::<T>::exists());
        Ok(())
    }

    /// Looks that find a stale entry, remove it and move on to the next block: as much as any look does.
    #[benchmark]
    fn agenda_look() -> Result<(), BenchmarkError> {
        let id = assigned::<T>(MAX_SESSION_WORKERS)?;
        let stale: BlockNumberFor<T> = One::one();
        Agenda::<T>::insert(stale, id, ());
        NextDue::<T>::put(stale);

        #[block]
        {
            Pallet::<T>::work_through_agenda(stale, Weight::MAX);
        }

        assert!(!Agenda::<T>::contains_key(stale, id));
        Ok(())
    }

    /// All have the smallest bond, so that most tries are in vain.
    #[benchmark]
    fn assign(n: Linear<1, MAX_SESSION_WORKERS>) -> Result<(), BenchmarkError> {
        let (_, id) = new_session::<T>(n)?;
        let session = take::<T>(id)?;

        #[block]
        {
            Pallet::<T>::assign(id, session, One::one());
        }

        assert_eq!(take::<T>(id)?.state.team().len(), n as usize);
        Ok(())
    }

    /// The gateway pays, and another worker takes its place.
    #[benchmark]
    fn time_out() -> Result<(), BenchmarkError> {
        let id = assigned::<T>(MAX_SESSION_WORKERS)?;
        let session = take::<T>(id)?;
        let gateway = session.gateway.account.clone();

        #[block]
        {
            Pallet::<T>::time_out(id, session, One::one());
        }

        assert!(matches!(take::<T>(id)?.state, State::Settling { .. }));
        assert_eq!(Workers::<T>::get(&gateway).and_then(|worker| worker.place), None);
        Ok(())
    }

    /// The window is over, and the gateway pays for what was noted.
    #[benchmark]
    fn end_session() -> Result<(), BenchmarkError> {
        let id = assigned::<T>(MAX_SESSION_WORKERS)?;
        let (team, closing) = (team::<T>(id)?, closing(&llama(), 4)?);
        let ranges = ranges(MAX_SESSION_WORKERS, &RangeVote::Won(TensorId::default()));
        let challenger = rich::<T>("challenger", 0)?;
        let note = Note { position: 0, ranges: u32::MAX, challenger, is_excused: false };
        let notes = Notes { notes: BoundedVec::truncate_from(vec![note]), ..Notes::default() };
        let (faults, false_keys, until) = (Faults::default(), BoundedVec::new(), One::one());
        let state = State::Disputable { team, closing, ranges, faults, false_keys, notes, until };
        set_state::<T>(id, Some(until), state)?;
        let session = take::<T>(id)?;

        #[block]
        {
            Pallet::<T>::end_window(id, session, One::one());
        }

        assert!(matches!(take::<T>(id)?.state, State::Settling { .. }));
        Ok(())
    }

    #[benchmark]
    fn open_votes(n: Linear<1, MAX_SESSION_WORKERS>) -> Result<(), BenchmarkError> {
        let id = closed::<T>(n)?;
        let session = take::<T>(id)?;
        FirstWaiting::<T>::put((BlockNumberFor::<T>::max_value(), id));

        #[block]
        {
            Pallet::<T>::begin_votes(id, session, One::one());
        }

        assert!(matches!(take::<T>(id)?.state, State::Voting { .. } | State::Closed { .. }));
        Ok(())
    }

    /// Of a session that is before all others.
    #[benchmark]
    fn postpone_votes() -> Result<(), BenchmarkError> {
        let id = closed::<T>(1)?;

        #[block]
        {
            let session = take::<T>(id)?;
            assert!(Pallet::<T>::turn_of(id, &session, One::one()).is_some());
            Pallet::<T>::wait(id, session, true, One::one());
        }

        assert_eq!(FirstWaiting::<T>::get().map(|(_, first)| first), Some(id));
        Ok(())
    }

    /// One range is void, so that all that count are looked at.
    #[benchmark]
    fn settle_worker() -> Result<(), BenchmarkError> {
        let id = settling::<T>(0)?;
        let mut session = take::<T>(id)?;
        if let State::Settling { end: End::Paid(work), .. } = &mut session.state {
            if let Some(range) = work.ranges.get_mut(1) {
                (range.vote, range.backers) = (RangeVote::Void, 0);
            }
        }

        #[block]
        {
            Pallet::<T>::settle_worker(id, session);
        }

        assert!(matches!(take::<T>(id)?.state, State::Settling { next: 1, .. }));
        Ok(())
    }

    /// Credits are divided among both classes.
    #[benchmark]
    fn finish() -> Result<(), BenchmarkError> {
        let id = settling::<T>(MAX_SESSION_WORKERS)?;
        Pots::<T>::mutate(0, |pot| {
            if let Some(pot) = pot {
                (pot.contribution.locked, pot.rows.locked) = (1, 1);
            }
        });
        let session = take::<T>(id)?;

        #[block]
        {
            Pallet::<T>::finish(id, session);
        }

        assert!(!Sessions::<T>::contains_key(id));
        Ok(())
    }

    #[benchmark]
    fn vote_left() -> Result<(), BenchmarkError> {
        let id = voting::<T>()?;
        let voter = team::<T>(id)?.last().map(|party| party.key.clone()).ok_or("no worker")?;
        let matter = Matter::Trace { session: id, range: 0 };

        #[block]
        {
            Pallet::<T>::left(matter, &voter, None);
        }

        Ok(())
    }

    #[benchmark]
    fn vote_ended() -> Result<(), BenchmarkError> {
        let id = voting::<T>()?;
        let matter = Matter::Trace { session: id, range: 0 };

        #[block]
        {
            Pallet::<T>::ended(matter, VoteEnd::Settled(TensorId::default()));
        }

        assert!(matches!(take::<T>(id)?.state, State::Disputable { .. }));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_chain(), crate::mock::Test);
}
