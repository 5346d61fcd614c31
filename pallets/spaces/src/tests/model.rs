//! The pallet beside a plain model of what it is for, through thousands of random steps.

use std::collections::BTreeMap;

use ensemble_core::{
    spaces::{Activity, Finding, Member, RoundIndex, SpaceSpec, Standing},
    votes::VoteEnd,
    SpaceId, TaskId,
};
use frame_support::assert_ok;
use proptest::prelude::*;
use sp_runtime::{DispatchError, DispatchResult};

use crate::{mock::*, Balance, Error, Event, History, Refusal};

/// A round whose report can be submitted, with who took part.
#[derive(Clone, Debug)]
struct Settled {
    round: RoundIndex,
    roster: Vec<TaskId>,
    result: RoundResult,
}

/// A space as the model sees it.
#[derive(Clone, Debug)]
struct Space {
    spec: SpaceSpec<BlockNumber>,
    deposit: Balance,
    members: BTreeMap<TaskId, Member>,
    admitted: u32,
    has_changed: bool,
    rests_until: BlockNumber,
    failures: u32,
    due: Option<BlockNumber>,
    rounds: RoundIndex,
    /// The round that runs.
    runs: Option<(RoundIndex, Vec<TaskId>)>,
    unreported: Option<Settled>,
    state: Option<RoundIndex>,
    ends: Vec<VoteEnd>,
    is_retired: bool,
}

impl Space {
    fn counting(&self) -> Vec<TaskId> {
        self.members.values().filter(|member| member.standing.counts()).map(|member| member.task).collect()
    }

    /// Has the next round wait after one without result.
    fn fail(&mut self, now: BlockNumber) {
        self.failures += 1;
        self.rests_until = now + (self.spec.cadence << self.failures.min(20)).min(1_000);
    }

    /// Decides when the next round begins.
    fn plan(&mut self) {
        let wants = !self.is_retired && self.has_changed && self.counting().len() >= self.spec.quorum as usize;
        if !wants || self.runs.is_some() {
            self.due = None;
        } else if self.due.is_none() {
            self.due = Some(self.rests_until.max(System::block_number() + 1));
        }
    }
}

#[derive(Default)]
struct Model {
    spaces: BTreeMap<SpaceId, Space>,
    events_seen: usize,
}

#[derive(Clone, Debug)]
enum Op {
    Create(u32, u32, u64),
    Admit(usize, u8, u8),
    Suspend(usize, usize),
    Readmit(usize, usize),
    Retire(usize),
    Settle(usize, u8),
    Void(usize),
    Report(usize),
    RefuseVotes(bool),
    Block(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let id = any::<usize>;
    prop_oneof![
        3 => (1u32..5, 0u32..3, 2u64..6).prop_map(|(quorum, more, cadence)| Op::Create(quorum, more, cadence)),
        12 => (id(), 0u8..30, 0u8..12).prop_map(|(id, task, weight)| Op::Admit(id, task, weight)),
        3 => (id(), id()).prop_map(|(id, member)| Op::Suspend(id, member)),
        3 => (id(), id()).prop_map(|(id, member)| Op::Readmit(id, member)),
        1 => id().prop_map(Op::Retire),
        6 => (id(), prop_oneof![any::<u8>(), Just(u8::MAX)]).prop_map(|(id, findings)| Op::Settle(id, findings)),
        2 => id().prop_map(Op::Void),
        6 => id().prop_map(Op::Report),
        1 => any::<bool>().prop_map(Op::RefuseVotes),
        12 => prop_oneof![0..40u64, Just(u64::MAX)].prop_map(Op::Block),
    ]
}

fn error(error: Error<Test>) -> DispatchResult {
    Err(DispatchError::from(error))
}

fn nth<K: Copy + Ord, V>(map: &BTreeMap<K, V>, number: usize) -> Option<K> {
    map.keys().nth(number.checked_rem(map.len())?).copied()
}

impl Model {
    fn running(&self) -> u32 {
        self.spaces.values().filter(|space| space.runs.is_some()).count() as u32
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Create(quorum, more, cadence) => self.create(quorum, more, cadence),
            Op::Admit(id, task, weight) => self.with(id, |space, id| admit_to(space, id, task, weight)),
            Op::Suspend(id, member) => self.with(id, |space, id| suspend_in(space, id, member)),
            Op::Readmit(id, member) => self.with(id, |space, id| readmit_in(space, id, member)),
            Op::Retire(id) => self.with(id, |space, id| {
                let expected = if space.is_retired { error(Error::SpaceRetired) } else { Ok(()) };
                assert_eq!(retire(id), expected);
                space.is_retired = true;
            }),
            Op::Settle(id, findings) => self.with(id, |space, id| settle_in(space, id, findings)),
            Op::Void(id) => self.with(id, |space, id| {
                if space.runs.take().is_some() {
                    void(id);
                    space.has_changed = true;
                    space.fail(System::block_number());
                    space.ends.push(VoteEnd::Void(ensemble_core::votes::VoteVoid::NoMajority));
                }
            }),
            Op::Report(id) => self.with(id, report_in),
            Op::RefuseVotes(refuse) => RefuseVotes::set(refuse),
            Op::Block(idle) => self.block(idle),
        }
        self.assert_shown();
    }

