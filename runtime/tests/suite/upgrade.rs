//! The upgrade from the runtime before: the state that it has left is brought to this one's layout, and goes on.
//!
//! That state is a real one: `scripts/snapshot` plays a story on four validators and keeps what is stored when much of it is
//! under way. Checked natively, without the network.

use std::collections::BTreeMap;

use codec::DecodeAll;
use ensemble_core::TaskId;
use ensemble_runtime::{
    configs::RuntimeBlockWeights, AllPalletsWithSystem, Babe, Balances, Emission, Executive, Header, Runtime,
    RuntimeCall, RuntimeOrigin, Session, Stake, System, Tasks, UncheckedExtrinsic, MILLISECS_PER_BLOCK, VERSION,
};
use frame_support::{
    assert_ok,
    storage::{storage_prefix, unhashed},
    traits::{
        OnGenesis, PalletInfoAccess, PalletInfoData, PalletsInfoAccess, StorageVersion,
        STORAGE_VERSION_STORAGE_KEY_POSTFIX,
    },
};
use sp_consensus_babe::digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest};
use sp_core::H256;
use sp_runtime::{Digest, DigestItem};
use sp_storage::Storage;

use crate::{on_chain, preset};

/// All keys and values that the runtime before has left, without its code.
const PREVIOUS: &[u8] = include_bytes!("../states/spec-1.scale");
/// `spec_version` of that runtime.
const PREVIOUS_SPEC: u32 = 1;
/// More blocks than anything takes that is under way in that state: sessions of inference take longest.
const BLOCKS: u32 = 250;

/// The pallets of ours, by the names under which they store.
fn ours() -> impl Iterator<Item = &'static str> {
    let is_ours = |info: &PalletInfoData| info.crate_version == Tasks::crate_version();
    AllPalletsWithSystem::infos().into_iter().filter(is_ours).map(|info| info.name)
}

/// The layouts of the storage of all pallets of ours, as the state has them.
fn layouts() -> BTreeMap<&'static str, StorageVersion> {
    let key = |pallet: &str| storage_prefix(pallet.as_bytes(), STORAGE_VERSION_STORAGE_KEY_POSTFIX);
    ours().map(|pallet| (pallet, unhashed::get_or_default(&key(pallet)))).collect()
}

/// The same as the code declares them: a new chain writes them down.
fn declared() -> BTreeMap<&'static str, StorageVersion> {
    sp_io::TestExternalities::new_empty().execute_with(|| {
        AllPalletsWithSystem::on_genesis();
        layouts()
    })
}

/// Runs `test` on what the runtime before has left.
fn on_previous_state(test: impl FnOnce()) {
    let pairs = Vec::<(Vec<u8>, Vec<u8>)>::decode_all(&mut &PREVIOUS[..]).expect("scripts/snapshot writes pairs");
    let storage = Storage { top: pairs.into_iter().collect(), children_default: Default::default() };
    sp_io::TestExternalities::new(storage).execute_with(test);
}

/// Makes the next block, with nothing in it but the time. Validators take turns.
fn make_block() {
    let slot = *Babe::current_slot() + 1;
    let authorities = pallet_babe::Authorities::<Runtime>::decode_len().expect("there are authorities") as u64;
    let authority_index = u32::try_from(slot % authorities).expect("there are not that many");
    let turn = PreDigest::SecondaryPlain(SecondaryPlainPreDigest { authority_index, slot: slot.into() });
    let digest = Digest { logs: vec![DigestItem::babe_pre_digest(turn)] };
    let number = System::block_number() + 1;
    let [parent_hash, extrinsics_root, state_root] = [H256::from_low_u64_be(number.into()), H256::zero(), H256::zero()];
    Executive::initialize_block(&Header { parent_hash, number, state_root, extrinsics_root, digest });
    let time = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: slot * MILLISECS_PER_BLOCK });
    assert_ok!(Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(time)).expect("the time is valid"));
    Executive::finalize_block();
}

/// All pallets find the state sound. Their checks are there with the feature `try-runtime`, with which scripts/test runs
/// this suite.
fn assert_sound() {
    #[cfg(feature = "try-runtime")]
    check(frame_support::traits::TryStateSelect::All);
}

