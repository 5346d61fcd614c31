//! The same model in 32-bit floating point, from the same weights: what the integers are compared with.

use std::io;

use ensemble_compute::inference::{Norm, Stage, Tables};
use ensemble_tensor::quantise::dequantise_row;
use ndarray::{concatenate, s, Array1, Array2, ArrayView2, Axis};

use crate::model::Model;

struct Layer {
    attention_norm: Array1<f32>,
    query: Array2<f32>,
    key: Array2<f32>,
    value: Array2<f32>,
    output: Array2<f32>,
    feed_norm: Array1<f32>,
    gate: Array2<f32>,
    up: Array2<f32>,
    down: Array2<f32>,
}

/// A Llama in floating point.
pub struct Float<'a> {
    model: &'a Model,
    layers: Vec<Layer>,
    norm: Array1<f32>,
    embedding: Array2<f32>,
    /// If it is not the embedding.
    head: Option<Array2<f32>>,
}

/// Keys and values of one sequence, layer by layer.
pub type Cache = Vec<(Array2<f32>, Array2<f32>)>;

impl<'a> Float<'a> {
    /// All weights as floating point.
    pub fn new(model: &'a Model) -> io::Result<Self> {
        let llama = *model.llama();
        let matrices = |stage| llama.matrices(stage).into_iter().map(|shape| matrix(model, &shape.name));
        let layer = |layer| {
            let mut all = [Stage::Attention(layer), Stage::Output(layer), Stage::Gate(layer), Stage::Down(layer)]
                .into_iter()
                .flat_map(matrices);
            let mut next = || all.next().unwrap_or_else(|| Err(io::Error::other("a layer has seven matrices")));
            Ok::<_, io::Error>(Layer {
                attention_norm: norm(model, Norm::Attention(layer))?,
                query: next()?,
                key: next()?,
                value: next()?,
                output: next()?,
                feed_norm: norm(model, Norm::Feed(layer))?,
                gate: next()?,
                up: next()?,
                down: next()?,
            })
        };
        let head = (!llama.tied).then(|| matrix(model, "output.weight")).transpose()?;
        Ok(Self {
            layers: (0..llama.layers).map(layer).collect::<Result<_, _>>()?,
            norm: norm(model, Norm::Output)?,
            embedding: matrix(model, &llama.embedding().name)?,
            head,
            model,
        })
    }

    /// An empty sequence.
    pub fn cache(&self) -> Cache {
        let empty = || Array2::zeros((0, self.model.llama().key_width() as usize));
        self.layers.iter().map(|_| (empty(), empty())).collect()
    }

    /// Takes the next tokens in, and gives for each the logits of what follows it.
    pub fn forward(&self, cache: &mut Cache, tokens: &[u32]) -> Array2<f32> {
        let rows: Vec<usize> = tokens.iter().map(|token| *token as usize).collect();
        let mut state = self.embedding.select(Axis(0), &rows);
        for (layer, cache) in self.layers.iter().zip(cache) {
            let input = self.normed(&state, &layer.attention_norm);
            state += &self.attend(layer, cache, &input).dot(&layer.output.t());
            let input = self.normed(&state, &layer.feed_norm);
            let (mut gate, up) = (input.dot(&layer.gate.t()), input.dot(&layer.up.t()));
            gate.zip_mut_with(&up, |gate, up| *gate = *gate / (1.0 + (-*gate).exp()) * up);
            state += &gate.dot(&layer.down.t());
        }
        self.normed(&state, &self.norm).dot(&self.head.as_ref().unwrap_or(&self.embedding).t())
    }

    #[expect(clippy::cast_precision_loss, reason = "floating point")]
    fn normed(&self, state: &Array2<f32>, weights: &Array1<f32>) -> Array2<f32> {
        let epsilon = self.model.llama().epsilon as f32 / 40_f32.exp2();
        let mut normed = state.clone();
        for mut row in normed.rows_mut() {
            let mean = row.dot(&row) / row.len() as f32;
            row *= 1.0 / (mean + epsilon).sqrt();
            row *= weights;
        }
        normed
    }

