//! `swarmlab compare`: how far simulated runs are from real ones.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use swarmlab_experiments::accuracy::read::{self, ReadError};
use swarmlab_experiments::accuracy::{Comparison, Run, Targets};

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;

/// Compare results of real swarms with simulated ones: errors, distances, a picture
#[derive(Debug, Args)]
#[command(after_long_help = "\
Each side is a directory that testbed or sim has written with -o: a single run, or several as
run-1, run-2 and so on (--runs). Several directories, with commas between them, are one side.
A side may also be a table NAME.csv of measurements with NAME.config.json beside it.

Each figure is taken of each run by itself; shown are the means over the runs of a side and their
standard errors (±). Targets: mean and median within 5 %, the last completion within 10 %, or
within twice the standard error over the real runs where that is more; the distance of the shapes
(Kolmogorov-Smirnov, each run's times over their mean) at most 0.05 more than a real run has to
the others.

Examples:
  sudo swarmlab testbed quickstart --client libtorrent --runs 3 -o real
  swarmlab sim quickstart --set client.preset=libtorrent-2 --runs 10 -o sim
  swarmlab compare real sim -o compare.html      a page; with .svg the picture alone
  swarmlab compare real sim --json | jq .overall.time.mean.error")]
pub struct Compare {
    /// Directories of the real runs
    #[arg(value_name = "REAL", value_hint = ValueHint::AnyPath, value_delimiter = ',', required = true, num_args = 1)]
    real: Vec<PathBuf>,
    /// Directories of the simulated runs
    #[arg(value_name = "SIM", value_hint = ValueHint::AnyPath, value_delimiter = ',', required = true, num_args = 1)]
    simulated: Vec<PathBuf>,
    /// Write the page to this file, or the picture alone if its name ends with .svg
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Print one JSON document (schema compare/1)
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let (real, simulated) = (side(env, &self.real)?, side(env, &self.simulated)?);
        let comparison = Comparison::of(&real, &simulated, Targets::PROJECT);
        if let Some(file) = &self.output {
            write(env, file, &comparison)?;
        }
        let text = if self.json { comparison.json() } else { comparison.summary() };
        env.print(text.as_bytes())?;
        if let Some(file) = &self.output {
            env.note(format_args!("the picture is in {}", file.display()));
        }
        Ok(Exit::Done)
    }
}

/// All runs of a side.
fn side(env: &Env, paths: &[PathBuf]) -> Result<Vec<Run>, Error> {
    let mut runs = Vec::new();
    for path in paths {
        let found = read::runs(&env.resolve(path)).map_err(|error| unreadable(path, error))?;
        runs.extend(found);
    }
    Ok(runs)
}

fn unreadable(path: &Path, error: ReadError) -> Error {
    let message = format!("{} cannot be compared", path.display());
    let told = match error {
        ReadError::Unreadable(..) => Error::failed(message),
        _ => Error::invalid(message),
    };
    told.because(error).help("give a directory that sim or testbed has written with -o")
}

fn write(env: &Env, file: &Path, comparison: &Comparison) -> Result<(), Error> {
    let alone = file.extension().is_some_and(|ending| ending == "svg");
    let text = if alone { comparison.picture() } else { comparison.page() };
    std::fs::write(env.resolve(file), text)
        .map_err(|error| Error::failed(format!("cannot write {}", file.display())).because(error))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use crate::testing::{Outcome, run_in};

    /// Two measured runs of a seed and two leeches.
    const TABLE: &str = "run,role,up_mbit,arrival_s,complete_at_s,payload_up,payload_down
1,seed,4,-3,,1500000,0
1,leech,4,0,10.5,500000,1000000
1,leech,4,0,11.5,500000,1000000
2,seed,4,-3,,1500000,0
2,leech,4,0,10.0,500000,1000000
2,leech,4,0,12.0,500000,1000000
";
    const SCENARIO: &str = r#"schema = "scenario/1"
name = "two"
content = { size = "1 MiB", piece_length = "64 KiB" }
[[group]]
name = "seed"
role = "seed"
up = "4 Mbit/s"
[[group]]
name = "leeches"
role = "leecher"
count = 2
up = "4 Mbit/s"
"#;

    fn compare(dir: &Path, args: &[&str]) -> Outcome {
        run_in(dir, &[&["compare"], args].concat())
    }

    #[test]
    fn measured_runs_against_simulated_ones() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("real.csv"), TABLE).unwrap();
        fs::write(dir.path().join("real.config.json"), "{}").unwrap();
        fs::write(dir.path().join("two.toml"), SCENARIO).unwrap();
        assert_eq!(run_in(dir.path(), &["sim", "two.toml", "--runs", "2", "-o", "sim"]).status, 0);

        let outcome = compare(dir.path(), &["real.csv", "sim", "--json", "-o", "a.html"]);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        let json = outcome.json();
        assert_eq!(json["schema"], "compare/1");
        assert_eq!(
            (json["real"].as_array().unwrap().len(), json["simulated"].as_array().unwrap().len()),
            (2, 2)
        );
        assert_eq!(json["overall"]["time"]["mean"]["real"]["mean"], 11.0);
        assert_eq!(json["groups"][1]["name"], "leeches");
        assert!(fs::read_to_string(dir.path().join("a.html")).unwrap().starts_with("<!doctype html>"));

        // A directory with one table is that table; runs of several directories are one side.
        let outcome = compare(dir.path(), &[".", "sim/run-1,sim/run-2", "-o", "a.svg"]);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        assert!(outcome.stdout.contains("simulated  2 runs: "), "{}", outcome.stdout);
        assert!(fs::read_to_string(dir.path().join("a.svg")).unwrap().starts_with("<svg "));
    }

    #[test]
    fn what_is_no_result_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let outcome = compare(dir.path(), &["none", "none"]);
        assert_eq!(outcome.status, 1, "{outcome:?}");
        let outcome = compare(dir.path(), &[".", "."]);
        assert_eq!(outcome.status, 2, "{outcome:?}");
        assert!(outcome.stderr.contains("holds no result"), "{}", outcome.stderr);
    }
}
