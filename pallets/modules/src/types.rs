//! Records of the pallet, and the rules that follow from a record alone.

use alloc::vec::Vec;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use ensemble_core::{modules::Role, ModelType, ModuleId};
use frame_support::{
    ensure,
    traits::{fungible::Credit, ConstU32},
    BoundedVec,
};
use frame_system::pallet_prelude::BlockNumberFor;
use scale_info::TypeInfo;
use sp_core::H256;

use crate::{
    endpoint,
    names::Name,
    patterns::{self, Rule},
    Config, Error,
};

/// An amount of the native token, in planck.
pub type Balance = u128;
/// Money to be burnt, for [`Config::Burnt`].
pub type CreditOf<T> = Credit<<T as frame_system::Config>::AccountId, <T as Config>::Currency>;
/// A module of this runtime.
pub type ModuleOf<T> = Module<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
/// What a module of this runtime is built on.
pub type DependenciesOf<T> = BoundedVec<ModuleId, <T as Config>::MaxDependencies>;
/// Patterns with the same beginning.
pub type BucketOf<T> = BoundedVec<Rule, <T as Config>::MaxPatternsPerStart>;
/// The patterns of a namespace.
pub type NamespaceRulesOf<T> = BoundedVec<Rule, <T as Config>::MaxNamespacePatterns>;
/// The name of a type.
pub type TypeName = BoundedVec<u8, ConstU32<{ patterns::MAX_BYTES }>>;

/// Most bytes of a description.
pub const MAX_DESCRIPTION_BYTES: u32 = 256;

/// A registered module.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Module<AccountId, BlockNumber> {
    /// Its name. Never changes.
    pub name: Name,
    /// The module whose name is all of this one's but the last label.
    pub parent: Option<ModuleId>,
    /// Who owns it.
    pub owner: AccountId,
    /// To whom the owner offers it. While it is offered, the owner changes nothing about it.
    pub offered_to: Option<AccountId>,
    /// What is held from the owner for its name, in planck.
    pub deposit: Balance,
    /// What is held from the owner for the patterns of its namespace, in planck.
    pub pattern_deposit: Balance,
    /// What the owner says of it.
    pub profile: Profile,
    /// 1 at registration, one more with every update.
    pub version: u32,
    /// The kind of model, by its name.
    pub model_type: ModelType,
    /// The part it plays.
    pub role: Role,
    /// Number of modules that have this one as their parent.
    pub children: u32,
    /// Block in which it was registered.
    pub registered_at: BlockNumber,
    /// Block in which it was last updated.
    pub updated_at: BlockNumber,
}

impl<AccountId, BlockNumber> Module<AccountId, BlockNumber> {
    /// All that is held from the owner for it, in planck.
    pub fn held(&self) -> Balance {
        self.deposit.saturating_add(self.pattern_deposit)
    }
}

/// What the owner of a module says of it.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Profile {
    /// Where it is served; [`endpoint`] says what that may be.
    pub endpoint: BoundedVec<u8, ConstU32<{ endpoint::MAX_BYTES }>>,
    /// Hash of a document about it that is kept elsewhere; zeros if there is none.
    pub metadata: H256,
    /// A short text for people, in UTF-8.
    pub description: BoundedVec<u8, ConstU32<MAX_DESCRIPTION_BYTES>>,
    /// Hash of the implementation that the owner commits to.
    pub implementation: Option<H256>,
}

/// A profile as it comes in, before it is checked.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct NewProfile {
    /// A URL or a multiaddress, at most 128 bytes.
    pub endpoint: Vec<u8>,
    /// Hash of a document about the module that is kept elsewhere; zeros if there is none.
    pub metadata: H256,
    /// A short text for people: UTF-8, at most 256 bytes.
    pub description: Vec<u8>,
    /// Hash of the implementation that the owner commits to.
    pub implementation: Option<H256>,
}

impl NewProfile {
    /// The profile, if all of it is as it should be.
    pub(crate) fn validate<T: Config>(self) -> Result<Profile, Error<T>> {
        endpoint::check(&self.endpoint)?;
        check_text::<T>(&self.description)?;
        let endpoint = self.endpoint.try_into().map_err(|_| Error::<T>::EndpointTooLong)?;
        let description = self.description.try_into().map_err(|_| Error::<T>::DescriptionTooLong)?;
        Ok(Profile { endpoint, metadata: self.metadata, description, implementation: self.implementation })
    }
}

/// Refuses what is no text, and what makes text look like another.
fn check_text<T: Config>(bytes: &[u8]) -> Result<(), Error<T>> {
    let limit = usize::try_from(MAX_DESCRIPTION_BYTES).unwrap_or(usize::MAX);
    ensure!(bytes.len() <= limit, Error::<T>::DescriptionTooLong);
    let text = core::str::from_utf8(bytes).map_err(|_| Error::<T>::DescriptionNotUtf8)?;
    // The characters that turn the direction of writing (Unicode Standard Annex 9, 2.1, 2.2, 2.5).
    let turns = |letter: char| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    ensure!(!text.chars().any(|letter| letter.is_control() || turns(letter)), Error::<T>::DescriptionControl);
    Ok(())
}

/// A name that is reserved, in the queue of names to be freed.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Release<BlockNumber> {
    /// The name.
    pub name: crate::names::NameKey,
    /// First block in which it is free.
    pub due: BlockNumber,
}

/// The part of the queue of releases that is in use: from `first` to before `end`.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Queue {
    /// Place of the oldest entry.
    pub first: u64,
    /// Place of the next entry to come.
    pub end: u64,
}
