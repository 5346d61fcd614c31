//! Benchmarks: each call, and each step that time and other pallets bring, at its worst.
//!
//! None has a component in the number of spaces. Members, rosters and matrices are as many as there can be.

use alloc::{format, vec::Vec};

use codec::Encode;
use ensemble_core::{
    spaces::{
        Activity, Admission, Basis, Contributors, Entrant, Finding, MatrixSpec, Member, Rejection, Report, Rule,
        Settled, SpaceSpec, Spaces as _, Standing, MAX_MATRICES, MAX_NAME_BYTES, REPORT, STATE,
    },
    votes::{VoteEnd, Votes as _},
};
use ensemble_tensor::{Bundle, Header, Tensor};
use frame_benchmarking::v2::*;
use frame_support::traits::{fungible::Unbalanced, tokens::Precision, Authorize};
use frame_system::RawOrigin;
use sp_runtime::{
    traits::{Bounded, One, Saturating, Zero},
    Permill,
};

use super::{Spaces as Stored, *};

type Benched<R = ()> = Result<R, BenchmarkError>;

/// The round that is over, or runs.
const LAST: RoundIndex = 1_000_000;

fn owner<T: Config>() -> Benched<T::AccountId> {
    let who = account("owner", 0, 0);
    let deposit = T::SpaceDeposit::get().saturating_add(T::StateDepositPerMib::get());
    let costs = deposit.saturating_add(Pallet::<T>::round_fee(&spec::<T>()));
    T::Currency::increase_balance(&who, costs.saturating_mul(4), Precision::Exact)?;
    Ok(who)
}

/// With as many matrices as there can be, of names as long as can be. All members must count for a round.
fn spec<T: Config>() -> SpecOf<T> {
    let width = usize::try_from(MAX_NAME_BYTES).unwrap_or(usize::MAX);
    let matrix = |number: u32| MatrixSpec {
        name: BoundedVec::truncate_from(format!("{number:0width$}").into_bytes()),
        rows: 1,
        cols: 1,
        basis: Basis::Both,
    };
    SpaceSpec {
        rows: 1,
        cols: 1,
        anchors: 1,
        vocabulary: Some(tensor(0)),
        matrices: BoundedVec::truncate_from((0..MAX_MATRICES).map(matrix).collect()),
        rule: Rule::MultiKrum,
        tolerated: Permill::from_percent(33),
        contributors: Contributors::Owner,
        capacity: T::MaxMembers::get(),
        quorum: T::MaxMembers::get(),
        least_weight: 1,
        most_weight: u128::MAX,
        cadence: T::MinCadence::get(),
    }
}

/// The tensor with this number.
fn tensor(number: u32) -> TensorId {
    let mut id = TensorId::default();
    id.0.iter_mut().zip(number.to_be_bytes()).for_each(|(byte, part)| *byte = part);
    id
}

fn finding() -> Finding {
    Finding { rejection: Some(Rejection::Outvoted), distance: u64::MAX }
}

/// As many members as there can be, of which each is suspended if it is rejected once more. The first is suspended if
/// the benchmark says so.
fn full<T: Config>(is_first_suspended: bool) -> MembersOf<T> {
    let nearly = Standing::Counting { rejections: T::MaxRejections::get().saturating_sub(1) };
    let member = |task: TaskId| Member {
        task,
        admitted: task,
        content: tensor(task),
        weight: u128::MAX,
        standing: if is_first_suspended && task == 0 { Standing::Suspended { since: 0 } } else { nearly },
        last: Some((0, finding())),
    };
    BoundedVec::truncate_from((0..T::MaxMembers::get()).map(member).collect())
}

fn roster<T: Config>(entrants: u32) -> RosterOf<T> {
    let entrant = |task| Entrant { content: tensor(task), task, admitted: task, weight: u128::MAX };
    BoundedVec::truncate_from((0..entrants).map(entrant).collect())
}

/// A space, with whom it belongs to.
fn new_space<T: Config>(is_first_suspended: bool) -> Benched<(T::AccountId, SpaceId)> {
    frame_system::Pallet::<T>::set_block_number(One::one());
    let (owner, id) = (owner::<T>()?, NextSpaceId::<T>::get());
    Pallet::<T>::do_create(owner.clone(), spec::<T>())?;
    let mut space = Pallet::<T>::space(id).map_err(|_| "no space")?;
    space.has_changed = true;
    space.admitted = T::MaxMembers::get();
    Pallet::<T>::store(id, space, full::<T>(is_first_suspended));
    Ok((owner, id))
}

fn change<T: Config>(id: SpaceId, change: impl FnOnce(&mut SpaceOf<T>)) {
    Stored::<T>::mutate(id, |space| {
        if let Some(space) = space {
            change(space);
        }
    });
}

