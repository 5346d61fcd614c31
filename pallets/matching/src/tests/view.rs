//! What an outsider may know.

use ensemble_core::matching::{Counts, MinerView, Standing, ValidatorView};
use frame_support::assert_ok;
use sp_runtime::Permill;

use crate::mock::*;

#[test]
fn miners_and_validators_are_shown() {
    on_chain(|| {
        let (judge, served) = (validator(&[CHAT, AUDIO], 9), miner(CHAT));
        next_block();
        let expected = MinerView {
            module: served,
            model_type: CHAT,
            standing: Standing::Active,
            validators: vec![judge],
            waiting: false,
        };
        assert_eq!(Matching::miner_view(served), Some(expected));
        let expected = ValidatorView {
            module: judge,
            types: vec![CHAT, AUDIO],
            capacity: 9,
            load: 1,
            reliability: Permill::from_percent(50),
            standing: Standing::Active,
        };
        assert_eq!(Matching::validator_view(judge), Some(expected));
        assert_eq!((Matching::miner_view(judge), Matching::validator_view(served)), (None, None));
    });
}

#[test]
fn miners_of_a_validator_are_shown_in_parts() {
    on_chain(|| {
        let judge = validator(&[CHAT], 2_000);
        let miners: Vec<_> = (0..1_200).map(|_| miner(CHAT)).collect();
        MaxSteps::set(10_000);
        next_block();
        assert_eq!(Matching::miners_of(judge, 0, 3), miners[..3]);
        assert_eq!(Matching::miners_of(judge, 1_198, 5), miners[1_198..]);
        assert_eq!(Matching::miners_of(judge, 0, u32::MAX), miners[..1_000]);
        assert!(Matching::miners_of(judge, 1_200, 5).is_empty());
        assert!(Matching::miners_of(99, 0, 5).is_empty());
    });
}

#[test]
fn the_subnet_is_counted() {
    on_chain(|| {
        let judge = validator(&[CHAT], 2);
        let miners: Vec<_> = (0..4).map(|_| miner(CHAT)).collect();
        next_block();
        let counts = Counts { miners: 4, validators: 1, active: 5, flagged: 0, matches: 2, waiting: 2 };
        assert_eq!(Matching::counts(), counts);
        assert_ok!(flag(miners[3]));
        assert_ok!(switch_off(judge));
        next_block();
        let counts = Counts { miners: 4, validators: 1, active: 3, flagged: 1, matches: 0, waiting: 3 };
        assert_eq!(Matching::counts(), counts);
    });
}
