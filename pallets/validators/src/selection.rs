//! Who sits: the rule of elections, without storage.
//!
//! Finality needs more than two thirds of a session's validators, and a set that cannot finalise cannot hand over to the
//! next one either. So whoever might not work, because it is new or was silent lately, must never come to a third.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

/// Somebody who sits among the validators.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sitting<Id> {
    /// Who.
    pub who: Id,
    /// Whether it authored a block in the session that ended last.
    pub proven: bool,
    /// What is staked on the module with which it stands; zero if it does not.
    pub stake: u128,
}

/// The limits of an election.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// With fewer candidates all who sit stay.
    pub min: usize,
    /// Most validators.
    pub max: usize,
}

/// The outcome of an election.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Selection<Id> {
    /// The validators: those who sat before in their order, then newcomers in the order of their stake.
    pub validators: Vec<Id>,
    /// How many of them did not sit before.
    pub newcomers: usize,
}

/// Elects from candidates, best first, among whom `sitting` may be.
///
/// Those who sit and are not among the candidates leave, but for those that are needed: all while there are fewer
/// candidates than the least number of validators; else as many as it takes for newcomers to be let in.
pub fn select<Id: Clone + Ord>(ranked: &[Id], sitting: &[Sitting<Id>], limits: Limits) -> Selection<Id> {
    let wanted: BTreeSet<&Id> = ranked.iter().collect();
    let known: BTreeSet<&Id> = sitting.iter().map(|seat| &seat.who).collect();
    let newcomers: Vec<&Id> = ranked.iter().filter(|who| !known.contains(who)).collect();
    let (stay, mut leave): (Vec<_>, Vec<_>) = sitting.iter().partition(|seat| wanted.contains(&seat.who));
    leave.sort_by_key(|seat| core::cmp::Reverse((seat.proven, seat.stake)));

    let mut kept = Kept::default();
    stay.into_iter().take(limits.max).for_each(|seat| kept.add(seat));
    let few = ranked.len() < limits.min;
    for seat in leave {
        let room = kept.room().min(newcomers.len());
        let size = kept.len().saturating_add(room);
        let full = if few { kept.len() } else { size } >= limits.max;
        let makes_room = seat.proven && room < newcomers.len();
        if full || !(few || size < limits.min || makes_room) {
            break;
        }
        kept.add(seat);
    }
    let free = limits.max.saturating_sub(kept.len());
    let coming = kept.room().min(newcomers.len()).min(free);
    let stayed = sitting.iter().filter(|seat| kept.seats.contains_key(&seat.who)).map(|seat| &seat.who);
    let validators = stayed.chain(newcomers.into_iter().take(coming)).cloned().collect();
    Selection { validators, newcomers: coming }
}

/// Those who stay.
struct Kept<'a, Id> {
    seats: BTreeMap<&'a Id, bool>,
    proven: usize,
}

impl<Id> Default for Kept<'_, Id> {
    fn default() -> Self {
        Self { seats: BTreeMap::new(), proven: 0 }
    }
}

impl<'a, Id: Ord> Kept<'a, Id> {
    fn add(&mut self, seat: &'a Sitting<Id>) {
        self.seats.insert(&seat.who, seat.proven);
        self.proven = self.proven.saturating_add(usize::from(seat.proven));
    }

    fn len(&self) -> usize {
        self.seats.len()
    }

    /// The number of newcomers with whom those who might not work are still less than a third of all.
    fn room(&self) -> usize {
        let unproven = self.len().saturating_sub(self.proven);
        (self.proven.saturating_sub(1) / 2).saturating_sub(unproven)
    }
}
