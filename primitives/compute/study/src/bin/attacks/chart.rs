//! The results as a drawing: a panel for each attack, a line for each rule.

use std::fmt::Write;

use crate::{page::RULES, Line, CHEATS, MEMBERS};

const COLOURS: [&str; 4] = ["#0b6e4f", "#2b59c3", "#c77d0a", "#b3261e"];
const COLUMNS: usize = 3;
const PANEL: (f64, f64) = (300.0, 150.0);
/// Room for the title above and the numbers left of a panel, and between panels.
const MARGIN: (f64, f64) = (46.0, 50.0);
const HEAD: f64 = 40.0;
const LARGEST: f64 = 0.4;
/// The bottom of a panel. What falls below it leaves the panel.
const LEAST: f64 = 0.6;

/// SVG.
pub fn chart(lines: &[Line]) -> String {
    let size = (
        COLUMNS as f64 * (PANEL.0 + MARGIN.0) + 20.0,
        lines.len().div_ceil(COLUMNS) as f64 * (PANEL.1 + MARGIN.1) + HEAD + 20.0,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <clipPath id=\"panel\"><rect width=\"{}\" height=\"{}\"/></clipPath>\n",
        size.0, size.1, PANEL.0, PANEL.1
    );
    legend(&mut svg);
    for (place, line) in lines.iter().enumerate() {
        let left = (place % COLUMNS) as f64 * (PANEL.0 + MARGIN.0) + MARGIN.0;
        let top = (place / COLUMNS) as f64 * (PANEL.1 + MARGIN.1) + MARGIN.1 - 20.0 + HEAD;
        panel(&mut svg, line, left, top);
    }
    svg + "</svg>\n"
}

fn legend(svg: &mut String) {
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"22\">Part of the true nearest ten that is kept, by part of cheats:</text>",
        MARGIN.0
    );
    for (place, (rule, colour)) in RULES.iter().zip(COLOURS).enumerate() {
        let x = 400.0 + 145.0 * place as f64;
        let _ = writeln!(
            svg,
            "<line x1=\"{x}\" y1=\"18\" x2=\"{}\" y2=\"18\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{}\" y=\"22\">{rule}</text>",
            x + 20.0,
            x + 26.0
        );
    }
}

fn panel(svg: &mut String, line: &Line, left: f64, top: f64) {
    let _ = writeln!(svg, "<g transform=\"translate({left} {top})\">");
    let _ = writeln!(svg, "<text y=\"-7\" font-size=\"9.5\">{}</text>", line.name);
    for percent in [60, 70, 80, 90, 100] {
        let part = f64::from(percent) / 100.0;
        let _ = writeln!(
            svg,
            "<line x1=\"0\" y1=\"{0:.1}\" x2=\"{1}\" y2=\"{0:.1}\" stroke=\"#ddd\"/>\
             <text x=\"-4\" y=\"{2:.1}\" text-anchor=\"end\">{part:.1}</text>",
            y(part),
            PANEL.0,
            y(part) + 3.0
        );
    }
    for cheats in CHEATS {
        let percent = 100.0 * cheats as f64 / MEMBERS as f64;
        let down = PANEL.1 + 17.0;
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{down}\" text-anchor=\"middle\">{percent:.0} %</text>", x(cheats));
    }
    for (rule, colour) in COLOURS.iter().enumerate().rev() {
        let points = CHEATS.iter().zip(&line.kept);
        let points: Vec<_> =
            points.map(|(cheats, kept)| format!("{:.1},{:.1}", x(*cheats), y(kept[rule].ten))).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" clip-path=\"url(#panel)\"/>",
            points.join(" ")
        );
    }
    *svg += "</g>\n";
}

fn x(cheats: usize) -> f64 {
    PANEL.0 * cheats as f64 / MEMBERS as f64 / LARGEST
}

fn y(part: f64) -> f64 {
    PANEL.1 * (1.0 - part) / (1.0 - LEAST)
}
