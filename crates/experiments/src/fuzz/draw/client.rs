//! What clients nodes run: a preset, and a few keys over it. Left out is what makes a client starve by itself, such as no
//! optimistic slot.

use super::{Dice, Section};
use crate::scenario::preset_names;

const PICKERS: [&str; 3] = ["rarest-first", "random", "sequential"];
const CHOKERS: [&str; 8] =
    ["reciprocal", "round-robin", "bep3", "mainline-4", "libtorrent", "transmission", "aria2", "everybody"];
const SEED_CHOKERS: [&str; 7] =
    ["mainline-4", "fastest-upload", "round-robin", "anti-leech", "transmission", "aria2", "everybody"];
const OPTIMISTIC: [&str; 3] = ["rotation", "longest-waiting", "random"];
const UNFINISHED: [&str; 3] = ["oldest", "fewest-missing", "fewest-unrequested"];

/// Sets keys of a client; their names begin with `prefix`.
pub(super) fn keys(dice: &mut Dice, prefix: &str, section: &mut Section) {
    let name = |key: &str| format!("{prefix}{key}");
    if dice.one_in(2) {
        section.text(&name("preset"), dice.one_of(preset_names()));
    }
    if dice.one_in(4) {
        section.set(&name("max_connections"), dice.range(20, 80));
    }
    if dice.one_in(4) {
        let slots = dice.range(3, 12);
        section.set(&name("unchoke_slots"), slots);
        section.set(&name("optimistic_slots"), dice.range(1, 2));
    }
    for (key, words) in [
        ("picker", &PICKERS[..]),
        ("choker", &CHOKERS),
        ("seed_choker", &SEED_CHOKERS),
        ("optimistic", &OPTIMISTIC),
        ("unfinished", &UNFINISHED),
        ("endgame", &["strict", "full"]),
    ] {
        let word = format!("\"{}\"", dice.one_of(words));
        dice.sometimes(section, &name(key), word);
    }
    for key in ["redundant_have", "fast_extension"] {
        let on = dice.one_in(2);
        dice.sometimes(section, &name(key), on);
    }
    for (key, least, most) in [
        ("random_first_pieces", 0, 8),
        ("endgame_askers", 1, 6),
        ("allowed_fast", 0, 12),
        ("max_half_open", 2, 30),
        ("connects_per_second", 1, 30),
        ("max_queued_requests", 16, 500),
        ("send_buffer", 16 << 10, 512 << 10),
    ] {
        let count = dice.range(least, most);
        dice.sometimes(section, &name(key), count);
    }
    for (key, least, most) in [("request_timeout", 20, 120), ("snub_after", 20, 120), ("rechoke", 3, 20)] {
        let time = format!("\"{} s\"", dice.range(least, most));
        dice.sometimes(section, &name(key), time);
    }
    if dice.one_in(6) {
        let (min, max) = (dice.range(1, 10), dice.range(10, 300));
        section.set(&name("pipeline"), format_args!("{{ min = {min}, max = {max} }}"));
    }
}
