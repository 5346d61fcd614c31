//! The market: what other pallets tell it, what it asks of them and they of it, and what a buyer signs for its calls.

#![expect(clippy::multiple_bound_locations, reason = "the macro that declares the API bounds its parameters again")]

use alloc::{format, string::String, vec::Vec};

use codec::{Codec, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::{
    traits::{IdentifyAccount, Verify},
    Perbill, Permill,
};

use crate::{modules::Modules, AssetId, EpochIndex, ModelType, ModuleId, TaskId};

/// Number of a ticket, counted up from 0 and never used twice.
pub type TicketId = u64;

/// Who must hear of it when an epoch's score of a miner is settled.
pub trait OnScored {
    /// The validators of `epoch` found this score of a miner together. Epochs come in their order, and each miner once in
    /// each of them at most.
    fn on_scored(miner: ModuleId, epoch: EpochIndex, score: Permill);

    /// Makes hearing of a miner's next score as costly as it can be.
    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_scored_for_benchmark(_miner: ModuleId) {}
}

impl OnScored for () {
    fn on_scored(_: ModuleId, _: EpochIndex, _: Permill) {}
}

/// Who must hear of it when a miner begins or stops to take part.
pub trait OnMiner {
    /// A miner serves its type from now on, or does not: it joined or left, was switched on or off, was flagged or
    /// unflagged. One whose type changes stops and, unless its matches have to be undone first, begins again at once.
    fn on_miner_changed(miner: ModuleId, serving: bool);

    /// Makes hearing of a miner as costly as it can be.
    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_miner_for_benchmark(_miner: ModuleId) {}
}

impl OnMiner for () {
    fn on_miner_changed(_: ModuleId, _: bool) {}
}

/// Who knows which modules serve.
pub trait Serving {
    /// Whether a module is a miner and takes part: it is neither switched off nor flagged nor leaving.
    fn serving(module: ModuleId) -> bool;

    /// Makes a registered module a miner that takes part.
    #[cfg(feature = "runtime-benchmarks")]
    fn serve_for_benchmark(module: ModuleId);
}

/// What the market asks of the registry of modules, beside what others do.
pub trait ModuleNames<AccountId>: Modules<AccountId> {
    /// The name of a registered module; none if it was removed or never registered.
    fn name(module: ModuleId) -> Option<Vec<u8>>;

    /// The type of a registered module; none if it was removed or never registered.
    fn model_type(module: ModuleId) -> Option<ModelType> {
        Self::role(module).map(|(model_type, _)| model_type)
    }
}

/// What the exchange asks of the sale of contributions.
pub trait Sales<AccountId, BlockNumber> {
    /// The last block in which an account may read what won a task because it bought access; none if it did not, or that
    /// is over.
    fn access(task: TaskId, account: &AccountId) -> Option<BlockNumber>;

    /// Whether anybody can buy access to what won a task now.
    fn is_sold(task: TaskId) -> bool;
}

impl<AccountId, BlockNumber> Sales<AccountId, BlockNumber> for () {
    fn access(_: TaskId, _: &AccountId) -> Option<BlockNumber> {
        None
    }

    fn is_sold(_: TaskId) -> bool {
        false
    }
}

/// What a buyer signs for the calls that it makes: so many of its ticket are used.
///
/// Whoever serves keeps the receipt with the highest number of calls, and redeems it: it covers all before.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Receipt {
    /// The ticket.
    pub ticket: TicketId,
    /// How many of its calls are used, all before this one included.
    pub calls: u32,
    /// What the endpoint asked to be signed, so that the receipt is of no use at another one; zeros if it did not.
    pub challenge: H256,
}

impl Receipt {
    /// What is signed, as text that a wallet can show. `genesis` is the hash of the chain's first block.
    pub fn message(&self, genesis: H256) -> String {
        let Self { ticket, calls, challenge } = self;
        format!(
            "ensemble/ticket/v1\nTicket {ticket}\ncalls used {calls}\non chain {genesis:?}\nchallenge {challenge:?}"
        )
    }

    /// Whether `signer` signed it, as it is or in the frame that wallets put around what is not a transaction.
    pub fn is_signed<Signature: Verify>(
        &self,
        genesis: H256,
        signature: &Signature,
        signer: &<Signature::Signer as IdentifyAccount>::AccountId,
    ) -> bool {
        let message = self.message(genesis);
        let framed = format!("<Bytes>{message}</Bytes>");
        signature.verify(message.as_bytes(), signer) || signature.verify(framed.as_bytes(), signer)
    }
}

