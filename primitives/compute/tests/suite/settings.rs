//! Settings outside the limits are refused before anything is computed.

use ensemble_compute::{
    aggregation::{aggregate, Error, Member, Rule, Settings, Shape},
    Machine,
};
use ndarray::Array2;

const SHAPE: Shape = Shape { rows: 8, cols: 2, anchors: 4 };

fn outcome(shape: Shape, tolerated: u32, count: usize) -> Result<(), Error> {
    let table = Array2::zeros((8, 2));
    let members = vec![Member { id: [0; 32], rank: 0, weight: 1, table: table.view() }; count];
    let settings = Settings { shape, rule: Rule::MultiKrum, tolerated };
    aggregate(&settings, &members, Machine::PORTABLE).map(|_| ())
}

#[test]
fn shapes_have_limits() {
    for shape in [
        Shape { rows: 0, ..SHAPE },
        Shape { cols: 0, ..SHAPE },
        Shape { anchors: 1, ..SHAPE },
        Shape { anchors: 9, ..SHAPE },
        Shape { rows: 5000, cols: 1025, anchors: 5000 },
        Shape { rows: (1 << 20) + 1, ..SHAPE },
    ] {
        assert_eq!(outcome(shape, 0, 1), Err(Error::Shape), "{shape:?}");
    }
    for shape in [SHAPE, Shape { anchors: 2, ..SHAPE }, Shape { rows: 1 << 20, cols: 1024, anchors: 1024 }] {
        assert_eq!(shape.check(), Ok(()), "{shape:?}");
    }
}

#[test]
fn less_than_half_may_cheat() {
    assert_eq!(outcome(SHAPE, 500_000, 1), Err(Error::Tolerated(500_000)));
    assert_eq!(outcome(SHAPE, 499_999, 1), Err(Error::NobodyLeft));
}

#[test]
fn members_are_counted() {
    assert_eq!(outcome(SHAPE, 0, 0), Err(Error::MemberCount(0)));
    assert_eq!(outcome(SHAPE, 0, 129), Err(Error::MemberCount(129)));
    assert_eq!(outcome(SHAPE, 0, 128), Err(Error::NobodyLeft));
}
