//! This program: `seed` and `download`, which write what they do as lines of JSON.

use std::ffi::OsString;
use std::path::PathBuf;

use super::{Part, arguments};

pub(super) fn command(part: &Part<'_>) -> (PathBuf, Vec<OsString>) {
    let mut list = if part.seed {
        arguments(&[&"seed", &part.torrent, &part.content])
    } else {
        arguments(&[&"download", &part.torrent, &"-o", &part.folder, &"--keep-seeding"])
    };
    list.extend(arguments(&[&"--listen", &part.endpoint(), &"--stats", &"/dev/stdout", &"-q"]));
    for (flag, value) in
        [("--max-connections", part.settings.max_connections), ("--upload-slots", part.settings.upload_slots)]
    {
        value.into_iter().for_each(|value| list.extend(arguments(&[&flag, &value.to_string()])));
    }
    (part.program.to_owned(), list)
}
