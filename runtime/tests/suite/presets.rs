//! The genesis presets build the chains that they promise.

use ensemble_core::{tasks::Phases, AssetId};
use ensemble_runtime::{
    genesis, Assets, Balances, Emission, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, Session, Sudo, System, TUNE,
};
use frame_support::{
    assert_noop, assert_ok,
    traits::{fungible::Inspect, Get},
};
use serde_json::{json, Value};
use sp_keyring::Sr25519Keyring::{Alice, Bob};

use crate::{account, merge, on_chain, preset};

#[test]
fn dev_has_one_validator_and_local_has_four() {
    for (name, validators) in [("development", 1), ("local_testnet", 4)] {
        on_chain(preset(name), || {
            assert_eq!(pallet_validators::Validators::<Runtime>::get().len(), validators);
            assert_eq!(Session::validators().len(), validators);
            assert_eq!(pallet_validators::Seats::<Runtime>::get(0).len(), validators);
            assert_eq!(pallet_tasks::Attesters::<Runtime>::get().len(), validators);
            assert_eq!(pallet_sudo::Key::<Runtime>::get(), Some(account(Alice)));
            assert_eq!(Balances::balance(&account(Bob)), 1_000_000 * TUNE);
            assert_eq!(<Runtime as pallet_babe::Config>::EpochDuration::get(), 40);
            assert_eq!(pallet_validators::SessionsPerEra::<Runtime>::get(), 2);
            assert_eq!(Emission::epoch_view().ends, 16);
            assert_eq!(pallet_spaces::RoundPhases::<Runtime>::get(), Phases { commit: 12, reveal: 8, attest: 8 });
            assert!(System::events().is_empty());
        });
    }
}

#[test]
fn every_session_has_a_root_from_the_first_on() {
    on_chain(preset("local_testnet"), || {
        assert!(pallet_session::historical::HistoricalSessions::<Runtime>::contains_key(0));
        assert!(pallet_session::historical::HistoricalSessions::<Runtime>::contains_key(1));
    });
}

#[test]
fn production_has_no_sudo_key_and_no_account_until_its_founders_say_so() {
    let production = preset("production");
    assert_eq!(production["sudo"]["key"], Value::Null);
    assert_eq!(production["balances"]["balances"], json!([]));
    assert_eq!(production["validators"]["validators"], json!([]));

    let founders = preset("development");
    let mut filled = production;
    merge(&mut filled, json!({ "balances": founders["balances"], "session": founders["session"] }));
    merge(&mut filled, json!({ "validators": { "validators": founders["validators"]["validators"] } }));
    on_chain(filled, || {
        assert_eq!(pallet_sudo::Key::<Runtime>::get(), None);
        assert_eq!(<Runtime as pallet_babe::Config>::EpochDuration::get(), 1_200);
        assert_eq!(pallet_validators::SessionsPerEra::<Runtime>::get(), 6);
        assert_eq!(Emission::epoch_view().ends, 1_200);
        assert_eq!(pallet_spaces::RoundPhases::<Runtime>::get(), Phases { commit: 200, reveal: 20, attest: 100 });
        let call = Box::new(RuntimeCall::System(frame_system::Call::set_storage { items: vec![] }));
        let refused = Sudo::sudo(RuntimeOrigin::signed(account(Alice)), call);
        assert_eq!(refused.map_err(|error| error.error), Err(pallet_sudo::Error::<Runtime>::RequireSudo.into()));
    });
}

#[test]
fn an_unknown_preset_is_none() {
    assert_eq!(genesis::preset(&"staging".into()), None);
}

#[test]
fn nobody_creates_a_class_that_passes_for_shares() {
    on_chain(preset("development"), || {
        let alice = RuntimeOrigin::signed(account(Alice));
        let create = |id| Assets::create(alice.clone(), id, account(Alice).into(), 1);
        assert_noop!(create(AssetId::Shares(0)), sp_runtime::DispatchError::BadOrigin);
        assert_ok!(create(AssetId::Asset(0)));
        let created = RuntimeEvent::Assets(pallet_assets::Event::Created {
            asset_id: AssetId::Asset(0),
            creator: account(Alice),
            owner: account(Alice),
        });
        assert!(System::events().iter().any(|record| record.event == created));
    });
}
