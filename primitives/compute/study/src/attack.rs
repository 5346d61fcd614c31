//! What cheats hand in. They know the truth, each other, and what every honest contributor hands in.

use nalgebra::DMatrix;
use ndarray::{s, Array2, Axis};

use crate::world::{unit, Random, World};

/// Length of rows that are just not refused.
const LONG: f32 = 1.2;

/// How a group of cheats works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Attack {
    /// Every number with the other sign; anchors too, which alignment undoes.
    FlipAll,
    /// Honest anchors, all else with the other sign.
    Flip,
    /// All near the mean of the honest, moved by so many standard deviations of theirs in a random direction that the
    /// cheats share: G. Baruch, M. Baruch, Y. Goldberg, *A Little Is Enough* (NeurIPS 2019).
    Shift(f32),
    /// The same, each with noise of its own like an honest contributor's.
    ShiftWithNoise(f32),
    /// The same, each with half of the variance of an honest contributor's noise.
    ShiftWithLessNoise(f32),
    /// One other table for all of them: the true rows in another order, as long as rows may be, behind honest anchors.
    Collude,
    /// The same with the anchors in that order too.
    ColludeAll,
    /// Random rows, as long as rows may be, behind honest anchors.
    Noise,
    /// Random rows, anchors too.
    NoiseAll,
    /// Random anchors before honest rows.
    BadAnchors,
    /// Honest rows behind anchors that were turned by a rotation which the cheats share.
    TurnedAnchors,
    /// The true table without the last quarter of its directions: near to everyone's, and a basis to which nobody's
    /// rotation would be determined.
    FlatAnchors,
    /// Anchors whose weakest direction was replaced by one that nobody else's have, just strong enough not to be refused: to
    /// themselves they are well-conditioned, to others they leave a direction to the noise. Behind them, the colluders'
    /// other table.
    LooseAnchors,
    /// Honest but for one row in so many, which is another's: the same for all cheats.
    FewRows(usize),
}

impl Attack {
    /// Every attack of the study.
    pub const ALL: [Self; 18] = [
        Self::FlipAll,
        Self::Flip,
        Self::Shift(0.5),
        Self::Shift(1.0),
        Self::Shift(1.5),
        Self::ShiftWithNoise(0.7),
        Self::ShiftWithNoise(1.0),
        Self::ShiftWithLessNoise(0.8),
        Self::Collude,
        Self::ColludeAll,
        Self::Noise,
        Self::NoiseAll,
        Self::BadAnchors,
        Self::TurnedAnchors,
        Self::FlatAnchors,
        Self::LooseAnchors,
        Self::FewRows(20),
        Self::FewRows(200),
    ];

    /// What it is called in tables.
    pub fn name(self) -> String {
        match self {
            Self::FlipAll => "sign-flipping, anchors too".into(),
            Self::Flip => "sign-flipping behind honest anchors".into(),
            Self::Shift(by) => format!("shifting by {by} deviations, all alike"),
            Self::ShiftWithNoise(by) => format!("shifting by {by} deviations, with own noise"),
            Self::ShiftWithLessNoise(by) => format!("shifting by {by} deviations, with half the noise"),
            Self::Collude => "colluding on one table behind honest anchors".into(),
            Self::ColludeAll => "colluding on one table, anchors too".into(),
            Self::Noise => "noise behind honest anchors".into(),
            Self::NoiseAll => "noise, anchors too".into(),
            Self::BadAnchors => "random anchors before honest rows".into(),
            Self::TurnedAnchors => "turned anchors before honest rows".into(),
            Self::FlatAnchors => "a table without its last directions".into(),
            Self::LooseAnchors => "anchors that hardly fix a turn before another table".into(),
            Self::FewRows(every) => format!("false in one row of {every}"),
        }
    }

