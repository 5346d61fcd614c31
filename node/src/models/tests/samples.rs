//! A tiny model's file, made here, and ways to spoil it.

use std::collections::BTreeMap;

/// A value of the metadata.
#[derive(Clone)]
pub enum Value {
    U32(u32),
    F32(f32),
    Flag(bool),
    Text(String),
    Texts(Vec<String>),
    Numbers(Vec<u32>),
}

/// A tensor: its type's number, rows, columns and data.
#[derive(Clone)]
pub struct Tensor {
    pub ggml_type: u32,
    pub rows: u64,
    pub cols: u64,
    pub data: Vec<u8>,
}

/// What a file holds.
#[derive(Clone)]
pub struct Sample {
    pub keys: BTreeMap<String, Value>,
    pub tensors: BTreeMap<String, Tensor>,
}

pub const F32: u32 = 0;
pub const F16: u32 = 1;
pub const Q4_0: u32 = 2;
pub const Q4_1: u32 = 3;
pub const Q8_0: u32 = 8;
pub const Q4_K: u32 = 12;
pub const I32: u32 = 26;

/// Sides of the sample.
pub const WIDTH: u64 = 64;
pub const HIDDEN: u64 = 96;
pub const VOCABULARY: u64 = 262;

/// A block of weights that differ: scale 2^-5, or 2^-3 and minimum -1.
fn block(ggml_type: u32, number: u64) -> Vec<u8> {
    let quants = |count: u64| (0..count).map(move |at| (number.wrapping_mul(31).wrapping_add(at * 37) % 251) as u8);
    match ggml_type {
        Q8_0 => [0x00, 0x28].into_iter().chain(quants(32)).collect(),
        Q4_0 => [0x00, 0x30].into_iter().chain(quants(16)).collect(),
        Q4_1 => [0x00, 0x30, 0x00, 0xbc].into_iter().chain(quants(16)).collect(),
        F16 => quants(32).flat_map(|quant| [quant, 0x20 | (quant & 0x83)]).collect(),
        _ => quants(32).flat_map(|quant| (f32::from(quant) / 64.0 - 2.0).to_le_bytes()).collect(),
    }
}

pub fn matrix(ggml_type: u32, rows: u64, cols: u64) -> Tensor {
    let data = (0..rows * cols / 32).flat_map(|number| block(ggml_type, number)).collect();
    Tensor { ggml_type, rows, cols, data }
}

fn norm() -> Tensor {
    let data = (0..WIDTH).flat_map(|at| (0.5f32 + at as f32 / 64.0).to_le_bytes()).collect();
    Tensor { ggml_type: F32, rows: 1, cols: WIDTH, data }
}

/// The characters that stand for the bytes.
fn alphabet() -> Vec<String> {
    let mut hidden = 256;
    let character = |byte: u32| match byte {
        33..=126 | 161..=172 | 174..=255 => byte,
        _ => {
            hidden += 1;
            hidden - 1
        },
    };
    (0..256).map(character).filter_map(char::from_u32).map(String::from).collect()
}

