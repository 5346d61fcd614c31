//! What the checks that every transaction passes cost beyond [`super::ExtrinsicBaseWeight`].
//!
//! That figure is measured on whole transactions, signed and paid for, so the computing of every check is in it already.
//! What it leaves out is the database, for it is measured in memory: the account that signs is read and written once,
//! by the check of its nonce, and stays in the block's overlay for the fee and the call.

use core::marker::PhantomData;

use frame_support::{traits::Get, weights::Weight};

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
    fn charge_transaction_payment() -> Weight {
        Weight::zero()
    }
}
