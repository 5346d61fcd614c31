//! A runtime of balances, session and validators.

use frame_support::{derive_impl, parameter_types, traits::ConstU32};
use pallet_session::{historical::NoteHistoricalRoot, PeriodicSessions, TestSessionHandler};
use sp_runtime::{
    testing::UintAuthorityId,
    traits::{ConstU64, ConvertInto},
    BuildStorage,
};

type Block = frame_system::mocking::MockBlock<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Validators: crate,
        Session: pallet_session,
        Historical: pallet_session::historical,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountData = pallet_balances::AccountData<u64>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
}

parameter_types! {
    pub const KeyDeposit: u64 = 1;
}

impl pallet_session::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = u64;
    type ValidatorIdOf = ConvertInto;
    type ShouldEndSession = PeriodicSessions<ConstU64<5>, ConstU64<0>>;
    type NextSessionRotation = PeriodicSessions<ConstU64<5>, ConstU64<0>>;
    type SessionManager = NoteHistoricalRoot<Test, Validators>;
    type SessionHandler = TestSessionHandler;
    type Keys = UintAuthorityId;
    type DisablingStrategy = pallet_session::disabling::UpToLimitWithReEnablingDisablingStrategy;
    type WeightInfo = ();
    type Currency = Balances;
    type KeyDeposit = KeyDeposit;
}

impl pallet_session::historical::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type FullIdentification = ();
    type FullIdentificationOf = crate::Identification;
}

impl crate::Config for Test {
    type MaxValidators = ConstU32<8>;
    type MinValidators = ConstU32<2>;
}

/// Runs `test` on a chain with these validators, then checks the pallet's state.
pub fn with_validators(validators: &[u64], test: impl FnOnce()) {
    let keys = validators.iter().map(|&who| (who, who, UintAuthorityId(who))).collect();
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: validators.iter().map(|&who| (who, 100)).collect(),
            ..Default::default()
        },
        validators: crate::GenesisConfig { validators: validators.to_vec(), session_length: Some(7) },
        session: pallet_session::GenesisConfig { keys, ..Default::default() },
        ..Default::default()
    };
    let mut externalities: sp_io::TestExternalities = genesis.build_storage().expect("genesis is valid").into();
    externalities.execute_with(|| {
        System::set_block_number(1);
        test();
        Validators::do_try_state().expect("the state is sound");
    });
}
