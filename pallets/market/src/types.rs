//! Records of the pallet, and the rules that follow from a record alone.

use codec::{Decode, Encode, MaxEncodedLen};
use ensemble_core::{
    market::{Offer, Receipt, TicketId, Way},
    ModelType, ModuleId, TaskId,
};
use frame_support::{
    traits::fungible::{Credit, Inspect},
    BoundedVec,
};
use frame_system::pallet_prelude::BlockNumberFor;
use scale_info::TypeInfo;
use sp_core::U256;
use sp_runtime::Permill;

use crate::{rank::Rank, sharing::Income, words::Word, Config};

/// An amount of the native token, in planck; of an asset, in its smallest unit; or of shares.
pub type Balance = u128;
/// Money to be burnt, for [`Config::Burnt`].
pub type CreditOf<T> = Credit<<T as frame_system::Config>::AccountId, <T as Config>::Currency>;
/// The ways in which a module can be paid.
pub type OffersOf<T> = BoundedVec<Offer<Balance>, <T as Config>::MaxOffers>;
/// What an owner says of its module.
pub type TextOf<T> = BoundedVec<u8, <T as Config>::MaxTextBytes>;
/// The words by which a listing is found, in alphabetical order.
pub type WordsOf<T> = BoundedVec<Word, <T as Config>::MaxWords>;
/// The terms of a listing of this runtime.
pub type TermsOf<T> = Terms<OffersOf<T>, TextOf<T>>;
/// A listing of this runtime.
pub type ListingOf<T> = Listing<<T as frame_system::Config>::AccountId, TermsOf<T>, WordsOf<T>>;
/// A ticket of this runtime.
pub type TicketOf<T> = Ticket<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
/// What is redeemed at once: receipts, each with its buyer's signature.
pub type ReceiptsOf<T> = BoundedVec<(Receipt, <T as Config>::Signature), <T as Config>::MaxReceipts>;
/// What ends in this runtime.
pub type EndingOf<T> = Ending<<T as frame_system::Config>::AccountId>;
/// Access to a contribution in this runtime.
pub type AccessOf<T> = Access<BlockNumberFor<T>>;

/// The intensity of a plain call, in thousandths of which intensities are counted.
pub const PLAIN: u32 = 1_000;

/// The existential deposit.
pub(crate) fn existential_deposit<T: Config>() -> Balance {
    <T::Currency as Inspect<T::AccountId>>::minimum_balance()
}

/// On what terms an owner sells calls.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Terms<Offers, Text> {
    /// How it can be paid: at least one way, none twice.
    pub offers: Offers,
    /// What a call takes, in thousandths of a plain one; at least 1.
    pub intensity: u32,
    /// What it says of the module, in UTF-8.
    pub text: Text,
}

/// What was made of a listing.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Usage {
    /// Calls that were redeemed.
    pub calls: u64,
    /// Their intensity together, in thousandths of a plain call.
    pub intensity: u64,
    /// What buyers burnt, in planck.
    pub burnt: Balance,
}

impl Usage {
    /// Notes redeemed calls of this intensity each.
    pub fn add(&mut self, calls: u32, intensity: u32) {
        self.calls = self.calls.saturating_add(calls.into());
        let taken = u64::from(calls).saturating_mul(intensity.into());
        self.intensity = self.intensity.saturating_add(taken);
    }
}

/// Where a listing stands in the index.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Place {
    /// Its rank, the same on all shelves.
    pub rank: Rank,
    /// The type on whose shelf it stands.
    pub model_type: ModelType,
}

/// A module whose calls are for sale.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Listing<AccountId, Terms, Words> {
    /// From whom the deposit is held: who owned the module when its terms were last set.
    pub depositor: AccountId,
    /// What is held, in planck.
    pub deposit: Balance,
    /// On what terms.
    pub terms: Terms,
    /// The module's last score.
    pub score: Option<Permill>,
    /// Whether it serves.
    pub serving: bool,
    /// What was made of it.
    pub usage: Usage,
    /// The words by which it is found.
    pub words: Words,
    /// Where it stands in the index; nowhere while its calls are not for sale.
    pub place: Option<Place>,
    /// Whether its place may not be the one that it deserves, and is looked at soon.
    pub queued: bool,
}

