//! What outsiders may ask: the answers of the runtime API `MarketApi`. Never called while a block is made.

use alloc::vec::Vec;

use ensemble_core::{
    market::{Cost, Cursor, ListingView, ModuleNames, Page, SaleView, StakeInSale, Stats, TicketId, TicketView, Way},
    modules::Modules,
    AssetId, ModelType, ModuleId, TaskId,
};
use frame_support::traits::{fungible::Inspect, Get};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::Perbill;

use crate::{
    rank::Rank, words::words, Balance, Config, CurrentTotals, Listings, Pallet, Positions, Sales, Shelf, Tickets,
};

/// Most listings of an answer.
const MAX_ENTRIES: u32 = 50;
/// Most looks at shelves for an answer.
const MAX_LOOKS: u32 = 1_000;
/// Most bytes of a text that is looked for.
const MAX_QUERY_BYTES: usize = 1_024;

type ListingViewOf<T> = ListingView<<T as frame_system::Config>::AccountId, Balance>;
type PageOf<T> = Page<<T as frame_system::Config>::AccountId, Balance>;
type TicketViewOf<T> = TicketView<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

impl<T: Config> Pallet<T> {
    /// Listings of this type, or of all, whose names and texts have all words of `text`, in the order of their ranks,
    /// from `cursor` on, at most `limit` (and 50).
    ///
    /// At most 1,000 looks are taken, so that an answer may have fewer listings, and still not be the last.
    pub fn search(model_type: Option<ModelType>, text: &[u8], cursor: Option<Cursor>, limit: u32) -> PageOf<T> {
        let mut listings = Vec::new();
        // No listing has more words, and hardly one so long a name and text.
        let short = Some(text).filter(|text| text.len() <= MAX_QUERY_BYTES);
        let Some(words) = short.and_then(|text| words([text], T::MaxWords::get())) else {
            return Page { listings, next: None };
        };
        let mut shelves: Vec<_> = words.into_iter().map(Shelf::Word).chain(model_type.map(Shelf::Type)).collect();
        if shelves.is_empty() {
            shelves.push(Shelf::All);
        }
        let limit = usize::try_from(limit.clamp(1, MAX_ENTRIES)).unwrap_or(usize::MAX);
        let next = Self::walk(&shelves, cursor.map_or(Rank::FIRST, Rank::from), MAX_LOOKS, |rank| {
            listings.extend(Self::listing_view(rank.module()).filter(|view| view.listed));
            listings.len() < limit
        });
        Page { listings, next: next.map(|rank| rank.cursor()) }
    }

    /// One listing, whether or not a search finds it.
    pub fn listing_view(module: ModuleId) -> Option<ListingViewOf<T>> {
        let listing = Listings::<T>::get(module)?;
        let (tariff, score) = (Self::tariff(), listing.score.unwrap_or_default());
        let cost = |offer| tariff.cost(offer, score, listing.terms.intensity, 1);
        Some(ListingView {
            module,
            name: T::Modules::name(module)?,
            model_type: T::Modules::model_type(module)?,
            owner: T::Modules::owner(module)?,
            listed: listing.merit(T::MinScore::get()).is_some(),
            score: listing.score,
            serving: listing.serving,
            costs: listing.terms.offers.iter().map(cost).collect(),
            text: listing.terms.text.into_inner(),
            intensity: listing.terms.intensity,
            calls: listing.usage.calls,
            usage: listing.usage.intensity,
            burnt: listing.usage.burnt,
        })
    }

    /// What calls of a module cost now; none if they cannot be bought, or not in this way.
    pub fn cost(module: ModuleId, calls: u32, way: Way) -> Option<Cost<Balance>> {
        Self::cost_of(&Listings::<T>::get(module)?, calls, way)
    }

    /// One ticket, as long as it is kept.
    pub fn ticket_view(id: TicketId) -> Option<TicketViewOf<T>> {
        let ticket = Tickets::<T>::get(id)?;
        Some(TicketView {
            id,
            module: ticket.module,
            buyer: ticket.buyer,
            calls: ticket.calls,
            redeemed: ticket.redeemed,
            until: ticket.until,
            redeemable_until: Self::redeemable_until(ticket.until),
        })
    }

    /// The sale of what won a task; none if no shares take part.
    pub fn sale_view(task: TaskId) -> Option<SaleView<Balance>> {
        let sale = Sales::<T>::get(task)?;
        Some(SaleView {
            task,
            cost: Self::cost_of_access(&sale),
            shares: sale.shares,
            holders: sale.holders,
            owed: sale.income.owed,
        })
    }

    /// An account's part in the sale of what won a task.
    pub fn stake_in_sale(task: TaskId, account: &T::AccountId) -> Option<StakeInSale<Balance>> {
        let position = Positions::<T>::get(AssetId::Shares(task), account)?;
        let due = Sales::<T>::get(task)?.income.due(position.shares, position.since);
        Some(StakeInSale { shares: position.shares, ask: position.ask, due })
    }

    /// The market in figures.
    pub fn stats() -> Stats<Balance> {
        let totals = CurrentTotals::<T>::get();
        let supply = T::Currency::total_issuance();
        Stats {
            listed: totals.listed,
            tickets: totals.tickets,
            sold: totals.sold,
            calls: totals.calls,
            accesses: totals.accesses,
            burnt: totals.burnt,
            supply,
            burnt_part: Perbill::from_rational(totals.burnt, supply.saturating_add(totals.burnt)),
            days: Self::days(),
        }
    }
}
