use ensemble_compute::inference::Entry;
use ensemble_core::inference::{ask_bytes, served_bytes, Evidence, GlueEvidence, RangeIndex, SessionId};
use ensemble_tensor::merkle;
use frame_support::{assert_noop, assert_ok};
use sp_core::Pair;

use crate::{
    fixture::World, mock::*, Culprit, CurrentParameters, Error, Event, HoldReason, Parameters, Question, Rates, Refund,
    State,
};

/// Stages of the fixture: two layers of four, and the head.
const HEAD: u32 = 8;
/// A position of the answer.
const LAST: u32 = 4;

/// What each backer of a range loses, or a gateway.
const LOSS: u128 = BOND / 2;

fn uphold(world: &World, evidence: &Evidence, culprit: Culprit) -> u32 {
    let id = run_to_window(question(), world);
    let wealth_before = wealth(STRANGER);
    assert_ok!(dispute(id, evidence, STRANGER));
    let Event::Upheld { culprit: found, slashed, reward, .. } = last_event() else { panic!("{:?}", last_event()) };
    assert_eq!(found, culprit);
    assert_eq!((reward, wealth(STRANGER)), (slashed * 2 / 5, wealth_before + slashed * 2 / 5));
    assert_eq!(held(HoldReason::Dispute, STRANGER), 0);
    check_state();
    id
}

/// Has something noted, and carried out when the window is over.
fn uphold_at_end(world: &World, evidence: &Evidence) {
    let id = run_to_window(question(), world);
    let (wealth_before, end) = (wealth(STRANGER), until(id));
    assert_ok!(dispute(id, evidence, STRANGER));
    let noted = Event::Noted { session: id, challenger: STRANGER, position: LAST, until: end + LENGTHS.window / 4 };
    assert_eq!((last_event(), until(id)), (noted, end + LENGTHS.window / 4));
    assert_eq!((wealth(STRANGER), held(HoldReason::Dispute, STRANGER)), (wealth_before, 0));
    assert_eq!(worker(GATEWAY).bond, BOND);
    assert_noop!(dispute(id, evidence, WORKERS[5]), Error::<Test>::AlreadyShown);
    run_to(until(id) + 1);
    assert_eq!(worker(GATEWAY).bond, BOND);
    run_to_end(id);
    let reward = LOSS * 2 / 5;
    let upheld = Event::Upheld { session: id, culprit: Culprit::Gateway, challenger: STRANGER, slashed: LOSS, reward };
    assert!(events().contains(&upheld));
    assert_eq!(wealth(STRANGER), wealth_before + reward);
    assert_eq!(wealth(REQUESTER), ENDOWMENT);
}

/// The last block of a session's window.
fn until(id: u32) -> u64 {
    let State::Disputable { until, .. } = session(id).state else { panic!("no window") };
    until
}

fn reject(world: &World, evidence: &Evidence) {
    let id = run_to_window(question(), world);
    let wealth_before = wealth(STRANGER);
    assert_ok!(dispute(id, evidence, STRANGER));
    assert!(matches!(last_event(), Event::Rejected { lost: DISPUTE, challenger: STRANGER, .. }), "{:?}", last_event());
    assert_eq!(wealth(STRANGER), wealth_before - DISPUTE);
    // It has changed nothing else.
    run_to_end(id);
    assert!(events().contains(&Event::SessionOver { session: id, refund: None }));
}

fn on_world(test: impl FnOnce()) {
    with_workers(3, |_| test());
}

/// Says something else at a position and stage.
fn say(world: &mut World, position: u32, stage: u32, change: impl FnOnce(&mut Entry)) {
    let step = &world.steps[&(position, stage)];
    let other = ensemble_compute::inference::hashes::state(&step.state);
    let mut entry = Entry { input: step.input.hash(), other };
    change(&mut entry);
    world.said.insert((position, stage), entry);
}

#[test]
fn a_wrong_row_of_every_stage_is_upheld() {
    for stage in 0..=HEAD {
        for output in [0, 33, 63] {
            on_world(|| {
                let mut world = World::honest();
                world.falsify(LAST, stage, output);
                let (range, _) = world.locate(stage, output, 3);
                uphold(&world, &world.row(LAST, stage, output, 3), Culprit::Range(range));
            });
        }
    }
}

#[test]
fn a_right_row_is_not() {
    for (stage, output) in [(0, 0), (0, 100), (2, 150), (3, 20), (HEAD, 99)] {
        on_world(|| reject(&World::honest(), &World::honest().row(LAST, stage, output, 3)));
    }
}

/// A session of a world with a wrong row, for which two of its range have voted; the first of the workers was outvoted.
fn outvoted() -> (World, SessionId, Vec<u64>) {
    let mut world = World::honest();
    world.falsify(LAST, 3, 40);
    let (range, _) = world.locate(3, 40, 3);
    let id = run_to_votes(question(), &world);
    let members = team(id);
    let how = |who, at| if at == range && who == members[0] { Vote::Other(9) } else { Vote::Right };
    end_votes_on(id, |range| world.trace(range, 3).id(), how);
    (world, id, members)
}