/// These pallets find the state sound.
#[cfg(feature = "try-runtime")]
fn check(pallets: frame_support::traits::TryStateSelect) {
    use frame_support::traits::TryState;
    assert_ok!(AllPalletsWithSystem::try_state(System::block_number(), pallets));
}

#[test]
fn every_pallet_of_ours_declares_the_layout_of_its_storage() {
    let undeclared: Vec<_> = declared().into_iter().filter(|(_, version)| *version < 1).collect();
    assert!(undeclared.is_empty(), "no `#[pallet::storage_version]`: {undeclared:?}");
}

#[test]
fn a_new_chain_begins_with_the_layout_of_the_code() {
    on_chain(preset("local_testnet"), || assert_eq!(layouts(), declared()));
}

#[test]
fn the_first_block_brings_the_state_to_the_layout_of_the_code() {
    let spec = || frame_system::LastRuntimeUpgrade::<Runtime>::get().map(|last| last.spec_version.0);
    on_previous_state(|| {
        assert_eq!(spec(), Some(PREVIOUS_SPEC));
        assert!(VERSION.spec_version > PREVIOUS_SPEC, "this is another runtime");
        make_block();
        assert_eq!(layouts(), declared());
        assert_eq!(spec(), Some(VERSION.spec_version));
        assert_sound();
    });
}

#[test]
fn the_migrations_fit_a_block() {
    on_previous_state(|| {
        let weight = Executive::execute_on_runtime_upgrade();
        let most = RuntimeBlockWeights::get().max_block;
        assert!(weight.all_lte(most), "{weight} of {most}");
    });
}

/// Pallets whose layout is another one now cannot read what they find before.
#[cfg(feature = "try-runtime")]
#[test]
fn the_state_is_sound_before_the_migrations_and_after() {
    use frame_support::traits::{TryStateSelect, UpgradeCheckSelect};

    on_previous_state(|| {
        let declared = declared();
        let changed = layouts().into_iter().filter(|(pallet, version)| declared[pallet] != *version);
        check(TryStateSelect::AllExcept(changed.map(|(pallet, _)| pallet.as_bytes().to_vec()).collect()));
        assert_ok!(Executive::try_runtime_upgrade(UpgradeCheckSelect::All));
        assert_eq!(layouts(), declared);
    });
}

#[test]
fn what_was_under_way_comes_to_its_end() {
    on_previous_state(|| {
        let tasks: Vec<TaskId> = pallet_tasks::Tasks::<Runtime>::iter_keys().collect();
        let sessions: Vec<_> = pallet_inference::Sessions::<Runtime>::iter_keys().collect();
        let unbonding: Vec<_> = pallet_stake::Unbondings::<Runtime>::iter_keys().collect();
        let works = pallet_scores::Works::<Runtime>::iter_keys().count();
        let under_way = [tasks.len(), sessions.len(), unbonding.len(), works];
        assert!(under_way.iter().all(|&count| count > 0), "the story left too little: {under_way:?}");
        let (epoch, session) = (Emission::epoch_view().epoch, Session::current_index());

        for block in 0..BLOCKS {
            make_block();
            if block % 25 == 0 {
                assert_sound();
            }
        }

        for task in tasks {
            assert!(!pallet_tasks::Tasks::<Runtime>::contains_key(task), "task {task}");
        }
        for id in sessions {
            assert!(!pallet_inference::Sessions::<Runtime>::contains_key(id), "session {id}");
        }
        for (who, module) in unbonding {
            assert_ok!(Stake::withdraw(RuntimeOrigin::signed(who.clone()), who, module));
        }
        assert!(Emission::epoch_view().epoch > epoch, "epochs go on");
        assert!(Session::current_index() > session, "sessions of validators go on");
        let supply = Emission::supply();
        assert_eq!(supply.issuance, Balances::total_issuance());
        assert_eq!(supply.genesis + supply.emitted, supply.issuance + supply.burnt);
        assert_sound();
    });
}
