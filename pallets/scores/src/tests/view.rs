//! What outsiders may ask.

use ensemble_core::{
    epochs::EpochPhase,
    scores::{Duties, ResultView},
};
use frame_support::assert_ok;

use crate::mock::*;

#[test]
fn duties_are_told_to_who_is_active() {
    on_chain(|| {
        let none = Duties { epoch: 0, phase: EpochPhase::Commit, checks: None, unrevealed: vec![] };
        assert_eq!(Scores::duties_of(ANN), Some(none));
        assert_eq!(Scores::duties_of(11), None);
        must_check(ANN, &[12, 11]);
        assert_ok!(commit(ANN, 2, &[(11, 50)]));
        assert_ok!(commit(ANN, 0, &[]));
        to_reveal();
        assert_ok!(reveal(ANN, 0, &[]));
        let hash = Scores::seal(&sealed(ANN, 2, &[(11, 50)]));
        let left =
            Duties { epoch: 0, phase: EpochPhase::Reveal, checks: Some(vec![12, 11]), unrevealed: vec![(2, hash)] };
        assert_eq!(Scores::duties_of(ANN), Some(left));
        leave(ANN);
        assert_eq!(Scores::duties_of(ANN), None);
    });
}

#[test]
fn results_are_told_with_their_time() {
    on_chain(|| {
        assign(11, &[ANN, BEN]);
        judge(&[(ANN, &[(11, 50)]), (BEN, &[(11, 51)])]);
        let at = System::block_number();
        to_next_epoch();
        to_next_epoch();
        judge(&[(BEN, &[(11, 60)])]);
        let results = Scores::results_of(11);
        assert_eq!(
            results.iter().map(|result| (result.epoch, result.score.score)).collect::<Vec<_>>(),
            [(0, 505_000), (2, 600_000)]
        );
        let first = Scores::result_of(0, 11).unwrap();
        let ratings = first.ratings.clone();
        assert_eq!(ratings.len(), 2);
        let mut mean = score(50);
        (mean.score, mean.quality, mean.availability) = (505_000, 505_000, 505_000);
        assert_eq!(first, ResultView { epoch: 0, miner: 11, score: mean, ratings, at });
        assert_eq!(results[0], first);
        assert_eq!(Scores::result_of(1, 11), None);
        assert_eq!(Scores::results_of(12), []);
        assert_eq!(Scores::results_kept(), 2);
    });
}

/// The hash is what other languages compute, too: this one is from Python's hashlib.
#[test]
fn a_seal_is_the_hash_of_the_encoding() {
    let sealed =
        ensemble_core::scores::Sealed { epoch: 1, validator: 2, batch: 3, scores: vec![(4, score(50))], salt: [7; 32] };
    let hash = "0x3b3212c085554609471dcb5b86a2b890dad6bfbc315bb91ebba13e0a95daf3f1";
    assert_eq!(format!("{:?}", Scores::seal(&sealed)), hash);
}
