//! The off-chain worker, with a keystore and a store around it.

use ensemble_core::exchange::ReaderId;
use ensemble_host::{FetchError, TensorStatus};
use ensemble_tensor::{Header, Kind};
use frame_support::traits::Hooks;
use sp_application_crypto::RuntimeAppPublic;

use crate::mock::*;

/// A key in the node's keystore, as the account that it is the key of.
fn reader() -> AccountId {
    let key = ReaderId::generate_pair(None).to_raw_vec();
    u64::from_le_bytes(key[..8].try_into().unwrap())
}

fn work() -> Vec<Asked> {
    let now = System::block_number() + 1;
    System::set_block_number(now);
    <Exchange as Hooks<BlockNumber>>::offchain_worker(now);
    store().take_asked()
}

fn held() -> TensorStatus {
    TensorStatus::Held { header: Header::new(Kind::I16, 1, 1).unwrap(), bytes: 2, restricted: true }
}

#[test]
fn what_was_granted_is_fetched_once() {
    execute(|| {
        let reader = reader();
        settle(0, &[BOB], EXCHANGED);
        settle(1, &[BOB], EXCHANGED);
        assert_eq!(work(), []);
        settle(2, &[reader], EXCHANGED);
        let asked = |task| [Asked::Restrict(content(task), task), Asked::Fetch(content(task))];
        assert_eq!(work(), [asked(0), asked(1)].concat());
        store().set(content(0), held());
        assert_eq!(work(), asked(1));
        store().set(content(1), TensorStatus::Fetching { received: 1, total: Some(2) });
        assert_eq!(work(), asked(1), "it says that it still wants it");
        store().set(content(1), held());
        assert_eq!(work(), []);
        // The store has to let both go. That is final.
        store().set(content(0), TensorStatus::Absent);
        store().set(content(1), TensorStatus::Absent);
        assert_eq!(work(), []);
    });
}

#[test]
fn a_failed_fetch_is_tried_again_now_and_then() {
    execute(|| {
        let reader = reader();
        settle(0, &[BOB], EXCHANGED);
        settle(1, &[reader], EXCHANGED);
        store().set(content(0), TensorStatus::Failed(FetchError::Restricted));
        let asked: Vec<_> = (0..60).map(|_| work().len()).collect();
        assert_eq!(asked.iter().filter(|asked| **asked > 0).count(), 3);
    });
}

#[test]
fn nothing_is_fetched_for_others() {
    execute(|| {
        let _reader = reader();
        settle(0, &[BOB], EXCHANGED);
        settle(1, &[ALICE], EXCHANGED);
        assert_eq!(work(), []);
    });
}
