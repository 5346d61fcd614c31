//! Block validators: who stands, is elected, works or not, and what that costs, on chains whose blocks are authored by
//! their session keys.

use codec::Encode;
use ensemble_core::{modules::Role, ModuleId};
use ensemble_runtime::{
    AccountId, AllPalletsWithSystem, Babe, Balance, BlockNumber, Emission, Hash, Header, Historical, Modules, Runtime,
    RuntimeEvent, RuntimeOrigin, Session, SessionKeys, Stake, System, Timestamp, Validators, MILLISECS_PER_BLOCK, TUNE,
};
use frame_support::{
    assert_noop, assert_ok,
    traits::{DisabledValidators, Get, KeyOwnerProofSystem, OnFinalize, OnIdle, OnInitialize},
    weights::Weight,
};
use pallet_validators::{ChillReason, Error, Event};
use sp_consensus_babe::{
    digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest},
    AuthorityId, EquivocationProof, Slot,
};
use sp_core::{crypto::KeyTypeId, proof_of_possession::statement_of_ownership, ByteArray};
use sp_keyring::{
    Ed25519Keyring,
    Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie},
};
use sp_runtime::{
    traits::{BlakeTwo256, Hash as HashOf, Header as _},
    Digest, DigestItem, DispatchResult, Perbill,
};

use crate::{account, on_chain, preset, register, signed};

const KEY: KeyTypeId = sp_consensus_babe::KEY_TYPE;
const FOUNDERS: [Sr25519Keyring; 4] = [Alice, Bob, Charlie, Dave];

/// A chain of empty blocks, authored in turn by those who are up.
struct Chain {
    slot: u64,
    parent: Hash,
    number: BlockNumber,
    down: Vec<AccountId>,
    events: Vec<Event<Runtime>>,
}

impl Chain {
    /// A chain of four founders, whose sessions have 40 slots and whose eras have two sessions.
    fn run(test: impl FnOnce(&mut Self)) {
        on_chain(preset("local_testnet"), || {
            System::set_block_number(0);
            let chain =
                &mut Self { slot: 1_000, parent: Hash::zero(), number: 0, down: Vec::new(), events: Vec::new() };
            chain.next_slot();
            test(chain);
        });
    }

    /// Has a block made in the next slot, if its author is up and may author.
    fn next_slot(&mut self) {
        self.slot += 1;
        let begins = self.number > 0 && self.slot >= *Babe::next_epoch().start_slot;
        let authorities = if begins { Babe::next_epoch().authorities } else { Babe::authorities().into_inner() };
        let turn = usize::try_from(self.slot).expect("slots are few") % authorities.len();
        let index = u32::try_from(turn).expect("authorities are few");
        let author = Session::key_owner(KEY, authorities[turn].0.as_slice()).expect("its keys are known");
        let may_author = match begins {
            // Who was excluded is disabled when the session begins.
            true => pallet_validators::Validators::<Runtime>::get().contains(&author),
            false => !Session::is_disabled(index),
        };
        if may_author && !self.down.contains(&author) {
            self.make_block(index);
        }
    }

    fn make_block(&mut self, authority_index: u32) {
        self.note_events();
        self.number += 1;
        let logs = vec![pre_digest(self.slot, authority_index)];
        System::initialize(&self.number, &self.parent, &Digest { logs });
        AllPalletsWithSystem::on_initialize(self.number);
        assert_ok!(Timestamp::set(RuntimeOrigin::none(), self.slot * MILLISECS_PER_BLOCK));
        AllPalletsWithSystem::on_idle(self.number, Weight::MAX);
        AllPalletsWithSystem::on_finalize(self.number);
        self.parent = System::finalize().hash();
        self.note_events();
    }

    /// Makes blocks until this session begins.
    fn run_to_session(&mut self, session: u32) {
        while Session::current_index() < session {
            self.next_slot();
        }
    }

    fn note_events(&mut self) {
        let records = System::read_events_no_consensus().map(|record| record.event).collect::<Vec<_>>();
        System::reset_events();
        self.events.extend(records.into_iter().filter_map(|event| match event {
            RuntimeEvent::Validators(event) => Some(event),
            _ => None,
        }));
    }

    /// The events of pallet-validators since they were last asked for.
    fn events(&mut self) -> Vec<Event<Runtime>> {
        self.note_events();
        core::mem::take(&mut self.events)
    }
}

