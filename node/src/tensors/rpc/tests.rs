//! The methods as a client calls them.

use std::sync::Arc;

use base64::{engine::general_purpose::STANDARD, Engine};
use ensemble_tensor::RowProof;
use jsonrpsee::{core::traits::ToRpcParams, MethodsError, RpcModule};
use sc_rpc_api::DenyUnsafe;
use serde_json::{json, Value};

use super::{TensorRpc, MAX_PART_LEN};
use crate::tensors::{
    exchange::tests::{fetcher, Home, Manner, Script},
    samples::{Sample, PIECE},
    TensorService,
};

const NONE: [(); 0] = [];

/// A node with its methods.
struct Node {
    home: Home,
    module: RpcModule<TensorRpc>,
}

impl Node {
    fn new(script: Script, rpc_writes: bool, deny_unsafe: DenyUnsafe) -> Self {
        let home = Home::new(64 << 20);
        let fetcher = fetcher(&home, Arc::new(script));
        let service = Arc::new(TensorService::new(home.store.clone(), fetcher, rpc_writes));
        let mut module = service.rpc();
        module.extensions_mut().insert(deny_unsafe);
        Self { home, module }
    }

    fn alone() -> Self {
        Self::new(Script::default(), false, DenyUnsafe::No)
    }

    async fn call(&self, method: &str, params: impl ToRpcParams) -> Result<Value, (i32, String)> {
        self.module.call(&format!("ensemble_{method}"), params).await.map_err(|error| match error {
            MethodsError::JsonRpc(error) => (error.code(), error.message().to_string()),
            other => panic!("{other}"),
        })
    }

    async fn put(&self, sample: &Sample, offset: u64, bytes: &[u8]) -> Result<Value, (i32, String)> {
        self.call("putTensor", (sample.id, offset, STANDARD.encode(bytes))).await
    }

    async fn status(&self, sample: &Sample) -> Value {
        self.call("hasTensor", (sample.id,)).await.unwrap()
    }

    async fn assert_fails(&self, method: &str, params: impl ToRpcParams, code: i32, remedy: &str) {
        let (actual, message) = self.call(method, params).await.unwrap_err();
        assert_eq!(actual, code, "{message}");
        assert!(message.contains(remedy), "{message}");
    }
}

#[tokio::test]
async fn a_tensor_is_put_in_parts_and_got_in_ranges() {
    let node = Node::alone();
    let sample = Sample::bytes(2 * PIECE, 1);
    let (encoding, total) = (sample.encoding(), 2 * PIECE + 16);
    assert_eq!(node.status(&sample).await, json!({ "status": "absent" }));
    let reply = node.put(&sample, 0, &encoding[..PIECE]).await.unwrap();
    assert_eq!(reply, json!({ "received": PIECE, "total": total, "complete": false }));
    let reply = node.put(&sample, PIECE as u64, &encoding[PIECE..]).await.unwrap();
    assert_eq!(reply, json!({ "received": total, "total": total, "complete": true }));

    let status = node.status(&sample).await;
    assert_eq!(status["status"], "held");
    assert_eq!(status["header"], json!({ "kind": "bytes", "rows": 2 * PIECE, "cols": 1 }));
    assert_eq!(status["root"], json!(format!("0x{}", hex::encode(sample.outline.root()))));
    assert_eq!(
        (&status["bytes"], &status["pinned"], &status["verified"]),
        (&json!(2 * PIECE), &json!(false), &json!(true))
    );

    for (offset, length) in [(0, 16), (10, 100), (total - 1, 1), (5, 0)] {
        let range = node.call("getTensor", (sample.id, offset, length)).await.unwrap();
        assert_eq!(STANDARD.decode(range.as_str().unwrap()).unwrap(), encoding[offset..offset + length]);
    }
}

#[tokio::test]
async fn rows_are_proved() {
    let node = Node::alone();
    let sample = Sample::bytes(3 * PIECE, 1);
    node.home.put(&sample);
    for row in [0, 255, 256, 767] {
        let proof = node.call("tensorProof", (sample.id, row)).await.unwrap();
        let proof: RowProof = serde_json::from_value(proof).unwrap();
        proof.verify(&sample.id).unwrap();
        assert_eq!(proof.index, row);
    }
    node.assert_fails("tensorProof", (sample.id, 768), 20_020, "768").await;
}

