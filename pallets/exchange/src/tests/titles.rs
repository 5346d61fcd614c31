//! Who may have what, and why not.

use ensemble_core::{
    exchange::{Asker, Audience, Refusal, Title, Ways},
    AssetId, AttesterId,
};
use sp_application_crypto::RuntimeAppPublic;

use crate::mock::*;

fn ask(who: AccountId, task: u32) -> Result<Title<BlockNumber>, Refusal> {
    Exchange::entitlement(&Asker::Account(who), task, content(task))
}

fn ways(task: u32, exchanged: bool) -> Ways {
    Ways { task, shares: AssetId::Shares(task), exchanged, sold: false }
}

#[test]
fn what_is_public_is_everybodys() {
    execute(|| {
        settle(0, &[ALICE], Audience::Public);
        assert_eq!(ask(EVE, 0), Ok(Title::Public));
        let key = AttesterId::generate_pair(None);
        assert_eq!(Exchange::entitlement(&Asker::Attester(key), 0, content(0)), Ok(Title::Public));
        assert_eq!(Exchange::ways(0), None);
    });
}

#[test]
fn shares_entitle_as_long_as_they_are_owned() {
    execute(|| {
        settle(0, &[ALICE], EXCHANGED);
        world(|world| world.owners.insert((0, ALICE)));
        assert_eq!(ask(ALICE, 0), Ok(Title::Shareholder));
        assert_eq!(ask(EVE, 0), Err(Refusal::NotEntitled(ways(0, true))));
        // Alice sells to Eve.
        world(|world| world.owners = [(0, EVE)].into());
        assert_eq!(ask(EVE, 0), Ok(Title::Shareholder));
        assert_eq!(ask(ALICE, 0), Err(Refusal::NotEntitled(ways(0, true))));
        // Shares of one contribution entitle to no other.
        settle(1, &[BOB], CLOSED);
        assert_eq!(ask(EVE, 1), Err(Refusal::NotEntitled(ways(1, false))));
        assert_eq!((Exchange::ways(0), Exchange::ways(1)), (Some(ways(0, true)), Some(ways(1, false))));
    });
}

#[test]
fn whoever_bought_access_is_entitled_to_that_and_to_nothing_else() {
    execute(|| {
        settle(0, &[ALICE], CLOSED);
        settle(1, &[ALICE], CLOSED);
        world(|world| world.sold.insert(0));
        let for_sale = Ways { sold: true, ..ways(0, false) };
        assert_eq!(ask(EVE, 0), Err(Refusal::NotEntitled(for_sale)));
        assert_eq!((Exchange::ways(0), Exchange::ways(1)), (Some(for_sale), Some(ways(1, false))));
        world(|world| world.accesses.insert((0, EVE), 70));
        assert_eq!(ask(EVE, 0), Ok(Title::Buyer { until: 70 }));
        assert_eq!(ask(BOB, 0), Err(Refusal::NotEntitled(for_sale)));
        assert_eq!(ask(EVE, 1), Err(Refusal::NotEntitled(ways(1, false))));
        // It is not sold any more, but was.
        world(|world| world.sold.clear());
        assert_eq!(ask(EVE, 0), Ok(Title::Buyer { until: 70 }));
        // Shares are the better title: they do not end.
        world(|world| world.owners.insert((0, EVE)));
        assert_eq!(ask(EVE, 0), Ok(Title::Shareholder));
        world(|world| (world.owners.clear(), world.accesses.clear()));
        assert_eq!(ask(EVE, 0), Err(Refusal::NotEntitled(ways(0, false))));
        // Another content of the task is entitled to by nothing.
        let other = Exchange::entitlement(&Asker::Account(EVE), 0, content(7));
        assert_eq!(other, Err(Refusal::AnotherWon { task: 0 }));
    });
}

#[test]
fn a_grant_entitles_until_it_ends() {
    execute(|| {
        settle(0, &[BOB], EXCHANGED);
        settle(1, &[ALICE], EXCHANGED);
        let until = 1 + LIFETIME;
        assert_eq!(ask(ALICE, 0), Ok(Title::Grantee { until }));
        let [received] = Exchange::received(&ALICE)[..] else { panic!("one grant") };
        assert_eq!((received.task, received.content, received.since, received.until), (0, content(0), 1, until));
        System::set_block_number(until);
        assert_eq!(ask(ALICE, 0), Ok(Title::Grantee { until }));
        System::set_block_number(until + 1);
        assert_eq!(ask(ALICE, 0), Err(Refusal::NotEntitled(ways(0, true))));
    });
}

#[test]
fn attesters_are_entitled_while_their_panel_decides() {
    execute(|| {
        let [drawn, other] = [(); 2].map(|()| AttesterId::generate_pair(None));
        world(|world| world.panels.insert(0, (content(0), vec![drawn.clone()])));
        let ask = |key: &AttesterId, id| Exchange::entitlement(&Asker::Attester(key.clone()), 0, id);
        assert_eq!(ask(&drawn, content(0)), Ok(Title::Attester));
        assert_eq!(ask(&drawn, content(1)), Err(Refusal::NotDrawn { task: 0 }));
        assert_eq!(ask(&other, content(0)), Err(Refusal::NotDrawn { task: 0 }));
        world(|world| world.panels.clear());
        settle(0, &[ALICE], EXCHANGED);
        assert_eq!(ask(&drawn, content(0)), Err(Refusal::NotDrawn { task: 0 }));
    });
}

#[test]
fn nobody_is_entitled_to_what_did_not_win() {
    execute(|| {
        world(|world| world.owners.insert((0, ALICE)));
        assert_eq!(ask(ALICE, 0), Err(Refusal::NothingWon { task: 0 }));
        settle(0, &[ALICE], EXCHANGED);
        let other = Exchange::entitlement(&Asker::Account(ALICE), 0, content(7));
        assert_eq!(other, Err(Refusal::AnotherWon { task: 0 }));
        assert_eq!(Exchange::ways(7), None);
    });
}
