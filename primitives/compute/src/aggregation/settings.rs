//! What a round is asked to do.

use codec::{Decode, Encode};

use crate::aggregation::Error;

/// Most members of a round.
pub const MAX_MEMBERS: usize = 128;
/// Parts of the whole in which shares are given.
pub const MILLION: u32 = 1_000_000;

/// Size of the tables of a space.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
pub struct Shape {
    /// Tokens.
    pub rows: u32,
    /// Numbers for each token.
    pub cols: u32,
    /// The first so many rows are the same tokens for every member.
    pub anchors: u32,
}

impl Shape {
    /// Most columns: alignment takes time in the cube of them.
    pub const MAX_COLS: u32 = 1024;
    /// Most rows.
    pub const MAX_ROWS: u32 = 1 << 20;

    /// Checks the limits. Fewer anchors than columns leave the rotation undetermined.
    pub fn check(&self) -> Result<(), Error> {
        let cols = (1..=Self::MAX_COLS).contains(&self.cols);
        let anchors = (self.cols..=self.rows).contains(&self.anchors);
        let fits = cols && anchors && self.rows <= Self::MAX_ROWS;
        if fits {
            Ok(())
        } else {
            Err(Error::Shape)
        }
    }

    /// Rows and columns, as arrays count them.
    pub(crate) fn dim(&self) -> (usize, usize) {
        (self.rows as usize, self.cols as usize)
    }
}

/// How aligned tables become one.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "std", serde(rename_all = "snake_case"))]
pub enum Rule {
    /// The mean of those members that lie nearest to most others: Multi-Krum (Blanchard et al. 2017), by weight, over
    /// whole tables and then in each row.
    MultiKrum,
    /// The geometric median of the tables (Pillutla et al. 2022), after a fixed number of steps.
    GeometricMedian,
    /// The mean of each coordinate without its smallest and largest values (Yin et al. 2018), by weight.
    TrimmedMean,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 3] = [Self::MultiKrum, Self::GeometricMedian, Self::TrimmedMean];
}

/// What a round is asked to do.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
pub struct Settings {
    /// Size of every table.
    pub shape: Shape,
    /// How aligned tables become one.
    pub rule: Rule,
    /// Millionths of the members' weight that may belong to cheats. Below a half.
    pub tolerated: u32,
}

impl Settings {
    /// Checks everything but the members' tables.
    pub fn check(&self, members: usize) -> Result<(), Error> {
        self.shape.check()?;
        if self.tolerated >= MILLION / 2 {
            return Err(Error::Tolerated(self.tolerated));
        }
        if !(1..=MAX_MEMBERS).contains(&members) {
            return Err(Error::MemberCount(members));
        }
        Ok(())
    }
}