impl<AccountId, Terms, Words> Listing<AccountId, Terms, Words> {
    /// The score by which its calls are for sale; none if they are not.
    pub fn merit(&self, least: Permill) -> Option<Permill> {
        self.score.filter(|score| self.serving && *score >= least)
    }
}

/// What stands on a shelf of the index, in the order of ranks.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Shelf {
    /// All listings.
    All,
    /// Those of a type.
    Type(ModelType),
    /// Those with a word.
    Word(Word),
}

/// The part of a queue that is in use.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Queue {
    /// The number of the first entry.
    pub first: u64,
    /// The number of the next one to come.
    pub end: u64,
}

/// The right to calls of a module.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Ticket<AccountId, BlockNumber> {
    /// Who bought it and signs for its calls.
    pub buyer: AccountId,
    /// The module.
    pub module: ModuleId,
    /// How many calls, at least 1.
    pub calls: u32,
    /// How many of them were redeemed.
    pub redeemed: u32,
    /// The intensity of each when they were bought, in thousandths of a plain call.
    pub intensity: u32,
    /// The last block in which it can be used.
    pub until: BlockNumber,
    /// What is held from the buyer until it ends, in planck.
    pub deposit: Balance,
}

/// When something ends, as a key: the block, and then a number that nothing else has. Keys stand in the order of time.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, Ord, PartialEq, PartialOrd, TypeInfo)]
pub struct EndKey([u8; 16]);

impl EndKey {
    /// The key of what ends in a block.
    pub fn new(block: u64, number: u64) -> Self {
        Self(((u128::from(block) << 64) | u128::from(number)).to_be_bytes())
    }

    /// The block.
    pub fn block(&self) -> u64 {
        u64::try_from(u128::from_be_bytes(self.0) >> 64).unwrap_or(u64::MAX)
    }
}

/// What ends.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Ending<AccountId> {
    /// A ticket: its calls cannot be redeemed any more.
    Ticket(TicketId),
    /// Access to what won a task.
    Access {
        /// The task.
        task: TaskId,
        /// Who bought it.
        buyer: AccountId,
    },
}

/// Access to a contribution.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Access<BlockNumber> {
    /// The last block of it.
    pub until: BlockNumber,
    /// What is held from the buyer until it ends, in planck.
    pub deposit: Balance,
}

/// The sale of a contribution.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Sale {
    /// What access costs, in planck; none before more than half of the shares that take part asked for the same.
    pub price: Option<Balance>,
    /// Shares that take part.
    pub shares: Balance,
    /// Accounts that own them.
    pub holders: u32,
    /// What they earned.
    pub income: Income,
}

/// An account's part in a sale.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Position {
    /// Its shares that take part. They cannot leave the account.
    pub shares: Balance,
    /// What it asks for access, in planck.
    pub ask: Balance,
    /// What a share had earned when it was last paid.
    pub since: U256,
}

/// The market in figures, since it began.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Totals {
    /// Listings in the index now.
    pub listed: u32,
    /// Tickets that were bought.
    pub tickets: u64,
    /// Calls that were bought.
    pub sold: u64,
    /// Calls that were redeemed.
    pub calls: u64,
    /// Contributions to which access was bought, once for each buyer.
    pub accesses: u64,
    /// What buyers burnt, in planck.
    pub burnt: Balance,
}

/// The offer that is paid in this way.
pub(crate) fn offer_in(offers: &[Offer<Balance>], way: Way) -> Option<&Offer<Balance>> {
    offers.iter().find(|offer| offer.way() == way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_stand_in_the_order_of_time() {
        let keys = [(1, 9), (2, 0), (2, 1), (256, 0), (u64::MAX, 0)];
        let ends = keys.map(|(block, number)| EndKey::new(block, number));
        assert!(ends.windows(2).all(|pair| pair[0] < pair[1] && pair[0].encode() < pair[1].encode()));
        assert_eq!(ends.map(|end| end.block()), keys.map(|(block, _)| block));
    }

    #[test]
    fn usage_never_overflows() {
        let mut usage = Usage { calls: u64::MAX - 1, intensity: u64::MAX - 1, burnt: 0 };
        usage.add(u32::MAX, u32::MAX);
        assert_eq!(usage, Usage { calls: u64::MAX, intensity: u64::MAX, burnt: 0 });
    }
}
