//! The architecture of a GGUF file.

use ensemble_compute::inference::Llama;
use ensemble_tensor::{read::gguf::Archive, Float};

use super::{rope::Base, tokens::required, Error};

/// The only architecture that is read.
const ARCHITECTURE: &str = "llama";
/// The base of rotations in a file that names none.
const USUAL_BASE: f32 = 10_000.0;
/// Units of epsilon: 2^-40.
const EPSILON_FRACTION: u32 = 40;

/// What the metadata says of the shape of a model, and the base of its rotations.
///
/// `positions` is the most positions wanted; a model has no more than it was made for. `tied` says whether the
/// embedding is the head's matrix too.
pub fn read(file: &Archive<'_>, positions: Option<u32>, tied: bool) -> Result<(Llama, Base), Error> {
    let architecture = required(file.text("general.architecture")?, "general.architecture")?;
    if architecture != ARCHITECTURE {
        return Err(Error::Architecture(architecture.into()));
    }
    refuse_extensions(file)?;
    let width = number(file, "embedding_length")?;
    let heads = number(file, "attention.head_count")?;
    let kv_heads = optional(file, "attention.head_count_kv")?.unwrap_or(heads);
    let head_width = head_width(file, width, heads)?;
    let vocabulary = required(file.list("tokenizer.ggml.tokens")?, "tokenizer.ggml.tokens")?.count();
    let context = number(file, "context_length")?;
    let llama = Llama {
        layers: number(file, "block_count")?,
        width,
        heads,
        kv_heads,
        head_width,
        hidden: number(file, "feed_forward_length")?,
        vocabulary: u32::try_from(vocabulary).unwrap_or(u32::MAX),
        positions: positions.unwrap_or(context).min(context),
        epsilon: epsilon(file)?,
        rope_interleaved: true,
        tied,
    };
    llama.check()?;
    Ok((llama, base(file)?))
}

/// Refuses what would be computed otherwise than Ensemble does.
fn refuse_extensions(file: &Archive<'_>) -> Result<(), Error> {
    let scaling = file.text(&key("rope.scaling.type"))?.unwrap_or("none");
    if scaling != "none" {
        return Err(Error::RopeScaling(scaling.into()));
    }
    for (name, what) in [
        ("expert_count", "experts"),
        ("attention.sliding_window", "a sliding window"),
        ("rope.scale_linear", "scaled rotations"),
    ] {
        if file.value(&key(name)).is_some_and(|value| value.number() != Some(0)) {
            return Err(Error::Extension { key: key(name), what });
        }
    }
    Ok(())
}

/// Elements of a head, of which all are rotated.
fn head_width(file: &Archive<'_>, width: u32, heads: u32) -> Result<u32, Error> {
    let usual = width.checked_div(heads).unwrap_or(0);
    let head_width = optional(file, "attention.key_length")?.unwrap_or(usual);
    for name in ["attention.value_length", "rope.dimension_count"] {
        if let Some(other) = optional(file, name)?.filter(|other| *other != head_width) {
            return Err(Error::HeadWidth { key: key(name), head_width, other });
        }
    }
    Ok(head_width)
}

fn epsilon(file: &Archive<'_>) -> Result<u64, Error> {
    let key = key("attention.layer_norm_rms_epsilon");
    let bits = required(file.single(&key)?, &key)?;
    let units = Float::F32.fixed(bits, EPSILON_FRACTION).and_then(|units| u64::try_from(units).ok());
    // One is far beyond any: a norm that hardly looks at its vector.
    units.filter(|units| *units <= 1 << EPSILON_FRACTION).ok_or(Error::Epsilon)
}

fn base(file: &Archive<'_>) -> Result<Base, Error> {
    let bits = file.single(&key("rope.freq_base"))?.unwrap_or(USUAL_BASE.to_bits());
    Base::from_bits(bits).ok_or(Error::RopeBase)
}

fn key(name: &str) -> String {
    format!("{ARCHITECTURE}.{name}")
}

fn number(file: &Archive<'_>, name: &str) -> Result<u32, Error> {
    required(optional(file, name)?, &key(name))
}

fn optional(file: &Archive<'_>, name: &str) -> Result<Option<u32>, Error> {
    // What exceeds 32 bits exceeds every limit of a model too.
    Ok(file.number(&key(name))?.map(|number| u32::try_from(number).unwrap_or(u32::MAX)))
}
