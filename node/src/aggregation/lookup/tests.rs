//! Look-ups as a client calls them.

use std::{collections::HashMap, sync::Arc};

use ensemble_core::{
    spaces::{Activity, Contributors, Rule, Settled, SpaceSpec, REPORT},
    SpaceId,
};
use ensemble_host::{FetchError, Pinning};
use ensemble_runtime::AccountId;
use jsonrpsee::{core::traits::ToRpcParams, MethodsError, RpcModule};
use parking_lot::Mutex;
use serde_json::{json, Value};
use sp_runtime::{BoundedVec, Permill};
use tempfile::TempDir;

use super::*;
use crate::tensors::testing;

/// Half a unit, in the table's fixed point.
const HALF: i16 = 1 << 14;

/// A table of five rows in the plane.
const TABLE: [[i16; 2]; 5] = [[HALF, 0], [HALF, HALF], [0, HALF], [-HALF, 0], [0, 0]];
const TOKENS: &str = "east\nnorth east\nnorth\nwest\n";

/// What the chain says, and what it asked the node to fetch.
#[derive(Default)]
struct World {
    spaces: Mutex<HashMap<SpaceId, Space>>,
    unavailable: Mutex<bool>,
    fetched: Mutex<Vec<(TensorId, u64)>>,
    failed: Mutex<Option<FetchError>>,
}

impl Spaces for World {
    fn space(&self, id: SpaceId) -> Result<Option<Space>, Unavailable> {
        match *self.unavailable.lock() {
            true => Err(Unavailable("no state".into())),
            false => Ok(self.spaces.lock().get(&id).cloned()),
        }
    }
}

/// What the store holds, and what becomes of the rest.
struct Tensors(Arc<Store>, Arc<World>);

impl TensorAccess for Tensors {
    fn status(&self, id: TensorId) -> TensorStatus {
        if let Some(holding) = self.0.holding(&id) {
            return TensorStatus::Held { header: holding.header, bytes: holding.bytes, restricted: holding.restricted };
        }
        if let Some(error) = *self.1.failed.lock() {
            return TensorStatus::Failed(error);
        }
        match self.1.fetched.lock().iter().any(|(fetched, _)| *fetched == id) {
            true => TensorStatus::Fetching { received: 77, total: None },
            false => TensorStatus::Absent,
        }
    }

    fn fetch(&self, id: TensorId, max_bytes: u64) {
        self.1.fetched.lock().push((id, max_bytes));
    }

    fn pin(&self, _: TensorId) -> Pinning {
        unreachable!("a look-up keeps nothing")
    }

    fn unpin(&self, _: TensorId) {
        unreachable!("a look-up keeps nothing")
    }

    fn read(&self, _: TensorId, _: u32) -> Option<Vec<u8>> {
        unreachable!("a look-up reads from the store")
    }

    fn restrict(&self, _: TensorId, _: u32) -> bool {
        unreachable!("a look-up restricts nothing")
    }

    fn came_as(&self, _: TensorId) -> Option<Vec<ensemble_host::CameAs>> {
        unreachable!("a look-up reopens nothing")
    }

    fn reopen(&self, _: TensorId, _: u64, _: Vec<ensemble_host::CameAs>) {
        unreachable!("a look-up reopens nothing")
    }
}

struct Node {
    _folder: TempDir,
    store: Arc<Store>,
    world: Arc<World>,
    lookup: Arc<Lookup>,
    module: RpcModule<LookupRpc>,
}

impl Node {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = testing::store(folder.path(), 1 << 30);
        let world = Arc::new(World::default());
        let tensors = Arc::new(Tensors(store.clone(), world.clone()));
        let lookup = || Lookup::new(world.clone(), tensors.clone(), store.clone());
        let (module, lookup) = (LookupRpc::module(lookup()), Arc::new(lookup()));
        Self { _folder: folder, store, world, lookup, module }
    }

    /// A node with a space of five rows, and all of its state.
    fn settled() -> Self {
        let node = Self::new();
        let (table, tokens) = (node.table(&TABLE), node.bytes(TOKENS.as_bytes()));
        let state = node.state(table);
        node.settle(0, state, Some(tokens));
        node
    }

    fn table<const COLS: usize>(&self, rows: &[[i16; COLS]]) -> TensorId {
        let data: Vec<_> = rows.iter().flatten().flat_map(|number| number.to_le_bytes()).collect();
        let size = |size: usize| u32::try_from(size).unwrap();
        self.store.put(Header::new(Kind::I16, size(rows.len()), size(COLS)).unwrap(), &data).unwrap().id()
    }

    fn bytes(&self, bytes: &[u8]) -> TensorId {
        self.store.put(Header::bytes(bytes.len() as u64).unwrap(), bytes).unwrap().id()
    }

    fn state(&self, table: TensorId) -> TensorId {
        let manifest = Bundle::encode([(STATE, table), (REPORT, self.bytes(&[0]))]).unwrap();
        self.store.put(Bundle::header(&manifest).unwrap(), &manifest).unwrap().id()
    }

    fn settle(&self, id: SpaceId, content: TensorId, vocabulary: Option<TensorId>) {
        let mut space = space(id);
        space.spec.vocabulary = vocabulary;
        space.state = Some(Settled { round: 9, content, at: 100, reported: true });
        self.world.spaces.lock().insert(id, space);
    }

    async fn call(&self, params: impl ToRpcParams) -> Result<Value, (i32, String)> {
        self.module.call("ensemble_nearest", params).await.map_err(|error| match error {
            MethodsError::JsonRpc(error) => {
                (error.code(), format!("{} {}", error.message(), error.data().map_or("", |data| data.get())))
            },
            other => panic!("{other}"),
        })
    }

    async fn assert_fails(&self, params: impl ToRpcParams, code: i32, remedy: &str) {
        let (actual, message) = self.call(params).await.unwrap_err();
        assert_eq!(actual, code, "{message}");
        assert!(message.contains(remedy), "{message}");
    }
}

