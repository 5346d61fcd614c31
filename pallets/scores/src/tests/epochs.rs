//! Random epochs: whatever validators and miners do, the state stays sound and only who reveals earns.

use std::collections::BTreeSet;

use ensemble_core::{epochs::EpochPhase, matching::Matching};
use frame_support::weights::Weight;
use proptest::prelude::*;
use sp_runtime::Permill;

use crate::{mock::*, Settling};

/// Something that happens.
#[derive(Clone, Debug)]
enum Action {
    /// All but those of whom nothing is said commit, or reveal, all that they can.
    Work {
        biases: [Option<u32>; 4],
    },
    Commit {
        validator: u32,
        batch: u32,
        bias: u32,
        also: Option<u32>,
    },
    Reveal {
        validator: u32,
        batch: u32,
    },
    Draw {
        validator: u32,
    },
    Report {
        validator: u32,
    },
    Assign {
        miner: u32,
        validators: Vec<u32>,
    },
    Leave {
        module: u32,
    },
    Return {
        module: u32,
    },
    Remove {
        module: u32,
    },
    Truth {
        miner: u32,
        percent: u32,
    },
    Stake {
        validator: u32,
        stake: u128,
    },
    Blocks {
        idle: Vec<u64>,
    },
    Phase,
}

fn any_action() -> impl Strategy<Value = Action> {
    let validator = prop::sample::select(VALIDATORS.to_vec());
    let miner = prop::sample::select(MINERS.to_vec());
    let module = prop_oneof![validator.clone(), miner.clone()];
    let validators = prop::sample::subsequence(VALIDATORS.to_vec(), 0..=4);
    let bias = prop_oneof![4 => Just(0u32), 1 => 0u32..80];
    let also = prop_oneof![6 => Just(None), 1 => miner.clone().prop_map(Some)];
    let work = prop::array::uniform4(prop::option::weighted(0.9, bias.clone()));
    prop_oneof![
        14 => work.prop_map(|biases| Action::Work { biases }),
        10 => (validator.clone(), 0..=MAX_BATCHES, bias, also)
            .prop_map(|(validator, batch, bias, also)| Action::Commit { validator, batch, bias, also }),
        14 => (validator.clone(), 0..=MAX_BATCHES).prop_map(|(validator, batch)| Action::Reveal { validator, batch }),
        2 => validator.clone().prop_map(|validator| Action::Draw { validator }),
        1 => validator.clone().prop_map(|validator| Action::Report { validator }),
        3 => (miner.clone(), validators).prop_map(|(miner, validators)| Action::Assign { miner, validators }),
        1 => module.clone().prop_map(|module| Action::Leave { module }),
        2 => module.clone().prop_map(|module| Action::Return { module }),
        1 => module.prop_map(|module| Action::Remove { module }),
        1 => (miner, 0u32..=100).prop_map(|(miner, percent)| Action::Truth { miner, percent }),
        1 => (validator, 0u128..5_000).prop_map(|(validator, stake)| Action::Stake { validator, stake }),
        6 => prop::collection::vec(0u64..200, 1..4).prop_map(|idle| Action::Blocks { idle }),
        8 => Just(Action::Phase),
    ]
}

/// A validator, the number of its batch, and what it says in it.
type Batch = (u32, u32, Vec<(u32, u32)>);

/// What was committed to in this epoch, and who revealed some of it.
#[derive(Default)]
struct Epoch {
    sealed: Vec<Batch>,
    revealed: BTreeSet<u32>,
}

/// What a validator would say: its miners and checks in order, a few each batch, and perhaps somebody else's.
fn list(validator: u32, batch: u32, bias: u32, also: Option<u32>) -> Vec<(u32, u32)> {
    let own = MINERS.into_iter().filter(|miner| Net::get().miners[miner].validators.contains(&validator));
    let checks = Scores::duties_of(validator).and_then(|duties| duties.checks);
    let all: BTreeSet<_> = own.chain(checks.into_iter().flatten()).chain(also).collect();
    let part = all.into_iter().filter(|miner| miner % MAX_BATCHES == batch % MAX_BATCHES);
    part.map(|miner| (miner, (miner * 5).saturating_sub(bias))).collect()
}