/// What an outsider may know of a ticket.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct TicketView<AccountId, BlockNumber> {
    /// Its number.
    pub id: TicketId,
    /// The module that it is for.
    pub module: ModuleId,
    /// Who bought it, and signs for its calls.
    pub buyer: AccountId,
    /// The calls that it was bought for.
    pub calls: u32,
    /// Those of them that were redeemed.
    pub redeemed: u32,
    /// The last block in which it can be used.
    pub until: BlockNumber,
    /// The last block in which its calls can be redeemed.
    pub redeemable_until: BlockNumber,
}

/// Days of which the market keeps figures, today included.
pub const DAYS_KEPT: u32 = 30;

/// A place in the order of a search; what stands behind it follows. Only of use to go on with a search.
pub type Cursor = [u8; 16];

/// How a buyer pays.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Way {
    /// It burns TUNE; nobody is paid.
    Burn,
    /// It pays TUNE to the module's owner.
    Tune,
    /// It pays this asset to the module's owner.
    Asset(AssetId),
}

/// A way in which a module can be paid, and what a call costs then.
#[derive(Clone, Copy, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Offer<Balance> {
    /// TUNE are burnt, as many as follow from the module's score and the intensity of a call.
    Burn,
    /// The owner is paid TUNE.
    Tune {
        /// For a call, in planck.
        price: Balance,
    },
    /// The owner is paid an asset.
    Asset {
        /// The asset.
        asset: AssetId,
        /// For a call, in the asset's smallest unit.
        price: Balance,
    },
}

impl<Balance> Offer<Balance> {
    /// How a buyer pays who takes it.
    pub fn way(&self) -> Way {
        match self {
            Self::Burn => Way::Burn,
            Self::Tune { .. } => Way::Tune,
            Self::Asset { asset, .. } => Way::Asset(*asset),
        }
    }
}

/// What something costs now.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Cost<Balance> {
    /// How it is paid.
    pub way: Way,
    /// The price, in planck or in the asset's smallest unit.
    pub price: Balance,
    /// What is burnt beside the price, in planck.
    pub toll: Balance,
}

/// What an outsider may know of a listing.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct ListingView<AccountId, Balance> {
    /// The module.
    pub module: ModuleId,
    /// Its name.
    pub name: Vec<u8>,
    /// The kind of model that it is.
    pub model_type: ModelType,
    /// Who owns it and is paid.
    pub owner: AccountId,
    /// Whether its calls can be bought now.
    pub listed: bool,
    /// Its last score.
    pub score: Option<Permill>,
    /// Whether it serves.
    pub serving: bool,
    /// What its owner says of it, in UTF-8.
    pub text: Vec<u8>,
    /// What a call takes, in thousandths of a plain one.
    pub intensity: u32,
    /// How it can be paid, and what one call costs.
    pub costs: Vec<Cost<Balance>>,
    /// Calls that were redeemed.
    pub calls: u64,
    /// Their intensity together, in thousandths of a plain call: what listings of one score are ordered by.
    pub usage: u64,
    /// What its buyers burnt, in planck.
    pub burnt: Balance,
}

/// A part of the answer to a search, best first.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Page<AccountId, Balance> {
    /// The listings found: none or few do not mean that there are no more.
    pub listings: Vec<ListingView<AccountId, Balance>>,
    /// What to ask to go on; none if that is all.
    pub next: Option<Cursor>,
}

/// What happened in a day of so many blocks.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Day<Balance> {
    /// Its number, counted from block 0.
    pub day: u32,
    /// What buyers burnt, in planck.
    pub burnt: Balance,
    /// Calls that were bought.
    pub sold: u64,
    /// Calls that were redeemed.
    pub calls: u64,
}

/// The market in figures.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Stats<Balance> {
    /// Listings that a search finds.
    pub listed: u32,
    /// Tickets that were ever bought.
    pub tickets: u64,
    /// Calls that were ever bought.
    pub sold: u64,
    /// Calls that were ever redeemed.
    pub calls: u64,
    /// Contributions to which access was ever bought, once for each buyer.
    pub accesses: u64,
    /// What buyers ever burnt, in planck.
    pub burnt: Balance,
    /// All TUNE that exist, in planck.
    pub supply: Balance,
    /// The part of both together that buyers burnt.
    pub burnt_part: Perbill,
    /// The latest days, oldest first. Of those between them in which nothing happened there is none.
    pub days: Vec<Day<Balance>>,
}

