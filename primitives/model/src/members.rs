//! The members of a model's bundle.

use ensemble_compute::inference::{config::ROPE, Llama, Shape, Stage};

/// The architecture, in SCALE.
pub const CONFIG: &str = "config";
/// How texts become tokens, in JSON.
pub const TOKENIZER: &str = "tokenizer";
/// Tokens with a meaning of their own, in JSON.
pub const SPECIAL: &str = "special";
/// How messages become a text, in Jinja. Absent if the model has none.
pub const TEMPLATE: &str = "template";

/// The matrices of a model, each once: the embedding, and those of all stages.
pub fn matrices(llama: &Llama) -> Vec<Shape> {
    let stages = (0..llama.stages()).filter_map(|number| llama.stage(number));
    let tied = |stage: &Stage| *stage == Stage::Head && llama.tied;
    let matrices = stages.filter(|stage| !tied(stage)).flat_map(|stage| llama.matrices(stage));
    [llama.embedding()].into_iter().chain(matrices).collect()
}

/// The norms of a model.
pub fn norms(llama: &Llama) -> Vec<Shape> {
    llama.tables().into_iter().filter(|table| table.name != ROPE).collect()
}
