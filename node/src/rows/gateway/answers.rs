//! The answers to one call: which are alike, and which are taken.
//!
//! Outputs are one thing, and what stands behind them another: who gives false outputs and does not sign them is guilty of
//! nothing, and the gateway that goes on with them is. So of a call that completes positions only those count that were
//! signed, by workers that gave what was taken in all stages before as well.

use std::{
    collections::{BTreeSet, VecDeque},
    ops::Range,
};

use ensemble_compute::inference::hashes;
use ensemble_core::inference::{places_of, Position, RangeIndex};
use ensemble_tensor::Hash;

use crate::rows::protocol::RangeReply;

/// How sure it is that a range's outputs are right.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Certainty {
    /// Too few replicas gave them.
    Unverified,
    /// Most replicas gave them.
    Majority,
    /// All replicas gave them.
    Full,
}

/// What was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Number of the call.
    pub number: u32,
    /// The stage.
    pub stage: u32,
    /// Position of the first input.
    pub first: Position,
    /// Hash of each input.
    pub inputs: Vec<Hash>,
    /// The positions that it completes.
    pub done: Range<Position>,
}

/// How the ranges of a session are shared out.
#[derive(Clone, Copy, Debug)]
pub struct Shares {
    /// Number of workers, and of ranges.
    pub workers: u32,
    /// Workers that serve each range.
    pub replicas: u32,
}

impl Shares {
    /// Workers that are most of those that serve a range.
    fn quorum(&self) -> usize {
        self.replicas as usize / 2 + 1
    }

    fn certainty(&self, places: usize) -> Certainty {
        match places {
            all if all >= self.replicas as usize => Certainty::Full,
            most if most >= self.quorum() => Certainty::Majority,
            _ => Certainty::Unverified,
        }
    }
}

/// The answers to a call.
#[derive(Debug)]
pub struct Answers {
    /// What was asked.
    pub asked: Asked,
    shares: Shares,
    ranges: Vec<Tally>,
    /// Workers that may still answer.
    waiting: BTreeSet<u32>,
    /// Workers whose answers were not looked at, in the order in which they came.
    unexamined: VecDeque<u32>,
    /// Workers whose answers were not compared with what was taken.
    uncompared: Vec<u32>,
    /// What workers signed, until it is looked at.
    signed: Vec<(u32, RangeIndex, Vec<[u8; 64]>)>,
    /// Whether there are outputs for all ranges.
    is_taken: bool,
    /// Bytes of all inputs and outputs.
    bytes: usize,
}

#[derive(Debug, Default)]
struct Tally {
    groups: Vec<Group>,
    taken: Option<usize>,
}

/// Workers that gave the same outputs.
#[derive(Debug)]
struct Group {
    outputs: Vec<i64>,
    places: Vec<u32>,
    /// Those of them that signed it, and all that was taken before in the positions that the call completes.
    signers: Vec<u32>,
    /// For each position the root over its outputs, once it is computed.
    roots: Vec<Hash>,
}

/// Why there is nothing to go on with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stuck {
    /// Nobody is left who answers for this range.
    Lost(RangeIndex),
    /// Nobody is left who signs what was taken for this range.
    Unsigned(RangeIndex),
}

impl Answers {
    /// None yet, of these workers, to a call with inputs of so many bytes.
    pub fn new(asked: Asked, bytes: usize, shares: Shares, waiting: BTreeSet<u32>) -> Self {
        let ranges = (0..shares.workers).map(|_| Tally::default()).collect();
        let (unexamined, uncompared, signed) = (VecDeque::new(), Vec::new(), Vec::new());
        Self { asked, shares, ranges, waiting, unexamined, uncompared, signed, is_taken: false, bytes }
    }

    /// Takes the answer of a worker, for each of its ranges.
    pub fn add(&mut self, place: u32, served: impl Iterator<Item = RangeIndex>, replies: Vec<RangeReply>) {
        self.waiting.remove(&place);
        self.unexamined.push_back(place);
        self.uncompared.push(place);
        for (range, reply) in served.zip(replies) {
            if !reply.signatures.is_empty() {
                self.signed.push((place, range, reply.signatures.into_inner()));
            }
            let Some(tally) = self.ranges.get_mut(range as usize) else { continue };
            match tally.groups.iter_mut().find(|group| group.outputs == reply.outputs) {
                Some(group) => group.places.push(place),
                None => {
                    self.bytes = self.bytes.saturating_add(reply.outputs.len().saturating_mul(8));
                    tally.groups.push(Group::new(reply.outputs, place));
                },
            }
        }
    }

