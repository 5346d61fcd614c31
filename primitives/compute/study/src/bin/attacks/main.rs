//! The attack study: every rule against every attack by growing parts of the members, on word embeddings.
//!
//! Run by `scripts/attacks`, which passes the table of embeddings and the folder for the results.

mod chart;
mod page;

use std::{env, fs, path::Path, process::ExitCode};

use ensemble_compute::{
    aggregation::{align, Member, Rule, Settings, Shape},
    Machine,
};
use ensemble_compute_study::{
    attack::Attack,
    matrix,
    measure::{Kept, Neighbourhoods},
    report::{Bar, Report},
    world::{hand_in, widened, Random, World},
};
use ndarray::Array2;

const ROWS: usize = 4096;
const MEMBERS: usize = 15;
/// How many of the members cheat: 0 to 40 %.
const CHEATS: [usize; 5] = [0, 1, 3, 5, 6];
/// How many cheat where there are bars.
const BARRED: usize = 5;
/// Millionths of the weight that may cheat.
const TOLERATED: u32 = 400_000;
/// Weight of an honest member.
const WEIGHT: u128 = 1_000_000;
/// What has to be kept without cheats and with five: nearest, nearest ten.
const BARS: [(usize, f64, f64); 2] = [(0, 0.94, 0.92), (BARRED, 0.94, 0.90)];

/// How cheats take part.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Entry {
    /// Each as heavy as an honest member, with the smallest ids.
    First,
    /// The same with the largest ids.
    Last,
    /// Half as many of them, with the bonds that make up for it.
    Bonded,
}

impl Entry {
    const ALL: [Self; 3] = [Self::First, Self::Last, Self::Bonded];
}

/// One line of the tables.
struct Line {
    name: String,
    /// For each part of cheats, what is kept by each rule, the mean last.
    kept: Vec<[Kept; 4]>,
}

/// How far the matrix that is made under one rule is from the true one, for each part of cheats: as a space makes it, and as
/// the mean by influence would.
struct MatrixLine {
    rule: Rule,
    deviations: Vec<[f64; 2]>,
}

struct Study {
    world: World,
    truth: Neighbourhoods,
    honest: Vec<Array2<f32>>,
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [table, folder] = &arguments[..] else {
        eprintln!("usage: attacks TABLE.safetensors FOLDER; scripts/attacks does it");
        return ExitCode::FAILURE;
    };
    let study = Study::new(Path::new(table));
    let mut report = Report::default();
    let alone = study.alone();
    report.figure("one contributor alone, nearest kept", alone.nearest, "of 1", Bar::None);
    report.figure("one contributor alone, nearest ten kept", alone.ten, "of 1", Bar::None);
    let lines = study.lines();
    judge(&lines, &mut report);
    let matrices = study.matrices();
    judge_matrices(&matrices, &mut report);
    let folder = Path::new(folder);
    fs::write(folder.join("attacks.md"), page::page(&alone, &lines, &matrices)).expect("the folder can be written to");
    fs::write(folder.join("attacks.svg"), chart::chart(&lines)).expect("the folder can be written to");
    report.exit_code()
}

impl Study {
    fn new(path: &Path) -> Self {
        let world = World::words(path, ROWS).expect("the table can be read");
        let truth = Neighbourhoods::of(&world);
        let mut random = Random::new(1);
        let honest = (0..MEMBERS).map(|_| world.contribution(&mut random)).collect();
        Self { world, truth, honest }
    }

    /// What the contributors keep on their own, in the mean.
    fn alone(&self) -> Kept {
        let kept: Vec<_> = self.honest.iter().map(|table| self.truth.kept(&self.world, table.view())).collect();
        let mean = |pick: fn(&Kept) -> f64| kept.iter().map(pick).sum::<f64>() / kept.len() as f64;
        Kept { nearest: mean(|kept| kept.nearest), ten: mean(|kept| kept.ten) }
    }

    fn lines(&self) -> Vec<Line> {
        let without = self.round(Attack::FlipAll, Entry::First, 0);
        let some = [Attack::Flip, Attack::Shift(1.0), Attack::Collude];
        let cases = Entry::ALL.into_iter().flat_map(|entry| {
            let attacks = if entry == Entry::First { Attack::ALL.to_vec() } else { some.to_vec() };
            attacks.into_iter().map(move |attack| (attack, entry))
        });
        cases
            .map(|(attack, entry)| {
                let how = match entry {
                    Entry::First => "",
                    Entry::Last => ", joining last",
                    Entry::Bonded => ", with the highest bonds",
                };
                let name = attack.name() + how;
                eprintln!("{name}");
                let with = CHEATS[1..].iter().map(|cheats| self.round(attack, entry, *cheats));
                let kept = std::iter::once(without).chain(with).collect();
                Line { name, kept }
            })
            .collect()
    }