    /// The tables of `count` cheats, in the basis of the truth. `honest` are those of the others.
    pub fn tables(self, world: &World, honest: &[Array2<f32>], count: usize, random: &mut Random) -> Vec<Array2<f32>> {
        let (rows, cols) = world.truth.dim();
        let shared = self.shared(world, honest, random);
        (0..count)
            .map(|_| match self {
                Self::FlipAll => -world.contribution(random),
                Self::Flip => behind(world, world.contribution(random), -world.contribution(random)),
                Self::ShiftWithNoise(_) => &shared + world.noise * random.normal(rows, cols),
                Self::ShiftWithLessNoise(_) => &shared + 0.5f32.sqrt() * world.noise * random.normal(rows, cols),
                Self::Shift(_) | Self::ColludeAll | Self::FlatAnchors | Self::LooseAnchors => shared.clone(),
                Self::Collude => behind(world, world.contribution(random), shared.clone()),
                Self::Noise => behind(world, world.contribution(random), LONG * unit(random.normal(rows, cols))),
                Self::NoiseAll => LONG * unit(random.normal(rows, cols)),
                Self::BadAnchors => behind(world, unit(random.normal(rows, cols)), world.contribution(random)),
                Self::TurnedAnchors => {
                    let turned = world.contribution(random).dot(&shared);
                    behind(world, turned, world.contribution(random))
                },
                Self::FewRows(every) => {
                    let mut table = world.contribution(random);
                    for row in (world.anchors..rows).step_by(every) {
                        table.row_mut(row).assign(&shared.row(row));
                    }
                    table
                },
            })
            .collect()
    }

    /// What the cheats agree on.
    fn shared(self, world: &World, honest: &[Array2<f32>], random: &mut Random) -> Array2<f32> {
        match self {
            Self::Shift(by) | Self::ShiftWithNoise(by) | Self::ShiftWithLessNoise(by) => {
                let sum = honest.iter().fold(Array2::zeros(world.truth.dim()), |sum, table| sum + table);
                let mean: Array2<f32> = sum / honest.len() as f32;
                mean.mapv(|number: f32| number + by * world.noise * random.sign())
            },
            Self::Collude | Self::ColludeAll | Self::FewRows(_) => another(world, random),
            Self::LooseAnchors => behind(world, loose(world, random), another(world, random)),
            Self::TurnedAnchors => random.rotation(world.truth.ncols()),
            Self::FlatAnchors => {
                let basis = random.rotation(world.truth.ncols());
                let kept = basis.slice(s![.., ..world.truth.ncols() * 3 / 4]);
                world.truth.dot(&kept).dot(&kept.t())
            },
            _ => Array2::zeros((0, 0)),
        }
    }
}

/// The anchors of one table and all other rows of another.
fn behind(world: &World, mut anchors: Array2<f32>, rest: Array2<f32>) -> Array2<f32> {
    anchors.slice_mut(s![world.anchors.., ..]).assign(&rest.slice(s![world.anchors.., ..]));
    anchors
}

/// The true rows in another order, as long as rows may be.
fn another(world: &World, random: &mut Random) -> Array2<f32> {
    LONG * world.truth.select(Axis(0), &random.order(world.truth.nrows()))
}

/// The true table; of its anchors the weakest direction is taken away, and in its place comes one at a right angle to all.
#[allow(clippy::cast_possible_truncation, reason = "numbers of a table have the precision of f32")]
fn loose(world: &World, random: &mut Random) -> Array2<f32> {
    /// Its square, as a part of the norm of the anchors' products: 1/10,000 is refused.
    const STRENGTH: f64 = 1.5e-4;
    let wide =
        |table: &Array2<f32>, rows| DMatrix::from_fn(rows, table.ncols(), |row, col| f64::from(table[[row, col]]));
    let anchors = wide(&world.truth, world.anchors);
    let gram = anchors.tr_mul(&anchors);
    let strength = (STRENGTH * gram.norm()).sqrt();
    let eigen = gram.symmetric_eigen();
    let weakest = eigen.eigenvectors.column(eigen.eigenvalues.imin()).into_owned();
    let noise = wide(&random.normal(world.anchors, 1), world.anchors);
    let parts = eigen.eigenvectors.tr_mul(&anchors.tr_mul(&noise)).column(0).component_div(&eigen.eigenvalues);
    let outside = (noise - &anchors * (&eigen.eigenvectors * parts)).normalize();
    let change = (outside * strength - &anchors * &weakest) * weakest.transpose();
    let mut table = world.truth.clone();
    for ((row, col), number) in table.slice_mut(s![..world.anchors, ..]).indexed_iter_mut() {
        *number += change[(row, col)] as f32;
    }
    table
}
