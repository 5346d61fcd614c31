//! The methods as a client calls them.

use std::sync::Arc;

use ensemble_core::market::{Receipt, TicketId};
use ensemble_runtime::{AccountId, BlockNumber, Hash};
use jsonrpsee::{MethodsError, RpcModule};
use parking_lot::Mutex;
use serde_json::{json, Value};
use sp_core::{ed25519, sr25519, Pair, H256};
use sp_runtime::{traits::IdentifyAccount, MultiSignature, MultiSigner};

use super::{
    chain::{Ticket, Tickets, Unavailable},
    TicketRpc,
};

const GENESIS: Hash = H256::repeat_byte(7);
const CHALLENGE: H256 = H256::repeat_byte(3);
const MODULE: u32 = 5;
const TICKET: TicketId = 9;
const CALLS: u32 = 10;
const UNTIL: BlockNumber = 100;

/// A chain with one ticket, if its state can be read.
struct World {
    ticket: Mutex<Ticket>,
    now: Mutex<BlockNumber>,
    is_down: Mutex<bool>,
}

struct Shared(Arc<World>);

impl Tickets for Shared {
    fn genesis(&self) -> Hash {
        GENESIS
    }

    fn ticket(&self, id: TicketId) -> Result<(Option<Ticket>, BlockNumber), Unavailable> {
        if *self.0.is_down.lock() {
            return Err(Unavailable("the state was pruned".into()));
        }
        let ticket = Some(self.0.ticket.lock().clone()).filter(|ticket| ticket.id == id);
        Ok((ticket, *self.0.now.lock()))
    }
}

/// A buyer, and the chain on which it has bought.
struct Scene {
    buyer: sr25519::Pair,
    world: Arc<World>,
    rpc: RpcModule<TicketRpc>,
}

impl Scene {
    fn new() -> Self {
        let (buyer, _) = sr25519::Pair::generate();
        let account = MultiSigner::from(buyer.public()).into_account();
        let world =
            Arc::new(World { ticket: Mutex::new(ticket(account)), now: Mutex::new(50), is_down: Mutex::new(false) });
        Self { buyer, rpc: TicketRpc::module(Shared(world.clone())), world }
    }

    /// What the buyer signs for so many calls.
    fn sign(&self, receipt: Receipt) -> String {
        hex(&self.buyer.sign(receipt.message(GENESIS).as_bytes()).0)
    }

    fn check(&self, params: Value) -> Result<Value, (i32, String)> {
        call(&self.rpc, "checkTicket", params)
    }

    /// The code with which a call is refused.
    fn refused(&self, params: Value) -> i32 {
        self.check(params).unwrap_err().0
    }
}

fn ticket(buyer: AccountId) -> Ticket {
    Ticket { id: TICKET, module: MODULE, buyer, calls: CALLS, redeemed: 2, until: UNTIL, redeemable_until: UNTIL + 20 }
}

fn receipt(calls: u32) -> Receipt {
    Receipt { ticket: TICKET, calls, challenge: CHALLENGE }
}

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn call(rpc: &RpcModule<TicketRpc>, method: &str, params: Value) -> Result<Value, (i32, String)> {
    let params = params.as_array().unwrap().clone();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(rpc.call(&format!("ensemble_{method}"), params)).map_err(|error| match error {
        MethodsError::JsonRpc(error) => (error.code(), error.message().to_string()),
        other => panic!("{other}"),
    })
}

#[test]
fn what_is_to_be_signed_is_the_receipts_text() {
    let scene = Scene::new();
    let message = call(&scene.rpc, "ticketMessage", json!([TICKET, 3, CHALLENGE])).unwrap();
    assert_eq!(message, json!(receipt(3).message(GENESIS)));
    let message = call(&scene.rpc, "ticketMessage", json!([TICKET, 3])).unwrap();
    assert_eq!(message, json!(Receipt { challenge: H256::zero(), ..receipt(3) }.message(GENESIS)));
}

