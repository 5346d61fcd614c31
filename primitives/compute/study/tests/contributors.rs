//! The program that network tests have their contributors from.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use ensemble_compute_study::world::Random;
use half::f16;
use serde_json::Value;

const ROWS: usize = 4096;
const COLS: usize = 16;

/// A folder with a table of random words, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ensemble-contributors-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let header =
            format!(r#"{{"a":{{"dtype":"F16","shape":[{ROWS},{COLS}],"data_offsets":[0,{}]}}}}"#, ROWS * COLS * 2);
        let numbers = Random::new(9).normal(ROWS, COLS);
        let data = numbers.iter().flat_map(|number| f16::from_f32(*number).to_le_bytes());
        let head = (header.len() as u64).to_le_bytes().into_iter().chain(header.bytes());
        fs::write(path.join("words"), head.chain(data).collect::<Vec<_>>()).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().into()
    }

    fn run(&self, command: &str, rest: &[String]) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_contributors"));
        Command::new(program).args([command, &self.path("words")]).args(rest).output().unwrap()
    }

    /// What is printed of the nearest neighbours that are kept, a number for each line.
    fn nearest(&self, command: &str, files: &[String]) -> Vec<f64> {
        let output = self.run(command, files);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["nearest"].as_f64().unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_is_written_is_what_the_judge_reads() {
    let folder = Folder::new("world");
    assert!(folder.run("write", &[folder.path("")]).status.success());
    let files = |name: &str, numbers: std::ops::Range<usize>| {
        numbers.map(|number| folder.path(&format!("{name}-{number}"))).collect::<Vec<_>>()
    };
    let honest = files("honest", 0..15);
    let alone = folder.nearest("judge", &honest[..2]);
    let mean = folder.nearest("mean", &honest);
    assert!(alone.iter().all(|alone| *alone > 0.2 && *alone + 0.1 < mean[0]), "{alone:?} {mean:?}");

    for attack in ["flip", "shift", "collude", "noise"] {
        let cheats = files(attack, 0..5);
        let kept = folder.nearest("mean", &[&cheats[..], &honest[5..]].concat());
        assert!(kept[0] < mean[0], "{attack}: {kept:?} {mean:?}");
    }
    let colluding = folder.nearest("judge", &files("collude", 0..5));
    assert!(colluding.iter().all(|kept| *kept < 0.1), "{colluding:?}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = Folder::new("refused");
    fs::write(folder.path("short"), [0; 100]).unwrap();
    let refused = |command: &str, rest: &[String], remedy: &str| {
        let output = folder.run(command, rest);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(remedy), "{command}: {said}");
    };
    refused("judge", &[], "usage");
    refused("dance", &[folder.path("short")], "usage");
    refused("write", &[folder.path("nowhere")], "No such file");
    refused("judge", &[folder.path("short")], "is no table of 4096 x 16");
    refused("mean", &[folder.path("absent")], "No such file");
}
