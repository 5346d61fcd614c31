//! What is checked of each member before anything is computed.

use alloc::{collections::BTreeMap, vec::Vec};
use core::cmp::Reverse;

use ndarray::ArrayView2;

use crate::aggregation::{Member, Rejection, Shape};

/// The largest sum of squares of a row: 1.5, with 30 bits behind the point.
///
/// A unit row with noise of 0.2 has 1.04. The bound keeps sums of products of two rows below 2^31.
const LONGEST: u64 = 3 << 29;
/// One in so many numbers may stand at the end of its range.
const SATURATED: usize = 64;

/// Why each member is rejected, if it is.
pub fn screen(shape: &Shape, members: &[Member<'_>]) -> Vec<Option<Rejection>> {
    let mut found: Vec<_> = members.iter().map(|member| flaw(shape, member)).collect();
    for place in duplicates(members, &found) {
        if let Some(found) = found.get_mut(place) {
            *found = Some(Rejection::Duplicate);
        }
    }
    found
}

fn flaw(shape: &Shape, member: &Member<'_>) -> Option<Rejection> {
    let table = member.table;
    if table.dim() != shape.dim() {
        return Some(Rejection::WrongDimension);
    }
    if member.weight == 0 {
        return Some(Rejection::NoWeight);
    }
    if table.iter().all(|number| *number == 0) {
        return Some(Rejection::AllZero);
    }
    let at_end = table.iter().filter(|number| number.unsigned_abs() >= i16::MAX.unsigned_abs()).count();
    if at_end > table.len() / SATURATED {
        return Some(Rejection::Saturated);
    }
    has_long_row(table).then_some(Rejection::RowTooLong)
}

/// Whether the squares of a row sum to more than may be.
pub fn has_long_row(table: ArrayView2<'_, i16>) -> bool {
    let square = |number: &i16| u64::from(number.unsigned_abs()).pow(2);
    table.outer_iter().any(|row| row.iter().map(square).sum::<u64>() > LONGEST)
}

/// The places of those whose table another has too: of each such group all but the one with the lowest rank, of several the
/// one with most weight, of several of these the one with the smallest id.
fn duplicates(members: &[Member<'_>], found: &[Option<Rejection>]) -> Vec<usize> {
    let mut order: Vec<_> = (0..members.len()).filter(|place| found.get(*place).is_some_and(Option::is_none)).collect();
    order.sort_by_key(|place| members.get(*place).map(|member| (member.rank, Reverse(member.weight), member.id)));
    // Tables with the same sums are compared with each other.
    let mut kept: BTreeMap<u128, Vec<usize>> = BTreeMap::new();
    order
        .into_iter()
        .filter(|place| {
            let Some(member) = members.get(*place) else { return false };
            let alike = kept.entry(checksum(member.table)).or_default();
            let known = alike.iter().filter_map(|place| members.get(*place)).any(|other| other.table == member.table);
            if !known {
                alike.push(*place);
            }
            known
        })
        .collect()
}

/// A number that is the same for the same tables. It only saves comparisons: nothing depends on it.
fn checksum(table: ArrayView2<'_, i16>) -> u128 {
    table
        .iter()
        .fold(0, |sum: u128, number| sum.wrapping_mul(0x0100_0000_01b3).wrapping_add(u128::from(number.unsigned_abs())))
}
