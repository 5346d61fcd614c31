//! Combining contents in the background: what the off-chain worker of a round asks its node for.

use ensemble_core::combination::{Combination, CombinationStatus};
use sp_runtime_interface::{
    pass_by::{AllocateAndReturnByCodec, PassFatPointerAndDecode},
    runtime_interface,
};

/// The node's side of the interface.
#[cfg(feature = "std")]
pub trait AggregationAccess: Send + Sync {
    /// Begins to combine in the background, if that was not begun, and says how far it is. The same combination is
    /// computed once, unless its result was let go.
    fn combine(&self, combination: Combination) -> CombinationStatus;
}

#[cfg(feature = "std")]
sp_externalities::decl_extension! {
    /// Gives an off-chain worker access to the node's arithmetic.
    pub struct AggregationAccessExt(std::sync::Arc<dyn AggregationAccess>);
}

/// Aggregation functions for off-chain workers.
#[runtime_interface]
pub trait Aggregation {
    /// Begins to combine in the background, if that was not begun, and says how far it is.
    fn combine(
        &mut self,
        combination: PassFatPointerAndDecode<Combination>,
    ) -> AllocateAndReturnByCodec<CombinationStatus> {
        access(*self).combine(combination)
    }
}

#[cfg(feature = "std")]
fn access(mut externalities: &mut dyn sp_externalities::Externalities) -> std::sync::Arc<dyn AggregationAccess> {
    use sp_externalities::ExternalitiesExt;
    externalities
        .extension::<AggregationAccessExt>()
        .expect("aggregation functions are called in off-chain workers, which the node gives this extension; qed")
        .0
        .clone()
}
