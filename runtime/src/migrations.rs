//! What brings the state that the runtime before has left to the layout of this one.
//!
//! Every pallet of ours declares a `STORAGE_VERSION`, which stands in the chain's state too. Whoever changes how a pallet's
//! storage is encoded, or what must hold of it,
//!
//! 1. raises the pallet's `STORAGE_VERSION` by one;
//! 2. writes `migrations.rs` beside its `lib.rs`: a `frame_support::migrations::VersionedMigration` from the old version to
//!    the new one, which runs only where the old one stands in the state. It is bounded: all that it reads and writes fits
//!    one block, and its weight says so. `pre_upgrade` and `post_upgrade` check what must not get lost;
//! 3. names it in [`Migrations`], and raises `spec_version` in `version.rs`;
//! 4. runs the suite `ensemble-runtime` (`scripts/test ensemble-runtime`), which upgrades the state that the released runtime
//!    has left, kept in `runtime/tests/states`, checks it before and after, and goes on with it.
//!
//! When a runtime was released, `scripts/snapshot` writes that state anew, and the migrations that have run everywhere go.

/// All migrations from the layout of the runtime before, in the order in which they run: in the first block of this one,
/// before anything else.
pub type Migrations = (pallet_validators::migrations::V1<crate::Runtime>,);