fn try_commit(epoch: &mut Epoch, validator: u32, batch: u32, bias: u32, also: Option<u32>) {
    let _ = draw(validator);
    let of = list(validator, batch, bias, also);
    if commit(validator, batch, &of).is_ok() {
        epoch.sealed.push((validator, batch, of));
    }
}

fn try_reveal(epoch: &mut Epoch, validator: u32, batch: u32) {
    let known = epoch.sealed.iter().position(|(who, which, _)| (*who, *which) == (validator, batch));
    let of = known.map(|place| epoch.sealed[place].2.clone()).unwrap_or_default();
    if reveal(validator, batch, &of).is_ok() {
        epoch.sealed.remove(known.expect("nothing is revealed that was not committed to"));
        epoch.revealed.insert(validator);
    }
}

fn act(action: &Action, epoch: &mut Epoch) {
    match action.clone() {
        Action::Work { biases } => {
            for (validator, bias) in VALIDATORS.into_iter().zip(biases) {
                for batch in (0..MAX_BATCHES).filter(|_| bias.is_some()) {
                    try_commit(epoch, validator, batch, bias.unwrap_or_default(), None);
                    try_reveal(epoch, validator, batch);
                }
            }
        },
        Action::Commit { validator, batch, bias, also } => try_commit(epoch, validator, batch, bias, also),
        Action::Reveal { validator, batch } => try_reveal(epoch, validator, batch),
        Action::Draw { validator } => drop(draw(validator)),
        Action::Report { validator } => drop(report_silent(validator)),
        Action::Assign { miner, validators } => {
            let active = validators.into_iter().filter(|validator| Net::types(*validator).is_some());
            if Net::miner_type(miner).is_some() {
                reassign(miner, &active.collect::<Vec<_>>());
            }
        },
        Action::Leave { module } => leave(module),
        Action::Return { module } if VALIDATORS.contains(&module) => {
            let known = reliability(module);
            if Net::types(module).is_none() {
                join(module, owner_of(module), &[CHAT]);
                change_validator(module, |validator| validator.reliability = known);
            }
        },
        Action::Return { module } => {
            if Net::miner_type(module).is_none() {
                serve(module, owner_of(module), CHAT);
                reassign(module, &[]);
            }
        },
        Action::Remove { module } => remove(module),
        Action::Truth { miner, percent } => set_truth(miner, percent),
        Action::Stake { validator, stake } => {
            Stakes::mutate(|stakes| stakes.insert(validator, stake));
        },
        Action::Blocks { idle } => {
            for time in idle {
                next_block(Weight::from_parts(time, 0));
            }
        },
        Action::Phase => {
            match Clock::get() {
                (now, EpochPhase::Commit) => set_clock(now, EpochPhase::Reveal),
                (now, EpochPhase::Reveal) => {
                    set_clock(now + 1, EpochPhase::Commit);
                    *epoch = Epoch::default();
                },
            }
            next_block(Weight::zero());
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn stay_sound(actions in prop::collection::vec(any_action(), 1..250)) {
        new_chain().execute_with(|| {
            for (miner, validators) in MINERS.into_iter().zip([4, 3, 3, 2, 1, 4]) {
                assign(miner, &VALIDATORS[..validators]);
            }
            let mut epoch = Epoch::default();
            for action in &actions {
                let before = VALIDATORS.map(reliability);
                act(action, &mut epoch);
                check_state();
                let may_move = matches!(action, Action::Blocks { .. } | Action::Report { .. });
                prop_assert!(may_move || VALIDATORS.map(reliability) == before, "reliability moved before settling");
                for validator in VALIDATORS {
                    prop_assert!(reliability(validator) <= Permill::one());
                    let earns = Judges::get().get(&validator).is_some_and(|merit| !merit.is_zero());
                    prop_assert!(!earns || epoch.revealed.contains(&validator), "{validator} earns for nothing");
                }
            }
            // With room, everything is settled and forgotten.
            for _ in 0..KEPT_EPOCHS + 3 {
                to_next_epoch();
                for _ in 0..8 {
                    next_block(Weight::MAX);
                }
            }
            prop_assert_eq!(Settling::<Test>::get().epoch, Clock::get().0);
            prop_assert_eq!(Scores::results_kept(), 0);
            prop_assert_eq!(crate::Records::<Test>::iter().count(), 0);
            prop_assert_eq!(crate::Works::<Test>::iter().count(), 0);
            Ok(())
        })?;
    }
}
