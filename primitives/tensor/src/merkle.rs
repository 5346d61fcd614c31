//! The Merkle tree over a tensor's leaves, and the hashes that make up its identity.
//!
//! Nodes are paired from the left, level by level; a node without a partner is carried up unchanged. That is the shape
//! of the tree in RFC 6962, here with BLAKE2b of 32 bytes. What is hashed begins with a byte that keeps leaves, inner
//! nodes and ids apart.

use alloc::vec::Vec;

use blake2b_simd::{Params, State};

use crate::{Header, TensorId};

/// A BLAKE2b hash of 32 bytes.
pub type Hash = [u8; 32];

/// First byte of what is hashed for a leaf.
const LEAF: u8 = 0;
/// First byte of what is hashed for an inner node.
const NODE: u8 = 1;
/// First byte of what is hashed for an id.
const ID: u8 = 2;

/// The hash of a leaf.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    let mut hasher = LeafHasher::new();
    hasher.update(leaf);
    hasher.finish()
}

/// The hash of an inner node over its two children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    finish(start(NODE).update(left).update(right))
}

/// The id of a tensor with this header and this root over its leaves.
pub(crate) fn tensor_id(header: &Header, root: &Hash) -> TensorId {
    TensorId(finish(start(ID).update(&header.to_bytes()).update(root)))
}

fn start(domain: u8) -> State {
    let mut state = Params::new().hash_length(size_of::<Hash>()).to_state();
    state.update(&[domain]);
    state
}

fn finish(state: &State) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(state.finalize().as_bytes());
    hash
}

/// Hashes a leaf that comes in parts.
#[derive(Clone, Debug)]
pub(crate) struct LeafHasher(State);

impl LeafHasher {
    pub(crate) fn new() -> Self {
        Self(start(LEAF))
    }

    pub(crate) fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    pub(crate) fn finish(&self) -> Hash {
        finish(&self.0)
    }
}

/// Computes the root over leaves that come one after the other, in memory that grows with the tree's height only.
#[derive(Clone, Debug, Default)]
pub struct RootBuilder {
    /// Roots of the complete subtrees so far, from left to right; each is smaller than the one before it.
    peaks: Vec<Subtree>,
    leaves: u64,
    watched: Option<Watched>,
}

#[derive(Clone, Copy, Debug)]
struct Subtree {
    first: u64,
    leaves: u64,
    root: Hash,
}

impl Subtree {
    fn covers(&self, leaf: u64) -> bool {
        leaf.checked_sub(self.first).is_some_and(|offset| offset < self.leaves)
    }
}

/// A leaf whose siblings are kept on the way up.
#[derive(Clone, Debug)]
struct Watched {
    leaf: u64,
    siblings: Vec<Hash>,
}

impl RootBuilder {
    /// A tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    fn watching(leaf: u32) -> Self {
        Self { watched: Some(Watched { leaf: leaf.into(), siblings: Vec::new() }), ..Self::default() }
    }

    /// Adds the hash of the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut subtree = Subtree { first: self.leaves, leaves: 1, root: leaf };
        self.leaves = self.leaves.saturating_add(1);
        while let Some(left) = self.peaks.pop_if(|peak| peak.leaves == subtree.leaves) {
            subtree = self.join(&left, &subtree);
        }
        self.peaks.push(subtree);
    }

    /// The root over the leaves so far; nothing if there are none.
    pub fn root(mut self) -> Option<Hash> {
        self.join_peaks()
    }

    fn join_peaks(&mut self) -> Option<Hash> {
        let mut subtree = self.peaks.pop()?;
        while let Some(left) = self.peaks.pop() {
            subtree = self.join(&left, &subtree);
        }
        Some(subtree.root)
    }

    fn join(&mut self, left: &Subtree, right: &Subtree) -> Subtree {
        if let Some(Watched { leaf, siblings }) = &mut self.watched {
            if left.covers(*leaf) {
                siblings.push(right.root);
            } else if right.covers(*leaf) {
                siblings.push(left.root);
            }
        }
        Subtree {
            first: left.first,
            leaves: left.leaves.saturating_add(right.leaves),
            root: node_hash(&left.root, &right.root),
        }
    }
}

/// The root over `leaves`; nothing if there are none.
pub fn root(leaves: impl IntoIterator<Item = Hash>) -> Option<Hash> {
    let mut builder = RootBuilder::new();
    leaves.into_iter().for_each(|leaf| builder.push(leaf));
    builder.root()
}

/// The siblings on the way from leaf `index` up to the root; nothing if there is no such leaf.
pub fn path(leaves: impl IntoIterator<Item = Hash>, index: u32) -> Option<Vec<Hash>> {
    let mut builder = RootBuilder::watching(index);
    leaves.into_iter().for_each(|leaf| builder.push(leaf));
    builder.join_peaks()?;
    if builder.leaves <= u64::from(index) {
        return None;
    }
    builder.watched.map(|watched| watched.siblings)
}

/// The number of siblings on the way from leaf `index` up in a tree of `count` leaves, at most 32.
pub fn path_len(index: u32, count: u32) -> usize {
    steps(index, count).filter(|step| *step != Step::CarriedUp).count()
}

/// The root to which `siblings` lead from a leaf with hash `leaf` at `index` in a tree of `count` leaves.
///
/// Nothing if there is no such leaf, or if there are not exactly as many siblings as such a tree has.
pub fn root_of_path(leaf: Hash, index: u32, count: u32, siblings: &[Hash]) -> Option<Hash> {
    if index >= count || siblings.len() != path_len(index, count) {
        return None;
    }
    let mut siblings = siblings.iter();
    steps(index, count).try_fold(leaf, |node, step| match step {
        Step::CarriedUp => Some(node),
        Step::SiblingLeft => siblings.next().map(|sibling| node_hash(sibling, &node)),
        Step::SiblingRight => siblings.next().map(|sibling| node_hash(&node, sibling)),
    })
}

/// What happens to a node from one level to the next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    /// It has no partner.
    CarriedUp,
    /// Its partner stands before it.
    SiblingLeft,
    /// Its partner stands after it.
    SiblingRight,
}

/// The steps from leaf `index` up to the root of a tree of `count` leaves.
fn steps(index: u32, count: u32) -> impl Iterator<Item = Step> {
    let levels = core::iter::successors(Some((index, count)), |(index, width)| Some((index / 2, width.div_ceil(2))));
    levels.take_while(|(_, width)| *width > 1).map(|(index, width)| {
        if !index.is_multiple_of(2) {
            Step::SiblingLeft
        } else if index < width - 1 {
            Step::SiblingRight
        } else {
            Step::CarriedUp
        }
    })
}
