//! Benchmarks: each call, and each step that time brings, at its worst.
//!
//! None has a component in the number of tasks or attesters on the chain, or of participants beyond those that one call
//! settles.

use alloc::vec::Vec;

use ensemble_core::votes::{VoteSpec, Voters, Votes};
use ensemble_tensor::{Header, Kind};
use frame_benchmarking::v2::*;
use frame_support::traits::{fungible::Balanced, tokens::Precision, Authorize, Hooks};
use frame_system::RawOrigin;
use sp_application_crypto::RuntimeAppPublic;
use sp_runtime::{
    traits::{One, SaturatedConversion, Saturating, Zero},
    Permill,
};

use super::{settle::Unsettled, *};

const BASE: Balance = 1_000_000_000_000;
const SALT: [u8; 32] = [7; 32];

type Benched<R = ()> = Result<R, BenchmarkError>;

fn funded<T: Config>(name: &'static str, index: u32) -> T::AccountId {
    let who = account(name, index, 0);
    // Twice the rewards of all participants at full growth, so that nothing fails for want of money.
    let participants = Balance::from(T::MaxParticipants::get());
    let amount = BASE.saturating_mul(2).saturating_mul(participants).saturating_mul(participants);
    let rent = T::RentPerMib::get().saturating_mul(16);
    let costs = T::TaskDeposit::get().saturating_add(T::AttestFee::get()).saturating_add(rent);
    drop(T::Currency::deposit(&who, amount.saturating_add(costs), Precision::Exact));
    who
}

fn content() -> Content {
    Content::Tensor { kind: Kind::Q8_0, rows: 32_000, cols: 256 }
}

fn descriptor(root: u8) -> Descriptor {
    let header = Header::new(Kind::Q8_0, 32_000, 256).expect("the shape is within the limits; qed");
    Descriptor { header, root: [root; 32] }
}

fn request<T: Config>(access: AccessOf<T>, participants: u32) -> Request<T> {
    let bond = T::MinBond::get();
    Request {
        content: content(),
        access,
        weighting: Weighting::Bond { cap: bond.saturating_mul(2) },
        phases: Phases { commit: T::MinPhase::get(), reveal: T::MinPhase::get(), attest: T::MinPhase::get() },
        quorum: 1,
        max_participants: participants,
        terms: Terms {
            base: BASE,
            growth: Permill::one(),
            minority_share: Permill::from_percent(50),
            bond,
            minority_slash: Permill::from_percent(50),
        },
        audience: Audience::Restricted { exchanged: true },
        // What a space takes is charged beside this.
        space: None,
    }
}

fn committee<T: Config>(members: u32) -> AccessOf<T> {
    let members: Vec<T::AccountId> = (0..members).map(|index| account("member", index, 0)).collect();
    Access::Committee(BoundedVec::truncate_from(members))
}

fn set_block<T: Config>(now: BlockNumberFor<T>) {
    frame_system::Pallet::<T>::set_block_number(now);
}

/// A task for a committee as large as it may be.
fn create_task<T: Config>() -> Benched<TaskId> {
    set_block::<T>(One::one());
    let id = NextTaskId::<T>::get();
    let participants = T::MaxParticipants::get();
    Pallet::<T>::do_create(funded::<T>("creator", 0), request::<T>(committee::<T>(participants), participants))?;
    Ok(id)
}

fn commit_to<T: Config>(id: TaskId, index: u32, descriptor: &Descriptor) -> Benched<T::AccountId> {
    let who = funded::<T>("member", index);
    let commitment = Pallet::<T>::commitment(&descriptor.id(), &who, id, &SALT);
    Pallet::<T>::do_commit(who.clone(), id, commitment, T::MinBond::get())?;
    Ok(who)
}

fn reveals_begin<T: Config>(id: TaskId) -> Benched {
    let task = Pallet::<T>::task(id).map_err(|_| "no task")?;
    set_block::<T>(task.commit_until.saturating_add(One::one()));
    Ok(())
}

/// A task whose reveals are over: `winners` of one content, and `minority` with a content of their own each.
fn revealed_task<T: Config>(winners: u32, minority: u32) -> Benched<TaskId> {
    let id = create_task::<T>()?;
    let mut parts = Vec::new();
    for index in 0..winners.saturating_add(minority) {
        let root = if index < winners { 0 } else { 1 };
        parts.push((commit_to::<T>(id, index, &descriptor(root))?, descriptor(root)));
    }
    reveals_begin::<T>(id)?;
    for (who, descriptor) in parts {
        Pallet::<T>::do_reveal(who, id, descriptor, SALT)?;
    }
    let task = Pallet::<T>::task(id).map_err(|_| "no task")?;
    set_block::<T>(task.due.saturating_add(T::DrawDelay::get()));
    Ok(id)
}

