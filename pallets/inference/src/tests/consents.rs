use ensemble_core::inference::{consent_bytes, Consent, Payment};
use frame_support::{assert_noop, assert_ok};
use sp_core::Pair;
use sp_runtime::DispatchResult;

use crate::{mock::*, types::MAX_CONSENTS, Error, Question, UsedConsent, Workers};

fn open_with(requester: AccountId, question: Question, consent: Consent<BlockNumber>) -> DispatchResult {
    Inference::open(signed(requester), 0, GATEWAY, question, Payment::Tune, Some(consent))
}

/// What the gateway signs for the requester's question.
fn agreed(number: u32, until: BlockNumber) -> Consent<BlockNumber> {
    consent(GATEWAY, REQUESTER, &question(), Payment::Tune, number, until)
}

fn used() -> Vec<u32> {
    worker(GATEWAY).consents.iter().map(|used| used.number).collect()
}

#[test]
fn nobody_names_a_gateway_that_has_not_agreed() {
    with_workers(3, |model| {
        let open = |who| Inference::open(signed(who), model, GATEWAY, question(), Payment::Tune, None);
        assert_noop!(open(REQUESTER), Error::<Test>::NoConsent);
        assert_noop!(open(WORKERS[0]), Error::<Test>::NoConsent);
        // Who asks itself agrees with itself, but has to be right where it says so.
        let question = question();
        let strangers = consent(STRANGER, GATEWAY, &question, Payment::Tune, 1, 1);
        assert_noop!(open_with(GATEWAY, question, strangers), Error::<Test>::NotWhatWasAgreed);
        assert_ok!(open(GATEWAY));
        assert!(used().is_empty());
        assert_ok!(open_with(GATEWAY, question, consent(GATEWAY, GATEWAY, &question, Payment::Tune, 1, 1)));
        assert_eq!(used(), [1]);
    });
}

#[test]
fn a_consent_opens_one_session() {
    with_workers(3, |_| {
        assert_ok!(open_with(REQUESTER, question(), agreed(7, 3)));
        assert_eq!(worker(GATEWAY).consents.to_vec(), [UsedConsent { number: 7, until: 3 }]);
        assert_noop!(open_with(REQUESTER, question(), agreed(7, 3)), Error::<Test>::ConsentUsed);
        // Neither does another one of the same number, however long it holds.
        assert_noop!(open_with(REQUESTER, question(), agreed(7, 9)), Error::<Test>::ConsentUsed);
        run_to(3);
        assert_noop!(open_with(REQUESTER, question(), agreed(7, 3)), Error::<Test>::ConsentUsed);
        next_block();
        assert_noop!(open_with(REQUESTER, question(), agreed(7, 3)), Error::<Test>::ConsentExpired);
        assert_ok!(open_with(REQUESTER, question(), agreed(8, 9)));
        assert_eq!(used(), [8]);
    });
}

#[test]
fn a_consent_is_to_what_it_says() {
    with_workers(3, |_| {
        let good = question();
        let refuse = |requester, question, consent| {
            assert_noop!(open_with(requester, question, consent), Error::<Test>::NotWhatWasAgreed);
        };
        refuse(STRANGER, good, agreed(1, 9));
        for other in [
            Question { prompt: Default::default(), ..good },
            Question { prompt_tokens: good.prompt_tokens + 1, ..good },
            Question { max_tokens: good.max_tokens - 1, ..good },
            Question { workers: 2, replicas: 1, ..good },
            Question { replicas: 1, ..good },
        ] {
            refuse(REQUESTER, other, agreed(1, 9));
        }
        refuse(REQUESTER, good, Consent { number: 2, ..agreed(1, 9) });
        refuse(REQUESTER, good, Consent { until: 10, ..agreed(1, 9) });
        refuse(REQUESTER, good, consent(GATEWAY, REQUESTER, &good, Payment::Credits, 1, 9));
        refuse(REQUESTER, good, consent(WORKERS[0], REQUESTER, &good, Payment::Tune, 1, 9));
        let sign = |model, genesis: sp_core::H256| {
            let bytes = consent_bytes(&genesis, &REQUESTER, model, &good, Payment::Tune, 1, &9u64);
            Consent { number: 1, until: 9, signature: pair(GATEWAY).sign(&bytes).into() }
        };
        let genesis = System::block_hash(0);
        refuse(REQUESTER, good, sign(1, genesis));
        refuse(REQUESTER, good, sign(0, sp_core::H256::repeat_byte(1)));
        assert_ok!(open_with(REQUESTER, good, sign(0, genesis)));
    });
}

#[test]
fn a_consent_of_a_former_key_is_none() {
    with_workers(3, |_| {
        assert_ok!(Inference::announce(signed(GATEWAY), peer(GATEWAY), key(STRANGER), proof(STRANGER, GATEWAY)));
        assert_noop!(open_with(REQUESTER, question(), agreed(1, 9)), Error::<Test>::NotWhatWasAgreed);
        let of_now = consent(STRANGER, REQUESTER, &question(), Payment::Tune, 1, 9);
        assert_ok!(open_with(REQUESTER, question(), of_now));
    });
}

#[test]
fn a_consent_holds_for_so_long_and_no_longer() {
    with_workers(3, |_| {
        let last = 1 + CONSENT_LENGTH;
        assert_noop!(open_with(REQUESTER, question(), agreed(1, last + 1)), Error::<Test>::ConsentTooLong);
        assert_noop!(open_with(REQUESTER, question(), agreed(1, u64::MAX)), Error::<Test>::ConsentTooLong);
        assert_noop!(open_with(REQUESTER, question(), agreed(1, 0)), Error::<Test>::ConsentExpired);
        assert_ok!(open_with(REQUESTER, question(), agreed(1, last)));
        assert_ok!(open_with(REQUESTER, question(), agreed(2, 1)));
    });
}

#[test]
fn only_so_many_used_consents_are_remembered_and_none_is_forgotten() {
    with_workers(3, |_| {
        Workers::<Test>::mutate(GATEWAY, |worker| {
            let used = (0..MAX_CONSENTS).map(|number| UsedConsent { number, until: 2 + u64::from(number % 2) });
            worker.as_mut().unwrap().consents = used.collect::<Vec<_>>().try_into().unwrap();
        });
        assert_noop!(open_with(REQUESTER, question(), agreed(99, 9)), Error::<Test>::TooManyConsents);
        run_to(2);
        assert_noop!(open_with(REQUESTER, question(), agreed(99, 9)), Error::<Test>::TooManyConsents);
        // Its own sessions need none.
        assert_ok!(Inference::open(signed(GATEWAY), 0, GATEWAY, question(), Payment::Tune, None));
        run_to(3);
        assert_noop!(open_with(REQUESTER, question(), agreed(1, 9)), Error::<Test>::ConsentUsed);
        assert_ok!(open_with(REQUESTER, question(), agreed(99, 9)));
        let expected: Vec<_> = (0..MAX_CONSENTS).filter(|number| number % 2 == 1).chain([99]).collect();
        assert_eq!(used(), expected);
    });
}
