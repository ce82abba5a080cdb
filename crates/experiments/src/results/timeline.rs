//! `timeline.csv`: a row for each sample, the whole swarm first, then the groups side by side.

use std::io::{self, BufWriter, Write};

use swarmlab_sim::{Model, Outcome, Presence, Sample};

use super::peers::field;
use crate::numbers::Decimal;

/// Time in seconds; `leechers` and `seeds` are those present, `completed`, `uploaded`, `downloaded` and `announces` are so far,
/// `rarest` is how many present nodes have the rarest piece (empty if nobody knows), `up_capacity` bytes per second.
pub(super) fn write(model: &Model, outcome: &Outcome, rarest_known: bool, out: impl Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    write!(out, "time_s,leechers,seeds,completed,uploaded,downloaded,rarest,up_capacity,announces")?;
    for group in &model.groups {
        for column in ["leechers", "seeds", "completed", "uploaded", "downloaded"] {
            write!(out, ",{}", field(&format!("{}.{column}", group.name)))?;
        }
    }
    writeln!(out)?;
    let none = Presence::default();
    for sample in &outcome.timeline {
        let sum = present(sample);
        write!(out, "{},{},{},{},", Decimal::seconds(sample.at), sum.leechers, sum.seeds, sum.completed)?;
        let rarest = if rarest_known { sample.rarest.to_string() } else { String::new() };
        write!(out, "{},{},{rarest},", sample.uploaded, sample.downloaded)?;
        write!(out, "{},{}", sample.up_capacity, sample.announces)?;
        for number in 0..model.groups.len() {
            let group = sample.groups.get(number).unwrap_or(&none);
            write!(out, ",{},{},{}", group.leechers, group.seeds, group.completed)?;
            write!(out, ",{},{}", group.uploaded, group.downloaded)?;
        }
        writeln!(out)?;
    }
    out.flush()
}

/// Who is present in all groups together.
pub(crate) fn present(sample: &Sample) -> Presence {
    sample.groups.iter().fold(Presence::default(), |sum, group| Presence {
        leechers: sum.leechers.saturating_add(group.leechers),
        seeds: sum.seeds.saturating_add(group.seeds),
        completed: sum.completed.saturating_add(group.completed),
        uploaded: sum.uploaded.saturating_add(group.uploaded),
        downloaded: sum.downloaded.saturating_add(group.downloaded),
    })
}
