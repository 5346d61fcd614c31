//! The calls that are measured, as signed transactions.

use codec::Encode;
use ensemble_core::ModuleId;
use ensemble_runtime::{
    AccountId, Hash, RuntimeCall, RuntimeEvent, SignedPayload, TxExtension, UncheckedExtrinsic, TUNE, VERSION,
};
use frame_support::weights::Weight;
use frame_system::{EventRecord, Phase};
use sp_core::{sr25519, Pair};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{generic::Era, Perbill};

use crate::chain;

/// The inherent that comes before the calls.
const INHERENTS: u32 = 1;

/// Something that happened in a block.
pub type Record = EventRecord<RuntimeEvent, Hash>;

/// A kind of call.
#[derive(Clone, Copy)]
pub enum Kind {
    Register,
    Update,
    Stake,
    MoveStake,
    Unstake,
    Reward,
    Slash,
}

/// What a call is about: the account and the module with one number, and the module with another.
#[derive(Clone, Copy)]
pub struct Target {
    pub entry: u32,
    pub other: ModuleId,
}

impl Kind {
    pub const ALL: [Self; 7] =
        [Self::Register, Self::Update, Self::Stake, Self::MoveStake, Self::Unstake, Self::Reward, Self::Slash];

    pub fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Update => "update",
            Self::Stake => "stake",
            Self::MoveStake => "move_stake",
            Self::Unstake => "unstake",
            Self::Reward => "reward",
            Self::Slash => "slash",
        }
    }

    /// Whether this is what such a call leaves behind.
    pub fn happened(self, record: &Record) -> bool {
        use pallet_modules::Event as Modules;
        use pallet_stake::Event as Stake;
        match &record.event {
            RuntimeEvent::Modules(Modules::ModuleRegistered { .. }) => matches!(self, Self::Register),
            RuntimeEvent::Modules(Modules::ModuleUpdated { .. }) => matches!(self, Self::Update),
            RuntimeEvent::Stake(Stake::Staked { .. }) => matches!(self, Self::Stake),
            RuntimeEvent::Stake(Stake::Moved { .. }) => matches!(self, Self::MoveStake),
            RuntimeEvent::Stake(Stake::Unstaked { .. }) => matches!(self, Self::Unstake),
            RuntimeEvent::Stake(Stake::Rewarded { .. }) => matches!(self, Self::Reward),
            RuntimeEvent::Stake(Stake::Slashed { .. }) => matches!(self, Self::Slash),
            _ => false,
        }
    }

    fn call(self, Target { entry, other }: Target) -> RuntimeCall {
        use pallet_modules::Call as Modules;
        use pallet_stake::Call as Stake;
        match self {
            Self::Register => chain::register(&format!("{}-new", chain::name(entry)), entry),
            Self::Update => {
                let profile = chain::profile("https://new.example.org", entry);
                RuntimeCall::Modules(Modules::update { module: entry, profile })
            },
            Self::Stake => chain::stake(other),
            Self::MoveStake => RuntimeCall::Stake(Stake::move_stake { from: entry, to: other, amount: TUNE }),
            Self::Unstake => RuntimeCall::Stake(Stake::unstake { module: entry, amount: TUNE }),
            Self::Reward => RuntimeCall::Stake(Stake::reward { module: other, amount: TUNE }),
            Self::Slash => {
                let call = RuntimeCall::Stake(Stake::slash { module: other, part: Perbill::from_percent(1) });
                RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(call) })
            },
        }
    }
}

/// A transaction for each target. Slashes are signed by the account that administers the chain, all others by the
/// account of the entry, which has not signed anything before.
pub fn signed(kind: Kind, targets: &[Target], genesis: Hash) -> Vec<UncheckedExtrinsic> {
    let sign = |(number, target): (u32, &Target)| match kind {
        Kind::Slash => sign(&Sr25519Keyring::Alice.pair(), number, genesis, kind.call(*target)),
        _ => sign(&chain::pair(target.entry), 0, genesis, kind.call(*target)),
    };
    (0..).zip(targets).map(sign).collect()
}

fn sign(pair: &sr25519::Pair, nonce: u32, genesis: Hash, call: RuntimeCall) -> UncheckedExtrinsic {
    let extension: TxExtension = (
        frame_system::AuthorizeCall::new(),
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        frame_system::CheckNonce::from(nonce),
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

/// The weights that the runtime charged for the calls of a block.
pub fn weights(events: &[Record]) -> impl Iterator<Item = Weight> + '_ {
    events.iter().filter_map(|record| match (&record.phase, &record.event) {
        (
            Phase::ApplyExtrinsic(INHERENTS..),
            RuntimeEvent::System(frame_system::Event::ExtrinsicSuccess { dispatch_info }),
        ) => Some(dispatch_info.weight),
        _ => None,
    })
}
