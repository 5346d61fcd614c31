//! Nobody gains by how he divides what is his.

use proptest::prelude::*;
use sp_core::U256;
use sp_runtime::Permill;

use crate::{mock::*, schedule::share, Balance};

/// What modules with these stakes, deposits and merits get as miners, in the order in which they are given.
fn allocations(modules: &[(Balance, Balance, u32)]) -> Vec<Balance> {
    let mut all = Vec::new();
    new_chain().execute_with(|| {
        for (module, (staked, deposit, _)) in (100..).zip(modules) {
            register(module, OWNER, *deposit);
            if *staked > 0 {
                stake(ALICE, module, *staked);
            }
        }
        next_epoch();
        for (module, (_, _, merit)) in (100..).zip(modules) {
            mine(module, Permill::from_parts(*merit));
        }
        next_epoch_starved();
        all = (100..).zip(modules).map(|(module, _)| got(1, module).0).collect();
        check_state();
    });
    all
}

/// Miners of others.
fn others() -> impl Strategy<Value = Vec<(Balance, Balance, u32)>> {
    prop::collection::vec((MIN_STAKE..1_000_000, 0..10_000u128, 1..=1_000_000u32), 0..5)
}

/// An amount in ten parts, the last of which may be smaller or larger.
fn in_ten(amount: Balance) -> [Balance; 10] {
    let mut parts = [amount / 10; 10];
    parts[9] += amount % 10;
    parts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..Default::default() })]

    /// With equal stakes, a miner gets its score over the sum of all scores.
    #[test]
    fn equal_stakes_divide_by_score(
        scores in prop::collection::vec(1..=1_000_000u32, 1..8),
        staked in MIN_STAKE..50_000_000,
        deposit in 0..100_000u128,
        reward in 1_000_000..1_000_000_000_000u128,
    ) {
        FirstReward::set(reward);
        Cap::set(reward * 2);
        let modules: Vec<_> = scores.iter().map(|score| (staked, deposit, *score)).collect();
        let sum: u128 = scores.iter().map(|score| u128::from(*score)).sum();
        let part = reward * 60 / 100;
        let exact: Vec<_> = scores.iter().map(|score| part * u128::from(*score) / sum).collect();
        prop_assert_eq!(allocations(&modules), exact);
    }

    /// Ten miners with a tenth of the stake and of the deposit each, and the same merit, get no more than one.
    #[test]
    fn a_miner_in_ten_gets_no_more(
        staked in 10 * MIN_STAKE..10_000_000,
        deposit in 0..100_000u128,
        merit in 1..=1_000_000u32,
        others in others(),
    ) {
        let one = [vec![(staked, deposit, merit)], others.clone()].concat();
        let parts = in_ten(staked).into_iter().zip(in_ten(deposit));
        let ten = [parts.map(|(staked, deposit)| (staked, deposit, merit)).collect(), others].concat();
        let (one, ten) = (allocations(&one), allocations(&ten));
        let sum: Balance = ten[..10].iter().sum();
        prop_assert!(sum <= one[0] && sum + 10 > one[0], "{} in ten is {}", one[0], sum);
        // Nor does anybody else gain or lose by it.
        prop_assert_eq!(&one[1..], &ten[10..]);
    }

    /// Whoever divides his stake over modules that are as good gets no more than on one of them.
    #[test]
    fn a_stake_in_ten_gets_no_more(
        own in 10 * MIN_STAKE..10_000_000,
        there in MIN_STAKE..10_000_000,
        merit in 1..=1_000_000u32,
    ) {
        // Ten modules that are as good, with as much stake of others each.
        let mut one: Vec<_> = (0..10).map(|_| (there, 0, merit)).collect();
        let mut ten = one.clone();
        one[0].0 += own;
        for (module, part) in ten.iter_mut().zip(in_ten(own)) {
            module.0 += part;
        }
        let gain = |modules: &[(Balance, Balance, u32)], own: &[Balance]| -> Balance {
            let got = allocations(modules).into_iter();
            got.zip(modules).zip(own).map(|((got, (staked, ..)), own)| share(got, *own, *staked)).sum()
        };
        let mut alone = [0; 10];
        alone[0] = own;
        let (one, ten) = (gain(&one, &alone), gain(&ten, &in_ten(own)));
        prop_assert!(ten <= one && ten + 20 > one, "{one} in ten is {ten}");
    }

    /// Parts never add up to more than all, and lose less than a planck each.
    #[test]
    fn parts_are_at_most_all(amount: Balance, weights in prop::collection::vec(0u128..1 << 100, 1..20)) {
        let all: u128 = weights.iter().sum();
        let sum = weights.iter().fold(U256::zero(), |sum, weight| sum + U256::from(share(amount, *weight, all)));
        prop_assert!(sum <= U256::from(amount));
        prop_assert!(all == 0 || sum + U256::from(weights.len()) > U256::from(amount));
    }
}