    fn with(&mut self, number: usize, act: impl FnOnce(&mut Space, SpaceId)) {
        if let Some(id) = nth(&self.spaces, number) {
            let space = self.spaces.get_mut(&id).unwrap();
            act(space, id);
            space.plan();
        }
    }

    fn create(&mut self, quorum: u32, more: u32, cadence: BlockNumber) {
        let spec = SpaceSpec { quorum, capacity: quorum + more, cadence, least_weight: 2, most_weight: 9, ..spec() };
        let others = self.spaces.len() as u32;
        let id = crate::NextSpaceId::<Test>::get();
        if quorum + more > MAX_MEMBERS {
            return assert_eq!(create(spec), error(Error::InvalidCapacity));
        }
        if others == MAX_SPACES {
            return assert_eq!(create(spec), error(Error::TooManySpaces));
        }
        assert_ok!(create(spec.clone()));
        let space = Space {
            spec,
            deposit: DEPOSIT << (others * 2),
            members: BTreeMap::new(),
            admitted: 0,
            has_changed: false,
            rests_until: 0,
            failures: 0,
            due: None,
            rounds: 0,
            runs: None,
            unreported: None,
            state: None,
            ends: Vec::new(),
            is_retired: false,
        };
        self.spaces.insert(id, space);
    }

    fn block(&mut self, idle: u64) {
        let now = System::block_number();
        self.events_seen = events().len();
        next_block_with(idle);
        // What follows is about the block that is over.
        System::set_block_number(now);
        for event in &events()[self.events_seen..] {
            self.replay(event, now);
        }
        if idle == u64::MAX {
            let full = self.running() == MAX_RUNNING;
            for space in self.spaces.values() {
                assert!(full || space.due.is_none_or(|due| due > now), "a round could have begun");
                assert!(!space.is_retired || space.runs.is_some(), "a space could have been closed");
            }
        }
        System::set_block_number(now + 1);
    }