#[test]
fn a_wrong_row_costs_its_voters_and_the_session_is_refunded() {
    on_world(|| {
        let (world, id, members) = outvoted();
        let honest = members[0];
        assert_ok!(dispute_as_worker(id, &world.row(LAST, 3, 40, 3), honest));
        for liar in &members[1..] {
            assert_eq!(worker(*liar).bond, BOND - LOSS);
            assert_eq!(worker(*liar).place, None);
        }
        let reward = 2 * LOSS * 2 / 5;
        assert_eq!(wealth(honest), ENDOWMENT + reward);
        let purse = session(id).purse;
        assert_eq!(purse, 2 * LOSS - reward);
        run_to_end(id);
        assert!(events().contains(&Event::SessionOver { session: id, refund: Some(Refund::Wrong) }));
        // The requester has everything back, the fee included, and the honest ones are paid by the liars.
        assert_eq!(wealth(REQUESTER), ENDOWMENT);
        let (worker_part, gateway_part) = (wealth(honest) - ENDOWMENT - reward, wealth(GATEWAY) - ENDOWMENT);
        assert!(gateway_part > 0);
        // Also for the range in which it was outvoted: a third of 65 parts in a hundred, where the gateway gets ten.
        assert!((worker_part * 30).abs_diff(gateway_part * 65) <= 100, "{worker_part} and {gateway_part}");
        assert!(members[1..].iter().all(|liar| wealth(*liar) == ENDOWMENT - LOSS));
        assert_eq!(wealth(Inference::pot(0)), EXISTENTIAL);
        // Who was outvoted by a trace that is wrong is not slashed.
        assert_eq!(worker(honest).bond, BOND);
    });
}

#[test]
fn honest_work_is_paid_where_the_guilty_have_too_little() {
    on_world(|| {
        let before = CurrentParameters::<Test>::get();
        let rates = Rates { position: 20 * before.rates.position, billion: 20 * before.rates.billion };
        assert_ok!(Inference::set_parameters(RuntimeOrigin::root(), Parameters { rates, ..before }));
        assert_ok!(Inference::bond_extra(signed(GATEWAY), 9 * BOND));
        let (world, id, members) = outvoted();
        let honest = members[0];
        assert_ok!(dispute(id, &world.row(LAST, 3, 40, 3), STRANGER));
        let fund = session(id).purse - session(id).fee;
        run_to_end(id);
        // Of what the three and the gateway are due, the guilty pay as much of each part as there is; the requester, whose
        // session it is, the rest of the worker's.
        let quote = Inference::quote(0, world.closing().positions(), 3, 3).unwrap();
        let (due, all) = (quote.workers / 3, quote.workers + quote.gateway);
        assert!(fund < all);
        let paid = wealth(honest) - ENDOWMENT;
        assert!(paid.abs_diff(due) <= 3, "{paid} of {due}");
        let lost = ENDOWMENT - wealth(REQUESTER);
        assert!(lost.abs_diff(due - due * fund / all) <= 3, "{lost}");
        assert_eq!(wealth(Inference::pot(0)), EXISTENTIAL);
    });
}

#[test]
fn an_input_that_the_gateway_did_not_give_is_upheld() {
    on_world(|| {
        let mut world = World::honest();
        world.given.insert((LAST, 5), [7; 32]);
        uphold(&world, &world.input(LAST, 5, 1, 3), Culprit::Range(1));
    });
    on_world(|| reject(&World::honest(), &World::honest().input(LAST, 5, 1, 3)));
}

#[test]
fn a_false_prompt_is_upheld() {
    on_world(|| {
        let mut world = World::honest();
        world.tokens[1] += 1;
        uphold(&world, &world.prompt(), Culprit::Gateway);
    });
    on_world(|| reject(&World::honest(), &World::honest().prompt()));
    // Other tokens than the gateway's show nothing.
    on_world(|| {
        let mut other = World::honest();
        other.tokens[1] += 1;
        reject(&World::honest(), &other.prompt());
    });
}

#[test]
fn a_false_embedding_is_upheld() {
    on_world(|| {
        let mut world = World::honest();
        say(&mut world, LAST, 0, |entry| entry.other = [1; 32]);
        uphold(&world, &world.embedding(LAST), Culprit::Gateway);
    });
    on_world(|| reject(&World::honest(), &World::honest().embedding(LAST)));
}

#[test]
fn a_false_norm_is_upheld() {
    for stage in [0, 2, 4, 6, HEAD] {
        on_world(|| {
            let mut world = World::honest();
            say(&mut world, LAST, stage, |entry| entry.input = [1; 32]);
            uphold(&world, &world.norm(LAST, stage), Culprit::Gateway);
        });
        on_world(|| reject(&World::honest(), &World::honest().norm(LAST, stage)));
    }
}

#[test]
fn a_state_that_changes_by_itself_is_upheld() {
    for stage in [1, 3, 5, 7] {
        on_world(|| {
            let mut world = World::honest();
            say(&mut world, LAST, stage, |entry| entry.other = [1; 32]);
            uphold(&world, &world.carry(LAST, stage), Culprit::Gateway);
        });
        on_world(|| reject(&World::honest(), &World::honest().carry(LAST, stage)));
    }
}

