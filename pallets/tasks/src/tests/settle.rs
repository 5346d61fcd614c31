//! Outcomes and who gets what.

use ensemble_core::{
    exchange::Audience,
    tasks::{Terms, Weighting},
    AssetId,
};
use frame_support::{
    assert_noop, assert_ok,
    traits::{
        fungible::{BalancedHold, MutateHold},
        fungibles::roles::Inspect,
        tokens::{Fortitude, Precision, Preservation},
    },
};
use sp_runtime::Permill;

use crate::{
    mock::*,
    reward::{MIN_SHARES, TOTAL_SHARES},
    Contribution, Contributions, Event, HoldReason, Outcome, Participations, Tallies, Undeliverable, VoidReason,
};

/// Three commit, two agree; everything is settled.
fn two_of_three() -> u32 {
    let id = NewTask { quorum: 2, max_participants: 4, ..Default::default() }.id();
    contribute(id, &[(ALICE, 1), (BOB, 1), (CHARLIE, 2)]);
    attest_all(id);
    next_block();
    id
}

#[test]
fn the_majority_is_paid_and_the_minority_pays() {
    ExtBuilder::default().build_and_execute(|| {
        two_of_three();
        // The growth pool is 3 * 1000 * 0.1 * 2 = 600, half for each winner; the minority has half of the base and
        // loses a fifth of its bond.
        assert_eq!(free(ALICE), ENDOWMENT + 1_300);
        assert_eq!(free(BOB), ENDOWMENT + 1_300);
        assert_eq!(free(CHARLIE), ENDOWMENT + 500 - 100);
        assert_eq!(free(CREATOR), ENDOWMENT - 2 * 1_300 - 500);
        assert_eq!(SlashedSoFar::get(), 100);
        assert_all_settled();
    });
}

#[test]
fn the_winners_own_the_contribution() {
    ExtBuilder::default().build_and_execute(|| {
        let id = two_of_three();
        assert_eq!(shares(id, ALICE), TOTAL_SHARES / 2);
        assert_eq!(shares(id, BOB), TOTAL_SHARES / 2);
        assert_eq!(shares(id, CHARLIE), 0);
        let class = AssetId::Shares(id);
        let nobody = Some(Tasks::account_id());
        assert_eq!(
            [Assets::owner(class), Assets::issuer(class), Assets::admin(class), Assets::freezer(class)],
            [nobody; 4]
        );
        let contribution = Contribution {
            creator: CREATOR,
            content: tensor(1).id(),
            descriptor: tensor(1),
            audience: Audience::Public,
            winners: 2,
            weight: 2,
            committed: 3,
            committed_weight: 3,
            settled_at: 13,
        };
        assert_eq!(Contributions::<Test>::get(id), Some(contribution));
    });
}

#[test]
fn nothing_else_is_left() {
    ExtBuilder::default().build_and_execute(|| {
        let id = two_of_three();
        assert_eq!(Participations::<Test>::iter_prefix(id).count(), 0);
        assert_eq!(Tallies::<Test>::iter_prefix(id).count(), 0);
        assert_eq!(crate::Agenda::<Test>::iter().count(), 0);
        let settled = Event::TaskSettled { task: id, creator: CREATOR, returned: 4 * 1_300 - 3_100, rent: 0 };
        assert_eq!(last_event(), settled);
    });
}

#[test]
fn what_won_costs_the_creator_its_keeping() {
    ExtBuilder::default().build_and_execute(|| {
        RentPerMib::set(70);
        let id = NewTask { max_participants: 1, ..Default::default() }.id();
        contribute(id, &[(ALICE, 1)]);
        attest_all(id);
        next_block();
        assert!(matches!(last_event(), Event::TaskSettled { rent: 70, .. }));
        assert_eq!((free(CREATOR), SlashedSoFar::get()), (ENDOWMENT - BASE - 70, 70));
        assert_all_settled();
    });
}

#[test]
fn what_did_not_win_costs_nothing_to_keep() {
    ExtBuilder::default().build_and_execute(|| {
        RentPerMib::set(70);
        NewTask::default().id();
        run_to(13);
        assert!(matches!(last_event(), Event::TaskSettled { rent: 0, .. }));
        assert_eq!((free(CREATOR), SlashedSoFar::get()), (ENDOWMENT, 0));
        assert_all_settled();
    });
}

#[test]
fn growth_and_shares_follow_bonds_where_bonds_count() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { weighting: Weighting::Bond { cap: 7_000 }, ..Default::default() }.id();
        assert_ok!(commit(ALICE, id, &tensor(1), 7_000));
        assert_ok!(commit(BOB, id, &tensor(1), 3_000));
        run_to(7);
        assert_ok!(reveal(ALICE, id, &tensor(1)));
        assert_ok!(reveal(BOB, id, &tensor(1)));
        run_to(12);
        attest_all(id);
        next_block();
        // The pool is 2 * 1000 * 0.1 = 200.
        assert_eq!((free(ALICE), free(BOB)), (ENDOWMENT + 1_140, ENDOWMENT + 1_060));
        assert_eq!((shares(id, ALICE), shares(id, BOB)), (700_000_000_000, 300_000_000_000));
        assert_all_settled();
    });
}

