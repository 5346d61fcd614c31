//! The same bits in wasm: the kernels are built as a wasm module and run in an interpreter.

use std::{env, fs, path::Path, process::Command};

use codec::{DecodeAll, Encode};
use ensemble_compute::{aggregation::Rule, Machine};
use ensemble_compute_wasm::{Answer, Job, Matrix, Submission};
use wasmi::{Engine, Linker, Memory, Module, Store, TypedFunc};

use crate::{
    common::{settings, small, Entry},
    vectors::{self, Vector},
};

const TARGET: &str = "wasm32v1-none";

/// The kernels in an interpreter.
struct Wasm {
    store: Store<()>,
    memory: Memory,
    reserve: TypedFunc<u32, u32>,
    run: TypedFunc<(u32, u32), u64>,
}

impl Wasm {
    fn new(module: &[u8]) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, module).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module).unwrap();
        let memory = instance.get_memory(&store, "memory").unwrap();
        let reserve = instance.get_typed_func(&store, "reserve").unwrap();
        let run = instance.get_typed_func(&store, "run").unwrap();
        Self { store, memory, reserve, run }
    }

    fn answer(&mut self, job: &Job) -> Answer {
        let input = job.encode();
        let len = u32::try_from(input.len()).unwrap();
        let place = self.reserve.call(&mut self.store, len).unwrap();
        self.memory.write(&mut self.store, place as usize, &input).unwrap();
        let packed = self.run.call(&mut self.store, (place, len)).unwrap();
        let (len, place) = (packed >> 32, packed & u64::from(u32::MAX));
        let mut output = vec![0; usize::try_from(len).unwrap()];
        self.memory.read(&self.store, usize::try_from(place).unwrap(), &mut output).unwrap();
        Answer::decode_all(&mut &output[..]).unwrap()
    }
}

/// Builds the module, with the toolchain that builds the runtime.
fn module() -> Vec<u8> {
    let target_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wasm");
    let mut command = match env::var("WASM_BUILD_TOOLCHAIN") {
        Ok(toolchain) if !toolchain.is_empty() => {
            let mut command = Command::new("rustup");
            command.args(["run", &toolchain, "cargo"]);
            command
        },
        _ => Command::new(env!("CARGO")),
    };
    let status = command
        .args(["build", "--release", "--locked", "--package=ensemble-compute-wasm", "--no-default-features"])
        .args(["--target", TARGET, "--target-dir"])
        .arg(&target_dir)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        // A module has nothing to unwind with.
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .unwrap();
    assert!(status.success(), "the module cannot be built: is the target {TARGET} installed? scripts/setup does it");
    fs::read(target_dir.join(TARGET).join("release/ensemble_compute_wasm.wasm")).unwrap()
}

fn submission(entry: &Entry) -> Submission {
    let (rows, cols) = entry.table.dim();
    let numbers = entry.table.iter().map(|number| i32::from(*number)).collect();
    let table = Matrix { rows: u32::try_from(rows).unwrap(), cols: u32::try_from(cols).unwrap(), numbers };
    Submission { id: entry.id, rank: entry.rank, weight: u64::try_from(entry.weight).unwrap(), table }
}

#[test]
fn wasm_gives_the_same_bits() {
    let mut wasm = Wasm::new(&module());
    for Vector { name, job, answer } in vectors::all() {
        assert_eq!(wasm.answer(&job), answer, "{name}");
    }
    let (world, entries) = small(7, 3);
    for rule in Rule::ALL {
        let members = entries.iter().map(submission).collect();
        let job = Job::Aggregate { settings: settings(&world, rule), members };
        assert_eq!(wasm.answer(&job), job.run(Machine::ONE_CORE), "{rule:?}");
    }
}