fn pre_digest(slot: u64, authority_index: u32) -> DigestItem {
    let digest = SecondaryPlainPreDigest { slot: slot.into(), authority_index };
    DigestItem::babe_pre_digest(PreDigest::SecondaryPlain(digest))
}

/// Session keys of a well-known account, and the proof that it has their secrets.
fn keys_of(who: Sr25519Keyring, finality: Ed25519Keyring) -> (SessionKeys, Vec<u8>) {
    let keys = SessionKeys {
        babe: who.public().into(),
        grandpa: finality.public().into(),
        authority_discovery: who.public().into(),
        attester: who.public().into(),
    };
    let statement = statement_of_ownership(&account(who).encode());
    let (signature, finality) = (who.sign(&statement), finality.sign(&statement));
    (keys, (signature, finality, signature, signature).encode())
}

fn set_keys(who: Sr25519Keyring) {
    let finality = match who {
        Eve => Ed25519Keyring::Eve,
        _ => Ed25519Keyring::Ferdie,
    };
    let (keys, proof) = keys_of(who, finality);
    assert_ok!(Session::set_keys(signed(who), keys, proof));
}

/// Registers a module that plays the part of a validator, with stake of its owner.
fn judge(who: Sr25519Keyring, name: &str, stake: Balance) -> ModuleId {
    let module = register(who, name);
    let types = vec![pallet_modules::defaults::CHAT].try_into().expect("one is not too many");
    assert_ok!(Modules::set_role(signed(who), module, Role::Validator { types, capacity: 10 }));
    assert_ok!(Stake::stake(signed(who), module, stake));
    module
}

/// Registers a module and stands with it.
fn stand(who: Sr25519Keyring, name: &str, stake: Balance) -> ModuleId {
    let module = judge(who, name, stake);
    set_keys(who);
    assert_ok!(Validators::stand(signed(who), module));
    module
}

fn sitting() -> Vec<AccountId> {
    pallet_validators::Validators::<Runtime>::get().into_inner()
}

fn accounts(of: &[Sr25519Keyring]) -> Vec<AccountId> {
    of.iter().map(|who| account(*who)).collect()
}

/// Modules in the order in which they would be elected.
fn ranking() -> Vec<ModuleId> {
    Validators::candidate_views(0, 100).into_iter().map(|view| view.module).collect()
}

fn staked_by(who: Sr25519Keyring, module: ModuleId) -> Balance {
    <Stake as ensemble_core::stake::Stake<AccountId, Balance>>::staked_by(&account(who), module)
}

/// A header of this slot that differs from others of it, sealed by its author.
fn sealed_header(author: Sr25519Keyring, authority_index: u32, slot: u64, of: u8) -> Header {
    let root = BlakeTwo256::hash(&[of]);
    let mut header = Header::new(1, root, root, root, Digest { logs: vec![pre_digest(slot, authority_index)] });
    let signature = author.sign(header.hash().as_bytes());
    header.digest_mut().push(DigestItem::babe_seal(signature.into()));
    header
}

/// Reports that a validator sealed two blocks of the last slot.
fn report_equivocation(offender: Sr25519Keyring, slot: u64) -> DispatchResult {
    let key = AuthorityId::from(offender.public());
    let index = Babe::authorities().iter().position(|(authority, _)| *authority == key).expect("it validates");
    let index = u32::try_from(index).expect("authorities are few");
    let [first_header, second_header] = [1, 2].map(|of| sealed_header(offender, index, slot, of));
    let membership = Historical::prove((KEY, key.to_raw_vec())).expect("its keys are known");
    let proof = EquivocationProof { offender: key, slot: Slot::from(slot), first_header, second_header };
    let reported = Babe::report_equivocation_unsigned(RuntimeOrigin::none(), Box::new(proof), membership);
    reported.map(|_| ()).map_err(|failed| failed.error)
}