    /// Says that a worker will not answer.
    pub fn give_up(&mut self, place: u32) {
        self.waiting.remove(&place);
    }

    /// Says that a worker stands behind what it gave for a range: that and all that was taken before is signed.
    pub fn sign(&mut self, place: u32, range: RangeIndex) {
        let groups = self.ranges.get_mut(range as usize).into_iter().flat_map(|tally| &mut tally.groups);
        groups.filter(|group| group.places.contains(&place)).for_each(|group| group.signers.push(place));
    }

    /// Says that what a worker gave does not count.
    pub fn strike(&mut self, place: u32) {
        for group in self.ranges.iter_mut().flat_map(|tally| &mut tally.groups) {
            group.places.retain(|other| *other != place);
            group.signers.retain(|other| *other != place);
        }
    }

    /// Whether positions are complete with this.
    pub fn completes(&self) -> bool {
        !self.asked.done.is_empty()
    }

    /// Whether somebody may still answer.
    pub fn is_open(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether a worker may still answer.
    pub fn waits_for(&self, place: u32) -> bool {
        self.waiting.contains(&place)
    }

    /// Whether anybody has answered.
    pub fn has_answer(&self) -> bool {
        self.ranges.iter().any(|tally| !tally.groups.is_empty())
    }

    /// Workers without whom it does not go on: those of ranges whose outputs are not taken who may still answer.
    pub fn awaited(&self) -> BTreeSet<u32> {
        let shares = self.shares;
        let open = (0..).zip(&self.ranges).filter(|(_, tally)| tally.taken.is_none());
        let places = open.flat_map(|(range, _): (RangeIndex, _)| places_of(range, shares.workers, shares.replicas));
        places.filter(|place| self.waiting.contains(place)).collect()
    }

    /// Takes for each range the outputs that most workers gave, as soon as no others can be more; those of fewer if
    /// nobody else may answer. If the call completes positions, those alone count that were signed. Says whether there
    /// are outputs for all.
    pub fn take(&mut self) -> Result<bool, Stuck> {
        let (shares, completes, mut all) = (self.shares, self.completes(), true);
        for (range, tally) in (0..).zip(&mut self.ranges) {
            if tally.taken.is_some() {
                continue;
            }
            let may_come = |place: u32| self.waiting.contains(&place) || completes && self.unexamined.contains(&place);
            let is_open = places_of(range, shares.workers, shares.replicas).any(may_come);
            let largest = tally.largest(range, shares, completes);
            if largest.is_none() && !is_open {
                let was_answered = tally.groups.iter().any(|group| !group.places.is_empty());
                return Err(if was_answered { Stuck::Unsigned(range) } else { Stuck::Lost(range) });
            }
            tally.taken = largest.filter(|(_, size)| !is_open || *size >= shares.quorum()).map(|x| x.0);
            all &= tally.taken.is_some();
        }
        self.is_taken = all;
        Ok(all)
    }

    /// Whether there are outputs for all ranges.
    pub fn is_taken(&self) -> bool {
        self.is_taken
    }

    /// The outputs taken for each range.
    pub fn taken(&self) -> Vec<&[i64]> {
        self.ranges.iter().filter_map(Tally::taken).map(|group| group.outputs.as_slice()).collect()
    }

    /// How sure it is, by what has come so far, that those of each range are right.
    pub fn certainties(&self) -> impl Iterator<Item = Certainty> + '_ {
        let completes = self.completes();
        let places = self.ranges.iter().map(move |tally| tally.taken().map_or(0, |group| group.count(completes)));
        places.map(|places| self.shares.certainty(places))
    }

    /// Computes the roots of outputs that have none yet.
    pub fn hash(&mut self) {
        let count = self.asked.inputs.len();
        for group in self.ranges.iter_mut().flat_map(|tally| &mut tally.groups) {
            if group.roots.is_empty() {
                group.roots = (0..count).map(|place| hashes::outputs(part(&group.outputs, place, count))).collect();
            }
        }
    }