#[test]
fn a_false_sum_is_upheld() {
    for stage in [2, 4, 6, HEAD] {
        on_world(|| {
            let mut world = World::honest();
            say(&mut world, LAST, stage, |entry| entry.other = [1; 32]);
            uphold_at_end(&world, &world.sum(LAST, stage, 3));
        });
        on_world(|| reject(&World::honest(), &World::honest().sum(LAST, stage, 3)));
    }
}

#[test]
fn a_false_activation_is_upheld() {
    for stage in [3, 7] {
        on_world(|| {
            let mut world = World::honest();
            say(&mut world, LAST, stage, |entry| entry.input = [1; 32]);
            uphold_at_end(&world, &world.activation(LAST, stage, 3));
        });
        on_world(|| reject(&World::honest(), &World::honest().activation(LAST, stage, 3)));
    }
}

/// Outputs of the head, but for position and range.
fn best(world: &World, position: u32) -> u32 {
    let logits = &world.steps[&(position, HEAD)].outputs;
    ensemble_compute::inference::glue::pick(logits).unwrap()
}

#[test]
fn a_false_token_is_upheld() {
    on_world(|| {
        let mut world = World::honest();
        let right = best(&world, LAST);
        world.tokens[LAST as usize + 1] = (right + 50) % 100;
        uphold_at_end(&world, &world.token(LAST, right, 3));
    });
    // The right one is the best, whatever it is compared with.
    let world = World::honest();
    let right = best(&world, LAST);
    assert_eq!(world.tokens[LAST as usize + 1], right);
    for other in [0, right, 99] {
        on_world(|| reject(&world, &world.token(LAST, other, 3)));
    }
}

#[test]
fn of_equal_outputs_the_first_is_taken() {
    let mut world = World::honest();
    let outputs = &mut world.steps.get_mut(&(LAST, HEAD)).unwrap().outputs;
    (outputs[20], outputs[70]) = (i64::MAX, i64::MAX);
    on_world(|| {
        let mut wrong = world.clone();
        wrong.tokens[LAST as usize + 1] = 70;
        uphold_at_end(&wrong, &wrong.token(LAST, 20, 3));
    });
    on_world(|| {
        let mut right = world.clone();
        right.tokens[LAST as usize + 1] = 20;
        reject(&right, &right.token(LAST, 70, 3));
    });
}

#[test]
fn a_token_that_does_not_exist_is_upheld() {
    for token in [100, u32::MAX] {
        on_world(|| {
            let mut world = World::honest();
            world.tokens[LAST as usize + 1] = token;
            uphold(&world, &world.no_token(LAST), Culprit::Gateway);
        });
    }
    // Said by somebody else than the gateway, it shows nothing.
    on_world(|| {
        let mut other = World::honest();
        other.tokens[LAST as usize + 1] = 100;
        reject(&World::honest(), &other.no_token(LAST));
    });
}

#[test]
fn beside_a_token_that_does_not_exist_there_is_nothing() {
    on_world(|| {
        let mut world = World::honest();
        world.tokens[LAST as usize + 1] = 100;
        let id = run_to_window(question(), &world);
        let of = |change: &dyn Fn(&mut GlueEvidence)| {
            let Evidence::Glue(mut glue) = world.no_token(LAST) else { panic!("glue") };
            change(&mut glue);
            Evidence::Glue(glue)
        };
        let refused = [
            of(&|glue| {
                if let GlueEvidence::Token { trace, .. } = glue {
                    trace.leaf.push(0)
                }
            }),
            of(&|glue| {
                if let GlueEvidence::Token { trace, .. } = glue {
                    trace.siblings.push([0; 32])
                }
            }),
            of(&|glue| {
                if let GlueEvidence::Token { taken, .. } = glue {
                    taken.1.leaf.push(0)
                }
            }),
            of(&|glue| {
                if let GlueEvidence::Token { better, .. } = glue {
                    better.2.outputs.push(0)
                }
            }),
            of(&|glue| {
                if let GlueEvidence::Token { better, .. } = glue {
                    better.2.siblings.push([0; 32])
                }
            }),
            // Nor what it takes to show a false token.
            world.token(LAST, 5, 3),
        ];
        for evidence in refused {
            assert_noop!(dispute(id, &evidence, STRANGER), Error::<Test>::MalformedEvidence);
            assert!(authorize_dispute(id, &evidence, WORKERS[0], WORKERS[0]).is_err());
        }
        assert_ok!(dispute(id, &world.no_token(LAST), STRANGER));
        run_to_end(id);
    });
}

#[test]
fn a_gateway_is_not_judged_by_another_input_than_its_own() {
    on_world(|| {
        let mut world = World::honest();
        let right = best(&world, LAST);
        world.tokens[LAST as usize + 1] = (right + 1) % 100;
        // The workers of all ranges say that they were given something else.
        world.given.insert((LAST, HEAD), [3; 32]);
        reject(&world, &world.token(LAST, right, 3));
    });
}

/// That the worker at `place` signed `row` of `range` at the last position.
fn signature(id: u32, world: &World, range: RangeIndex, place: u32, signer: AccountId, row: [u8; 32]) -> Evidence {
    signature_at(LAST, id, world, range, place, signer, row)
}

