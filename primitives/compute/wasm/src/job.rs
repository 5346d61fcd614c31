//! What can be asked and answered.

use alloc::vec::Vec;

use codec::{Decode, Encode};
use ensemble_compute::{
    aggregation::{
        aggregate, align, carry, combine,
        distance::Distances,
        krum,
        nearest::Index,
        procrustes::{procrustes, Rotation},
        Member, Rejection, Settings,
    },
    inference::Vector,
    Machine,
};
use ensemble_tensor::Kind;
use ndarray::{Array2, ArrayView2};

use crate::{
    glue::{Glue, Made},
    inference,
};

/// Numbers in rows.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
pub struct Matrix {
    /// Number of rows.
    pub rows: u32,
    /// Number of columns.
    pub cols: u32,
    /// Row by row.
    pub numbers: Vec<i32>,
}

/// What one member of a round hands in.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
pub struct Submission {
    /// First byte of the id; the others are zero.
    pub id: u8,
    /// Who stays of members with equal tables: the lowest.
    pub rank: u64,
    /// How much it counts.
    pub weight: u64,
    /// Its table.
    pub table: Matrix,
}

/// A call of one kernel.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "std", serde(rename_all = "snake_case"))]
pub enum Job {
    /// The rotation from one set of anchors to another.
    Procrustes { from: Matrix, to: Matrix },
    /// The rows of a table turned by that rotation.
    Turn { from: Matrix, to: Matrix, table: Matrix },
    /// A matrix carried by that rotation.
    Carry { from: Matrix, to: Matrix, side: carry::Side, matrix: Matrix },
    /// The weighted mean of tables.
    Mean { tables: Vec<Matrix>, weights: Vec<u64> },
    /// The weighted mean of carried matrices.
    MeanCarried { matrices: Vec<Matrix>, weights: Vec<u64> },
    /// The trimmed mean of tables.
    TrimmedMean { tables: Vec<Matrix>, weights: Vec<u64>, trimmed: u64 },
    /// Weights of the geometric median. `products` has a list per member: those with itself and all later members.
    Median { products: Vec<Vec<u64>>, weights: Vec<u64> },
    /// Scores of Multi-Krum.
    Scores { products: Vec<Vec<u64>>, weights: Vec<u64>, tolerated: u64, least: u64 },
    /// Whom Multi-Krum selects among whole tables.
    Select { products: Vec<Vec<u64>>, weights: Vec<u64>, tolerated: u32 },
    /// Influence of selected members.
    Influence { products: Vec<Vec<u64>>, weights: Vec<u64>, tolerated: u32, selected: Vec<bool> },
    /// The rows nearest to a vector.
    Nearest { table: Matrix, vector: Vec<i16>, count: u32 },
    /// A whole round.
    Aggregate { settings: Settings, members: Vec<Submission> },
    /// The mean of a round's aligned members.
    AlignedMean { settings: Settings, members: Vec<Submission> },
    /// A function of inference.
    Glue(Glue),
    /// A vector from exact numbers in units of `2^unit`.
    Vector { numbers: Vec<i64>, unit: i32 },
    /// A vector from its encoding.
    Decode { bytes: Vec<u8> },
    /// Rows of this kind times encoded vectors.
    Products { kind: Kind, cols: u32, rows: Vec<u8>, vectors: Vec<Vec<u8>> },
}

/// What comes of a [`Job`].
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "std", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "std", serde(rename_all = "snake_case"))]
pub enum Answer {
    /// It cannot be done.
    Refused,
    /// The anchors determine no rotation.
    IllConditioned,
    /// Numbers in rows.
    Matrix(Matrix),
    /// A number for each member.
    Numbers(Vec<u64>),
    /// Yes or no for each member.
    Flags(Vec<bool>),
    /// Row and cosine.
    Neighbours(Vec<(u32, i32)>),
    /// A table; and for each member why it is rejected, its distance, its influence.
    Round(Matrix, Vec<(Option<Rejection>, Option<u64>, u64)>),
    /// What a function of inference made.
    Made(Made),
    /// The encoding and the hash of a vector.
    Vector(Vec<u8>, [u8; 32]),
    /// For each vector the products of all rows.
    Products(Vec<Vec<i64>>),
}

impl Job {
    /// Does the job.
    pub fn run(&self, machine: Machine) -> Answer {
        self.attempt(machine).unwrap_or(Answer::Refused)
    }