    /// For each position the root over the outputs that a worker gave for a range.
    pub fn roots(&self, place: u32, range: RangeIndex) -> Option<&[Hash]> {
        let groups = &self.ranges.get(range as usize)?.groups;
        groups.iter().find(|group| group.places.contains(&place)).map(|group| group.roots.as_slice())
    }

    /// What a worker signed, which is handed out once.
    pub fn signed_by(&mut self, place: u32) -> Vec<(RangeIndex, Vec<[u8; 64]>)> {
        let of_place = self.signed.extract_if(.., |(signer, ..)| *signer == place);
        of_place.map(|(_, range, signatures)| (range, signatures)).collect()
    }

    /// Where a worker differs from what was taken: ranges and positions.
    pub fn differences(&self, place: u32) -> Vec<(RangeIndex, Position)> {
        let mut found = Vec::new();
        for (range, tally) in (0..).zip(&self.ranges) {
            let (Some(taken), Some(roots)) = (tally.taken(), self.roots(place, range)) else { continue };
            let pairs = taken.roots.iter().zip(roots).zip(self.asked.first..);
            found.extend(pairs.filter(|((taken, own), _)| taken != own).map(|(_, position)| (range, position)));
        }
        found
    }

    /// For each range that workers disagree on: the first position at which they do, who gave what was taken, and that.
    pub fn contested(&self) -> Vec<(RangeIndex, Position, Vec<u32>, &[i64])> {
        let count = self.asked.inputs.len();
        let of_range = |(range, tally): (RangeIndex, &'_ Tally)| {
            let taken = tally.taken()?;
            let others =
                || tally.groups.iter().filter(|group| !std::ptr::eq(*group, taken) && !group.places.is_empty());
            let differs = |place: &usize| {
                let own = part(&taken.outputs, *place, count);
                others().any(|other| part(&other.outputs, *place, count) != own)
            };
            let place = (0..count).find(differs)?;
            let mut places = taken.places.clone();
            places.sort_unstable();
            let position = self.asked.first.saturating_add(u32::try_from(place).unwrap_or(u32::MAX));
            Some((range, position, places, place))
        };
        let found = (0..).zip(&self.ranges).filter_map(of_range);
        let outputs = |range: RangeIndex, place| {
            let taken = self.ranges.get(range as usize).and_then(Tally::taken);
            taken.map_or(&[][..], |taken| part(&taken.outputs, place, count))
        };
        found.map(|(range, position, places, place)| (range, position, places, outputs(range, place))).collect()
    }

    /// The next worker whose answer was not looked at yet.
    pub fn unexamined(&mut self) -> Option<u32> {
        self.unexamined.pop_front()
    }

    /// The workers whose answers were not compared yet with what was taken.
    pub fn uncompared(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.uncompared)
    }

    /// Bytes that the call and its answers take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Tally {
    fn taken(&self) -> Option<&Group> {
        self.taken.and_then(|taken| self.groups.get(taken))
    }

    /// The largest group and how large it is; of those that are as large, the one with the worker that comes first. If
    /// only signers count, and nobody has signed, there is none.
    fn largest(&self, range: RangeIndex, shares: Shares, by_signers: bool) -> Option<(usize, usize)> {
        let rank = |place: &u32| {
            places_of(range, shares.workers, shares.replicas).position(|other| other == *place).unwrap_or(usize::MAX)
        };
        let order = |group: &Group| {
            let first = group.places.iter().map(rank).min().unwrap_or(usize::MAX);
            (group.count(by_signers), group.places.len(), std::cmp::Reverse(first))
        };
        let groups = self.groups.iter().enumerate().filter(|(_, group)| group.count(by_signers) > 0);
        let largest = groups.max_by_key(|(_, group)| order(group))?;
        Some((largest.0, largest.1.count(by_signers)))
    }
}

impl Group {
    fn new(outputs: Vec<i64>, place: u32) -> Self {
        Self { outputs, places: vec![place], signers: Vec::new(), roots: Vec::new() }
    }

    /// How many gave this, or signed it.
    fn count(&self, by_signers: bool) -> usize {
        if by_signers {
            self.signers.len()
        } else {
            self.places.len()
        }
    }
}

