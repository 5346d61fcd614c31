//! The results as a page of the documentation.

use std::fmt::Write;

use ensemble_compute_study::measure::Kept;

use crate::{Line, CHEATS, MEMBERS};

/// Rules in the order of a line's columns.
pub const RULES: [&str; 4] = ["Multi-Krum", "Geometric median", "Trimmed mean", "Plain mean"];

const HEAD: &str = "\
# Attacks on a space

Made by `scripts/attacks`, which takes about five minutes; do not edit by hand.

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

/// Markdown.
pub fn page(alone: &Kept, lines: &[Line]) -> String {
    let mut page = HEAD.to_owned();
    let _ = writeln!(page, "One contributor alone keeps {} in the mean.\n", cell(alone));
    page += "![What is kept of the nearest ten, by attack and part of cheats](attacks.svg)\n\n";
    page += "Lines that leave a panel fall below 0.6.\n";
    for (rule, name) in RULES.iter().enumerate() {
        let _ = write!(page, "\n## {name}\n\n| cheats |");
        for cheats in CHEATS {
            let _ = write!(page, " {} % |", (100 * cheats + MEMBERS / 2) / MEMBERS);
        }
        page += "\n|---|";
        page += &"---|".repeat(CHEATS.len());
        page += "\n";
        for line in lines {
            let _ = write!(page, "| {} |", line.name);
            for kept in &line.kept {
                let _ = write!(page, " {} |", cell(&kept[rule]));
            }
            page += "\n";
        }
    }
    page
}

fn cell(kept: &Kept) -> String {
    format!("{:.3} / {:.3}", kept.nearest, kept.ten)
}