#[tokio::test]
async fn bad_calls_fail_with_a_remedy() {
    let node = Node::alone();
    let (sample, other) = (Sample::bytes(5000, 1), Sample::bytes(5000, 2));
    let id = sample.id;
    let encoded = |bytes: &[u8]| STANDARD.encode(bytes);
    node.assert_fails("putTensor", (id, 0, "no base64!"), 20_001, "base64").await;
    let long = encoded(&vec![0; MAX_PART_LEN + 1]);
    node.assert_fails("putTensor", (id, 0, long), 20_002, "several parts").await;
    node.assert_fails("putTensor", (id, 0, encoded(b"short")), 20_020, "header").await;
    node.assert_fails("putTensor", (id, 0, encoded(&other.encoding())), 20_018, &other.id.to_string()).await;
    node.assert_fails("putTensor", (id, 7, encoded(b"later")), 20_016, "offset 0").await;
    let huge = Sample::bytes(65 << 20, 1);
    node.assert_fails("putTensor", (huge.id, 0, encoded(&huge.encoding()[..16])), 20_011, "--tensor-quota").await;

    node.assert_fails("getTensor", (id, 0, 1), 20_010, "ensemble_putTensor").await;
    node.assert_fails("tensorProof", (id, 0), 20_010, "ensemble_putTensor").await;
    node.assert_fails("pinTensor", (id,), 20_010, "ensemble_putTensor").await;
    node.assert_fails("removeTensor", (id,), 20_010, "ensemble_putTensor").await;
    node.home.put(&sample);
    node.assert_fails("getTensor", (id, 0, MAX_PART_LEN + 1), 20_003, "several ranges").await;
    node.assert_fails("getTensor", (id, 5000, 17), 20_004, "5016").await;
    node.assert_fails("getTensor", (id, u64::MAX, u32::MAX), 20_003, "several ranges").await;
    node.assert_fails("getTensor", (id, u64::MAX, 1), 20_004, "5016").await;
    // What is no id at all is refused before the method runs.
    node.assert_fails("hasTensor", ("0x12",), -32602, "Invalid params").await;
}

#[tokio::test]
async fn pins_keep_and_removal_frees() {
    let node = Node::alone();
    let sample = Sample::bytes(5000, 1);
    node.home.put(&sample);
    node.call("pinTensor", (sample.id,)).await.unwrap();
    assert_eq!(node.status(&sample).await["pinned"], true);
    node.assert_fails("removeTensor", (sample.id,), 20_014, "ensemble_unpinTensor").await;
    let info = node.call("storeInfo", NONE).await.unwrap();
    assert_eq!(
        info,
        json!({ "bytes": 8192 + 4096 + 1024, "quota": 64 << 20, "tensors": 1, "pinned": 1, "uploads": 0 })
    );
    node.call("unpinTensor", (sample.id,)).await.unwrap();
    node.call("removeTensor", (sample.id,)).await.unwrap();
    assert_eq!(node.status(&sample).await, json!({ "status": "absent" }));
}

#[tokio::test]
async fn a_fetch_is_watched_until_it_ends() {
    let sample = Sample::bytes(3 * PIECE, 1);
    let node = Node::new(Script::new(&[Manner::Honest], &[&sample]), false, DenyUnsafe::No);
    node.call("fetchTensor", (sample.id, 100)).await.unwrap();
    let failed = loop {
        match node.status(&sample).await {
            status if status["status"] == "fetching" => continue,
            status => break status,
        }
    };
    assert_eq!(failed["status"], "failed");
    assert!(failed["reason"].as_str().unwrap().contains("maxBytes"), "{failed}");

    node.call("fetchTensor", (sample.id,)).await.unwrap();
    let held = loop {
        match node.status(&sample).await {
            status if status["status"] == "fetching" => continue,
            status => break status,
        }
    };
    assert_eq!(held["status"], "held");
    // Fetching what is held changes nothing.
    node.call("fetchTensor", (sample.id,)).await.unwrap();
    assert_eq!(node.status(&sample).await["status"], "held");
}

#[tokio::test]
async fn removing_ends_a_fetch() {
    let sample = Sample::bytes(3 * PIECE, 1);
    let node = Node::new(Script::new(&[Manner::StallsPieces], &[&sample]), false, DenyUnsafe::No);
    node.call("fetchTensor", (sample.id,)).await.unwrap();
    node.call("removeTensor", (sample.id,)).await.unwrap();
    while node.status(&sample).await["status"] == "fetching" {}
    assert_eq!(node.status(&sample).await, json!({ "status": "absent" }));
}

#[tokio::test]
async fn writing_is_denied_unless_it_is_allowed() {
    let sample = Sample::bytes(100, 1);
    let calls = |sample: &Sample| {
        [
            ("putTensor", vec![json!(sample.id), json!(0), json!(STANDARD.encode(sample.encoding()))]),
            ("pinTensor", vec![json!(sample.id)]),
            ("unpinTensor", vec![json!(sample.id)]),
            ("fetchTensor", vec![json!(sample.id)]),
            ("removeTensor", vec![json!(sample.id)]),
        ]
    };
    let closed = Node::new(Script::default(), false, DenyUnsafe::Yes);
    for (method, values) in calls(&sample) {
        closed.assert_fails(method, values, 20_000, "--tensor-rpc-writes").await;
    }
    assert_eq!(closed.status(&sample).await, json!({ "status": "absent" }));
    closed.call("storeInfo", NONE).await.unwrap();

    // The option opens uploading and nothing else.
    let open = Node::new(Script::default(), true, DenyUnsafe::Yes);
    let [(put, values), others @ ..] = calls(&sample);
    open.call(put, values).await.unwrap();
    for (method, values) in others {
        open.assert_fails(method, values, 20_000, "--rpc-methods").await;
    }
    assert_eq!(open.status(&sample).await["status"], "held");
    let large = Sample::bytes(17 << 20, 1);
    let begin = (large.id, 0, STANDARD.encode(&large.encoding()[..16]));
    open.assert_fails("putTensor", begin.clone(), 20_023, "operator").await;

    let trusted = Node::new(Script::default(), true, DenyUnsafe::No);
    for (method, values) in calls(&sample) {
        trusted.call(method, values).await.unwrap();
    }
    trusted.call("putTensor", begin).await.unwrap();
}
