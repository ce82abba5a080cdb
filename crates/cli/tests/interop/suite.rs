//! The tests themselves: who gives to whom through which tracker, mixed swarms, and torrent files read and made by
//! several programs.

use std::time::Duration;

use crate::clients::{Client, Peer, Role};
use crate::content::{Content, Shape};
use crate::programs::Program;
use crate::stage::Stage;
use crate::torrents::{self, Maker, Privacy, Reader, text};
use crate::tracker::{self, Kind, Tracker};

/// For a transfer of a few megabytes between two peers. Transmission as a leech begins some 13 s late, as a seed it
/// unchokes up to 10 s late, and the machine may be busy with other tests.
const TRANSFER_LIMIT: Duration = Duration::from_secs(90);

/// For a swarm of six.
const SWARM_LIMIT: Duration = Duration::from_secs(150);

/// The upload limit of the seed of a mixed swarm, so slow (12 s for one copy) that the leeches must help each other.
const SLOW_SEED: u32 = 1_000_000;

const FOREIGN: [Client; 3] = [Client::Transmission, Client::Aria2, Client::Libtorrent];
const TRACKERS: [Kind; 2] = [Kind::Swarmlab, Kind::Opentracker];

/// What a test does on its stage; the reason when it fails.
pub(crate) type Act = Box<dyn FnOnce(&Stage) -> Result<(), String> + Send>;

/// One test.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) needs: Vec<Program>,
    /// Whether it must be alone in a network.
    pub(crate) on_network: bool,
    pub(crate) limit: Duration,
    pub(crate) run: Act,
}

/// Every test of the suite.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = swarms();
    cases.extend(transfers());
    cases.extend(torrent_files());
    cases
}

fn transfers() -> Vec<Case> {
    let mut cases = vec![
        transfer(Client::Libtorrent, Client::Aria2, Shape::Multi, Kind::Opentracker),
        transfer(Client::Swarmlab, Client::Swarmlab, Shape::Multi, Kind::Opentracker),
    ];
    for foreign in FOREIGN {
        for kind in TRACKERS {
            for shape in [Shape::Single, Shape::Multi] {
                cases.push(transfer(foreign, Client::Swarmlab, shape, kind));
                cases.push(transfer(Client::Swarmlab, foreign, shape, kind));
            }
        }
    }
    cases
}

/// One seed gives to one leech. The one pair without us shows that the stage itself is sound.
fn transfer(seed: Client, leech: Client, shape: Shape, kind: Kind) -> Case {
    let (from, to, content, through) = (seed.name(), leech.name(), shape.name(), kind.name());
    Case {
        name: format!("transfer::{from}_to_{to}::{content}::{through}"),
        needs: [seed.needs(), leech.needs(), kind.needs()].into_iter().flatten().collect(),
        on_network: true,
        limit: TRANSFER_LIMIT,
        run: Box::new(move |stage| swarm(stage, (seed, 0), &[leech], shape, kind)),
    }
}

fn swarms() -> Vec<Case> {
    let leeches =
        [Client::Swarmlab, Client::Transmission, Client::Aria2, Client::Libtorrent, Client::Swarmlab];
    let seeds = [Client::Swarmlab, Client::Libtorrent, Client::Aria2, Client::Transmission];
    let trackers = [Kind::Opentracker, Kind::Swarmlab, Kind::Opentracker, Kind::Swarmlab];
    let case = |(seed, kind): (Client, Kind)| {
        let mut needs: Vec<Program> = FOREIGN.into_iter().filter_map(Client::needs).collect();
        needs.extend(kind.needs());
        Case {
            name: format!("mixed_swarm::seeded_by_{}::{}", seed.name(), kind.name()),
            needs,
            on_network: true,
            limit: SWARM_LIMIT,
            run: Box::new(move |stage| swarm(stage, (seed, SLOW_SEED), &leeches, Shape::Large, kind)),
        }
    };
    seeds.into_iter().zip(trackers).map(case).collect()
}

/// Starts a tracker, a seed and the leeches; all must end with the same bytes. Where leeches of ours are not alone and
/// the seed is slow, ours must have given something too.
fn swarm(
    stage: &Stage,
    (seed, upload_limit): (Client, u32),
    leeches: &[Client],
    shape: Shape,
    kind: Kind,
) -> Result<(), String> {
    let content = Content::make(shape, &stage.make_folder("content")?)?;
    let endpoint = stage.endpoint();
    let torrent = torrents::create(stage, &content, &tracker::announce_url(endpoint), Privacy::Public)?;
    let what = (&torrent, &content);
    let mut tracker = Tracker::start(kind, stage, endpoint, &torrent)?;
    let mut seed = Peer::start(stage, "seed", seed, Role::Seed { upload_limit }, what)?;
    tracker.wait_for_seeds(stage, &torrent, 1).map_err(|failure| failure + &seed.process.last_words())?;
    let mut peers = Vec::new();
    for (number, &client) in leeches.iter().enumerate() {
        peers.push(Peer::start(stage, &format!("leech-{number}"), client, Role::Leech, what)?);
    }
    Peer::wait_complete(stage, &mut peers, &mut [&mut seed.process, &mut tracker.process])?;
    for peer in &mut peers {
        peer.stop_and_compare(&content)?;
    }
    check_reports(&peers, content.length(), upload_limit > 0)
}

