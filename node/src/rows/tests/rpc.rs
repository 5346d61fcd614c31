//! The methods as a client calls them.

use ensemble_core::inference::SessionPhase;
use ensemble_runtime::AccountId;
use jsonrpsee::{core::EmptyServerParams, MethodsError, RpcModule};
use serde_json::{json, Value};

use super::{
    net::{block_on, Net, MAX_TOKENS, PROMPT, SESSION},
    tiny::SLOW,
};
use crate::rows::{chain::Chain, rpc::RowsRpc};

fn module(net: &Net) -> RpcModule<RowsRpc> {
    let hub = &net.gateway.hub;
    RowsRpc::module(hub.context.clone(), hub.gateway.clone())
}

fn call(net: &Net, method: &str, params: Value) -> Result<Value, (i32, String)> {
    let params = params.as_array().unwrap().clone();
    block_on(module(net).call(&format!("ensemble_{method}"), params)).map_err(|error| match error {
        MethodsError::JsonRpc(error) => (error.code(), error.message().to_string()),
        other => panic!("{other}"),
    })
}

/// All that a subscriber is told.
fn generate(net: &Net, tokens: &[u32]) -> Result<Vec<Value>, (i32, String)> {
    let module = module(net);
    block_on(async {
        let subscribed = module.subscribe("ensemble_generate", (SESSION, tokens), 1000).await;
        let mut subscription = subscribed.map_err(|error| match error {
            MethodsError::JsonRpc(error) => (error.code(), error.message().to_string()),
            other => panic!("{other}"),
        })?;
        let mut news = Vec::new();
        loop {
            let (next, _) = subscription.next::<Value>().await.unwrap().unwrap();
            let is_over = next["kind"] != "token";
            news.push(next);
            if is_over {
                return Ok(news);
            }
        }
    })
}

#[test]
fn a_subscriber_is_told_token_by_token() {
    let net = Net::new(3, 3);
    let mut news = generate(&net, &PROMPT).unwrap();
    let end = news.pop().unwrap();
    let alone = net.alone(&PROMPT, MAX_TOKENS, 3).tokens;
    assert_eq!(news.len(), MAX_TOKENS as usize);
    for (place, token) in news.iter().enumerate() {
        assert_eq!(token["token"], json!(alone[PROMPT.len() + place]));
        assert_eq!(token["position"], json!(PROMPT.len() + place));
        assert_eq!(token["ranges"]["unverified"], 0);
        assert!(token["rate"].as_f64().unwrap() > 0.0);
    }
    let closing = net.gateway.ledger.closing(SESSION).unwrap();
    assert_eq!((&end["kind"], &end["tokens"]), (&json!("end"), &json!(alone)));
    assert_eq!(end["tokensId"], json!(closing.tokens.id()));
    assert_eq!((&end["trace"], &end["positions"]), (&json!(closing.trace.id()), &json!(alone.len() - 1)));
    assert_eq!(end["outputs"]["majority"], 0);
    assert_eq!((&end["disagreements"], &end["dropped"]), (&json!([]), &json!([])));
    // Whoever subscribes again is told the same.
    assert_eq!(generate(&net, &PROMPT).unwrap().len(), MAX_TOKENS as usize + 1);
}

#[test]
fn what_is_not_answered_is_refused_with_a_reason() {
    let net = Net::new(2, 1);
    let (code, message) = generate(&net, &[1]).unwrap_err();
    assert_eq!(code, 22_004, "{message}");
    net.workers[1].behaves(super::net::Manner::Short);
    let news = generate(&net, &PROMPT).unwrap();
    assert_eq!(news.len(), 1);
    assert_eq!(news[0]["kind"], "failed");
    assert!(news[0]["reason"].as_str().unwrap().contains("no worker of range 1"));
    net.world.sessions.lock().clear();
    assert_eq!(call(&net, "session", json!([9])).unwrap_err().0, 22_000);
}

#[test]
fn a_prompt_has_tokens_a_hash_and_a_price() {
    let net = Net::new(1, 1);
    let reply = call(&net, "prompt", json!([0, "ab", { "maxTokens": 10, "workers": 3, "replicas": 3 }])).unwrap();
    assert_eq!((&reply["tokens"], &reply["count"]), (&json!([19, 20]), &json!(2)));
    let hash = sp_io::hashing::blake2_256(&codec::Encode::encode(&vec![19u32, 20]));
    assert_eq!(reply["hash"], json!(sp_core::H256(hash)));
    // Two tokens and ten more, the last of which is not computed with.
    assert_eq!(reply["quote"]["price"], json!("99"));
    assert_eq!(call(&net, "prompt", json!([0, "ab"])).unwrap().get("quote"), None);

    let message = json!([{ "role": "user", "content": "hello" }]);
    assert_eq!(call(&net, "prompt", json!([0, message])).unwrap_err().0, 22_012);
    assert_eq!(call(&net, "prompt", json!([0, ""])).unwrap_err().0, 22_012);
    assert_eq!(call(&net, "prompt", json!([1, "ab"])).unwrap_err().0, 22_006);
}

