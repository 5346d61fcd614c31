//! What the exchange may ask of tasks.

use ensemble_core::{
    exchange::{Contributions as Contributed, Won},
    AssetId, AttesterId, TaskId,
};
use ensemble_tensor::TensorId;
use frame_support::traits::fungibles::Inspect;

use crate::{Attestations, Config, Contributions, Outcome, Pallet, State, Tasks};

impl<T: Config> Contributed<T::AccountId> for Pallet<T> {
    fn won(task: TaskId) -> Option<Won> {
        if let Some(contribution) = Contributions::<T>::get(task) {
            return Some(Won { content: contribution.content, audience: contribution.audience });
        }
        let record = Tasks::<T>::get(task)?;
        let audience = record.audience();
        match record.state {
            State::Settling { outcome: Outcome::Won(leader), .. } => Some(Won { content: leader.content, audience }),
            _ => None,
        }
    }

    fn owns_shares(task: TaskId, account: &T::AccountId) -> bool {
        T::Shares::balance(AssetId::Shares(task), account) > 0
    }

    fn attests(task: TaskId, content: TensorId, attester: &AttesterId) -> bool {
        Attestations::<T>::get(task)
            .is_some_and(|panel| panel.content == content && panel.seats.iter().any(|seat| seat.attester == *attester))
    }
}