#[test]
fn a_fifth_validator_joins_and_pays_with_its_delegators_for_two_blocks_in_one_slot() {
    Chain::run(|chain| {
        let module = judge(Eve, "block-maker", 200 * TUNE);
        assert_ok!(Stake::stake(signed(Ferdie), module, 800 * TUNE));
        assert_noop!(Validators::stand(signed(Eve), module), Error::<Runtime>::NoSessionKeys);
        let (keys, _) = keys_of(Eve, Ed25519Keyring::Eve);
        let (_, foreign) = keys_of(Ferdie, Ed25519Keyring::Ferdie);
        let refused = pallet_session::Error::<Runtime>::InvalidProof;
        assert_noop!(Session::set_keys(signed(Eve), keys, foreign), refused);
        set_keys(Eve);
        assert_ok!(Validators::stand(signed(Eve), module));
        assert_eq!(chain.events(), [Event::Stood { module, validator: account(Eve), stake: 1_000 * TUNE }]);

        chain.run_to_session(2);
        let five = accounts(&[Alice, Bob, Charlie, Dave, Eve]);
        assert_eq!((Session::validators(), sitting()), (five.clone(), five.clone()));
        assert_eq!(chain.events(), [Event::Elected { era: 1, validators: five, newcomers: 1 }]);
        (0..20).for_each(|_| chain.next_slot());
        let seat = Validators::era_view().seats.pop().expect("there are five");
        assert_eq!((seat.validator, seat.module, seat.blocks), (account(Eve), Some(module), 4));

        let burnt = Emission::supply().burnt;
        assert_ok!(report_equivocation(Eve, chain.slot));
        let (validator, session) = (account(Eve), 2);
        // One of five: the square of three fifths.
        let part = Perbill::from_percent(36);
        assert_eq!(
            chain.events(),
            [
                Event::Chilled { module, validator: validator.clone(), reason: ChillReason::Offence },
                Event::Barred { validator: validator.clone(), until: 6 },
                Event::Slashed { validator: validator.clone(), module, session, part, amount: 360 * TUNE },
                Event::Excluded { validator, session },
            ]
        );
        assert_eq!([Eve, Ferdie].map(|who| staked_by(who, module)), [128 * TUNE, 512 * TUNE]);
        assert_eq!(Emission::supply().burnt - burnt, 360 * TUNE);
        assert!(Session::is_disabled(4), "it authors no more");
        assert!(report_equivocation(Eve, chain.slot).is_err(), "once is enough");

        chain.run_to_session(3);
        assert!(Session::validators().contains(&account(Eve)) && Session::is_disabled(4), "it was planned before");
        chain.run_to_session(4);
        assert_eq!(Session::validators(), accounts(&FOUNDERS));
        assert_noop!(Validators::stand(signed(Eve), module), Error::<Runtime>::Barred);
        chain.run_to_session(12);
        assert_ok!(Validators::stand(signed(Eve), module));
    });
}

#[test]
fn a_validator_that_is_switched_off_loses_seat_and_stake_and_is_replaced() {
    Chain::run(|chain| {
        let module = stand(Eve, "first", 1_000 * TUNE);
        chain.run_to_session(2);
        assert_eq!(sitting(), accounts(&[Alice, Bob, Charlie, Dave, Eve]));
        let other = stand(Ferdie, "second", 500 * TUNE);
        chain.down = accounts(&[Eve]);
        chain.events();

        chain.run_to_session(4);
        let (validator, session) = (account(Eve), 3);
        let events = chain.events();
        let expected = [
            Event::Silent { validator: validator.clone(), session, sessions: 2 },
            Event::Chilled { module, validator: validator.clone(), reason: ChillReason::Offence },
            Event::Barred { validator: validator.clone(), until: 6 },
            Event::Slashed {
                validator: validator.clone(),
                module,
                session,
                part: Perbill::from_perthousand(1),
                amount: TUNE,
            },
            Event::Excluded { validator, session },
        ];
        assert_eq!(events[events.len() - expected.len()..], expected);
        assert_eq!((sitting(), staked_by(Eve, module)), (accounts(&FOUNDERS), 999 * TUNE));
        assert_eq!(ranking(), [other]);

        chain.run_to_session(6);
        assert_eq!(Session::validators(), accounts(&[Alice, Bob, Charlie, Dave, Ferdie]));
    });
}

#[test]
fn a_chain_that_stalls_punishes_nobody_and_goes_on() {
    Chain::run(|chain| {
        stand(Eve, "block-maker", 1_000 * TUNE);
        chain.run_to_session(2);
        chain.events();
        // Nothing for two sessions and a half, so that an epoch is skipped, and then a single validator.
        chain.slot += 100;
        chain.down = accounts(&[Alice, Bob, Charlie, Dave]);
        chain.run_to_session(3);
        chain.down = Vec::new();
        chain.run_to_session(6);
        let silent = |event: &Event<_>| matches!(event, Event::Silent { .. });
        assert!(!chain.events().iter().any(silent));
        assert_eq!(Session::validators(), accounts(&[Alice, Bob, Charlie, Dave, Eve]));
    });
}