fn signature_at(
    position: u32,
    id: u32,
    world: &World,
    range: RangeIndex,
    place: u32,
    signer: AccountId,
    row: [u8; 32],
) -> Evidence {
    let bytes = served_bytes(&System::block_hash(0), id, range, position, &row);
    let trace = world.trace(range, 3).row(position);
    Evidence::Signature { range, place, signed: row, signature: pair(signer).sign(&bytes).into(), trace }
}

#[test]
fn whoever_signed_another_row_than_it_voted_for_is_found() {
    on_world(|| {
        let mut world = World::honest();
        world.tokens[1] += 1;
        say(&mut world, LAST, 4, |entry| entry.other = [1; 32]);
        let id = run_to_window(question(), &world);
        let members = team(id);
        let evidence = signature(id, &world, 1, 2, members[2], [5; 32]);
        assert_ok!(dispute(id, &evidence, STRANGER));
        assert!(matches!(last_event(), Event::Upheld { culprit: Culprit::Worker(2), slashed: LOSS, .. }));
        assert_noop!(dispute(id, &evidence, STRANGER), Error::<Test>::AlreadyShown);
        // The gateway is excused for what it did with what it got there, and for nothing else.
        assert_noop!(dispute(id, &world.sum(LAST, 4, 3), STRANGER), Error::<Test>::AlreadyShown);
        assert_ok!(dispute(id, &world.prompt(), STRANGER));
        assert!(matches!(last_event(), Event::Upheld { culprit: Culprit::Gateway, slashed: LOSS, .. }));
        run_to_end(id);
        assert_eq!(wealth(REQUESTER), ENDOWMENT);
        assert_eq!(worker(members[2]).bond, BOND - LOSS);
    });
}

#[test]
fn a_signature_excuses_what_was_noted_at_its_position() {
    // Of the three workers of a range one signed something else, here or elsewhere.
    for (position, is_excused) in [(LAST, true), (LAST - 1, false)] {
        on_world(|| {
            let mut world = World::honest();
            say(&mut world, LAST, 4, |entry| entry.other = [1; 32]);
            let id = run_to_window(question(), &world);
            let who = team(id)[2];
            assert_ok!(dispute(id, &world.sum(LAST, 4, 3), STRANGER));
            // There is time to answer what was said in the last block.
            run_to(until(id));
            let evidence = signature_at(position, id, &world, 1, 2, who, [5; 32]);
            assert_ok!(dispute_as_worker(id, &evidence, GATEWAY));
            assert_eq!(events().contains(&Event::Excused { session: id, position: LAST, range: 1 }), is_excused);
            assert_eq!(worker(who).bond, BOND - LOSS);
            let State::Disputable { notes, .. } = session(id).state else { panic!("no window") };
            assert_eq!(notes.notes[0].is_excused, is_excused);
            run_to_end(id);
            assert_eq!(worker(GATEWAY).bond, if is_excused { BOND } else { BOND - LOSS });
            assert_eq!(wealth(REQUESTER), ENDOWMENT);
        });
    }
}

#[test]
fn who_was_found_excuses_at_further_positions_and_loses_nothing_more() {
    on_world(|| {
        let mut world = World::honest();
        say(&mut world, LAST, 4, |entry| entry.other = [1; 32]);
        let id = run_to_window(question(), &world);
        let who = team(id)[2];
        assert_ok!(dispute(id, &signature_at(0, id, &world, 1, 2, who, [5; 32]), STRANGER));
        assert_eq!(worker(who).bond, BOND - LOSS);
        let excuse = signature(id, &world, 1, 2, who, [5; 32]);
        assert_noop!(dispute(id, &excuse, STRANGER), Error::<Test>::AlreadyShown);
        assert_ok!(dispute(id, &world.sum(LAST, 4, 3), STRANGER));
        assert_ok!(dispute(id, &excuse, STRANGER));
        assert_eq!(last_event(), Event::Excused { session: id, position: LAST, range: 1 });
        assert_noop!(dispute(id, &excuse, STRANGER), Error::<Test>::AlreadyShown);
        assert_noop!(dispute(id, &world.sum(LAST, 4, 3), STRANGER), Error::<Test>::AlreadyShown);
        run_to_end(id);
        assert_eq!((worker(GATEWAY).bond, worker(who).bond), (BOND, BOND - LOSS));
    });
}

#[test]
fn who_did_not_vote_excuses_the_gateway_and_is_not_found() {
    on_world(|| {
        let mut world = World::honest();
        say(&mut world, LAST, 4, |entry| entry.other = [1; 32]);
        let id = run_to_votes(question(), &world);
        let silent = team(id)[2];
        let how = |who, _| if who == silent { Vote::Silent } else { Vote::Right };
        end_votes_on(id, |range| world.trace(range, 3).id(), how);
        assert_ok!(dispute(id, &world.sum(LAST, 4, 3), STRANGER));
        // What costs whoever brings it if it is false.
        let right = merkle::leaf_hash(&world.trace(1, 3).row(LAST).leaf);
        assert_ok!(dispute(id, &signature(id, &world, 1, 2, silent, right), STRANGER));
        assert!(matches!(last_event(), Event::Rejected { lost: DISPUTE, .. }));
        assert_ok!(dispute(id, &signature(id, &world, 1, 2, silent, [5; 32]), STRANGER));
        assert_eq!(last_event(), Event::Excused { session: id, position: LAST, range: 1 });
        run_to_end(id);
        // Nobody is guilty: who did the work is paid, but the tokens are not worth the gateway's part.
        assert!([silent, GATEWAY].iter().all(|who| worker(*who).bond == BOND));
        assert_eq!((wealth(silent), wealth(GATEWAY)), (ENDOWMENT, ENDOWMENT));
        assert!(WORKERS[..3].iter().filter(|who| **who != silent).all(|who| wealth(*who) > ENDOWMENT));
        assert!(wealth(REQUESTER) < ENDOWMENT);
    });
}

