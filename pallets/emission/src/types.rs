//! Records of the pallet, and the rules that follow from a record alone.

#![expect(clippy::cast_possible_truncation, reason = "codec's derive numbers variants with `as u8`")]

use codec::{Decode, Encode, MaxEncodedLen};
use ensemble_core::{
    emission::{Allocation, Closed, Side, Split},
    epochs::EpochIndex,
    ModuleId,
};
use frame_support::traits::fungible::{Credit, Inspect};
use scale_info::TypeInfo;
use sp_runtime::Permill;

use crate::{schedule::share, Config};

/// An amount in planck.
pub type Balance = u128;
/// New money on its way, or old money on its way out.
pub type CreditOf<T> = Credit<<T as frame_system::Config>::AccountId, <T as Config>::Currency>;
/// What a module of this runtime earns by.
pub type EarnerOf<T> = Earner<<T as frame_system::Config>::AccountId>;

/// The existential deposit.
pub(crate) fn existential_deposit<T: Config>() -> Balance {
    <T::Currency as Inspect<T::AccountId>>::minimum_balance()
}

/// Weights of both sides: merits in millionths times planck.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Weights {
    /// For being scored.
    pub miner: u128,
    /// For scoring.
    pub validator: u128,
}

impl Weights {
    /// Both, with those of another.
    pub fn plus(self, other: Self) -> Self {
        Self {
            miner: self.miner.saturating_add(other.miner),
            validator: self.validator.saturating_add(other.validator),
        }
    }

    /// Both, without those of another.
    pub fn minus(self, other: Self) -> Self {
        Self {
            miner: self.miner.saturating_sub(other.miner),
            validator: self.validator.saturating_sub(other.validator),
        }
    }
}

/// The epoch in which modules earn.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct OpenEpoch {
    /// Its number.
    pub epoch: EpochIndex,
    /// Number of modules that earned.
    pub earners: u32,
    /// Sums of their weights.
    pub weights: Weights,
}

/// What an epoch brings, in planck.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Parts {
    /// To all miners together.
    pub miners: Balance,
    /// To all validators together.
    pub validators: Balance,
    /// To the treasury.
    pub treasury: Balance,
}

impl Parts {
    /// A reward divided by a split. What nobody earned is nobody's; what rounding leaves is the treasury's.
    pub fn of(reward: Balance, split: &Split, weights: &Weights) -> Self {
        let (miners, validators) = (split.miners.mul_floor(reward), split.validators.mul_floor(reward));
        Self {
            miners: if weights.miner > 0 { miners } else { 0 },
            validators: if weights.validator > 0 { validators } else { 0 },
            treasury: reward.saturating_sub(miners).saturating_sub(validators),
        }
    }

    /// What modules are owed.
    pub fn owed(&self) -> Balance {
        self.miners.saturating_add(self.validators)
    }

    /// All of it.
    pub fn total(&self) -> Balance {
        self.owed().saturating_add(self.treasury)
    }
}

/// An epoch that is over.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Period {
    /// What it brought.
    pub parts: Parts,
    /// Sums of the weights of all modules that earned in it.
    pub weights: Weights,
    /// Number of those modules.
    pub earners: u32,
    /// What they were not paid yet, with what rounding leaves, in planck.
    pub owed: Balance,
}

impl Period {
    /// An open epoch that brings this when it closes.
    pub fn new(open: &OpenEpoch, parts: Parts) -> Self {
        Self { parts, weights: open.weights, earners: open.earners, owed: parts.owed() }
    }

    /// What a module gets of it, rounded down. What it forfeited afterwards is still counted, as not paid: it is
    /// nobody else's, so that allocations add up all the same.
    pub fn allocation<AccountId>(
        &self,
        epoch: EpochIndex,
        module: ModuleId,
        earner: &Earner<AccountId>,
    ) -> Allocation<Balance> {
        let weights = earner.weights();
        Allocation {
            epoch,
            module,
            miner: share(self.parts.miners, weights.miner, self.weights.miner),
            validator: share(self.parts.validators, weights.validator, self.weights.validator),
            paid: earner.payout == Payout::Done,
        }
    }

