//! A model that fits a test.

#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "what is wrong here fails a test")]

use std::collections::HashMap;

use ensemble_compute::inference::{Llama, Norm, Rows, Shape, Tables, Vector};
use ensemble_tensor::Kind;

use crate::Matrices;

/// Its shape.
pub const LLAMA: Llama = Llama {
    layers: 2,
    width: 32,
    heads: 4,
    kv_heads: 2,
    head_width: 8,
    hidden: 64,
    vocabulary: 41,
    positions: 160,
    epsilon: 10_995_116,
    rope_interleaved: true,
    tied: false,
};

/// A model with numbers from a seed.
#[derive(Clone)]
pub struct Sample {
    matrices: HashMap<String, (usize, Vec<u8>)>,
    norms: Vec<i32>,
    rope: Vec<i32>,
}

/// Numbers that look like any others.
fn noise(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}

/// Vectors of a length.
pub fn vectors(len: usize, count: usize) -> Vec<Vector> {
    let mut noise = noise(len as u64 + 77);
    (0..count)
        .map(|_| {
            let numbers: Vec<_> = noise.by_ref().take(len).map(|number| (number as i64) >> 40).collect();
            Vector::from_exact(&numbers, -20)
        })
        .collect()
}

impl Sample {
    /// That of a seed.
    pub fn new(seed: u64) -> Self {
        let stages = (0..LLAMA.stages()).filter_map(|number| LLAMA.stage(number));
        let shapes = stages.flat_map(|stage| LLAMA.matrices(stage)).chain([LLAMA.embedding()]);
        let matrix = |(place, shape): (u64, Shape)| {
            let mut noise = noise(seed * 1000 + place);
            let blocks = shape.rows as usize * shape.cols as usize / 32;
            let block = |noise: &mut dyn Iterator<Item = u64>| {
                // A scale of 2^-8, then 32 quants.
                let quants = noise.take(32).map(|number| number.to_le_bytes()[3]);
                [0x00, 0x1c].into_iter().chain(quants).collect::<Vec<_>>()
            };
            let data = (0..blocks).flat_map(|_| block(&mut noise)).collect();
            (shape.name, (shape.cols as usize, data))
        };
        let angle = |position: u32, place: u32| f64::from(position) * 10f64.powf(-f64::from(place));
        let unit = |number: f64| (number * f64::from(1 << 30)) as i32;
        let half = LLAMA.head_width / 2;
        let rope = (0..LLAMA.positions).flat_map(|position| {
            let cosines = (0..half).map(move |place| unit(angle(position, place).cos()));
            cosines.chain((0..half).map(move |place| unit(angle(position, place).sin())))
        });
        Self {
            matrices: (0..).zip(shapes).map(matrix).collect(),
            norms: vec![1 << 20; LLAMA.width as usize],
            rope: rope.collect(),
        }
    }

    /// The matrix of a name.
    pub fn named(&self, name: &str) -> Option<Rows<'_>> {
        let (cols, data) = self.matrices.get(name)?;
        Rows::new(Kind::Q8_0, *cols, data).ok()
    }

    /// The same with one quant of a row that is another.
    pub fn altered(&self, name: &str, row: usize) -> Self {
        let mut altered = self.clone();
        let (cols, data) = altered.matrices.get_mut(name).unwrap();
        let place = row * (*cols / 32 * 34) + 2;
        data[place] = data[place].wrapping_add(64);
        altered
    }
}

impl Tables for Sample {
    fn norm(&self, _: Norm) -> Option<&[i32]> {
        Some(&self.norms)
    }

    fn rope(&self, position: u32) -> Option<&[i32]> {
        let len = LLAMA.head_width as usize;
        self.rope.get(position as usize * len..(position as usize + 1) * len)
    }

    fn embedding(&self, token: u32) -> Option<(Kind, &[u8])> {
        let (_, data) = self.matrices.get(&LLAMA.embedding().name)?;
        Some((Kind::Q8_0, data.get(token as usize * 34..(token as usize + 1) * 34)?))
    }
}

impl Matrices for Sample {
    fn llama(&self) -> &Llama {
        &LLAMA
    }

    fn matrix(&self, stage: u32, matrix: usize) -> Option<Rows<'_>> {
        self.named(&LLAMA.matrices(LLAMA.stage(stage)?).get(matrix)?.name)
    }
}