#[test]
fn nothing_is_noted_while_only_excuses_have_time() {
    on_world(|| {
        let mut world = World::honest();
        say(&mut world, LAST, 4, |entry| entry.other = [1; 32]);
        say(&mut world, LAST - 1, 4, |entry| entry.other = [1; 32]);
        let id = run_to_window(question(), &world);
        let end = until(id);
        run_to(end);
        assert_ok!(dispute(id, &world.sum(LAST, 4, 3), STRANGER));
        // Further notes do not make it longer still.
        assert_eq!(until(id), end + LENGTHS.window / 4);
        run_to(end + 1);
        assert_noop!(dispute(id, &world.sum(LAST - 1, 4, 3), STRANGER), Error::<Test>::NotDisputable);
        run_to_end(id);
        assert_eq!(worker(GATEWAY).bond, BOND - LOSS);
    });
}

#[test]
fn a_range_that_is_shown_to_be_wrong_later_excuses_the_gateway() {
    on_world(|| {
        let mut world = World::honest();
        world.falsify(LAST, 3, 0);
        say(&mut world, LAST, 4, |entry| entry.other = [1; 32]);
        let id = run_to_window(question(), &world);
        assert_ok!(dispute(id, &world.sum(LAST, 4, 3), STRANGER));
        assert!(matches!(last_event(), Event::Noted { .. }));
        assert_ok!(dispute(id, &world.row(LAST, 3, 0, 3), STRANGER));
        run_to_end(id);
        assert_eq!(worker(GATEWAY).bond, BOND);
        assert!(WORKERS[..3].iter().all(|who| worker(*who).bond == BOND - LOSS));
    });
}

/// More tokens than the fixture's answer has: its gateway may ask for positions up to 7.
fn long_question() -> Question {
    Question { max_tokens: 6, ..question() }
}

/// That the key of `signer` asked for a position.
fn short(id: u32, position: u32, signer: AccountId) -> Evidence {
    let signature = pair(signer).sign(&ask_bytes(&System::block_hash(0), id, position)).into();
    Evidence::Short { position, signature }
}

#[test]
fn a_gateway_that_asked_for_more_than_it_closed_with_is_guilty() {
    // The answer has five positions, and may break off in the sixth.
    for position in [6, 7] {
        on_world(|| {
            let world = World::honest();
            let id = run_to_window(long_question(), &world);
            let evidence = short(id, position, GATEWAY);
            assert_ok!(dispute_as_worker(id, &evidence, WORKERS[0]));
            let Event::Upheld { culprit, challenger, slashed, reward, .. } = last_event() else {
                panic!("it is shown")
            };
            assert_eq!((culprit, challenger), (Culprit::Gateway, WORKERS[0]));
            assert_eq!((slashed, reward), (BOND - worker(GATEWAY).bond, slashed * 2 / 5));
            assert!(slashed >= LOSS);
            // Neither again, nor by another position, nor is its glue shown beside it.
            assert_noop!(dispute(id, &evidence, STRANGER), Error::<Test>::AlreadyShown);
            assert_noop!(dispute(id, &short(id, 13 - position, GATEWAY), STRANGER), Error::<Test>::AlreadyShown);
            assert_noop!(dispute(id, &world.carry(LAST, 1), STRANGER), Error::<Test>::AlreadyShown);
            let earned = wealth(GATEWAY);
            run_to_end(id);
            assert!(events().contains(&Event::SessionOver { session: id, refund: Some(Refund::Wrong) }));
            assert_eq!((wealth(REQUESTER), wealth(GATEWAY)), (ENDOWMENT, earned));
            assert!(WORKERS[1..3].iter().all(|who| wealth(*who) > ENDOWMENT));
        });
    }
}

#[test]
fn a_gateway_may_ask_for_what_it_closed_with_and_one_position_more() {
    on_world(|| {
        let id = run_to_window(long_question(), &World::honest());
        for position in [0, LAST, LAST + 1, 8, u32::MAX] {
            let evidence = short(id, position, GATEWAY);
            assert_noop!(dispute(id, &evidence, STRANGER), Error::<Test>::MalformedEvidence);
            assert!(authorize_dispute(id, &evidence, WORKERS[0], WORKERS[0]).is_err());
        }
    });
}