/// The outputs for one of so many inputs.
pub fn part(outputs: &[i64], place: usize, count: usize) -> &[i64] {
    let len = outputs.len().checked_div(count).unwrap_or_default();
    let from = place.saturating_mul(len);
    outputs.get(from..from.saturating_add(len)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use ensemble_core::inference::ranges_of;

    use super::*;

    const THREE: Shares = Shares { workers: 3, replicas: 3 };

    fn answers(shares: Shares) -> Answers {
        asked(shares, 5..5)
    }

    fn asked(shares: Shares, done: Range<Position>) -> Answers {
        let asked = Asked { number: 0, stage: 1, first: 5, inputs: vec![[0; 32]; 2], done };
        Answers::new(asked, 100, shares, (0..shares.workers).collect())
    }

    fn reply(outputs: &[i64]) -> RangeReply {
        RangeReply { outputs: outputs.to_vec(), signatures: Default::default() }
    }

    /// A worker gives the same outputs for all of its ranges.
    fn add(answers: &mut Answers, place: u32, outputs: &[i64]) {
        let Shares { workers, replicas } = answers.shares;
        let served: Vec<_> = ranges_of(place, workers, replicas).collect();
        answers.add(place, served.iter().copied(), served.iter().map(|_| reply(outputs)).collect());
    }

    #[test]
    fn two_of_three_are_enough_and_the_third_is_compared() {
        let mut answers = answers(THREE);
        assert_eq!(answers.take(), Ok(false));
        add(&mut answers, 1, &[1, 2]);
        assert_eq!(answers.take(), Ok(false));
        add(&mut answers, 2, &[1, 2]);
        assert_eq!(answers.take(), Ok(true));
        assert!(answers.is_taken());
        assert_eq!(answers.taken(), [&[1, 2]; 3]);
        // The inputs, and for each range two outputs.
        assert_eq!(answers.bytes(), 100 + 3 * 16);
        assert!(answers.certainties().all(|certainty| certainty == Certainty::Majority));
        assert!(answers.is_open());
        answers.hash();
        add(&mut answers, 0, &[1, 3]);
        assert_eq!(answers.bytes(), 100 + 6 * 16);
        answers.hash();
        assert!(!answers.is_open());
        assert!(answers.certainties().all(|certainty| certainty == Certainty::Majority));
        assert_eq!(answers.differences(0), [(0, 6), (1, 6), (2, 6)]);
        assert_eq!(answers.differences(1), []);
        let contested = answers.contested();
        assert_eq!(contested[1], (1, 6, vec![1, 2], &[2][..]));
    }

    #[test]
    fn all_alike_is_full() {
        let mut answers = answers(THREE);
        (0..3).for_each(|place| add(&mut answers, place, &[4, 5]));
        assert_eq!(answers.take(), Ok(true));
        assert!(answers.certainties().all(|certainty| certainty == Certainty::Full));
        assert!(answers.contested().is_empty());
    }

    #[test]
    fn without_a_majority_the_rest_decides_and_the_first_worker_of_the_range_goes_before() {
        let mut answers = answers(THREE);
        add(&mut answers, 2, &[7, 7]);
        add(&mut answers, 0, &[8, 8]);
        assert_eq!(answers.take(), Ok(false));
        answers.give_up(1);
        assert_eq!(answers.take(), Ok(true));
        // Range 0 is worker 0's own, range 2 is worker 2's, and range 1 goes from worker 1 to worker 2.
        assert_eq!(answers.taken(), [&[8, 8], &[7, 7], &[7, 7]]);
        assert!(answers.certainties().all(|certainty| certainty == Certainty::Unverified));
    }

    #[test]
    fn a_range_without_workers_is_lost() {
        let mut answers = answers(Shares { workers: 2, replicas: 1 });
        add(&mut answers, 0, &[1, 1]);
        assert_eq!(answers.take(), Ok(false));
        answers.give_up(1);
        assert_eq!(answers.take(), Err(Stuck::Lost(1)));
    }

    /// A worker signs for all of its ranges.
    fn sign(answers: &mut Answers, place: u32) {
        assert_eq!(answers.unexamined(), Some(place));
        let Shares { workers, replicas } = answers.shares;
        ranges_of(place, workers, replicas).for_each(|range| answers.sign(place, range));
    }

    #[test]
    fn what_completes_a_position_is_taken_when_most_have_signed_it() {
        let mut answers = asked(THREE, 5..6);
        add(&mut answers, 0, &[1, 2]);
        add(&mut answers, 1, &[1, 2]);
        assert_eq!(answers.take(), Ok(false));
        sign(&mut answers, 0);
        assert_eq!(answers.take(), Ok(false));
        sign(&mut answers, 1);
        assert_eq!(answers.take(), Ok(true));
        assert!(answers.certainties().all(|certainty| certainty == Certainty::Majority));
        add(&mut answers, 2, &[1, 2]);
        sign(&mut answers, 2);
        assert!(answers.certainties().all(|certainty| certainty == Certainty::Full));
    }

    #[test]
    fn a_majority_that_does_not_sign_counts_less_than_one_who_does() {
        let mut answers = asked(THREE, 5..6);
        for place in [0, 1] {
            add(&mut answers, place, &[6, 6]);
            assert_eq!(answers.unexamined(), Some(place));
            answers.give_up(place);
            answers.strike(place);
        }
        assert_eq!(answers.take(), Ok(false));
        add(&mut answers, 2, &[1, 2]);
        assert_eq!(answers.take(), Ok(false));
        sign(&mut answers, 2);
        assert_eq!(answers.take(), Ok(true));
        assert_eq!(answers.taken(), [&[1, 2]; 3]);
        assert!(answers.certainties().all(|certainty| certainty == Certainty::Unverified));
    }

    #[test]
    fn what_nobody_signed_is_not_taken() {
        let mut answers = asked(Shares { workers: 1, replicas: 1 }, 5..6);
        add(&mut answers, 0, &[1, 1]);
        assert_eq!(answers.take(), Ok(false));
        assert_eq!(answers.unexamined(), Some(0));
        // It signed, though not what was taken before.
        assert_eq!(answers.take(), Err(Stuck::Unsigned(0)));
        answers.strike(0);
        assert_eq!(answers.take(), Err(Stuck::Lost(0)));
    }

    #[test]
    fn one_of_one_is_full() {
        let mut answers = answers(Shares { workers: 1, replicas: 1 });
        add(&mut answers, 0, &[1, 1]);
        assert_eq!(answers.take(), Ok(true));
        assert!(answers.certainties().all(|certainty| certainty == Certainty::Full));
    }

    #[test]
    fn those_are_awaited_without_whom_it_does_not_go_on() {
        // Range 0 is served by workers 0, 1 and 2, range 1 by 1, 2 and 3, and so on.
        let mut answers = answers(Shares { workers: 5, replicas: 3 });
        assert!(!answers.has_answer());
        [0, 1, 3].into_iter().for_each(|place| add(&mut answers, place, &[1, 1]));
        assert_eq!(answers.take(), Ok(false));
        assert!(answers.has_answer());
        // Ranges 2 is worker 2's, 3's and 4's.
        assert_eq!(answers.awaited(), BTreeSet::from([2, 4]));
        add(&mut answers, 4, &[1, 1]);
        assert_eq!(answers.take(), Ok(true));
        assert!(answers.awaited().is_empty());
    }

    proptest! {
        /// Whoever answers in whatever order: what most of a range's workers gave is what is taken.
        #[test]
        fn a_majority_is_taken_whatever_the_order(
            workers in 1u32..6,
            half in 0u32..3,
            liars in proptest::collection::btree_set(0u32..6, 0..3),
            order in Just((0u32..6).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let replicas = (2 * half + 1).min(workers - (workers + 1) % 2);
            let shares = Shares { workers, replicas };
            let mut answers = answers(shares);
            for place in order.into_iter().filter(|place| *place < workers) {
                let lie = if liars.contains(&place) { i64::from(place) + 1 } else { 0 };
                add(&mut answers, place, &[0, lie]);
                answers.take().unwrap();
            }
            prop_assert!(answers.take().unwrap());
            for (range, outputs) in (0..workers).zip(answers.taken()) {
                let honest = places_of(range, workers, replicas).filter(|place| !liars.contains(place)).count();
                if honest >= shares.quorum() {
                    prop_assert_eq!(outputs, &[0, 0]);
                }
            }
        }
    }
}
