//! Settling: who is paid when a session is over, one worker at a time.

use ensemble_compute::inference::Architecture;
use ensemble_core::{
    inference::{ranges_of, Payment, Position, RangeVote},
    SessionId,
};
use frame_support::{defensive, pallet_prelude::*, traits::Imbalance};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Saturating;

use crate::{
    price::{products, range_products, share, Pieces},
    types::bit,
    Balance, Config, End, Event, HoldReason, Models, Pallet, Refund, SessionOf, Sessions, State, Work,
};

impl Work {
    /// Whether something was shown to be wrong.
    fn is_wrong(&self) -> bool {
        self.faults.gateway || self.faults.signers != 0 || self.ranges.iter().any(|range| range.is_wrong)
    }

    /// Whether no trace won of some range.
    fn is_void(&self) -> bool {
        self.ranges.iter().any(|range| range.vote == RangeVote::Void)
    }

    /// Whether of no range most workers revealed the same.
    fn is_worthless(&self) -> bool {
        self.ranges.iter().all(|range| !range.agreed)
    }

    /// Products of the ranges of which a trace won, for one position.
    fn counting(&self, architecture: &Architecture) -> u64 {
        if !self.is_void() {
            return products(architecture);
        }
        let count = u32::try_from(self.ranges.len()).unwrap_or(u32::MAX);
        let won = (0..count).zip(&self.ranges).filter(|(_, range)| range.vote != RangeVote::Void);
        won.fold(0, |sum, (range, _)| sum.saturating_add(range_products(architecture, range, count)))
    }

    /// Whether the worker at a place was shown to be wrong.
    fn is_guilty(&self, place: u32) -> bool {
        let voted_wrong = self.ranges.iter().any(|range| range.is_wrong && range.backers & bit(place) != 0);
        voted_wrong || self.faults.signers & bit(place) != 0
    }

    /// Whether the worker at a place revealed a trace that did not win.
    fn was_outvoted(&self, place: u32) -> bool {
        self.ranges.iter().any(|range| range.outvoted & bit(place) != 0)
    }
}

impl<T: Config> Pallet<T> {
    /// The window of a session is over.
    pub(crate) fn end_window(id: SessionId, mut session: SessionOf<T>, now: BlockNumberFor<T>) {
        Self::carry_out_notes(id, &mut session);
        let State::Disputable { team, closing, ranges, faults, .. } = &session.state else { return };
        let work = Work { positions: closing.positions(), ranges: ranges.clone(), faults: *faults };
        let team = team.clone();
        let end = if work.is_wrong() {
            // The requester comes first: it paid for votes on something wrong.
            let fund = session.purse.saturating_sub(session.fee);
            End::Wrong { work, fund }
        } else if work.is_worthless() {
            // As if it had not closed: whoever cannot should not be better off by closing with anything.
            let taken = Self::slash_bond(id, &session.gateway.account, session.price);
            session.purse = session.purse.saturating_add(Self::put_in(session.model, taken));
            End::Refunded(Refund::NobodyAgreed)
        } else {
            End::Paid(work)
        };
        Self::end(id, &mut session, team, end, now);
        Sessions::<T>::insert(id, session);
    }

    /// What so many positions cost, without their votes.
    fn cost_of(session: &SessionOf<T>, positions: Position) -> Balance {
        let Some(architecture) = Self::architecture_of(session) else { return 0 };
        let amount = session.rates.amount(positions, products(&architecture), session.question.replicas);
        amount.unwrap_or(0).min(session.price.saturating_sub(session.fee))
    }

    /// What the positions that were computed cost: the part of the ranges that count, and that of those that are void.
    fn amounts_of(session: &SessionOf<T>, work: &Work) -> (Balance, Balance) {
        let Some(architecture) = Self::architecture_of(session) else { return (0, 0) };
        let (all, amount) = (products(&architecture), Self::cost_of(session, work.positions));
        let counts = share(amount, work.counting(&architecture).into(), all.into());
        (counts, amount.saturating_sub(counts))
    }

