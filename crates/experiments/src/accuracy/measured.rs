//! Tables of measured swarms that came from elsewhere: `NAME.csv` with a row for each peer of each run, and the settings in
//! `NAME.config.json` beside it.
//!
//! The columns that are read: `run`, `role` (`seed` or `leech`), `up_mbit`, `arrival_s` and `complete_at_s` in seconds of a
//! clock of the run's own (a seed may come before 0), `payload_up` and `payload_down` in bytes, the latter empty where nobody
//! measured it. Seeds are the group `seed`, leeches are `leeches`; with several uplinks a group for each, `leeches-2` for
//! 2 Mbit/s.

use std::path::{Path, PathBuf};

use super::csv::{Csv, Row};
use super::{Peer, Run};

/// Where the settings of a table lie.
pub(super) fn config_beside(table: &Path) -> PathBuf {
    table.with_extension("config.json")
}

/// The runs of a table; `name` is what it is called.
pub(super) fn runs(text: &str, name: &str) -> Result<Vec<Run>, String> {
    let table = Csv::read(text);
    let mut uplinks = Vec::new();
    for row in table.rows().filter(|row| row.text("role") != Ok("seed")) {
        let uplink = row.text("up_mbit")?;
        if !uplinks.contains(&uplink) {
            uplinks.push(uplink);
        }
    }
    let mut first = 0;
    for row in table.rows() {
        first = row.millionths("arrival_s")?.unwrap_or(0).min(first);
    }
    let mut runs: Vec<Run> = Vec::new();
    for row in table.rows() {
        let source = format!("{name}, run {}", row.text("run")?);
        let peer = peer(row, uplinks.len() > 1, first)?;
        match runs.iter_mut().find(|run| run.source == source) {
            Some(run) => run.peers.push(peer),
            None => runs.push(Run { source, peers: vec![peer], notes: Vec::new() }),
        }
    }
    Ok(runs)
}

/// The peer of a row, with times counted from the moment `first`.
fn peer(row: Row<'_>, several: bool, first: i64) -> Result<Peer, String> {
    let lacks = match row.text("role")? {
        "seed" => false,
        "leech" => true,
        other => return Err(format!("names a role '{other}'; known are seed and leech")),
    };
    let group = match lacks {
        false => "seed".to_owned(),
        true if several => format!("leeches-{}", plain(row.text("up_mbit")?)),
        true => "leeches".to_owned(),
    };
    let time = |column| -> Result<Option<u64>, String> {
        Ok(row.millionths(column)?.map(|time| u64::try_from(time - first).unwrap_or(0)))
    };
    let join = time("arrival_s")?;
    let complete = if lacks { time("complete_at_s")? } else { join };
    let (uploaded, downloaded) = (row.whole("payload_up")?, row.whole_if_any("payload_down")?);
    Ok(Peer { group, lacks, join, complete, uploaded, downloaded })
}

/// A number as part of a name: `2.0` is `2`, `0.5` is `0_5`.
fn plain(number: &str) -> String {
    number.strip_suffix(".0").unwrap_or(number).replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "config,run,peer,role,client,up_mbit,arrival_s,complete_at_s,payload_down,payload_up
x,1,0,seed,lt,16.0,-3.0,,0,500
x,1,1,leech,lt,2.0,0.0,56.607,100,70
x,1,2,leech,lt,0.5,1.5,,90,30
x,2,0,seed,lt,16.0,-3.0,,,400
";

    #[test]
    fn rows_become_runs() {
        let runs = runs(TABLE, "x.csv").unwrap();
        assert_eq!(
            runs.iter().map(|run| run.source.as_str()).collect::<Vec<_>>(),
            ["x.csv, run 1", "x.csv, run 2"]
        );
        let [seed, fast, slow] = &runs[0].peers[..] else { panic!("{runs:?}") };
        assert_eq!(
            (seed.group.as_str(), seed.lacks, seed.join, seed.complete),
            ("seed", false, Some(0), Some(0))
        );
        assert_eq!(
            (fast.group.as_str(), fast.join, fast.complete),
            ("leeches-2", Some(3_000_000), Some(59_607_000))
        );
        assert_eq!((slow.group.as_str(), slow.join, slow.complete), ("leeches-0_5", Some(4_500_000), None));
        assert_eq!((fast.downloaded, fast.uploaded, runs[1].peers[0].downloaded), (Some(100), 70, None));
    }

    #[test]
    fn leeches_with_one_uplink_are_one_group() {
        let table = TABLE.replace(",0.5,", ",2.0,");
        assert_eq!(runs(&table, "x").unwrap()[0].peers[2].group, "leeches");
        let odd = TABLE.replace("leech,lt,2.0", "router,lt,2.0");
        assert!(runs(&odd, "x").unwrap_err().contains("'router'"));
    }
}
