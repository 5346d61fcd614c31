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
    gate::tests::{Person, Rules, TASK},
    samples::{Sample, PIECE},
    TensorService,
};

const NONE: [(); 0] = [];

/// A node with its methods.
struct Node {
    home: Home,
    rules: Rules,
    module: RpcModule<TensorRpc>,
}

impl Node {
    fn new(script: Script, rpc_writes: bool, deny_unsafe: DenyUnsafe) -> Self {
        let (home, rules) = (Home::new(64 << 20), Rules::default());
        let fetcher = fetcher(&home, Arc::new(script));
        let service = Arc::new(TensorService::new(home.store.clone(), rules.gate(&home), fetcher, rpc_writes));
        let mut module = service.rpc();
        module.extensions_mut().insert(deny_unsafe);
        Self { home, rules, module }
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
        json!({ "bytes": 8192 + 2 * 4096 + 1536, "quota": 64 << 20, "tensors": 1, "pinned": 1, "uploads": 0 })
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
async fn what_is_here_openly_is_not_fetched_as_restricted() {
    let node = Node::alone();
    let (open, restricted) = (Sample::bytes(100, 1), Sample::bytes(100, 2));
    node.home.put(&open);
    node.assert_fails("fetchTensor", (open.id, Value::Null, TASK), 20_033, "ensemble_restrictTensor").await;
    node.call("restrictTensor", (open.id, TASK)).await.unwrap();
    node.call("fetchTensor", (open.id, Value::Null, TASK)).await.unwrap();
    node.call("fetchTensor", (restricted.id, Value::Null, TASK)).await.unwrap();
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
            ("restrictTensor", vec![json!(sample.id), json!(TASK)]),
            ("unrestrictTensor", vec![json!(sample.id)]),
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

/// Restricts a tensor, uploads it, and has `ann` entitled to it.
async fn with_restricted(deny_unsafe: DenyUnsafe) -> (Node, Sample, Person) {
    let node = Node::new(Script::default(), false, deny_unsafe);
    let (sample, ann) = (Sample::bytes(5000, 1), Person::new("ann"));
    match deny_unsafe {
        DenyUnsafe::No => {
            node.call("restrictTensor", (sample.id, TASK)).await.unwrap();
            node.put(&sample, 0, &sample.encoding()).await.unwrap();
        },
        DenyUnsafe::Yes => {
            crate::tensors::gate::tests::restrict(&node.home, &sample, sample.id);
            node.home.put(&sample);
        },
    }
    node.rules.entitle(sample.id, &[ann.asker()]);
    (node, sample, ann)
}

/// The parameters of `unlockTensor` with which an account answers a challenge.
async fn answer(node: &Node, sample: &Sample, person: &Person) -> Vec<Value> {
    let reply = node.call("challenge", (sample.id,)).await.unwrap();
    let signature = sp_core::Pair::sign(&person.0, reply["message"].as_str().unwrap().as_bytes());
    assert_eq!(reply["expiresIn"], 60_000);
    let signature = format!("0x{}", hex::encode(signature.0));
    vec![json!(sample.id), json!(person.account()), reply["challenge"].clone(), json!(signature)]
}

#[tokio::test]
async fn a_restricted_tensor_wants_a_token() {
    let (node, sample, ann) = with_restricted(DenyUnsafe::No).await;
    // Not even the operator is served otherwise, whose disk has the file.
    node.assert_fails("getTensor", (sample.id, 0, 10), 20_006, "ensemble_unlockTensor").await;
    node.assert_fails("getTensor", (sample.id, 0, 10, format!("0x{}", "11".repeat(32))), 20_006, "{\"Shares\":3}")
        .await;
    node.assert_fails("tensorProof", (sample.id, 0), 20_006, "granted").await;
    assert_eq!(node.status(&sample).await["tasks"], json!([TASK]));

    let reply = node.call("unlockTensor", answer(&node, &sample, &ann).await).await.unwrap();
    assert_eq!(
        (&reply["title"], &reply["task"], &reply["expiresIn"]),
        (&json!("shareholder"), &json!(TASK), &json!(600_000))
    );
    let token = reply["token"].as_str().unwrap();
    let range = node.call("getTensor", (sample.id, 0, 5016, token)).await.unwrap();
    assert_eq!(STANDARD.decode(range.as_str().unwrap()).unwrap(), sample.encoding());
    node.call("tensorProof", (sample.id, 1, token)).await.unwrap();

    // The account sells its shares.
    node.rules.entitle(sample.id, &[]);
    node.assert_fails("getTensor", (sample.id, 0, 10, token), 20_006, "ensemble_unlockTensor").await;
    node.call("unrestrictTensor", (sample.id,)).await.unwrap();
    node.call("getTensor", (sample.id, 0, 10)).await.unwrap();
}

#[tokio::test]
async fn who_may_not_have_it_is_told_why() {
    let (node, sample, ann) = with_restricted(DenyUnsafe::No).await;
    let stranger = answer(&node, &sample, &Person::new("eve")).await;
    node.assert_fails("unlockTensor", stranger, 20_007, "buy some of the asset {\"Shares\":3}").await;
    let good = answer(&node, &sample, &ann).await;
    let with = |at: usize, value: Value| {
        let mut params = good.clone();
        params[at] = value;
        params
    };
    node.assert_fails("unlockTensor", with(1, json!(Person::new("eve").account())), 20_030, "signature").await;
    node.assert_fails("unlockTensor", with(2, json!(format!("0x{}", "11".repeat(32)))), 20_008, "another").await;
    node.assert_fails("unlockTensor", with(3, json!("0x1234")), 20_030, "signature").await;
    node.assert_fails("unlockTensor", with(0, json!(Sample::bytes(1, 2).id)), 20_008, "another").await;
    node.call("unlockTensor", good.clone()).await.unwrap();
    node.assert_fails("unlockTensor", good, 20_009, "before").await;
    // What is open, or not here, needs no token, and none is given.
    let other = Sample::bytes(10, 3);
    node.home.put(&other);
    node.rules.entitle(other.id, &[ann.asker()]);
    let answer = answer(&node, &other, &ann).await;
    node.assert_fails("unlockTensor", answer, 20_007, "not restricted").await;
}

#[tokio::test]
async fn strangers_do_not_learn_what_a_restricted_tensor_is() {
    let (node, sample, ann) = with_restricted(DenyUnsafe::Yes).await;
    assert_eq!(node.status(&sample).await, json!({ "status": "restricted", "task": TASK }));
    let token = node.call("unlockTensor", answer(&node, &sample, &ann).await).await.unwrap()["token"].clone();
    node.call("getTensor", vec![json!(sample.id), json!(0), json!(10), token]).await.unwrap();
}

#[tokio::test]
async fn an_account_learns_what_it_was_granted_and_whether_it_is_here() {
    let (node, ann, other) = (Node::alone(), Person::new("ann"), Sample::bytes(10, 3));
    let sample = Sample::bytes(10, 1);
    node.home.put(&sample);
    node.rules.entitle(sample.id, &[ann.asker()]);
    node.rules.entitle(other.id, &[ann.asker()]);
    let grant = |id, held| json!({ "task": TASK, "content": id, "since": 3, "until": 9, "held": held });
    let received = node.call("received", (ann.account(),)).await.unwrap();
    assert_eq!(received, json!([grant(sample.id, true), grant(other.id, false)]));
    assert_eq!(node.call("received", (Person::new("eve").account(),)).await.unwrap(), json!([]));
}