    /// What is divided among those who worked. What void ranges cost is not, and goes to nobody.
    fn pieces_of(session: &SessionOf<T>, work: &Work) -> Pieces {
        let (counts, _) = Self::amounts_of(session, work);
        session.split.divide(counts)
    }

    /// What of that is the gateway's, unless it was wrong. Where it cannot be known whether tokens follow from what workers
    /// gave, they are not worth it.
    fn due_for_gateway(work: &Work, pieces: &Pieces) -> Balance {
        if work.faults.gateway || work.is_void() {
            return 0;
        }
        pieces.gateway
    }

    /// Multiplications that the worker at a place has served and that count: of a range that was shown to be wrong, as far as
    /// anybody knows, those of who said something else.
    fn served_by(session: &SessionOf<T>, work: &Work, place: u32) -> u128 {
        let Some(architecture) = Self::architecture_of(session) else { return 0 };
        let workers = session.question.workers;
        let served = ranges_of(place, workers, session.question.replicas).filter(|range| {
            let range = usize::try_from(*range).ok().and_then(|range| work.ranges.get(range));
            range.is_some_and(|range| {
                let who = if range.is_wrong { range.outvoted } else { range.backers };
                who & bit(place) != 0
            })
        });
        let products = served.map(|range| range_products(&architecture, range, workers));
        u128::from(products.fold(0u64, u64::saturating_add)).saturating_mul(work.positions.into())
    }

    /// The part of `amount`, which all workers get together, of one that has served so much.
    fn due_for(session: &SessionOf<T>, work: &Work, served: u128, amount: Balance) -> Balance {
        let Some(architecture) = Self::architecture_of(session) else { return 0 };
        let all = u128::from(work.counting(&architecture))
            .saturating_mul(work.positions.into())
            .saturating_mul(session.question.replicas.into());
        share(amount, served, all)
    }

    /// Settles the next worker of a session.
    pub(crate) fn settle_worker(id: SessionId, mut session: SessionOf<T>) {
        let State::Settling { team, end, next } = &mut session.state else {
            defensive!("workers are settled when a session is over");
            return;
        };
        let place = *next;
        next.saturating_inc();
        let party = usize::try_from(place).ok().and_then(|place| team.get(place)).cloned();
        let end = end.clone();
        if let Some(party) = party {
            let (paid, shares) = match &end {
                End::Refunded(_) => (0, 0),
                End::Paid(work) => Self::pay_worker(id, &mut session, work, place, &party.account),
                End::Wrong { work, fund } => {
                    (Self::compensate_worker(id, &mut session, work, *fund, place, &party.account), 0)
                },
            };
            Self::disengage(&party.account, 0);
            Self::deposit_event(Event::WorkerSettled { session: id, who: party.account, paid, shares });
        }
        Sessions::<T>::insert(id, session);
    }

    /// Pays a worker for what it served, in money and shares, or takes what being outvoted costs.
    fn pay_worker(
        id: SessionId,
        session: &mut SessionOf<T>,
        work: &Work,
        place: u32,
        who: &T::AccountId,
    ) -> (Balance, Balance) {
        if work.was_outvoted(place) {
            Self::burn(Self::slash_outvoted(id, who));
        }
        let served = Self::served_by(session, work, place);
        let due = Self::due_for(session, work, served, Self::pieces_of(session, work).workers);
        let paid = Self::pay(id, session, who, due);
        let units = served.checked_div(T::ProductsPerShare::get()).unwrap_or(0);
        let shares = Self::mint_shares(id, session.model, who, units);
        (paid, shares)
    }

    /// Pays a worker that was not wrong from what others lost, and what is missing from the price: who asks has sessions go
    /// wrong for nothing otherwise, once a bond of a friend of its is used up.
    fn compensate_worker(
        id: SessionId,
        session: &mut SessionOf<T>,
        work: &Work,
        fund: Balance,
        place: u32,
        who: &T::AccountId,
    ) -> Balance {
        if work.is_guilty(place) {
            return 0;
        }
        let served = Self::served_by(session, work, place);
        let due = Self::due_for(session, work, served, Self::pieces_of(session, work).workers);
        let covered = Self::covered(session, work, fund, due);
        let paid = Self::pay_from_purse(id, session, who, covered);
        paid.saturating_add(Self::pay(id, session, who, due.saturating_sub(covered)))
    }

