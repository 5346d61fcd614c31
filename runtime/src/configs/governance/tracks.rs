//! The tracks of referenda: what each may do, what it costs to ask, how long it takes and how many must agree.
//!
//! A referendum is prepared, decided on, confirmed and enacted. It passes when for the time of confirmation both hold:
//! the ayes are the needed part of all votes (approval), and the TUNE of the ayes is the needed part of all TUNE
//! (support). Both needs fall with time, to a floor.

use alloc::borrow::Cow;

use frame_system::RawOrigin;
use pallet_referenda::{Curve, Track, TrackInfo, TracksInfo};
use sp_runtime::{str_array, Perbill};

use super::origins::{blocks_of, Day, Origin};
use crate::{Balance, BlockNumber, OriginCaller, Runtime, TUNE};

/// Number of a track.
pub type TrackId = u16;

const ROOT: TrackId = 0;
const PARAMETERS: TrackId = 1;
const REGISTRY: TrackId = 2;
const SLASHER: TrackId = 3;
const BIG_SPENDER: TrackId = 4;
const SMALL_SPENDER: TrackId = 5;
const CANCELLER: TrackId = 6;
const KILLER: TrackId = 7;

/// A track whose times are in hours.
struct Plan {
    id: TrackId,
    name: &'static str,
    /// Referenda that are decided on at one time; others queue.
    max_deciding: u32,
    /// Deposit for a decision, in TUNE.
    deposit: Balance,
    /// Hours before a decision begins, of a decision, of its confirmation, and before it is enacted.
    hours: [u32; 4],
    /// Part of the votes that must be ayes in the end. In the beginning it is all.
    approval: Perbill,
    /// Part of all TUNE that must say aye in the beginning, and in the end.
    support: (Perbill, Perbill),
}

const fn per_mille(parts: u32) -> Perbill {
    Perbill::from_parts(parts * 1_000_000)
}

/// All tracks, by their numbers.
static PLANS: [Plan; 8] = [
    Plan {
        id: ROOT,
        name: "root",
        max_deciding: 1,
        deposit: 10_000,
        hours: [24, 14 * 24, 48, 48],
        approval: per_mille(600),
        support: (per_mille(500), per_mille(50)),
    },
    Plan {
        id: PARAMETERS,
        name: "parameters",
        max_deciding: 5,
        deposit: 2_000,
        hours: [24, 14 * 24, 24, 24],
        approval: per_mille(500),
        support: (per_mille(250), per_mille(10)),
    },
    Plan {
        id: REGISTRY,
        name: "registry",
        max_deciding: 10,
        deposit: 1_000,
        hours: [12, 7 * 24, 12, 12],
        approval: per_mille(500),
        support: (per_mille(100), per_mille(5)),
    },
    Plan {
        id: SLASHER,
        name: "slasher",
        max_deciding: 5,
        deposit: 2_000,
        hours: [12, 7 * 24, 24, 24],
        approval: per_mille(600),
        support: (per_mille(250), per_mille(20)),
    },
    Plan {
        id: BIG_SPENDER,
        name: "big_spender",
        max_deciding: 5,
        deposit: 2_000,
        hours: [24, 14 * 24, 48, 24],
        approval: per_mille(500),
        support: (per_mille(250), per_mille(20)),
    },
    Plan {
        id: SMALL_SPENDER,
        name: "small_spender",
        max_deciding: 20,
        deposit: 500,
        hours: [12, 7 * 24, 24, 12],
        approval: per_mille(500),
        support: (per_mille(100), per_mille(5)),
    },
    Plan {
        id: CANCELLER,
        name: "canceller",
        max_deciding: 20,
        deposit: 1_000,
        hours: [2, 7 * 24, 3, 1],
        approval: per_mille(500),
        support: (per_mille(200), per_mille(10)),
    },
    Plan {
        id: KILLER,
        name: "killer",
        max_deciding: 20,
        deposit: 5_000,
        hours: [2, 14 * 24, 3, 1],
        approval: per_mille(600),
        support: (per_mille(300), per_mille(20)),
    },
];

impl Plan {
    /// The track where a day has so many blocks.
    fn track(&self, day: BlockNumber) -> Track<TrackId, Balance, BlockNumber> {
        let [prepare, decide, confirm, enact] = self.hours.map(|hours| blocks_of(hours, day));
        let falling = |ceil, floor| Curve::LinearDecreasing { length: Perbill::one(), floor, ceil };
        let info = TrackInfo {
            name: str_array(self.name),
            max_deciding: self.max_deciding,
            decision_deposit: self.deposit.saturating_mul(TUNE),
            prepare_period: prepare,
            decision_period: decide,
            confirm_period: confirm,
            min_enactment_period: enact,
            min_approval: falling(Perbill::one(), self.approval),
            min_support: falling(self.support.0, self.support.1),
        };
        Track { id: self.id, info }
    }
}

/// The tracks as the pallet of referenda asks for them.
pub struct Tracks;

impl TracksInfo<Balance, BlockNumber> for Tracks {
    type Id = TrackId;
    type RuntimeOrigin = OriginCaller;

    fn tracks() -> impl Iterator<Item = Cow<'static, Track<TrackId, Balance, BlockNumber>>> {
        let day = Day::<Runtime>::get();
        PLANS.iter().map(move |plan| Cow::Owned(plan.track(day)))
    }

    /// Reads no state: the size of records depends on the number of tracks.
    fn track_ids() -> impl Iterator<Item = TrackId> {
        PLANS.iter().map(|plan| plan.id)
    }

    fn track_for(origin: &OriginCaller) -> Result<TrackId, ()> {
        match origin {
            OriginCaller::system(RawOrigin::Root) => Ok(ROOT),
            OriginCaller::Origins(granted) => Ok(track_of(*granted)),
            _ => Err(()),
        }
    }

    fn info(id: TrackId) -> Option<Cow<'static, TrackInfo<Balance, BlockNumber>>> {
        let plan = PLANS.iter().find(|plan| plan.id == id)?;
        Some(Cow::Owned(plan.track(Day::<Runtime>::get()).info))
    }
}

fn track_of(origin: Origin) -> TrackId {
    match origin {
        Origin::Parameters => PARAMETERS,
        Origin::Registry => REGISTRY,
        Origin::Slasher => SLASHER,
        Origin::BigSpender => BIG_SPENDER,
        Origin::SmallSpender => SMALL_SPENDER,
        Origin::Canceller => CANCELLER,
        Origin::Killer => KILLER,
    }
}
