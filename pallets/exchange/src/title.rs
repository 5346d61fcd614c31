//! Who may have what: the answers of the runtime API `ExchangeApi`. Never called while a block is made.

use alloc::vec::Vec;

use ensemble_core::{
    exchange::{Asker, Audience, Contributions, Received, Refusal, Title, Ways},
    market::Sales,
    AssetId, AttesterId, TaskId,
};
use ensemble_tensor::TensorId;
use frame_system::pallet_prelude::BlockNumberFor;

use crate::{Books, Config, Line, Pallet};

type Answer<T> = Result<Title<BlockNumberFor<T>>, Refusal>;

impl<T: Config> Pallet<T> {
    /// Whether `asker` may have `content` as what won, or is to be attested in, `task`; with the reason.
    pub fn entitlement(asker: &Asker<T::AccountId>, task: TaskId, content: TensorId) -> Answer<T> {
        match asker {
            Asker::Account(account) => Self::title_of(account, task, content),
            Asker::Attester(key) => Self::attesters_title(key, task, content),
        }
    }

    fn title_of(account: &T::AccountId, task: TaskId, content: TensorId) -> Answer<T> {
        let won = T::Contributions::won(task).ok_or(Refusal::NothingWon { task })?;
        if won.content != content {
            return Err(Refusal::AnotherWon { task });
        }
        if won.audience == Audience::Public {
            return Ok(Title::Public);
        }
        if T::Contributions::owns_shares(task, account) {
            return Ok(Title::Shareholder);
        }
        if let Some(until) = T::Sales::access(task, account) {
            return Ok(Title::Buyer { until });
        }
        let now = frame_system::Pallet::<T>::block_number();
        let book = Books::<T>::get(account).unwrap_or_default();
        match book.grant(task).filter(|grant| now <= grant.until) {
            Some(grant) => Ok(Title::Grantee { until: grant.until }),
            None => Err(Refusal::NotEntitled(Self::ways_to(task))),
        }
    }

    fn attesters_title(key: &AttesterId, task: TaskId, content: TensorId) -> Answer<T> {
        if T::Contributions::attests(task, content, key) {
            return Ok(Title::Attester);
        }
        let public =
            T::Contributions::won(task).is_some_and(|won| won.content == content && won.audience == Audience::Public);
        if public {
            return Ok(Title::Public);
        }
        Err(Refusal::NotDrawn { task })
    }

    /// What an account was granted and may still have, oldest first.
    pub fn received(account: &T::AccountId) -> Vec<Received<BlockNumberFor<T>>> {
        let now = frame_system::Pallet::<T>::block_number();
        let grants = Books::<T>::get(account).unwrap_or_default().grants.into_iter();
        let active = grants.filter(|grant| now <= grant.until);
        let view = |grant: crate::Grant<_>| {
            let won = T::Contributions::won(grant.task)?;
            Some(Received { task: grant.task, content: won.content, since: grant.since, until: grant.until })
        };
        active.filter_map(view).collect()
    }

    /// How to become entitled to what won a task; nothing if nothing won, or if everybody may have it.
    pub fn ways(task: TaskId) -> Option<Ways> {
        let won = T::Contributions::won(task)?;
        (won.audience != Audience::Public).then(|| Self::ways_to(task))
    }

    fn ways_to(task: TaskId) -> Ways {
        let exchanged = Line::<T>::get().iter().any(|entry| entry.task == task);
        Ways { task, shares: AssetId::Shares(task), exchanged, sold: T::Sales::is_sold(task) }
    }
}