    fn attempt(&self, machine: Machine) -> Option<Answer> {
        let answer = match self {
            Self::Procrustes { from, to } => match rotation(from, to, machine)? {
                Some(rotation) => Answer::Matrix(matrix(rotation.view())),
                None => Answer::IllConditioned,
            },
            Self::Turn { from, to, table } => Answer::Matrix(matrix(
                rotation(from, to, machine)??.apply(table.narrow()?.view(), machine).ok()?.view(),
            )),
            Self::Carry { from, to, side, matrix: given } => {
                let rotation = rotation(from, to, machine)??;
                Answer::Matrix(matrix(carry::carry(given.narrow()?.view(), *side, &rotation, machine).ok()?.view()))
            },
            Self::Mean { tables, weights } => {
                let tables = narrow(tables)?;
                Answer::Matrix(matrix(combine::mean(&views(&tables), weights).ok()?.view()))
            },
            Self::MeanCarried { matrices, weights } => {
                let matrices: Vec<_> = matrices.iter().map(Matrix::wide).collect::<Option<_>>()?;
                Answer::Matrix(matrix(combine::mean(&views(&matrices), weights).ok()?.view()))
            },
            Self::TrimmedMean { tables, weights, trimmed } => {
                let tables = narrow(tables)?;
                Answer::Matrix(matrix(combine::trimmed_mean(&views(&tables), weights, *trimmed).ok()?.view()))
            },
            Self::Median { products, weights } => {
                Answer::Numbers(combine::median_weights(&distances(products, machine), weights))
            },
            Self::Scores { products, weights, tolerated, least } => {
                Answer::Numbers(krum::scores(&distances(products, machine), weights, *tolerated, *least))
            },
            Self::Select { products, weights, tolerated } => {
                Answer::Flags(krum::select(&distances(products, machine), weights, *tolerated, krum::Slack::TABLES))
            },
            Self::Influence { products, weights, tolerated, selected } => {
                Answer::Numbers(krum::influence(&distances(products, machine), weights, *tolerated, selected))
            },
            Self::Nearest { table, vector, count } => {
                let found =
                    Index::new(table.narrow()?, machine).ok()?.nearest(vector, *count as usize, machine).ok()?;
                Answer::Neighbours(found.into_iter().map(|found| (found.row, found.cosine)).collect())
            },
            Self::Aggregate { settings, members } => round(settings, members, machine)?,
            Self::AlignedMean { settings, members } => {
                let tables = tables(members)?;
                Answer::Matrix(matrix(align(settings, &entries(members, &tables), machine).ok()?.mean().ok()?.view()))
            },
            Self::Glue(glue) => Answer::Made(glue.run(machine)),
            Self::Vector { numbers, unit } => inference::vector(&Vector::from_exact(numbers, *unit)),
            Self::Decode { bytes } => inference::vector(&Vector::decode(bytes).ok()?),
            Self::Products { kind, cols, rows, vectors } => inference::products(*kind, *cols, rows, vectors, machine)?,
        };
        Some(answer)
    }
}

impl Matrix {
    /// The numbers as 32 bits.
    pub fn wide(&self) -> Option<Array2<i32>> {
        Array2::from_shape_vec((self.rows as usize, self.cols as usize), self.numbers.clone()).ok()
    }

    /// The numbers as 16 bits, if they fit.
    pub fn narrow(&self) -> Option<Array2<i16>> {
        let numbers = self.numbers.iter().map(|number| i16::try_from(*number).ok()).collect::<Option<_>>()?;
        Array2::from_shape_vec((self.rows as usize, self.cols as usize), numbers).ok()
    }
}

fn matrix<T: Copy + Into<i32>>(view: ArrayView2<'_, T>) -> Matrix {
    let (rows, cols) = view.dim();
    Matrix { rows: rows as u32, cols: cols as u32, numbers: view.iter().map(|number| (*number).into()).collect() }
}

fn narrow(tables: &[Matrix]) -> Option<Vec<Array2<i16>>> {
    tables.iter().map(Matrix::narrow).collect()
}

fn views<T>(arrays: &[Array2<T>]) -> Vec<ArrayView2<'_, T>> {
    arrays.iter().map(|array| array.view()).collect()
}

fn rotation(from: &Matrix, to: &Matrix, machine: Machine) -> Option<Option<Rotation>> {
    procrustes(from.narrow()?.view(), to.narrow()?.view(), machine).ok()
}

fn distances(products: &[Vec<u64>], machine: Machine) -> Distances {
    Distances::from_products(products.len(), machine, |i, j| {
        products.get(i).and_then(|row| row.get(j - i)).copied().unwrap_or_default().into()
    })
}

fn tables(members: &[Submission]) -> Option<Vec<Array2<i16>>> {
    members.iter().map(|member| member.table.narrow()).collect()
}

fn entries<'a>(members: &[Submission], tables: &'a [Array2<i16>]) -> Vec<Member<'a>> {
    let entry = |(member, table): (&Submission, &'a Array2<i16>)| {
        let mut id = [0; 32];
        id[0] = member.id;
        Member { id, rank: member.rank, weight: member.weight.into(), table: table.view() }
    };
    members.iter().zip(tables).map(entry).collect()
}

fn round(settings: &Settings, members: &[Submission], machine: Machine) -> Option<Answer> {
    let tables = tables(members)?;
    let outcome = aggregate(settings, &entries(members, &tables), machine).ok()?;
    let reports = outcome.reports.iter().map(|report| (report.rejection, report.distance, report.influence));
    Some(Answer::Round(matrix(outcome.table.view()), reports.collect()))
}