    /// What there is of `due` where `fund` is all there is for workers and the gateway.
    fn covered(session: &SessionOf<T>, work: &Work, fund: Balance, due: Balance) -> Balance {
        let pieces = Self::pieces_of(session, work);
        let all = pieces.workers.saturating_add(Self::due_for_gateway(work, &pieces));
        if fund >= all {
            return due;
        }
        share(fund, due, all)
    }

    /// Settles everybody but the workers, and removes the session.
    pub(crate) fn finish(id: SessionId, mut session: SessionOf<T>) {
        let State::Settling { end, .. } = &session.state else {
            defensive!("a session is finished when its workers are settled");
            return;
        };
        let end = end.clone();
        let gateway_account = session.gateway.account.clone();
        let (gateway, credits, burnt) = match &end {
            End::Refunded(_) => {
                Self::return_fee(id, &mut session);
                (0, 0, 0)
            },
            End::Paid(work) => {
                let (counts, void) = Self::amounts_of(&session, work);
                let pieces = session.split.divide(counts);
                // Tokens that do not follow from what won are not worth a gateway's part, whoever is to blame.
                let due = if work.faults.is_excused { 0 } else { Self::due_for_gateway(work, &pieces) };
                let gateway = Self::pay(id, &mut session, &gateway_account, due);
                // Nobody keeps anything because a range is void, whose worker it may have been.
                let unpaid = if work.is_void() { pieces.gateway.saturating_add(void) } else { 0 };
                let burnt = Self::take_price(&mut session, pieces.burnt.saturating_add(unpaid));
                let credits = Self::take_price(&mut session, pieces.credits);
                let burnt_amount = burnt.peek();
                Self::burn(burnt);
                let (credits, unclaimed) = Self::distribute(session.model, credits);
                (gateway, credits, burnt_amount.saturating_add(unclaimed))
            },
            End::Wrong { work, fund } => {
                let due = Self::due_for_gateway(work, &Self::pieces_of(&session, work));
                let amount = Self::covered(&session, work, *fund, due);
                let gateway = Self::pay_from_purse(id, &mut session, &gateway_account, amount);
                Self::return_fee(id, &mut session);
                (gateway, 0, 0)
            },
        };
        Self::burn_purse(&mut session);
        let returned = session.held;
        Self::return_price(id, &session);
        Self::give_back(Some(id), HoldReason::Session, &session.requester, session.deposit);
        Self::disengage(&gateway_account, session.price);
        Self::forget(id, &mut session);
        let requester = session.requester;
        Self::deposit_event(Event::SessionSettled { session: id, requester, gateway, credits, burnt, returned });
    }

    /// Returns from the purse what the requester paid for votes, as far as it goes.
    fn return_fee(id: SessionId, session: &mut SessionOf<T>) {
        let fee = session.fee.min(session.purse);
        match session.payment {
            Payment::Tune => {
                let requester = session.requester.clone();
                Self::pay_from_purse(id, session, &requester, fee);
            },
            Payment::Credits => {
                session.purse = session.purse.saturating_sub(fee);
                Self::return_credits(&session.requester, session.model, fee);
            },
        }
    }

    /// Returns what is still held for a session. The caller removes the session.
    fn return_price(id: SessionId, session: &SessionOf<T>) {
        match session.payment {
            Payment::Tune => {
                Self::give_back(Some(id), HoldReason::Price, &session.requester, session.held);
            },
            Payment::Credits => Self::return_credits(&session.requester, session.model, session.held),
        }
    }

    /// Removes everything that is stored about a session.
    fn forget(id: SessionId, session: &mut SessionOf<T>) {
        Self::schedule(id, session, None);
        Sessions::<T>::remove(id);
        Models::<T>::mutate(session.model, |model| {
            if let Some(model) = model {
                model.sessions.saturating_dec();
            }
        });
    }
}
