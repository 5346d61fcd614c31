//! Contributors for tests on a network: writes what they hand in, and judges what came of it.
//!
//! ```text
//! contributors write TABLE.safetensors FOLDER    what fifteen honest ones hand in, and five cheats of each attack
//! contributors judge TABLE.safetensors FILE...   how much of the true neighbourhoods each table keeps
//! contributors mean TABLE.safetensors FILE...    the same of the plain mean of the tables, once they have one basis
//! ```
//!
//! A table is a file of little-endian 16-bit integers, row by row, with 15 bits behind the point. Everything is the same at
//! every run. Judgements are printed as JSON, one object a line.

use std::{env, fs, io, path::Path, process::ExitCode};

use ensemble_compute::{
    aggregation::{align, Member, Rule, Settings, Shape},
    Machine,
};
use ensemble_compute_study::{
    attack::Attack,
    measure::{Kept, Neighbourhoods},
    world::{hand_in, widened, Random, World},
};
use ndarray::{Array2, ArrayView2};
use serde::Serialize;

const ROWS: usize = 4096;
const MEMBERS: usize = 15;
/// How many of the members cheat: those who come first.
const CHEATS: usize = 5;
/// Millionths of the weight that may cheat.
const TOLERATED: u32 = 400_000;
/// What cheats do, and what their files are called.
const ATTACKS: [(&str, Attack); 4] =
    [("flip", Attack::Flip), ("shift", Attack::Shift(1.0)), ("collude", Attack::Collude), ("noise", Attack::Noise)];

const USAGE: &str = "usage: contributors write TABLE.safetensors FOLDER | judge TABLE.safetensors FILE... | \
                     mean TABLE.safetensors FILE...";

/// What a table keeps of the truth.
#[derive(Serialize)]
struct Judgement<'a> {
    name: &'a str,
    nearest: f64,
    ten: f64,
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [command, words, rest @ ..] = &arguments[..] else { return usage() };
    let done = World::words(Path::new(words), ROWS).and_then(|world| match (command.as_str(), rest) {
        ("write", [folder]) => write(&world, Path::new(folder)).map(|()| true),
        ("judge", [_, ..]) => judge(&world, rest).map(|()| true),
        ("mean", [_, ..]) => judge_mean(&world, rest).map(|()| true),
        _ => Ok(false),
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => usage(),
        Err(error) => {
            eprintln!("contributors: {error}");
            ExitCode::FAILURE
        },
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::FAILURE
}

/// Writes `honest-0` to `honest-14`, and for each attack `flip-0` to `flip-4` and so on. The cheats know what the honest
/// ones from the sixth on hand in.
fn write(world: &World, folder: &Path) -> io::Result<()> {
    let mut random = Random::new(1);
    let honest: Vec<_> = (0..MEMBERS).map(|_| world.contribution(&mut random)).collect();
    save(folder, "honest", &honest, &mut random)?;
    for (name, attack) in ATTACKS {
        let cheats = attack.tables(world, &honest[CHEATS..], CHEATS, &mut random);
        save(folder, name, &cheats, &mut random)?;
    }
    Ok(())
}

/// Writes tables, each turned into a basis of its own.
fn save(folder: &Path, name: &str, tables: &[Array2<f32>], random: &mut Random) -> io::Result<()> {
    for (number, table) in tables.iter().enumerate() {
        let bytes: Vec<_> = hand_in(table.view(), random).iter().flat_map(|number| number.to_le_bytes()).collect();
        fs::write(folder.join(format!("{name}-{number}")), bytes)?;
    }
    Ok(())
}

fn judge(world: &World, files: &[String]) -> io::Result<()> {
    let truth = Neighbourhoods::of(world);
    for file in files {
        print(file, truth.kept(world, widened(read(world, file)?.view()).view()));
    }
    Ok(())
}

fn judge_mean(world: &World, files: &[String]) -> io::Result<()> {
    let tables: Vec<_> = files.iter().map(|file| read(world, file)).collect::<io::Result<_>>()?;
    let views: Vec<_> = tables.iter().map(|table| table.view()).collect();
    let mean = mean(world, &views).map_err(io::Error::other)?;
    print("mean", Neighbourhoods::of(world).kept(world, widened(mean.view()).view()));
    Ok(())
}

/// The mean of tables that were turned into one basis, as a round does it.
fn mean(world: &World, tables: &[ArrayView2<'_, i16>]) -> Result<Array2<i16>, ensemble_compute::aggregation::Error> {
    let members = (0u8..).zip(tables).map(|(place, table)| Member {
        id: [place; 32],
        weight: 1,
        rank: place.into(),
        table: *table,
    });
    let size = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let (rows, cols) = world.truth.dim();
    let shape = Shape { rows: size(rows), cols: size(cols), anchors: size(world.anchors) };
    let settings = Settings { shape, rule: Rule::MultiKrum, tolerated: TOLERATED };
    align(&settings, &members.collect::<Vec<_>>(), Machine::native())?.mean()
}

fn read(world: &World, file: &str) -> io::Result<Array2<i16>> {
    let bytes = fs::read(file)?;
    let (pairs, rest) = bytes.as_chunks::<2>();
    let numbers = pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
    let table = Array2::from_shape_vec(world.truth.dim(), numbers).ok().filter(|_| rest.is_empty());
    let broken = || format!("{file} is no table of {} x {}", world.truth.nrows(), world.truth.ncols());
    table.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, broken()))
}

fn print(name: &str, Kept { nearest, ten }: Kept) {
    let judgement = Judgement { name, nearest, ten };
    println!("{}", serde_json::to_string(&judgement).expect("a judgement is JSON"));
}
