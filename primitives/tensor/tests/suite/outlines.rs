//! Outlines: how a tensor is received piece by piece.

use ensemble_tensor::{Error, Header, Kind, Outline, OutlineBuilder, TensorId};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::common::{patterned, tensors, Owned};

/// Three pieces of rows: the last is short.
fn three_pieces() -> Owned {
    patterned(Kind::I32, 2 * 8192 + 100, 24)
}

fn piece(owned: &Owned, index: u32) -> &[u8] {
    let range = Outline::piece_range(&owned.header, index);
    &owned.data[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]
}

#[test]
fn pieces_are_the_largest_powers_of_two_of_leaves_that_fit() {
    let leaves = |kind, rows, cols| Outline::piece_leaves(&Header::new(kind, rows, cols).unwrap());
    assert_eq!(leaves(Kind::Bytes, 1, 1), 256);
    assert_eq!(leaves(Kind::I16, 9, 1), 1 << 19);
    assert_eq!(leaves(Kind::I32, 9, 24), 8192);
    assert_eq!(leaves(Kind::I32, 9, 262_144), 1);
    assert_eq!(leaves(Kind::I32, 9, 131_073), 1);
    assert_eq!(leaves(Kind::I32, 9, 131_072), 2);
}

#[test]
fn the_largest_tensors_have_at_most_65536_pieces() {
    for (kind, rows, cols) in [(Kind::I32, 65_535, 131_073), (Kind::I32, 32_768, 262_144), (Kind::I16, u32::MAX, 4)] {
        let header = Header::new(kind, rows, cols).unwrap();
        assert!(Outline::piece_count(&header) <= 65_536);
        let last = Outline::piece_range(&header, Outline::piece_count(&header) - 1);
        assert_eq!(last.end, header.data_len());
        assert!(!last.is_empty());
    }
}

#[test]
fn pieces_verify_one_by_one_in_any_order() {
    let owned = three_pieces();
    let whole = owned.tensor().outline().unwrap();
    let outline = Outline::verify(&whole.id(), &owned.header, whole.pieces().to_vec()).unwrap();
    assert_eq!(outline, whole);
    assert_eq!(Outline::piece_count(&owned.header), 3);
    for index in [2, 0, 1] {
        assert!(outline.verify_piece(index, piece(&owned, index)));
        assert!(!outline.verify_piece((index + 1) % 3, piece(&owned, index)));
    }
    assert!(!outline.verify_piece(3, &[]));
    assert!(!outline.verify_piece(u32::MAX, &[]));
}

#[test]
fn altered_pieces_fail() {
    let owned = three_pieces();
    let outline = owned.tensor().outline().unwrap();
    for index in 0..3 {
        let mut bytes = piece(&owned, index).to_vec();
        bytes.push(0);
        assert!(!outline.verify_piece(index, &bytes), "a byte too many");
        bytes.truncate(bytes.len() - 2);
        assert!(!outline.verify_piece(index, &bytes), "a byte too few");
        let mut bytes = piece(&owned, index).to_vec();
        *bytes.last_mut().unwrap() ^= 128;
        assert!(!outline.verify_piece(index, &bytes), "a bit");
    }
    assert!(!outline.verify_piece(0, &[]));
}

#[test]
fn altered_outlines_fail() {
    let owned = three_pieces();
    let outline = owned.tensor().outline().unwrap();
    let (id, header, pieces) = (outline.id(), owned.header, outline.pieces().to_vec());
    let verify = |pieces: Vec<_>| Outline::verify(&id, &header, pieces).unwrap_err();
    assert_eq!(verify(pieces[..2].to_vec()), Error::WrongPieceCount { expected: 3, found: 2 });
    assert_eq!(verify([&pieces[..], &[[0; 32]]].concat()), Error::WrongPieceCount { expected: 3, found: 4 });
    assert_eq!(verify(Vec::new()), Error::WrongPieceCount { expected: 3, found: 0 });
    assert_eq!(verify(vec![pieces[1], pieces[0], pieces[2]]), Error::OutlineMismatch(id));
    let other = Header::new(Kind::I32, header.rows() - 1, header.cols()).unwrap();
    assert_eq!(Outline::verify(&id, &other, pieces.clone()), Err(Error::OutlineMismatch(id)));
    let nobody = TensorId::default();
    assert_eq!(Outline::verify(&nobody, &header, pieces), Err(Error::OutlineMismatch(nobody)));
}

