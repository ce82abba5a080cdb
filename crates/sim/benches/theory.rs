//! The simulator against theory, as a table: what is predicted, what was measured, and where it must lie.
//!
//! `cargo bench -p swarmlab-sim --bench theory` prints every line that the tests hold (`tests/theory`), and those no test
//! waits for: what the engine as it is gets of the least number of rounds, and the flash crowd with more pieces and with
//! Ethernet frames. `-- NAME..` prints some only: the names are those of the files.
#![allow(clippy::print_stdout)]

#[allow(dead_code)] // what only the tests need
#[path = "../tests/theory/main.rs"]
mod theory;

use swarmlab_sim::Framing;
use theory::{
    Line, conservation, first_copy, fluid, kumar_ross, one_club, optimistic, overhead, rounds, seed_service,
};

/// The name of a file, the row it is about, and its lines.
type Table = (&'static str, &'static str, fn() -> Vec<Line>);

const TABLES: [Table; 9] = [
    ("kumar_ross", "T-01", kumar_ross),
    ("rounds", "T-02", rounds),
    ("fluid", "T-03", fluid::lines),
    ("one_club", "T-05", one_club::lines),
    ("conservation", "T-07", conservation::lines),
    ("overhead", "T-08", || [5, 29, 40, 80].into_iter().flat_map(overhead::lines).collect()),
    ("optimistic", "V-03", optimistic::lines),
    ("first_copy", "P-23", first_copy::lines),
    ("seed_service", "P-03a", seed_service::lines),
];

fn kumar_ross() -> Vec<Line> {
    let mut lines = kumar_ross::never_beaten();
    for (leechers, pieces, framing) in [
        (1_000, 400, Framing::None),
        (1_000, 400, Framing::Ethernet),
        (1_000, 100, Framing::None),
        (1_000, 1_000, Framing::None),
    ] {
        lines.extend(kumar_ross::flash_crowd_lines(leechers, pieces, framing));
    }
    lines
}

fn rounds() -> Vec<Line> {
    let mut lines = rounds::idealised();
    lines.extend(
        [(10, 10), (100, 20), (100, 100), (300, 100), (100, 400), (100, 1_000)]
            .map(|(leechers, pieces)| rounds::engine(leechers, pieces)),
    );
    lines
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    println!("{:5}  {:>14}  {:>14}  {:>7}  {:>5}  what", "row", "predicted", "measured", "ratio", "holds");
    for (name, row, lines) in TABLES {
        if !wanted.is_empty() && !wanted.iter().any(|other| other == name) {
            continue;
        }
        for line in lines() {
            let Line { what, predicted, measured, .. } = &line;
            let holds = match (&line.allowed, line.holds()) {
                (None, _) => "-",
                (Some(_), true) => "yes",
                (Some(_), false) => "NO",
            };
            let ratio = if *predicted == 0.0 { "-".into() } else { format!("{:.4}", measured / predicted) };
            println!("{row:5}  {predicted:>14.4}  {measured:>14.4}  {ratio:>7}  {holds:>5}  {what}");
        }
    }
}
