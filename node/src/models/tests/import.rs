//! What becomes of a file, and what is refused.

use codec::DecodeAll;
use ensemble_compute::inference::Architecture;
use ensemble_tensor::{read::gguf::Archive, Bundle, Header, Kind, OutlineBuilder, TensorId};

use super::samples::{matrix, sample, Sample, Value, F32, HIDDEN, I32, Q4_1, Q4_K, Q8_0, VOCABULARY, WIDTH};
use crate::models::import::{Error, Import, Member};

/// A member that was encoded.
struct Encoded {
    header: Header,
    data: Vec<u8>,
}

fn encoded(import: &Import<'_>) -> Result<Vec<(String, Encoded)>, Error> {
    let encode = |(name, member): (&str, &Member<'_>)| {
        let mut data = Vec::new();
        import.encode::<Error>(member, |part| {
            data.extend_from_slice(part);
            Ok(())
        })?;
        Ok((name.into(), Encoded { header: import.header(member)?, data }))
    };
    import.members().map(encode).collect()
}

fn import(sample: &Sample, positions: Option<u32>) -> Result<Vec<(String, Encoded)>, Error> {
    let file = sample.file();
    let archive = Archive::parse(&file)?;
    encoded(&Import::new(&archive, positions)?)
}

fn member<'a>(members: &'a [(String, Encoded)], name: &str) -> &'a Encoded {
    &members.iter().find(|(member, _)| member == name).unwrap().1
}

fn id(members: &[(String, Encoded)]) -> TensorId {
    let ids = members.iter().map(|(name, member)| {
        let mut outline = OutlineBuilder::new(&member.header);
        outline.update(&member.data).unwrap();
        (name.as_str(), outline.finish().unwrap().id())
    });
    let manifest = Bundle::encode(ids).unwrap();
    let mut outline = OutlineBuilder::new(&Bundle::header(&manifest).unwrap());
    outline.update(&manifest).unwrap();
    outline.finish().unwrap().id()
}

