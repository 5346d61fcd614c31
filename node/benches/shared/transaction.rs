//! Calls as signed transactions, and what the runtime charges for them.

use codec::Encode;
use ensemble_runtime::{
    AccountId, Hash, Runtime, RuntimeCall, RuntimeEvent, SignedPayload, TxExtension, UncheckedExtrinsic, VERSION,
};
use frame_support::{dispatch::DispatchClass, weights::Weight};
use frame_system::{EventRecord, Phase};
use sp_core::{sr25519, Pair};
use sp_runtime::generic::Era;

/// The inherent that comes before the calls.
const INHERENTS: u32 = 1;

/// Something that happened in a block.
pub type Record = EventRecord<RuntimeEvent, Hash>;

/// A call as a transaction of an account that has not signed any before.
pub fn sign(pair: &sr25519::Pair, genesis: Hash, call: RuntimeCall) -> UncheckedExtrinsic {
    let extension: TxExtension = (
        frame_system::AuthorizeCall::new(),
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        frame_system::CheckNonce::from(0),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(0),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
        frame_system::WeightReclaim::new(),
    );
    let implicit = ((), (), VERSION.spec_version, VERSION.transaction_version, genesis, genesis, (), (), (), None, ());
    let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implicit);
    let signature = payload.using_encoded(|bytes| pair.sign(bytes));
    UncheckedExtrinsic::new_signed(call, AccountId::from(pair.public()).into(), signature.into(), extension)
}

/// The weights that the runtime charged for the calls of a block, each with what every transaction is charged.
pub fn weights(events: &[Record]) -> impl Iterator<Item = Weight> + '_ {
    events.iter().filter_map(|record| match (&record.phase, &record.event) {
        (
            Phase::ApplyExtrinsic(INHERENTS..),
            RuntimeEvent::System(frame_system::Event::ExtrinsicSuccess { dispatch_info }),
        ) => Some(dispatch_info.weight.saturating_add(base(dispatch_info.class))),
        _ => None,
    })
}

fn base(class: DispatchClass) -> Weight {
    <Runtime as frame_system::Config>::BlockWeights::get().get(class).base_extrinsic
}
