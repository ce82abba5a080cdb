//! Drawn scenarios are valid and hold; the shrinker finds the heart of a planted fault.

use swarmlab_sim::{Behaviour, FaultKind};

use super::*;

fn on() -> bool {
    true
}

#[test]
fn every_drawn_scenario_is_valid_and_comes_back_the_same() {
    for seed in 0..2_000 {
        let draft = draw(seed);
        if let Err(error) = draft.scenario() {
            panic!("seed {seed}: {error}\n{draft}");
        }
        assert_eq!(draft, draw(seed));
    }
}

/// What a fuzzer never draws it never tests.
#[test]
fn everything_is_drawn_sooner_or_later() {
    let mut text = String::new();
    (0..1_000).for_each(|seed| text += &draw(seed).to_string());
    for word in [
        "free-rider",
        "bittyrant",
        "corrupter",
        "staller",
        "liar",
        "flooder",
        "super-seed",
        "partial",
        "tracker-down",
        "partition",
        "reset",
        "crash",
        "disk-slow",
        "disk-full",
        "together",
        "poisson",
        "decaying",
        "every",
        "at-ratio",
        "on-complete",
        "exponential",
        "abort",
        "nat",
        "uniform",
        "regions",
        "framing",
        "never",
        "pipeline",
    ] {
        assert!(text.contains(word), "{word}");
    }
    for preset in crate::scenario::preset_names() {
        assert!(text.contains(preset), "{preset}");
    }
}

#[test]
fn drawn_scenarios_hold() {
    for seed in 1..=40 {
        let trial = Trial::of(&draw(seed), &[], &on);
        assert_eq!(trial.findings, [], "seed {seed}\n{}", draw(seed));
    }
}

/// An engine's deadline may lie in the past, and then means now: it once took its node back there.
#[test]
fn an_overdue_deadline_does_not_turn_back_time() {
    assert_eq!(Trial::of(&draw(70_063), &[], &on).findings, []);
}

/// As if no swarm with a flooder and a crash could end.
#[test]
fn a_planted_fault_is_shrunk_to_what_it_is_about() {
    let planted = Rule {
        name: "planted",
        check: &|model, outcome| {
            let flooder = model.groups.iter().any(|group| group.behaviour == Behaviour::Flooder);
            let crash = model.faults.iter().any(|fault| matches!(fault.kind, FaultKind::Crash(_)));
            (flooder && crash).then(|| format!("{} blocks", outcome.blocks))
        },
    };
    let drawn = (0..).map(draw).find(|draft| {
        let text = draft.to_string();
        let small = draft.scenario().is_ok_and(|scenario| scenario.node_count() < 15);
        small && text.contains("flooder") && text.contains("crash")
    });
    let drawn = drawn.unwrap();
    assert!(Trial::of(&drawn, &[planted], &on).breaks("planted"));
    let mut tried = 0;
    let small = shrink(&drawn, 200, &mut |draft| {
        tried += 1;
        Trial::of(draft, &[planted], &on).breaks("planted")
    });
    assert!(tried <= 200);
    let scenario = small.scenario().unwrap();
    assert!(Trial::of(&small, &[planted], &on).breaks("planted"));
    assert!(scenario.groups.len() <= 2 && scenario.faults.len() == 1, "{small}");
    assert!(scenario.node_count() <= 3 && scenario.content.layout.piece_count() == 1, "{small}");
}

#[test]
fn a_trial_ends_when_the_caller_says_so() {
    let trial = Trial::of(&draw(1), &[], &|| false);
    assert!(trial.interrupted && trial.runs == 1, "{trial:?}");
}

#[test]
fn a_panic_is_a_finding() {
    let draft = draw(1);
    let trial = Trial::of(&draft, &[], &|| panic!("out of order"));
    assert!(trial.breaks("no-panic") && trial.findings[0].found.contains("out of order"), "{trial:?}");
}

#[test]
fn what_is_no_scenario_is_a_finding() {
    let mut draft = draw(1);
    draft.sections.push(Section { header: "[unheard-of]", keys: Vec::new() });
    assert!(Trial::of(&draft, &[], &on).breaks("valid-scenario"));
}