#[track_caller]
fn refused(sample: Sample, why: &str) {
    let error = import(&sample, None).err().expect("this is imported, but should not be").to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn members_have_the_names_kinds_and_shapes_of_the_architecture() {
    let members = import(&sample(), None).unwrap();
    let header = |name: &str| member(&members, name).header;
    assert_eq!(header("token_embd.weight"), Header::new(Kind::Q8_0, 262, 64).unwrap());
    assert_eq!(header("blk.0.attn_q.weight"), Header::new(Kind::Q4_1, 64, 64).unwrap());
    assert_eq!(header("blk.1.attn_k.weight"), Header::new(Kind::Q4_0, 32, 64).unwrap());
    assert_eq!(header("blk.1.ffn_gate.weight"), Header::new(Kind::Q8_0, 96, 64).unwrap());
    assert_eq!(header("blk.1.ffn_down.weight"), Header::new(Kind::Q8_0, 64, 96).unwrap());
    assert_eq!(header("output_norm.weight"), Header::new(Kind::I32, 1, 64).unwrap());
    assert_eq!(header("rope"), Header::new(Kind::I32, 32, 16).unwrap());
    // 7 matrices and 2 norms in each layer, embedding and norm, rotations, architecture, and three for texts.
    assert_eq!(members.len(), 2 * 9 + 2 + 1 + 1 + 3);
    assert!(members.is_sorted_by(|(left, _), (right, _)| left < right));
    let Architecture::Llama(llama) = Architecture::decode_all(&mut &member(&members, "config").data[..]).unwrap();
    assert_eq!((llama.layers, llama.width, llama.heads, llama.kv_heads, llama.head_width), (2, 64, 4, 2, 16));
    assert_eq!((llama.hidden, llama.vocabulary, llama.positions), (96, 262, 32));
    assert_eq!((llama.epsilon, llama.rope_interleaved, llama.tied), (10_995_116, true, true));
}

#[test]
fn blocks_are_kept_byte_for_byte_and_norms_become_whole_numbers() {
    let sample = sample();
    let members = import(&sample, None).unwrap();
    for name in ["token_embd.weight", "blk.0.attn_q.weight", "blk.1.ffn_up.weight"] {
        assert_eq!(member(&members, name).data, sample.tensors[name].data);
    }
    let norm = &member(&members, "blk.0.attn_norm.weight").data;
    assert_eq!(norm[..8], [(1i32 << 19).to_le_bytes(), ((1i32 << 19) + (1 << 14)).to_le_bytes()].concat());
    let rope = &member(&members, "rope").data;
    // At position 0 all cosines are 1 and all sines 0.
    assert_eq!(rope[..64], [(1i32 << 30).to_le_bytes().repeat(8), vec![0; 32]].concat());
    assert_eq!(rope[64..68], 580_145_183i32.to_le_bytes());
}

#[test]
fn the_same_file_has_the_same_id_everywhere() {
    let id = id(&import(&sample(), None).unwrap());
    assert_eq!(id.to_string(), "0xe4cce2b0e4834445d7a1e619ed4ab62663dd4b7f54e7d28582ce9d93e900df84");
    let other = sample().set("general.name", Value::Text("a name changes nothing".into()));
    assert_eq!(self::id(&import(&other, None).unwrap()), id);
}

#[test]
fn fewer_positions_may_be_asked_for_but_not_more() {
    let rows = |positions| {
        let members = import(&sample(), positions).unwrap();
        let Architecture::Llama(llama) = Architecture::decode_all(&mut &member(&members, "config").data[..]).unwrap();
        assert_eq!(member(&members, "rope").header.rows(), llama.positions);
        llama.positions
    };
    assert_eq!((rows(Some(8)), rows(Some(32)), rows(Some(33))), (8, 32, 32));
    let error = import(&sample(), Some(0)).err().unwrap().to_string();
    assert!(error.contains("at least one layer"), "{error}");
}

#[test]
fn a_model_may_have_a_head_of_its_own() {
    let members = import(&sample().tensor("output.weight", matrix(Q4_1, VOCABULARY, WIDTH)), None).unwrap();
    assert_eq!(member(&members, "output.weight").header.kind(), Kind::Q4_1);
    let Architecture::Llama(llama) = Architecture::decode_all(&mut &member(&members, "config").data[..]).unwrap();
    assert!(!llama.tied);
}

#[test]
fn other_architectures_are_refused() {
    let text = |text: &str| Value::Text(text.into());
    refused(sample().set("general.architecture", text("qwen2")), "the architecture is \"qwen2\"");
    refused(sample().without("general.architecture"), "has no general.architecture");
    refused(
        sample().set("general.architecture", Value::U32(1)),
        "general.architecture in the .gguf file's metadata is no",
    );
    refused(sample().set("llama.expert_count", Value::U32(8)), "asks for experts");
    refused(sample().set("llama.attention.sliding_window", Value::U32(8)), "asks for a sliding window");
    refused(sample().set("llama.rope.scaling.type", text("yarn")), "stretched (\"yarn\")");
    refused(sample().set("llama.rope.scale_linear", Value::F32(2.0)), "scaled rotations");
    refused(sample().tensor("rope_freqs.weight", matrix(F32, 1, 32)), "stretched (\"rope_freqs.weight\")");
    refused(sample().set("llama.rope.freq_base", Value::F32(1.0)), "is not a number above 1");
    refused(sample().set("llama.rope.freq_base", Value::F32(f32::NAN)), "is not a number above 1");
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let set = |key: &str, number| sample().set(key, Value::U32(number));
    for key in [
        "llama.block_count",
        "llama.context_length",
        "llama.embedding_length",
        "llama.feed_forward_length",
        "llama.attention.head_count",
        "llama.attention.layer_norm_rms_epsilon",
    ] {
        refused(sample().without(key), key);
    }
    refused(set("llama.block_count", 0), "no model can have this shape: a model has at least one layer");
    refused(set("llama.block_count", 257), "at most 256 layers");
    refused(set("llama.attention.head_count", 0), "at least one layer, head");
    refused(set("llama.attention.head_count_kv", 3), "multiple of that of key-value heads");
    refused(set("llama.rope.dimension_count", 8), "llama.rope.dimension_count is 8, but heads of 16");
    refused(set("llama.attention.value_length", 8), "llama.attention.value_length is 8, but heads of 16");
    refused(set("llama.embedding_length", 128), "has 262 rows of 64 columns where the metadata asks for 262 of 128");
    refused(set("llama.block_count", 1), "the tensor \"blk.1.attn_k.weight\" is none that a Llama has");
    refused(set("llama.block_count", 3), "tensor blk.2.attn_q.weight: the file has no tensor");
    for epsilon in [-1.0, 2.0, f32::NAN] {
        let sample = sample().set("llama.attention.layer_norm_rms_epsilon", Value::F32(epsilon));
        refused(sample, "is not a number from 0 to 1");
    }
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    refused(sample().without_tensor("output_norm.weight"), "tensor output_norm.weight: the file has no tensor");
    refused(sample().without_tensor("blk.1.ffn_down.weight"), "tensor blk.1.ffn_down.weight: the file has no tensor");
    refused(
        sample().tensor("blk.0.attn_q.bias", matrix(F32, 1, WIDTH)),
        "\"blk.0.attn_q.bias\" is none that a Llama has",
    );
    let wrong = matrix(Q8_0, HIDDEN, WIDTH);
    refused(
        sample().tensor("blk.0.ffn_down.weight", wrong),
        "has 96 rows of 64 columns where the metadata asks for 64",
    );
    let mut k = matrix(Q8_0, WIDTH, 256);
    k.ggml_type = Q4_K;
    refused(sample().tensor("blk.0.attn_q.weight", k), "tensor blk.0.attn_q.weight: its type is Q4_K");
    let mut whole = matrix(F32, WIDTH, WIDTH);
    whole.ggml_type = I32;
    refused(sample().tensor("blk.0.attn_q.weight", whole), "blk.0.attn_q.weight holds whole numbers");
    refused(
        sample().tensor("blk.0.attn_norm.weight", matrix(Q8_0, 1, WIDTH)),
        "is a norm, which is read as F32 or F16",
    );
    let mut large = matrix(F32, 1, WIDTH);
    large.data[..4].copy_from_slice(&2048f32.to_le_bytes());
    refused(sample().tensor("output_norm.weight", large), "row 0, column 0 is infinite, not a number, or too large");
    let mut infinite = matrix(Q8_0, WIDTH, WIDTH);
    infinite.data[1] = 0x7c;
    refused(sample().tensor("blk.0.attn_q.weight", infinite), "the scale or minimum of block 0 in row 0");
    let mut nan = matrix(F32, WIDTH, WIDTH);
    nan.data[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    refused(sample().tensor("blk.0.attn_q.weight", nan), "row 0, column 0 is infinite or not a number");
}

#[test]
fn tokenizers_that_are_not_known_are_refused() {
    let text = |text: &str| Value::Text(text.into());
    let texts = |texts: &[&str]| Value::Texts(texts.iter().map(ToString::to_string).collect());
    refused(sample().set("tokenizer.ggml.model", text("llama")), "the tokenizer is of kind \"llama\"");
    refused(sample().set("tokenizer.ggml.pre", text("tekken")), "cuts texts as \"tekken\" does");
    refused(sample().without("tokenizer.ggml.pre"), "cuts texts as \"none\" does");
    refused(sample().set("tokenizer.ggml.add_space_prefix", Value::Flag(true)), "puts a space before every text");
    for key in ["model", "tokens", "merges", "token_type"] {
        let key = format!("tokenizer.ggml.{key}");
        refused(sample().without(&key), &format!("has no {key}"));
    }
    refused(sample().set("tokenizer.ggml.merges", texts(&["th"])), "the merge \"th\" is not two parts");
    refused(sample().set("tokenizer.ggml.merges", texts(&["t h e"])), "the merge \"t h e\" is not two parts");
    refused(sample().set("tokenizer.ggml.merges", texts(&["q q"])), "its merge 0 joins what are no tokens");
    refused(sample().set("tokenizer.ggml.merges", Value::Numbers(vec![1])), "is no list of texts");
    refused(sample().set("tokenizer.ggml.token_type", Value::Numbers(vec![1])), "1 types for 262 tokens");
    refused(sample().set("tokenizer.ggml.token_type", texts(&["a"; 262])), "is no list of numbers");
    refused(sample().set("tokenizer.ggml.eos_token_id", Value::U32(262)), "eos_token_id is 262, which is no token");
    let tokens = |edit: fn(&mut Vec<String>)| {
        let Value::Texts(mut tokens) = sample().keys["tokenizer.ggml.tokens"].clone() else { unreachable!() };
        edit(&mut tokens);
        sample().set("tokenizer.ggml.tokens", Value::Texts(tokens))
    };
    refused(tokens(|tokens| tokens[5] = tokens[4].clone()), "twice");
    refused(tokens(|tokens| tokens[5].clear()), "its token 5 has no bytes");
    refused(tokens(|tokens| tokens[5] = "x".repeat(1025)), "its token 5 has no bytes or more than 1024");
    refused(tokens(|tokens| drop(tokens.pop())), "262 types for 261 tokens");
}

#[test]
fn templates_that_cannot_be_read_are_refused() {
    let template = |text: String| sample().set("tokenizer.chat_template", Value::Text(text));
    refused(template("{% for".into()), "the chat template cannot be used");
    refused(template(" ".repeat(65_537)), "it has 65537 bytes");
    let members = import(&sample().without("tokenizer.chat_template"), None).unwrap();
    assert!(!members.iter().any(|(name, _)| name == "template"));
}
