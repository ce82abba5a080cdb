//! What goes wrong: up to four faults of any kind, some for good.

use super::{Dice, Section, rate, share};

const KINDS: [&str; 6] = ["tracker-down", "partition", "reset", "crash", "disk-slow", "disk-full"];

/// The faults of a scenario with these groups.
pub(super) fn all(dice: &mut Dice, groups: &[String]) -> Vec<Section> {
    let count = if dice.one_in(3) { 0 } else { dice.range(1, 4) };
    (0..count).filter_map(|_| fault(dice, groups)).collect()
}

fn fault(dice: &mut Dice, groups: &[String]) -> Option<Section> {
    let kind = dice.one_of(&KINDS);
    let group = &groups[dice.below(groups.len() as u32) as usize];
    let mut section = Section::new("[[fault]]");
    let most = if dice.one_in(3) { 1_500 } else { 120 };
    section.text("at", format_args!("{} s", dice.range(0, most)));
    section.text("kind", kind);
    match kind {
        "tracker-down" => {}
        "partition" => {
            let other = &groups[dice.below(groups.len() as u32) as usize];
            if other == group {
                return None;
            }
            section.set("between", format_args!("[\"{group}\", \"{other}\"]"));
        }
        _ => target(dice, group, &mut section),
    }
    if kind == "disk-slow" {
        section.text("rate", rate(dice));
    }
    let for_good = dice.one_in(8);
    if kind != "reset" && !for_good {
        section.text("for", format_args!("{} s", dice.range(1, 600)));
    }
    Some(section)
}

fn target(dice: &mut Dice, group: &str, section: &mut Section) {
    section.text("group", group);
    match dice.below(3) {
        0 => section.set("count", dice.range(1, 4)),
        1 => section.set("share", share(dice)),
        _ => {}
    }
}