    /// What every rule keeps of a round in which so many of the members cheat.
    fn round(&self, attack: Attack, entry: Entry, cheats: usize) -> [Kept; 4] {
        let mut random = Random::new(2);
        let (count, weight) = bonds(entry, cheats);
        let honest = &self.honest[count..];
        let bad = attack.tables(&self.world, honest, count, &mut random);
        let tables: Vec<_> = bad.iter().chain(honest).map(|table| hand_in(table.view(), &mut random)).collect();
        let members: Vec<_> = (0u8..)
            .zip(&tables)
            .map(|(place, table)| {
                let id = if entry == Entry::Last { u8::MAX - place } else { place };
                let weight = if usize::from(place) < count { weight } else { WEIGHT };
                Member { id: [id; 32], rank: 0, weight, table: table.view() }
            })
            .collect();
        let alignment = align(&self.settings(), &members, Machine::native()).expect("honest members are left");
        let kept = |table: Array2<i16>| self.truth.kept(&self.world, widened(table.view()).view());
        let by = |rule| kept(alignment.clone().combine(rule, Machine::native()).expect("tables have one shape").table);
        let [first, second, third] = Rule::ALL.map(by);
        [first, second, third, kept(alignment.mean().expect("tables have one shape"))]
    }

    /// Rounds whose cheats bring false matrices beside honest tables.
    fn matrices(&self) -> Vec<MatrixLine> {
        let by_cheats = CHEATS.map(|cheats| {
            let mut random = Random::new(3);
            let contributions = matrix::contributions(&self.honest, cheats, &self.world, &mut random);
            let entries = (0u8..).zip(&contributions);
            let members: Vec<_> = entries
                .map(|(id, own)| Member { id: [id; 32], rank: 0, weight: WEIGHT, table: own.table.view() })
                .collect();
            let alignment = align(&self.settings(), &members, Machine::native()).expect("honest members are left");
            Rule::ALL.map(|rule| {
                let outcome = alignment.clone().combine(rule, Machine::native()).expect("tables have one shape");
                matrix::deviations(&self.settings(), &contributions, &outcome, Machine::native())
                    .expect("matrices have one shape")
            })
        });
        let line = |(place, rule)| MatrixLine {
            rule,
            deviations: by_cheats.iter().map(|deviations: &[[f64; 2]; 3]| deviations[place]).collect(),
        };
        (0..).zip(Rule::ALL).map(line).collect()
    }

    fn settings(&self) -> Settings {
        let size = |number: usize| u32::try_from(number).expect("tables are small");
        let (rows, cols) = self.world.truth.dim();
        let shape = Shape { rows: size(rows), cols: size(cols), anchors: size(self.world.anchors) };
        Settings { shape, rule: Rule::MultiKrum, tolerated: TOLERATED }
    }
}

/// Number of cheats and the weight of each.
fn bonds(entry: Entry, cheats: usize) -> (usize, u128) {
    if entry != Entry::Bonded {
        return (cheats, WEIGHT);
    }
    // Together they have the part of all weight that so many cheats of usual weight would have.
    let count = cheats.div_ceil(2);
    let honest = WEIGHT * (MEMBERS - count) as u128;
    (count, honest * cheats as u128 / (MEMBERS - cheats) as u128 / (count as u128).max(1))
}

/// Prints what has bars: Multi-Krum, the rule that spaces have unless they choose another.
fn judge(lines: &[Line], report: &mut Report) {
    for (cheats, nearest, ten) in BARS {
        let place = CHEATS.iter().position(|count| *count == cheats).expect("bars are for rounds of the study");
        // Without cheats all lines are the same.
        for line in if cheats == 0 { &lines[..1] } else { lines } {
            let kept = line.kept[place][0];
            let name = if cheats == 0 { "no cheats".into() } else { format!("{cheats} of {MEMBERS} {}", line.name) };
            report.figure(&format!("{name}, nearest kept"), kept.nearest, "of 1", Bar::Least(nearest));
            report.figure(&format!("{name}, nearest ten kept"), kept.ten, "of 1", Bar::Least(ten));
        }
        let means = lines.iter().map(|line| line.kept[place][3].nearest);
        let name = format!("{cheats} of {MEMBERS} cheating, plain mean at worst, nearest kept");
        report.figure(&name, means.fold(1.0, f64::min), "of 1", Bar::None);
    }
}

/// Prints how far matrices are moved at worst. A deviation of one honest contributor's numbers is the bar.
fn judge_matrices(lines: &[MatrixLine], report: &mut Report) {
    for MatrixLine { rule, deviations } in lines {
        let worst = deviations.iter().map(|[combined, _]| *combined).fold(0.0, f64::max);
        report.figure(&format!("false matrices, {rule:?}, deviations at worst"), worst, "deviations", Bar::Most(1.0));
    }
}