#[test]
fn every_change_of_stake_moves_the_ranking() {
    Chain::run(|_| {
        let (first, second) = (stand(Eve, "first", 300 * TUNE), stand(Ferdie, "second", 200 * TUNE));
        assert_eq!(ranking(), [first, second]);
        assert_ok!(Stake::stake(signed(Bob), second, 150 * TUNE));
        assert_eq!(ranking(), [second, first]);
        assert_ok!(Stake::reward(signed(Alice), first, 100 * TUNE));
        assert_eq!(ranking(), [first, second]);
        assert_ok!(Stake::unstake(signed(Eve), first, 100 * TUNE));
        assert_eq!(ranking(), [second, first]);
        assert_ok!(Stake::slash(RuntimeOrigin::root(), second, Perbill::from_percent(20)));
        assert_eq!(ranking(), [first, second]);
        assert_ok!(Stake::move_stake(signed(Eve), first, second, 100 * TUNE));
        assert_eq!(ranking(), [second, first]);
        let stakes = Validators::candidate_views(0, 9).into_iter().map(|view| view.stake).collect::<Vec<_>>();
        assert!(stakes[0].abs_diff(380 * TUNE) < 2 && stakes[1].abs_diff(200 * TUNE) < 2, "{stakes:?}");
    });
}

#[test]
fn who_loses_what_it_stands_with_stands_no_more() {
    Chain::run(|chain| {
        let (first, second) = (stand(Eve, "first", 300 * TUNE), stand(Ferdie, "second", 200 * TUNE));
        chain.events();
        assert_ok!(Stake::unstake(signed(Ferdie), second, 101 * TUNE));
        assert_ok!(Modules::offer_transfer(signed(Eve), first, account(Bob)));
        assert_ok!(Modules::accept_transfer(signed(Bob), first));
        let chilled = |module, who, reason| Event::<Runtime>::Chilled { module, validator: account(who), reason };
        let expected =
            [chilled(second, Ferdie, ChillReason::StakeTooLow), chilled(first, Eve, ChillReason::OwnerChanged)];
        assert_eq!(chain.events(), expected);

        assert_ok!(Validators::stand(signed(Bob), first));
        assert_ok!(Modules::set_role(signed(Bob), first, Role::Idle));
        assert_ok!(Stake::stake(signed(Ferdie), second, TUNE));
        assert_ok!(Validators::stand(signed(Ferdie), second));
        assert_ok!(Modules::remove(signed(Ferdie), second));
        let reasons = chain.events().into_iter().filter_map(|event| match event {
            Event::Chilled { reason, .. } => Some(reason),
            _ => None,
        });
        assert_eq!(reasons.collect::<Vec<_>>(), [ChillReason::RoleChanged, ChillReason::Removed]);
        assert_eq!(ranking(), [0; 0]);
    });
}

#[test]
fn genesis_validators_work_and_earn_the_fees_of_the_blocks_that_they_author() {
    Chain::run(|chain| {
        chain.run_to_session(1);
        let blocks = |who| pallet_validators::Authored::<Runtime>::get(account(who));
        assert_eq!(
            FOUNDERS.map(blocks).iter().sum::<u32>(),
            1,
            "the first block counts for the session that it begins"
        );
        (0..39).for_each(|_| chain.next_slot());
        assert_eq!(FOUNDERS.map(blocks), [10; 4]);
        let least: u32 = <Runtime as pallet_validators::Config>::MinValidators::get();
        assert_eq!(least, 4);
        assert!(Validators::era_view().seats.iter().all(|seat| seat.sits && seat.module.is_none()));
    });
}

#[test]
fn a_network_of_one_founder_stays_with_it() {
    on_chain(preset("development"), || {
        stand(Eve, "block-maker", 1_000 * TUNE);
        assert_eq!(sitting(), accounts(&[Alice]));
        for session in 2..8 {
            let planned = <Validators as pallet_session::SessionManager<AccountId>>::new_session(session);
            assert_eq!(planned, Some(accounts(&[Alice])));
        }
    });
}
