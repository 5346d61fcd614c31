//! What outsiders may ask.

use ensemble_core::validators::{CandidateView, SeatView};
use pallet_authorship::EventHandler;
use sp_runtime::Perbill;

use crate::mock::*;

#[test]
fn candidates_are_shown_from_any_place_on() {
    on_chain(|| {
        for (who, stake) in [(11, 300), (12, 500), (13, 400)] {
            stand(who, stake);
        }
        let shown = |first, limit| -> Vec<_> {
            Validators::candidate_views(first, limit).into_iter().map(|view| view.module).collect()
        };
        assert_eq!(shown(0, 10), [12, 13, 11]);
        assert_eq!(shown(1, 1), [13]);
        assert_eq!([shown(3, 10), shown(0, 0)], [[0; 0]; 2]);
    });
}

#[test]
fn a_candidate_is_shown_with_what_may_become_of_it() {
    on_chain(|| {
        next_era();
        stand(11, 300);
        let view = CandidateView { module: 11, validator: 11, stake: 300, stood: 1, has_keys: true, sits: false };
        assert_eq!(Validators::candidate_view(11), Some(view.clone()));
        next_era();
        remove_keys(11);
        let view = CandidateView { has_keys: false, sits: true, ..view };
        assert_eq!(Validators::candidate_view(11), Some(view));
        assert_eq!(Validators::candidate_view(12), None);
    });
}

#[test]
fn the_era_is_shown_with_its_seats() {
    on_chain(|| {
        stand(11, 10_000);
        next_era();
        end_sessions_without(1, &[11]);
        Validators::note_author(1);
        let view = Validators::era_view();
        assert_eq!((view.era, view.session, view.next_era_session, view.sessions_per_era), (1, 4, 6, 3));
        assert_eq!((view.session_length, view.candidates, view.min_stake), (7, 1, MIN_STAKE));
        assert_eq!((view.min_validators, view.max_validators), (MIN_VALIDATORS, MAX_VALIDATORS));
        assert_eq!(view.validators, [1, 2, 3, 4, 11]);
        let founder = SeatView {
            validator: 1,
            module: None,
            sits: true,
            blocks: 1,
            silent_sessions: 0,
            slashed: Perbill::zero(),
        };
        assert_eq!(view.seats[0], founder);
        let fifth = SeatView { validator: 11, module: Some(11), blocks: 0, silent_sessions: 1, ..founder };
        assert_eq!(view.seats[4], fifth);
        offend(11, 10);
        let fifth = SeatView { sits: false, slashed: Perbill::from_percent(10), ..fifth };
        assert_eq!(Validators::era_view().seats[4], fifth);
    });
}