#[test]
fn one_large_bond_outweighs_many_small_ones() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { weighting: Weighting::Bond { cap: 2_000 }, ..Default::default() }.id();
        assert_ok!(commit(ALICE, id, &tensor(1), 1_001));
        assert_ok!(commit(BOB, id, &tensor(2), 500));
        assert_ok!(commit(CHARLIE, id, &tensor(2), 500));
        run_to(7);
        for (who, number) in [(BOB, 2), (CHARLIE, 2), (ALICE, 1)] {
            assert_ok!(reveal(who, id, &tensor(number)));
        }
        run_to(12);
        attest_all(id);
        assert!(matches!(outcome(id), Outcome::Won(leader) if leader.descriptor == tensor(1)));
    });
}

#[test]
fn silence_costs_the_bond_and_counts_against_the_leader() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        for who in [ALICE, BOB, CHARLIE, DAVE] {
            assert_ok!(commit(who, id, &tensor(1), BOND));
        }
        run_to(7);
        assert_ok!(reveal(ALICE, id, &tensor(1)));
        assert_ok!(reveal(BOB, id, &tensor(1)));
        run_to(13);
        // All reveals agree, but they are not more than half of what was committed.
        assert_eq!(void(id), Some(VoidReason::NoMajority));
        assert_eq!((free(ALICE), free(BOB)), (ENDOWMENT, ENDOWMENT));
        assert_eq!((free(CHARLIE), free(DAVE)), (ENDOWMENT - BOND, ENDOWMENT - BOND));
        assert_eq!(free(CREATOR), ENDOWMENT);
        assert_all_settled();
    });
}

#[test]
fn silence_beside_a_winner_costs_the_bond_too() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        for who in [ALICE, BOB, CHARLIE] {
            assert_ok!(commit(who, id, &tensor(1), BOND));
        }
        run_to(7);
        assert_ok!(reveal(ALICE, id, &tensor(1)));
        assert_ok!(reveal(BOB, id, &tensor(1)));
        run_to(12);
        attest_all(id);
        next_block();
        // Growth goes by the number of those who committed.
        assert_eq!(free(ALICE), ENDOWMENT + 1_300);
        assert_eq!(free(CHARLIE), ENDOWMENT - BOND);
        assert_eq!(shares(id, ALICE), TOTAL_SHARES / 2);
        assert_all_settled();
    });
}

#[test]
fn without_anybody_the_creator_is_refunded() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        run_to(13);
        assert_eq!(void(id), Some(VoidReason::NobodyCame));
        assert_eq!(free(CREATOR), ENDOWMENT);
        assert!(Contributions::<Test>::get(id).is_none());
        assert_all_settled();
    });
}

#[test]
fn without_reveals_the_quorum_is_missed() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        assert_ok!(commit(ALICE, id, &tensor(1), BOND));
        run_to(13);
        assert_eq!(void(id), Some(VoidReason::QuorumMissed));
        assert_eq!(free(ALICE), ENDOWMENT - BOND);
        assert_all_settled();
    });
}

#[test]
fn agreement_below_the_quorum_wins_nothing() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { quorum: 3, ..Default::default() }.id();
        contribute(id, &[(ALICE, 1), (BOB, 1)]);
        next_block();
        assert_eq!(void(id), Some(VoidReason::QuorumMissed));
        assert!(ACCOUNTS.iter().all(|who| free(*who) == ENDOWMENT));
        assert_all_settled();
    });
}

#[test]
fn the_quorum_counts_everybody_who_revealed() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { quorum: 3, ..Default::default() }.id();
        contribute(id, &[(ALICE, 1), (BOB, 1), (CHARLIE, 2)]);
        attest_all(id);
        assert!(matches!(outcome(id), Outcome::Won(_)));
    });
}

#[test]
fn exactly_half_is_no_majority() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        contribute(id, &[(ALICE, 1), (BOB, 1), (CHARLIE, 2), (DAVE, 2)]);
        next_block();
        assert_eq!(void(id), Some(VoidReason::NoMajority));
        assert!(ACCOUNTS.iter().all(|who| free(*who) == ENDOWMENT));
        assert_all_settled();
    });
}

