//! Random lives of validators: whatever happens, the state is sound, the chain has validators, and finality goes on.

use proptest::prelude::*;

use crate::{mock::*, Error, Event};

/// Something that happens.
#[derive(Clone, Debug)]
enum Action {
    Stand { who: AccountId },
    Chill { who: AccountId },
    Stake { who: AccountId, stake: u128 },
    SetKeys { who: AccountId },
    RemoveKeys { who: AccountId },
    PlayAnotherPart { who: AccountId },
    Transfer { who: AccountId, to: AccountId },
    Remove { who: AccountId },
    Offend { who: AccountId, sessions_ago: u32, percent: u32 },
    Sessions { count: u32, silent: Vec<AccountId> },
}

fn anybody() -> impl Strategy<Value = AccountId> {
    prop::sample::select([&FOUNDERS[..], &CANDIDATES[..]].concat())
}

fn any_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => anybody().prop_map(|who| Action::Stand { who }),
        1 => anybody().prop_map(|who| Action::Chill { who }),
        4 => (anybody(), 90u128..2_000).prop_map(|(who, stake)| Action::Stake { who, stake }),
        3 => anybody().prop_map(|who| Action::SetKeys { who }),
        1 => anybody().prop_map(|who| Action::RemoveKeys { who }),
        1 => anybody().prop_map(|who| Action::PlayAnotherPart { who }),
        1 => (anybody(), anybody()).prop_map(|(who, to)| Action::Transfer { who, to }),
        1 => anybody().prop_map(|who| Action::Remove { who }),
        2 => (anybody(), 0u32..6, 0u32..=100)
            .prop_map(|(who, sessions_ago, percent)| Action::Offend { who, sessions_ago, percent }),
        8 => (1u32..5, prop::collection::vec(anybody(), 0..3))
            .prop_map(|(count, silent)| Action::Sessions { count, silent }),
    ]
}

fn has_module(who: AccountId) -> bool {
    Registry::get().contains_key(&module_of(who))
}

/// Does it as far as the chain lets it be done.
fn act(action: Action) {
    match action {
        Action::Stand { who } => {
            if !has_module(who) {
                prepare(who, 500);
            }
            if try_stand(who, module_of(who)) == Err(Error::<Test>::NotValidator.into()) {
                set_role(module_of(who), validator());
            }
        },
        Action::Chill { who } => {
            let _ = chill(who, module_of(who));
        },
        Action::Stake { who, stake } => set_stake(module_of(who), stake),
        Action::SetKeys { who } => set_keys(who),
        // Those who sit could end the chain by it.
        Action::RemoveKeys { who } if !validators().contains(&who) => {
            let _ = Session::purge_keys(RuntimeOrigin::signed(who));
        },
        Action::PlayAnotherPart { who } if has_module(who) => {
            set_role(module_of(who), ensemble_core::modules::Role::Miner);
        },
        Action::Transfer { who, to } if has_module(who) => transfer(module_of(who), to),
        Action::RemoveKeys { .. } | Action::PlayAnotherPart { .. } | Action::Transfer { .. } => (),
        Action::Remove { who } => remove_module(module_of(who)),
        Action::Offend { who, sessions_ago, percent } => {
            offend_in(Session::current_index().saturating_sub(sessions_ago), &[(who, percent)]);
        },
        Action::Sessions { count, silent } => end_sessions_without(count, &silent),
    }
}

/// Nobody sits who did not sit before, is barred, or is one too many.
fn check_elections() {
    for event in events() {
        let Event::Elected { validators, newcomers, .. } = event else { continue };
        let newcomers = usize::try_from(newcomers).unwrap();
        assert!(newcomers == 0 || 3 * newcomers < validators.len(), "a third is new of {validators:?}");
        assert!(validators.len() >= FOUNDERS.len(), "too few were elected: {validators:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..Default::default() })]

    #[test]
    fn the_chain_goes_on(actions in prop::collection::vec(any_action(), 1..60)) {
        on_chain(|| {
            for action in actions {
                act(action);
                check_state();
                check_elections();
                assert!(validators().len() >= MIN_VALIDATORS as usize);
            }
            // When all is quiet again, all who can be elected are.
            (0..8).for_each(|_| next_era());
            let best = ranking().into_iter().take(MAX_VALIDATORS as usize);
            assert!(best.into_iter().all(|who| validators().contains(&who)), "{:?} sit", validators());
        });
    }
}