/// Has a round run that is `LAST` and began when the space was created.
fn run<T: Config>(id: SpaceId) {
    let entrants = T::MaxMembers::get();
    change::<T>(id, |space| {
        Pallet::<T>::rest(id, space);
        space.next_round = LAST.saturating_add(1);
        space.activity = Activity::Running { round: LAST, task: 0, began: Zero::zero(), entrants, is_last: false };
    });
    Rosters::<T>::insert(id, LAST, roster::<T>(entrants));
}

/// Has a space wait for the report of a round with this result, in which so many took part.
fn settled<T: Config>(id: SpaceId, round: RoundIndex, content: TensorId, entrants: u32) {
    let at = Zero::zero();
    change::<T>(id, |space| space.state = Some(Settled { round, content, at, reported: false }));
    Rosters::<T>::insert(id, round, roster::<T>(entrants));
}

fn past<T: Config>() -> PastRound<BlockNumberFor<T>> {
    let end = VoteEnd::Settled(tensor(0));
    PastRound { task: 0, entrants: 0, began: Zero::zero(), ended: Zero::zero(), end }
}

/// The manifest and the report of a round in which so many took part and all were rejected, and the bundle's id.
fn result(
    entrants: u32,
    names: &[BoundedVec<u8, ConstU32<MAX_NAME_BYTES>>],
) -> Benched<(Manifest, ReportBytes, TensorId)> {
    let findings = (0..entrants).map(|_| finding()).collect();
    let report = Report::truncate_from(findings).encode();
    let header = Header::bytes(report.len() as u64).map_err(|_| "no report")?;
    let named = Tensor::new(header, &report).and_then(|tensor| tensor.id()).map_err(|_| "no report")?;
    let names = names.iter().filter_map(|name| core::str::from_utf8(name).ok()).map(|name| (name, tensor(0)));
    let members: Vec<_> = names.chain([(STATE, tensor(0)), (REPORT, named)]).collect();
    let manifest = Bundle::encode(members).map_err(|_| "no manifest")?;
    let header = Bundle::header(&manifest).map_err(|_| "no bundle")?;
    let id = Tensor::new(header, &manifest).and_then(|tensor| tensor.id()).map_err(|_| "no bundle")?;
    Ok((BoundedVec::truncate_from(manifest), BoundedVec::truncate_from(report), id))
}

/// A space whose last round can be reported, with what reports it.
fn reportable<T: Config>(entrants: u32) -> Benched<(SpaceId, Manifest, ReportBytes)> {
    let (_, id) = new_space::<T>(false)?;
    let names: Vec<_> = spec::<T>().matrices.into_iter().map(|matrix| matrix.name).collect();
    let (manifest, report, content) = result(entrants, &names)?;
    change::<T>(id, |space| space.next_round = LAST.saturating_add(1));
    settled::<T>(id, LAST, content, entrants);
    Ok((id, manifest, report))
}

