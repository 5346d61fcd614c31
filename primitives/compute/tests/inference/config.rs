//! Shapes of models.

use codec::{DecodeAll, Encode, MaxEncodedLen};
use ensemble_compute::inference::{config::Invalid, Architecture, Llama, Stage};

/// SmolLM2-135M.
const SMALL: Llama = Llama {
    layers: 30,
    width: 576,
    heads: 9,
    kv_heads: 3,
    head_width: 64,
    hidden: 1536,
    vocabulary: 49152,
    positions: 8192,
    epsilon: 10_995_116,
    rope_interleaved: true,
    tied: true,
};

#[test]
fn stages_are_numbered_layer_by_layer() {
    assert_eq!(SMALL.check(), Ok(()));
    assert_eq!(SMALL.stages(), 121);
    assert_eq!(SMALL.stage(0), Some(Stage::Attention(0)));
    assert_eq!(SMALL.stage(7), Some(Stage::Down(1)));
    assert_eq!(SMALL.stage(118), Some(Stage::Gate(29)));
    assert_eq!(SMALL.stage(120), Some(Stage::Head));
    assert_eq!(SMALL.stage(121), None);
}

#[test]
fn matrices_have_the_names_of_the_file() {
    let names = |llama: &Llama, stage| -> Vec<_> {
        llama.matrices(stage).into_iter().map(|shape| (shape.name, shape.rows, shape.cols)).collect()
    };
    let shape = |name: &str, rows, cols| (name.to_string(), rows, cols);
    assert_eq!(
        names(&SMALL, Stage::Attention(3)),
        [
            shape("blk.3.attn_q.weight", 576, 576),
            shape("blk.3.attn_k.weight", 192, 576),
            shape("blk.3.attn_v.weight", 192, 576)
        ]
    );
    assert_eq!(names(&SMALL, Stage::Output(0)), [shape("blk.0.attn_output.weight", 576, 576)]);
    assert_eq!(
        names(&SMALL, Stage::Gate(29)),
        [shape("blk.29.ffn_gate.weight", 1536, 576), shape("blk.29.ffn_up.weight", 1536, 576)]
    );
    assert_eq!(names(&SMALL, Stage::Down(0)), [shape("blk.0.ffn_down.weight", 576, 1536)]);
    assert_eq!(names(&SMALL, Stage::Head), [shape("token_embd.weight", 49152, 576)]);
    let own = Llama { tied: false, ..SMALL };
    assert_eq!(names(&own, Stage::Head), [shape("output.weight", 49152, 576)]);
    let tables = SMALL.tables();
    assert_eq!(tables.len(), 62);
    assert_eq!((&tables[1].name[..], tables[1].rows, tables[1].cols), ("blk.0.ffn_norm.weight", 1, 576));
    assert_eq!((&tables[61].name[..], tables[61].rows, tables[61].cols), ("rope", 8192, 64));
}

#[test]
fn inputs_outputs_and_products_are_those_of_the_matrices() {
    let mut products = 0;
    for stage in (0..SMALL.stages()).filter_map(|number| SMALL.stage(number)) {
        let matrices = SMALL.matrices(stage);
        assert!(matrices.iter().all(|shape| shape.cols == SMALL.inputs(stage)));
        assert_eq!(matrices.iter().map(|shape| shape.rows).sum::<u32>(), SMALL.outputs(stage));
        products += matrices.iter().map(|shape| u64::from(shape.rows) * u64::from(shape.cols)).sum::<u64>();
    }
    assert_eq!(SMALL.products(), products);
    assert_eq!(products, 134_479_872);
}

#[test]
fn what_no_model_can_be_is_refused() {
    let refused = |llama: Llama| llama.check().unwrap_err();
    for zero in [
        Llama { layers: 0, ..SMALL },
        Llama { width: 0, ..SMALL },
        Llama { heads: 0, ..SMALL },
        Llama { kv_heads: 0, ..SMALL },
        Llama { head_width: 0, ..SMALL },
        Llama { hidden: 0, ..SMALL },
        Llama { vocabulary: 0, ..SMALL },
        Llama { positions: 0, ..SMALL },
    ] {
        assert_eq!(refused(zero), Invalid::Zero);
    }
    for large in [
        Llama { layers: 257, ..SMALL },
        Llama { width: (1 << 14) + 32, ..SMALL },
        Llama { heads: u32::MAX, head_width: 64, kv_heads: 1, ..SMALL },
        Llama { kv_heads: 18, ..SMALL },
        Llama { head_width: 1026, ..SMALL },
        Llama { hidden: (1 << 16) + 32, ..SMALL },
        Llama { vocabulary: (1 << 19) + 1, ..SMALL },
        Llama { positions: (1 << 17) + 1, ..SMALL },
    ] {
        assert_eq!(refused(large), Invalid::TooLarge);
    }
    assert_eq!(refused(Llama { kv_heads: 2, ..SMALL }), Invalid::Groups);
    for uneven in [
        Llama { width: 570, ..SMALL },
        Llama { hidden: 1530, ..SMALL },
        Llama { heads: 9, kv_heads: 9, head_width: 8, ..SMALL },
        Llama { heads: 32, kv_heads: 32, head_width: 3, ..SMALL },
    ] {
        assert_eq!(refused(uneven), Invalid::Width);
    }
    let largest = Llama {
        layers: 256,
        width: 1 << 14,
        heads: 64,
        kv_heads: 64,
        head_width: 1 << 10,
        hidden: 1 << 16,
        vocabulary: 1 << 19,
        positions: 1 << 17,
        ..SMALL
    };
    assert_eq!(largest.check(), Ok(()));
    assert!(largest.products() < 1 << 44);
}

#[test]
fn the_encoding_is_that_of_its_parts() {
    let config = Architecture::Llama(SMALL);
    let encoded = config.encode();
    assert_eq!(encoded.len(), 43);
    assert_eq!(encoded.len(), Architecture::max_encoded_len());
    assert_eq!(encoded[..9], [0, 30, 0, 0, 0, 64, 2, 0, 0]);
    assert_eq!(Architecture::decode_all(&mut &encoded[..]), Ok(config));
    assert!(Architecture::decode_all(&mut &encoded[..42]).is_err());
}
