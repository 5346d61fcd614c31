//! Sources of truth: miners whose deserved score is known; and test cases: inputs for which the outputs are.

use ensemble_core::{matching::TestCase, modules::Modules, ModelType, ModuleId};
use frame_support::{ensure, pallet_prelude::*};
use frame_system::pallet_prelude::*;
use sp_core::H256;
use sp_runtime::Permill;

use crate::{
    types::{Departure, Miner, TruthsOf},
    Config, Error, Event, Miners, Pallet, TestCases, Truths,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_truth(id: ModuleId, deserves: Option<Permill>) -> DispatchResult {
        let miner = Miners::<T>::get(id).filter(|miner| miner.departure != Departure::Leaving);
        let mut miner = miner.ok_or(Error::<T>::NotMiner)?;
        ensure!(miner.deserves != deserves, Error::<T>::NothingToChange);
        let mut truths = Truths::<T>::get(miner.model_type);
        match (miner.deserves, deserves) {
            (None, Some(_)) => truths.try_push(id).map_err(|_| Error::<T>::TooManyTruths)?,
            (Some(_), None) => truths.retain(|truth| *truth != id),
            _ => (),
        }

        Self::put_truths(miner.model_type, truths);
        miner.deserves = deserves;
        Miners::<T>::insert(id, miner);
        Self::deposit_event(Event::TruthSet { module: id, deserves });
        Ok(())
    }

    /// A miner is no source of truth any more, if it was one. The record is the caller's to store.
    pub(crate) fn drop_truth(id: ModuleId, miner: &mut Miner) {
        if miner.deserves.take().is_some() {
            let mut truths = Truths::<T>::get(miner.model_type);
            truths.retain(|truth| *truth != id);
            Self::put_truths(miner.model_type, truths);
            Self::deposit_event(Event::TruthSet { module: id, deserves: None });
        }
    }

    fn put_truths(model_type: ModelType, truths: TruthsOf<T>) {
        match truths.is_empty() {
            true => Truths::<T>::remove(model_type),
            false => Truths::<T>::insert(model_type, truths),
        }
    }

    /// [`Config::TruthOrigin`], or the owner of a source of truth of the type.
    pub(crate) fn ensure_knows(origin: OriginFor<T>, model_type: ModelType) -> DispatchResult {
        let Err(origin) = T::TruthOrigin::try_origin(origin) else { return Ok(()) };
        let who = ensure_signed(origin)?;
        let owns = |truth: &ModuleId| T::Modules::owner(*truth).as_ref() == Some(&who);
        ensure!(Truths::<T>::get(model_type).iter().any(owns), Error::<T>::NotTruthOwner);
        Ok(())
    }

    pub(crate) fn do_add_test_case(model_type: ModelType, case: TestCase) -> DispatchResult {
        let mut cases = TestCases::<T>::get(model_type);
        ensure!(cases.iter().all(|other| other.inputs != case.inputs), Error::<T>::TestCaseExists);
        cases.try_push(case).map_err(|_| Error::<T>::TooManyTestCases)?;

        TestCases::<T>::insert(model_type, cases);
        Self::deposit_event(Event::TestCaseAdded { model_type, case });
        Ok(())
    }

    pub(crate) fn do_remove_test_case(model_type: ModelType, inputs: H256) -> DispatchResult {
        let mut cases = TestCases::<T>::get(model_type);
        let place = cases.iter().position(|case| case.inputs == inputs).ok_or(Error::<T>::UnknownTestCase)?;
        cases.remove(place);

        match cases.is_empty() {
            true => TestCases::<T>::remove(model_type),
            false => TestCases::<T>::insert(model_type, cases),
        }
        Self::deposit_event(Event::TestCaseRemoved { model_type, inputs });
        Ok(())
    }

    /// The first active source of truth of a type from the one on that a number stands for.
    pub(crate) fn truth_by_number(model_type: ModelType, random: u64) -> Option<ModuleId> {
        let truths = Truths::<T>::get(model_type);
        let start = usize::try_from(random.checked_rem(truths.len() as u64)?).ok()?;
        let in_turn = truths.iter().skip(start).chain(truths.iter().take(start));
        in_turn.copied().find(|truth| Miners::<T>::get(truth).is_some_and(|miner| miner.is_active()))
    }
}