#[test]
fn vouching_for_what_nobody_can_have_costs() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        contribute(id, &[(ALICE, 1), (BOB, 1), (CHARLIE, 2)]);
        run_to(19);
        assert_eq!(void(id), Some(VoidReason::Unavailable { content: tensor(1).id() }));
        assert_eq!((free(ALICE), free(BOB)), (ENDOWMENT - 100, ENDOWMENT - 100));
        assert_eq!((free(CHARLIE), free(CREATOR)), (ENDOWMENT, ENDOWMENT));
        assert!(Contributions::<Test>::get(id).is_none());
        assert_all_settled();
    });
}

#[test]
fn vouching_for_what_a_third_of_the_panel_has_costs_nothing() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        contribute(id, &[(ALICE, 1), (BOB, 1), (CHARLIE, 2)]);
        next_block();
        let attestation = crate::Attestation { task: id, content: tensor(1).id(), attester: drawn(id)[0].clone() };
        assert_eq!(attest(attestation), Ok(()));
        run_to(19);
        assert_eq!(void(id), Some(VoidReason::Unattested { content: tensor(1).id() }));
        assert!(ACCOUNTS.iter().all(|who| free(*who) == ENDOWMENT));
        assert!(Contributions::<Test>::get(id).is_none());
        assert_all_settled();
    });
}

/// Such a task cannot come about. It must not stop the agenda either.
#[test]
fn a_task_that_is_attested_without_leader_would_end() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        let now = System::block_number();
        let unsettled = &mut crate::settle::Unsettled::<Test>::of(id);
        Tasks::take_step(id, task(id), crate::Step::CloseAttest, now, unsettled);
        assert_eq!(void(id), Some(VoidReason::NoMajority));
    });
}

#[test]
fn the_creator_may_take_part() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        contribute(id, &[(CREATOR, 1), (ALICE, 1)]);
        attest_all(id);
        next_block();
        // 1000 and half of a pool of 200 each; the creator pays itself.
        assert_eq!((free(ALICE), free(CREATOR)), (ENDOWMENT + 1_100, ENDOWMENT - 1_100));
        assert_all_settled();
    });
}

#[test]
fn shares_of_an_odd_division_are_rounded_down() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        contribute(id, &[(ALICE, 1), (BOB, 1), (CHARLIE, 1)]);
        attest_all(id);
        next_block();
        assert_eq!(shares(id, ALICE), 333_333_333_333);
        assert_all_settled();
    });
}

#[test]
fn a_freeze_of_the_creators_balance_holds_up_nobody() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        use frame_support::traits::{LockableCurrency, WithdrawReasons};
        Balances::set_lock(*b"anything", &CREATOR, u128::MAX, WithdrawReasons::all());
        Balances::set_lock(*b"anything", &ALICE, u128::MAX, WithdrawReasons::TRANSFER);
        contribute(id, &[(ALICE, 1), (BOB, 2), (CHARLIE, 1)]);
        attest_all(id);
        next_block();
        assert_eq!(free(ALICE), ENDOWMENT + 1_300);
        assert_all_settled();
    });
}

/// Leaves nothing free in an account that something else keeps alive.
fn empty(who: AccountId) {
    System::inc_providers(&who);
    let all = <Balances as frame_support::traits::fungible::Inspect<_>>::reducible_balance(
        &who,
        Preservation::Expendable,
        Fortitude::Polite,
    );
    assert_ok!(Balances::transfer_allow_death(RuntimeOrigin::signed(who), DAVE, all));
    assert_eq!(free(who), 0);
}

#[test]
fn dust_that_nobody_can_own_is_slashed_and_settlement_goes_on() {
    ExtBuilder::default().build_and_execute(|| {
        // All but 5 of the bond are lost, and 5 are less than an account can exist on.
        let terms =
            Terms { base: 4, growth: Permill::zero(), minority_slash: Permill::from_percent(90), bond: 50, ..terms() };
        let id = NewTask { terms, max_participants: 3, ..Default::default() }.id();
        for (who, number) in [(ALICE, 1), (BOB, 1), (CHARLIE, 2)] {
            assert_ok!(commit(who, id, &tensor(number), 50));
        }
        run_to(7);
        for (who, number) in [(ALICE, 1), (BOB, 1), (CHARLIE, 2)] {
            assert_ok!(reveal(who, id, &tensor(number)));
        }
        empty(CHARLIE);
        run_to(12);
        attest_all(id);
        next_block();
        let failed = |due, amount| Event::Undelivered { task: id, who: CHARLIE, due, amount };
        assert!(events().contains(&failed(Undeliverable::Held, 5)));
        assert!(events().contains(&failed(Undeliverable::Reward, 2)));
        assert_eq!((free(CHARLIE), SlashedSoFar::get()), (0, 50));
        // What Charlie could not receive stays with the creator.
        assert_eq!(free(CREATOR), ENDOWMENT - 8);
        assert_all_settled();
    });
}

