//! The house rules, held by machine: each test is one rule, and its message says what to do.
//!
//! Rules look at the tree as it is on disk. What a compiler, clippy or rustfmt can hold is left to them.

mod crates;
mod documents;
mod purity;
mod source;
mod text;

/// Fails with every finding, what the rule is for and what to do about it.
#[track_caller]
fn verdict(findings: Vec<String>, advice: &str) {
    assert!(findings.is_empty(), "\n\n  {}\n\n{advice}\n", findings.join("\n  "));
}
