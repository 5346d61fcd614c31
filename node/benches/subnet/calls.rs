//! The calls that are measured, as signed transactions.

use ensemble_core::{modules::Role, ModuleId};
use ensemble_runtime::{Hash, Runtime, RuntimeCall, RuntimeEvent, UncheckedExtrinsic, TUNE};
use frame_support::traits::Get;
use sp_keyring::Sr25519Keyring;
use sp_runtime::Perbill;

use crate::{
    chain,
    shared::transaction::{sign, Record},
};

/// A kind of call.
#[derive(Clone, Copy)]
pub enum Kind {
    Register,
    Update,
    Stake,
    MoveStake,
    Unstake,
    Reward,
    Slash,
    Match,
    Leave,
    Commit,
    Reveal,
}

/// What a call is about: the account and the module with one number, and the module with another.
#[derive(Clone, Copy)]
pub struct Target {
    pub entry: u32,
    pub other: ModuleId,
}

impl Kind {
    pub const ALL: [Self; 11] = [
        Self::Register,
        Self::Update,
        Self::Stake,
        Self::MoveStake,
        Self::Unstake,
        Self::Reward,
        Self::Slash,
        Self::Match,
        Self::Leave,
        Self::Commit,
        Self::Reveal,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Update => "update",
            Self::Stake => "stake",
            Self::MoveStake => "move_stake",
            Self::Unstake => "unstake",
            Self::Reward => "reward",
            Self::Slash => "slash",
            Self::Match => "match",
            Self::Leave => "leave",
            Self::Commit => "commit",
            Self::Reveal => "reveal",
        }
    }

    /// Whether such a call can be about this entry.
    pub fn concerns(self, entry: u32) -> bool {
        match self {
            Self::Match => chain::is_idle(entry),
            Self::Leave => !chain::is_idle(entry) && !chain::is_validator(entry),
            Self::Commit => chain::is_validator(entry),
            Self::Reveal => chain::is_validator(entry) && !chain::has_revealed(entry),
            _ => true,
        }
    }

    /// The block in which they are.
    pub fn block(self) -> u32 {
        match self {
            Self::Reveal => chain::REVEALING,
            _ => chain::COMMITTING,
        }
    }

    /// Whether most of what it brings about happens when the block is finished, in the time that its calls leave.
    pub fn is_finished_later(self) -> bool {
        matches!(self, Self::Match | Self::Leave)
    }

    /// Whether this is what such a call leaves behind.
    pub fn happened(self, record: &Record) -> bool {
        use pallet_matching::Event as Matching;
        use pallet_modules::Event as Modules;
        use pallet_scores::Event as Scores;
        use pallet_stake::Event as Stake;
        match &record.event {
            RuntimeEvent::Modules(Modules::ModuleRegistered { .. }) => matches!(self, Self::Register),
            RuntimeEvent::Modules(Modules::ModuleUpdated { .. }) => matches!(self, Self::Update),
            RuntimeEvent::Stake(Stake::Staked { .. }) => matches!(self, Self::Stake),
            RuntimeEvent::Stake(Stake::Moved { .. }) => matches!(self, Self::MoveStake),
            RuntimeEvent::Stake(Stake::Unstaked { .. }) => matches!(self, Self::Unstake),
            RuntimeEvent::Stake(Stake::Rewarded { .. }) => matches!(self, Self::Reward),
            RuntimeEvent::Stake(Stake::Slashed { .. }) => matches!(self, Self::Slash),
            RuntimeEvent::Matching(Matching::MinerJoined { .. }) => matches!(self, Self::Match),
            RuntimeEvent::Matching(Matching::Left { .. }) => matches!(self, Self::Leave),
            RuntimeEvent::Scores(Scores::Committed { .. }) => matches!(self, Self::Commit),
            RuntimeEvent::Scores(Scores::Revealed { .. }) => matches!(self, Self::Reveal),
            _ => false,
        }
    }

    /// Whether one of them brought about what it should: the miner found all the validators it may have, or lost all it had.
    pub fn is_complete(self, events: &[Record]) -> bool {
        use pallet_matching::Event as Matching;
        let count = |wanted: fn(&Matching<Runtime>) -> bool| {
            let is_wanted = |record: &&Record| matches!(&record.event, RuntimeEvent::Matching(event) if wanted(event));
            events.iter().filter(is_wanted).count()
        };
        let of_a_miner: u32 = <Runtime as pallet_matching::Config>::ValidatorsPerMiner::get();
        let matches = of_a_miner as usize;
        match self {
            Self::Match => count(|event| matches!(event, Matching::Matched { .. })) == matches,
            Self::Leave => count(|event| matches!(event, Matching::Unmatched { .. })) == matches,
            _ => true,
        }
    }

    fn call(self, Target { entry, other }: Target) -> RuntimeCall {
        use pallet_modules::Call as Modules;
        use pallet_stake::Call as Stake;
        match self {
            Self::Register => chain::register(&format!("{}-new", chain::name(entry)), entry),
            Self::Update => {
                let profile = chain::profile("https://new.example.org", entry);
                RuntimeCall::Modules(Modules::update { module: entry, profile })
            },
            Self::Stake => chain::stake(other),
            Self::MoveStake => RuntimeCall::Stake(Stake::move_stake { from: entry, to: other, amount: TUNE }),
            Self::Unstake => RuntimeCall::Stake(Stake::unstake { module: entry, amount: TUNE }),
            Self::Reward => RuntimeCall::Stake(Stake::reward { module: other, amount: TUNE }),
            Self::Slash => {
                let call = RuntimeCall::Stake(Stake::slash { module: other, part: Perbill::from_percent(1) });
                RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: Box::new(call) })
            },
            Self::Match => chain::set_role(entry, Role::Miner),
            Self::Leave => chain::set_role(entry, Role::Idle),
            Self::Commit => chain::commit(entry, 1),
            Self::Reveal => chain::reveal(entry),
        }
    }
}

/// The call as a transaction, to be made on the state that it is for. Slashes are signed by the account that administers
/// the chain, all others by the account of the entry, which has not signed anything before.
pub fn signed(kind: Kind, target: Target, genesis: Hash) -> UncheckedExtrinsic {
    match kind {
        Kind::Slash => sign(&Sr25519Keyring::Alice.pair(), genesis, kind.call(target)),
        _ => sign(&chain::pair(target.entry), genesis, kind.call(target)),
    }
}
