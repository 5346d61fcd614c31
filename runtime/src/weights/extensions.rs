//! What the checks that every transaction passes cost beyond [`super::ExtrinsicBaseWeight`].
//!
//! That figure is measured on whole transactions, signed and paid for, so the computing of every check is in it already.
//! It leaves out two things.
//!
//! - The database access of the account that signs: all transactions that are measured are Alice's, who is read once
//!   for all of them. The check of the nonce adds it; the account then stays in the block's overlay for the fee and the
//!   call.
//! - The payment of the fee to the author: the blocks that are measured have none. Charging for the transaction adds
//!   it. The author's account is read and written once in a block, which [`crate::configs::RuntimeBlockWeights`]
//!   counts.

use core::marker::PhantomData;

use frame_support::{traits::Get, weights::Weight};

use super::pallet_balances;

/// Weights of the transaction extensions.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> frame_system::ExtensionsWeightInfo for WeightInfo<T> {
    fn check_genesis() -> Weight {
        Weight::zero()
    }

    fn check_mortality_mortal_transaction() -> Weight {
        T::DbWeight::get().reads(1)
    }

    fn check_mortality_immortal_transaction() -> Weight {
        Weight::zero()
    }

    fn check_non_zero_sender() -> Weight {
        Weight::zero()
    }

    fn check_nonce() -> Weight {
        T::DbWeight::get().reads_writes(1, 1)
    }

    fn check_spec_version() -> Weight {
        Weight::zero()
    }

    fn check_tx_version() -> Weight {
        Weight::zero()
    }

    fn check_weight() -> Weight {
        Weight::zero()
    }

    fn weight_reclaim() -> Weight {
        Weight::zero()
    }
}

impl<T: frame_system::Config> pallet_transaction_payment::WeightInfo for WeightInfo<T> {
    /// Setting a balance is what this comes to: one account is changed, and an event says so.
    fn charge_transaction_payment() -> Weight {
        let set = <pallet_balances::WeightInfo<T> as ::pallet_balances::WeightInfo>::force_set_balance_creating();
        set.saturating_sub(T::DbWeight::get().reads_writes(1, 1))
    }
}