/// A space of five rows that has settled on nothing.
fn space(id: SpaceId) -> Space {
    Space {
        id,
        owner: AccountId::new([1; 32]),
        deposit: 0,
        spec: SpaceSpec {
            rows: 5,
            cols: 2,
            anchors: 2,
            vocabulary: None,
            matrices: BoundedVec::new(),
            rule: Rule::MultiKrum,
            tolerated: Permill::from_percent(20),
            contributors: Contributors::Anyone,
            capacity: 4,
            quorum: 1,
            least_weight: 1,
            most_weight: 1,
            cadence: 10,
        },
        members: 1,
        counting: 1,
        activity: Activity::Resting,
        state: None,
    }
}

#[tokio::test]
async fn a_vector_finds_the_rows_that_point_where_it_points() {
    let node = Node::settled();
    let content = node.world.spaces.lock()[&0].state.unwrap().content;
    let expected = json!({
        "round": 9,
        "content": content,
        "neighbours": [
            { "row": 1, "token": "north east", "cosine": 948_683 },
            { "row": 2, "token": "north", "cosine": 894_427 },
            { "row": 0, "token": "east", "cosine": 447_213 },
        ],
    });
    assert_eq!(node.call((0, [1, 2], 3)).await.unwrap(), expected);
    // Its length does not matter.
    assert_eq!(node.call((0, [10_000, 20_000], 3)).await.unwrap(), expected);
}

