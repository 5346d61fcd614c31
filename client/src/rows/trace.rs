//! Traces: whether a gateway says of its own what a worker can vote for, and what of a worker's own that is.

use ensemble_compute::inference::Entry;
use ensemble_tensor::{Error, Hash, Header, Tensor};

/// Why a gateway cannot have given as much as this worker was given, by the shapes of their traces. It may say that it gave
/// less.
pub fn misfit(own: &Header, gateway: &Header) -> Option<String> {
    let (here, there) = (own.rows(), gateway.rows());
    let fits = here >= there && (own.kind(), own.cols()) == (gateway.kind(), gateway.cols());
    (!fits).then(|| format!("the gateway closed with {there} positions, and this worker has {here}"))
}

/// Where the inputs in two traces of one shape of rows differ first, as far as the gateway's goes.
pub fn difference(own: &Tensor<'_>, gateway: &Tensor<'_>) -> Option<String> {
    let row_len = gateway.header().row_len().max(1);
    let rows = own.data().chunks(row_len).zip(gateway.data().chunks(row_len));
    rows.enumerate().find_map(|(position, (own, gateway))| {
        let stage = inputs(own).zip(inputs(gateway)).position(|(own, gateway)| own != gateway)?;
        Some(format!("the gateway says that it gave another input of stage {stage} at position {position}"))
    })
}

/// The hashes of the inputs in a row.
fn inputs(row: &[u8]) -> impl Iterator<Item = Hash> + '_ {
    row.as_chunks::<{ Entry::LEN }>().0.iter().map(|entry| Entry::from_bytes(entry).input)
}

/// The first positions of a trace.
///
/// # Errors
///
/// If it has fewer, or none are wanted.
pub fn cut<'a>(own: &Tensor<'a>, positions: u32) -> Result<Tensor<'a>, Error> {
    let header = Header::new(own.header().kind(), positions, own.header().cols())?;
    let end = usize::try_from(header.data_len()).unwrap_or(usize::MAX);
    Tensor::new(header, own.data().get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use ensemble_compute::inference::Trace;
    use ensemble_rows::sample::LLAMA;

    use super::*;

    /// A trace with entries of all stages at so many positions.
    fn trace(positions: u32, input: u8, other: u8) -> Trace {
        let mut trace = Trace::new(&LLAMA);
        for position in 0..positions {
            for stage in 0..LLAMA.stages() {
                assert!(trace.record(position, stage, &Entry { input: [input; 32], other: [other; 32] }));
            }
        }
        trace
    }

    fn tensor(trace: &Trace) -> Tensor<'_> {
        Tensor::new(trace.describe().expect("has rows").0, trace.bytes()).expect("is whole")
    }

    #[test]
    fn a_gateway_may_have_given_less_and_not_more() {
        let [three, four] = [3, 4].map(|positions| *tensor(&trace(positions, 1, 1)).header());
        assert_eq!(misfit(&four, &three), None);
        assert_eq!(misfit(&three, &three), None);
        assert!(misfit(&three, &four).is_some());
        let narrow = Header::new(three.kind(), 3, 16).expect("can be");
        assert!(misfit(&three, &narrow).is_some());
    }

    #[test]
    fn inputs_are_compared_and_nothing_else() {
        let (own, gateway) = (trace(4, 1, 1), trace(3, 1, 2));
        assert_eq!(difference(&tensor(&own), &tensor(&gateway)), None);
        let mut other = gateway.clone();
        assert!(other.record(2, 1, &Entry { input: [9; 32], other: [2; 32] }));
        let found = difference(&tensor(&own), &tensor(&other)).expect("differ");
        assert!(found.contains("stage 1 at position 2"), "{found}");
    }

    #[test]
    fn a_trace_is_cut_to_its_first_positions() {
        let own = trace(4, 1, 1);
        let mut short = own.clone();
        short.truncate(2);
        let cut = cut(&tensor(&own), 2).expect("has as many");
        assert_eq!(cut.id().expect("is a tensor"), tensor(&short).id().expect("is a tensor"));
        assert!(super::cut(&tensor(&own), 5).is_err());
        assert!(super::cut(&tensor(&own), 0).is_err());
    }
}
