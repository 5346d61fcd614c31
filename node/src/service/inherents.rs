//! What a block states of itself: its slot and its time.

use std::error::Error;

use ensemble_runtime::{opaque::Block, Hash};
use sp_consensus_babe::{inherents::InherentDataProvider as SlotProvider, SlotDuration};
use sp_inherents::CreateInherentDataProviders;
use sp_timestamp::InherentDataProvider as TimeProvider;

/// Reads slot and time off the system's clock.
#[derive(Clone, Copy)]
pub struct Inherents {
    slot_duration: SlotDuration,
}

impl Inherents {
    /// For a chain with slots of this length.
    pub fn new(slot_duration: SlotDuration) -> Self {
        Self { slot_duration }
    }
}

#[async_trait::async_trait]
impl CreateInherentDataProviders<Block, ()> for Inherents {
    type InherentDataProviders = (SlotProvider, TimeProvider);

    async fn create_inherent_data_providers(
        &self,
        _parent: Hash,
        (): (),
    ) -> Result<Self::InherentDataProviders, Box<dyn Error + Send + Sync>> {
        let time = TimeProvider::from_system_time();
        Ok((SlotProvider::from_timestamp_and_slot_duration(*time, self.slot_duration), time))
    }
}