#[test]
fn what_the_gateway_did_not_sign_shows_nothing_of_it() {
    on_world(|| {
        let id = run_to_window(long_question(), &World::honest());
        let Evidence::Short { signature, .. } = short(id, 6, GATEWAY) else { panic!("it asked") };
        // Somebody else's, one for another session, and one for another position.
        let false_ones =
            [short(id, 6, WORKERS[1]), short(id + 1, 6, GATEWAY), Evidence::Short { position: 7, signature }];
        for evidence in false_ones {
            let wealth_before = wealth(STRANGER);
            assert_ok!(dispute(id, &evidence, STRANGER));
            assert!(matches!(last_event(), Event::Rejected { lost: DISPUTE, culprit: Culprit::Gateway, .. }));
            assert_eq!(wealth(STRANGER), wealth_before - DISPUTE);
        }
        run_to_end(id);
        assert!(events().contains(&Event::SessionOver { session: id, refund: None }));
    });
}

#[test]
fn signatures_that_show_nothing_cost() {
    let world = World::honest();
    let right = merkle::leaf_hash(&world.trace(1, 3).row(LAST).leaf);
    on_world(|| {
        let id = run_to_window(question(), &world);
        let members = team(id);
        for evidence in [
            // What it voted for, somebody else's signature, and one for another session.
            signature(id, &world, 1, 2, members[2], right),
            signature(id, &world, 1, 2, members[1], [5; 32]),
            signature(id + 1, &world, 1, 2, members[2], [5; 32]),
        ] {
            assert_ok!(dispute(id, &evidence, STRANGER));
            assert!(matches!(last_event(), Event::Rejected { lost: DISPUTE, .. }));
        }
    });
}

#[test]
fn who_did_not_vote_for_what_won_did_not_sign_something_else() {
    on_world(|| {
        let world = World::honest();
        let id = run_to_votes(question(), &world);
        let members = team(id);
        end_votes_on(
            id,
            |range| world.trace(range, 3).id(),
            |who, _| {
                if who == members[2] {
                    Vote::Silent
                } else {
                    Vote::Right
                }
            },
        );
        let evidence = signature(id, &world, 1, 2, members[2], [5; 32]);
        assert_noop!(dispute(id, &evidence, STRANGER), Error::<Test>::MalformedEvidence);
    });
}

#[test]
fn what_was_shown_once_is_not_shown_again() {
    on_world(|| {
        let mut world = World::honest();
        world.falsify(LAST, 3, 0);
        world.falsify(LAST, 3, 40);
        say(&mut world, 0, 0, |entry| entry.other = [1; 32]);
        let id = run_to_window(question(), &world);
        assert_ok!(dispute(id, &world.row(LAST, 3, 0, 3), STRANGER));
        assert_noop!(dispute(id, &world.row(LAST, 3, 0, 3), WORKERS[5]), Error::<Test>::AlreadyShown);
        // Another range, and the gateway.
        assert_ok!(dispute(id, &world.row(LAST, 3, 40, 3), STRANGER));
        assert_ok!(dispute(id, &world.embedding(0), STRANGER));
        assert_noop!(dispute(id, &world.carry(LAST, 1), STRANGER), Error::<Test>::AlreadyShown);
        run_to_end(id);
        assert_eq!(wealth(REQUESTER), ENDOWMENT);
        assert_eq!(worker(GATEWAY).bond, BOND - LOSS);
    });
}

#[test]
fn glue_is_not_judged_by_what_was_shown_to_be_wrong() {
    on_world(|| {
        let mut world = World::honest();
        // The gateway has done right with what one range gave it, and that was wrong.
        world.falsify(LAST, 3, 0);
        let id = run_to_window(question(), &world);
        assert_ok!(dispute(id, &world.row(LAST, 3, 0, 3), STRANGER));
        assert_noop!(dispute(id, &world.sum(LAST, 4, 3), STRANGER), Error::<Test>::MalformedEvidence);
    });
}

/// A session in its window, with what `world` did, in which nothing won of the first range.
fn run_to_window_without_the_first_range(world: &World) -> u32 {
    let id = run_to_votes(question(), world);
    let members = team(id);
    let how = |who, range| match range {
        0 => Vote::Other(u8::try_from(members.iter().position(|member| *member == who).unwrap()).unwrap()),
        _ => Vote::Right,
    };
    end_votes_on(id, |range| world.trace(range, 3).id(), how);
    id
}

#[test]
fn ranges_are_disputed_beside_one_whose_vote_is_void() {
    let mut world = World::honest();
    world.falsify(LAST, 3, 40);
    let (range, _) = world.locate(3, 40, 3);
    assert_eq!(range, 1);
    on_world(|| {
        let id = run_to_window_without_the_first_range(&world);
        assert_ok!(dispute(id, &world.row(LAST, 3, 40, 3), STRANGER));
        assert!(matches!(last_event(), Event::Upheld { culprit: Culprit::Range(1), .. }), "{:?}", last_event());
        run_to_end(id);
    });
    // What is right of a range is not taken for what is right of another.
    on_world(|| {
        let id = run_to_window_without_the_first_range(&world);
        assert_ok!(dispute(id, &world.row(LAST, 3, 63, 3), STRANGER));
        assert!(matches!(last_event(), Event::Rejected { culprit: Culprit::Range(2), .. }), "{:?}", last_event());
        run_to_end(id);
    });
    on_world(|| {
        let id = run_to_window_without_the_first_range(&world);
        let who = team(id)[2];
        assert_ok!(dispute(id, &signature(id, &world, 2, 2, who, [5; 32]), STRANGER));
        assert!(matches!(last_event(), Event::Upheld { culprit: Culprit::Worker(2), .. }), "{:?}", last_event());
        run_to_end(id);
    });
}

