//! Products of a worker's rows: ranges that are neighbours are multiplied in one go.

use std::ops::Range;

use ensemble_compute::{
    inference::{ranges, Inputs, RangeIndex, Rows},
    Machine,
};

use crate::Matrices;

/// The outputs of some of `count` ranges, in the order given: of each those for the first of so many vectors, then for the
/// next.
///
/// # Errors
///
/// If the model has no such rows, or the inputs do not fit.
pub fn products(
    model: &dyn Matrices,
    stage: u32,
    served: &[RangeIndex],
    count: u32,
    inputs: &Inputs,
    vectors: usize,
    machine: Machine,
) -> Result<Vec<Vec<i64>>, String> {
    let mut found = vec![Vec::new(); served.len()];
    for run in runs(served) {
        let products = of_run(model, stage, &run, count, inputs, vectors, machine)?;
        if run.len() == 1 {
            let outputs = products.into_iter().reduce(|mut all, next| {
                all.extend(next);
                all
            });
            put(&mut found, served, run.start, outputs.unwrap_or_default());
            continue;
        }
        for range in run.clone() {
            let parts = parts_in_run(model, stage, range, &run, count);
            let len: usize = parts.iter().map(Range::len).sum();
            let mut outputs = Vec::with_capacity(len.saturating_mul(vectors));
            for (of_vector, part) in
                products.iter().flat_map(|of_vector| parts.iter().map(move |part| (of_vector, part)))
            {
                outputs.extend_from_slice(of_vector.get(part.clone()).unwrap_or_default());
            }
            put(&mut found, served, range, outputs);
        }
    }
    Ok(found)
}

fn put(found: &mut [Vec<i64>], served: &[RangeIndex], range: RangeIndex, outputs: Vec<i64>) {
    let place = served.iter().position(|other| *other == range).and_then(|place| found.get_mut(place));
    if let Some(place) = place {
        *place = outputs;
    }
}

/// Runs of neighbouring ranges.
fn runs(served: &[RangeIndex]) -> Vec<Range<RangeIndex>> {
    let mut sorted = served.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut runs: Vec<Range<RangeIndex>> = Vec::new();
    for range in sorted {
        match runs.last_mut() {
            Some(run) if run.end == range => run.end = range.saturating_add(1),
            _ => runs.push(range..range.saturating_add(1)),
        }
    }
    runs
}

/// The rows of a matrix that belong to a run.
fn rows(height: u32, run: &Range<RangeIndex>, count: u32) -> Range<usize> {
    let first = ranges::rows(height, run.start, count);
    let last = ranges::rows(height, run.end.saturating_sub(1), count);
    first.start as usize..last.end as usize
}

/// The matrices of a stage.
fn matrices(model: &dyn Matrices, stage: u32) -> impl Iterator<Item = Rows<'_>> {
    (0..).map_while(move |matrix| model.matrix(stage, matrix))
}

/// For each vector the products of a run's rows, matrix by matrix.
fn of_run(
    model: &dyn Matrices,
    stage: u32,
    run: &Range<RangeIndex>,
    count: u32,
    inputs: &Inputs,
    vectors: usize,
    machine: Machine,
) -> Result<Vec<Vec<i64>>, String> {
    let mut outputs = vec![Vec::new(); vectors];
    for whole in matrices(model, stage) {
        let rows = whole.range(rows(height(&whole), run, count)).ok_or("the model lacks rows")?;
        rows.products(inputs, machine, &mut outputs).map_err(|error| error.to_string())?;
    }
    Ok(outputs)
}

fn height(matrix: &Rows<'_>) -> u32 {
    u32::try_from(matrix.len()).unwrap_or(u32::MAX)
}

/// Where a range's outputs lie among those of its run.
fn parts_in_run(
    model: &dyn Matrices,
    stage: u32,
    range: RangeIndex,
    run: &Range<RangeIndex>,
    count: u32,
) -> Vec<Range<usize>> {
    let mut base = 0_usize;
    let part = |matrix: Rows<'_>| {
        let height = height(&matrix);
        let (all, own) = (rows(height, run, count), ranges::rows(height, range, count));
        let from = base.saturating_add((own.start as usize).saturating_sub(all.start));
        base = base.saturating_add(all.len());
        from..from.saturating_add(own.len())
    };
    matrices(model, stage).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, Sample};

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "a list of one range is meant")]
    fn neighbours_are_computed_in_one_go() {
        assert_eq!(runs(&[2, 1, 0]), [0..3]);
        assert_eq!(runs(&[0, 3, 2]), [0..1, 2..4]);
        assert_eq!(runs(&[5]), [5..6]);
    }

    #[test]
    fn any_split_gives_the_same_outputs() {
        let model = Sample::new(1);
        let llama = *model.llama();
        for number in 0..llama.stages() {
            let stage = llama.stage(number).unwrap();
            let vectors = sample::vectors(llama.inputs(stage) as usize, 3);
            let inputs = Inputs::new(&vectors).unwrap();
            let of = |served: &[u32], count| products(&model, number, served, count, &inputs, 3, Machine::PORTABLE);
            let whole = of(&[0], 1).unwrap().remove(0);
            assert_eq!(whole.len(), 3 * llama.outputs(stage) as usize);
            for count in 1..=5 {
                let backwards: Vec<_> = (0..count).rev().collect();
                let mut all = of(&backwards, count).unwrap();
                all.reverse();
                for (range, outputs) in (0..).zip(&all) {
                    assert_eq!(of(&[range], count).unwrap().remove(0), *outputs);
                    assert_eq!(outputs.len(), 3 * ranges::len(&llama, stage, range, count));
                }
                let joined = (0..3).flat_map(|vector| {
                    let parts: Vec<_> = all
                        .iter()
                        .map(|outputs| {
                            let len = outputs.len() / 3;
                            &outputs[vector * len..(vector + 1) * len]
                        })
                        .collect();
                    ranges::join(&llama, stage, &parts).unwrap()
                });
                assert_eq!(joined.collect::<Vec<_>>(), whole);
            }
        }
    }
}
