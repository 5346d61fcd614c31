//! What comes of a round.

use alloc::vec::Vec;

use codec::{Decode, Encode};
use ndarray::Array2;

use crate::aggregation::procrustes::Rotation;

/// Why a member does not count, as a round finds it. What the chain says of contents is its own: `ensemble_core::spaces`.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "std", serde(rename_all = "snake_case"))]
pub enum Rejection {
    /// Its table has not the rows and columns of the space.
    WrongDimension,
    /// It has no weight.
    NoWeight,
    /// Its table is nothing but zeros.
    AllZero,
    /// More than one in 64 of its numbers stand at the end of their range.
    Saturated,
    /// A row is longer than a unit row with noise can be: the sum of its squares exceeds 1.5.
    RowTooLong,
    /// Its table is that of another member, who has the lower rank, or else more weight, or else the smaller id.
    Duplicate,
    /// Its anchors do not determine a rotation.
    IllConditioned,
    /// It lies too far from most others.
    Outvoted,
}

/// What a round says of one member.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Report {
    /// Why it does not count, if it does not.
    pub rejection: Option<Rejection>,
    /// Mean over the rows of the squared distance between its aligned table and the result, in units of 2^-30, rounded
    /// down. None if it was not aligned.
    pub distance: Option<u64>,
    /// Its part of the result, among those of all members. Zero if it does not count.
    pub influence: u64,
}

/// What comes of a round.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// The one table made of all.
    pub table: Array2<i16>,
    /// For each member, in the order in which they were given.
    pub reports: Vec<Report>,
    /// For each member, in the same order, what turns its rows into those of the common basis. None if it was not
    /// aligned.
    pub rotations: Vec<Option<Rotation>>,
}
