//! Recomputes what can be recomputed and says what is off.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use ensemble_core::{
    inference::{places_of, Payment, RangeVote},
    AssetId, ModelId,
};
use frame_support::{
    ensure,
    traits::{
        fungible::{Inspect, InspectHold},
        fungibles::Inspect as InspectShares,
        Get,
    },
};
use sp_runtime::TryRuntimeError;

use crate::{
    types::bit, Agenda, Balance, Class, Config, FirstWaiting, HoldReason, Holdings, KeyOwners, ModelOfTask, Models,
    NextDue, NextModelId, NextSessionId, Pallet, Pots, SeatCounts, Seats, SessionOf, Sessions, State, TaskOfModel,
    Workers,
};

type Check = Result<(), TryRuntimeError>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_try_state() -> Check {
        Self::check_models()?;
        Self::check_workers()?;
        Self::check_seats()?;
        Self::check_sessions()?;
        Self::check_agenda()?;
        Self::check_holds()?;
        Self::check_shares()?;
        Self::check_pots()
    }

    fn check_models() -> Check {
        let models: Vec<_> = Models::<T>::iter().collect();
        ensure!(Models::<T>::count() as usize == models.len(), "the number of models is not the counter's");
        ensure!(Models::<T>::count() <= T::MaxModels::get(), "there are more models than allowed");
        ensure!(ModelOfTask::<T>::iter().count() == models.len(), "a task has a model that is none");
        for (id, model) in models {
            ensure!(id < NextModelId::<T>::get(), "a model has a number that was not given out");
            ensure!(ModelOfTask::<T>::get(model.task) == Some(id), "a model is not that of its task");
            ensure!(TaskOfModel::<T>::get(id) == Some(model.task), "a task is not that of its model");
            ensure!(Pots::<T>::contains_key(id), "a model has no pot");
            let sessions = Sessions::<T>::iter_values().filter(|session| session.model == id).count();
            ensure!(sessions == model.sessions as usize, "the number of a model's sessions is off");
        }
        Ok(())
    }

    fn check_workers() -> Check {
        let mut engaged = BTreeMap::<T::AccountId, u32>::new();
        let mut pledged = BTreeMap::<T::AccountId, Balance>::new();
        for session in Sessions::<T>::iter_values() {
            add(&mut pledged, session.gateway.account.clone(), session.price);
            for account in parts(&session) {
                let sessions = engaged.entry(account).or_default();
                *sessions = sessions.saturating_add(1);
            }
        }
        for (who, worker) in Workers::<T>::iter() {
            ensure!(KeyOwners::<T>::get(&worker.key).as_ref() == Some(&who), "a worker does not own its key");
            ensure!(engaged.remove(&who).unwrap_or(0) == worker.sessions, "the number of a worker's sessions is off");
            ensure!(
                pledged.remove(&who).unwrap_or(0) == worker.pledged,
                "a worker answers for other prices than it should"
            );
            let numbers: BTreeSet<_> = worker.consents.iter().map(|used| used.number).collect();
            ensure!(numbers.len() == worker.consents.len(), "a consent was used twice");
            let is_drawn = worker.leaves_at.is_none() && worker.bond >= T::MinBond::get();
            ensure!(worker.place.is_some() == is_drawn, "a worker is drawn and should not be, or the other way round");
            let Some(place) = worker.place else { continue };
            let seat = Seats::<T>::get(worker.model, place).ok_or("a worker's place is empty")?;
            ensure!(seat.account == who, "a worker's place is another's");
            ensure!(seat.weight == worker.bond.min(T::BondCap::get()), "a worker does not count as its bond says");
        }
        ensure!(engaged.is_empty(), "a session has a worker that is none");
        let keys = KeyOwners::<T>::iter().count();
        ensure!(keys == Workers::<T>::iter_keys().count(), "a key is owned by no worker");
        Ok(())
    }

    /// The places of a model's workers have no gaps.
    fn check_seats() -> Check {
        let mut places = BTreeMap::<ModelId, BTreeSet<u32>>::new();
        for (model, place, seat) in Seats::<T>::iter() {
            places.entry(model).or_default().insert(place);
            let worker = Workers::<T>::get(&seat.account).ok_or("a place is of no worker")?;
            ensure!((worker.model, worker.place) == (model, Some(place)), "a worker does not know its place");
        }
        for (model, count) in SeatCounts::<T>::iter() {
            ensure!(count <= T::MaxWorkers::get(), "a model has more workers than allowed");
            let places = places.remove(&model).unwrap_or_default();
            ensure!(places.into_iter().eq(0..count), "the places of a model's workers have gaps");
        }
        ensure!(places.is_empty(), "a model has workers that are not counted");
        Ok(())
    }

    fn check_sessions() -> Check {
        let sessions: Vec<_> = Sessions::<T>::iter().collect();
        ensure!(Sessions::<T>::count() as usize == sessions.len(), "the number of sessions is not the counter's");
        ensure!(Sessions::<T>::count() <= T::MaxSessions::get(), "there are more sessions than allowed");
        for (id, session) in sessions {
            ensure!(id < NextSessionId::<T>::get(), "a session has a number that was not given out");
            ensure!(Models::<T>::contains_key(session.model), "a session has no model");
            ensure!(session.held <= session.price, "more is held for a session than it can cost");
            let workers = session.question.workers as usize;
            let team = session.state.team();
            let has_team = !matches!(session.state, State::Open | State::Settling { .. });
            ensure!(!has_team || team.len() == workers, "a session has not as many workers as it wants");
            let accounts: BTreeSet<_> = team.iter().map(|party| &party.account).collect();
            ensure!(accounts.len() == team.len(), "a worker takes part in a session twice");
            ensure!(!accounts.contains(&session.gateway.account), "a gateway is among its workers");
            Self::check_ranges(&session)?;
        }
        Ok(())
    }

    fn check_ranges(session: &SessionOf<T>) -> Check {
        let (State::Voting { ranges, .. } | State::Disputable { ranges, .. }) = &session.state else { return Ok(()) };
        ensure!(ranges.len() == session.question.workers as usize, "a session has not as many ranges as workers");
        let both = ranges.iter().any(|range| range.backers & range.outvoted != 0);
        ensure!(!both, "a worker has voted for what won and for something else");
        let question = &session.question;
        let are_served = (0..).zip(ranges).all(|(range, record)| {
            let places = places_of(range, question.workers, question.replicas);
            let serves = places.fold(0, |bits, place| bits | bit(place));
            (record.backers | record.outvoted) & !serves == 0
        });
        ensure!(are_served, "a worker has voted on a range that it does not serve");
        let mut void = ranges.iter().filter(|range| range.vote == RangeVote::Void);
        let has_won = void.any(|range| range.backers | range.outvoted != 0 || range.is_wrong);
        ensure!(!has_won, "somebody has won or lost in a range of which no trace won");
        let is_open = ranges.iter().any(|range| matches!(range.vote, RangeVote::Open(_)));
        match session.state {
            State::Voting { .. } => ensure!(is_open, "the votes of a session are over, and it does not go on"),
            _ => ensure!(!is_open, "a session can be disputed, and a vote is not over"),
        }
        Ok(())
    }

    fn check_agenda() -> Check {
        let entries = Agenda::<T>::iter_keys().count();
        let mut due_sessions = 0usize;
        for (id, session) in Sessions::<T>::iter() {
            let votes = matches!(session.state, State::Voting { .. });
            ensure!(session.due.is_some() != votes, "a session waits for nothing, or is due while votes run");
            let Some(due) = session.due else { continue };
            due_sessions = due_sessions.saturating_add(1);
            ensure!(Agenda::<T>::contains_key(due, id), "a session is not in the agenda");
            ensure!(due >= NextDue::<T>::get(), "the agenda's cursor has passed a session");
        }
        ensure!(entries == due_sessions, "the agenda names a session that is not due");
        let Some((last, first)) = FirstWaiting::<T>::get() else { return Ok(()) };
        let waits = Sessions::<T>::get(first).is_some_and(|session| match session.state {
            State::Closed { until, .. } => until == last,
            _ => false,
        });
        ensure!(waits, "votes wait for those of a session that does not wait");
        Ok(())
    }

    /// What is held is what models, workers and sessions say, account by account.
    fn check_holds() -> Check {
        let (mut deposits, mut bonds, mut prices) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut records = BTreeMap::new();
        for model in Models::<T>::iter_values() {
            add(&mut deposits, model.registrant, model.deposit);
        }
        for (who, worker) in Workers::<T>::iter() {
            add(&mut bonds, who, worker.bond);
        }
        for session in Sessions::<T>::iter_values() {
            add(&mut records, session.requester.clone(), session.deposit);
            if session.payment == Payment::Tune {
                add(&mut prices, session.requester, session.held);
            }
        }
        // Accounts without a record as well, from which nothing is held.
        let accounts: Vec<_> = frame_system::Account::<T>::iter_keys().collect();
        let held = |reason: HoldReason, mut sums: BTreeMap<T::AccountId, Balance>| {
            let reason = reason.into();
            let mut held = accounts.iter().map(|who| (T::Currency::balance_on_hold(&reason, who), who));
            held.all(|(held, who)| held == sums.remove(who).unwrap_or(0)) && sums.values().all(|sum| *sum == 0)
        };
        ensure!(held(HoldReason::Model, deposits), "a registrant's deposits are not what is held");
        ensure!(held(HoldReason::Bond, bonds), "a worker's bond is not what is held");
        ensure!(held(HoldReason::Session, records), "a requester's deposits are not what is held");
        ensure!(held(HoldReason::Price, prices), "a requester's prices are not what is held");
        ensure!(held(HoldReason::Dispute, BTreeMap::new()), "a challenger's deposit is held after its dispute");
        Ok(())
    }

    /// The shares that holders have locked lie in the pots, also in those of models that are gone.
    fn check_shares() -> Check {
        let mut locked = BTreeMap::new();
        for (model, _, holding) in Holdings::<T>::iter() {
            for class in [Class::Contribution, Class::Rows] {
                add(&mut locked, (model, class == Class::Rows), holding.of(class).amount);
            }
        }
        for ((model, are_rows), locked) in locked {
            let class = if are_rows { Class::Rows } else { Class::Contribution };
            let asset = Self::class_of(model, class).ok_or("a model has no shares")?;
            ensure!(T::Shares::balance(asset, &Self::pot(model)) >= locked, "a pot lacks shares");
        }
        Ok(())
    }

    /// Pots hold credits one to one, beside purses, the prices of sessions paid with credits, and the existential deposit.
    /// Others may have sent them something.
    fn check_pots() -> Check {
        for (model, pot) in Pots::<T>::iter() {
            ensure!(Models::<T>::contains_key(model), "a pot has no model");
            let mut needed = Self::existential_deposit().saturating_add(pot.owed);
            for session in Sessions::<T>::iter_values().filter(|session| session.model == model) {
                let price = if session.payment == Payment::Credits { session.held } else { 0 };
                needed = needed.saturating_add(session.purse).saturating_add(price);
            }
            let account = Self::pot(model);
            ensure!(T::Currency::balance(&account) >= needed, "a pot lacks money");
            let mut spendable: Balance = 0;
            let (mut contribution, mut rows): (Balance, Balance) = (0, 0);
            for holding in Holdings::<T>::iter_prefix_values(model) {
                spendable = spendable.saturating_add(holding.spendable(&pot));
                contribution = contribution.saturating_add(holding.contribution.amount);
                rows = rows.saturating_add(holding.rows.amount);
            }
            ensure!(spendable <= pot.owed, "a model's shareholders have more credits than it owes");
            ensure!(contribution == pot.contribution.locked, "the number of locked shares is off");
            ensure!(rows == pot.rows.locked, "the number of locked shares of rows is off");
            let issued = T::Shares::total_issuance(AssetId::Rows(model));
            ensure!(issued <= T::MaxShares::get(), "a model has too many shares of rows");
        }
        Ok(())
    }
}

/// The accounts that take part in a session and were not settled.
fn parts<AccountId: Clone, BlockNumber>(session: &crate::Session<AccountId, BlockNumber>) -> Vec<AccountId> {
    let settled = match session.state {
        State::Settling { next, .. } => next as usize,
        _ => 0,
    };
    let workers = session.state.team().iter().skip(settled).map(|party| party.account.clone());
    workers.chain([session.gateway.account.clone()]).collect()
}

fn add<Key: Ord>(sums: &mut BTreeMap<Key, Balance>, who: Key, amount: Balance) {
    let sum = sums.entry(who).or_default();
    *sum = sum.saturating_add(amount);
}