#[test]
fn a_good_ticket_says_what_is_left_of_it() {
    let scene = Scene::new();
    let reply = scene.check(json!([MODULE, TICKET, 4, scene.sign(receipt(4)), CHALLENGE, 3])).unwrap();
    let buyer = scene.world.ticket.lock().buyer.clone();
    let expected = json!({
        "ticket": 9, "module": 5, "buyer": buyer, "left": 6, "redeemed": 2, "until": 100, "redeemableUntil": 120
    });
    assert_eq!(reply, expected);
    // Nothing was answered before, and nothing was asked to be signed.
    let plain = Receipt { challenge: H256::zero(), ..receipt(CALLS) };
    assert_eq!(scene.check(json!([MODULE, TICKET, CALLS, scene.sign(plain)])).unwrap()["left"], 0);
}

#[test]
fn a_signature_may_come_in_a_wallets_frame_and_of_any_scheme() {
    let scene = Scene::new();
    let framed = format!("<Bytes>{}</Bytes>", receipt(3).message(GENESIS));
    let signature = MultiSignature::from(scene.buyer.sign(framed.as_bytes()));
    scene.check(json!([MODULE, TICKET, 3, hex(&codec::Encode::encode(&signature)), CHALLENGE])).unwrap();

    let (other, _) = ed25519::Pair::generate();
    scene.world.ticket.lock().buyer = MultiSigner::from(other.public()).into_account();
    let signature = MultiSignature::from(other.sign(receipt(3).message(GENESIS).as_bytes()));
    scene.check(json!([MODULE, TICKET, 3, hex(&codec::Encode::encode(&signature)), CHALLENGE])).unwrap();
}

#[test]
fn every_reason_to_refuse_has_its_code() {
    let scene = Scene::new();
    let signed = |calls| scene.sign(receipt(calls));
    assert_eq!(scene.refused(json!([MODULE, TICKET + 1, 3, signed(3), CHALLENGE])), 23_001);
    assert_eq!(scene.refused(json!([MODULE + 1, TICKET, 3, signed(3), CHALLENGE])), 23_002);
    assert_eq!(scene.refused(json!([MODULE, TICKET, 0, signed(0), CHALLENGE])), 23_004);
    assert_eq!(scene.refused(json!([MODULE, TICKET, CALLS + 1, signed(CALLS + 1), CHALLENGE])), 23_005);
    assert_eq!(scene.refused(json!([MODULE, TICKET, 2, signed(2), CHALLENGE])), 23_006);
    assert_eq!(scene.refused(json!([MODULE, TICKET, 3, signed(3), CHALLENGE, 3])), 23_007);
    *scene.world.now.lock() = UNTIL + 1;
    assert_eq!(scene.refused(json!([MODULE, TICKET, 3, signed(3), CHALLENGE])), 23_003);
    *scene.world.is_down.lock() = true;
    let (code, message) = scene.check(json!([MODULE, TICKET, 3, signed(3), CHALLENGE])).unwrap_err();
    assert_eq!(code, 23_000);
    assert!(message.contains("the state was pruned"), "{message}");
}

#[test]
fn a_ticket_is_good_in_its_last_block() {
    let scene = Scene::new();
    *scene.world.now.lock() = UNTIL;
    scene.check(json!([MODULE, TICKET, 3, scene.sign(receipt(3)), CHALLENGE])).unwrap();
}

#[test]
fn a_signature_for_anything_else_is_refused() {
    let scene = Scene::new();
    let (stranger, _) = sr25519::Pair::generate();
    let by_a_stranger = hex(&stranger.sign(receipt(3).message(GENESIS).as_bytes()).0);
    let elsewhere = hex(&scene.buyer.sign(receipt(3).message(Hash::zero()).as_bytes()).0);
    let at_another_endpoint = scene.sign(Receipt { challenge: H256::zero(), ..receipt(3) });
    let for_fewer = scene.sign(receipt(2));
    for signature in [by_a_stranger, elsewhere, at_another_endpoint, for_fewer, "0x".into(), hex(&[1; 3])] {
        let (code, message) = scene.check(json!([MODULE, TICKET, 3, signature, CHALLENGE])).unwrap_err();
        assert_eq!(code, 23_008, "{message}");
        assert!(message.contains("ensemble_ticketMessage"), "{message}");
    }
}
