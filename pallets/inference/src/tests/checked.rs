//! What a node's check of a session finds, before the chain.

use std::sync::Arc;

use ensemble_check::{check, Claims, Model, Table, Verdict};
use ensemble_compute::{
    inference::{hashes, ranges, Call, Entry, Llama, Local},
    Machine,
};
use ensemble_core::inference::{Contested, Evidence, MatrixRow};
use frame_support::assert_ok;

use crate::{
    fixture::{self, Owned, World},
    mock::*,
    Culprit, Event,
};

/// Stages of the fixture: two layers of four, and the head.
const HEAD: u32 = 8;
const RANGES: u32 = 3;
/// Positions of the prompt and of the answer.
const POSITIONS: [u32; 2] = [1, 4];

/// The fixture's model, as a node has it.
struct Held(Arc<fixture::Model>);

impl Model for Held {
    type Tables = Arc<fixture::Model>;

    fn llama(&self) -> &Llama {
        &self.0.llama
    }

    fn tables(&self) -> Arc<fixture::Model> {
        self.0.clone()
    }

    fn compute(&self, call: &Call) -> Result<Vec<Vec<i64>>, String> {
        let local = Local::new(&self.0.llama, Machine::PORTABLE, |name| self.0.rows(name));
        local.and_then(|local| local.compute(call)).map_err(|error| error.to_string())
    }

    fn prove(&self, member: &str, row: u32) -> Result<MatrixRow, String> {
        Ok(self.0.row(member, row))
    }
}

fn table(owned: Owned) -> Table {
    Table::new(owned.header, owned.data).unwrap()
}

fn verdict(world: &World, contested: Vec<Contested>) -> Verdict {
    let claims = Claims {
        prompt: world.prompt_hash().0,
        prompt_tokens: world.prompt_tokens(),
        tokens: table(world.tokens()),
        gateway: table(world.gateway()),
        won: (0..RANGES).map(|range| Some(table(world.trace(range, RANGES)))).collect(),
        contested,
    };
    check(&Held(world.model.clone()), &claims, Machine::PORTABLE, || true).unwrap()
}

fn found(world: &World) -> Vec<Evidence> {
    match verdict(world, Vec::new()) {
        Verdict::Wrong(found) => found,
        Verdict::Right => panic!("nothing was found"),
    }
}

fn assert_upheld(world: &World, evidence: &Evidence, culprit: Culprit) {
    with_workers(3, |_| {
        let id = run_to_window(question(), world);
        assert_ok!(dispute(id, evidence, STRANGER));
        if matches!(last_event(), Event::Noted { .. }) {
            // What rests on outputs counts when the window is over.
            run_to_end(id);
        }
        let upheld = events().into_iter().find_map(|event| match event {
            Event::Upheld { culprit, .. } => Some(culprit),
            _ => None,
        });
        assert_eq!(upheld, Some(culprit), "{evidence:?}");
    });
}

/// Says something else at a position and stage.
fn say(world: &mut World, position: u32, stage: u32, change: impl FnOnce(&mut Entry)) {
    let step = &world.steps[&(position, stage)];
    let mut entry = Entry { input: step.input.hash(), other: hashes::state(&step.state) };
    change(&mut entry);
    world.said.insert((position, stage), entry);
}

/// The places at which stages are computed.
fn places() -> impl Iterator<Item = (u32, u32)> {
    let all = POSITIONS.into_iter().flat_map(|position| (0..=HEAD).map(move |stage| (position, stage)));
    all.filter(|(position, stage)| *stage != HEAD || *position > 1)
}

#[test]
fn nothing_is_found_in_an_honest_session() {
    assert_eq!(verdict(&World::honest(), Vec::new()), Verdict::Right);
}

#[test]
fn a_wrong_row_of_every_stage_is_found_and_upheld() {
    for (position, stage) in places() {
        for output in [0, 33, 63] {
            let mut world = World::honest();
            world.falsify(position, stage, output);
            let (range, _) = world.locate(stage, output, RANGES);
            let outputs = &world.steps[&(position, stage)].outputs;
            let llama = &world.model.llama;
            let outputs = ranges::cut(llama, llama.stage(stage).unwrap(), range, RANGES, outputs);
            let Verdict::Wrong(found) = verdict(&world, vec![Contested { range, position, stage, outputs }]) else {
                panic!("the row is not found");
            };
            assert_eq!(found[0], world.row(position, stage, output, RANGES));
            assert_upheld(&world, &found[0], Culprit::Range(range));
            // The gateway went on as if it had been right.
            if let Some(second) = found.get(1) {
                assert_upheld(&world, second, Culprit::Gateway);
            }
        }
    }
}

#[test]
fn every_false_state_is_found_and_upheld() {
    for (position, stage) in places() {
        let mut world = World::honest();
        say(&mut world, position, stage, |entry| entry.other[0] ^= 1);
        let [evidence] = &found(&world)[..] else { panic!("it is one fault") };
        assert_upheld(&world, evidence, Culprit::Gateway);
    }
}

#[test]
fn every_false_input_but_that_of_attention_is_found_and_upheld() {
    for (position, stage) in places().filter(|(_, stage)| stage % 4 != 1) {
        let mut world = World::honest();
        say(&mut world, position, stage, |entry| entry.input[0] ^= 1);
        let [evidence] = &found(&world)[..] else { panic!("it is one fault") };
        assert_upheld(&world, evidence, Culprit::Gateway);
    }
}

#[test]
fn ranges_that_say_another_input_are_found_and_upheld() {
    let mut world = World::honest();
    world.given.insert((3, 2), [1; 32]);
    let found = found(&world);
    assert_eq!(found.len(), 3);
    for (range, evidence) in (0..).zip(&found) {
        assert_upheld(&world, evidence, Culprit::Range(range));
    }
}

#[test]
fn a_false_token_is_found_and_upheld() {
    for position in [3, 5] {
        for token in [0, 5, 99, 100, u32::MAX] {
            let mut world = World::honest();
            if world.tokens[position] == token {
                continue;
            }
            world.tokens[position] = token;
            assert_upheld(&world, &found(&world)[0], Culprit::Gateway);
        }
    }
}

#[test]
fn a_false_prompt_is_found_and_upheld() {
    let mut world = World::honest();
    world.tokens[1] += 1;
    assert_upheld(&world, &found(&world)[0], Culprit::Gateway);
}
