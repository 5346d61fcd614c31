//! A true table, and contributors who see it with noise, each in its own basis.

use std::{fs, io, path::Path};

use half::f16;
use nalgebra::DMatrix;
use ndarray::{Array2, ArrayView2, Axis};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};

/// Noise of each number, as a part of the standard deviation of the table's numbers.
pub const NOISE: f32 = 0.2;
/// One in so many rows is an anchor.
const ANCHOR_EVERY: usize = 4;

/// What the contributors try to learn.
#[derive(Clone, Debug)]
pub struct World {
    /// Rows of unit length, anchors first.
    pub truth: Array2<f32>,
    /// Number of anchors.
    pub anchors: usize,
    /// Standard deviation of the noise in each number of an honest table.
    pub noise: f32,
}

impl World {
    /// The first rows of a table of word embeddings in a `.safetensors` file that holds one matrix in binary16. Every
    /// fourth row becomes an anchor.
    pub fn words(path: &Path, rows: usize) -> io::Result<Self> {
        let bytes = fs::read(path)?;
        let broken = || io::Error::new(io::ErrorKind::InvalidData, "no .safetensors file with one matrix in binary16");
        let (len, rest) = bytes.split_first_chunk::<8>().ok_or_else(broken)?;
        let len = usize::try_from(u64::from_le_bytes(*len)).map_err(|_| broken())?;
        let (header, data) = rest.split_at_checked(len).ok_or_else(broken)?;
        let header: serde_json::Value = serde_json::from_slice(header)?;
        let entry = header.as_object().and_then(|entries| entries.values().find(|entry| entry["dtype"] == "F16"));
        let cols = entry.and_then(|entry| entry["shape"][1].as_u64()).ok_or_else(broken)?;
        let cols = usize::try_from(cols).map_err(|_| broken())?;
        let (pairs, _) = data.as_chunks::<2>();
        let numbers = pairs.iter().take(rows * cols).map(|pair| f16::from_le_bytes(*pair).to_f32()).collect();
        Ok(Self::new(Array2::from_shape_vec((rows, cols), numbers).map_err(|_| broken())?))
    }

    /// Rows scattered around random centres, a few to each, with directions of unequal strength.
    pub fn clustered(rows: usize, cols: usize, seed: u64) -> Self {
        const CLUSTER: usize = 8;
        let mut random = Random::new(seed);
        let centres = random.normal(rows.div_ceil(CLUSTER), cols);
        let strength = |col: usize| 1.0 / (1.0 + col as f32 / cols as f32);
        let scatter = random.normal(rows, cols);
        let table = Array2::from_shape_fn((rows, cols), |(row, col)| {
            strength(col) * (centres[[row / CLUSTER, col]] + 0.7 * scatter[[row, col]])
        });
        Self::new(table)
    }

    fn new(table: Array2<f32>) -> Self {
        let rows = table.nrows();
        let (anchors, rest): (Vec<_>, Vec<_>) = (0..rows).partition(|row| row % ANCHOR_EVERY == 0);
        let truth = unit(table.select(Axis(0), &[&anchors[..], &rest].concat()));
        let noise = NOISE * truth.std(0.0);
        Self { truth, anchors: anchors.len(), noise }
    }

    /// What an honest contributor has learnt, in the basis of the truth.
    pub fn contribution(&self, random: &mut Random) -> Array2<f32> {
        let (rows, cols) = self.truth.dim();
        &self.truth + self.noise * random.normal(rows, cols)
    }
}

/// Rows divided by their lengths.
pub fn unit(mut table: Array2<f32>) -> Array2<f32> {
    for mut row in table.rows_mut() {
        let length = row.dot(&row).sqrt().max(f32::MIN_POSITIVE);
        row /= length;
    }
    table
}

/// A table as it is handed in: turned into a basis of its own, each number in 16 bits.
pub fn hand_in(table: ArrayView2<'_, f32>, random: &mut Random) -> Array2<i16> {
    turned(table, random.rotation(table.ncols()).view())
}

/// A table as it is handed in, in this basis.
pub fn turned(table: ArrayView2<'_, f32>, basis: ArrayView2<'_, f32>) -> Array2<i16> {
    quantised(table.dot(&basis).view())
}

/// Numbers of 16 bits with 15 behind the point, limited at both ends.
#[allow(clippy::cast_possible_truncation, reason = "casts from floats saturate")]
pub fn quantised(table: ArrayView2<'_, f32>) -> Array2<i16> {
    table.mapv(|number| (number * 32_768.0).round() as i16)
}

/// The numbers that 16 bits stand for.
pub fn widened(table: ArrayView2<'_, i16>) -> Array2<f32> {
    table.mapv(|number| f32::from(number) / 32_768.0)
}

/// Randomness that is the same at every run.
#[derive(Clone, Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Between 0 and 1, not 0.
    fn uniform(&mut self) -> f32 {
        ((self.0.next_u32() >> 8) as f32 + 1.0) / 16_777_217.0
    }

    /// Numbers of the standard normal distribution (G. E. P. Box, M. E. Muller 1958).
    pub fn normal(&mut self, rows: usize, cols: usize) -> Array2<f32> {
        Array2::from_shape_simple_fn((rows, cols), || {
            (-2.0 * self.uniform().ln()).sqrt() * (std::f32::consts::TAU * self.uniform()).cos()
        })
    }

    /// 1 or -1.
    pub fn sign(&mut self) -> f32 {
        if self.0.next_u32() & 1 == 0 {
            1.0
        } else {
            -1.0
        }
    }

    /// An order of the numbers below `count`.
    pub fn order(&mut self, count: usize) -> Vec<usize> {
        let mut keyed: Vec<_> = (0..count).map(|number| (self.0.next_u64(), number)).collect();
        keyed.sort_unstable();
        keyed.into_iter().map(|(_, number)| number).collect()
    }

    /// A random orthogonal matrix.
    pub fn rotation(&mut self, cols: usize) -> Array2<f32> {
        let normal = self.normal(cols, cols);
        let q = DMatrix::from_fn(cols, cols, |row, col| normal[[row, col]]).qr().q();
        Array2::from_shape_fn((cols, cols), |(row, col)| q[(row, col)])
    }
}