/// What an outsider may know of the sale of what won a task.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct SaleView<Balance> {
    /// The task.
    pub task: TaskId,
    /// What access costs now, in planck; none if the shareholders have not agreed on it.
    pub cost: Option<Cost<Balance>>,
    /// Shares that take part in the sale.
    pub shares: Balance,
    /// Accounts that own them.
    pub holders: u32,
    /// What they were not paid yet, in planck.
    pub owed: Balance,
}

/// What an outsider may know of a shareholder's part in a sale.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct StakeInSale<Balance> {
    /// Its shares that take part.
    pub shares: Balance,
    /// What it asks for access, in planck.
    pub ask: Balance,
    /// What it can claim, in planck.
    pub due: Balance,
}

sp_api::decl_runtime_apis! {
    /// What the chain says of the market.
    pub trait MarketApi<AccountId: Codec, Balance: Codec, BlockNumber: Codec> {
        /// Listings of this type, or of all, whose names and texts have all words of `text`: by score, then usage, both
        /// descending, then by the module's number; from `cursor` on, at most `limit` (and 50).
        fn search(
            model_type: Option<ModelType>,
            text: Vec<u8>,
            cursor: Option<Cursor>,
            limit: u32,
        ) -> Page<AccountId, Balance>;
        /// One listing, whether or not a search finds it.
        fn listing(module: ModuleId) -> Option<ListingView<AccountId, Balance>>;
        /// What calls of a module cost now; none if they cannot be bought, or not in this way.
        fn cost(module: ModuleId, calls: u32, way: Way) -> Option<Cost<Balance>>;
        /// One ticket, as long as it is kept.
        fn ticket(id: TicketId) -> Option<TicketView<AccountId, BlockNumber>>;
        /// The sale of what won a task; none if no shares take part.
        fn sale(task: TaskId) -> Option<SaleView<Balance>>;
        /// An account's part in the sale of what won a task.
        fn stake_in_sale(task: TaskId, account: AccountId) -> Option<StakeInSale<Balance>>;
        /// The market in figures.
        fn stats() -> Stats<Balance>;
    }
}

#[cfg(test)]
mod tests {
    use sp_core::{sr25519, Pair};
    use sp_runtime::{MultiSignature, MultiSigner};

    use super::*;

    const GENESIS: H256 = H256::repeat_byte(0xab);

    fn receipt() -> Receipt {
        Receipt { ticket: 17, calls: 42, challenge: H256::repeat_byte(1) }
    }

    #[test]
    fn a_wallet_shows_what_is_signed() {
        let expected = "ensemble/ticket/v1\nTicket 17\ncalls used 42\non chain \
                        0xabababababababababababababababababababababababababababababababab\nchallenge \
                        0x0101010101010101010101010101010101010101010101010101010101010101";
        assert_eq!(receipt().message(GENESIS), expected);
    }

    #[test]
    fn a_receipt_counts_as_it_was_signed_or_in_a_wallets_frame() {
        let (pair, _) = sr25519::Pair::generate();
        let account = MultiSigner::from(pair.public()).into_account();
        let sign = |text: String| MultiSignature::from(pair.sign(text.as_bytes()));
        let message = receipt().message(GENESIS);
        for text in [message.clone(), format!("<Bytes>{message}</Bytes>")] {
            assert!(receipt().is_signed(GENESIS, &sign(text), &account));
        }

        let signature = sign(message);
        let others = [
            Receipt { ticket: 18, ..receipt() },
            Receipt { calls: 43, ..receipt() },
            Receipt { challenge: H256::zero(), ..receipt() },
        ];
        for other in others {
            assert!(!other.is_signed(GENESIS, &signature, &account), "{other:?}");
        }
        assert!(!receipt().is_signed(H256::zero(), &signature, &account));
        let (stranger, _) = sr25519::Pair::generate();
        let stranger = MultiSigner::from(stranger.public()).into_account();
        assert!(!receipt().is_signed(GENESIS, &signature, &stranger));
    }
}
