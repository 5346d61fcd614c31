//! The market: modules sell their calls, and shareholders access to restricted contributions.
//!
//! # The life of a listing
//!
//! The owner of a module **lists** it, for a deposit: how it can be paid and what a call costs in each way, how much a
//! call takes (its intensity), and a text. The listing is there from then on, but it appears in the index, and its
//! calls can be bought, only while the module serves and its last score is [`Config::MinScore`] or better. Nobody has to
//! do anything for that: matching and scores tell the market. The owner **updates** or **unlists** it. It goes with its
//! module.
//!
//! Buyers pay whoever owns the module at the time. The deposit stays with whoever paid it, when the module goes to
//! somebody else, until the new owner updates the listing, which takes the deposit over, or one of the two unlists it.
//!
//! # Search
//!
//! The [`Index`] has a shelf for all listings, one for each type and one for each word ([`words`]). On each of them
//! listings stand in the order of their [`rank`]: by score, then usage, then number. A listing has the same rank on all
//! shelves, so that a search for a type and several words goes down all of these shelves at once, and jumps on each to
//! where the others are. It stops after a number of jumps and says where to go on. So a page costs the same whether
//! there are a hundred listings or a million.
//!
//! What changes a rank only notes the listing in a queue: hearing of a score, or redeeming calls, is a few writes,
//! however many words a listing has. [`Hooks::on_idle`] brings listings to their places. What the index does not know
//! yet the listing does, so that nothing is sold, and nothing found, that is not for sale.
//!
//! # Tickets
//!
//! A buyer **buys** calls for a number of blocks, by one of the ways that the owner offers, and says what it pays at
//! most. [`price`] has the formulas. What it pays goes straight to the owner or is burnt, in the same call; nothing
//! passes through this pallet. There is no refund: calls that are not used are the buyer's loss, as is a module that
//! goes away.
//!
//! For each call the buyer signs how many calls of the ticket are used so far (`ensemble_core::market::Receipt`). The
//! endpoint keeps the last receipt and anyone **redeems** it: only redeemed calls count as usage, and only what is new
//! of them. That is possible for [`Config::RedeemPeriod`] blocks after the ticket's last one. Then the ticket is removed
//! and the deposit for its record returned.
//!
//! Usage is worth something, because listings of one score are ordered by it. An owner that buys from itself is
//! refused; one that does it under another name pays the toll, which is burnt.
//!
//! # Contributions
//!
//! What won a restricted task may be sold by those who own shares of it. A shareholder **offers** it: it says how many
//! of its shares take part and what it asks for access. These shares cannot leave its account while they take part
//! (the pallet is the `Freezer` of pallet-assets), so that they stay its own in every other respect. Access costs what
//! owners of more than half of the shares that take part asked for. Whoever **buys** it may read the content for
//! [`Config::AccessPeriod`] blocks. The price is paid to all shares that take part with one write ([`sharing`]), and
//! everybody **claims** its part when it likes.
//!
//! Only shares that take part are paid. The chain does not hear of transfers of others, and could not say who owned
//! them when something was sold. Taking part costs nothing, and can be ended at any time.
//!
//! # Money
//!
//! The keyless account of [`Config::PalletId`] holds what shareholders did not claim yet, and nothing else. Its
//! existential deposit comes from the first one to offer a contribution.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod buy;
mod figures;
mod funds;
mod idle;
mod index;
mod integrity;
mod listing;
#[cfg(test)]
mod mock;
mod neighbours;
pub mod price;
pub mod rank;
mod redeem;
mod sales;
pub mod sharing;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
pub mod types;
mod view;
pub mod weights;
pub mod words;

pub use pallet::*;
pub use price::Tariff;
pub(crate) use types::existential_deposit;
pub use types::{
    Access, AccessOf, Balance, CreditOf, EndKey, Ending, EndingOf, Listing, ListingOf, OffersOf, Place, Position,
    Queue, ReceiptsOf, Sale, Shelf, Terms, TermsOf, TextOf, Ticket, TicketOf, Totals, Usage, WordsOf,
};
pub use weights::WeightInfo;