#[benchmarks(where <T as frame_system::Config>::RuntimeCall: From<Call<T>>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn create() -> Result<(), BenchmarkError> {
        let owner = owner::<T>()?;

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), spec::<T>());

        assert_eq!(Stored::<T>::count(), 1);
        Ok(())
    }

    /// One whose round is due.
    #[benchmark]
    fn retire() -> Result<(), BenchmarkError> {
        let (owner, id) = new_space::<T>(false)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), id);

        assert!(Closing::<T>::contains_key(id));
        Ok(())
    }

    /// A member without which the round that is due cannot begin.
    #[benchmark]
    fn suspend() -> Result<(), BenchmarkError> {
        let (owner, id) = new_space::<T>(false)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), id, 0);

        assert_eq!(Stored::<T>::get(id).map(|space| space.activity), Some(Activity::Resting));
        Ok(())
    }

    /// A member with which a round can begin.
    #[benchmark]
    fn readmit() -> Result<(), BenchmarkError> {
        let (owner, id) = new_space::<T>(true)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), id, 0);

        assert!(matches!(Stored::<T>::get(id).map(|space| space.activity), Some(Activity::Due(_))));
        Ok(())
    }

    /// All that took part are suspended, so that the round that is due cannot begin.
    #[benchmark]
    fn submit_report(n: Linear<1, { T::MaxMembers::get() }>) -> Result<(), BenchmarkError> {
        let (id, manifest, report) = reportable::<T>(n)?;

        #[extrinsic_call]
        _(RawOrigin::Authorized, id, LAST, manifest, report);

        let space = Stored::<T>::get(id).ok_or("no space")?;
        assert_eq!((space.counting, space.activity), (T::MaxMembers::get().saturating_sub(n), Activity::Resting));
        Ok(())
    }

    #[benchmark]
    fn authorize_submit_report() -> Result<(), BenchmarkError> {
        let (space, manifest, report) = reportable::<T>(T::MaxMembers::get())?;
        let call: <T as frame_system::Config>::RuntimeCall =
            Call::submit_report { space, round: LAST, manifest, report }.into();

        #[block]
        {
            call.authorize(TransactionSource::External)
                .ok_or("submit_report is not authorised")?
                .map_err(|_| "the report is not let in")?;
        }

        Ok(())
    }

    #[benchmark]
    fn accepts() -> Result<(), BenchmarkError> {
        let (owner, id) = new_space::<T>(false)?;
        let content = spec::<T>().contribution();

        #[block]
        {
            Pallet::<T>::accepts(id, &owner, &content)?;
        }

        Ok(())
    }

    /// In place of a suspended member; a round can begin with it.
    #[benchmark]
    fn admit() -> Result<(), BenchmarkError> {
        let (_, id) = new_space::<T>(true)?;
        // After failures a round is due in a long time, and now it is due sooner.
        change::<T>(id, |space| {
            Pallet::<T>::rest(id, space);
            space.failures = 1;
            space.rests_until = Bounded::max_value();
            space.activity = Activity::Due(space.rests_until);
        });
        Agenda::<T>::insert(BlockNumberFor::<T>::max_value(), id, ());
        let task = TaskId::MAX;

        #[block]
        {
            Pallet::<T>::admit(id, Admission { task, content: tensor(task), weight: 1 });
        }

        assert!(matches!(Stored::<T>::get(id).map(|space| space.activity), Some(Activity::Due(_))));
        assert_eq!(Members::<T>::get(id).last().map(|member| member.task), Some(task));
        Ok(())
    }

    /// The round before was not reported, another is forgotten, and the next one is due.
    #[benchmark]
    fn end_round() -> Result<(), BenchmarkError> {
        let (_, id) = new_space::<T>(false)?;
        run::<T>(id);
        settled::<T>(id, LAST.saturating_sub(1), tensor(0), T::MaxMembers::get());
        let oldest = LAST.saturating_sub(T::KeptRounds::get());
        History::<T>::insert(id, oldest, past::<T>());

        #[block]
        {
            Pallet::<T>::end_round(id, LAST, VoteEnd::Settled(tensor(1)));
        }

        assert!(matches!(Stored::<T>::get(id).map(|space| space.activity), Some(Activity::Due(_))));
        assert!(!History::<T>::contains_key(id, oldest));
        Ok(())
    }

    /// Looks that find a stale entry, remove it and move on to the next block: as much as any look does.
    #[benchmark]
    fn agenda_look() -> Result<(), BenchmarkError> {
        let (_, id) = new_space::<T>(true)?;
        let stale: BlockNumberFor<T> = One::one();
        Agenda::<T>::insert(stale, id, ());
        NextDue::<T>::put(stale);

        #[block]
        {
            Pallet::<T>::work_off(stale, Weight::MAX);
        }

        assert!(!Agenda::<T>::contains_key(stale, id));
        Ok(())
    }

    #[benchmark]
    fn open_round() -> Result<(), BenchmarkError> {
        T::Votes::fill_for_benchmark();
        let (_, id) = new_space::<T>(false)?;
        let space = Pallet::<T>::space(id).map_err(|_| "no space")?;
        let now = frame_system::Pallet::<T>::block_number().saturating_add(One::one());

        #[block]
        {
            Pallet::<T>::open_round(id, space, now);
        }

        assert!(matches!(Stored::<T>::get(id).map(|space| space.activity), Some(Activity::Running { .. })));
        Ok(())
    }

    #[benchmark]
    fn closing_look() {
        Closing::<T>::insert(0, ());
        let found;

        #[block]
        {
            found = Closing::<T>::iter_keys().next();
        }

        assert_eq!(found, Some(0));
    }

    #[benchmark]
    fn forget_round() {
        History::<T>::insert(0, LAST, past::<T>());

        #[block]
        {
            let mut rounds = History::<T>::iter_key_prefix(0);
            rounds.next().into_iter().for_each(|round| History::<T>::remove(0, round));
        }

        assert!(!History::<T>::contains_key(0, LAST));
    }

    /// With a roster that is left.
    #[benchmark]
    fn close_space() -> Result<(), BenchmarkError> {
        let (owner, id) = new_space::<T>(false)?;
        Pallet::<T>::do_retire(&owner, id)?;
        settled::<T>(id, LAST, tensor(0), T::MaxMembers::get());

        #[block]
        {
            Pallet::<T>::close_space(id);
        }

        assert!(!Stored::<T>::contains_key(id) && !Rosters::<T>::contains_key(id, LAST));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_chain(), crate::mock::Test);
}
