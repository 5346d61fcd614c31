//! Paid access: what calls and access to contributions cost, and how long both last.

use frame_support::{parameter_types, traits::ConstU32, PalletId};
use pallet_emission::Burn;
use sp_runtime::Permill;

use super::governance::parameters::dynamic_params::market::{BurnBase, BurnFactor};
use crate::{
    deposit, weights, Assets, Balance, Balances, Matching, Modules, Runtime, RuntimeHoldReason, Scores, Signature,
    Tasks, DAYS,
};

parameter_types! {
    /// Whoever buys from itself under another name burns this part of what it would have cost.
    pub const Toll: Permill = Permill::from_percent(1);
    /// The score from which on a module is good enough to be sold.
    pub const MinScore: Permill = Permill::from_percent(70);
    /// The keyless account that holds what shareholders have not claimed.
    pub const MarketPalletId: PalletId = PalletId(*b"ens/mark");
    /// Deposit for a listing and its places in the index, in planck.
    pub const ListingDeposit: Balance = deposit(27, 2_500);
    /// Deposit for a ticket and its end, in planck.
    pub const TicketDeposit: Balance = deposit(2, 160);
    /// Deposit for access to a contribution and its end, in planck.
    pub const AccessDeposit: Balance = deposit(2, 160);
}

impl pallet_market::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Assets = Assets;
    type Modules = Modules;
    type Scores = Scores;
    type Serving = Matching;
    type Contributions = Tasks;
    type Burnt = Burn<Runtime>;
    type Signature = Signature;
    type PalletId = MarketPalletId;
    type BurnBase = BurnBase;
    type BurnFactor = BurnFactor;
    type Toll = Toll;
    type MinScore = MinScore;
    type ListingDeposit = ListingDeposit;
    type TicketDeposit = TicketDeposit;
    type AccessDeposit = AccessDeposit;
    type MaxOffers = ConstU32<8>;
    type MaxTextBytes = ConstU32<256>;
    // Each is a place in the index, which moves when the score or the usage changes.
    type MaxWords = ConstU32<24>;
    type MaxReceipts = ConstU32<64>;
    type MaxValidity = ConstU32<{ 365 * DAYS }>;
    type RedeemPeriod = ConstU32<DAYS>;
    type AccessPeriod = ConstU32<{ 30 * DAYS }>;
    type DayLength = ConstU32<DAYS>;
    type WeightInfo = weights::pallet_market::WeightInfo<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = MarketBenchmarkHelper;
}

/// Has accounts sign, and assets and contributions be there, for the benchmarks of the market.
#[cfg(feature = "runtime-benchmarks")]
pub struct MarketBenchmarkHelper;

#[cfg(feature = "runtime-benchmarks")]
mod helper {
    use alloc::format;

    use ensemble_core::{exchange::Audience, tasks::Descriptor, AssetId, TaskId};
    use ensemble_tensor::Header;
    use frame_support::traits::fungibles::{Create, Mutate};
    use sp_core::{crypto::KeyTypeId, sr25519};
    use sp_runtime::{traits::IdentifyAccount, DispatchError, MultiSigner};

    use super::MarketBenchmarkHelper;
    use crate::{AccountId, Assets, Balance, Runtime, Signature};

    const KEYS: KeyTypeId = KeyTypeId(*b"bnch");
    const TASK: TaskId = 1_000_000;

    impl pallet_market::benchmarking::BenchmarkHelper<AccountId, Signature> for MarketBenchmarkHelper {
        fn signer(number: u32) -> AccountId {
            let key = sp_io::crypto::sr25519_generate(KEYS, Some(format!("//{number}").into_bytes()));
            MultiSigner::from(key).into_account()
        }

        fn sign(signer: &AccountId, message: &[u8]) -> Signature {
            let key = sr25519::Public::from_raw(signer.clone().into());
            sp_io::crypto::sr25519_sign(KEYS, &key, message).expect("the signer was made here").into()
        }

        fn asset(number: u32, owner: &AccountId, amount: Balance) -> Result<AssetId, DispatchError> {
            let asset = AssetId::Asset(number);
            <Assets as Create<_>>::create(asset, owner.clone(), true, 1)?;
            Assets::mint_into(asset, owner, amount)?;
            Ok(asset)
        }

        fn contribution(owners: &[AccountId], shares: Balance) -> Result<TaskId, DispatchError> {
            let creator = AccountId::new([0; 32]);
            let header = Header::bytes(1).map_err(|_| DispatchError::Other("no header"))?;
            let descriptor = Descriptor { header, root: [1; 32] };
            let contribution = pallet_tasks::Contribution {
                creator: creator.clone(),
                content: descriptor.id(),
                descriptor,
                audience: Audience::Restricted { exchanged: false },
                winners: 1,
                weight: 1,
                committed: 1,
                committed_weight: 1,
                settled_at: 1,
            };
            pallet_tasks::Contributions::<Runtime>::insert(TASK, contribution);
            <Assets as Create<_>>::create(AssetId::Shares(TASK), creator, true, 1)?;
            for owner in owners {
                Assets::mint_into(AssetId::Shares(TASK), owner, shares)?;
            }
            Ok(TASK)
        }
    }
}
