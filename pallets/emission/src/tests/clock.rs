//! The clock.

use ensemble_core::epochs::{EpochPhase, Epochs};

use crate::mock::*;

#[test]
fn epochs_follow_each_other_without_a_gap() {
    on_chain(|| {
        for block in 0..35 {
            System::set_block_number(block);
            let view = Emission::epoch_view();
            assert_eq!(u64::from(view.epoch), block / LENGTH);
            assert_eq!((view.begins, view.ends), (block / LENGTH * LENGTH, (block / LENGTH + 1) * LENGTH));
            assert_eq!(view.reveals, view.begins + 6);
            let phase = if block % LENGTH < 6 { EpochPhase::Commit } else { EpochPhase::Reveal };
            assert_eq!((view.phase, Emission::phase()), (phase, phase));
            assert_eq!(Emission::current(), view.epoch);
        }
        System::set_block_number(1);
    });
}

#[test]
fn the_shortest_epoch_has_both_phases() {
    for part in [25, 60, 75] {
        chain_with(Some(4)).execute_with(|| {
            CommitPart::set(percent(part));
            System::set_block_number(4);
            assert_eq!((Emission::current(), Emission::phase()), (1, EpochPhase::Commit));
            System::set_block_number(7);
            assert_eq!((Emission::current(), Emission::phase()), (1, EpochPhase::Reveal));
        });
    }
}

#[cfg(feature = "runtime-benchmarks")]
#[test]
fn benchmarks_can_move_it() {
    on_chain(|| {
        Emission::move_to_for_benchmark(3, EpochPhase::Commit);
        assert_eq!((Emission::current(), Emission::phase(), System::block_number()), (3, EpochPhase::Commit, 30));
        Emission::move_to_for_benchmark(5, EpochPhase::Reveal);
        assert_eq!((Emission::current(), Emission::phase(), System::block_number()), (5, EpochPhase::Reveal, 56));
    });
}
