//! The currency of pallet-conviction-voting: balances, but an account's total is what it may vote with, and its locks are
//! holds (see [`voters`](super::voters)). Everything else is as pallet-balances has it.

use frame_support::{
    pallet_prelude::DispatchResult,
    traits::{
        fungible,
        tokens::{DepositConsequence, Fortitude, Preservation, Provenance, WithdrawConsequence},
        BalanceStatus, ConstU32, Currency, ExistenceRequirement, LockIdentifier, LockableCurrency, ReservableCurrency,
        SignedImbalance, WithdrawReasons,
    },
};
use sp_runtime::DispatchError;

use super::voters;
use crate::{AccountId, Balance, Balances, BlockNumber};

type Positive = <Balances as Currency<AccountId>>::PositiveImbalance;
type Negative = <Balances as Currency<AccountId>>::NegativeImbalance;

/// What accounts vote with.
pub struct Ballots;

impl Currency<AccountId> for Ballots {
    type Balance = Balance;
    type PositiveImbalance = Positive;
    type NegativeImbalance = Negative;

    fn total_balance(who: &AccountId) -> Balance {
        voters::owned(who)
    }

    fn can_slash(who: &AccountId, value: Balance) -> bool {
        <Balances as Currency<_>>::can_slash(who, value)
    }

    fn total_issuance() -> Balance {
        <Balances as Currency<_>>::total_issuance()
    }

    fn active_issuance() -> Balance {
        <Balances as Currency<_>>::active_issuance()
    }

    fn deactivate(amount: Balance) {
        <Balances as Currency<_>>::deactivate(amount);
    }

    fn reactivate(amount: Balance) {
        <Balances as Currency<_>>::reactivate(amount);
    }

    fn minimum_balance() -> Balance {
        <Balances as Currency<_>>::minimum_balance()
    }

    fn burn(amount: Balance) -> Positive {
        <Balances as Currency<_>>::burn(amount)
    }

    fn issue(amount: Balance) -> Negative {
        <Balances as Currency<_>>::issue(amount)
    }

    fn free_balance(who: &AccountId) -> Balance {
        <Balances as Currency<_>>::free_balance(who)
    }

    fn ensure_can_withdraw(
        who: &AccountId,
        amount: Balance,
        reasons: WithdrawReasons,
        new_balance: Balance,
    ) -> DispatchResult {
        <Balances as Currency<_>>::ensure_can_withdraw(who, amount, reasons, new_balance)
    }

    fn transfer(from: &AccountId, to: &AccountId, value: Balance, existence: ExistenceRequirement) -> DispatchResult {
        <Balances as Currency<_>>::transfer(from, to, value, existence)
    }

    fn slash(who: &AccountId, value: Balance) -> (Negative, Balance) {
        <Balances as Currency<_>>::slash(who, value)
    }

    fn deposit_into_existing(who: &AccountId, value: Balance) -> Result<Positive, DispatchError> {
        <Balances as Currency<_>>::deposit_into_existing(who, value)
    }

    fn deposit_creating(who: &AccountId, value: Balance) -> Positive {
        <Balances as Currency<_>>::deposit_creating(who, value)
    }

    fn withdraw(
        who: &AccountId,
        value: Balance,
        reasons: WithdrawReasons,
        liveness: ExistenceRequirement,
    ) -> Result<Negative, DispatchError> {
        <Balances as Currency<_>>::withdraw(who, value, reasons, liveness)
    }

    fn make_free_balance_be(who: &AccountId, balance: Balance) -> SignedImbalance<Balance, Positive> {
        <Balances as Currency<_>>::make_free_balance_be(who, balance)
    }
}

impl ReservableCurrency<AccountId> for Ballots {
    fn can_reserve(who: &AccountId, value: Balance) -> bool {
        Balances::can_reserve(who, value)
    }

    fn slash_reserved(who: &AccountId, value: Balance) -> (Negative, Balance) {
        Balances::slash_reserved(who, value)
    }

    fn reserved_balance(who: &AccountId) -> Balance {
        <Balances as ReservableCurrency<_>>::reserved_balance(who)
    }

    fn reserve(who: &AccountId, value: Balance) -> DispatchResult {
        Balances::reserve(who, value)
    }

    fn unreserve(who: &AccountId, value: Balance) -> Balance {
        Balances::unreserve(who, value)
    }

    fn repatriate_reserved(
        slashed: &AccountId,
        beneficiary: &AccountId,
        value: Balance,
        status: BalanceStatus,
    ) -> Result<Balance, DispatchError> {
        Balances::repatriate_reserved(slashed, beneficiary, value, status)
    }
}

/// Whatever is said of a lock, what must be held follows from the locks that pallet-conviction-voting has written down
/// just before.
impl LockableCurrency<AccountId> for Ballots {
    type Moment = BlockNumber;
    /// That of pallet-conviction-voting.
    type MaxLocks = ConstU32<1>;

    fn set_lock(_: LockIdentifier, who: &AccountId, _: Balance, _: WithdrawReasons) {
        voters::settle(who);
    }

    fn extend_lock(_: LockIdentifier, who: &AccountId, _: Balance, _: WithdrawReasons) {
        voters::settle(who);
    }

    fn remove_lock(_: LockIdentifier, who: &AccountId) {
        voters::settle(who);
    }
}

impl fungible::Inspect<AccountId> for Ballots {
    type Balance = Balance;

    fn total_issuance() -> Balance {
        <Balances as fungible::Inspect<_>>::total_issuance()
    }

    fn active_issuance() -> Balance {
        <Balances as fungible::Inspect<_>>::active_issuance()
    }

    fn minimum_balance() -> Balance {
        <Balances as fungible::Inspect<_>>::minimum_balance()
    }

    fn total_balance(who: &AccountId) -> Balance {
        voters::owned(who)
    }

    fn balance(who: &AccountId) -> Balance {
        <Balances as fungible::Inspect<_>>::balance(who)
    }

    fn reducible_balance(who: &AccountId, preservation: Preservation, force: Fortitude) -> Balance {
        <Balances as fungible::Inspect<_>>::reducible_balance(who, preservation, force)
    }

    fn can_deposit(who: &AccountId, amount: Balance, provenance: Provenance) -> DepositConsequence {
        <Balances as fungible::Inspect<_>>::can_deposit(who, amount, provenance)
    }

    fn can_withdraw(who: &AccountId, amount: Balance) -> WithdrawConsequence<Balance> {
        <Balances as fungible::Inspect<_>>::can_withdraw(who, amount)
    }
}
