//! Combining on a real store, in bases that differ by the order and the signs of columns.

mod results;
mod screening;
mod service;

use std::sync::Arc;

use ensemble_compute::Machine;
use ensemble_core::{
    combination::Combination,
    spaces::{Basis, Entrant, MatrixSpec, Report, Rule},
};
use ensemble_tensor::{Bundle, Header, Kind, TensorId};
use ndarray::{Array1, Array2};
use sp_runtime::{BoundedVec, Permill};
use tempfile::TempDir;

use super::combine::{combine, Combined, Error};
use crate::tensors::{testing, Store};

pub const ROWS: usize = 64;
pub const COLS: usize = 8;
const ANCHORS: u32 = 32;
const PLENTY: u64 = 1 << 30;

/// A store in a folder that goes with it.
pub struct Lab {
    folder: TempDir,
    pub store: Arc<Store>,
}

impl Lab {
    pub fn new() -> Self {
        Self::with_quota(PLENTY)
    }

    pub fn with_quota(quota: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let store = testing::store(folder.path(), quota);
        Self { folder, store }
    }

    /// The same after the node was started anew.
    pub fn restarted(self) -> Self {
        let Self { folder, store } = self;
        drop(store);
        let store = testing::store(folder.path(), PLENTY);
        Self { folder, store }
    }

    pub fn put(&self, kind: Kind, rows: usize, cols: usize, data: &[u8]) -> TensorId {
        let size = |size: usize| u32::try_from(size).unwrap();
        self.store.put(Header::new(kind, size(rows), size(cols)).unwrap(), data).unwrap().id()
    }

    pub fn table(&self, table: &Array2<i16>) -> TensorId {
        let data: Vec<_> = table.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.put(Kind::I16, table.nrows(), table.ncols(), &data)
    }

    pub fn bundle(&self, members: &[(&str, TensorId)]) -> TensorId {
        let manifest = Bundle::encode(members.iter().copied()).unwrap();
        self.put(Kind::Bundle, manifest.len(), 1, &manifest)
    }

    /// Tables of members who see the same with a little noise, each in a basis of its own.
    pub fn honest(&self, count: u64) -> Vec<TensorId> {
        (0..count).map(|member| self.table(&Turn::of(member).rows(&noisy(member)))).collect()
    }

    pub fn combine(&self, combination: &Combination) -> Result<Combined, Error> {
        combine(&self.store, combination, Machine::ONE_CORE).map(|(combined, _)| combined)
    }

    /// The numbers of a member of a result.
    pub fn member(&self, combined: &Combined, name: &str) -> (Header, Vec<u8>) {
        let read = |id: &TensorId| {
            let mut bytes = Vec::new();
            self.store.read_pieces(id, |piece| bytes.extend_from_slice(piece)).unwrap();
            bytes
        };
        let manifest = read(&combined.result.id());
        let id = Bundle::parse(&manifest).unwrap().get(name).unwrap();
        (self.store.header(&id).unwrap(), read(&id))
    }

    /// A member of a result as an array.
    pub fn array(&self, combined: &Combined, name: &str) -> Array2<f64> {
        let (header, data) = self.member(combined, name);
        let numbers: Vec<f64> = match header.kind() {
            Kind::I16 => data.as_chunks().0.iter().map(|bytes| i16::from_le_bytes(*bytes).into()).collect(),
            Kind::I32 => data.as_chunks().0.iter().map(|bytes| i32::from_le_bytes(*bytes).into()).collect(),
            other => panic!("{other} has no numbers"),
        };
        Array2::from_shape_vec((header.rows() as usize, header.cols() as usize), numbers).unwrap()
    }

    /// Flips a bit of a held tensor.
    pub fn damage(&self, id: &TensorId) {
        let path = self.folder.path().join("held").join(hex::encode(id.0));
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(path, bytes).unwrap();
    }

    /// Has the store lose a tensor, whatever keeps it.
    pub fn lose(&self, id: &TensorId) {
        self.damage(id);
        self.store.read_pieces(id, |_| ()).unwrap_err();
        assert!(!self.store.has(id));
    }
}

