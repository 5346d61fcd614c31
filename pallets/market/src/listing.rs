//! Listing modules.

use alloc::{collections::BTreeSet, vec::Vec};

use ensemble_core::{
    market::{ModuleNames, Offer, Serving, Way},
    modules::Modules,
    scores::Scores,
    ModuleId,
};
use frame_support::{ensure, pallet_prelude::*, traits::fungibles::Inspect};
use sp_runtime::Permill;

use crate::{
    words::words, Balance, Config, Error, Event, HoldReason, Listing, ListingOf, Listings, OffersOf, Pallet, Terms,
    TermsOf, TextOf, Usage, WordsOf,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_list(
        who: T::AccountId,
        module: ModuleId,
        offers: Vec<Offer<Balance>>,
        intensity: u32,
        text: Vec<u8>,
    ) -> DispatchResult {
        Self::ensure_owner(&who, module)?;
        ensure!(!Listings::<T>::contains_key(module), Error::<T>::AlreadyListed);
        let (terms, words) = Self::checked_terms(module, offers, intensity, text)?;
        let deposit = T::ListingDeposit::get();
        Self::hold(HoldReason::Listing, &who, deposit)?;

        Self::deposit_event(Event::ModuleListed { module, owner: who.clone(), deposit });
        let mut listing = Self::new_listing(module, who, deposit, terms);
        Self::put_in_place(module, &mut listing, words);
        Listings::<T>::insert(module, listing);
        Ok(())
    }

    fn new_listing(module: ModuleId, depositor: T::AccountId, deposit: Balance, terms: TermsOf<T>) -> ListingOf<T> {
        Listing {
            depositor,
            deposit,
            terms,
            score: T::Scores::last_score(module).map(|(_, found)| Permill::from_parts(found.score)),
            serving: T::Serving::serving(module),
            usage: Usage::default(),
            words: WordsOf::<T>::new(),
            place: None,
            queued: false,
        }
    }

    pub(crate) fn do_update_listing(
        who: T::AccountId,
        module: ModuleId,
        offers: Vec<Offer<Balance>>,
        intensity: u32,
        text: Vec<u8>,
    ) -> DispatchResult {
        Self::ensure_owner(&who, module)?;
        let mut listing = Listings::<T>::get(module).ok_or(Error::<T>::NotListed)?;
        let (terms, words) = Self::checked_terms(module, offers, intensity, text)?;
        Self::take_over_deposit(&who, &mut listing)?;

        listing.terms = terms;
        Self::deposit_event(Event::ListingUpdated { module, owner: who, deposit: listing.deposit });
        Self::put_in_place(module, &mut listing, words);
        Listings::<T>::insert(module, listing);
        Ok(())
    }

    /// Has a listing's deposit held from `who`, and as high as it is now.
    fn take_over_deposit(who: &T::AccountId, listing: &mut ListingOf<T>) -> DispatchResult {
        let deposit = T::ListingDeposit::get();
        if listing.depositor == *who && listing.deposit == deposit {
            return Ok(());
        }
        Self::give_back(HoldReason::Listing, &listing.depositor, listing.deposit);
        Self::hold(HoldReason::Listing, who, deposit)?;
        listing.depositor = who.clone();
        listing.deposit = deposit;
        Ok(())
    }

    pub(crate) fn do_unlist(who: T::AccountId, module: ModuleId) -> DispatchResult {
        let listing = Listings::<T>::get(module).ok_or(Error::<T>::NotListed)?;
        ensure!(listing.depositor == who || T::Modules::owner(module) == Some(who), Error::<T>::NotOwner);

        Self::remove_listing(module, listing);
        Ok(())
    }

    /// Removes a listing and returns its deposit.
    pub(crate) fn remove_listing(module: ModuleId, mut listing: ListingOf<T>) {
        Self::take_away(module, &mut listing);
        Listings::<T>::remove(module);
        let Listing { depositor, deposit, .. } = listing;
        Self::give_back(HoldReason::Listing, &depositor, deposit);
        Self::deposit_event(Event::ModuleUnlisted { module, depositor, deposit });
    }

    fn ensure_owner(who: &T::AccountId, module: ModuleId) -> Result<(), Error<T>> {
        let owner = T::Modules::owner(module).ok_or(Error::<T>::UnknownModule)?;
        ensure!(owner == *who, Error::<T>::NotOwner);
        Ok(())
    }

    /// The terms, if all of them are as they should be, and the words by which the listing is found.
    fn checked_terms(
        module: ModuleId,
        offers: Vec<Offer<Balance>>,
        intensity: u32,
        text: Vec<u8>,
    ) -> Result<(TermsOf<T>, WordsOf<T>), Error<T>> {
        let offers = Self::checked_offers(offers)?;
        ensure!(intensity > 0, Error::<T>::ZeroIntensity);
        let text = Self::checked_text(text)?;
        let name = T::Modules::name(module).ok_or(Error::<T>::UnknownModule)?;
        let words = words([&name[..], &text[..]], T::MaxWords::get()).ok_or(Error::<T>::TooManyWords)?;
        let words = words.try_into().map_err(|_| Error::<T>::TooManyWords)?;
        Ok((Terms { offers, intensity, text }, words))
    }

    fn checked_offers(offers: Vec<Offer<Balance>>) -> Result<OffersOf<T>, Error<T>> {
        ensure!(!offers.is_empty(), Error::<T>::NoOffers);
        let offers = OffersOf::<T>::try_from(offers).map_err(|_| Error::<T>::TooManyOffers)?;
        let ways: BTreeSet<_> = offers.iter().map(|offer| offer.way().encode()).collect();
        ensure!(ways.len() == offers.len(), Error::<T>::DuplicateOffer);
        for offer in &offers {
            Self::check_offer(offer)?;
        }
        Ok(offers)
    }

    fn check_offer(offer: &Offer<Balance>) -> Result<(), Error<T>> {
        match *offer {
            Offer::Burn => return Ok(()),
            Offer::Tune { price } | Offer::Asset { price, .. } => ensure!(price > 0, Error::<T>::ZeroPrice),
        }
        match offer.way() {
            Way::Asset(asset) => ensure!(T::Assets::asset_exists(asset), Error::<T>::UnknownAsset),
            Way::Burn | Way::Tune => (),
        }
        Ok(())
    }

    /// Refuses what is no text, and what makes text look like another.
    fn checked_text(text: Vec<u8>) -> Result<TextOf<T>, Error<T>> {
        let text = TextOf::<T>::try_from(text).map_err(|_| Error::<T>::TextTooLong)?;
        let read = core::str::from_utf8(&text).map_err(|_| Error::<T>::TextNotUtf8)?;
        // The characters that turn the direction of writing (Unicode Standard Annex 9, 2.1, 2.2, 2.5).
        let turns = |letter: char| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        ensure!(!read.chars().any(|letter| letter.is_control() || turns(letter)), Error::<T>::TextControl);
        Ok(text)
    }
}
