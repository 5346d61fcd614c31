use ensemble_core::AssetId;
use frame_support::{assert_noop, assert_ok};

use crate::{fixture::Model, mock::*, ConfigBytes, Error, Event, HoldReason, Manifest, Models, Pots};

fn register_with(task: u32, manifest: Manifest, config: ConfigBytes) -> sp_runtime::DispatchResult {
    Inference::register_model(signed(REGISTRANT), task, manifest, config)
}

#[test]
fn what_won_a_public_task_becomes_a_model() {
    on_chain(|| {
        let tiny = Model::tiny();
        assert_eq!(register(), 0);
        let model = Models::<Test>::get(0).unwrap();
        assert_eq!((model.task, model.content, model.registrant), (TASK, tiny.bundle.id(), REGISTRANT));
        assert_eq!(held(HoldReason::Model, REGISTRANT), DEPOSIT);
        assert_eq!(free(Inference::pot(0)), EXISTENTIAL);
        assert_eq!(free(REGISTRANT), ENDOWMENT - DEPOSIT - EXISTENTIAL);
        assert!(matches!(last_event(), Event::ModelRegistered { model: 0, task: TASK, deposit: DEPOSIT, .. }));
        use frame_support::traits::fungibles::Inspect;
        assert!(<Assets as Inspect<AccountId>>::asset_exists(AssetId::Rows(0)));
    });
}

#[test]
fn a_task_has_one_model() {
    on_chain(|| {
        register();
        let tiny = Model::tiny();
        assert_noop!(register_with(TASK, tiny.manifest(), tiny.config()), Error::<Test>::AlreadyAModel);
    });
}

#[test]
fn what_nobody_can_have_or_nobody_won_is_no_model() {
    on_chain(|| {
        let tiny = Model::tiny();
        assert_noop!(register_with(RESTRICTED, tiny.manifest(), tiny.config()), Error::<Test>::NotPublic);
        assert_noop!(register_with(99, tiny.manifest(), tiny.config()), Error::<Test>::NothingWon);
    });
}

#[test]
fn the_manifest_must_be_that_of_what_won() {
    on_chain(|| {
        let tiny = Model::tiny();
        let other = tiny.manifest_without("template").data;
        let refused = register_with(TASK, Manifest::truncate_from(other), tiny.config());
        assert_noop!(refused, Error::<Test>::NotTheManifest);
        let refused = register_with(TASK, Manifest::default(), tiny.config());
        assert_noop!(refused, Error::<Test>::NotTheManifest);
    });
}

#[test]
fn the_config_must_be_that_of_the_bundle() {
    on_chain(|| {
        let tiny = Model::tiny();
        let mut config = tiny.config();
        config[3] ^= 1;
        assert_noop!(register_with(TASK, tiny.manifest(), config), Error::<Test>::NotTheConfig);
        let refused = register_with(TASK, tiny.manifest(), ConfigBytes::default());
        assert_noop!(refused, Error::<Test>::NotTheConfig);
    });
}

#[test]
fn all_members_that_are_computed_with_must_be_there() {
    let tiny = Model::tiny();
    for missing in
        ["rope", "tokenizer", "config", "blk.1.ffn_up.weight", "blk.0.attn_norm.weight", "output_norm.weight"]
    {
        on_chain(|| {
            Winner::set(Some(tiny.manifest_without(missing).id()));
            let manifest = Manifest::truncate_from(tiny.manifest_without(missing).data);
            assert_noop!(register_with(TASK, manifest, tiny.config()), Error::<Test>::MemberMissing);
        });
    }
    on_chain(|| {
        Winner::set(Some(tiny.manifest_without("template").id()));
        let manifest = Manifest::truncate_from(tiny.manifest_without("template").data);
        assert_ok!(register_with(TASK, manifest, tiny.config()));
    });
}

#[test]
fn whoever_cannot_pay_registers_nothing() {
    on_chain(|| {
        let tiny = Model::tiny();
        let refused = Inference::register_model(signed(POOR), TASK, tiny.manifest(), tiny.config());
        assert_noop!(refused, Error::<Test>::CannotPay);
    });
}

#[test]
fn a_model_out_of_use_is_retired_and_everything_returns() {
    on_chain(|| {
        let model = register();
        assert_noop!(Inference::retire_model(signed(STRANGER), model), Error::<Test>::NotRegistrant);
        join(WORKERS[0], model, BOND);
        assert_noop!(Inference::retire_model(signed(REGISTRANT), model), Error::<Test>::ModelInUse);
        assert_ok!(Inference::leave(signed(WORKERS[0])));
        assert_ok!(Inference::retire_model(signed(REGISTRANT), model));
        assert_eq!(wealth(REGISTRANT), ENDOWMENT);
        assert_eq!(wealth(Inference::pot(model)), 0);
        assert!(!Models::<Test>::contains_key(model) && !Pots::<Test>::contains_key(model));
        assert_noop!(try_join(WORKERS[1], model, BOND), Error::<Test>::UnknownModel);
        // Its bundle can become a model again, under another number.
        assert_eq!(register(), model + 1);
    });
}

#[test]
fn nobody_tops_up_for_a_model_that_is_gone() {
    on_chain(|| {
        let model = register();
        join(WORKERS[0], model, BOND);
        drop(Inference::slash_bond(0, &WORKERS[0], 1));
        assert_ok!(Inference::retire_model(signed(REGISTRANT), model));
        assert_noop!(Inference::bond_extra(signed(WORKERS[0]), 1), Error::<Test>::UnknownModel);
        assert_ok!(Inference::leave(signed(WORKERS[0])));
        System::set_block_number(100);
        assert_ok!(Inference::withdraw(signed(WORKERS[0])));
    });
}

#[test]
fn a_model_with_a_session_is_in_use() {
    with_workers(3, |model| {
        let id = open(question());
        for who in WORKERS[..3].iter().chain(&[GATEWAY]) {
            assert_ok!(Inference::leave(signed(*who)));
        }
        assert_noop!(Inference::retire_model(signed(REGISTRANT), model), Error::<Test>::ModelInUse);
        run_to_end(id);
        assert_ok!(Inference::retire_model(signed(REGISTRANT), model));
    });
}