    /// What a module gets of it on both sides, in planck.
    pub fn amount<AccountId>(&self, earner: &Earner<AccountId>) -> Balance {
        let allocation = self.allocation(0, 0, earner);
        allocation.miner.saturating_add(allocation.validator)
    }

    /// What a module was not paid yet and can still be, in planck.
    pub fn unpaid<AccountId>(&self, earner: &Earner<AccountId>) -> Balance {
        match earner.payout {
            Payout::Pending => self.amount(earner),
            Payout::OwnerPending(rest) => rest,
            Payout::Done | Payout::Forfeited(_) => 0,
        }
    }

    /// What an outsider may know of it.
    pub fn view(&self, epoch: EpochIndex) -> Closed<Balance> {
        Closed {
            epoch,
            miners: self.parts.miners,
            validators: self.parts.validators,
            treasury: self.parts.treasury,
            miner_weights: self.weights.miner,
            validator_weights: self.weights.validator,
        }
    }
}

/// How far the payout of what a module earned has come.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Payout {
    /// Nothing was paid.
    #[default]
    Pending,
    /// The stakers have theirs. The owner could not receive this much, in planck.
    OwnerPending(Balance),
    /// Everybody has theirs.
    Done,
    /// So much, in planck, was not paid and never will be, because of a fault found when the epoch was over.
    Forfeited(Balance),
}

/// What a module earns by in an epoch.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Earner<AccountId> {
    /// Who owned it when it last earned.
    pub owner: AccountId,
    /// What was staked on it all through the epoch until then, in planck.
    pub staked: Balance,
    /// Its deposit then, in planck.
    pub deposit: Balance,
    /// Its merit as a miner.
    pub miner: Permill,
    /// Its merit as a validator.
    pub validator: Permill,
    /// Whether it earns nothing in this epoch, whatever its merits.
    pub forfeited: bool,
    /// How much of it was paid.
    pub payout: Payout,
}

impl<AccountId> Earner<AccountId> {
    /// A module that earned nothing so far.
    pub fn new(owner: AccountId) -> Self {
        Self {
            owner,
            staked: 0,
            deposit: 0,
            miner: Permill::zero(),
            validator: Permill::zero(),
            forfeited: false,
            payout: Payout::Pending,
        }
    }

    /// Whether it may earn on a side: not if it earns on the other, or its money would count twice.
    pub fn may_earn(&self, side: Side) -> bool {
        match side {
            Side::Miner => self.validator.is_zero(),
            Side::Validator => self.miner.is_zero(),
        }
    }

    /// Replaces its merit on a side.
    pub fn set(&mut self, side: Side, merit: Permill) {
        match side {
            Side::Miner => self.miner = merit,
            Side::Validator => self.validator = merit,
        }
    }

    /// What it is weighed by, in planck.
    fn money(&self) -> Balance {
        self.staked.saturating_add(self.deposit)
    }

    /// Its weights.
    pub fn weights(&self) -> Weights {
        if self.forfeited {
            return Weights::default();
        }
        let weight = |merit: Permill| self.money().saturating_mul(merit.deconstruct().into());
        Weights { miner: weight(self.miner), validator: weight(self.validator) }
    }

    /// The owner's part of what it got, in planck, rounded down: that of the deposit.
    pub fn owners_part(&self, amount: Balance) -> Balance {
        share(amount, self.deposit, self.money())
    }
}

/// A place in the list of all that modules earned, epoch after epoch.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Cursor {
    /// The epoch.
    pub epoch: EpochIndex,
    /// The place in its list.
    pub place: u32,
}

impl Cursor {
    /// Goes to the next place of the epoch.
    pub fn next_place(&mut self) {
        self.place = self.place.saturating_add(1);
    }

    /// Goes to the first place of the next epoch.
    pub fn next_epoch(&mut self) {
        *self = Self { epoch: self.epoch.saturating_add(1), place: 0 };
    }
}
