//! What transactions weigh and cost.

use ensemble_runtime::{
    weights::BlockExecutionWeight, Runtime, RuntimeCall, RuntimeOrigin, System, TransactionPayment, DAYS,
};
use ensemble_tensor::TensorId;
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    traits::Get,
    weights::constants::{ParityDbWeight, WEIGHT_REF_TIME_PER_MICROS},
};
use pallet_tasks::Attestation;
use pallet_transaction_payment::{ChargeTransactionPayment, Val};
use sp_keyring::Sr25519Keyring::Alice;
use sp_runtime::{
    traits::{Convert, One, TransactionExtension, TxBaseImplication},
    transaction_validity::TransactionSource,
    FixedPointNumber,
};

use crate::{account, on_chain, preset};

/// Bytes of an attestation as a transaction, and some more.
const ATTESTATION_LEN: u32 = 200;

fn attest() -> RuntimeCall {
    let signature = sp_core::sr25519::Signature::from_raw([2; 64]).into();
    let attestation = Attestation { task: 0, content: TensorId([3; 32]), attester: Alice.public().into() };
    RuntimeCall::Tasks(pallet_tasks::Call::attest { attestation, signature })
}

#[test]
fn a_full_block_leaves_room_for_what_must_not_wait() {
    let weights = <Runtime as frame_system::Config>::BlockWeights::get();
    let normal = weights.get(DispatchClass::Normal).max_total.expect("normal transactions are limited");
    assert_eq!(normal.ref_time(), weights.max_block.ref_time() * 3 / 4);
}

#[test]
fn paying_the_fee_to_the_author_is_weighed() {
    let payment = ChargeTransactionPayment::<Runtime>::from(0).weight(&attest());
    // Changing an account that is in the overlay: some microseconds, and no database.
    let per_microsecond = WEIGHT_REF_TIME_PER_MICROS;
    assert!((5 * per_microsecond..50 * per_microsecond).contains(&payment.ref_time()), "{payment:?}");
    let (once, empty) = (ParityDbWeight::get().reads_writes(1, 1), BlockExecutionWeight::get());
    assert_eq!(<Runtime as frame_system::Config>::BlockWeights::get().base_block, empty + once);
}

#[test]
fn in_a_day_of_full_blocks_fees_rise_about_threefold() {
    use pallet_transaction_payment::Multiplier;
    on_chain(preset("development"), || {
        let weights = <Runtime as frame_system::Config>::BlockWeights::get();
        let full = weights.get(DispatchClass::Normal).max_total.expect("normal transactions are limited");
        System::set_block_consumed_resources(full, 0);
        let next = <Runtime as pallet_transaction_payment::Config>::FeeMultiplierUpdate::convert;
        let after = (0..DAYS).fold(Multiplier::one(), |multiplier, _| next(multiplier));
        let (low, high) = (Multiplier::saturating_from_rational(28, 10), Multiplier::saturating_from_rational(32, 10));
        assert!(low < after && after < high, "{after:?}");
    });
}

#[test]
fn a_task_pays_for_its_attestations() {
    on_chain(preset("development"), || {
        let one = TransactionPayment::query_call_info(attest(), ATTESTATION_LEN).partial_fee;
        let attesters: u32 = <Runtime as pallet_tasks::Config>::AttestersPerTask::get();
        let all = one * u128::from(attesters);
        let fee: u128 = <Runtime as pallet_tasks::Config>::AttestFee::get();
        assert!((all..2 * all).contains(&fee), "{fee} for attestations worth {all}");
    });
}

#[test]
fn an_attestation_is_free_only_where_no_account_signs_it() {
    on_chain(preset("development"), || {
        assert!(TransactionPayment::query_call_info(attest(), ATTESTATION_LEN).partial_fee > 0);
        let charged = |origin: RuntimeOrigin| {
            let (call, source) = (attest(), TransactionSource::External);
            let info = call.get_dispatch_info();
            let validity = ChargeTransactionPayment::<Runtime>::from(0)
                .validate(origin, &call, &info, ATTESTATION_LEN as usize, (), &TxBaseImplication(()), source)
                .expect("Alice can pay");
            matches!(validity.1, Val::Charge { fee_with_tip, .. } if fee_with_tip > 0)
        };
        assert!(charged(RuntimeOrigin::signed(account(Alice))));
        assert!(!charged(frame_system::RawOrigin::Authorized.into()));
    });
}