use alloc::vec::Vec;

use ensemble_core::{
    exchange::Contributions,
    market::{Day, ModuleNames, Offer, Serving, TicketId, Way},
    scores::Scores,
    AssetId, ModuleId, TaskId,
};
use frame_support::{
    pallet_prelude::*,
    traits::{fungible, fungibles, OnUnbalanced},
    PalletId,
};
use frame_system::pallet_prelude::*;
use rank::Rank;
use sp_core::H256;
use sp_runtime::{
    traits::{IdentifyAccount, Verify},
    FixedU128, Permill,
};

/// Target of this pallet's log lines.
pub(crate) const LOG: &str = "runtime::market";

#[expect(clippy::cast_possible_truncation, reason = "FRAME's macros number variants with `as u8`")]
#[frame_support::pallet]
pub mod pallet {
    use super::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>, Hash = H256> {
        /// The runtime's reasons for holds.
        type RuntimeHoldReason: From<HoldReason>;

        /// The native token.
        type Currency: fungible::Mutate<Self::AccountId, Balance = Balance>
            + fungible::Balanced<Self::AccountId>
            + fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + fungible::BalancedHold<Self::AccountId>;

        /// Assets in which owners are paid, and shares of contributions. This pallet must be what freezes them.
        type Assets: fungibles::Mutate<Self::AccountId, AssetId = AssetId, Balance = Balance>;

        /// The registry of modules. It must tell this pallet of removals, as `OnModuleRemoved`.
        type Modules: ModuleNames<Self::AccountId>;

        /// What validators find of miners. They must tell this pallet of it, as `OnScored`.
        type Scores: Scores;

        /// Which miners serve. It must tell this pallet of changes, as `OnMiner`.
        type Serving: Serving;

        /// Knows what won which task.
        type Contributions: Contributions<Self::AccountId>;

        /// Receives what is burnt. Dropping it burns it.
        type Burnt: OnUnbalanced<CreditOf<Self>>;

        /// How buyers sign for calls.
        type Signature: Parameter + Verify<Signer: IdentifyAccount<AccountId = Self::AccountId>>;

        /// Its keyless account holds what is paid for contributions until it is claimed.
        #[pallet::constant]
        type PalletId: Get<PalletId>;

        /// What a plain call of a module without merit burns, in planck.
        type BurnBase: Get<Balance>;

        /// By how much more a call burns of a module with a score of one, as a part of [`Config::BurnBase`].
        type BurnFactor: Get<FixedU128>;

        /// The part that is burnt where somebody is paid.
        type Toll: Get<Permill>;

        /// The score from which on calls of a module are for sale.
        type MinScore: Get<Permill>;

        /// Held from a module's owner while it is listed, in planck; at least the existential deposit.
        #[pallet::constant]
        type ListingDeposit: Get<Balance>;

        /// Held from a buyer until its ticket ends, in planck; at least the existential deposit.
        #[pallet::constant]
        type TicketDeposit: Get<Balance>;

        /// Held from a buyer until its access to a contribution ends, in planck; at least the existential deposit.
        #[pallet::constant]
        type AccessDeposit: Get<Balance>;

        /// Most ways in which a module can be paid.
        #[pallet::constant]
        type MaxOffers: Get<u32>;

        /// Most bytes of a listing's text.
        #[pallet::constant]
        type MaxTextBytes: Get<u32>;

        /// Most different words of a module's name and its listing's text together; at least 16, which a name can have.
        #[pallet::constant]
        type MaxWords: Get<u32>;

        /// Most receipts that are redeemed at once.
        #[pallet::constant]
        type MaxReceipts: Get<u32>;

        /// Most blocks for which a ticket is good.
        #[pallet::constant]
        type MaxValidity: Get<BlockNumberFor<Self>>;

        /// Blocks after a ticket's last one in which its calls can still be redeemed.
        #[pallet::constant]
        type RedeemPeriod: Get<BlockNumberFor<Self>>;

        /// Blocks for which access to a contribution is bought; at least 1.
        #[pallet::constant]
        type AccessPeriod: Get<BlockNumberFor<Self>>;

        /// Blocks of a day, by which figures are kept; at least 1.
        #[pallet::constant]
        type DayLength: Get<BlockNumberFor<Self>>;

        /// Weights of the calls and of what blocks do. What others tell this pallet is measured as a part of theirs.
        type WeightInfo: WeightInfo;

        /// What benchmarks need of the runtime.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: benchmarking::BenchmarkHelper<Self::AccountId, Self::Signature>;
    }

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The deposit for a listing.
        Listing,
        /// The deposits for tickets.
        Ticket,
        /// The deposits for access to contributions.
        Access,
        /// What was paid for contributions and not claimed yet, in the pallet's account.
        Sales,
    }

    /// The listings, whether or not they are in the index.
    #[pallet::storage]
    pub type Listings<T: Config> = StorageMap<_, Twox64Concat, ModuleId, ListingOf<T>>;

    /// Where to find listings: on each shelf in the order of their ranks.
    #[pallet::storage]
    pub type Index<T: Config> = StorageDoubleMap<_, Blake2_128Concat, Shelf, Identity, Rank, ()>;

    /// Modules whose listings may not be where they should be in the index, by their place in the queue.
    #[pallet::storage]
    pub type Refreshes<T: Config> = StorageMap<_, Twox64Concat, u64, ModuleId>;

    /// The part of the queue that is in use.
    #[pallet::storage]
    pub type RefreshQueue<T: Config> = StorageValue<_, Queue, ValueQuery>;

    /// The number of the next ticket.
    #[pallet::storage]
    pub type NextTicketId<T: Config> = StorageValue<_, TicketId, ValueQuery>;

    /// The tickets whose calls can still be redeemed.
    #[pallet::storage]
    pub type Tickets<T: Config> = StorageMap<_, Twox64Concat, TicketId, TicketOf<T>>;

    /// What ends when, in the order of time.
    #[pallet::storage]
    pub type Ends<T: Config> = StorageMap<_, Identity, EndKey, EndingOf<T>>;

    /// The number of the next thing that ends.
    #[pallet::storage]
    pub type NextEnd<T: Config> = StorageValue<_, u64, ValueQuery>;

    /// The sales of what won tasks, of which shares take part.
    #[pallet::storage]
    pub type Sales<T: Config> = StorageMap<_, Twox64Concat, TaskId, Sale>;

    /// What shareholders have in sales, by the class of the shares.
    #[pallet::storage]
    pub type Positions<T: Config> =
        StorageDoubleMap<_, Twox64Concat, AssetId, Blake2_128Concat, T::AccountId, Position>;

    /// How many shares in a sale ask for a price.
    #[pallet::storage]
    pub type Asks<T: Config> =
        StorageDoubleMap<_, Twox64Concat, TaskId, Blake2_128Concat, Balance, Balance, ValueQuery>;

    /// Who bought access to what won a task.
    #[pallet::storage]
    pub type Accesses<T: Config> =
        StorageDoubleMap<_, Twox64Concat, TaskId, Blake2_128Concat, T::AccountId, AccessOf<T>>;

    /// The market in figures.
    #[pallet::storage]
    pub type CurrentTotals<T: Config> = StorageValue<_, Totals, ValueQuery>;

    /// The latest days in figures, each at the place of its number modulo the days that are kept.
    #[pallet::storage]
    pub type Days<T: Config> = StorageMap<_, Twox64Concat, u32, Day<Balance>>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A module was listed, for a deposit.
        ModuleListed { module: ModuleId, owner: T::AccountId, deposit: Balance },
        /// The terms of a listing are others. Its deposit is now held from the module's owner.
        ListingUpdated { module: ModuleId, owner: T::AccountId, deposit: Balance },
        /// A listing is gone, and its deposit returned.
        ModuleUnlisted { module: ModuleId, depositor: T::AccountId, deposit: Balance },
        /// A search finds a listing from now on.
        Appeared { module: ModuleId },
        /// A search does not find a listing any more.
        Disappeared { module: ModuleId },
        /// Calls of a module were bought. The owner was paid `price`, or it was burnt; the toll was burnt as well.
        TicketBought {
            ticket: TicketId,
            module: ModuleId,
            buyer: T::AccountId,
            owner: T::AccountId,
            calls: u32,
            way: Way,
            price: Balance,
            toll: Balance,
            until: BlockNumberFor<T>,
        },
        /// `calls` more of a ticket were redeemed, `redeemed` in all.
        Redeemed { ticket: TicketId, module: ModuleId, calls: u32, redeemed: u32 },
        /// A ticket is gone, and its deposit returned.
        TicketEnded { ticket: TicketId, buyer: T::AccountId, deposit: Balance },
        /// So many shares of an account take part in the sale of what won a task, none any more if it is zero. Access
        /// costs `price` now, if it can be bought.
        ContributionOffered { task: TaskId, who: T::AccountId, shares: Balance, ask: Balance, price: Option<Balance> },
        /// Access to what won a task was bought. Its shareholders were paid `price`; the toll was burnt.
        AccessBought { task: TaskId, buyer: T::AccountId, price: Balance, toll: Balance, until: BlockNumberFor<T> },
        /// A shareholder was paid what its shares earned.
        SalesClaimed { task: TaskId, who: T::AccountId, amount: Balance },
        /// Access to what won a task is over, and its deposit returned.
        AccessEnded { task: TaskId, buyer: T::AccountId, deposit: Balance },
        /// A deposit could not be returned, because the account cannot own so little. It was burnt.
        DepositBurnt { who: T::AccountId, amount: Balance },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// There is no such module, or it was removed.
        UnknownModule,
        /// Only the module's owner may do this.
        NotOwner,
        /// The module is listed. Update the listing instead.
        AlreadyListed,
        /// The module is not listed, or its calls are not for sale now: it does not serve, or its score is too low.
        NotListed,
        /// A listing needs at least one way to be paid.
        NoOffers,
        /// The listing has more ways to be paid than the chain allows.
        TooManyOffers,
        /// A way to be paid is named twice.
        DuplicateOffer,
        /// A call must cost something.
        ZeroPrice,
        /// There is no such asset.
        UnknownAsset,
        /// The intensity of a call must be at least a thousandth.
        ZeroIntensity,
        /// The text has more bytes than the chain allows.
        TextTooLong,
        /// The text is not UTF-8.
        TextNotUtf8,
        /// The text has characters that control instead of being read.
        TextControl,
        /// The module's name and the text have more different words than the chain allows.
        TooManyWords,
        /// A ticket is for at least one call.
        ZeroCalls,
        /// A ticket must be good for at least one block, and for no more than the chain allows.
        BadValidity,
        /// The owner of a module cannot buy its calls.
        OwnListing,
        /// The module cannot be paid in this way. Its listing says in which it can.
        WrongWay,
        /// It costs more than the caller is willing to pay.
        Underpaid,
        /// The toll is higher than the caller is willing to pay.
        TollAboveMax,
        /// The account's free balance does not cover price, toll or deposit.
        CannotPay,
        /// The account that is to be paid cannot receive so little, or not this asset.
        CannotReceive,
        /// There is no such ticket, or it is over since long.
        UnknownTicket,
        /// The ticket is over, and the time to redeem its calls as well.
        TicketOver,
        /// The receipt is for more calls than were bought.
        MoreThanBought,
        /// The buyer of the ticket did not sign this receipt.
        BadSignature,
        /// All calls on these receipts were redeemed before.
        NothingNew,
        /// Nothing has won this task.
        NothingWon,
        /// What won this task is public, so that nobody would pay for it.
        NotRestricted,
        /// The account has fewer shares than that.
        NotEnoughShares,
        /// No shares of the account take part in this sale.
        NotOffering,
        /// Access to this is not for sale: no shares take part, or their owners do not agree on a price.
        NotForSale,
        /// Whoever owns shares of this may read it.
        OwnContribution,
        /// The account has bought access to this, and it is not over.
        AlreadyBought,
        /// The sale cannot take in so much.
        SaleFull,
        /// The account's shares earned nothing since it was last paid.
        NothingDue,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(now: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::work_off(now, remaining)
        }

        fn integrity_test() {
            Self::check_constants();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Lists a module, for a deposit; for its owner. `intensity` is what a call takes, in thousandths of a plain
        /// one.
        #[pallet::call_index(0)]
        pub fn list(
            origin: OriginFor<T>,
            module: ModuleId,
            offers: Vec<Offer<Balance>>,
            intensity: u32,
            text: Vec<u8>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_list(who, module, offers, intensity, text)
        }

        /// Changes the terms of a listing; for the module's owner, from whom the deposit is held from then on.
        #[pallet::call_index(1)]
        pub fn update_listing(
            origin: OriginFor<T>,
            module: ModuleId,
            offers: Vec<Offer<Balance>>,
            intensity: u32,
            text: Vec<u8>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_update_listing(who, module, offers, intensity, text)
        }

        /// Removes a listing and returns its deposit; for the module's owner, and for whoever paid the deposit. Tickets
        /// stay good.
        #[pallet::call_index(2)]
        pub fn unlist(origin: OriginFor<T>, module: ModuleId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_unlist(who, module)
        }

        /// Buys `calls` of a module for so many blocks, paid in one of the ways that its owner offers.
        ///
        /// Nothing is bought if all calls together cost more than `max_price`, in planck or in the asset's smallest
        /// unit, or the toll is above `max_toll`, in planck.
        #[pallet::call_index(3)]
        pub fn buy(
            origin: OriginFor<T>,
            module: ModuleId,
            calls: u32,
            way: Way,
            max_price: Balance,
            max_toll: Balance,
            validity: BlockNumberFor<T>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_buy(who, module, calls, way, buy::Limits { max_price, max_toll }, validity)
        }

        /// Redeems calls for which their buyers signed; for anyone.
        ///
        /// A receipt covers all calls up to its number; what of it is redeemed already is passed over. If anything else
        /// is wrong with one receipt, none is redeemed.
        #[pallet::call_index(4)]
        #[pallet::weight(<T as Config>::WeightInfo::redeem(u32::try_from(receipts.len()).unwrap_or(u32::MAX)))]
        pub fn redeem(origin: OriginFor<T>, receipts: ReceiptsOf<T>) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_redeem(receipts)
        }

        /// Has so many of the caller's shares, in all, take part in the sale of what won a task, and asks this price, in
        /// planck, for access; with zero shares it leaves. What its shares earned is paid out.
        #[pallet::call_index(5)]
        pub fn offer_contribution(origin: OriginFor<T>, task: TaskId, shares: Balance, ask: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_offer_contribution(who, task, shares, ask)
        }

        /// Buys access to what won a task. Nothing is bought if it costs more than `max_price`, in planck, the toll not
        /// counted.
        #[pallet::call_index(6)]
        pub fn buy_contribution(origin: OriginFor<T>, task: TaskId, max_price: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_buy_contribution(who, task, max_price)
        }

        /// Pays out what the caller's shares earned by the sale of what won a task.
        #[pallet::call_index(7)]
        pub fn claim_sales(origin: OriginFor<T>, task: TaskId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_claim_sales(who, task)
        }
    }
}