    /// Goes through what the pallet did with the rest of a block.
    fn replay(&mut self, event: &Event<Test>, now: BlockNumber) {
        let oldest = self.spaces.values().filter_map(|space| space.due).min();
        let running = self.running();
        let begins = |space: &Space| {
            assert!(running < MAX_RUNNING, "too many rounds");
            assert_eq!(space.due, oldest, "another space waited longer");
            assert!(space.due.unwrap() <= now && now >= space.rests_until, "it was not due");
        };
        match event {
            Event::RoundOpened { space, round, entrants, .. } => {
                let space = self.spaces.get_mut(space).unwrap();
                begins(space);
                assert!(!RefuseVotes::get());
                assert_eq!((*round, *entrants as usize), (space.rounds, space.counting().len()));
                let mut roster = space.counting();
                roster.sort_by_key(|task| content(*task));
                space.runs = Some((space.rounds, roster));
                space.rounds += 1;
                (space.has_changed, space.due, space.rests_until) = (false, None, now + space.spec.cadence);
            },
            Event::RoundNotOpened { space, .. } => {
                let space = self.spaces.get_mut(space).unwrap();
                begins(space);
                assert!(RefuseVotes::get());
                space.fail(now);
                space.due = Some(space.rests_until);
            },
            Event::SpaceClosed { space, deposit, .. } => {
                let space = self.spaces.remove(space).unwrap();
                assert!(space.is_retired && space.runs.is_none());
                assert_eq!(*deposit, space.deposit);
            },
            other => panic!("{other:?}"),
        }
    }

    /// The pallet shows what the model knows.
    fn assert_shown(&self) {
        assert_eq!(Spaces::space_views(0, 100).len(), self.spaces.len());
        assert_eq!(held(OWNER), self.spaces.values().map(|space| space.deposit).sum());
        for (id, space) in &self.spaces {
            let view = Spaces::space_view(*id).unwrap();
            assert_eq!(Spaces::members_of(*id), space.members.values().cloned().collect::<Vec<_>>());
            assert_eq!(view.counting as usize, space.counting().len());
            assert_eq!(view.state.map(|state| state.round), space.state);
            match view.activity {
                Activity::Running { round, is_last, .. } => {
                    assert_eq!(space.runs.as_ref().map(|runs| runs.0), Some(round));
                    assert_eq!(is_last, space.is_retired);
                    assert_eq!(entrants(*id, round), space.runs.as_ref().unwrap().1);
                },
                Activity::Closing => assert!(space.is_retired && space.runs.is_none()),
                Activity::Due(due) => assert!(space.due == Some(due) && !space.is_retired),
                Activity::Resting => assert!(space.due.is_none() && !space.is_retired && space.runs.is_none()),
            }
            if !space.is_retired {
                let kept = space.ends.len().saturating_sub(KEPT_ROUNDS as usize);
                let ends: BTreeMap<_, _> = History::<Test>::iter_prefix(id).map(|(at, past)| (at, past.end)).collect();
                assert!(ends.into_values().eq(space.ends[kept..].iter().copied()));
            }
        }
    }
}

fn admit_to(space: &mut Space, id: SpaceId, task: u8, weight: u8) {
    let (task, weight) = (TaskId::from(task), u128::from(weight));
    let full = space.members.len() == space.spec.capacity as usize;
    let suspended = space.members.values().filter_map(|member| match member.standing {
        Standing::Suspended { since } => Some((since, member.task)),
        Standing::Counting { .. } => None,
    });
    let longest = suspended.min().map(|(_, task)| task);
    let expected = match () {
        () if space.is_retired => Err(Refusal::Retired),
        () if weight < 2 => Err(Refusal::TooLight),
        () if space.members.contains_key(&task) => Err(Refusal::AlreadyMember),
        () if full && longest.is_none() => Err(Refusal::Full),
        () => Ok(longest.filter(|_| full)),
    };
    let found = match admit_with(id, task, weight) {
        Event::MemberAdmitted { replaced, .. } => Ok(replaced),
        Event::MemberRefused { refusal, .. } => Err(refusal),
        other => panic!("{other:?}"),
    };
    assert_eq!(found, expected);
    if let Ok(replaced) = found {
        replaced.map(|replaced| space.members.remove(&replaced));
        let (content, weight) = (content(task), weight.min(9));
        let (admitted, standing) = (space.admitted, Standing::FRESH);
        space.members.insert(task, Member { task, admitted, content, weight, standing, last: None });
        space.admitted += 1;
        space.failures = 0;
        let soonest = System::block_number() + space.spec.cadence;
        if soonest < space.rests_until {
            (space.rests_until, space.due) = (soonest, None);
        }
        space.has_changed = true;
    }
}

