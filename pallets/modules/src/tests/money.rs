//! Random calls: whatever people do, money is conserved, the state is sound and nothing of a removed module is left.

use std::collections::BTreeMap;

use ensemble_core::modules::Role;
use frame_support::weights::Weight;
use proptest::prelude::*;

use crate::{mock::*, Balance, Event, Modules as Stored, Names};

const NAMES: [&str; 8] = ["a", "sd", "acme", "acme.llama", "acme.llama.x", "acme-x", "acme_x", "video.y"];
const TYPES: [&str; 3] = ["chat", "folding", "weather"];
const PATTERNS: [&str; 4] = ["llama", "x", "acme-", "x-y"];

/// Something that somebody does. A module is chosen among all numbers given out and one that was not.
#[derive(Clone, Debug)]
enum Action {
    Register { name: usize, max: Balance },
    Update { module: u32, description: u8 },
    Remove { module: u32 },
    RemoveAll,
    Build { module: u32, on: Vec<u32> },
    SetRole { module: u32, types: Vec<u16> },
    Offer { module: u32, to: usize },
    Accept { module: u32 },
    Cancel { module: u32 },
    Refresh { module: u32 },
    AddType { name: usize },
    AddPattern { global: bool, module: u32, pattern: usize, model_type: u16 },
    RemovePattern { global: bool, module: u32, pattern: usize },
    Blocks { count: u64, calls: u32 },
}

fn any_action() -> impl Strategy<Value = Action> {
    let module = 0u32..8;
    let pattern = 0..PATTERNS.len();
    prop_oneof![
        8 => (0..NAMES.len(), prop_oneof![Just(Balance::MAX), 0u128..300_000])
            .prop_map(|(name, max)| Action::Register { name, max }),
        2 => (module.clone(), 0u8..3).prop_map(|(module, description)| Action::Update { module, description }),
        4 => module.clone().prop_map(|module| Action::Remove { module }),
        1 => Just(Action::RemoveAll),
        4 => (module.clone(), prop::collection::vec(module.clone(), 0..4))
            .prop_map(|(module, on)| Action::Build { module, on }),
        1 => (module.clone(), prop::collection::vec(0u16..9, 0..3))
            .prop_map(|(module, types)| Action::SetRole { module, types }),
        3 => (module.clone(), 0..ACCOUNTS.len()).prop_map(|(module, to)| Action::Offer { module, to }),
        3 => module.clone().prop_map(|module| Action::Accept { module }),
        1 => module.clone().prop_map(|module| Action::Cancel { module }),
        2 => module.clone().prop_map(|module| Action::Refresh { module }),
        1 => (0..TYPES.len()).prop_map(|name| Action::AddType { name }),
        3 => (any::<bool>(), module.clone(), pattern.clone(), 0u16..9)
            .prop_map(|(global, module, pattern, model_type)| Action::AddPattern { global, module, pattern, model_type }),
        2 => (any::<bool>(), module, pattern)
            .prop_map(|(global, module, pattern)| Action::RemovePattern { global, module, pattern }),
        3 => (1u64..15, 0u32..6).prop_map(|(count, calls)| Action::Blocks { count, calls }),
    ]
}

/// Children come before their parents, whose names are shorter.
fn remove_all() {
    for (id, module) in Stored::<Test>::iter().collect::<Vec<_>>() {
        let _ = Modules::cancel_transfer(signed(module.owner), id);
    }
    let mut modules: Vec<_> = Stored::<Test>::iter().collect();
    modules.sort_by_key(|(_, module)| core::cmp::Reverse(module.name.as_bytes().len()));
    for (id, module) in modules {
        assert!(Modules::remove(signed(module.owner), id).is_ok());
    }
}

/// Does it, whether it succeeds or not: the state must be sound either way.
fn act(who: AccountId, action: Action) {
    let origin = signed(who);
    let root = RuntimeOrigin::root();
    match action {
        Action::Register { name, max } => _ = Modules::register(origin, NAMES[name].into(), profile(), max),
        Action::Update { module, description } => {
            let profile = crate::NewProfile { description: vec![b'a' + description], ..profile() };
            _ = Modules::update(origin, module, profile);
        },
        Action::Remove { module } => _ = Modules::remove(origin, module),
        Action::RemoveAll => remove_all(),
        Action::Build { module, on } => _ = Modules::set_dependencies(origin, module, on),
        Action::SetRole { module, types } => {
            let role = if types.is_empty() { Role::Miner } else { validator(&types, 1) };
            _ = Modules::set_role(origin, module, role);
        },
        Action::Offer { module, to } => _ = Modules::offer_transfer(origin, module, ACCOUNTS[to]),
        Action::Accept { module } => _ = Modules::accept_transfer(origin, module),
        Action::Cancel { module } => _ = Modules::cancel_transfer(origin, module),
        Action::Refresh { module } => _ = Modules::refresh_type(origin, module),
        Action::AddType { name } => _ = Modules::add_type(root, TYPES[name].into()),
        Action::AddPattern { global: true, pattern, model_type, .. } => {
            _ = Modules::add_pattern(root, PATTERNS[pattern].into(), model_type);
        },
        Action::AddPattern { module, pattern, model_type, .. } => {
            _ = Modules::add_namespace_pattern(origin, module, PATTERNS[pattern].into(), model_type);
        },
        Action::RemovePattern { global: true, pattern, .. } => {
            _ = Modules::remove_pattern(root, PATTERNS[pattern].into());
        },
        Action::RemovePattern { module, pattern, .. } => {
            _ = Modules::remove_namespace_pattern(origin, module, PATTERNS[pattern].into());
        },
        Action::Blocks { count, calls } => (0..count).for_each(|_| _ = next_block_with(weight(calls))),
    }
}

/// What the events say that each account has lost to the fire.
fn burnt_by() -> BTreeMap<AccountId, Balance> {
    let mut burnt = BTreeMap::new();
    for event in events() {
        if let Event::ModuleRegistered { owner, burnt: amount, .. } = event {
            *burnt.entry(owner).or_default() += amount;
        }
    }
    burnt
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..Default::default() })]

    #[test]
    fn whatever_happens_the_state_is_sound(
        actions in prop::collection::vec((0..ACCOUNTS.len(), any_action()), 1..100),
    ) {
        with_chain(|| {
            for (who, action) in actions {
                act(ACCOUNTS[who], action);
                check_state();
            }
            remove_all();
            (0..NAME_DELAY + 100).for_each(|_| _ = next_block_with(Weight::MAX));
            check_state();
            assert_eq!((Names::<Test>::iter().count(), Stored::<Test>::iter().count()), (0, 0));
            let burnt = burnt_by();
            for who in ACCOUNTS {
                let endowment = if who == POOR { EXISTENTIAL } else { ENDOWMENT };
                assert_eq!(free(who), endowment - burnt.get(&who).copied().unwrap_or_default(), "of {who}");
                assert_eq!(held(who), 0);
            }
        });
    }
}