fn step<T: Config>(id: TaskId, step: Step) -> Benched {
    let task = Pallet::<T>::task(id).map_err(|_| "no task")?;
    let now = frame_system::Pallet::<T>::block_number();
    Pallet::<T>::take_step(id, task, step, now, &mut Unsettled::<T>::of(id));
    Ok(())
}

/// As many attesters as the chain allows.
pub(crate) fn fill_attesters<T: Config>() {
    let keys: Vec<_> = (0..T::MaxAttesters::get()).map(|_| AttesterId::generate_pair(None)).collect();
    Attesters::<T>::put(BoundedVec::truncate_from(keys));
}

/// A task in its attest phase. Of the panel, `given` have attested.
fn attesting_task<T: Config>(winners: u32, minority: u32, given: usize) -> Benched<TaskId> {
    fill_attesters::<T>();
    let id = revealed_task::<T>(winners, minority)?;
    step::<T>(id, Step::CloseReveal)?;
    Attestations::<T>::mutate(id, |panel| {
        let seats = panel.iter_mut().flat_map(|panel| panel.seats.iter_mut());
        seats.take(given).for_each(|seat| seat.attested = true);
    });
    Ok(id)
}

/// The attestation of the last drawn attester, signed.
fn attestation<T: Config>(id: TaskId) -> Benched<(Attestation, AttesterSignature)> {
    let panel = Attestations::<T>::get(id).ok_or("no panel")?;
    let attester = panel.seats.last().ok_or("an empty panel")?.attester.clone();
    let attestation = Attestation { task: id, content: panel.content, attester };
    let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
    let signature =
        attestation.attester.sign(&attestation.signed_bytes(&genesis)).ok_or("the keystore does not sign")?;
    Ok((attestation, signature))
}

/// The number of attestations that decides, less one.
fn one_short<T: Config>() -> usize {
    let drawn = T::AttestersPerTask::get();
    drawn.saturating_mul(2).div_ceil(3).saturating_sub(1).saturated_into()
}

/// A task that is won, before the first participant is settled. The exchange has as much to do as it can have.
fn won_task<T: Config>(winners: u32, minority: u32) -> Benched<TaskId> {
    for index in 0..winners {
        T::Exchange::prepare_for_benchmark(&account("member", index, 0));
    }
    let id = attesting_task::<T>(winners, minority, one_short::<T>())?;
    let (attestation, _) = attestation::<T>(id)?;
    Pallet::<T>::do_attest(attestation)?;
    Ok(id)
}

/// The vote of as many validators as there can be, which is more than can be named, on a round of a space that is not
/// there. What is done when it is told is charged beside this.
fn open_vote<T: Config>() -> Benched<TaskId> {
    fill_attesters::<T>();
    set_block::<T>(One::one());
    let phases = Phases { commit: T::MinPhase::get(), reveal: T::MinPhase::get(), attest: T::MinPhase::get() };
    let matter = Matter::Round { space: SpaceId::MAX, round: 0 };
    Ok(Pallet::<T>::open(VoteSpec { matter, content: content(), phases, voters: Voters::Session })?)
}

/// The commitment of a voter, signed.
fn sealed<T: Config>(task: TaskId) -> Benched<(Sealed, AttesterSignature)> {
    let voter = Ballots::<T>::iter_key_prefix(task).next().ok_or("no voters")?;
    let commitment = Pallet::<T>::commitment(&descriptor(0).id(), &voter, task, &SALT);
    let sealed = Sealed { task, voter, commitment };
    let bytes = sealed.signed_bytes(&Pallet::<T>::genesis());
    let signature = sealed.voter.sign(&bytes).ok_or("the keystore does not sign")?;
    Ok((sealed, signature))
}

/// A vote of which one has committed and reveals are taken, with what opens the commitment, signed.
fn opened<T: Config>() -> Benched<(Opened, AttesterSignature)> {
    let task = open_vote::<T>()?;
    let (sealed, _) = sealed::<T>(task)?;
    let voter = sealed.voter.clone();
    Pallet::<T>::do_commit_as_attester(sealed)?;
    reveals_begin::<T>(task)?;
    let opened = Opened { task, voter, descriptor: descriptor(0), salt: SALT };
    let bytes = opened.signed_bytes(&Pallet::<T>::genesis());
    let signature = opened.voter.sign(&bytes).ok_or("the keystore does not sign")?;
    Ok((opened, signature))
}

