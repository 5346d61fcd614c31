//! A space from its creation to the report of its first round, through all pallets that take part.

use codec::Encode;
use ensemble_core::{
    exchange::Audience,
    spaces::{Activity, Contributors, Finding, Member, Report, Rule, SpaceSpec, Standing, REPORT, STATE},
    tasks::{Descriptor, Phases, Terms, Weighting},
    AttesterId, TaskId,
};
use ensemble_runtime::{
    Balances, BlockNumber, Runtime, RuntimeCall, RuntimeEvent, Spaces, System, Tasks, EXISTENTIAL_DEPOSIT, TUNE,
};
use ensemble_tensor::{Bundle, Header, Kind, Tensor, TensorId};
use frame_support::{
    assert_ok,
    traits::{Authorize, Hooks},
    weights::Weight,
};
use frame_system::RawOrigin;
use pallet_tasks::{Access, Attestation, Call, Opened, Sealed};
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::{traits::Dispatchable, transaction_validity::TransactionSource, Permill};

use crate::{account, on_chain, preset, signed};

const SALT: [u8; 32] = [7; 32];

fn spec() -> SpaceSpec<BlockNumber> {
    SpaceSpec {
        rows: 8,
        cols: 4,
        anchors: 4,
        vocabulary: None,
        matrices: Default::default(),
        rule: Rule::GeometricMedian,
        tolerated: Permill::from_percent(40),
        contributors: Contributors::Owner,
        capacity: 4,
        quorum: 1,
        least_weight: 1,
        most_weight: 1,
        cadence: 20,
    }
}

fn run_to(block: BlockNumber) {
    while System::block_number() < block {
        let now = System::block_number();
        Tasks::on_idle(now, Weight::MAX);
        Spaces::on_idle(now, Weight::MAX);
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

/// Has the chain's only validator attest what leads a task.
fn attest(task: TaskId, content: TensorId) {
    let attestation = Attestation { task, content, attester: AttesterId::from(Alice.public()) };
    let signature = Alice.sign(&attestation.signed_bytes(&genesis())).into();
    let_in(Call::<Runtime>::attest { attestation, signature });
}

/// Has Bob win a task that names the space.
fn contribute() -> (TaskId, TensorId) {
    let task = pallet_tasks::NextTaskId::<Runtime>::get();
    let terms = Terms {
        base: TUNE,
        growth: Permill::zero(),
        minority_share: Permill::zero(),
        bond: 10 * EXISTENTIAL_DEPOSIT,
        minority_slash: Permill::zero(),
    };
    let phases = Phases { commit: 2, reveal: 2, attest: 2 };
    assert_ok!(Tasks::create(
        signed(Alice),
        spec().contribution(),
        Access::Open,
        Weighting::Account,
        phases,
        1,
        1,
        terms,
        Audience::Public,
        Some(0),
    ));
    let descriptor = Descriptor { header: Header::new(Kind::I16, 8, 4).expect("a shape"), root: [1; 32] };
    let commitment = Tasks::commitment(&descriptor.id(), &account(Bob), task, &SALT);
    assert_ok!(Tasks::commit(signed(Bob), task, commitment, 10 * EXISTENTIAL_DEPOSIT));
    let now = System::block_number();
    run_to(now + 3);
    assert_ok!(Tasks::reveal(signed(Bob), task, descriptor, SALT));
    run_to(now + 6);
    attest(task, descriptor.id());
    run_to(now + 7);
    (task, descriptor.id())
}

/// What the round results in: the manifest, the report and the bundle's descriptor.
fn result() -> (Vec<u8>, Vec<u8>, Descriptor) {
    let report = Report::truncate_from(vec![Finding { rejection: None, distance: 3 }]).encode();
    let header = Header::bytes(report.len() as u64).expect("it is short");
    let named = Tensor::new(header, &report).expect("it fits").id().expect("it has an id");
    let manifest = Bundle::encode([(STATE, TensorId([9; 32])), (REPORT, named)]).expect("it has names");
    let header = Bundle::header(&manifest).expect("it is short");
    let outline = Tensor::new(header, &manifest).expect("it fits").outline().expect("it has a root");
    (manifest, report, Descriptor { header, root: outline.root() })
}

fn only_member() -> Member {
    let mut members = Spaces::members_of(0);
    assert_eq!(members.len(), 1);
    members.remove(0)
}

#[test]
fn what_wins_a_task_becomes_the_state_of_its_space() {
    on_chain(preset("development"), || {
        assert_ok!(Spaces::create(signed(Alice), spec()));
        let (won, content) = contribute();
        let member = only_member();
        assert_eq!((member.task, member.content, member.weight), (won, content, 1));

        // The round begins with the next block that has room, is paid for by the space's owner, and voted on by the chain's
        // only validator.
        let issued = Balances::total_issuance();
        run_to(System::block_number() + 2);
        let fee = Spaces::round_fee(&spec());
        assert!(fee > TUNE / 10 && fee < TUNE, "{fee}");
        assert_eq!(Balances::total_issuance(), issued - fee);
        let space = Spaces::space_view(0).expect("it is there");
        let Activity::Running { round, task, .. } = space.activity else { panic!("no round: {:?}", space.activity) };
        let issued = Balances::total_issuance();
        let voter = AttesterId::from(Alice.public());
        let (manifest, report, descriptor) = result();
        let commitment = Tasks::commitment(&descriptor.id(), &voter, task, &SALT);
        let sealed = Sealed { task, voter: voter.clone(), commitment };
        let signature = Alice.sign(&sealed.signed_bytes(&genesis())).into();
        let_in(Call::<Runtime>::commit_as_attester { sealed, signature });
        let view = Tasks::task_view(task).expect("it is open");
        run_to(view.commit_until + 1);
        let opened = Opened { task, voter, descriptor, salt: SALT };
        let signature = Alice.sign(&opened.signed_bytes(&genesis())).into();
        let_in(Call::<Runtime>::reveal_as_attester { opened, signature });
        run_to(view.reveal_until + 2);
        attest(task, descriptor.id());
        run_to(System::block_number() + 1);

        let state = Spaces::state_of(0).expect("it settled");
        assert_eq!((state.round, state.content, state.reported), (round, descriptor.id(), false));
        assert_eq!(Tasks::task_view(task), None);
        assert_eq!(Balances::total_issuance(), issued, "nobody pays for votes");
        let failed = System::events()
            .into_iter()
            .filter(|record| matches!(record.event, RuntimeEvent::Tasks(pallet_tasks::Event::VoterFailed { .. })));
        assert_eq!(failed.count(), 0);

        let (manifest, report) = (manifest.try_into().expect("short"), report.try_into().expect("short"));
        let_in(pallet_spaces::Call::<Runtime>::submit_report { space: 0, round, manifest, report });
        let member = only_member();
        assert_eq!(member.last, Some((round, Finding { rejection: None, distance: 3 })));
        assert_eq!(member.standing, Standing::FRESH);
        #[cfg(feature = "try-runtime")]
        {
            assert_ok!(<Tasks as Hooks<BlockNumber>>::try_state(System::block_number()));
            assert_ok!(<Spaces as Hooks<BlockNumber>>::try_state(System::block_number()));
        }
    });
}
