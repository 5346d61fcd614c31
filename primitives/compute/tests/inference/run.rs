//! What a sequence refuses, and that it goes on afterwards.

use ensemble_compute::{
    inference::{Call, Local, LocalError, Next, Norm, Run, RunError, Tables},
    Machine,
};
use ensemble_compute_wasm::small::{Model, Small};
use ensemble_tensor::Kind;

const MACHINE: Machine = Machine::ONE_CORE;

fn local(model: &Model) -> Local<'_> {
    Local::new(&Small::default().llama(), MACHINE, |name| model.matrix(name)).unwrap()
}

#[test]
fn a_sequence_can_wait_on_another_thread() {
    fn sent<T: Send + 'static>() {}
    sent::<Run<std::sync::Arc<Model>>>();
    sent::<Call>();
}

#[test]
fn wrong_tokens_are_refused() {
    let (llama, model) = (Small::default().llama(), Small::default().model());
    let mut run = Run::new(&llama, &model, false, MACHINE).unwrap();
    assert_eq!(run.begin(&[], true), Err(RunError::NoTokens));
    assert_eq!(run.begin(&[1, 80], true), Err(RunError::NoSuchToken { token: 80, vocabulary: 80 }));
    assert_eq!(run.begin(&[0; 41], true), Err(RunError::TooManyPositions { wanted: 41, limit: 40 }));
    assert_eq!(run.supply(&[]), Err(RunError::NotWaiting));
    let local = local(&model);
    assert_eq!(local.step(&mut run, &[0; 39], false), Ok(None));
    assert_eq!(run.positions(), 39);
    assert!(matches!(local.step(&mut run, &[5], true), Ok(Some(_))));
    let full = RunError::TooManyPositions { wanted: 41, limit: 40 };
    assert_eq!(local.step(&mut run, &[5], true), Err(LocalError::Run(full)));
}

#[test]
fn wrong_outputs_are_refused_and_right_ones_still_taken() {
    let (llama, model) = (Small::default().llama(), Small::default().model());
    let mut run = Run::new(&llama, &model, true, MACHINE).unwrap();
    let local = local(&model);
    let mut call = run.begin(&[3, 4], true).unwrap();
    assert_eq!(run.begin(&[3], true), Err(RunError::Waiting));
    let mut stages = Vec::new();
    loop {
        stages.push((call.stage, call.first, call.inputs.len(), call.states.len()));
        let outputs = local.compute(&call).unwrap();
        let wrong = RunError::WrongOutputs { inputs: outputs.len(), outputs: outputs[0].len() };
        assert_eq!(run.supply(&[]), Err(wrong.clone()));
        assert_eq!(run.supply(&[&outputs[..], &outputs[..1]].concat()), Err(wrong.clone()));
        let mut shorter = outputs.clone();
        shorter.last_mut().unwrap().pop();
        assert_eq!(run.supply(&shorter), Err(wrong));
        call = match run.supply(&outputs).unwrap() {
            Next::Call(call) => call,
            Next::Token(token) => {
                assert!(token < llama.vocabulary);
                break;
            },
            Next::Stored => panic!("a token was asked for"),
        };
    }
    let mut expected: Vec<_> = (0..8).map(|stage| (stage, 0, 2, 2)).collect();
    expected.push((8, 1, 1, 1));
    assert_eq!(stages, expected);
    assert_eq!(run.positions(), 2);
}

#[test]
fn a_step_without_an_answer_ends_before_the_head() {
    let (llama, model) = (Small::default().llama(), Small::default().model());
    let mut run = Run::new(&llama, &model, false, MACHINE).unwrap();
    let local = local(&model);
    let mut call = run.begin(&[3], false).unwrap();
    for stage in 0..8 {
        assert_eq!((call.stage, call.states.len()), (stage, 0));
        match run.supply(&local.compute(&call).unwrap()).unwrap() {
            Next::Call(next) => call = next,
            Next::Stored => assert_eq!(stage, 7),
            Next::Token(_) => panic!("no token was asked for"),
        }
    }
    assert!(run.begin(&[3], true).is_ok());
}

/// Tables of which one is not what it should be.
struct Broken<'a>(&'a Model, &'static str);

impl Tables for Broken<'_> {
    fn norm(&self, norm: Norm) -> Option<&[i32]> {
        let weights = self.0.norm(norm)?;
        if self.1 == "norm" && norm == Norm::Output {
            return Some(&weights[1..]);
        }
        Some(weights)
    }

    fn rope(&self, position: u32) -> Option<&[i32]> {
        self.0.rope(position).filter(|_| self.1 != "rope" || position < 2)
    }

    fn embedding(&self, token: u32) -> Option<(Kind, &[u8])> {
        let (kind, row) = self.0.embedding(token)?;
        Some(if self.1 == "embedding" && token == 7 { (kind, &row[34..]) } else { (kind, row) })
    }
}

#[test]
fn wrong_tables_are_refused() {
    let (llama, model) = (Small::default().llama(), Small::default().model());
    let new = |broken| Run::new(&llama, Broken(&model, broken), false, MACHINE);
    assert_eq!(new("norm").err(), Some(RunError::Table("norm")));
    assert_eq!(new("rope").unwrap().begin(&[1; 3], true), Err(RunError::Table("table of rotations")));
    let mut run = new("embedding").unwrap();
    assert_eq!(run.begin(&[1, 7], true), Err(RunError::Table("embedding")));
    assert!(run.begin(&[1, 6], true).is_ok());
    let no_model = ensemble_compute::inference::Llama { layers: 0, ..llama };
    assert!(matches!(Run::new(&no_model, &model, false, MACHINE), Err(RunError::Architecture(_))));
}

#[test]
fn wrong_matrices_are_refused() {
    let (llama, model) = (Small::default().llama(), Small::default().model());
    let missing = Local::new(&llama, MACHINE, |name| model.matrix(name).filter(|_| name != "blk.1.ffn_up.weight"));
    assert_eq!(missing.err(), Some(LocalError::Matrix("blk.1.ffn_up.weight".into())));
    let short = Local::of_range(&llama, MACHINE, 1, 2, |name| model.matrix(name)?.range(1..64));
    assert!(matches!(short, Err(LocalError::Matrix(_))));
    let local = local(&model);
    let call = Call { stage: 9, first: 0, inputs: Vec::new(), states: Vec::new() };
    assert_eq!(local.compute(&call), Err(LocalError::NoSuchStage(9)));
}
