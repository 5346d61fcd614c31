//! Which runtime this is.

use alloc::borrow::Cow;

use sp_version::RuntimeVersion;

use crate::apis::RUNTIME_API_VERSIONS;

/// This runtime's version. `spec_version` grows with every change of logic, `transaction_version` with every change of
/// a call's encoding.
#[cfg(not(feature = "next"))]
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("ensemble"),
    impl_name: Cow::Borrowed("ensemble-node"),
    authoring_version: 1,
    spec_version: 2,
    impl_version: 1,
    apis: RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

/// The version after it, which differs in nothing but `spec_version`: what tests of upgrades upgrade to. The macro reads
/// numbers from literals only.
#[cfg(feature = "next")]
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("ensemble"),
    impl_name: Cow::Borrowed("ensemble-node"),
    authoring_version: 1,
    spec_version: 3,
    impl_version: 1,
    apis: RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};
