//! `swarmlab scenario`: what can be simulated, and whether a file says it well.

use clap::{Args, Subcommand, ValueHint};
use serde::Serialize;
use serde_json::Value;
use swarmlab_experiments::scenario::{self as scenarios, Diagnostics, Scenario, builtin, json_schema};
use swarmlab_experiments::units::{exact_size, show_size};

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::scenario;
use crate::text::{count, printable};

/// List, show and check scenarios: what a run simulates
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab scenario list
  swarmlab scenario show flash-crowd > mine.toml
  swarmlab scenario check mine.toml --set group.leechers.count=500
  swarmlab scenario show --preset swarmlab")]
pub struct ScenarioCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the scenarios that come with the program, easiest first
    List(List),
    /// Show a scenario with its comments, or what it comes to with every default filled in
    Show(Show),
    /// Tell whether a scenario is valid, and where not (exit status 2)
    Check(Check),
    /// Print the JSON Schema of scenario files, for editors
    Schema,
}

#[derive(Debug, Args)]
struct List {
    /// Print one JSON document (schema scenario-list/1)
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Show {
    /// Name of a scenario that comes with the program, or a file
    #[arg(value_name = "SCENARIO", value_hint = ValueHint::FilePath, required_unless_present = "preset")]
    scenario: Option<String>,
    /// Fill in every default
    #[arg(long, conflicts_with = "preset")]
    resolved: bool,
    /// Change a value before (repeat), such as client.unchoke_slots=6 or group.leechers.count=500
    #[arg(long = "set", value_name = "PATH=VALUE", requires = "scenario")]
    sets: Vec<String>,
    /// Show what a preset of [client] stands for instead
    #[arg(long, value_name = "NAME", conflicts_with = "scenario")]
    preset: Option<String>,
    /// Print one JSON document (schema scenario-show/1 or preset/1)
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Check {
    /// A file, or the name of a scenario that comes with the program
    #[arg(value_name = "SCENARIO", value_hint = ValueHint::FilePath)]
    scenario: String,
    /// Change a value before (repeat), such as network.latency='5 ms'
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
    /// Print one JSON document (schema scenario-check/1)
    #[arg(long)]
    json: bool,
}

impl ScenarioCommand {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        match self.what {
            What::List(list) => list.run(env),
            What::Show(show) => show.run(env),
            What::Check(check) => check.run(env),
            What::Schema => {
                let text = serde_json::to_string_pretty(&json_schema())
                    .map_err(|error| Error::failed("cannot make the schema").because(error))?;
                env.out().line(text)?;
                Ok(Exit::Done)
            }
        }
    }
}

/// What is said of a valid scenario.
#[derive(Serialize)]
struct Facts {
    name: String,
    about: Option<String>,
    nodes: u64,
    groups: usize,
    length: u64,
    piece_length: u32,
    piece_count: u32,
}

impl Facts {
    fn of(scenario: &Scenario) -> Facts {
        let layout = scenario.content.layout;
        Facts {
            name: scenario.name.clone(),
            about: scenario.about.clone(),
            nodes: scenario.node_count(),
            groups: scenario.groups.len(),
            length: layout.length(),
            piece_length: layout.piece_length(),
            piece_count: layout.piece_count(),
        }
    }
}

impl List {
    fn run(self, env: &Env) -> Result<Exit, Error> {
        let parsed = builtin::all().iter().map(|builtin| {
            builtin
                .parse(&[])
                .map(|scenario| Facts::of(&scenario))
                .map_err(|error| scenario::refuse(builtin.name, &error))
        });
        let scenarios = parsed.collect::<Result<Vec<_>, _>>()?;
        if self.json {
            #[derive(Serialize)]
            struct Document {
                scenarios: Vec<Facts>,
            }
            env.json("scenario-list/1", &Document { scenarios })?;
            return Ok(Exit::Done);
        }
        let style = env.out_style();
        let mut out = env.out();
        for facts in scenarios {
            let name = style.code(format_args!("{:<17}", facts.name)).to_string();
            let about = facts.about.unwrap_or_default();
            out.line(format_args!("{name} {:>9} x {:<8} {about}", facts.nodes, show_size(facts.length)))?;
        }
        Ok(Exit::Done)
    }
}

impl Show {
    fn run(self, env: &Env) -> Result<Exit, Error> {
        match (&self.preset, &self.scenario) {
            (Some(preset), _) => self.preset(env, preset),
            (None, scenario) => self.scenario(env, scenario.as_deref().unwrap_or_default()),
        }
    }

