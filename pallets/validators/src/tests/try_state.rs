//! The check of the state finds what is off, and says so.

use ensemble_core::{modules::Role, order::GreatestFirst, EraIndex, ModuleId};
use frame_support::{storage::unhashed, BoundedVec};

use crate::{
    mock::*, Attendances, Authored, Bars, Candidate, CandidateOf, Candidates, Pallet, Ranking, Seat, Seats, SeatsOf,
    SessionLength, SessionsPerEra, StandsWith, Validators,
};

/// Spoils a state with some of everything, and expects this complaint.
fn complains(spoil: impl FnOnce(), complaint: &'static str) {
    with_validators_unchecked(|| {
        stand(11, 500);
        stand(12, 400);
        next_era();
        offend(5, 10);
        check_state();
        spoil();
        assert_eq!(Pallet::<Test>::do_try_state(), Err(complaint.into()));
    });
}

fn with_validators_unchecked(test: impl FnOnce()) {
    chain_of(&[1, 2, 3, 4, 5]).execute_with(test);
}

fn change_candidate(change: impl FnOnce(&mut CandidateOf<Test>)) {
    Candidates::<Test>::mutate(11, |candidate| change(candidate.as_mut().unwrap()));
}

fn change_module(change: impl FnOnce(&mut Module)) {
    Registry::mutate(|modules| change(modules.get_mut(&11).unwrap()));
}

#[test]
fn lengths() {
    complains(|| SessionLength::<Test>::put(0), "sessions have no length");
    complains(|| SessionsPerEra::<Test>::put(0), "eras have no length");
}

#[test]
fn candidates() {
    complains(|| change_module(|module| module.owner = 99), "a candidate is somebody else's");
    complains(|| change_module(|module| module.role = Role::Miner), "a candidate plays another part");
    complains(|| change_module(|module| module.stake = 501), "a candidate has another stake");
    let poor = || {
        change_module(|module| module.stake = 99);
        change_candidate(|candidate| candidate.stake = 99);
    };
    complains(poor, "a candidate has too little stake");
    complains(|| Bars::<Test>::insert(11, 2), "a candidate is barred");
    let miscount = || unhashed::put(&Candidates::<Test>::counter_storage_final_key(), &7u32);
    complains(miscount, "candidates are miscounted");
}

#[test]
fn too_many_candidates() {
    let crowd = || {
        for who in 20..20 + u64::from(MAX_CANDIDATES) - 1 {
            prepare(who, 500);
            let module = ModuleId::try_from(who).unwrap();
            let candidate = Candidate { validator: who, stake: 500, stood: 0 };
            Pallet::<Test>::add_candidate(module, candidate);
        }
    };
    complains(crowd, "there are too many candidates");
}

#[test]
fn indexes() {
    let rank = GreatestFirst::new(500, 11);
    complains(|| Ranking::<Test>::insert(GreatestFirst::new(500, 77), 11), "who is ranked does not stand");
    complains(|| Ranking::<Test>::insert(GreatestFirst::new(501, 11), 11), "a rank is not that of the stake");
    complains(|| Ranking::<Test>::insert(rank, 12), "a rank is somebody else's");
    complains(|| Ranking::<Test>::remove(rank), "a candidate is not ranked");
    complains(|| StandsWith::<Test>::insert(99, 77), "an account stands with a module that does not");
    complains(|| StandsWith::<Test>::insert(99, 11), "an account stands with somebody else's module");
    complains(|| StandsWith::<Test>::remove(11), "an account does not know what it stands with");
}

#[test]
fn seats() {
    let seats = Seats::<Test>::insert::<EraIndex, SeatsOf<Test>>;
    complains(|| seats(9, BoundedVec::default()), "seats of an era are kept that nobody needs");
    let two = || BoundedVec::truncate_from(vec![Seat::new(1, None), Seat::new(1, None)]);
    complains(|| seats(0, two()), "a validator has two seats");
    complains(|| Validators::<Test>::mutate(|all| all.as_mut()[0] = 2), "a validator stands in the set twice");
    complains(|| Validators::<Test>::mutate(|all| all.as_mut()[0] = 99), "a validator has no seat");
}

#[test]
fn bars() {
    complains(|| Bars::<Test>::insert(3, 2), "somebody is barred who did nothing");
    complains(|| Bars::<Test>::insert(5, 100), "a bar would never be forgotten");
}

#[test]
fn attendances() {
    let twice = || {
        Attendances::<Test>::mutate(|all| {
            let first = all[0].clone();
            all.as_mut()[1] = first;
        })
    };
    complains(twice, "a validator attends twice");
    complains(|| Authored::<Test>::insert(1, 0), "no blocks are counted for somebody");
    complains(|| Authored::<Test>::insert(99, 1), "somebody authored who is no validator");
}
