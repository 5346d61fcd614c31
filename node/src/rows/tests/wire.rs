//! The same on real networks, over the loopback device.

use std::{sync::Arc, time::Duration};

use ensemble_runtime::{opaque::Block, Hash};
use sc_network::{
    config::{
        FullNetworkConfiguration, NetworkConfiguration, NonReservedPeerMode, NotificationHandshake, Params, ProtocolId,
        Role, SetConfig,
    },
    service::traits::{NetworkService, NotificationService},
    Litep2pNetworkBackend, NetworkBackend, NetworkWorker,
};
use sc_network_types::PeerId;

use super::{
    net::{alone, block_on, follow, session, wait_until, Home, World, MAX_TOKENS, PATIENCE, PROMPT, SESSION},
    tiny::Tiny,
};
use crate::rows::{
    libp2p::{protocol_config, protocol_name, run, Libp2p, Links},
    Hub, Patience,
};

/// A node on a real network.
struct Real {
    home: Home,
    hub: Arc<Hub>,
    network: Arc<dyn NetworkService>,
    links: Links,
    /// Nobody announces blocks.
    _announcements: Box<dyn NotificationService>,
}

impl Real {
    fn start<N: NetworkBackend<Block, Hash>>(seed: u8, world: &Arc<World>, model: &Tiny) -> Self {
        let config = NetworkConfiguration::new_local();
        let mut full = FullNetworkConfiguration::<Block, Hash, N>::new(&config, None);
        let metrics = N::register_notification_metrics(None);
        let name = protocol_name([5; 32]);
        let (rows, notifications) =
            protocol_config::<Block, N>(name.clone(), metrics.clone(), full.peer_store_handle());
        full.add_notification_protocol(rows);
        let nobody = SetConfig {
            in_peers: 0,
            out_peers: 0,
            reserved_nodes: Vec::new(),
            non_reserved_mode: NonReservedPeerMode::Deny,
        };
        let (block_announce_config, announcements) = N::notification_config(
            "/announcements".into(),
            Vec::new(),
            1024,
            Some(NotificationHandshake::new(1u8)),
            nobody,
            metrics.clone(),
            full.peer_store_handle(),
        );
        let backend = N::new(Params {
            role: Role::Full,
            executor: Box::new(|task| drop(tokio::spawn(task))),
            network_config: full,
            protocol_id: ProtocolId::from("rows"),
            genesis_hash: Hash::repeat_byte(5),
            fork_id: None,
            metrics_registry: None,
            block_announce_config,
            ipfs_config: None,
            notification_metrics: metrics,
        })
        .unwrap();
        let (network, links, home) = (backend.network_service(), Links::default(), Home::new(seed, model));
        tokio::spawn(backend.run());
        let wire = Arc::new(Libp2p { network: network.clone(), protocol: name, links: links.clone() });
        let hub = home.hub(world, wire.clone(), Patience { first: Duration::from_secs(30), ..PATIENCE });
        tokio::spawn(run(notifications, wire, hub.clone()));
        Self { home, hub, network, links, _announcements: announcements }
    }

    fn peer(&self) -> PeerId {
        self.network.local_peer_id()
    }

    /// Tells it where another is.
    fn knows(&self, other: &Self) {
        wait_until("an address is waited for", || !other.network.listen_addresses().is_empty());
        for address in other.network.listen_addresses() {
            self.network.add_known_address(other.peer(), address);
        }
    }
}

fn answers_over<N: NetworkBackend<Block, Hash>>() {
    let (world, model) = (Arc::<World>::default(), Tiny::new(3));
    let nodes: Vec<_> = block_on(async { (0..5).map(|seed| Real::start::<N>(seed, &world, &model)).collect() });
    let [gateway, stranger, workers @ ..] = &nodes[..] else { panic!() };
    workers.iter().for_each(|worker| gateway.knows(worker));
    stranger.knows(&workers[0]);
    let participants = workers.iter().map(|worker| worker.home.participant(worker.peer())).collect();
    let session = session(gateway.home.participant(gateway.peer()), 3, participants);
    world.sessions.lock().insert(SESSION, session);
    stranger.hub.context.post.keep(workers[0].peer());

    let (items, end) = follow(&gateway.hub.gateway.generate(SESSION, PROMPT.to_vec()).unwrap());
    let summary = end.unwrap();
    assert_eq!(items.len(), MAX_TOKENS as usize);
    assert_eq!(summary.tokens, alone(&model, &PROMPT, MAX_TOKENS, 3).tokens);
    assert_eq!((&summary.report.dropped, summary.report.unverified), (&Vec::new(), 0));
    for (place, worker) in (0..).zip(workers) {
        wait_until("the traces are waited for", || worker.hub.context.ledger.is_served(SESSION, place));
        // The gateway lets go.
        wait_until("the end of a substream is waited for", || !worker.links.read().contains_key(&gateway.peer()));
        // What a stranger opens is closed, if it was opened at all.
        wait_until("a stranger's leave is waited for", || !worker.links.read().contains_key(&stranger.peer()));
    }
    wait_until("a stranger's leave is waited for", || stranger.links.read().is_empty());
    println!("{} tokens per second", summary.rate);
    // The tasks end with the test.
    std::thread::sleep(Duration::from_millis(100));
}

#[test]
fn an_answer_comes_over_libp2p() {
    answers_over::<NetworkWorker<Block, Hash>>();
}

#[test]
fn an_answer_comes_over_litep2p() {
    answers_over::<Litep2pNetworkBackend>();
}
