//! Models: registering and retiring them.

use alloc::vec::Vec;

use codec::{DecodeAll, Encode};
use ensemble_compute::inference::{Architecture, Stage};
use ensemble_core::{exchange::Audience, exchange::Contributions, ModelId, TaskId};
use ensemble_tensor::{merkle, Bundle, Hash, Header, Tensor, TensorId};
use frame_support::{ensure, pallet_prelude::*};
use sp_runtime::ArithmeticError;

use crate::{
    Config, Error, Event, HoldReason, Manifest, Model, ModelOf, ModelOfTask, Models, NextModelId, Pallet, Pots,
    SeatCounts, TaskOfModel,
};

/// The member that says the architecture.
const CONFIG: &str = "config";
/// The member with the tokenizer.
const TOKENIZER: &str = "tokenizer";

/// Number of bytes of a manifest.
pub(crate) fn bytes_of(manifest: &Manifest) -> u32 {
    u32::try_from(manifest.len()).unwrap_or(u32::MAX)
}

/// A bundle's members in the ascending order of their names.
struct Members<'a>(Vec<(&'a str, TensorId)>);

impl Members<'_> {
    fn get(&self, name: &str) -> Option<TensorId> {
        let place = self.0.binary_search_by(|(member, _)| (*member).cmp(name)).ok()?;
        self.0.get(place).map(|(_, id)| *id)
    }

    /// Root over the leaf hashes of the members' encodings.
    fn root(&self) -> Option<Hash> {
        merkle::root(self.0.iter().map(|(name, id)| member_hash(name, id)))
    }

    /// Whether everything is there that is computed with.
    fn suffice(&self, architecture: &Architecture) -> bool {
        let Architecture::Llama(llama) = architecture;
        let stages = (0..llama.stages()).filter_map(|number| llama.stage(number));
        let mut matrices = stages.flat_map(|stage: Stage| llama.matrices(stage)).chain([llama.embedding()]);
        let mut tables = llama.tables().into_iter();
        self.get(TOKENIZER).is_some()
            && matrices.all(|shape| self.get(&shape.name).is_some())
            && tables.all(|shape| self.get(&shape.name).is_some())
    }
}

/// What the chain keeps a root over, of a member of a model.
pub fn member_hash(name: &str, id: &TensorId) -> Hash {
    merkle::leaf_hash(&(name.as_bytes(), id).encode())
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_register_model(
        registrant: T::AccountId,
        task: TaskId,
        manifest: &[u8],
        config: &[u8],
    ) -> DispatchResult {
        let won = T::Contributions::won(task).ok_or(Error::<T>::NothingWon)?;
        ensure!(won.audience == Audience::Public, Error::<T>::NotPublic);
        ensure!(!ModelOfTask::<T>::contains_key(task), Error::<T>::AlreadyAModel);
        ensure!(Models::<T>::count() < T::MaxModels::get(), Error::<T>::TooManyModels);
        ensure!(bundle_id(manifest) == Some(won.content), Error::<T>::NotTheManifest);
        let bundle = Bundle::parse(manifest).map_err(|_| Error::<T>::NotTheManifest)?;
        let members = Members(bundle.iter().collect());
        let architecture = Self::architecture(&members, config)?;
        let root = members.root().ok_or(Error::<T>::NotTheManifest)?;

        let id = Self::take_model_id()?;
        let deposit = T::ModelDeposit::get();
        Self::found_pot(&registrant, id)?;
        Self::hold(HoldReason::Model, &registrant, deposit)?;
        Self::create_shares(id)?;
        ModelOfTask::<T>::insert(task, id);
        TaskOfModel::<T>::insert(id, task);
        Pots::<T>::insert(id, crate::Pot::default());
        let model = Model {
            registrant: registrant.clone(),
            deposit,
            task,
            content: won.content,
            architecture,
            members: root,
            count: bundle.count(),
            sessions: 0,
        };
        Models::<T>::insert(id, model);
        Self::deposit_event(Event::ModelRegistered {
            model: id,
            registrant,
            task,
            content: won.content,
            architecture,
            deposit,
            pot: Self::pot(id),
        });
        Ok(())
    }

    /// The architecture that the `config` of a bundle says, if all its tensors are there.
    fn architecture(members: &Members<'_>, config: &[u8]) -> Result<Architecture, Error<T>> {
        let named = members.get(CONFIG).ok_or(Error::MemberMissing)?;
        ensure!(bytes_id(config) == Some(named), Error::<T>::NotTheConfig);
        let mut rest = config;
        let architecture = Architecture::decode_all(&mut rest).map_err(|_| Error::NotTheConfig)?;
        architecture.check().map_err(|_| Error::NotTheConfig)?;
        ensure!(members.suffice(&architecture), Error::<T>::MemberMissing);
        Ok(architecture)
    }

    fn take_model_id() -> Result<ModelId, DispatchError> {
        NextModelId::<T>::try_mutate(|next| {
            let id = *next;
            *next = id.checked_add(1).ok_or(ArithmeticError::Overflow)?;
            Ok(id)
        })
    }

    pub(crate) fn do_retire_model(who: T::AccountId, id: ModelId) -> DispatchResult {
        let model = Self::model(id)?;
        ensure!(model.registrant == who, Error::<T>::NotRegistrant);
        ensure!(model.sessions == 0 && SeatCounts::<T>::get(id) == 0, Error::<T>::ModelInUse);

        Models::<T>::remove(id);
        ModelOfTask::<T>::remove(model.task);
        SeatCounts::<T>::remove(id);
        Pots::<T>::remove(id);
        let burnt = Self::dissolve_pot(&who, id);
        Self::give_back(None, HoldReason::Model, &who, model.deposit);
        let deposit = model.deposit;
        Self::deposit_event(Event::ModelRetired { model: id, registrant: who, deposit, burnt });
        Ok(())
    }

    /// A model.
    pub(crate) fn model(id: ModelId) -> Result<ModelOf<T>, Error<T>> {
        Models::<T>::get(id).ok_or(Error::UnknownModel)
    }
}

fn bundle_id(manifest: &[u8]) -> Option<TensorId> {
    Tensor::new(Bundle::header(manifest).ok()?, manifest).ok()?.id().ok()
}

fn bytes_id(bytes: &[u8]) -> Option<TensorId> {
    let header = Header::bytes(u64::try_from(bytes.len()).ok()?).ok()?;
    Tensor::new(header, bytes).ok()?.id().ok()
}
