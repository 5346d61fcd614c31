//! Records of the pallet, and the rules that follow from a record alone.

#![expect(clippy::cast_possible_truncation, reason = "codec's derive numbers variants with `as u8`")]

use alloc::vec::Vec;

use codec::{Decode, Encode, MaxEncodedLen};
use ensemble_core::{
    matching::{TestCase, MAX_VALIDATORS_PER_MINER},
    modules::MAX_VALIDATOR_TYPES,
    EpochIndex, ModelType, ModuleId,
};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_runtime::Permill;

use crate::{ranking::SeatNumber, Config};

/// The types that a validator judges.
pub type Types = BoundedVec<ModelType, ConstU32<MAX_VALIDATOR_TYPES>>;
/// The seats of a validator, one for each of its types.
pub type Seats = BoundedVec<Seat, ConstU32<MAX_VALIDATOR_TYPES>>;
/// The validators of a miner.
pub type Matches = BoundedVec<Match, ConstU32<MAX_VALIDATORS_PER_MINER>>;
/// The sources of truth of a type.
pub type TruthsOf<T> = BoundedVec<ModuleId, <T as Config>::MaxTruths>;
/// The test cases of a type.
pub type TestCasesOf<T> = BoundedVec<TestCase, <T as Config>::MaxTestCases>;

/// What is to become of a module's matches.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Departure {
    /// They stay.
    #[default]
    Staying,
    /// They are being undone. Then the module takes part again, if nothing is against it.
    Pausing,
    /// They are being undone. Then the module is forgotten: it plays this part no more.
    Leaving,
}

/// A miner.
#[derive(Clone, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Miner {
    /// The kind of model that it serves.
    pub model_type: ModelType,
    /// Whether it was switched off.
    pub off: bool,
    /// What is to become of its matches.
    pub departure: Departure,
    /// Its number among the active miners of its type; none if it does not take part.
    pub place: Option<u32>,
    /// Where it waits for a validator.
    pub waiting: Option<Waiting>,
    /// Its validators.
    pub matches: Matches,
    /// The last epoch in which its validators changed, or in which it came or stopped taking part.
    pub changed: EpochIndex,
    /// The score that it deserves, if it is a source of truth.
    pub deserves: Option<Permill>,
}

impl Miner {
    /// Whether it takes part.
    pub fn is_active(&self) -> bool {
        self.place.is_some()
    }

    /// Its validators.
    pub fn validators(&self) -> Vec<ModuleId> {
        self.matches.iter().map(|matched| matched.validator).collect()
    }
}

/// What joins a miner to a validator.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Match {
    /// The validator.
    pub validator: ModuleId,
    /// The miner's number among those of the validator.
    pub slot: u32,
    /// The first epoch in which the validator's scores of the miner count.
    pub from: EpochIndex,
}

/// A miner's place in a line.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Waiting {
    /// What for.
    pub kind: Kind,
    /// The place.
    pub place: u64,
}

/// What a miner waits for.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Kind {
    /// A first validator.
    First,
    /// A further one.
    Further,
    /// A further one, when all that have room are its own: until another has.
    Blocked,
}

impl Kind {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 3] = [Self::First, Self::Further, Self::Blocked];
}

/// Something for every kind.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct PerKind<V> {
    /// For [`Kind::First`].
    pub first: V,
    /// For [`Kind::Further`].
    pub further: V,
    /// For [`Kind::Blocked`].
    pub blocked: V,
}

impl<V> PerKind<V> {
    /// What there is for a kind.
    pub fn get(&self, kind: Kind) -> &V {
        match kind {
            Kind::First => &self.first,
            Kind::Further => &self.further,
            Kind::Blocked => &self.blocked,
        }
    }

    /// What there is for a kind.
    pub fn get_mut(&mut self, kind: Kind) -> &mut V {
        match kind {
            Kind::First => &mut self.first,
            Kind::Further => &mut self.further,
            Kind::Blocked => &mut self.blocked,
        }
    }
}

/// A validator.
#[derive(Clone, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Validator {
    /// Its seats in the rankings of its types; none if it is leaving.
    pub seats: Seats,
    /// Most miners that it serves at one time.
    pub capacity: u32,
    /// The number of miners that it has.
    pub load: u32,
    /// Whether it was switched off.
    pub off: bool,
    /// What is to become of its matches.
    pub departure: Departure,
    /// Whether it takes part.
    pub active: bool,
    /// The epoch in which it last got a miner when it had none; none if it has none.
    pub serving: Option<EpochIndex>,
    /// Whether it stands in the rankings: it takes part and has room.
    pub open: bool,
}

impl Validator {
    /// Whether it takes part.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// It has one more miner.
    pub fn gain_miner(&mut self, now: EpochIndex) {
        self.serving = self.serving.or(Some(now));
        self.load = self.load.saturating_add(1);
    }

    /// It has one miner less.
    pub fn lose_miner(&mut self) {
        self.load = self.load.saturating_sub(1);
        if self.load == 0 {
            self.serving = None;
        }
    }

    /// Whether it takes part and has room.
    pub fn has_room(&self) -> bool {
        self.is_active() && self.load < self.capacity
    }

    /// The types that it judges.
    pub fn types(&self) -> Vec<ModelType> {
        self.seats.iter().map(|seat| seat.model_type).collect()
    }
}

/// A validator's place in a ranking, kept for it as long as it is a validator of the type.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Seat {
    /// The ranking.
    pub model_type: ModelType,
    /// The seat.
    pub number: SeatNumber,
    /// Its place among the validators that are offered to blocked miners of the type.
    pub offer: Option<u64>,
}

/// The ends of a line. Its places are numbered in the order in which they were taken, and none is taken twice.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Ring {
    /// The place of whoever stands first; none if nobody stands in the line.
    pub first: Option<u64>,
    /// The place of whoever stands last; none if nobody stands in the line.
    pub last: Option<u64>,
    /// The next place to come.
    pub next: u64,
}

impl Ring {
    /// Whether nobody stands in the line.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

/// Whoever stands in a line, between its neighbours: lines are doubly linked lists.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Entry {
    /// The number of a module, or of a type.
    pub number: u32,
    /// The place before it; none if it stands first.
    pub before: Option<u64>,
    /// The place after it; none if it stands last.
    pub after: Option<u64>,
}

/// Who stands in line.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Line {
    /// Modules whose matches are being undone.
    Departures,
    /// Types to look at for those who wait so.
    Turns(Kind),
    /// Miners of a type that wait so.
    Waiting(Kind, ModelType),
    /// Validators of a type that got room and are offered to its blocked miners.
    Offers(ModelType),
}

/// What is going on in a type.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Desk {
    /// Number of active miners.
    pub miners: u32,
    /// Miners that wait.
    pub waiting: PerKind<Ring>,
    /// Whether the type stands in line to be looked at.
    pub turns: PerKind<bool>,
    /// Validators that are offered to blocked miners.
    pub offers: Ring,
    /// The offer is made to the blocked miners before this place.
    pub until: u64,
    /// Number of seats that were ever used.
    pub seats: u32,
    /// Number of those that are free.
    pub free_seats: u32,
}

impl Desk {
    /// Whether one more validator finds a seat.
    pub fn has_seat(&self) -> bool {
        self.free_seats > 0 || self.seats < crate::ranking::SEATS
    }
}

/// What is to be done for all types.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Agenda {
    /// Modules whose matches are being undone.
    pub departures: Ring,
    /// Types to look at.
    pub turns: PerKind<Ring>,
}
