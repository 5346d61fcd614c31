//! Blocks that leave little room.

use ensemble_core::epochs::EpochPhase::Commit;
use frame_support::{assert_ok, weights::Weight};
use sp_runtime::Permill;

use crate::{mock::*, Event, Forgotten, ResultsKept, Settlement, Settling};

fn time(time: u64) -> Weight {
    Weight::from_parts(time, 0)
}

/// The most that a step takes, with what comes before it.
const ENOUGH: u64 = 2 + STEP + MAX_RATINGS as u64;

fn two_epochs() {
    assign_all_to_three();
    let (truth, lies) = (of_all(90), of_all(20));
    for epoch in 0..2 {
        set_clock(epoch, Commit);
        let all: [(u32, &[(u32, u32)]); 3] = [(ANN, &truth), (BEN, &lies), (CAT, &truth)];
        for (validator, of) in all {
            assert_ok!(commit(validator, 0, of));
        }
        set_clock(epoch, ensemble_core::epochs::EpochPhase::Reveal);
        for (validator, of) in all {
            assert_ok!(reveal(validator, 0, of));
        }
    }
    set_clock(2, Commit);
}

#[test]
fn settle_step_by_step_to_the_same_end() {
    let run = |idle: u64| {
        new_chain().execute_with(|| {
            two_epochs();
            let mut blocks = 0;
            while Settling::<Test>::get().epoch < 2 {
                next_block(time(idle));
                blocks += 1;
                assert!(blocks < 100);
            }
            let settled: Vec<_> = events()
                .into_iter()
                .filter(|event| matches!(event, Event::MinerSettled { .. } | Event::ValidatorSettled { .. }))
                .collect();
            (settled, VALIDATORS.map(reliability), Flags::get(), blocks)
        })
    };
    let (settled, reliabilities, flags, blocks) = run(1_000_000);
    assert_eq!(blocks, 1);
    assert_eq!(flags.len(), 1);
    assert_eq!(reliabilities[0], Permill::from_parts(595_000));
    let (slowly, reliabilities_then, flags_then, blocks) = run(ENOUGH);
    assert_eq!((slowly, reliabilities_then, flags_then), (settled, reliabilities, flags));
    assert!(blocks > 18, "a step in a block");
}

#[test]
fn nothing_is_done_without_room() {
    on_chain(|| {
        two_epochs();
        assert_eq!(next_block(time(0)), Weight::zero());
        assert_eq!(next_block(time(1)), time(1), "the cursors are read");
        assert_eq!(next_block(time(2)), time(2), "and one entry");
        assert_eq!(Settling::<Test>::get(), Default::default());
        next_block(time(2 + STEP));
        assert_eq!(Settling::<Test>::get().next, 1);
        assert_eq!(Settling::<Test>::get().stage, Settlement::Draw);
    });
}

#[test]
fn a_miner_is_charged_by_its_ratings() {
    on_chain(|| {
        two_epochs();
        set_clock(2, ensemble_core::epochs::EpochPhase::Reveal);
        next_block(time(3));
        assert_eq!(Settling::<Test>::get().stage, Settlement::Miners, "it is too late to draw");
        assert_eq!(next_block(time(2 + STEP + 2)), time(2));
        assert_eq!(next_block(time(2 + STEP + 3)), time(2 + STEP + 3));
        assert_eq!(Settling::<Test>::get().next, 1);
    });
}

#[test]
fn a_block_takes_so_many_steps() {
    on_chain(|| {
        two_epochs();
        // Three draws, six miners, three validators, and three turns, for each of two epochs.
        next_block(Weight::MAX);
        assert_eq!(Settling::<Test>::get().epoch, 2);
        const { assert!(2 * (3 + 6 + 3 + 3) <= MAX_STEPS) };
        // The third epoch has the three draws; the others have nothing but the turns.
        set_clock(3 + MAX_STEPS, Commit);
        next_block(Weight::MAX);
        assert_eq!(Settling::<Test>::get().epoch, 3 + (MAX_STEPS - (3 + 3 + 3)) / 3);
    });
}

#[test]
fn nothing_is_forgotten_before_it_is_settled() {
    on_chain(|| {
        two_epochs();
        set_clock(50, Commit);
        // There is room to forget a miner, but not to settle one of three ratings.
        for _ in 0..8 {
            next_block(time(3 + STEP));
            assert_eq!(Forgotten::<Test>::get(), Default::default());
        }
        assert_eq!(Settling::<Test>::get().stage, Settlement::Miners);
        assert_eq!(ResultsKept::<Test>::get(), 12);
        for _ in 0..200 {
            next_block(time(ENOUGH));
        }
        assert_eq!(Settling::<Test>::get().epoch, 50);
        assert_eq!(Forgotten::<Test>::get().epoch, 50 - KEPT_EPOCHS);
        assert_eq!(ResultsKept::<Test>::get(), 0);
    });
}