/// What our own leeches say of themselves must agree with what is known from outside.
fn check_reports(peers: &[Peer], length: usize, must_give: bool) -> Result<(), String> {
    let mut given = 0;
    for peer in peers.iter().filter(|peer| peer.is_ours()) {
        let report = peer.report()?;
        if report["complete"] != true || report["length"] != length {
            return Err(format!("a complete download of {length} bytes reports {report}"));
        }
        given += report["uploaded"].as_u64().ok_or_else(|| format!("no count \"uploaded\" in {report}"))?;
    }
    if must_give && given == 0 {
        return Err("our leeches gave nothing in a swarm with a slow seed".to_owned());
    }
    Ok(())
}

fn torrent_files() -> Vec<Case> {
    let mut cases = Vec::new();
    for (reader, program) in [
        (Reader::TransmissionShow, Program::TransmissionCli),
        (Reader::Aria2, Program::Aria2),
        (Reader::Libtorrent, Program::Libtorrent),
    ] {
        for shape in [Shape::Single, Shape::Multi] {
            cases.push(Case {
                name: format!("torrent_file::ours_read_by_{}::{}", program.package(), shape.name()),
                needs: vec![program],
                on_network: false,
                limit: TRANSFER_LIMIT,
                run: Box::new(move |stage| ours_read_by(stage, reader, shape)),
            });
        }
    }
    // `transmission-create` leaves out empty files and always writes `private`, so the trees that agree have neither.
    for (maker, program, shape, privacy) in [
        (Maker::Mktorrent, Program::Mktorrent, Shape::Single, Privacy::Public),
        (Maker::Mktorrent, Program::Mktorrent, Shape::Multi, Privacy::Public),
        (Maker::Mktorrent, Program::Mktorrent, Shape::Multi, Privacy::Private),
        (Maker::Libtorrent, Program::Libtorrent, Shape::Single, Privacy::Public),
        (Maker::Libtorrent, Program::Libtorrent, Shape::Multi, Privacy::Public),
        (Maker::TransmissionCreate, Program::TransmissionCli, Shape::Single, Privacy::Private),
        (Maker::TransmissionCreate, Program::TransmissionCli, Shape::NoEmptyFile, Privacy::Private),
    ] {
        let private = if privacy == Privacy::Private { "::private" } else { "" };
        cases.push(Case {
            name: format!("torrent_file::same_as_{}::{}{private}", program.package(), shape.name()),
            needs: vec![program, Program::TransmissionCli],
            on_network: false,
            limit: TRANSFER_LIMIT,
            run: Box::new(move |stage| same_as(stage, maker, shape, privacy)),
        });
    }
    cases.push(Case {
        name: "torrent_file::of_transmission-cli_shown_by_us::multi_file".to_owned(),
        needs: vec![Program::TransmissionCli],
        on_network: false,
        limit: TRANSFER_LIMIT,
        run: Box::new(|stage| {
            let content = Content::make(Shape::Multi, &stage.make_folder("content")?)?;
            let foreign = Maker::TransmissionCreate.make(stage, &content, Privacy::Public)?;
            shown_alike(&foreign).map(drop)
        }),
    });
    cases
}

/// A torrent of ours has the same info hash to another program.
fn ours_read_by(stage: &Stage, reader: Reader, shape: Shape) -> Result<(), String> {
    let content = Content::make(shape, &stage.make_folder("content")?)?;
    let torrent = torrents::create(stage, &content, "http://198.18.0.1:6969/announce", Privacy::Public)?;
    let theirs = reader.info_hash(&torrent.path)?;
    if theirs != torrent.info_hash {
        return Err(format!("we made {}, it reads {theirs}", torrent.info_hash));
    }
    Ok(())
}

/// The same content and piece length give the same info hash as another program's.
fn same_as(stage: &Stage, maker: Maker, shape: Shape, privacy: Privacy) -> Result<(), String> {
    let content = Content::make(shape, &stage.make_folder("content")?)?;
    let ours = torrents::create(stage, &content, "http://198.18.0.1:6969/announce", privacy)?;
    let theirs = shown_alike(&maker.make(stage, &content, privacy)?)?;
    if theirs != ours.info_hash {
        return Err(format!("we made {}, the other program {theirs}", ours.info_hash));
    }
    Ok(())
}

/// A foreign torrent has the same info hash to `swarmlab show` and to `transmission-show`.
fn shown_alike(torrent: &std::path::Path) -> Result<String, String> {
    let ours = text(&torrents::show(torrent)?, "info_hash")?;
    let theirs = Reader::TransmissionShow.info_hash(torrent)?;
    if ours != theirs {
        return Err(format!("we read {ours}, transmission-show {theirs}"));
    }
    Ok(ours)
}
