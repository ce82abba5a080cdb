//! The lessons that come with the program, in the order of a course.

use super::Lesson;
use crate::scenario::nearest_name;

macro_rules! lessons {
    ($($name:literal),* $(,)?) => {
        const ALL: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../lessons/", $name, ".toml"))),)*
        ];
    };
}

lessons![
    "bencode",
    "torrent",
    "participants",
    "announce",
    "handshake",
    "choke",
    "rarest-first",
    "endgame",
    "last-piece",
    "free-riders",
    "upload-limits",
    "seed-leaves",
    "tracker-dies",
    "flash-crowd",
];

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(name, _)| *name)
}

/// The lesson of this name. What comes with the program can be read; its tests would notice.
pub fn find(name: &str) -> Option<Lesson> {
    let (_, text) = ALL.iter().find(|(known, _)| *known == name)?;
    Lesson::parse(text).ok()
}

/// The name that was most likely meant, if any is near.
pub fn nearest(name: &str) -> Option<&'static str> {
    nearest_name(name, names())
}