/// Two layers, width 64, 4 heads on 2 of keys, hidden 96, 262 tokens: bytes, three special ones and three merged.
pub fn sample() -> Sample {
    let special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"].map(String::from).to_vec();
    let tokens = [special, alphabet(), ["th", "the", "Ġthe"].map(String::from).to_vec()].concat();
    let types = (0u32..).zip(&tokens).map(|(number, _)| if number < 3 { 3 } else { 1 }).collect();
    let text = |text: &str| Value::Text(text.into());
    let keys = [
        ("general.architecture", text("llama")),
        ("llama.block_count", Value::U32(2)),
        ("llama.context_length", Value::U32(32)),
        ("llama.embedding_length", Value::U32(64)),
        ("llama.feed_forward_length", Value::U32(96)),
        ("llama.attention.head_count", Value::U32(4)),
        ("llama.attention.head_count_kv", Value::U32(2)),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
        ("tokenizer.ggml.model", text("gpt2")),
        ("tokenizer.ggml.pre", text("smollm")),
        ("tokenizer.ggml.tokens", Value::Texts(tokens)),
        ("tokenizer.ggml.token_type", Value::Numbers(types)),
        ("tokenizer.ggml.merges", Value::Texts(["t h", "th e", "Ġ the"].map(String::from).to_vec())),
        ("tokenizer.ggml.bos_token_id", Value::U32(1)),
        ("tokenizer.ggml.eos_token_id", Value::U32(2)),
        ("tokenizer.chat_template", text("{{ bos_token }}{{ messages[0].content }}")),
    ];
    let mut tensors = BTreeMap::from([
        ("token_embd.weight".to_string(), matrix(Q8_0, VOCABULARY, WIDTH)),
        ("output_norm.weight".to_string(), norm()),
    ]);
    for layer in 0..2 {
        for (name, tensor) in [
            ("attn_q", matrix(Q4_1, WIDTH, WIDTH)),
            ("attn_k", matrix(Q4_0, WIDTH / 2, WIDTH)),
            ("attn_v", matrix(Q8_0, WIDTH / 2, WIDTH)),
            ("attn_output", matrix(Q4_1, WIDTH, WIDTH)),
            ("ffn_gate", matrix(F16, HIDDEN, WIDTH)),
            ("ffn_up", matrix(Q4_0, HIDDEN, WIDTH)),
            ("ffn_down", matrix(F32, WIDTH, HIDDEN)),
            ("attn_norm", norm()),
            ("ffn_norm", norm()),
        ] {
            tensors.insert(format!("blk.{layer}.{name}.weight"), tensor);
        }
    }
    Sample { keys: keys.into_iter().map(|(key, value)| (key.into(), value)).collect(), tensors }
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

fn list(element: u32, values: &[Vec<u8>]) -> Vec<u8> {
    [&element.to_le_bytes()[..], &(values.len() as u64).to_le_bytes(), &values.concat()].concat()
}

impl Value {
    fn encode(&self) -> Vec<u8> {
        let (number, value) = match self {
            Self::U32(number) => (4u32, number.to_le_bytes().to_vec()),
            Self::F32(number) => (6, number.to_le_bytes().to_vec()),
            Self::Flag(flag) => (7, vec![u8::from(*flag)]),
            Self::Text(value) => (8, text(value)),
            Self::Texts(values) => (9, list(8, &values.iter().map(|value| text(value)).collect::<Vec<_>>())),
            Self::Numbers(values) => {
                (9, list(4, &values.iter().map(|number| number.to_le_bytes().to_vec()).collect::<Vec<_>>()))
            },
        };
        [&number.to_le_bytes()[..], &value].concat()
    }
}

impl Sample {
    /// Sets a key.
    pub fn set(mut self, key: &str, value: Value) -> Self {
        self.keys.insert(key.into(), value);
        self
    }

    /// Takes a key away.
    pub fn without(mut self, key: &str) -> Self {
        self.keys.remove(key);
        self
    }

    /// Puts a tensor in, or in the place of another.
    pub fn tensor(mut self, name: &str, tensor: Tensor) -> Self {
        self.tensors.insert(name.into(), tensor);
        self
    }

    /// Takes a tensor away.
    pub fn without_tensor(mut self, name: &str) -> Self {
        self.tensors.remove(name);
        self
    }

    /// The file.
    pub fn file(&self) -> Vec<u8> {
        let (mut descriptions, mut data) = (Vec::new(), Vec::new());
        for (name, tensor) in &self.tensors {
            let dimensions = if tensor.rows == 1 { vec![tensor.cols] } else { vec![tensor.cols, tensor.rows] };
            descriptions.extend(text(name));
            descriptions.extend(u32::try_from(dimensions.len()).unwrap().to_le_bytes());
            descriptions.extend(dimensions.into_iter().flat_map(u64::to_le_bytes));
            descriptions.extend(tensor.ggml_type.to_le_bytes());
            descriptions.extend((data.len() as u64).to_le_bytes());
            data.extend(&tensor.data);
            data.resize(data.len().next_multiple_of(32), 0);
        }
        let mut file = [b"GGUF", &3u32.to_le_bytes()[..]].concat();
        file.extend((self.tensors.len() as u64).to_le_bytes());
        file.extend((self.keys.len() as u64).to_le_bytes());
        file.extend(self.keys.iter().flat_map(|(key, value)| [text(key), value.encode()].concat()));
        file.extend(descriptions);
        file.resize(file.len().next_multiple_of(32), 0);
        [file, data].concat()
    }
}