/// A vote that is over, of which one revealed and was outvoted and all others came not.
fn decided_vote<T: Config>() -> Benched<TaskId> {
    let (opened, _) = opened::<T>()?;
    let id = opened.task;
    Pallet::<T>::do_reveal_as_attester(opened)?;
    let mut task = Pallet::<T>::task(id).map_err(|_| "no task")?;
    let other = descriptor(1);
    let leader = Leader { content: other.id(), descriptor: other, weight: 1, backers: 1 };
    Pallet::<T>::decide(id, &mut task, Outcome::Won(leader));
    Tasks::<T>::insert(id, task);
    Ok(id)
}

fn unsettled<T: Config>(id: TaskId) -> Option<u32> {
    match Tasks::<T>::get(id)?.state {
        State::Settling { unsettled, .. } => Some(unsettled),
        State::Open { .. } | State::Attesting { .. } => None,
    }
}

#[benchmarks(where <T as frame_system::Config>::RuntimeCall: From<Call<T>>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn create(c: Linear<0, { T::MaxParticipants::get() }>) {
        let access = if c == 0 { Access::Open } else { committee::<T>(c) };
        let Request { content, access, weighting, phases, quorum, max_participants, terms, audience, space } =
            request::<T>(access, c.max(1));
        let creator = funded::<T>("creator", 0);

        #[extrinsic_call]
        _(
            RawOrigin::Signed(creator),
            content,
            access,
            weighting,
            phases,
            quorum,
            max_participants,
            terms,
            audience,
            space,
        );

        assert_eq!(Tasks::<T>::count(), 1);
    }

    #[benchmark]
    fn commit() -> Result<(), BenchmarkError> {
        let id = create_task::<T>()?;
        let who = funded::<T>("member", 0);
        let commitment = Pallet::<T>::commitment(&descriptor(0).id(), &who, id, &SALT);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), id, commitment, T::MinBond::get());

        assert!(Participations::<T>::contains_key(id, who));
        Ok(())
    }

    #[benchmark]
    fn reveal() -> Result<(), BenchmarkError> {
        let id = create_task::<T>()?;
        let who = commit_to::<T>(id, 0, &descriptor(0))?;
        reveals_begin::<T>(id)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who), id, descriptor(0), SALT);

        assert_eq!(Tallies::<T>::get(id, descriptor(0).id()).backers, 1);
        Ok(())
    }

    #[benchmark]
    fn cancel() -> Result<(), BenchmarkError> {
        let id = create_task::<T>()?;

        #[extrinsic_call]
        _(RawOrigin::Signed(account("creator", 0, 0)), id);

        assert!(!Tasks::<T>::contains_key(id));
        Ok(())
    }

    /// Settles `n` winners and finishes the task.
    #[benchmark]
    fn advance(n: Linear<1, { T::SettlePerCall::get().min(T::MaxParticipants::get()) }>) -> Result<(), BenchmarkError> {
        let id = won_task::<T>(n, 0)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(funded::<T>("caller", 0)), id);

        assert!(Contributions::<T>::contains_key(id));
        Ok(())
    }

    /// The attestation that decides.
    #[benchmark]
    fn attest() -> Result<(), BenchmarkError> {
        let id = attesting_task::<T>(1, 0, one_short::<T>())?;
        let (attestation, signature) = attestation::<T>(id)?;

        #[extrinsic_call]
        _(RawOrigin::Authorized, attestation, signature);

        assert_eq!(unsettled::<T>(id), Some(1));
        Ok(())
    }

    #[benchmark]
    fn authorize_attest() -> Result<(), BenchmarkError> {
        let id = attesting_task::<T>(1, 0, 0)?;
        let (attestation, signature) = attestation::<T>(id)?;
        let call: <T as frame_system::Config>::RuntimeCall = Call::attest { attestation, signature }.into();

        #[block]
        {
            call.authorize(TransactionSource::External)
                .ok_or("attest is not authorised")?
                .map_err(|_| "the attestation is not let in")?;
        }

        Ok(())
    }

    #[benchmark]
    fn on_initialize() {
        PanelsOpened::<T>::put(1);
        let before = Entropy::<T>::get();
        let now = frame_system::Pallet::<T>::block_number();

        #[block]
        {
            Pallet::<T>::on_initialize(now);
        }

        assert_eq!(PanelsOpened::<T>::get(), 0);
        assert!(Entropy::<T>::get() != before);
    }

    /// Looks that find a stale entry, remove it and move on to the next block: as much as any look does.
    #[benchmark]
    fn agenda_look() -> Result<(), BenchmarkError> {
        let id = create_task::<T>()?;
        let due = Pallet::<T>::task(id).map_err(|_| "no task")?.due;
        let stale = due.saturating_sub(One::one());
        Agenda::<T>::insert(stale, id, ());
        NextDue::<T>::put(stale);

        #[block]
        {
            Pallet::<T>::work_through_agenda(stale, Weight::MAX);
        }

        assert!(!Agenda::<T>::contains_key(stale, id));
        Ok(())
    }

    #[benchmark]
    fn close_reveal() -> Result<(), BenchmarkError> {
        fill_attesters::<T>();
        let id = revealed_task::<T>(1, 0)?;

        #[block]
        {
            step::<T>(id, Step::CloseReveal)?;
        }

        assert!(Attestations::<T>::contains_key(id));
        Ok(())
    }

    #[benchmark]
    fn close_attest() -> Result<(), BenchmarkError> {
        let id = attesting_task::<T>(1, 0, 0)?;

        #[block]
        {
            step::<T>(id, Step::CloseAttest)?;
        }

        assert_eq!(unsettled::<T>(id), Some(1));
        Ok(())
    }

    #[benchmark]
    fn pay_winner() -> Result<(), BenchmarkError> {
        let id = won_task::<T>(1, 0)?;

        #[block]
        {
            step::<T>(id, Step::Pay)?;
        }

        assert_eq!(unsettled::<T>(id), Some(0));
        Ok(())
    }

    #[benchmark]
    fn pay_minority() -> Result<(), BenchmarkError> {
        let id = won_task::<T>(2, 1)?;
        // The winners are out of the way, so that the next participant is the other one.
        for index in 0..2 {
            Participations::<T>::remove(id, account::<T::AccountId>("member", index, 0));
        }

        #[block]
        {
            step::<T>(id, Step::Pay)?;
        }

        assert_eq!(unsettled::<T>(id), Some(2));
        Ok(())
    }

    #[benchmark]
    fn finish() -> Result<(), BenchmarkError> {
        let id = won_task::<T>(1, 0)?;
        step::<T>(id, Step::Pay)?;

        #[block]
        {
            step::<T>(id, Step::Finish)?;
        }

        assert!(Contributions::<T>::contains_key(id));
        Ok(())
    }

    #[benchmark]
    fn commit_as_attester() -> Result<(), BenchmarkError> {
        let id = open_vote::<T>()?;
        let (sealed, signature) = sealed::<T>(id)?;

        #[extrinsic_call]
        _(RawOrigin::Authorized, sealed, signature);

        assert_eq!(Tasks::<T>::get(id).map(|task| task.committed), Some(1));
        Ok(())
    }

    #[benchmark]
    fn authorize_commit_as_attester() -> Result<(), BenchmarkError> {
        let id = open_vote::<T>()?;
        let (sealed, signature) = sealed::<T>(id)?;
        let call: <T as frame_system::Config>::RuntimeCall = Call::commit_as_attester { sealed, signature }.into();

        #[block]
        {
            call.authorize(TransactionSource::External)
                .ok_or("commit_as_attester is not authorised")?
                .map_err(|_| "the commitment is not let in")?;
        }

        Ok(())
    }

    #[benchmark]
    fn reveal_as_attester() -> Result<(), BenchmarkError> {
        let (opened, signature) = opened::<T>()?;
        let id = opened.task;

        #[extrinsic_call]
        _(RawOrigin::Authorized, opened, signature);

        assert_eq!(Tasks::<T>::get(id).map(|task| task.revealed), Some(1));
        Ok(())
    }

    #[benchmark]
    fn authorize_reveal_as_attester() -> Result<(), BenchmarkError> {
        let (opened, signature) = opened::<T>()?;
        let call: <T as frame_system::Config>::RuntimeCall = Call::reveal_as_attester { opened, signature }.into();

        #[block]
        {
            call.authorize(TransactionSource::External)
                .ok_or("reveal_as_attester is not authorised")?
                .map_err(|_| "the reveal is not let in")?;
        }

        Ok(())
    }

    /// A voter that was outvoted.
    #[benchmark]
    fn dismiss() -> Result<(), BenchmarkError> {
        let id = decided_vote::<T>()?;
        let absent: Vec<_> = Ballots::<T>::iter_prefix(id).filter(|(_, ballot)| *ballot == Ballot::Awaited).collect();
        // Out of the way, so that the next voter is the other one.
        absent.into_iter().for_each(|(voter, _)| Ballots::<T>::remove(id, voter));

        #[block]
        {
            step::<T>(id, Step::Dismiss)?;
        }

        assert_eq!(unsettled::<T>(id), Some(T::MaxAttesters::get().saturating_sub(1)));
        Ok(())
    }

    #[benchmark]
    fn conclude_vote() -> Result<(), BenchmarkError> {
        let id = decided_vote::<T>()?;
        drop(Ballots::<T>::clear_prefix(id, u32::MAX, None));

        #[block]
        {
            step::<T>(id, Step::Conclude)?;
        }

        assert!(!Tasks::<T>::contains_key(id));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ExtBuilder::default().build(), crate::mock::Test);
}
