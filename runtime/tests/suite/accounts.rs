//! What accounts may do for each other.

use ensemble_core::{
    exchange::Audience,
    market::Way,
    modules::Role,
    tasks::{Content, Phases, Terms, Weighting},
};
use ensemble_runtime::{
    configs::ProxyType, Proxy, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, System, EXISTENTIAL_DEPOSIT, TUNE,
};
use frame_support::{assert_ok, traits::InstanceFilter};
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::Permill;

use crate::{account, on_chain, preset};

fn create_task() -> RuntimeCall {
    RuntimeCall::Tasks(pallet_tasks::Call::create {
        content: Content::Bytes { max_len: 1 },
        access: pallet_tasks::Access::Open,
        weighting: Weighting::Account,
        phases: Phases { commit: 10, reveal: 10, attest: 10 },
        quorum: 1,
        max_participants: 1,
        terms: Terms {
            base: 100_000 * TUNE,
            growth: Permill::zero(),
            minority_share: Permill::zero(),
            bond: 10 * EXISTENTIAL_DEPOSIT,
            minority_slash: Permill::zero(),
        },
        audience: Audience::Public,
        space: None,
    })
}

#[test]
fn proxies_do_what_they_are_named_for() {
    let transfer =
        RuntimeCall::Balances(pallet_balances::Call::transfer_all { dest: account(Bob).into(), keep_alive: false });
    let advance = RuntimeCall::Tasks(pallet_tasks::Call::advance { task: 0 });
    let keys = RuntimeCall::Session(pallet_session::Call::purge_keys {});
    let offer = RuntimeCall::Modules(pallet_modules::Call::offer_transfer { module: 0, to: account(Bob) });
    let role = RuntimeCall::Modules(pallet_modules::Call::set_role { module: 0, role: Role::Miner });
    let stake = RuntimeCall::Stake(pallet_stake::Call::stake { module: 0, amount: TUNE });
    let reward = RuntimeCall::Stake(pallet_stake::Call::reward { module: 0, amount: TUNE });
    let suspend = RuntimeCall::Spaces(pallet_spaces::Call::suspend { space: 0, task: 0 });
    let retire = RuntimeCall::Spaces(pallet_spaces::Call::retire { space: 0 });
    let stand = RuntimeCall::Validators(pallet_validators::Call::stand { module: 0 });
    let buy = RuntimeCall::Market(pallet_market::Call::buy {
        module: 0,
        calls: 1,
        way: Way::Tune,
        max_price: TUNE,
        max_toll: TUNE,
        validity: 1,
    });
    let sell = RuntimeCall::Market(pallet_market::Call::offer_contribution { task: 0, shares: 1, ask: 1 });
    let redeem = RuntimeCall::Market(pallet_market::Call::redeem { receipts: Default::default() });
    let calls =
        [transfer, create_task(), advance, keys, offer, role, stake, reward, suspend, retire, stand, buy, sell, redeem];
    let allowed = |proxy: ProxyType| calls.each_ref().map(|call| proxy.filter(call));
    let only = |places: &[usize]| core::array::from_fn::<_, 14, _>(|place| places.contains(&place));
    assert_eq!(allowed(ProxyType::Any), [true; 14]);
    assert_eq!(allowed(ProxyType::NonTransfer), only(&[2, 3, 5, 6, 8, 9, 10, 13]));
    assert_eq!(allowed(ProxyType::Tasks), only(&[2]));
    assert_eq!(allowed(ProxyType::Modules), only(&[5]));
    assert_eq!(allowed(ProxyType::Stake), only(&[6]));
    assert_eq!(allowed(ProxyType::SessionKeys), only(&[3, 10]));
    assert_eq!(allowed(ProxyType::Spaces), only(&[8]));
    assert_eq!(allowed(ProxyType::Market), only(&[13]));
    assert!(ProxyType::NonTransfer.is_superset(&ProxyType::Market));
    assert!(ProxyType::Any.is_superset(&ProxyType::Tasks));
    assert!(!ProxyType::Tasks.is_superset(&ProxyType::NonTransfer));
}

/// A task whose only participant is the proxy itself would pay it all that the account owns.
#[test]
fn no_proxy_creates_a_task_in_a_batch() {
    on_chain(preset("development"), || {
        let batch = |call| RuntimeCall::Utility(pallet_utility::Call::batch_all { calls: vec![call] });
        for (proxy_type, allowed) in
            [(ProxyType::Any, true), (ProxyType::NonTransfer, false), (ProxyType::Tasks, false)]
        {
            assert_ok!(Proxy::add_proxy(RuntimeOrigin::signed(account(Alice)), account(Bob).into(), proxy_type, 0));
            let (bob, real) = (RuntimeOrigin::signed(account(Bob)), account(Alice).into());
            assert_ok!(Proxy::proxy(bob, real, Some(proxy_type), Box::new(batch(create_task()))));
            let executed = System::events().into_iter().rev().find_map(|record| match record.event {
                RuntimeEvent::Proxy(pallet_proxy::Event::ProxyExecuted { result }) => Some(result),
                _ => None,
            });
            let filtered = Err(frame_system::Error::<Runtime>::CallFiltered.into());
            assert_eq!(executed, Some(if allowed { Ok(()) } else { filtered }));
        }
    });
}
