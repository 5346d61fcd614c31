//! A session from its opening to its settlement, through all pallets that take part.

use codec::Encode;
use ensemble_compute::inference::{Architecture, Llama, Trace};
use ensemble_core::{
    exchange::Audience,
    inference::{closing_bytes, consent_bytes, Closing, Consent, Payment, RangeVote, SessionPhase},
    tasks::Descriptor,
    AssetId, AttesterId, TaskId,
};
use ensemble_runtime::{
    AccountId, Assets, Balance, Balances, BlockNumber, Inference, Runtime, RuntimeCall, System, Tasks, TUNE,
};
use ensemble_tensor::{Bundle, Header, Kind, Tensor, TensorId};
use frame_support::{
    assert_noop, assert_ok,
    traits::{fungible::Inspect, Authorize, Hooks},
    weights::Weight,
};
use frame_system::RawOrigin;
use pallet_inference::{Question, Sessions};
use pallet_tasks::{Attestation, Call, Contribution, Opened, Sealed};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_runtime::{traits::Dispatchable, transaction_validity::TransactionSource};

use crate::{account, on_chain, preset, signed};

/// The task that the model has won.
const TASK: TaskId = 1_000;
const SALT: [u8; 32] = [7; 32];
const BOND: Balance = 200 * TUNE;
/// Who serves rows, and who drives the generation.
const WORKERS: [Sr25519Keyring; 3] = [Bob, Charlie, Dave];
const GATEWAY: Sr25519Keyring = Eve;

fn llama() -> Llama {
    Llama {
        layers: 30,
        width: 576,
        heads: 9,
        kv_heads: 3,
        head_width: 64,
        hidden: 1_536,
        vocabulary: 49_152,
        positions: 8_192,
        epsilon: 1,
        rope_interleaved: true,
        tied: true,
    }
}

fn id_of(header: Header, bytes: &[u8]) -> (Descriptor, TensorId) {
    let outline = Tensor::new(header, bytes).expect("it fits").outline().expect("it has a root");
    let descriptor = Descriptor { header, root: outline.root() };
    (descriptor, descriptor.id())
}

/// The manifest of a model of which nobody has the tensors, and its `config`.
fn bundle() -> (Vec<u8>, Vec<u8>) {
    let llama = llama();
    let config = Architecture::Llama(llama).encode();
    let (_, config_id) = id_of(Header::bytes(config.len() as u64).expect("it is short"), &config);
    let stages = (0..llama.stages()).filter_map(|number| llama.stage(number));
    let shapes = stages.flat_map(|stage| llama.matrices(stage)).chain(llama.tables());
    let names: Vec<String> = shapes.map(|shape| shape.name).chain(["tokenizer".into()]).collect();
    let members = names.iter().map(|name| (name.as_str(), TensorId([1; 32])));
    let manifest = Bundle::encode(members.chain([("config", config_id)])).expect("it has names");
    (manifest, config)
}

/// Has a task been won by the bundle, as if the chain had settled it long ago.
fn win() {
    let (manifest, _) = bundle();
    let (descriptor, content) = id_of(Bundle::header(&manifest).expect("it is short"), &manifest);
    let contribution = Contribution {
        creator: account(Alice),
        content,
        descriptor,
        audience: Audience::Public,
        winners: 1,
        weight: 1,
        committed: 1,
        committed_weight: 1,
        settled_at: 0,
    };
    pallet_tasks::Contributions::<Runtime>::insert(TASK, contribution);
}

fn run_to(block: BlockNumber) {
    while System::block_number() < block {
        let now = System::block_number();
        Tasks::on_idle(now, Weight::MAX);
        Inference::on_idle(now, Weight::MAX);
        System::set_block_number(now + 1);
        Tasks::on_initialize(now + 1);
    }
}

/// Lets a call of nobody in as the transaction extension does, and dispatches it.
fn let_in(call: impl Into<RuntimeCall>) {
    let call = call.into();
    call.authorize(TransactionSource::External).expect("it is authorised").expect("it is let in");
    assert_ok!(call.dispatch(RawOrigin::Authorized.into()));
}

fn genesis() -> ensemble_runtime::Hash {
    System::block_hash(0)
}

fn join(who: Sr25519Keyring) {
    let peer = [&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20], &[1; 32][..]].concat().try_into().expect("it is short");
    let proof = who.sign(&(*b"POP_", account(who)).encode()).into();
    assert_ok!(Inference::join(signed(who), 0, peer, AttesterId::from(who.public()), proof, BOND));
}

fn pledged() -> Balance {
    Inference::worker_view(account(GATEWAY)).expect("it is a worker").pledged
}

fn phase() -> SessionPhase<AccountId, BlockNumber> {
    Inference::session_view(0).expect("it is not over").phase
}

/// The trace that a range's workers agree on.
fn trace(range: u32) -> Descriptor {
    let header = Trace::header_of(&llama(), 3).expect("it is a tensor");
    Descriptor { header, root: [range as u8 + 1; 32] }
}

