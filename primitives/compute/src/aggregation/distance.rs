//! Distances between members.

use alloc::{vec, vec::Vec};

use crate::{
    aggregation::{settings::MILLION, weights},
    parallel, Machine,
};

/// Squared distances between each two of several members.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Distances {
    count: usize,
    squares: Vec<u64>,
}

impl Distances {
    /// Squared distances from the products of members with each other.
    ///
    /// `product` is called for each two members, the smaller place first, and for each with itself. All distances are
    /// divided by the smallest power of two that brings them below 2^62, and rounded down.
    pub fn from_products(count: usize, machine: Machine, product: impl Fn(usize, usize) -> u128 + Sync) -> Self {
        let mut pairs: Vec<_> = (0..count).flat_map(|i| (i..count).map(move |j| (i, j, 0))).collect();
        parallel::for_each(machine, &mut pairs, |_, (i, j, found)| *found = product(*i, *j));
        let mut own = vec![0; count];
        for (i, _, found) in pairs.iter().filter(|(i, j, _)| i == j) {
            if let Some(own) = own.get_mut(*i) {
                *own = *found;
            }
        }
        let own = |i: usize| own.get(i).copied().unwrap_or_default();
        for (i, j, found) in &mut pairs {
            *found = (own(*i) + own(*j)).saturating_sub(2 * *found);
        }
        Self::from_squares(count, &pairs)
    }

    fn from_squares(count: usize, pairs: &[(usize, usize, u128)]) -> Self {
        const BITS: u32 = 62;
        let largest = pairs.iter().map(|(_, _, square)| *square).max().unwrap_or_default();
        let shift = (u128::BITS - largest.leading_zeros()).saturating_sub(BITS);
        let mut squares = vec![0; count * count];
        for (i, j, square) in pairs {
            let square = u64::try_from(square >> shift).unwrap_or(u64::MAX);
            for place in [i * count + j, j * count + i] {
                if let Some(out) = squares.get_mut(place) {
                    *out = square;
                }
            }
        }
        Self { count, squares }
    }

    /// Sums of squared differences between tables of `cols` columns, whose rows are short enough: see
    /// [`Rejection::RowTooLong`](crate::aggregation::Rejection::RowTooLong).
    pub(crate) fn between(tables: &[&[i16]], cols: usize, machine: Machine) -> Self {
        let table = |i: usize| tables.get(i).copied().unwrap_or_default();
        // Only differing members have negative products, and those count double: an offset keeps them positive.
        let offset = tables.iter().map(|table| table.len() as u128).max().unwrap_or_default() << 32;
        Self::from_products(tables.len(), machine, |i, j| {
            let inner = i128::from(machine.inner(table(i), table(j), cols));
            inner.saturating_add_unsigned(offset).try_into().unwrap_or_default()
        })
    }

    /// Number of members.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Squared distances of one member to all, itself included.
    pub fn row(&self, member: usize) -> &[u64] {
        self.squares.chunks_exact(self.count.max(1)).nth(member).unwrap_or_default()
    }

    /// The usual distance between honest members, if `millionths` of the weight belong to cheats.
    ///
    /// Pairs weigh the product of their members' weights; those of honest members have the square of the honest part
    /// of all. The distance is the one below which two thirds of that much lie. Cheats who lie far away do not move it
    /// beyond the distances of the honest, nor do those who lie all in one place bring it to zero, as long as the
    /// square of their part is smaller.
    pub fn usual(&self, weights: &[u64], millionths: u32) -> u64 {
        let mut pairs = Vec::new();
        for (i, weight) in weights.iter().enumerate() {
            let others = self.row(i).iter().zip(weights).skip(i + 1);
            pairs.extend(others.map(|(square, other)| (*square, u128::from(*weight) * u128::from(*other))));
        }
        let honest = u128::from(MILLION.saturating_sub(millionths)).pow(2);
        weights::quantile(pairs, 2 * honest, 3 * u128::from(MILLION).pow(2))
    }
}