/// A round of these contents, which all count the same.
pub fn round(mut contents: Vec<TensorId>) -> Combination {
    contents.sort_unstable();
    let entrants = (0..).zip(contents).map(|(task, content)| Entrant { content, task, admitted: task, weight: 10 });
    Combination {
        rows: u32::try_from(ROWS).unwrap(),
        cols: u32::try_from(COLS).unwrap(),
        anchors: ANCHORS,
        matrices: BoundedVec::new(),
        rule: Rule::MultiKrum,
        tolerated: Permill::from_percent(40),
        entrants: BoundedVec::truncate_from(entrants.collect()),
    }
}

/// What a report says of a content.
pub fn finding_of(combination: &Combination, report: &Report, content: &TensorId) -> ensemble_core::spaces::Finding {
    let place = combination.entrants.iter().position(|entrant| entrant.content == *content).unwrap();
    report[place]
}

pub fn matrix_spec(name: &str, rows: u32, cols: u32, basis: Basis) -> MatrixSpec {
    MatrixSpec { name: BoundedVec::truncate_from(name.as_bytes().to_vec()), rows, cols, basis }
}

/// Numbers that look random (S. Vigna's splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `-most` to `most`.
    pub fn within(&mut self, most: i16) -> i16 {
        let span = 2 * u64::from(most.unsigned_abs()) + 1;
        i16::try_from(i64::try_from(self.draw() % span).unwrap() - i64::from(most)).unwrap()
    }
}

/// Rows of unit length that point everywhere.
#[expect(clippy::cast_possible_truncation, reason = "numbers of rows of this length fit")]
pub fn unit_rows(seed: u64) -> Array2<i16> {
    let mut random = Random(seed);
    let mut table = Array2::from_shape_simple_fn((ROWS, COLS), || f64::from(random.within(i16::MAX)));
    for mut row in table.outer_iter_mut() {
        let length = row.iter().map(|number| number * number).sum::<f64>().sqrt();
        row.mapv_inplace(|number| number / length * 32_000.0);
    }
    table.mapv(|number| number.round() as i16)
}

/// What all honest members see.
pub fn truth() -> Array2<i16> {
    unit_rows(1)
}

/// What one of them sees.
pub fn noisy(member: u64) -> Array2<i16> {
    let mut random = Random(1_000 + member);
    truth().mapv(|number| number.saturating_add(random.within(300)))
}

pub fn float(table: &Array2<i16>) -> Array2<f64> {
    table.mapv(f64::from)
}

/// A member's basis: columns in another order and with other signs.
pub struct Turn {
    from: Vec<usize>,
    signs: Vec<i16>,
}

impl Turn {
    pub fn of(member: u64) -> Self {
        let mut random = Random(77 * (member + 1));
        let mut from: Vec<_> = (0..COLS).collect();
        from.sort_by_cached_key(|_| random.draw());
        Self { from, signs: (0..COLS).map(|_| if random.draw().is_multiple_of(2) { 1 } else { -1 }).collect() }
    }

    /// `W P`: rows in the member's basis.
    pub fn rows(&self, table: &Array2<i16>) -> Array2<i16> {
        let number = |(row, col): (usize, usize)| table[(row, self.from[col])] * self.signs[col];
        Array2::from_shape_fn(table.dim(), number)
    }

    /// `P^T W`: a matrix that takes rows in the member's basis.
    pub fn takes(&self, matrix: &Array2<i16>) -> Array2<i16> {
        self.rows(&matrix.t().to_owned()).t().to_owned()
    }
}

/// The largest difference, as a part of the largest number.
pub fn deviation(left: &Array2<f64>, right: &Array2<f64>) -> f64 {
    let largest = |array: Array1<f64>| array.iter().fold(0.0, |most: f64, number| most.max(number.abs()));
    largest((left - right).flatten().to_owned()) / largest(right.flatten().to_owned())
}