#[test]
fn shares_that_cannot_be_received_hold_up_nobody() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        contribute(id, &[(ALICE, 1), (BOB, 1)]);
        next_block();
        // Somebody with the power to do so took the class: this pallet cannot create it, and no winner has its minimum.
        let class = AssetId::Shares(id);
        assert_ok!(Assets::force_create(RuntimeOrigin::root(), class, DAVE, true, TOTAL_SHARES));
        for attester in drawn(id).into_iter().take(2) {
            let content = tensor(1).id();
            assert_eq!(attest(crate::Attestation { task: id, content, attester }), Ok(()));
        }
        next_block();
        let due = Undeliverable::Shares;
        let failed = Event::Undelivered { task: id, who: ALICE, due, amount: TOTAL_SHARES / 2 };
        assert!(events().contains(&failed));
        assert_eq!(free(ALICE), ENDOWMENT + 1_100);
        assert_all_settled();
    });
}

#[test]
fn a_hold_that_somebody_took_from_holds_up_nobody() {
    ExtBuilder::default().build().execute_with(|| {
        let id = NewTask::default().id();
        contribute(id, &[(ALICE, 1), (BOB, 1)]);
        next_block();
        drop(Balances::slash(&HoldReason::Bond.into(), &ALICE, 400).0);
        let taken = Balances::burn_held(
            &HoldReason::Reward.into(),
            &CREATOR,
            order(id).escrow - 1_200,
            Precision::Exact,
            Fortitude::Force,
        );
        assert_ok!(taken);
        for attester in drawn(id).into_iter().take(2) {
            let content = tensor(1).id();
            assert_eq!(attest(crate::Attestation { task: id, content, attester }), Ok(()));
        }
        Tasks::work_through_agenda(System::block_number(), frame_support::weights::Weight::MAX);
        // One of the winners was paid, what was left did not do for the other, and the task is over.
        let rewards: u128 = [ALICE, BOB].map(free).iter().sum::<u128>() - (2 * ENDOWMENT - 400);
        assert_eq!(rewards, 1_100);
        assert_eq!(crate::Tasks::<Test>::count(), 0);
        assert_eq!(held(HoldReason::Reward, CREATOR) + held(HoldReason::Bond, ALICE), 0);
        check_state();
    });
}

#[test]
fn shares_cannot_be_spread_over_any_number_of_accounts() {
    ExtBuilder::default().build_and_execute(|| {
        let id = two_of_three();
        let stranger = 99;
        let give = |amount| Assets::transfer(RuntimeOrigin::signed(ALICE), AssetId::Shares(id), stranger, amount);
        assert_noop!(give(MIN_SHARES - 1), sp_runtime::TokenError::BelowMinimum);
        assert!(!System::account_exists(&stranger));
        assert_ok!(give(MIN_SHARES));
        assert!(System::account_exists(&stranger));
        assert_eq!(TOTAL_SHARES / MIN_SHARES, 1_000_000);
    });
}

#[test]
fn a_winner_too_light_for_the_fewest_shares_is_paid_without_them() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { weighting: Weighting::Bond { cap: u128::MAX }, ..Default::default() }.id();
        let fortune = 600_000_000_000;
        assert_ok!(Balances::force_set_balance(RuntimeOrigin::root(), ALICE, fortune));
        for (who, bond) in [(ALICE, fortune - EXISTENTIAL), (BOB, BOND)] {
            assert_ok!(commit(who, id, &tensor(1), bond));
        }
        run_to(7);
        for who in [ALICE, BOB] {
            assert_ok!(reveal(who, id, &tensor(1)));
        }
        run_to(12);
        attest_all(id);
        next_block();
        let due = Undeliverable::Shares;
        let amount = TOTAL_SHARES * BOND / (fortune - EXISTENTIAL + BOND);
        assert!(events().contains(&Event::Undelivered { task: id, who: BOB, due, amount }));
        assert_eq!((free(BOB), shares(id, BOB)), (ENDOWMENT + BASE, 0));
        assert!(shares(id, ALICE) > TOTAL_SHARES - MIN_SHARES);
    });
}

#[test]
fn nobody_else_can_mint_shares_or_create_their_class() {
    ExtBuilder::default().build_and_execute(|| {
        let id = two_of_three();
        let class = AssetId::Shares(id);
        assert_noop!(
            Assets::mint(RuntimeOrigin::signed(ALICE), class, ALICE, 1),
            pallet_assets::Error::<Test>::NoPermission
        );
        assert_noop!(
            Assets::create(RuntimeOrigin::signed(ALICE), AssetId::Shares(id + 1), ALICE, 1),
            sp_runtime::DispatchError::BadOrigin
        );
        // They are the owners' to pass on.
        assert_ok!(Assets::transfer(RuntimeOrigin::signed(ALICE), class, DAVE, TOTAL_SHARES / 4));
        assert_eq!(shares(id, DAVE), TOTAL_SHARES / 4);
    });
}
