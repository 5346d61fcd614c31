//! The Merkle tree against its recursive definition.

use ensemble_tensor::{
    merkle::{leaf_hash, node_hash, path, path_len, root, root_of_path},
    Hash,
};
use proptest::{collection::vec, prelude::*};

/// The largest power of two below `n`: where the definition splits a list of `n` leaves.
fn split_point(n: usize) -> usize {
    n.next_power_of_two() / 2
}

fn defined_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split_point(leaves.len()));
            node_hash(&defined_root(left), &defined_root(right))
        },
    }
}

fn defined_path(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split_point(leaves.len()));
    let (inside, sibling) = match index.checked_sub(left.len()) {
        None => (defined_path(left, index), defined_root(right)),
        Some(index) => (defined_path(right, index), defined_root(left)),
    };
    [inside, vec![sibling]].concat()
}

fn leaves(count: u32) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_le_bytes())).collect()
}

#[test]
fn no_leaves_have_no_root() {
    assert_eq!(root([]), None);
    assert_eq!(path([], 0), None);
}

#[test]
fn leaves_nodes_and_ids_are_hashed_apart() {
    let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
    assert_ne!(leaf_hash(&[left, right].concat()), node_hash(&left, &right));
    assert_ne!(node_hash(&left, &right), node_hash(&right, &left));
}

#[test]
fn every_tree_up_to_130_leaves_is_as_defined() {
    for count in 1..=130 {
        let leaves = leaves(count);
        let expected = defined_root(&leaves);
        assert_eq!(root(leaves.iter().copied()), Some(expected), "root of {count}");
        for (index, leaf) in (0..).zip(&leaves) {
            let siblings = path(leaves.iter().copied(), index).unwrap();
            assert_eq!(siblings, defined_path(&leaves, index as usize), "path of {index} in {count}");
            assert_eq!(siblings.len(), path_len(index, count));
            assert_eq!(root_of_path(*leaf, index, count, &siblings), Some(expected));
        }
        assert_eq!(path(leaves.iter().copied(), count), None);
    }
}

#[test]
fn paths_are_short_in_the_largest_tree() {
    assert_eq!(path_len(0, u32::MAX), 32);
    assert_eq!(path_len(u32::MAX - 1, u32::MAX), 31);
    assert_eq!(path_len(0, 1), 0);
    assert_eq!(root_of_path([0; 32], 0, u32::MAX, &[[0; 32]; 33]), None);
    assert_eq!(root_of_path([0; 32], u32::MAX, u32::MAX, &[]), None);
    assert_eq!(root_of_path([0; 32], 0, 0, &[]), None);
}

proptest! {
    #[test]
    fn lists_that_differ_have_roots_that_differ(
        a in vec(any::<[u8; 1]>(), 1..40),
        b in vec(any::<[u8; 1]>(), 1..40),
    ) {
        prop_assume!(a != b);
        let of = |list: &[[u8; 1]]| root(list.iter().map(|leaf| leaf_hash(leaf)));
        prop_assert_ne!(of(&a), of(&b));
    }
}
