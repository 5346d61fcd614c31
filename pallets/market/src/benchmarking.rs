//! Benchmarks: each call, and each step that time brings, at its worst.
//!
//! None has a component in the number of listings, tickets or shareholders. A listing has as many words and ways to be
//! paid as it can have.

use alloc::{format, string::String, vec::Vec};

use ensemble_core::{
    market::{Offer, Receipt},
    modules::Modules,
};
use frame_benchmarking::v2::*;
use frame_support::traits::fungible::Mutate;
use frame_system::RawOrigin;
use sp_runtime::{
    traits::{One, Saturating},
    DispatchError,
};

use super::*;
use crate::words::words;

type Benched<R = ()> = Result<R, BenchmarkError>;

/// What a call costs the buyer, in whatever it pays.
const PRICE: Balance = 1_000_000_000;
/// Shares of a shareholder.
const SHARES: Balance = 1_000_000_000;

/// What benchmarks need of the runtime.
pub trait BenchmarkHelper<AccountId, Signature> {
    /// An account that can sign, another one for each number.
    fn signer(number: u32) -> AccountId;

    /// What an account signs.
    fn sign(signer: &AccountId, message: &[u8]) -> Signature;

    /// Makes an asset with this number, of which an account has so much.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    fn asset(number: u32, owner: &AccountId, amount: Balance) -> Result<AssetId, DispatchError>;

    /// Makes a task that is won and restricted. Each account has so many shares.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    fn contribution(owners: &[AccountId], shares: Balance) -> Result<TaskId, DispatchError>;
}

impl<T: Config> Pallet<T> {
    /// Lists a module with as many words and ways to be paid as can be, at the top of the index.
    pub(crate) fn list_for_benchmark(module: ModuleId) {
        let (Some(owner), Some(name)) = (T::Modules::owner(module), T::Modules::name(module)) else { return };
        let deposit = T::ListingDeposit::get();
        let funded = T::Currency::mint_into(&owner, deposit.saturating_mul(2)).is_ok();
        if !funded || Self::hold(HoldReason::Listing, &owner, deposit).is_err() {
            return;
        }
        let text = full_text::<T>(&name);
        let words = words([&name[..], text.as_bytes()], T::MaxWords::get()).unwrap_or_default();
        let offers = (0..T::MaxOffers::get()).map(|number| Offer::Asset { asset: AssetId::Asset(number), price: 1 });
        let mut listing = Listing {
            depositor: owner,
            deposit,
            terms: Terms {
                offers: BoundedVec::truncate_from(offers.collect()),
                intensity: 1,
                text: BoundedVec::truncate_from(text.into_bytes()),
            },
            score: Some(Permill::one()),
            serving: true,
            usage: Usage::default(),
            words: WordsOf::<T>::default(),
            place: None,
            queued: false,
        };
        Self::put_in_place(module, &mut listing, BoundedVec::truncate_from(words));
        Listings::<T>::insert(module, listing);
    }
}

/// A text with so many words that a listing with this name has as many as it can have. It must not be too long for a
/// listing.
fn full_text<T: Config>(name: &[u8]) -> String {
    let taken = words([name], u32::MAX).map_or(0, |words| words.len());
    let room = usize::try_from(T::MaxWords::get()).unwrap_or(usize::MAX).saturating_sub(taken);
    (0..room).map(|number| format!("word{number:04} ")).collect()
}

fn funded<T: Config>(who: T::AccountId) -> Benched<T::AccountId> {
    T::Currency::mint_into(&who, T::BurnBase::get().saturating_mul(1 << 40))?;
    Ok(who)
}

fn named<T: Config>(name: &'static str) -> Benched<T::AccountId> {
    funded::<T>(account(name, 0, 0))
}

fn module<T: Config>(owner: &T::AccountId) -> Benched<ModuleId> {
    let module = T::Modules::register_for_benchmark(owner)?;
    T::Serving::serve_for_benchmark(module);
    Ok(module)
}

/// As many as there can be, each an asset, of which `payer` has enough.
fn offers<T: Config>(payer: &T::AccountId) -> Benched<Vec<Offer<Balance>>> {
    let offer = |number| {
        let asset = T::BenchmarkHelper::asset(number, payer, PRICE.saturating_mul(1 << 20))?;
        Ok(Offer::Asset { asset, price: PRICE })
    };
    (0..T::MaxOffers::get()).map(offer).collect()
}

