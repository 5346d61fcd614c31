//! Identifiers of fungible classes.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::{ModelId, TaskId};

/// A class of fungible tokens beside the native one.
///
/// Shares and ordinary assets are two kinds of names, so that nobody can create a class that passes for shares.
#[derive(
    Clone,
    Copy,
    Debug,
    Decode,
    DecodeWithMemTracking,
    Deserialize,
    Encode,
    Eq,
    MaxEncodedLen,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
    TypeInfo,
)]
pub enum AssetId {
    /// An asset that someone created: a stable asset, for example.
    Asset(u32),
    /// Ownership of the contribution that won this task.
    Shares(TaskId),
    /// What workers earned by serving rows of this model.
    Rows(ModelId),
}
