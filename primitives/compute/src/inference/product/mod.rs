//! Products of rows and vectors.
//!
//! [`portable`] says what they are; what is compiled for vector instructions of a machine is held to it.

mod inputs;
mod portable;
#[cfg(test)]
mod tests;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod x86;

use alloc::vec::Vec;
use core::slice;

use ensemble_tensor::Kind;

use inputs::Input;
#[cfg(not(all(feature = "std", target_arch = "x86_64")))]
// Every 64-bit ARM has NEON, so that the compiler uses it in portable code.
use portable::products as fastest;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
use x86::products as fastest;

use super::{Error, Rows, Vector};
use crate::{parallel, Machine};

pub use inputs::Inputs;

/// A product is in units of two to this power, plus the exponent of the vector.
pub const OUTPUT_EXPONENT: i32 = -24;

/// Products of elements below which another thread takes longer to wake than it saves.
const LEAST_WORK: usize = 1 << 18;

/// The product of one row with a vector, modulo 2^64, in units of `2^(vector's exponent + OUTPUT_EXPONENT)`.
///
/// This is what every other way to multiply is held to, and what the chain does in a dispute: it refuses what is not
/// one row of a valid tensor.
pub fn product(kind: Kind, row: &[u8], vector: &Vector) -> Result<i64, Error> {
    let rows = Rows::new(kind, vector.len(), row)?;
    if rows.len() != 1 {
        return Err(Error::PartialRow { len: row.len(), row_len: rows.row_len() });
    }
    rows.check()?;
    let inputs = Inputs::new(slice::from_ref(vector))?;
    let mut out = 0;
    portable::products(kind, vector.len(), row, inputs.vectors(), slice::from_mut(&mut out));
    Ok(out)
}

/// See [`Rows::products`].
pub fn of_rows(rows: &Rows<'_>, inputs: &Inputs, machine: Machine, outputs: &mut [Vec<i64>]) -> Result<(), Error> {
    if inputs.cols() != rows.cols() {
        return Err(Error::Mismatch { cols: rows.cols(), len: inputs.cols() });
    }
    if inputs.len() != outputs.len() {
        return Err(Error::Outputs { vectors: inputs.len(), outputs: outputs.len() });
    }
    if let [output] = outputs {
        let before = output.len();
        output.resize(before.saturating_add(rows.len()), 0);
        spread(rows, inputs, machine, output.get_mut(before..).unwrap_or_default());
        return Ok(());
    }
    let mut products = alloc::vec![0; rows.len().saturating_mul(inputs.len())];
    spread(rows, inputs, machine, &mut products);
    outputs.iter_mut().for_each(|output| output.reserve(rows.len()));
    for row in products.chunks_exact(inputs.len().max(1)) {
        outputs.iter_mut().zip(row).for_each(|(output, product)| output.push(*product));
    }
    Ok(())
}

/// Writes all products, for each row those with all vectors.
fn spread(rows: &Rows<'_>, inputs: &Inputs, machine: Machine, out: &mut [i64]) {
    let work = out.len().saturating_mul(rows.cols());
    let threads = machine.threads.min(work / LEAST_WORK).max(1);
    let part = rows.len().div_ceil(threads).max(1);
    let mut parts: Vec<_> = rows
        .data()
        .chunks(part.saturating_mul(rows.row_len()))
        .zip(out.chunks_mut(part.saturating_mul(inputs.len()).max(1)))
        .collect();
    parallel::at_once(&mut parts, |(data, out)| {
        multiply(rows.kind(), rows.cols(), data, inputs.vectors(), machine, out)
    });
}

/// Writes all products with one thread.
fn multiply(kind: Kind, cols: usize, data: &[u8], inputs: &[Input], machine: Machine, out: &mut [i64]) {
    let products = if machine.vector { fastest } else { portable::products };
    products(kind, cols, data, inputs, out);
}