#[tokio::test]
async fn rows_and_tokens_find_others_than_themselves() {
    let node = Node::settled();
    let by_token = node.call((0, "east", 4)).await.unwrap();
    assert_eq!(
        by_token["neighbours"],
        json!([
            { "row": 1, "token": "north east", "cosine": 707_106 },
            { "row": 2, "token": "north", "cosine": 0 },
            // The vocabulary has no fifth line.
            { "row": 4, "cosine": 0 },
            { "row": 3, "token": "west", "cosine": -1_000_000 },
        ])
    );
    assert_eq!(node.call((0, 0, 4)).await.unwrap(), by_token);
    assert_eq!(node.call((0, 0, 100)).await.unwrap(), by_token, "there are no more rows");
    assert_eq!(node.call((0, 0, 1)).await.unwrap()["neighbours"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused_with_a_remedy() {
    let node = Node::settled();
    node.assert_fails((0, 0, 0), 21_000, "1 to 100").await;
    node.assert_fails((0, 0, 101), 21_000, "1 to 100").await;
    node.assert_fails((7, 0, 1), 21_003, "spacesApi.spaces").await;
    node.assert_fails((0, "East", 1), 21_011, "byte by byte").await;
    node.assert_fails((0, 5, 1), 21_012, "has 5 rows").await;
    node.assert_fails((0, [1], 1), 21_013, "1 numbers, and a row of the table 2").await;
    node.assert_fails((0, [0, 0], 1), 21_014, "zeros").await;
    // A row of zeros points nowhere either.
    node.assert_fails((0, 4, 1), 21_014, "zeros").await;
    node.assert_fails((0, 0.5, 1), -32602, "the number of a row").await;
    node.assert_fails((0, [40_000, 0], 1), -32602, "made of integers from -32768 to 32767").await;
}

#[tokio::test]
async fn a_space_without_a_state_or_a_vocabulary_says_so() {
    let node = Node::new();
    node.world.spaces.lock().insert(0, space(0));
    node.assert_fails((0, 0, 1), 21_004, "spacesApi.space(0)").await;
    let state = node.state(node.table(&TABLE));
    node.settle(0, state, None);
    assert_eq!(node.call((0, 0, 1)).await.unwrap()["neighbours"], json!([{ "row": 1, "cosine": 707_106 }]));
    node.assert_fails((0, "east", 1), 21_010, "number of a row").await;
    // A table is no list of tokens.
    node.settle(0, state, Some(node.table(&TABLE)));
    node.assert_fails((0, "east", 1), 21_010, "number of a row").await;
    *node.world.unavailable.lock() = true;
    node.assert_fails((0, 0, 1), 21_002, "no state").await;
}

#[tokio::test]
async fn what_is_absent_is_fetched_and_the_caller_told_to_ask_again() {
    let (node, other) = (Node::new(), Node::settled());
    let Settled { content, .. } = other.world.spaces.lock()[&0].state.unwrap();
    let vocabulary = other.bytes(TOKENS.as_bytes());
    node.settle(0, content, Some(vocabulary));
    node.assert_fails((0, "east", 1), 21_006, "ask again").await;
    node.assert_fails((0, "east", 1), 21_006, "77 bytes").await;
    let most = space(0).spec.result().max_bytes();
    assert_eq!(*node.world.fetched.lock(), [(content, most)], "fetched once");

    // The state has come, the vocabulary has not.
    assert_eq!(node.state(node.table(&TABLE)), content);
    node.assert_fails((0, "east", 1), 21_006, "the vocabulary").await;
    assert_eq!(node.call((0, 0, 1)).await.unwrap()["neighbours"], json!([{ "row": 1, "cosine": 707_106 }]));
    *node.world.failed.lock() = Some(FetchError::NotFound);
    node.assert_fails((0, "east", 1), 21_007, "no reachable peer").await;
    assert_eq!(node.world.fetched.lock().last().unwrap().0, vocabulary, "tried once more");
    node.bytes(TOKENS.as_bytes());
    assert_eq!(node.call((0, "east", 1)).await.unwrap()["neighbours"][0]["token"], "north east");
}

#[tokio::test]
async fn a_state_of_another_shape_or_for_some_only_is_refused() {
    let node = Node::new();
    node.settle(0, node.table(&TABLE), None);
    node.assert_fails((0, 0, 1), 21_009, "no bundle with a table").await;
    node.settle(0, node.state(node.table(&[[1, 2, 3]; 5])), None);
    node.assert_fails((0, 0, 1), 21_009, "no bundle with a table").await;

    let state = node.state(node.table(&TABLE));
    testing::restrict(&node.store, state);
    node.settle(0, state, None);
    node.assert_fails((0, 0, 1), 21_005, "restricted").await;

    let mut large = space(1);
    large.spec.rows = 1 << 20;
    large.spec.cols = 65;
    large.state = Some(Settled { round: 1, content: state, at: 1, reported: false });
    node.world.spaces.lock().insert(1, large);
    node.assert_fails((1, 0, 1), 21_008, "ensemble_getTensor").await;
}

#[test]
fn a_state_is_read_once_and_a_new_one_is_seen() {
    let node = Node::settled();
    let first = node.lookup.nearest(0, Query::Row(0), 1).unwrap();
    let Settled { content, .. } = node.world.spaces.lock()[&0].state.unwrap();
    node.store.remove(&content).unwrap();
    assert_eq!(node.lookup.nearest(0, Query::Row(0), 1).unwrap(), first, "it is still open");
    let mut turned = TABLE;
    turned.swap(1, 3);
    node.settle(0, node.state(node.table(&turned)), None);
    let second = node.lookup.nearest(0, Query::Row(0), 1).unwrap();
    assert_eq!(second.found[0].0.row, 3);
    assert_ne!(second.content, first.content);
}

#[test]
fn what_is_restricted_later_is_refused_though_it_was_read() {
    let node = Node::settled();
    let answers = || node.lookup.nearest(0, Query::Token("east".into()), 1);
    assert!(answers().is_ok());
    let Settled { content, .. } = node.world.spaces.lock()[&0].state.unwrap();
    let table = node.table(&TABLE);
    let vocabulary = node.bytes(TOKENS.as_bytes());
    for id in [content, table, vocabulary] {
        testing::restrict(&node.store, id);
        assert!(matches!(answers(), Err(Error::Restricted(restricted)) if restricted == id));
        node.store.unrestrict(&id).unwrap();
        assert!(answers().is_ok());
    }
}

#[test]
fn what_nobody_asks_for_is_forgotten() {
    let node = Node::settled();
    assert!(node.lookup.nearest(0, Query::Row(0), 1).is_ok());
    let Settled { content, .. } = node.world.spaces.lock()[&0].state.unwrap();
    node.store.remove(&content).unwrap();
    assert!(node.lookup.nearest(0, Query::Row(0), 1).is_ok(), "it is still open");
    node.lookup.opened.tables.age();
    node.lookup.opened.tables.tidy();
    assert!(matches!(node.lookup.nearest(0, Query::Row(0), 1), Err(Error::Fetching { .. })));
}

#[test]
fn too_many_at_once_are_refused_at_once() {
    let node = Node::settled();
    let most = node.lookup.places.available_permits();
    assert_eq!(most, crate::aggregation::machine().threads);
    let places: Vec<_> = (0..most).map(|_| node.lookup.places.try_acquire().unwrap()).collect();
    assert!(matches!(node.lookup.nearest(0, Query::Row(0), 1), Err(Error::Busy(busy)) if busy == most));
    drop(places);
    assert!(node.lookup.nearest(0, Query::Row(0), 1).is_ok());
}
