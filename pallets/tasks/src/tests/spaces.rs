//! Tasks that name a space.

use ensemble_core::{exchange::Audience, spaces::Admission, tasks::Content};
use frame_support::{assert_noop, dispatch::GetDispatchInfo, weights::Weight};

use crate::{mock::*, Error, Event, Step, WeightInfo};

fn named() -> NewTask {
    NewTask { space: Some(SPACE), ..Default::default() }
}

fn admissions() -> Vec<Told> {
    ToldSoFar::get().into_iter().filter(|told| matches!(told, Told::Admission(..))).collect()
}

#[test]
fn what_wins_is_admitted_with_the_weight_of_its_winners() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { quorum: 2, ..named() }.id();
        assert!(matches!(last_event(), Event::TaskCreated { space: Some(SPACE), .. }));
        contribute(id, &[(ALICE, 1), (BOB, 1), (CHARLIE, 2)]);
        attest_all(id);
        assert_eq!(admissions(), []);
        next_block();
        let admission = Admission { task: id, content: tensor(1).id(), weight: 2 };
        assert_eq!(admissions(), [Told::Admission(SPACE, admission)]);
        run_to(30);
        assert_eq!(admissions().len(), 1);
    });
}

#[test]
fn what_does_not_win_is_not_admitted() {
    ExtBuilder::default().build_and_execute(|| {
        let id = named().id();
        contribute(id, &[(ALICE, 1), (BOB, 2)]);
        next_block();
        assert!(void(id).is_some());
        let without = NewTask::default().id();
        let now = System::block_number();
        frame_support::assert_ok!(commit(ALICE, without, &tensor(1), BOND));
        run_to(now + 6);
        frame_support::assert_ok!(reveal(ALICE, without, &tensor(1)));
        run_to(now + 11);
        attest_all(without);
        next_block();
        assert_eq!(admissions(), [], "nor what names no space");
    });
}

#[test]
fn the_space_is_asked_first() {
    ExtBuilder::default().build_and_execute(|| {
        let nowhere = NewTask { space: Some(SPACE + 1), ..Default::default() };
        assert_noop!(nowhere.create(), "no such space");
        let odd = NewTask { content: Content::Bytes { max_len: 9 }, ..named() };
        assert_noop!(odd.create(), "not what it takes");
        let foreign = NewTask { creator: ALICE, ..named() };
        assert_noop!(foreign.create(), "not from you");
    });
}

#[test]
fn a_space_takes_what_is_public() {
    ExtBuilder::default().build_and_execute(|| {
        for exchanged in [true, false] {
            let audience = Audience::Restricted { exchanged };
            assert_noop!(NewTask { audience, ..named() }.create(), Error::<Test>::NotPublic);
        }
    });
}

#[test]
fn what_the_space_does_is_charged() {
    ExtBuilder::default().build_and_execute(|| {
        let weight = |new: NewTask| new.call().get_dispatch_info().call_weight;
        assert_eq!(weight(named()), weight(NewTask::default()) + Weight::from_parts(7, 1));

        let id = named().id();
        contribute(id, &[(ALICE, 1)]);
        attest_all(id);
        let look = <<Test as crate::Config>::WeightInfo as WeightInfo>::agenda_look();
        next_block_with(look + Tasks::step_weight(Step::Pay));
        next_block_with(look + Tasks::step_weight(Step::Finish));
        assert_eq!(admissions(), []);
        let needed = look + Tasks::step_weight(Step::Finish) + Weight::from_parts(11, 1);
        assert_eq!(next_block_with(needed), needed);
        assert_eq!(admissions().len(), 1);
    });
}
