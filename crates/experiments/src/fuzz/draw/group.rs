//! Who takes part. The first group has the content, or parts of it, and is honest; of the others a minority is odd.

use super::{Dice, Section, client, rate, share};

const ODD: [&str; 6] = ["free-rider", "bittyrant", "corrupter", "staller", "liar", "flooder"];

/// Flooders, at most: each makes a run take several times as long.
const MOST_FLOODERS: u64 = 2;

/// The groups, with so many nodes at most in all.
pub(super) fn all(dice: &mut Dice, most_nodes: u64, regions: u64) -> Vec<Section> {
    let nodes = dice.range(2, most_nodes);
    let mut groups = vec![first(dice, regions)];
    let mut left = nodes.saturating_sub(1).max(1);
    // A quarter of the nodes may be odd.
    let mut odd = left / 4;
    let others = dice.range(1, 4);
    for number in 1..=others {
        let count = if number == others { left } else { dice.range(1, left) };
        left -= count;
        let is_odd = number > 1 && odd > 0 && dice.one_in(2);
        let count = if is_odd { count.min(odd) } else { count };
        if is_odd {
            odd -= count;
        }
        groups.push(other(dice, number, count, is_odd, regions));
        if left == 0 {
            break;
        }
    }
    groups
}

/// Those who have the content.
fn first(dice: &mut Dice, regions: u64) -> Section {
    let mut group = Section::new("[[group]]");
    group.text("name", "g0");
    if dice.one_in(6) {
        group.set("role", format_args!("{{ kind = \"partial\", fraction = {} }}", share(dice)));
        group.set("count", dice.range(2, 6));
    } else {
        group.text("role", "seed");
        if dice.one_in(3) {
            group.set("count", dice.range(2, 3));
        }
        if dice.one_in(8) {
            group.text("behaviour", "super-seed");
        }
    }
    rest(dice, &mut group, regions);
    if dice.one_in(6) {
        group.set("leave", leave(dice));
    }
    group
}

fn other(dice: &mut Dice, number: u64, count: u64, is_odd: bool, regions: u64) -> Section {
    let mut group = Section::new("[[group]]");
    group.text("name", format_args!("g{number}"));
    let seed = is_odd && dice.one_in(4) || number > 1 && dice.one_in(6);
    if seed {
        group.text("role", "seed");
    } else if dice.one_in(5) {
        group.set("role", format_args!("{{ kind = \"partial\", fraction = {} }}", share(dice)));
    } else {
        group.text("role", "leecher");
    }
    let behaviour = if is_odd { dice.one_of(&ODD) } else { "honest" };
    group.set("count", if behaviour == "flooder" { count.min(MOST_FLOODERS) } else { count });
    if is_odd {
        group.text("behaviour", behaviour);
    }
    rest(dice, &mut group, regions);
    if dice.one_in(2) {
        group.set("arrive", arrive(dice));
    }
    if dice.one_in(2) {
        group.set("leave", leave(dice));
    }
    if !seed && dice.one_in(6) {
        group.text("abort", format_args!("{} /h", dice.range(1, 60)));
    }
    group
}

/// What every group has.
fn rest(dice: &mut Dice, group: &mut Section, regions: u64) {
    group.text("up", rate(dice));
    if !dice.one_in(4) {
        group.text("down", rate(dice));
    }
    if dice.one_in(4) {
        group.set("nat", share(dice));
    }
    if regions > 0 {
        group.text("region", format_args!("r{}", dice.range(0, regions - 1)));
    }
    if dice.one_in(3) {
        client::keys(dice, "client.", group);
    }
}

fn arrive(dice: &mut Dice) -> String {
    match dice.below(5) {
        0 => format!("{{ kind = \"together\", within = \"{} s\" }}", dice.range(1, 600)),
        1 => format!("{{ kind = \"at\", time = \"{} s\" }}", dice.range(0, 600)),
        2 => format!("{{ kind = \"every\", gap = \"{} ms\" }}", dice.range(0, 20_000)),
        3 => format!("{{ kind = \"poisson\", rate = \"{} /min\" }}", dice.range(1, 120)),
        _ => {
            let (rate, tau) = (dice.range(1, 60), dice.range(10, 600));
            format!("{{ kind = \"decaying\", rate = \"{rate} /min\", tau = \"{tau} s\" }}")
        }
    }
}

fn leave(dice: &mut Dice) -> String {
    match dice.below(4) {
        0 => "\"on-complete\"".to_owned(),
        1 => format!("{{ kind = \"after\", time = \"{} s\" }}", dice.range(0, 900)),
        2 => format!("{{ kind = \"after\", time = \"{} s\", exponential = true }}", dice.range(1, 900)),
        _ => format!("{{ kind = \"at-ratio\", ratio = {} }}", share(dice)),
    }
}