    fn preset(&self, env: &Env, name: &str) -> Result<Exit, Error> {
        let (Some(text), Some(client)) = (scenarios::preset_toml(name), scenarios::preset_json(name)) else {
            let help = format!("presets are {}", scenarios::preset_names().join(", "));
            return Err(Error::invalid(format!("there is no preset {}", printable(name))).help(help));
        };
        if self.json {
            #[derive(Serialize)]
            struct Document<'a> {
                name: &'a str,
                client: Value,
            }
            env.json("preset/1", &Document { name, client })?;
        } else {
            env.print(text.as_bytes())?;
        }
        Ok(Exit::Done)
    }

    fn scenario(&self, env: &Env, typed: &str) -> Result<Exit, Error> {
        let source = scenario::find(env, typed)?;
        // A text is shown as it is, valid or not; what it comes to needs a valid one.
        if !self.resolved && !self.json && self.sets.is_empty() {
            env.print(source.text.as_bytes())?;
            return Ok(Exit::Done);
        }
        let parsed = source.parse(&self.sets).map_err(|error| scenario::refuse(typed, &error))?;
        if self.json {
            #[derive(Serialize)]
            struct Document<'a> {
                #[serde(flatten)]
                facts: Facts,
                text: &'a str,
                resolved: Value,
            }
            let resolved = parsed.resolved_json();
            env.json(
                "scenario-show/1",
                &Document { facts: Facts::of(&parsed), text: &source.text, resolved },
            )?;
        } else {
            env.print(parsed.resolved_toml().as_bytes())?;
        }
        Ok(Exit::Done)
    }
}

impl Check {
    fn run(self, env: &Env) -> Result<Exit, Error> {
        let source = scenario::find(env, &self.scenario)?;
        let parsed = source.parse(&self.sets);
        if self.json {
            let (facts, errors) = match &parsed {
                Ok(scenario) => (Some(Facts::of(scenario)), Vec::new()),
                Err(error) => (None, problems(error)),
            };
            env.json("scenario-check/1", &Report { valid: facts.is_some(), facts, errors })?;
            return Ok(if parsed.is_ok() { Exit::Done } else { Exit::Usage });
        }
        let facts = Facts::of(&parsed.map_err(|error| scenario::refuse(&self.scenario, &error))?);
        let style = env.out_style();
        env.out().line(format_args!(
            "{} {}: {} in {}, {} of {} ({})",
            printable(&self.scenario),
            style.good("is valid"),
            count(facts.nodes as usize, "node"),
            count(facts.groups, "group"),
            count(facts.piece_count as usize, "piece"),
            exact_size(u64::from(facts.piece_length)),
            show_size(facts.length),
        ))?;
        Ok(Exit::Done)
    }
}

/// What `scenario-check/1` says.
#[derive(Serialize)]
struct Report {
    valid: bool,
    #[serde(flatten)]
    facts: Option<Facts>,
    errors: Vec<Problem>,
}

#[derive(Serialize)]
struct Problem {
    /// The file, or `--set`.
    source: String,
    line: usize,
    column: usize,
    message: String,
    help: Option<String>,
}

