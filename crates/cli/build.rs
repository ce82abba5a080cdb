//! Embeds the project's sources, which `demo` spreads, and the commit they are of, which results name.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    let crates = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("..");
    let mut files = Vec::new();
    for name in ["metainfo", "protocol", "net", "sim", "experiments", "testbed", "cli"] {
        let sources = crates.join(name).join("src");
        collect(&sources, &mut files);
        println!("cargo::rerun-if-changed={}", sources.display());
    }
    files.sort();
    let mut table = String::from("&[\n");
    for path in &files {
        let name =
            path.strip_prefix(&crates).expect("it was found below").to_string_lossy().replace('\\', "/");
        // Named from the crate, not from here: a checkout may be moved with what was built in it.
        let bytes =
            format!("include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?}))", format!("/../{name}"));
        writeln!(table, "    ({name:?}, {bytes}),").expect("a string takes all");
    }
    table.push_str("]\n");
    if let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo::rustc-env=SWARMLAB_COMMIT={commit}");
    }
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("sources.rs"), table).expect("the build directory can be written");
}

/// What git says, where there is a git and a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
