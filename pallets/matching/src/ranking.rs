//! Who is best: validators in the order of their load, then of their reliability.
//!
//! A ranking is a tournament tree (Knuth, The Art of Computer Programming 3, 5.4.1): the lowest pages have a place for
//! each seat, and every page above has the best of each page below. Pages have [`FAN_OUT`] places in [`LEVELS`] levels,
//! so that the best of all stands in one page, and a change rewrites one page per level at most: it stops where the best
//! of a page stays the same. Nothing here knows where pages are stored.

use codec::{Decode, Encode, MaxEncodedLen};
use ensemble_core::ModuleId;
use scale_info::TypeInfo;
use sp_runtime::{traits::Saturating, Permill};

/// Number of a seat in a ranking, counted up from 0.
pub type SeatNumber = u32;

/// Places of a page.
pub const FAN_OUT: u32 = 64;

/// Levels of pages.
pub const LEVELS: u8 = 3;

/// Seats of a ranking.
pub const SEATS: u32 = FAN_OUT.pow(LEVELS as u32);

/// What a validator is ranked by: the less, the better.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, Ord, PartialEq, PartialOrd, TypeInfo)]
pub struct Rank {
    /// The number of miners that it has.
    pub load: u32,
    /// What it lacks of being wholly reliable, in millionths.
    pub doubt: u32,
    /// The validator; of equals, the one that was registered first is better.
    pub module: ModuleId,
}

impl Rank {
    /// The rank of a validator.
    pub fn new(load: u32, reliability: Permill, module: ModuleId) -> Self {
        Self { load, doubt: Permill::one().saturating_sub(reliability).deconstruct(), module }
    }
}

/// One page of a ranking.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Page([Option<Rank>; FAN_OUT as usize]);

impl Default for Page {
    fn default() -> Self {
        Self([None; FAN_OUT as usize])
    }
}

impl Page {
    /// The best on the page.
    pub fn best(&self) -> Option<Rank> {
        self.0.iter().flatten().min().copied()
    }

    /// What stands in a place.
    pub fn get(&self, place: u32) -> Option<Rank> {
        usize::try_from(place).ok().and_then(|place| self.0.get(place).copied()).flatten()
    }

    /// Replaces what stands in a place.
    pub fn set(&mut self, place: u32, rank: Option<Rank>) {
        if let Some(entry) = usize::try_from(place).ok().and_then(|place| self.0.get_mut(place)) {
            *entry = rank;
        }
    }
}

/// Where the pages of a ranking are. Those that were never stored are empty.
pub trait Pages {
    /// The page with this number, on a level counted from the seats up.
    fn load(&self, level: u8, number: u32) -> Page;

    /// Replaces a page.
    fn store(&mut self, level: u8, number: u32, page: Page);
}

/// Puts a validator with room on its seat, or takes what is there away.
pub fn set(pages: &mut impl Pages, seat: SeatNumber, rank: Option<Rank>) {
    let (mut index, mut entry) = (seat, rank);
    for level in 0..LEVELS {
        let (number, place) = (index / FAN_OUT, index % FAN_OUT);
        let mut page = pages.load(level, number);
        let before = page.best();
        page.set(place, entry);
        let after = page.best();
        pages.store(level, number, page);
        if before == after {
            return;
        }
        (index, entry) = (number, after);
    }
}

/// The best of all.
pub fn best(pages: &impl Pages) -> Option<Rank> {
    pages.load(TOP, 0).best()
}

/// The best of all but some. It loads the highest page, and for each of those two more at most.
pub fn best_except(pages: &impl Pages, excluded: &[ModuleId]) -> Option<Rank> {
    best_below(pages, TOP, 0, excluded)
}

const TOP: u8 = LEVELS - 1;

fn best_below(pages: &impl Pages, level: u8, number: u32, excluded: &[ModuleId]) -> Option<Rank> {
    let page = pages.load(level, number);
    let mut best: Option<Rank> = None;
    for place in 0..FAN_OUT {
        let Some(first) = page.get(place) else { continue };
        if best.is_some_and(|best| best < first) {
            continue;
        }
        let found = match excluded.contains(&first.module) {
            false => Some(first),
            // The second best of that page is somewhere below.
            true => level.checked_sub(1).and_then(|below| {
                best_below(pages, below, number.saturating_mul(FAN_OUT).saturating_add(place), excluded)
            }),
        };
        best = best.into_iter().chain(found).min();
    }
    best
}
