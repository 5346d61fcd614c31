//! Creating spaces.

use ensemble_core::spaces::{Activity, Basis, SpaceSpec, MAX_MANIFEST_BYTES, MAX_REPORT_BYTES};
use frame_support::{assert_noop, assert_ok, BoundedVec};
use sp_runtime::{ArithmeticError, Permill};

use crate::{mock::*, Error, Event, NextSpaceId};

fn refuses(spec: SpaceSpec<BlockNumber>, error: Error<Test>) {
    assert_noop!(create(spec), error);
}

#[test]
fn holds_a_deposit() {
    on_chain(|| {
        let id = new_space(spec());
        assert_eq!((held(OWNER), free(OWNER)), (DEPOSIT, ENDOWMENT - DEPOSIT));
        let created = Event::SpaceCreated { space: id, owner: OWNER, spec: spec(), deposit: DEPOSIT, fee: 0 };
        assert_eq!(last_event(), created);
        assert_eq!((activity(id), space(id).state), (Activity::Resting, None));
        next_block();
        assert_eq!(activity(id), Activity::Resting, "nobody is a member");
    });
}

#[test]
fn the_deposit_grows_with_what_validators_keep() {
    on_chain(|| {
        MaxResultBytes::set(u64::MAX);
        MaxRoundBytes::set(u64::MAX);
        MaxRoundWork::set(u64::MAX);
        // A mebibyte is 131,072 rows of eight bytes; the manifest and the report come on top.
        let others = MAX_MANIFEST_BYTES + MAX_REPORT_BYTES;
        let deposit = |rows| {
            let id = new_space(SpaceSpec { rows, ..spec() });
            let deposit = space(id).deposit;
            assert_ok!(retire(id));
            next_block();
            deposit
        };
        let full = |mebibytes: u32| mebibytes * 131_072 - others.div_ceil(8);
        assert_eq!(deposit(full(1)), 90 + 10);
        assert_eq!(deposit(full(1) + 1), 90 + 2 * 10);
        assert_eq!(deposit(full(7)), 90 + 7 * 10);
    });
}

#[test]
fn the_deposit_doubles_with_each_tenth_of_all_places_taken() {
    on_chain(|| {
        // Five places in all: each is two tenths.
        let deposits: Vec<_> = (0..MAX_SPACES).map(|_| space(new_space(spec())).deposit).collect();
        assert_eq!(deposits, [DEPOSIT, 4 * DEPOSIT, 16 * DEPOSIT, 64 * DEPOSIT, 256 * DEPOSIT]);
        assert_eq!(held(OWNER), deposits.iter().sum());
        refuses(spec(), Error::TooManySpaces);
        assert_ok!(retire(0));
        refuses(spec(), Error::TooManySpaces);
        next_block();
        // What returns is what was held.
        assert_eq!(held(OWNER), deposits[1..].iter().sum());
        assert_eq!(new_space(spec()), MAX_SPACES, "no number is used twice");
    });
}

#[test]
fn refuses_whom_cannot_pay_and_numbers_that_do_not_exist() {
    on_chain(|| {
        assert_noop!(Spaces::create(RuntimeOrigin::signed(POOR), spec()), Error::<Test>::CannotPay);
        NextSpaceId::<Test>::put(u32::MAX);
        assert_noop!(create(spec()), ArithmeticError::Overflow);
        assert_noop!(Spaces::create(RuntimeOrigin::none(), spec()), sp_runtime::DispatchError::BadOrigin);
    });
}

#[test]
fn refuses_tables_that_cannot_exist() {
    on_chain(|| {
        for (rows, cols) in [(0, 4), (16, 0), (u32::MAX, u32::MAX), (16, 1 << 20), (4096, 1025), ((1 << 20) + 1, 4)] {
            refuses(SpaceSpec { rows, cols, ..spec() }, Error::InvalidTable);
        }
    });
}

#[test]
fn anchors_are_rows_and_as_many_as_columns() {
    on_chain(|| {
        for anchors in [0, 3, 17, u32::MAX] {
            refuses(SpaceSpec { anchors, ..spec() }, Error::InvalidAnchors);
        }
        for anchors in [4, 16] {
            assert_ok!(create(SpaceSpec { anchors, ..spec() }));
        }
    });
}

#[test]
fn sides_of_matrices_in_a_members_basis_are_as_long_as_the_table_is_wide() {
    on_chain(|| {
        let with = |rows, cols, basis| {
            let matrices = BoundedVec::truncate_from(vec![matrix("a", rows, cols, basis)]);
            create(SpaceSpec { matrices, ..spec() })
        };
        for (rows, cols, basis) in [
            (5, 4, Basis::Rows),
            (4, 5, Basis::Cols),
            (4, 5, Basis::Both),
            (5, 4, Basis::Both),
            (4, 0, Basis::Rows),
            (0, 4, Basis::Cols),
            (4, 1025, Basis::Rows),
            (1025, 4, Basis::Cols),
        ] {
            assert_noop!(with(rows, cols, basis), Error::<Test>::InvalidMatrix);
        }
        for (rows, cols, basis) in [(4, 5, Basis::Rows), (5, 4, Basis::Cols), (4, 4, Basis::Both)] {
            assert_ok!(with(rows, cols, basis));
        }
    });
}