#[test]
fn nothing_is_shown_of_a_range_whose_vote_is_void() {
    on_world(|| {
        let mut world = World::honest();
        world.falsify(LAST, 3, 0);
        let right = best(&world, LAST);
        world.tokens[LAST as usize + 1] = (right + 50) % 100;
        say(&mut world, LAST, 4, |entry| entry.other = [1; 32]);
        say(&mut world, LAST, 3, |entry| entry.input = [1; 32]);
        let id = run_to_window_without_the_first_range(&world);
        let of_the_first = [
            world.row(LAST, 3, 0, 3),
            world.input(LAST, 3, 0, 3),
            signature(id, &world, 0, 0, team(id)[0], [5; 32]),
            // By the outputs of all ranges.
            world.sum(LAST, 4, 3),
            world.activation(LAST, 3, 3),
        ];
        for evidence in of_the_first.into_iter().chain([world.token(LAST, 5, 3)]) {
            assert_noop!(dispute(id, &evidence, STRANGER), Error::<Test>::MalformedEvidence);
            assert!(authorize_dispute(id, &evidence, WORKERS[0], WORKERS[0]).is_err());
        }
        // What depends on no worker is.
        assert_ok!(dispute(id, &world.carry(LAST, 5), STRANGER));
        run_to_end(id);
    });
}

#[test]
fn a_gateway_that_was_wrong_is_unpaid_and_pays_the_workers() {
    on_world(|| {
        let mut world = World::honest();
        say(&mut world, LAST, 4, |entry| entry.other = [1; 32]);
        uphold_at_end(&world, &world.sum(LAST, 4, 3));
        assert_eq!(wealth(GATEWAY), ENDOWMENT - LOSS);
        assert_eq!(wealth(REQUESTER), ENDOWMENT);
        let earned: Vec<_> = WORKERS[..3].iter().map(|who| wealth(*who) - ENDOWMENT).collect();
        assert!(earned.iter().all(|earned| *earned > 0), "{earned:?}");
        assert!(earned.iter().all(|one| earned.iter().all(|other| one.abs_diff(*other) <= 1)));
    });
}

#[test]
fn evidence_of_the_wrong_size_is_refused_and_free() {
    on_world(|| {
        let world = World::honest();
        let id = run_to_window(question(), &world);
        let mut refused = Vec::new();
        let mut change = |evidence: &Evidence, change: &dyn Fn(&mut Evidence)| {
            let mut evidence = evidence.clone();
            change(&mut evidence);
            refused.push(evidence);
        };
        let row = world.row(LAST, 0, 0, 3);
        change(&row, &|evidence| {
            if let Evidence::Row { range, .. } = evidence {
                *range = 3
            }
        });
        change(&row, &|evidence| {
            if let Evidence::Row { stage, .. } = evidence {
                *stage = HEAD + 1
            }
        });
        change(&row, &|evidence| {
            if let Evidence::Row { output, .. } = evidence {
                *output = 1_000
            }
        });
        change(&row, &|evidence| {
            if let Evidence::Row { output, .. } = evidence {
                *output = 32
            }
        });
        change(&row, &|evidence| {
            if let Evidence::Row { input, .. } = evidence {
                input.push(0)
            }
        });
        change(&row, &|evidence| {
            if let Evidence::Row { trace, .. } = evidence {
                trace.index = 9
            }
        });
        change(&row, &|evidence| {
            if let Evidence::Row { trace, .. } = evidence {
                trace.siblings.clear()
            }
        });
        change(&row, &|evidence| {
            if let Evidence::Row { trace, .. } = evidence {
                trace.leaf.push(0)
            }
        });
        change(&row, &|evidence| {
            if let Evidence::Row { chunk, .. } = evidence {
                chunk.outputs.push(0)
            }
        });
        change(&row, &|evidence| {
            if let Evidence::Row { chunk, .. } = evidence {
                chunk.index = 1
            }
        });
        change(&row, &|evidence| {
            if let Evidence::Row { chunk, .. } = evidence {
                chunk.siblings.push([0; 32])
            }
        });
        change(&row, &|evidence| {
            if let Evidence::Row { matrix, .. } = evidence {
                matrix.row.index = 1
            }
        });
        change(&row, &|evidence| {
            if let Evidence::Row { matrix, .. } = evidence {
                matrix.member.index = 99
            }
        });
        change(&row, &|evidence| {
            if let Evidence::Row { matrix, .. } = evidence {
                *matrix = world.model.row("blk.0.attn_norm.weight", 0);
            }
        });
        change(&world.norm(LAST, 0), &|evidence| {
            if let Evidence::Glue(GlueEvidence::Norm { state, .. }) = evidence {
                state.push(0);
            }
        });
        change(&world.norm(LAST, 0), &|evidence| {
            if let Evidence::Glue(GlueEvidence::Norm { stage, .. }) = evidence {
                *stage = 1;
            }
        });
        change(&world.sum(LAST, 2, 3), &|evidence| {
            if let Evidence::Glue(GlueEvidence::Sum { outputs, .. }) = evidence {
                outputs.pop();
            }
        });
        change(&world.sum(LAST, 2, 3), &|evidence| {
            if let Evidence::Glue(GlueEvidence::Sum { stage, .. }) = evidence {
                *stage = 3;
            }
        });
        // The head is not computed at all positions of the prompt, so that nothing can be missing there.
        change(&world.sum(LAST, HEAD, 3), &|evidence| {
            if let Evidence::Glue(GlueEvidence::Sum { trace, outputs, .. }) = evidence {
                *trace = world.gateway().row(0);
                (0..3).for_each(|range| outputs[range as usize].trace = world.trace(range, 3).row(0));
            }
        });
        change(&world.carry(LAST, 1), &|evidence| {
            if let Evidence::Glue(GlueEvidence::Carry { stage, .. }) = evidence {
                *stage = 2;
            }
        });
        change(&world.prompt(), &|evidence| {
            if let Evidence::Glue(GlueEvidence::Prompt { tokens }) = evidence {
                tokens.push(0);
            }
        });
        change(&world.token(LAST, 0, 3), &|evidence| {
            if let Evidence::Glue(GlueEvidence::Token { token, .. }) = evidence {
                *token = world.tokens().row(0);
            }
        });
        change(&world.token(LAST, 0, 3), &|evidence| {
            if let Evidence::Glue(GlueEvidence::Token { place, .. }) = evidence {
                *place = 32;
            }
        });
        // Nor can anybody say anything of its input there.
        change(&world.input(LAST, HEAD, 1, 3), &|evidence| {
            if let Evidence::Input { trace, gateway, .. } = evidence {
                (*trace, *gateway) = (world.trace(1, 3).row(0), world.gateway().row(0));
            }
        });
        for evidence in refused {
            assert_noop!(dispute(id, &evidence, STRANGER), Error::<Test>::MalformedEvidence);
            assert!(authorize_dispute(id, &evidence, WORKERS[0], WORKERS[0]).is_err());
        }
    });
}