/// Has all three workers vote on a range, and the chain's only validator attest what won.
fn vote(range: u32, task: TaskId) {
    let descriptor = trace(range);
    for who in WORKERS {
        let voter = AttesterId::from(who.public());
        let commitment = Tasks::commitment(&descriptor.id(), &voter, task, &SALT);
        let sealed = Sealed { task, voter, commitment };
        let signature = who.sign(&sealed.signed_bytes(&genesis())).into();
        let_in(Call::<Runtime>::commit_as_attester { sealed, signature });
    }
}

fn reveal(range: u32, task: TaskId) {
    for who in WORKERS {
        let opened = Opened { task, voter: AttesterId::from(who.public()), descriptor: trace(range), salt: SALT };
        let signature = who.sign(&opened.signed_bytes(&genesis())).into();
        let_in(Call::<Runtime>::reveal_as_attester { opened, signature });
    }
}

fn attest(range: u32, task: TaskId) {
    let attestation = Attestation { task, content: trace(range).id(), attester: AttesterId::from(Alice.public()) };
    let signature = Alice.sign(&attestation.signed_bytes(&genesis())).into();
    let_in(Call::<Runtime>::attest { attestation, signature });
}

#[test]
fn a_question_is_answered_voted_on_and_paid() {
    on_chain(preset("development"), || {
        win();
        let (manifest, config) = bundle();
        let (manifest, config) = (manifest.try_into().expect("short"), config.try_into().expect("short"));
        assert_ok!(Inference::register_model(signed(Alice), TASK, manifest, config));
        WORKERS.into_iter().chain([GATEWAY]).for_each(join);
        let question =
            Question { prompt: Default::default(), prompt_tokens: 2, max_tokens: 100, workers: 3, replicas: 3 };
        let quote = Inference::quote(0, 101, 3, 3).expect("it can be");
        assert!(quote.price > TUNE / 100 && quote.price < TUNE, "{quote:?}");
        let rich = Balances::total_balance(&account(Ferdie));
        let until = System::block_number() + 100;
        let agreed = consent_bytes(&genesis(), &account(Ferdie), 0, &question, Payment::Tune, 7, &until);
        let consent = Consent { number: 7, until, signature: GATEWAY.sign(&agreed).into() };
        let open = |consent| Inference::open(signed(Ferdie), 0, account(GATEWAY), question, Payment::Tune, consent);
        assert_noop!(open(None), pallet_inference::Error::<Runtime>::NoConsent);
        assert_ok!(open(Some(consent.clone())));
        assert_noop!(open(Some(consent)), pallet_inference::Error::<Runtime>::ConsentUsed);
        assert_eq!(pledged(), quote.price);
        run_to(System::block_number() + 5);
        let SessionPhase::Assigned { workers, .. } = phase() else { panic!("{:?}", phase()) };
        assert_eq!(workers.len(), 3);

        let tokens = Descriptor { header: Header::new(Kind::I32, 4, 1).expect("a shape"), root: [9; 32] };
        let closing = Closing { tokens, trace: trace(8), contested: None };
        let signature = GATEWAY.sign(&closing_bytes(&genesis(), 0, &closing)).into();
        let_in(pallet_inference::Call::<Runtime>::close { session: 0, closing, signature });
        run_to(System::block_number() + 1);
        let SessionPhase::Voting { votes, .. } = phase() else { panic!("{:?}", phase()) };
        let tasks: Vec<_> = (0..)
            .zip(votes)
            .map(|(range, vote)| match vote {
                RangeVote::Open(task) => (range, task),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(tasks.len(), 3);
        tasks.iter().for_each(|(range, task)| vote(*range, *task));
        let view = Tasks::task_view(tasks[0].1).expect("it is open");
        run_to(view.commit_until + 1);
        tasks.iter().for_each(|(range, task)| reveal(*range, *task));
        run_to(view.reveal_until + 2);
        tasks.iter().for_each(|(range, task)| attest(*range, *task));
        run_to(System::block_number() + 1);
        let SessionPhase::Disputable { votes, until, .. } = phase() else { panic!("{:?}", phase()) };
        assert!((0..).zip(votes).all(|(range, vote)| vote == RangeVote::Won(trace(range).id())));

        let before: Vec<_> = WORKERS.map(|who| Balances::total_balance(&account(who))).into();
        run_to(until + 2);
        assert!(!Sessions::<Runtime>::contains_key(0));
        let paid = WORKERS.into_iter().zip(before).map(|(who, before)| Balances::total_balance(&account(who)) - before);
        let paid: Vec<_> = paid.collect();
        assert!(paid.iter().all(|one| *one > 0 && *one == paid[0]), "{paid:?}");
        // Three positions of 135 million products: 403 units.
        assert!(
            WORKERS.iter().all(|who| Assets::balance(AssetId::Rows(0), account(*who)) == 0),
            "fewer than anybody may own"
        );
        assert_eq!(pledged(), 0);
        // It cost what three positions cost, not a hundred.
        let spent = rich - Balances::total_balance(&account(Ferdie));
        assert!(spent > 0 && spent < quote.price / 2, "{spent} of {}", quote.price);
        #[cfg(feature = "try-runtime")]
        {
            assert_ok!(<Tasks as Hooks<BlockNumber>>::try_state(System::block_number()));
            assert_ok!(<Inference as Hooks<BlockNumber>>::try_state(System::block_number()));
        }
    });
}
