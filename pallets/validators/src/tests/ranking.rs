//! The order of candidates.

use frame_support::assert_ok;

use crate::mock::*;

#[test]
fn has_the_highest_stake_first_and_of_equals_the_first_module() {
    on_chain(|| {
        for (who, stake) in [(11, 300), (12, 70_000), (13, 300), (14, 256), (15, 255)] {
            stand(who, stake);
        }
        assert_eq!(ranking(), [12, 11, 13, 14, 15]);
    });
}

#[test]
fn follows_every_change_of_stake() {
    on_chain(|| {
        for (who, stake) in [(11, 300), (12, 200), (13, 100)] {
            stand(who, stake);
        }
        set_stake(13, 250);
        assert_eq!(ranking(), [11, 13, 12]);
        set_stake(11, 199);
        assert_eq!(ranking(), [13, 12, 11]);
        set_stake(11, 199);
        assert_eq!(ranking(), [13, 12, 11]);
        set_stake(99, 1_000);
        check_state();
    });
}

#[test]
fn loses_who_is_chilled_and_has_who_stands_again_at_the_new_place() {
    on_chain(|| {
        for (who, stake) in [(11, 300), (12, 200)] {
            stand(who, stake);
        }
        assert_ok!(chill(11, 11));
        assert_eq!(ranking(), [12]);
        set_stake(11, 150);
        assert_ok!(try_stand(11, 11));
        assert_eq!(ranking(), [12, 11]);
    });
}
