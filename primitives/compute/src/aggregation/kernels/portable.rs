//! The inner loops.

/// Bits behind the point of a [`rotate`] matrix.
const TURN_BITS: u32 = 14;

/// Sum of products. Exact if it fits 32 bits, whatever the sums on the way.
#[inline(always)]
pub fn dot(left: &[i16], right: &[i16]) -> i32 {
    left.iter()
        .zip(right)
        .fold(0, |sum: i32, (left, right)| sum.wrapping_add(i32::from(*left).wrapping_mul(i32::from(*right))))
}

/// The sum of products of `column` with each of `others`, which has as many columns of the same length as `out` has
/// numbers.
///
/// `chunk` is such that in any chunk of so many numbers of a column the sum of squares is below 2^31; so is then, by
/// Cauchy and Schwarz, the sum of products of two chunks. 2^32 numbers of 16 bits cannot overflow the sum of 64 bits.
#[inline(always)]
pub fn cross(column: &[i16], others: &[i16], chunk: usize, out: &mut [i64]) {
    let chunk = chunk.max(1);
    for (out, other) in out.iter_mut().zip(others.chunks_exact(column.len().max(1))) {
        *out = column
            .chunks(chunk)
            .zip(other.chunks(chunk))
            .fold(0, |sum: i64, (left, right)| sum.wrapping_add(i64::from(dot(left, right))));
    }
}

/// Each of `rows` times a matrix, whose columns are the rows of `turned`, with 14 bits behind the point; rounded to the
/// nearest whole number, a tie up, and limited to 16 bits.
///
/// Rows are at most 1.5^(1/2) * 2^15 long and columns of a rotation 2^14 and a bit, so the sum is below 2^30.
#[inline(always)]
pub fn rotate(rows: &[i16], turned: &[i16], cols: usize, out: &mut [i16]) {
    for (row, out) in rows.chunks_exact(cols).zip(out.chunks_exact_mut(cols)) {
        for (column, out) in turned.chunks_exact(cols).zip(out) {
            let sum = dot(row, column).wrapping_add(1 << (TURN_BITS - 1)) >> TURN_BITS;
            *out = i16::try_from(sum).unwrap_or(if sum < 0 { i16::MIN } else { i16::MAX });
        }
    }
}

/// The sum over all rows of the products of two tables' rows.
///
/// Squares of a row sum to at most 1.5 * 2^30 and a bit, so that of two rows fits 32 bits.
#[inline(always)]
pub fn inner(left: &[i16], right: &[i16], cols: usize) -> i64 {
    left.chunks_exact(cols)
        .zip(right.chunks_exact(cols))
        .fold(0, |sum: i64, (left, right)| sum.wrapping_add(i64::from(dot(left, right))))
}

/// The sum of products of `vector` with each of `rows`, which are as long as it is.
///
/// Numbers may be any: 2^32 products cannot overflow 64 bits.
#[inline(always)]
pub fn products(rows: &[i16], vector: &[i16], out: &mut [i64]) {
    for (out, row) in out.iter_mut().zip(rows.chunks_exact(vector.len().max(1))) {
        *out = row.iter().zip(vector).fold(0, |sum: i64, (left, right)| {
            sum.wrapping_add(i64::from(i32::from(*left).wrapping_mul(i32::from(*right))))
        });
    }
}

/// Adds to `out` the product of `row` and the columns of `matrix` from `from` on.
///
/// The caller knows that the result fits 64 bits; then sums on the way do not matter.
#[inline(always)]
pub fn multiply(row: &[i32], matrix: &[i32], cols: usize, from: usize, out: &mut [i64]) {
    const AT_ONCE: usize = 4;
    let (fours, rest) = row.as_chunks::<AT_ONCE>();
    let (blocks, tail) = matrix.split_at((fours.len() * AT_ONCE * cols).min(matrix.len()));
    for (factors, block) in fours.iter().zip(blocks.chunks_exact(AT_ONCE * cols)) {
        let (upper, lower) = block.split_at(2 * cols);
        let ((first, second), (third, fourth)) = (upper.split_at(cols), lower.split_at(cols));
        add_four(*factors, [&first[from..], &second[from..], &third[from..], &fourth[from..]], out);
    }
    for (factor, line) in rest.iter().zip(tail.chunks_exact(cols)) {
        for (out, number) in out.iter_mut().zip(&line[from..]) {
            *out = out.wrapping_add(product(*factor, *number));
        }
    }
}

/// Four rows at once, so that each sum is read and written once for four products.
#[inline(always)]
fn add_four(factors: [i32; 4], lines: [&[i32]; 4], out: &mut [i64]) {
    let [first, second, third, fourth] = lines;
    let pairs = first.iter().zip(second).zip(third.iter().zip(fourth));
    for (out, ((first, second), (third, fourth))) in out.iter_mut().zip(pairs) {
        *out = out
            .wrapping_add(product(factors[0], *first))
            .wrapping_add(product(factors[1], *second))
            .wrapping_add(product(factors[2], *third))
            .wrapping_add(product(factors[3], *fourth));
    }
}

#[inline(always)]
fn product(left: i32, right: i32) -> i64 {
    i64::from(left).wrapping_mul(i64::from(right))
}