/// Evidence that is wrong in a way that only hashing finds is false.
#[test]
fn whatever_does_not_hold_is_false() {
    let mut world = World::honest();
    world.falsify(LAST, 3, 0);
    let mut wrong = Vec::new();
    let mut change = |change: &dyn Fn(&mut Evidence)| {
        let mut evidence = world.row(LAST, 3, 0, 3);
        change(&mut evidence);
        wrong.push(evidence);
    };
    change(&|evidence| {
        if let Evidence::Row { trace, .. } = evidence {
            trace.leaf[0] ^= 1
        }
    });
    change(&|evidence| {
        if let Evidence::Row { input, .. } = evidence {
            input[9] ^= 1
        }
    });
    change(&|evidence| {
        if let Evidence::Row { chunk, .. } = evidence {
            chunk.outputs[0] += 1
        }
    });
    change(&|evidence| {
        if let Evidence::Row { matrix, .. } = evidence {
            matrix.row.leaf[3] ^= 1
        }
    });
    change(&|evidence| {
        if let Evidence::Row { matrix, .. } = evidence {
            matrix.member.id.0[0] ^= 1
        }
    });
    change(&|evidence| {
        if let Evidence::Row { matrix, .. } = evidence {
            matrix.member.siblings[0][0] ^= 1
        }
    });
    // The same row of a matrix of the same shape, of another layer.
    change(&|evidence| {
        if let Evidence::Row { matrix, .. } = evidence {
            *matrix = world.model.row("blk.1.ffn_down.weight", 0);
        }
    });
    for evidence in wrong {
        on_world(|| reject(&world, &evidence));
    }
}

#[test]
fn disputes_are_taken_in_the_window_alone() {
    on_world(|| {
        let mut world = World::honest();
        world.falsify(LAST, 3, 0);
        let evidence = world.row(LAST, 3, 0, 3);
        assert_noop!(dispute(0, &evidence, STRANGER), Error::<Test>::UnknownSession);
        let id = run_to_votes(question(), &world);
        assert_noop!(dispute(id, &evidence, STRANGER), Error::<Test>::NotDisputable);
        end_votes_on(id, |range| world.trace(range, 3).id(), |_, _| Vote::Right);
        let State::Disputable { until, .. } = session(id).state else { panic!("no window") };
        System::set_block_number(until + 1);
        assert_noop!(dispute(id, &evidence, STRANGER), Error::<Test>::NotDisputable);
        System::set_block_number(until);
        assert_noop!(dispute(id, &evidence, POOR), Error::<Test>::CannotPay);
        assert_ok!(dispute(id, &evidence, STRANGER));
    });
}

#[test]
fn more_ranges_than_replicas_are_disputed_alike() {
    with_workers(7, |_| {
        let mut world = World::honest();
        world.falsify(LAST, HEAD, 77);
        let asked = Question { workers: 7, replicas: 1, ..question() };
        let id = run_to_votes(asked, &world);
        end_votes_on(id, |range| world.trace(range, 7).id(), |_, _| Vote::Right);
        let (range, _) = world.locate(HEAD, 77, 7);
        assert_ok!(dispute(id, &world.row(LAST, HEAD, 77, 7), STRANGER));
        assert!(matches!(last_event(), Event::Upheld { slashed: LOSS, .. }));
        assert_eq!(worker(team(id)[range as usize]).bond, BOND - LOSS);
    });
}
