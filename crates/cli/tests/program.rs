//! The real program: exit statuses, streams and signals as a shell sees them.

use std::process::{Command, Output, Stdio};

fn swarmlab(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_swarmlab")).args(args).stdin(Stdio::null()).output().expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

#[test]
fn help_and_version_are_results() {
    for args in [["--help"], ["-h"], ["--version"]] {
        let output = swarmlab(&args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(text(&output.stdout).contains("swarmlab"), "{args:?}");
        assert!(output.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_leaves_stdout_empty() {
    for args in
        [&[][..], &["nonsense"], &["man", "--nonsense"], &["completions", "nonsense"], &["-q", "-v", "man"]]
    {
        let output = swarmlab(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(
            text(&output.stderr).contains("sage: swarmlab") || text(&output.stderr).contains("error: "),
            "{args:?}"
        );
    }
}

#[test]
fn no_colour_without_a_terminal_unless_asked() {
    let escape = "\u{1b}[";
    assert!(!text(&swarmlab(&["--help"]).stdout).contains(escape));
    assert!(text(&swarmlab(&["--color", "always", "--help"]).stdout).contains(escape));
    assert!(!text(&swarmlab(&["--color=never", "nonsense"]).stderr).contains(escape));
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_quiet() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_swarmlab"))
        .arg("man")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
}