#[test]
fn a_row_is_proved_from_its_piece_alone() {
    let owned = three_pieces();
    let outline = owned.tensor().outline().unwrap();
    for row in [0, 8191, 8192, 16_383, 16_384, 16_483] {
        let number = Outline::piece_of_leaf(&owned.header, row);
        let proof = outline.prove(row, piece(&owned, number)).unwrap();
        assert_eq!(proof, owned.tensor().prove(row).unwrap());
        assert_eq!(proof.verify(&outline.id()), Ok(()));
    }
    assert_eq!(outline.prove(8192, piece(&owned, 0)), Err(Error::PieceMismatch { index: 1 }));
    assert_eq!(outline.prove(16_484, piece(&owned, 2)), Err(Error::NoSuchLeaf { index: 16_484, count: 16_484 }));
}

#[test]
fn a_builder_takes_neither_too_much_nor_too_little() {
    let owned = patterned(Kind::I16, 3, 2);
    let mut builder = OutlineBuilder::new(&owned.header);
    assert_eq!(builder.clone().finish(), Err(Error::WrongLength { expected: 12, found: 0 }));
    builder.update(&owned.data[..5]).unwrap();
    assert_eq!(builder.update(&owned.data[..8]), Err(Error::WrongLength { expected: 12, found: 13 }));
    assert_eq!(builder.taken(), 5);
    assert_eq!(builder.clone().finish(), Err(Error::WrongLength { expected: 12, found: 5 }));
    builder.update(&owned.data[5..]).unwrap();
    assert_eq!(builder.finish(), owned.tensor().outline());
}

proptest! {
    #[test]
    fn the_outline_does_not_depend_on_how_the_data_comes(owned in tensors(), cuts in vec(any::<Index>(), 0..8)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(owned.data.len() + 1)).collect();
        cuts.sort_unstable();
        let mut builder = OutlineBuilder::new(&owned.header);
        let mut start = 0;
        for end in cuts.into_iter().chain([owned.data.len()]) {
            builder.update(&owned.data[start..end]).unwrap();
            start = end;
        }
        let outline = builder.finish().unwrap();
        prop_assert_eq!(outline.id(), owned.tensor().id().unwrap());
        prop_assert!(outline.verify_piece(0, &owned.data));
    }

    #[test]
    fn small_tensors_have_the_same_proofs_either_way(owned in tensors(), row: Index) {
        let row = u32::try_from(row.index(owned.header.leaf_count() as usize)).unwrap();
        let outline = owned.tensor().outline().unwrap();
        prop_assert_eq!(outline.prove(row, &owned.data), owned.tensor().prove(row));
    }

    #[test]
    fn pieces_cover_the_data_in_order(kind in 2usize..7, rows in 1u32..=u32::MAX, groups in 1u32..400) {
        let kind = Kind::ALL[kind];
        let Ok(header) = Header::new(kind, rows, groups * kind.group_cols()) else { return Ok(()) };
        let count = Outline::piece_count(&header);
        for index in [0, count / 2, count - 1] {
            let range = Outline::piece_range(&header, index);
            prop_assert!(range.end - range.start <= Outline::MAX_PIECE_LEN);
            prop_assert_eq!(Outline::piece_range(&header, index.saturating_add(1)).start, range.end);
        }
        prop_assert_eq!(Outline::piece_range(&header, 0).start, 0);
        prop_assert_eq!(Outline::piece_range(&header, count - 1).end, header.data_len());
        prop_assert!(Outline::piece_range(&header, u32::MAX).is_empty() || count == u32::MAX);
    }
}
