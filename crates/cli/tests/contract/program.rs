//! Running the program to its end in a folder, and reading what it said.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The program, to be run in `folder`.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swarmlab"));
    command.args(arguments).current_dir(folder).env("HOME", folder).stdin(Stdio::null());
    command
}

/// How a run ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program to its end.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Ended {
    let output = command(folder, arguments).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Ended { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Ended {
    /// Checks that it is done, and gives its standard output.
    #[track_caller]
    pub(crate) fn done(&self) -> &str {
        assert_eq!(self.status, Some(0), "{self:?}");
        &self.stdout
    }

    /// Checks that it ended with `status`, without a result, and with every one of `says` in its complaint.
    #[track_caller]
    pub(crate) fn refused(&self, status: i32, says: &[&str]) {
        assert_eq!(self.status, Some(status), "{self:?}");
        assert_eq!(self.stdout, "", "a result beside an error");
        for words in says {
            assert!(self.stderr.contains(words), "{words:?} is not in {}", self.stderr);
        }
    }

    /// The one JSON document of that schema on standard output.
    #[track_caller]
    pub(crate) fn document(&self, schema: &str) -> Value {
        document(&self.stdout, schema)
    }
}

/// Reads `text` as one JSON document of that schema.
#[track_caller]
pub(crate) fn document(text: &str, schema: &str) -> Value {
    let document: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text:?}"));
    assert_eq!(document["schema"], schema);
    document
}

/// Checks that a document has all these fields.
#[track_caller]
pub(crate) fn has_fields(document: &Value, fields: &[&str]) {
    for field in fields {
        assert!(document.get(field).is_some(), "no {field:?} in {document}");
    }
}

/// A folder with `content/` (70,000 bytes in two files and an empty one) and its `content.torrent` for `announce`.
pub(crate) fn shared_content(announce: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let content = folder.path().join("content");
    fs::create_dir_all(content.join("deep/er")).expect("a folder of the content");
    for (name, length) in [("a.bin", 20_000_usize), ("deep/er/b.bin", 50_000), ("empty", 0)] {
        let bytes: Vec<u8> = (0..length).map(|i| (i * 31 + i / 251) as u8).collect();
        fs::write(content.join(name), bytes).expect("a file of the content");
    }
    run(folder.path(), &["create", "content", "-a", announce, "--no-date", "-q"]).done();
    folder
}
