//! What this node is ready to combine. Checked before anything is read.

use ensemble_compute::aggregation::{Rule, Settings, Shape, MAX_MEMBERS};
use ensemble_core::{
    combination::{Combination, MAX_INPUT_BYTES, MAX_WORK},
    spaces::{self, REPORT, STATE},
};
use ensemble_tensor::{Bundle, Header, Kind, TensorId};

use super::combine::Error;

/// The chain takes what the kernels combine, and nothing else.
const _: () = {
    assert!(spaces::MAX_ROWS == Shape::MAX_ROWS);
    assert!(spaces::MAX_COLS == Shape::MAX_COLS);
    assert!(spaces::MAX_MEMBERS as usize == MAX_MEMBERS);
};

/// How the kernels are to combine, if all is within the limits.
pub fn settings(combination: &Combination) -> Result<Settings, Error> {
    let Combination { rows, cols, anchors, matrices, rule, tolerated, entrants } = combination;
    let shape = Shape { rows: *rows, cols: *cols, anchors: *anchors };
    let settings = Settings { shape, rule: kernel(*rule), tolerated: tolerated.deconstruct() };
    settings.check(entrants.len())?;
    if !entrants.windows(2).all(|pair| matches!(pair, [one, other] if one.content < other.content)) {
        return Err(Error::OutOfOrder);
    }
    if !matrices.iter().all(|matrix| matrix.fits(*cols)) {
        return Err(Error::Matrices);
    }
    let names = matrices.iter().map(|matrix| std::str::from_utf8(&matrix.name).unwrap_or_default());
    Bundle::encode(names.chain([STATE, REPORT]).map(|name| (name, TensorId::default())))
        .map_err(|_| Error::Matrices)?;
    let bytes = input_bytes(combination);
    if bytes > MAX_INPUT_BYTES {
        return Err(Error::TooLarge { bytes, limit: MAX_INPUT_BYTES });
    }
    let work = combination.work();
    if work > MAX_WORK {
        return Err(Error::TooMuchWork { work, limit: MAX_WORK });
    }
    Ok(settings)
}

/// Bytes of the tables and matrices of all members together.
fn input_bytes(combination: &Combination) -> u64 {
    let bytes = |rows, cols| Header::new(Kind::I16, rows, cols).map_or(0, |header| header.data_len());
    let matrices = combination.matrices.iter().map(|matrix| bytes(matrix.rows, matrix.cols));
    let each = matrices.fold(bytes(combination.rows, combination.cols), u64::saturating_add);
    each.saturating_mul(combination.entrants.len() as u64)
}

fn kernel(rule: spaces::Rule) -> Rule {
    match rule {
        spaces::Rule::MultiKrum => Rule::MultiKrum,
        spaces::Rule::GeometricMedian => Rule::GeometricMedian,
        spaces::Rule::TrimmedMean => Rule::TrimmedMean,
    }
}