    #[expect(clippy::cast_precision_loss, reason = "floating point")]
    fn attend(&self, layer: &Layer, cache: &mut (Array2<f32>, Array2<f32>), input: &Array2<f32>) -> Array2<f32> {
        let llama = self.model.llama();
        let (heads, group) = (llama.heads as usize, (llama.heads / llama.kv_heads) as usize);
        let width = llama.head_width as usize;
        let before = cache.0.nrows();
        let (mut query, mut key) = (input.dot(&layer.query.t()), input.dot(&layer.key.t()));
        self.turn(&mut query, before);
        self.turn(&mut key, before);
        cache.0 = join(&cache.0, &key);
        cache.1 = join(&cache.1, &input.dot(&layer.value.t()));
        let mut mixed = Array2::zeros(query.dim());
        for head in 0..heads {
            let own = s![.., head * width..(head + 1) * width];
            let shared = s![.., head / group * width..(head / group + 1) * width];
            let mut scores = query.slice(own).dot(&cache.0.slice(shared).t()) / (width as f32).sqrt();
            for (at, mut row) in scores.rows_mut().into_iter().enumerate() {
                let (mut seen, mut unseen) = row.view_mut().split_at(Axis(0), before + at + 1);
                unseen.fill(0.0);
                let most = seen.fold(f32::NEG_INFINITY, |most, score| most.max(*score));
                seen.mapv_inplace(|score| (score - most).exp());
                seen /= seen.sum();
            }
            mixed.slice_mut(own).assign(&scores.dot(&cache.1.slice(shared)));
        }
        mixed
    }

    /// Rotates all heads of rows that begin at this position.
    #[expect(clippy::cast_precision_loss, reason = "floating point")]
    fn turn(&self, rows: &mut Array2<f32>, first: usize) {
        let llama = self.model.llama();
        let half = llama.head_width as usize / 2;
        for (mut row, position) in rows.rows_mut().into_iter().zip(first..) {
            let turn = u32::try_from(position).ok().and_then(|position| self.model.rope(position)).unwrap_or_default();
            let turn: Vec<f32> = turn.iter().map(|number| *number as f32 / 30_f32.exp2()).collect();
            let (cosines, sines) = turn.split_at(half);
            for mut head in row.exact_chunks_mut(2 * half) {
                for (pair, (cosine, sine)) in cosines.iter().zip(sines).enumerate() {
                    let (left, right) =
                        if llama.rope_interleaved { (2 * pair, 2 * pair + 1) } else { (pair, pair + half) };
                    let (x, y) = (head[left], head[right]);
                    head[left] = x * cosine - y * sine;
                    head[right] = x * sine + y * cosine;
                }
            }
        }
    }
}

fn join(upper: &Array2<f32>, lower: &Array2<f32>) -> Array2<f32> {
    let parts: [ArrayView2<'_, f32>; 2] = [upper.view(), lower.view()];
    concatenate(Axis(0), &parts).expect("both have as many columns as there are keys")
}

fn matrix(model: &Model, name: &str) -> io::Result<Array2<f32>> {
    let rows = model.matrix(name).ok_or_else(|| io::Error::other(format!("there is no matrix {name}")))?;
    let mut numbers = Vec::with_capacity(rows.len() * rows.cols());
    for (number, row) in (0..).zip(rows.data().chunks(rows.row_len())) {
        dequantise_row(rows.kind(), number, row, &mut numbers).map_err(io::Error::other)?;
    }
    Array2::from_shape_vec((rows.len(), rows.cols()), numbers).map_err(io::Error::other)
}

#[expect(clippy::cast_precision_loss, reason = "floating point")]
fn norm(model: &Model, norm: Norm) -> io::Result<Array1<f32>> {
    let weights = model.norm(norm).ok_or_else(|| io::Error::other(format!("there is no {}", norm.name())))?;
    Ok(weights.iter().map(|weight| *weight as f32 / 20_f32.exp2()).collect())
}
