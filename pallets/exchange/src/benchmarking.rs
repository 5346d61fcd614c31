//! Benchmarks of the calls, at their worst: every list is as long as it may be. What tasks make this pallet do is
//! measured with them, after [`Pallet::fill_for_benchmark`].

use alloc::vec::Vec;

use frame_benchmarking::v2::*;
use frame_system::RawOrigin;
use sp_runtime::traits::{One, Saturating};

use super::*;

/// Numbers of tasks that no task has while it is measured.
const FAR: TaskId = 1_000_000;

impl<T: Config> Pallet<T> {
    /// A line and a book as long as they may be, and as many grants to come as there may be, none of which goes against
    /// what is in the book.
    pub(crate) fn fill_for_benchmark(winner: &T::AccountId) {
        let parameters = Parameters {
            rule: Rule::LeastHanded,
            number: T::MaxPerVictory::get(),
            recent: T::MaxRecent::get(),
            lifetime: One::one(),
        };
        CurrentParameters::<T>::put(parameters);
        let entry = |place: u32| {
            let creator = account("creator of what is in the line", place, 0);
            Entry { task: FAR.saturating_add(place), creator, handed: 0 }
        };
        let entries: Vec<_> = (0..T::MaxRecent::get()).map(entry).collect();
        Line::<T>::put(BoundedVec::truncate_from(entries));
        Books::<T>::insert(winner, Self::full_book());
    }

    fn full_book() -> BookOf<T> {
        let now = frame_system::Pallet::<T>::block_number();
        let mut book = BookOf::<T>::default();
        for place in 0..T::MaxVictories::get() {
            book.add_victory(FAR.saturating_mul(2).saturating_add(place), now);
        }
        for place in 0..T::MaxGrants::get() {
            let task = FAR.saturating_mul(3).saturating_add(place);
            let until = now.saturating_add(T::DefaultParameters::get().lifetime);
            book.add_grant(Grant { task, since: now, until });
        }
        book
    }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn set_parameters() -> Result<(), BenchmarkError> {
        let origin = T::ParametersOrigin::try_successful_origin().map_err(|()| BenchmarkError::Weightless)?;
        let parameters = Parameters { number: 0, ..T::DefaultParameters::get() };

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, parameters);

        assert_eq!(CurrentParameters::<T>::get(), parameters);
        Ok(())
    }

    #[benchmark]
    fn clear() {
        let who: T::AccountId = account("winner", 0, 0);
        Pallet::<T>::fill_for_benchmark(&who);
        let over = T::SettlingTime::get().saturating_add(T::DefaultParameters::get().lifetime);
        let now = frame_system::Pallet::<T>::block_number();
        frame_system::Pallet::<T>::set_block_number(now.saturating_add(over).saturating_add(One::one()));

        #[extrinsic_call]
        _(RawOrigin::Signed(account("caller", 0, 0)), who.clone());

        assert!(!Books::<T>::contains_key(who));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
