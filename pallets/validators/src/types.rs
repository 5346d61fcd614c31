//! Records of the pallet, and the rules that follow from a record alone.

use alloc::vec::Vec;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use ensemble_core::{EraIndex, ModuleId};
use frame_support::BoundedVec;
use scale_info::TypeInfo;
use sp_runtime::{traits::Saturating, PerThing, Perbill};
use sp_staking::{
    offence::{Kind, Offence},
    SessionIndex,
};

use crate::Config;

/// An amount of the native token, in planck.
pub type Balance = u128;
/// A candidate of this runtime.
pub type CandidateOf<T> = Candidate<<T as frame_system::Config>::AccountId>;
/// The seats of an era of this runtime.
pub type SeatsOf<T> = BoundedVec<Seat<<T as frame_system::Config>::AccountId>, <T as Config>::MaxValidators>;
/// An offender as pallet-offences names it.
pub type OffenderOf<T> = (<T as frame_system::Config>::AccountId, ());

/// A module that stands.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Candidate<AccountId> {
    /// Its owner.
    pub validator: AccountId,
    /// What is staked on it, in planck.
    pub stake: Balance,
    /// The era in which it stood.
    pub stood: EraIndex,
}

/// A seat among the validators of an era.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Seat<AccountId> {
    /// Who has it.
    pub validator: AccountId,
    /// The module whose stake answers for it; none for a validator of genesis that does not stand.
    pub module: Option<ModuleId>,
    /// The part of that stake that was slashed for offences in this era.
    pub slashed: Perbill,
    /// Whether it committed an offence in this era.
    pub offended: bool,
}

impl<AccountId> Seat<AccountId> {
    /// A seat of somebody who did nothing wrong.
    pub fn new(validator: AccountId, module: Option<ModuleId>) -> Self {
        Self { validator, module, slashed: Perbill::zero(), offended: false }
    }

    /// Notes an offence. Gives the part of what is left that is to be slashed, so that of what was there before
    /// offences the largest part is gone that any of them names.
    pub fn offend(&mut self, part: Perbill) -> Perbill {
        self.offended = true;
        if part <= self.slashed {
            return Perbill::zero();
        }
        let (more, left) = (part.saturating_sub(self.slashed), self.slashed.left_from_one());
        self.slashed = part;
        Perbill::from_rational(more.deconstruct(), left.deconstruct())
    }
}

/// How long a validator has been silent.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Attendance<AccountId> {
    /// The validator.
    pub validator: AccountId,
    /// Whole sessions in a row, up to the last that ended, in which it authored no block.
    pub silent_sessions: u32,
    /// Its share of the blocks of those sessions since it was last reported, in thousandths of a block.
    pub share: u32,
}

/// Why a module stands no more.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub enum ChillReason {
    /// Its owner wished it.
    Asked,
    /// Its owner committed an offence.
    Offence,
    /// Less is staked on it than the chain asks of those who stand.
    StakeTooLow,
    /// It plays another part than that of a validator.
    RoleChanged,
    /// It has another owner.
    OwnerChanged,
    /// It was removed.
    Removed,
    /// Its owner had no session keys when it was to be elected.
    NoSessionKeys,
}

/// The offence of authoring no blocks.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Silence<Offender> {
    /// The last of the sessions without a block.
    pub session: SessionIndex,
    /// Number of validators in it.
    pub validators: u32,
    /// Those who were silent.
    pub offenders: Vec<Offender>,
}

/// What silence costs anybody.
const LEAST_FOR_SILENCE: Perbill = Perbill::from_parts(1_000_000);
/// What silence costs where so many are silent at once that it will not be by chance.
const MOST_FOR_SILENCE: Perbill = Perbill::from_percent(7);

impl<Offender: Clone> Offence<Offender> for Silence<Offender> {
    const ID: Kind = *b"ensemble:silence";
    type Slot = SessionIndex;

    fn offenders(&self) -> Vec<Offender> {
        self.offenders.clone()
    }

    fn session_index(&self) -> SessionIndex {
        self.session
    }

    fn validator_set_count(&self) -> u32 {
        self.validators
    }

    fn slot(&self) -> SessionIndex {
        self.session
    }

    /// A thousandth for up to a tenth of all and one more; beyond that it rises by three times the part that is silent,
    /// to 7 % where about four of ten are.
    fn slash_fraction(&self, offenders: u32) -> Perbill {
        let few = (self.validators / 10).saturating_add(1);
        let many = offenders.saturating_sub(few).saturating_mul(3).min(self.validators);
        let steep = Perbill::from_rational(many, self.validators.max(1));
        LEAST_FOR_SILENCE.max(steep.saturating_mul(MOST_FOR_SILENCE))
    }
}