fn change<T: Config>(module: ModuleId, change: impl FnOnce(&mut ListingOf<T>)) {
    Listings::<T>::mutate(module, |listing| {
        if let Some(listing) = listing {
            change(listing);
        }
    });
}

/// A module whose calls are for sale, at the top of the index.
fn listed<T: Config>(owner: &T::AccountId) -> Benched<ModuleId> {
    let module = module::<T>(owner)?;
    Pallet::<T>::list_for_benchmark(module);
    Ok(module)
}

/// A ticket of a signer for calls of a module of its own.
fn ticket<T: Config>(number: u32) -> Benched<(TicketId, T::AccountId)> {
    let owner = funded::<T>(account("owner", number, 0))?;
    let buyer = funded::<T>(T::BenchmarkHelper::signer(number))?;
    let module = listed::<T>(&owner)?;
    change::<T>(module, |listing| listing.terms.offers = BoundedVec::truncate_from([Offer::Burn].into()));
    let (id, limits) = (NextTicketId::<T>::get(), buy::Limits { max_price: Balance::MAX, max_toll: Balance::MAX });
    Pallet::<T>::do_buy(buyer.clone(), module, u32::MAX, Way::Burn, limits, One::one())?;
    Ok((id, buyer))
}

/// Two shareholders who sell what they won. The second one asks for less and has more.
fn sale<T: Config>() -> Benched<(TaskId, T::AccountId, T::AccountId)> {
    let (one, two) = (named::<T>("shareholder")?, named::<T>("other shareholder")?);
    let task = T::BenchmarkHelper::contribution(&[one.clone(), two.clone()], SHARES)?;
    Pallet::<T>::do_offer_contribution(one.clone(), task, SHARES.saturating_div(2), PRICE.saturating_mul(2))?;
    Pallet::<T>::do_offer_contribution(two.clone(), task, SHARES, PRICE)?;
    Ok((task, one, two))
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// With a score that puts the listing into the index at once.
    #[benchmark]
    fn list() -> Result<(), BenchmarkError> {
        let owner = named::<T>("owner")?;
        let (module, offers) = (module::<T>(&owner)?, offers::<T>(&owner)?);
        let text = full_text::<T>(&T::Modules::name(module).unwrap_or_default()).into_bytes();

        #[block]
        {
            Pallet::<T>::do_list(owner, module, offers, 1, text)?;
            change::<T>(module, |listing| {
                listing.score = Some(Permill::one());
                listing.serving = true;
                let words = listing.words.clone();
                Pallet::<T>::put_in_place(module, listing, words);
            });
        }

        assert!(Listings::<T>::get(module).is_some_and(|listing| listing.place.is_some()));
        Ok(())
    }

    /// All words are others, and the deposit is another's.
    #[benchmark]
    fn update_listing() -> Result<(), BenchmarkError> {
        let (owner, former) = (named::<T>("owner")?, named::<T>("former owner")?);
        let (module, offers) = (listed::<T>(&owner)?, offers::<T>(&owner)?);
        let held = Pallet::<T>::hold(HoldReason::Listing, &former, T::ListingDeposit::get());
        held.map_err(DispatchError::from)?;
        change::<T>(module, |listing| {
            listing.depositor = former;
            let words = listing.words.iter().cloned().map(|mut word| {
                word.iter_mut().for_each(|byte| *byte = byte.to_ascii_uppercase());
                word
            });
            let words = BoundedVec::truncate_from(words.collect());
            Pallet::<T>::put_in_place(module, listing, words);
        });
        let text = full_text::<T>(&T::Modules::name(module).unwrap_or_default()).into_bytes();

        #[extrinsic_call]
        _(RawOrigin::Signed(owner.clone()), module, offers, 1, text);

        assert!(Listings::<T>::get(module).is_some_and(|listing| listing.depositor == owner));
        Ok(())
    }

    #[benchmark]
    fn unlist() -> Result<(), BenchmarkError> {
        let owner = named::<T>("owner")?;
        let module = listed::<T>(&owner)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), module);

        assert!(!Listings::<T>::contains_key(module));
        Ok(())
    }

    /// Paid in an asset, with a toll.
    #[benchmark]
    fn buy() -> Result<(), BenchmarkError> {
        let (owner, buyer) = (named::<T>("owner")?, named::<T>("buyer")?);
        let (module, offers) = (listed::<T>(&owner)?, offers::<T>(&buyer)?);
        let way = offers.last().ok_or("no offers")?.way();
        change::<T>(module, |listing| listing.terms.offers = BoundedVec::truncate_from(offers));

        #[extrinsic_call]
        _(RawOrigin::Signed(buyer), module, 1, way, Balance::MAX, Balance::MAX, T::MaxValidity::get());

        assert_eq!(Tickets::<T>::iter_keys().count(), 1);
        Ok(())
    }

    /// Each of another buyer for another module, signed in the frame of wallets.
    #[benchmark]
    fn redeem(n: Linear<1, { T::MaxReceipts::get() }>) -> Result<(), BenchmarkError> {
        let genesis = Pallet::<T>::genesis();
        let mut receipts = Vec::new();
        for number in 0..n {
            let (ticket, buyer) = ticket::<T>(number)?;
            let receipt = Receipt { ticket, calls: u32::MAX, challenge: H256::repeat_byte(1) };
            let message = format!("<Bytes>{}</Bytes>", receipt.message(genesis));
            receipts.push((receipt, T::BenchmarkHelper::sign(&buyer, message.as_bytes())));
        }
        let before = RefreshQueue::<T>::get().end;
        let caller = named::<T>("caller")?;

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), BoundedVec::truncate_from(receipts));

        assert_eq!(RefreshQueue::<T>::get().end, before.saturating_add(n.into()));
        Ok(())
    }

    /// More shares for another price, after something was sold.
    #[benchmark]
    fn offer_contribution() -> Result<(), BenchmarkError> {
        let (task, one, _) = sale::<T>()?;
        Pallet::<T>::do_buy_contribution(named::<T>("buyer")?, task, PRICE)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(one.clone()), task, SHARES, PRICE);

        assert_eq!(Pallet::<T>::stake_in_sale(task, &one).map(|stake| stake.shares), Some(SHARES));
        Ok(())
    }

    #[benchmark]
    fn buy_contribution() -> Result<(), BenchmarkError> {
        let (task, ..) = sale::<T>()?;
        let buyer = named::<T>("buyer")?;

        #[extrinsic_call]
        _(RawOrigin::Signed(buyer.clone()), task, PRICE);

        assert!(Accesses::<T>::contains_key(task, buyer));
        Ok(())
    }

    #[benchmark]
    fn claim_sales() -> Result<(), BenchmarkError> {
        let (task, one, _) = sale::<T>()?;
        Pallet::<T>::do_buy_contribution(named::<T>("buyer")?, task, PRICE)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(one.clone()), task);

        assert_eq!(Pallet::<T>::stake_in_sale(task, &one).map(|stake| stake.due), Some(0));
        Ok(())
    }

    /// A look at the queue and one at what ends first.
    #[benchmark]
    fn idle_look() -> Result<(), BenchmarkError> {
        ticket::<T>(0)?;
        let first;

        #[block]
        {
            let _queue = RefreshQueue::<T>::get();
            first = Ends::<T>::iter().next();
        }

        assert!(first.is_some());
        Ok(())
    }

    /// A listing that is found by all its words, and goes to another place.
    #[benchmark]
    fn refresh() -> Result<(), BenchmarkError> {
        let module = listed::<T>(&named::<T>("owner")?)?;
        change::<T>(module, |listing| {
            listing.score = Some(T::MinScore::get());
            Pallet::<T>::enqueue(module, listing);
        });

        #[block]
        {
            Pallet::<T>::work_off(One::one(), Weight::MAX);
        }

        let expected = Rank::new(T::MinScore::get(), 0, module);
        let place = Listings::<T>::get(module).and_then(|listing| listing.place);
        assert_eq!(place.map(|place| place.rank), Some(expected));
        Ok(())
    }

    #[benchmark]
    fn end() -> Result<(), BenchmarkError> {
        let (id, _) = ticket::<T>(0)?;
        let until = Tickets::<T>::get(id).ok_or("no ticket")?.until;
        let over = Pallet::<T>::redeemable_until(until).saturating_add(One::one());

        #[block]
        {
            Pallet::<T>::work_off(over, Weight::MAX);
        }

        assert!(!Tickets::<T>::contains_key(id));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_chain(), crate::mock::Test);
}