fn problems(diagnostics: &Diagnostics) -> Vec<Problem> {
    let problems = diagnostics.list().iter().map(|one| {
        let (line, column) = diagnostics.position(one.place);
        Problem {
            source: diagnostics.source(one.place).to_owned(),
            line,
            column,
            message: one.message.clone(),
            help: one.help.clone(),
        }
    });
    problems.collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use swarmlab_experiments::scenario::{builtin, preset_names};

    use crate::testing::{run, run_in};

    #[test]
    fn every_built_in_is_listed_and_valid() {
        let listed = run(&["scenario", "list"]);
        let document = run(&["scenario", "list", "--json"]).json();
        assert_eq!(document["schema"], "scenario-list/1");
        for (number, builtin) in builtin::all().iter().enumerate() {
            assert!(listed.stdout.lines().any(|line| line.starts_with(builtin.name)), "{}", listed.stdout);
            assert_eq!(document["scenarios"][number]["name"], builtin.name);
            let checked = run(&["scenario", "check", builtin.name]);
            assert_eq!((checked.status, checked.stderr.as_str()), (0, ""), "{checked:?}");
        }
        let checked = run(&["scenario", "check", "quickstart"]).stdout;
        assert_eq!(checked, "quickstart is valid: 31 nodes in 2 groups, 256 pieces of 256 KiB (64 MiB)\n");
    }

    #[test]
    fn a_scenario_is_shown_as_it_is_and_as_what_it_comes_to() {
        let shown = run(&["scenario", "show", "quickstart"]).stdout;
        assert_eq!(Some(shown.as_str()), builtin::find("quickstart").map(|builtin| builtin.text));
        let resolved = run(&["scenario", "show", "quickstart", "--set", "group.leeches.count=7"]).stdout;
        assert!(
            resolved.contains("\ncount = 7\n") && resolved.contains("\nrechoke = \"10 s\"\n"),
            "{resolved}"
        );
        let document = run(&["scenario", "show", "quickstart", "--json"]).json();
        assert_eq!((&document["schema"], &document["nodes"]), (&"scenario-show/1".into(), &31.into()));
        assert_eq!(document["resolved"]["network"]["latency"], "20 ms");
        assert_eq!(document["text"], shown);

        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("mine.toml"), resolved).expect("a file");
        let checked = run_in(folder.path(), &["scenario", "check", "mine.toml"]);
        assert_eq!(
            checked.stdout,
            "mine.toml is valid: 8 nodes in 2 groups, 256 pieces of 256 KiB (64 MiB)\n"
        );
    }

    #[test]
    fn an_invalid_scenario_ends_with_2_and_says_where() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = builtin::find("quickstart").expect("it is there").text.replace("count = 30", "conut = 30");
        let line = 1 + text.lines().position(|line| line == "conut = 30").expect("it is in it");
        fs::write(folder.path().join("bad.toml"), text).expect("a file");
        for arguments in [&["check", "bad.toml"][..], &["show", "--resolved", "bad.toml"]] {
            let refused = run_in(folder.path(), &[&["scenario"], arguments].concat());
            assert_eq!((refused.status, refused.stdout.as_str()), (2, ""), "{refused:?}");
            let place = format!("bad.toml:{line}:1: unknown key 'conut' in [[group]]");
            for words in ["bad.toml is not a valid scenario", &place, "^^^^^\n", "did you mean 'count'?"] {
                assert!(refused.stderr.contains(words), "{words}\n{}", refused.stderr);
            }
        }
        let refused = run_in(folder.path(), &["scenario", "check", "bad.toml", "--json"]);
        let document = refused.json();
        assert_eq!((refused.status, &document["valid"]), (2, &false.into()));
        let error = &document["errors"][0];
        assert_eq!(
            (&error["source"], &error["line"], &error["column"]),
            (&"bad.toml".into(), &line.into(), &1.into())
        );

        let refused = run(&["scenario", "check", "quickstart", "--set", "run.max_time=5"]);
        assert_eq!(refused.status, 2);
        assert!(
            refused.stderr.contains("--set:1:14: max_time = '5': a time needs a unit"),
            "{}",
            refused.stderr
        );
    }

    #[test]
    fn what_is_not_there_is_told_with_the_nearest() {
        let missing = run(&["scenario", "check", "flashcrowd"]);
        assert_eq!(missing.status, 1);
        assert!(missing.stderr.contains("did you mean flash-crowd?"), "{}", missing.stderr);
        let missing = run(&["scenario", "show", "--preset", "nonsense"]);
        assert_eq!(missing.status, 2);
        assert!(missing.stderr.contains("presets are swarmlab"), "{}", missing.stderr);
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("binary.toml"), b"name = \"\xff\"").expect("a file");
        let binary = run_in(folder.path(), &["scenario", "check", "binary.toml"]);
        assert_eq!(binary.status, 2);
        assert!(
            binary.stderr.contains("binary.toml is no scenario: byte 8 is not UTF-8"),
            "{}",
            binary.stderr
        );
        assert_eq!(run(&["scenario", "show"]).status, 2);
    }

    #[test]
    fn presets_and_the_schema_are_printed() {
        for name in preset_names() {
            let shown = run(&["scenario", "show", "--preset", name]).stdout;
            assert!(
                shown.contains(&format!("preset = \"{name}\"")) && shown.contains("\nunchoke_slots = "),
                "{shown}"
            );
            let document = run(&["scenario", "show", "--preset", name, "--json"]).json();
            assert_eq!(
                (&document["schema"], &document["client"]["preset"]),
                (&"preset/1".into(), &(*name).into())
            );
        }
        let schema = run(&["scenario", "schema"]).json();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["properties"]["schema"]["oneOf"][0]["const"], "scenario/1");
    }
}