#[test]
fn prompts_wait_for_their_turn() {
    let net = Net::new(1, 1);
    let module = module(&net);
    let replies = block_on(async {
        let calls = (0..10).map(|_| module.call::<_, Value>("ensemble_prompt", (0, SLOW)));
        futures::future::join_all(calls).await
    });
    for reply in replies {
        assert_eq!(reply.unwrap()["tokens"], json!([1]));
    }
}

#[test]
fn a_consent_has_all_that_a_session_is_opened_with() {
    let net = Net::new(3, 3);
    let requester = serde_json::to_value(AccountId::from([9; 32])).unwrap();
    let terms = json!({ "maxTokens": MAX_TOKENS, "workers": 3, "replicas": 3 });
    let reply = call(&net, "consent", json!([requester, 0, PROMPT, terms])).unwrap();
    let gateway = net.gateway.participant();
    assert_eq!(reply["gateway"], serde_json::to_value(&gateway.account).unwrap());
    assert_eq!(reply["until"], json!(net.world.best_number() + 20));
    assert_eq!(reply["price"], json!(((5 + MAX_TOKENS - 1) * 9).to_string()));
    let signature = reply["signature"].as_str().unwrap();
    assert!(signature.starts_with("0x") && signature.len() == 130, "{signature}");
    assert!(reply["number"].is_u64());

    let options = json!({ "payment": "credits", "gateway": gateway.account });
    let refused = call(&net, "consent", json!([requester, 0, PROMPT, terms, options])).unwrap_err();
    assert_eq!(refused.0, 22_017, "{}", refused.1);
    let options = json!({ "gateway": requester });
    assert_eq!(call(&net, "consent", json!([requester, 0, PROMPT, terms, options])).unwrap_err().0, 22_018);
    assert_eq!(call(&net, "consent", json!([requester, 0, [41], terms])).unwrap_err().0, 22_016);
    assert_eq!(call(&net, "consent", json!([requester, 1, PROMPT, terms])).unwrap_err().0, 22_006);
    let terms = json!({ "maxTokens": MAX_TOKENS, "workers": 1, "replicas": 3 });
    assert_eq!(call(&net, "consent", json!([requester, 0, PROMPT, terms])).unwrap_err().0, 22_013);
}

#[test]
fn a_session_tells_what_it_is_and_how_it_went() {
    let net = Net::new(4, 3);
    net.workers[2].has(net.model.altered("blk.1.attn_output.weight", 20));
    let reply = call(&net, "session", json!([SESSION])).unwrap();
    assert_eq!((&reply["state"], &reply["payment"]), (&json!("assigned"), &json!("tune")));
    assert_eq!(reply["workers"][0]["ranges"], json!([0, 3, 2]));
    // All rows are served three times over.
    let rows: u64 = reply["workers"].as_array().unwrap().iter().map(|worker| worker["rows"].as_u64().unwrap()).sum();
    let layer = 32 + 16 + 16 + 32 + 64 + 64 + 32;
    assert_eq!(rows, 3 * (2 * layer + 41));
    assert_eq!(reply.get("tokens"), None);

    generate(&net, &PROMPT).unwrap();
    let reply = call(&net, "session", json!([SESSION])).unwrap();
    assert_eq!(reply["tokens"], json!(MAX_TOKENS));
    assert_eq!(reply["disagreements"][0], json!({ "place": 2, "range": 2, "stage": 5, "position": 0 }));
    net.change(|session| session.phase = SessionPhase::Open { assign_at: 1 });
    assert_eq!(call(&net, "session", json!([SESSION])).unwrap()["workers"], json!([]));
    net.world.sessions.lock().clear();
    let reply = call(&net, "session", json!([SESSION])).unwrap();
    assert_eq!((&reply["state"], &reply["tokens"]), (&json!("over"), &json!(MAX_TOKENS)));
    assert_eq!(reply.get("workers"), None);
}

#[test]
fn methods_have_the_names_that_clients_use() {
    let net = Net::new(1, 1);
    let names: Vec<_> = module(&net).method_names().collect();
    for name in
        ["ensemble_prompt", "ensemble_consent", "ensemble_generate", "ensemble_unsubscribeGenerate", "ensemble_session"]
    {
        assert!(names.contains(&name), "{names:?}");
    }
    let missing = block_on(module(&net).call::<_, Value>("ensemble_session", EmptyServerParams::new()));
    assert!(missing.is_err());
}
