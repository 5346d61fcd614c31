//! The market in figures.

use ensemble_core::market::{Day, Way, DAYS_KEPT};
use frame_support::assert_ok;
use sp_runtime::Perbill;

use crate::mock::*;

#[test]
fn everything_is_counted() {
    on_chain(|| {
        assert_ok!(list(ONE, ""));
        assert_ok!(list(TWO, ""));
        assert_ok!(buy(ALICE, ONE, 10, Way::Burn));
        assert_ok!(buy(BOB, TWO, 5, Way::Tune));
        assert_ok!(redeem(vec![signed(ALICE, receipt(0, 3)), signed(BOB, receipt(1, 1))]));
        assert_ok!(offer(ALICE, SECRET, 1, 1_000));
        assert_ok!(buy_contribution(OWNER, SECRET));
        let stats = Market::stats();
        let burnt = 26_000 + 140 + 10;
        assert_eq!((stats.listed, stats.tickets, stats.sold, stats.calls, stats.accesses), (2, 2, 15, 4, 1));
        assert_eq!((stats.burnt, stats.supply), (burnt, 5 * ENDOWMENT - burnt));
        assert_eq!(stats.burnt_part, Perbill::from_rational(burnt, 5 * ENDOWMENT));
        assert_eq!(stats.days, vec![Day { day: 0, burnt, sold: 15, calls: 4 }]);
    });
}

#[test]
fn figures_are_kept_for_thirty_days() {
    on_chain(|| {
        assert_ok!(list(ONE, ""));
        let bought_on = |day: u32| {
            System::set_block_number(BlockNumber::from(day) * DAY + DAY - 1);
            assert_ok!(buy_for(ALICE, ONE, day + 1, Way::Burn, MAX_VALIDITY));
        };
        let days = || Market::stats().days.into_iter().map(|day| (day.day, day.sold)).collect::<Vec<_>>();
        bought_on(0);
        bought_on(0);
        bought_on(2);
        assert_eq!(days(), vec![(0, 2), (2, 3)]);
        bought_on(DAYS_KEPT - 1);
        assert_eq!(days(), vec![(0, 2), (2, 3), (29, 30)]);
        // The first day is over thirty days ago, though its figures are still stored.
        System::set_block_number(BlockNumber::from(DAYS_KEPT) * DAY);
        assert_eq!(days(), vec![(2, 3), (29, 30)]);
        bought_on(DAYS_KEPT);
        assert_eq!(days(), vec![(2, 3), (29, 30), (30, 31)]);
        bought_on(100);
        assert_eq!(days(), vec![(100, 101)]);
        assert_eq!(Market::stats().sold, 2 + 3 + 30 + 31 + 101);
    });
}
