//! The results as a page of the documentation.

use std::fmt::Write;

use ensemble_compute::aggregation::Rule;
use ensemble_compute_study::measure::Kept;

use crate::{Line, MatrixLine, CHEATS, MEMBERS};

/// Rules in the order of a line's columns.
pub const RULES: [&str; 4] = ["Multi-Krum", "Geometric median", "Trimmed mean", "Plain mean"];

const HEAD: &str = "\
# Attacks on a space

Made by `scripts/attacks`, which takes about ten minutes; do not edit by hand.

4,096 word embeddings of 256 numbers (the first rows of wordllama's table, unit length); every fourth is an anchor.
Fifteen contributors see the table with Gaussian noise of 0.2 of its standard deviation in every number, each in a basis of
its own, a random rotation. Some of them cheat. They know the true table, what every honest contributor hands in, and
each other. Up to 40 % of the weight may cheat by the space's settings.

Cells are how much of the true table's neighbourhoods the result keeps, for the rows that are no anchors, among all rows:
the part of them whose nearest neighbour is the true one / the part of the true nearest ten that are among the nearest
ten. \"Behind honest anchors\": the anchors are those of an honest contributor. \"Alike\": cheats hand in one table, each in its
own basis. \"With the highest bonds\": half as many cheats, each so much heavier that their part of the weight is the one at
the head of the column. Cheats have the smallest ids, unless they join last; the order in which members are listed
changes nothing.

";

const LIMITS: &str = "
## What does not hold

- The bars (no cheats 0.94 / 0.92, five of fifteen 0.94 / 0.90) are for Multi-Krum. Under the geometric median and the trimmed mean
  a third of cheats moves the result farther, and they are there to be chosen for fewer.
- With 40 % of cheats and 40 % tolerated nothing is left to spare: colluders who shift within the honest spread, each with
  half the noise, cost most.
- Cheats that choose their anchors so that the turns of some honest members follow from noise alone, and know that noise, may choose
  who is left out at first; whoever is gets a second chance with the mean. With more loose anchors than tolerated the
  round fails.
- All this is for noise of one strength, the same for every honest contributor. Who has much more of it than others is outvoted.
- More cheats than tolerated can do anything.
";

const MATRICES: &str = "
## Matrices

Beside its table each contributor has a matrix, with noise of its own. Cheats bring honest tables, the first of them the mean of
all others', and matrices of nothing but the largest number. Cells are how far the matrix of the result is from the true one, in
standard deviations of one honest contributor's noise: as the space makes it (the trimmed mean by weight, under every
rule) / as the mean by influence would be.

";

/// Markdown.
pub fn page(alone: &Kept, lines: &[Line], matrices: &[MatrixLine]) -> String {
    let mut page = HEAD.to_owned();
    let _ = writeln!(page, "One contributor alone keeps {} in the mean.\n", cell(alone));
    page += "![What is kept of the nearest ten, by attack and part of cheats](attacks.svg)\n\n";
    page += "Lines that leave a panel fall below 0.6.\n";
    for (rule, name) in RULES.iter().enumerate() {
        let _ = writeln!(page, "\n## {name}\n");
        head(&mut page);
        for line in lines {
            let _ = write!(page, "| {} |", line.name);
            for kept in &line.kept {
                let _ = write!(page, " {} |", cell(&kept[rule]));
            }
            page += "\n";
        }
    }
    page += MATRICES;
    head(&mut page);
    for MatrixLine { rule, deviations } in matrices {
        let name = Rule::ALL.iter().zip(RULES).find(|(one, _)| *one == rule).map_or("", |(_, name)| name);
        let _ = write!(page, "| {name} |");
        for [combined, mean] in deviations {
            let _ = write!(page, " {combined:.2} / {mean:.2} |");
        }
        page += "\n";
    }
    page + LIMITS
}

/// The head of a table with a column for each part of cheats.
fn head(page: &mut String) {
    *page += "| cheats |";
    for cheats in CHEATS {
        let _ = write!(page, " {} % |", (100 * cheats + MEMBERS / 2) / MEMBERS);
    }
    *page += "\n|---|";
    *page += &"---|".repeat(CHEATS.len());
    *page += "\n";
}

fn cell(kept: &Kept) -> String {
    format!("{:.3} / {:.3}", kept.nearest, kept.ten)
}