fn suspend_in(space: &mut Space, id: SpaceId, number: usize) {
    let Some(task) = nth(&space.members, number) else { return };
    let member = space.members.get_mut(&task).unwrap();
    let expected = match () {
        () if space.is_retired => error(Error::SpaceRetired),
        () if !member.standing.counts() => error(Error::AlreadySuspended),
        () => Ok(()),
    };
    assert_eq!(suspend(id, task), expected);
    if expected.is_ok() {
        member.standing = Standing::Suspended { since: space.rounds };
        space.has_changed = true;
    }
}

fn readmit_in(space: &mut Space, id: SpaceId, number: usize) {
    let Some(task) = nth(&space.members, number) else { return };
    let member = space.members.get_mut(&task).unwrap();
    let expected = match () {
        () if space.is_retired => error(Error::SpaceRetired),
        () if member.standing.counts() => error(Error::NotSuspended),
        () => Ok(()),
    };
    assert_eq!(readmit(id, task), expected);
    if expected.is_ok() {
        member.standing = Standing::FRESH;
        space.has_changed = true;
    }
}

fn settle_in(space: &mut Space, id: SpaceId, findings: u8) {
    let Some((round, roster)) = space.runs.take() else { return };
    let finding = |at: usize| if (findings >> at) & 1 == 1 { OUTVOTED } else { ACCEPTED };
    let found: Vec<_> = (0..roster.len()).map(finding).collect();
    let result = RoundResult::of(&found);
    settle(id, &result);
    space.ends.push(VoteEnd::Settled(result.id()));
    space.state = Some(round);
    space.failures = 0;
    space.unreported = Some(Settled { round, roster, result });
}

fn report_in(space: &mut Space, id: SpaceId) {
    let Some(Settled { round, roster, result }) = space.unreported.clone() else { return };
    if space.is_retired {
        assert!(result.authorize(id, round).is_err());
        return assert_eq!(result.dispatch(id, round), error(Error::SpaceRetired));
    }
    result.submit(id, round);
    assert!(result.authorize(id, round).is_err(), "a report is valid once");
    space.unreported = None;
    let report = <Vec<Finding> as codec::Decode>::decode(&mut &result.report[..]).unwrap();
    for (task, finding) in roster.into_iter().zip(report) {
        let Some(member) = space.members.get_mut(&task) else { continue };
        member.last = Some((round, finding));
        member.standing = match member.standing {
            Standing::Counting { .. } if finding == ACCEPTED => Standing::FRESH,
            Standing::Counting { rejections } if rejections + 1 == MAX_REJECTIONS => {
                Standing::Suspended { since: round }
            },
            Standing::Counting { rejections } => Standing::Counting { rejections: rejections + 1 },
            suspended => suspended,
        };
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 20_000, ..Default::default() })]

    #[test]
    fn the_pallet_does_what_the_model_says(ops in prop::collection::vec(op(), 1..300)) {
        new_chain().execute_with(|| {
            let mut model = Model::default();
            for op in ops {
                model.apply(op);
            }
            check_state();
            // Whatever happened, everything can be wound up, and all deposits return.
            for id in model.spaces.keys().copied().collect::<Vec<_>>() {
                if matches!(activity(id), Activity::Running { .. }) {
                    void(id);
                }
                if !space(id).is_retired() {
                    assert_ok!(retire(id));
                }
            }
            next_block();
            assert_eq!((held(OWNER), free(OWNER)), (0, ENDOWMENT));
            assert_eq!(crate::Rosters::<Test>::iter().count() + History::<Test>::iter().count(), 0);
        });
    }
}