#[test]
fn names_of_matrices_are_names_of_a_bundle() {
    on_chain(|| {
        let with = |names: &[&str]| {
            let matrices = names.iter().map(|name| matrix(name, 4, 4, Basis::Both)).collect();
            create(SpaceSpec { matrices: BoundedVec::truncate_from(matrices), ..spec() })
        };
        for names in [&["state"] as &[&str], &["report"], &["a", "a"], &[""], &["a b"], &["é"]] {
            assert_noop!(with(names), Error::<Test>::InvalidMatrixName);
        }
        assert_ok!(with(&["layers/1.weight", "States"]));
    });
}

#[test]
fn results_and_rounds_have_a_size() {
    on_chain(|| {
        let with = |rows, capacity| create(SpaceSpec { rows, capacity, ..spec() });
        // 20,000 bytes less the manifest and the report, at eight bytes a row.
        let most = (20_000 - MAX_MANIFEST_BYTES - MAX_REPORT_BYTES) / 8;
        assert_noop!(with(most + 1, 2), Error::<Test>::ResultTooLarge);
        assert_ok!(with(most, 2));
        // 50,000 bytes in all.
        assert_ok!(with(50_000 / 8 / 4, 4));
        assert_noop!(with(50_000 / 8 / 4 + 1, 4), Error::<Test>::RoundTooLarge);
        // Matrices take four bytes a number in results, and two in contributions.
        let matrices = BoundedVec::truncate_from(vec![matrix("m", 4, 1_000, Basis::Rows)]);
        let with = |rows, capacity| create(SpaceSpec { matrices: matrices.clone(), rows, capacity, ..spec() });
        assert_noop!(with(500, 4), Error::<Test>::ResultTooLarge);
        assert_ok!(with(16, 5));
        assert_noop!(with(16, 6), Error::<Test>::RoundTooLarge);
    });
}

#[test]
fn a_round_is_so_much_work_at_most() {
    on_chain(|| {
        // Four members make ten pairs. Each is turned to each, to itself and to the mean, by up to 42 products of matrices.
        let (crossed, rotated) = ((10 + 24) * 8 * 4 * 4, 24 * 42 * 4 * 4 * 4);
        let (turned, compared) = (4 * 2 * 16 * 4 * 4, 10 * 16 * (3 * 4 + 32));
        let work = crossed + rotated + turned + compared;
        assert_eq!(spec().work(), work);
        let matrices =
            vec![matrix("a", 4, 5, Basis::Rows), matrix("b", 7, 4, Basis::Cols), matrix("c", 4, 4, Basis::Both)];
        let with = SpaceSpec { matrices: BoundedVec::truncate_from(matrices), ..spec() };
        assert_eq!(with.work(), work + 4 * (4 * 4 * 5 + 7 * 4 * 4 + 2 * 4 * 4 * 4));
        let largest = SpaceSpec { rows: u32::MAX, cols: u32::MAX, anchors: u32::MAX, capacity: u32::MAX, ..spec() };
        assert_eq!(largest.work(), u64::MAX);

        // It is wide, and small.
        refuses(SpaceSpec { rows: 100, cols: 60, anchors: 60, ..spec() }, Error::TooMuchWork);
        MaxRoundWork::set(work);
        assert_ok!(create(spec()));
        MaxRoundWork::set(work - 1);
        refuses(spec(), Error::TooMuchWork);
    });
}

#[test]
fn less_than_half_may_cheat() {
    on_chain(|| {
        refuses(SpaceSpec { tolerated: Permill::from_percent(50), ..spec() }, Error::TooManyTolerated);
        refuses(SpaceSpec { tolerated: Permill::one(), ..spec() }, Error::TooManyTolerated);
        assert_ok!(create(SpaceSpec { tolerated: Permill::from_parts(499_999), ..spec() }));
    });
}

#[test]
fn refuses_numbers_of_members_that_make_no_sense() {
    on_chain(|| {
        let with = |quorum, capacity| create(SpaceSpec { quorum, capacity, ..spec() });
        for capacity in [0, MAX_MEMBERS + 1, u32::MAX] {
            assert_noop!(with(1, capacity), Error::<Test>::InvalidCapacity);
        }
        for quorum in [0, 5, u32::MAX] {
            assert_noop!(with(quorum, 4), Error::<Test>::InvalidQuorum);
        }
        assert_ok!(with(1, 1));
        assert_ok!(with(MAX_MEMBERS, MAX_MEMBERS));
    });
}

#[test]
fn refuses_weights_and_cadences_outside_the_limits() {
    on_chain(|| {
        for (least_weight, most_weight) in [(0, 5), (6, 5), (0, 0)] {
            refuses(SpaceSpec { least_weight, most_weight, ..spec() }, Error::InvalidWeights);
        }
        for cadence in [0, 1, 1_001, u64::MAX] {
            refuses(SpaceSpec { cadence, ..spec() }, Error::InvalidCadence);
        }
        assert_ok!(create(SpaceSpec { least_weight: 5, most_weight: 5, cadence: 2, ..spec() }));
        assert_ok!(create(SpaceSpec { most_weight: u128::MAX, cadence: 1_000, ..spec() }));
    });
}
