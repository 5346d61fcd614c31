//! What calls cost.

pub use frame_support::weights::constants::{BlockExecutionWeight, ExtrinsicBaseWeight};

/// Stand-in.
pub mod frame_system {
    pub type WeightInfo<T> = ::frame_system::weights::SubstrateWeight<T>;
}

/// Stand-in.
pub mod frame_system_extensions {
    pub type WeightInfo<T> = ::frame_system::SubstrateExtensionsWeight<T>;
}

/// Stand-in.
pub mod pallet_assets {
    pub type WeightInfo<T> = ::pallet_assets::weights::SubstrateWeight<T>;
}

/// Stand-in.
pub mod pallet_balances {
    pub type WeightInfo<T> = ::pallet_balances::weights::SubstrateWeight<T>;
}

/// Stand-in.
pub mod pallet_multisig {
    pub type WeightInfo<T> = ::pallet_multisig::weights::SubstrateWeight<T>;
}

/// Stand-in.
pub mod pallet_proxy {
    pub type WeightInfo<T> = ::pallet_proxy::weights::SubstrateWeight<T>;
}

/// Stand-in.
pub mod pallet_session {
    pub type WeightInfo<T> = ::pallet_session::weights::SubstrateWeight<T>;
}

/// Stand-in.
pub mod pallet_sudo {
    pub type WeightInfo<T> = ::pallet_sudo::weights::SubstrateWeight<T>;
}

/// Stand-in.
pub mod pallet_timestamp {
    pub type WeightInfo<T> = ::pallet_timestamp::weights::SubstrateWeight<T>;
}

/// Stand-in.
pub mod pallet_transaction_payment {
    pub type WeightInfo<T> = ::pallet_transaction_payment::weights::SubstrateWeight<T>;
}

/// Stand-in.
pub mod pallet_utility {
    pub type WeightInfo<T> = ::pallet_utility::weights::SubstrateWeight<T>;
}
