//! Named clients as data: a [`Config`] for each, from public sources.
//!
//! Slots are converted to the meaning they have here: `unchoke_slots` is the total and `optimistic_slots` of them are
//! optimistic. What a client does that no setting expresses is said at its function. Versions that were read: libtorrent
//! 2.0.11 (9d7443f) and 2.1 (069017e); Transmission 3.00, 4.0.6, 4.1.3; mainline 4.0 as kept in pculture/miro (b1f57e2);
//! aria2 (b4fd7cb); rqbit 9.0.1 (a499d2f).

use core::time::Duration;

use crate::{
    Config, Endgame, LeechChoker, OptimisticRule, Picker, Pipeline, PipelineRule, SeedChoker, Unfinished,
};

struct Preset {
    name: &'static str,
    description: &'static str,
    config: fn() -> Config,
}

const PRESETS: [Preset; 10] = [
    preset("swarmlab", "our own defaults, as the real client uses them", Config::default),
    preset("bep3", "BEP 3 to the letter: tit for tat, pieces in random order", bep3),
    preset("paper-2003", "Cohen's paper of 2003: anti-snubbing, rarest first, five requests", paper_2003),
    preset("mainline-4", "the reference client, BitTorrent 4.x (Python)", mainline_4),
    preset("libtorrent-2", "libtorrent (Rasterbar) 2.x with its default settings", libtorrent_2),
    preset("transmission-3", "Transmission 3.00: 14 upload slots", transmission_3),
    preset("transmission-4.0", "Transmission 4.0: no rarest first", transmission_4_0),
    preset("transmission-4", "Transmission 4.1", transmission_4),
    preset("aria2", "aria2 1.3x", aria2),
    preset("rqbit", "rqbit 9: unchokes everyone, downloads in order", rqbit),
];

const fn preset(name: &'static str, description: &'static str, config: fn() -> Config) -> Preset {
    Preset { name, description, config }
}

/// The names of all presets, our own first.
pub const NAMES: [&str; PRESETS.len()] = {
    let mut names = [""; PRESETS.len()];
    let mut at = 0;
    while at < PRESETS.len() {
        names[at] = PRESETS[at].name;
        at += 1;
    }
    names
};

/// The settings of a named client; `None` if there is no such name.
pub fn by_name(name: &str) -> Option<Config> {
    let preset = PRESETS.iter().find(|preset| preset.name == name)?;
    Some((preset.config)())
}

/// What a preset is, in one line; `None` if there is no such name.
pub fn description(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|preset| preset.name == name).map(|preset| preset.description)
}

const NEVER: Duration = Duration::MAX;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// BEP 3: four interested remotes by rate, the optimistic one among them if it is interested; pieces "in random order";
/// "several" requests queued, taken as the five of Cohen 2003; endgame with cancels; a have to every peer. It knows neither
/// snubbing nor re-requests, and names no number of connections: those are ours.
fn bep3() -> Config {
    Config {
        choker: LeechChoker::Bep3,
        seed_choker: SeedChoker::FastestUpload,
        picker: Picker::Random,
        random_first_pieces: 0,
        pipeline: Pipeline { min: 5, max: 5, span: seconds(1) },
        pipeline_rule: PipelineRule::Fixed,
        snub_after: NEVER,
        request_timeout: NEVER,
        endgame: Endgame::Full,
        redundant_have: true,
        fast_extension: false,
        unfinished: Unfinished::Oldest,
        unchoke_most: 0,
        ..Config::default()
    }
}

/// Cohen, "Incentives Build Robustness in BitTorrent", 2003: four unchoked, decided every 10 s over 20 s; the optimistic one
/// for 30 s; snubbed after a minute; the first piece at random, then rarest first; about five requests pipelined; seeds
/// prefer those they upload to fastest. Numbers of connections are not in it: those are ours.
fn paper_2003() -> Config {
    Config {
        choker: LeechChoker::Reciprocal,
        picker: Picker::RarestFirst,
        random_first_pieces: 1,
        snub_after: seconds(60),
        ..bep3()
    }
}

/// Mainline 4.x at its default upload rate of 20 kB/s, which gives four slots: connects up to 40 and accepts up to 80, asks the
/// tracker anew below 20; 2 + 4 s of requests, bent above 50; snubbed after 30 s. The sources name no most of requests: 2,000
/// is what others queue. Its rate window for seeds (100 s) is not expressed.
fn mainline_4() -> Config {
    Config {
        max_connections: 80,
        initiate_up_to: 40,
        min_connections: 20,
        min_announce_interval: seconds(300),
        choker: LeechChoker::Mainline4,
        seed_choker: SeedChoker::Mainline4,
        picker: Picker::RarestFirst,
        random_first_pieces: 4,
        pipeline: Pipeline { min: 2, max: 2_000, span: seconds(4) },
        pipeline_rule: PipelineRule::Mainline,
        snub_after: seconds(30),
        idle_timeout: seconds(300),
        ..bep3()
    }
}

/// libtorrent 2.x (`settings_pack.cpp`): eight slots of which max(1, 8 / 5) = 1 is optimistic, given to who waits longest every
/// 30 s; decisions every 15 s; slow start, then 3 s of requests; 200 connections, 30 new ones a second. Who sends a piece in 20 s
/// is asked for whole pieces, in runs. Snubbed is who sends nothing for 20 s (`piece_timeout`). Its adaptive request timeout (mean
/// and four deviations, 2 s to 60 s) stands at its most; that a snubbed remote is asked for the most common pieces, and
/// sequential picking where seeds abound, are not expressed. Half of the peer timeout as the keep-alive interval is recalled,
/// not read.
fn libtorrent_2() -> Config {
    Config {
        max_connections: 200,
        initiate_up_to: 200,
        max_half_open: u16::MAX,
        connects_per_second: 30,
        min_connections: 0,
        numwant: 200,
        min_announce_interval: seconds(300),
        unchoke_slots: 8,
        optimistic_slots: 1,
        rechoke_interval: seconds(15),
        optimistic_rounds: 2,
        optimistic: OptimisticRule::LongestWaiting,
        choker: LeechChoker::Libtorrent,
        seed_choker: SeedChoker::RoundRobin,
        picker: Picker::RarestFirst,
        random_first_pieces: 4,
        whole_pieces: seconds(20),
        pipeline: Pipeline { min: 2, max: 500, span: seconds(3) },
        pipeline_rule: PipelineRule::SlowStart,
        snub_after: seconds(20),
        request_timeout: seconds(60),
        keep_alive_interval: seconds(60),
        idle_timeout: seconds(120),
        useless_after: seconds(600),
        endgame: Endgame::Strict,
        max_queued_requests: 2_000,
        redundant_have: true,
        allowed_fast: 5,
        allowed_fast_by_host: true,
        haves_ask: false,
        unfinished: Unfinished::Rarest,
        unchoke_most: 0,
        ..Config::default()
    }
}

/// What all Transmissions share: eight interested remotes and an optimistic one on top for five decisions of 10 s; no
/// snubbing; 10 s of requests; 50 peers, 80 asked of the tracker. It has no number below which it announces early. The
/// keep-alive interval (100 s) is recalled, not read.
fn transmission() -> Config {
    Config {
        max_connections: 50,
        initiate_up_to: 50,
        max_half_open: u16::MAX,
        connects_per_second: 12,
        min_connections: 0,
        numwant: 80,
        min_announce_interval: seconds(120),
        unchoke_slots: 9,
        optimistic_slots: 1,
        rechoke_interval: seconds(10),
        optimistic_rounds: 5,
        between_rounds: false,
        optimistic: OptimisticRule::Random,
        choker: LeechChoker::Transmission,
        seed_choker: SeedChoker::Transmission,
        random_first_pieces: 0,
        edges_first: true,
        pipeline: Pipeline { min: 32, max: 500, span: seconds(10) },
        pipeline_rule: PipelineRule::RateTime,
        refill_percent: 66,
        snub_after: NEVER,
        request_timeout: seconds(90),
        keep_alive_interval: seconds(100),
        idle_timeout: seconds(300),
        useless_after: seconds(30),
        endgame: Endgame::Full,
        endgame_askers: 2,
        redundant_have: true,
        have_delay: seconds(10),
        unfinished: Unfinished::Oldest,
        unchoke_most: 0,
        ..Config::default()
    }
}

/// Transmission 3.00 (`peer-mgr.c`, `peer-msgs.c`): 14 slots and the optimistic one; fewest blocks still to be requested,
/// then rarest, then at random, in a list that is not always in order; at least 4 requests, and its own `reqq` of 512 as the
/// most. Its endgame asks twice only remotes that are faster than others: measured, 0.3 % came twice, which is taken for none.
fn transmission_3() -> Config {
    Config {
        unchoke_slots: 15,
        picker: Picker::RarestFirst,
        unfinished: Unfinished::Listed,
        endgame_askers: 1,
        pipeline: Pipeline { min: 4, max: 512, span: seconds(10) },
        max_queued_requests: 512,
        ..transmission()
    }
}

/// Transmission 4.0.6: fewest missing blocks first, then at random: no rarest first at all; at most 250 requests. The block
/// timeout of 90 s is that of 3.00.
fn transmission_4_0() -> Config {
    Config {
        picker: Picker::Random,
        unfinished: Unfinished::FewestMissing,
        pipeline: Pipeline { min: 32, max: 250, span: seconds(10) },
        ..transmission()
    }
}

/// Transmission 4.1 (`peer-mgr-wishlist.cc`): fewest blocks still to be requested, then rarest, then at random; no endgame; a
/// block times out after 25 s.
fn transmission_4() -> Config {
    Config {
        connects_per_second: 18,
        picker: Picker::RarestFirst,
        unfinished: Unfinished::FewestUnrequested,
        request_timeout: seconds(25),
        endgame: Endgame::Strict,
        endgame_askers: 1,
        ..transmission()
    }
}

/// aria2: three regular slots and an optimistic one; six requests, doubling to 256; requests time out, and snub, after 60 s;
/// 55 peers at most, more wanted below 40; a piece is asked of one remote. It allows ten pieces fast, and asks for one of the
/// ten it was allowed when it has heard of all; ours would begin with the first, and with it all peers of a network, so they
/// are left out. Its rates of connecting are not known.
fn aria2() -> Config {
    Config {
        max_connections: 55,
        initiate_up_to: 55,
        min_connections: 40,
        numwant: 50,
        unchoke_slots: 4,
        optimistic_slots: 1,
        rechoke_interval: seconds(10),
        optimistic_rounds: 3,
        optimistic: OptimisticRule::Random,
        choker: LeechChoker::Aria2,
        seed_choker: SeedChoker::Aria2,
        picker: Picker::RarestFirst,
        random_first_pieces: 0,
        pipeline: Pipeline { min: 6, max: 256, span: seconds(1) },
        pipeline_rule: PipelineRule::Doubling,
        snub_after: seconds(60),
        request_timeout: seconds(60),
        keep_alive_interval: seconds(120),
        idle_timeout: seconds(180),
        useless_after: seconds(30),
        endgame: Endgame::Full,
        redundant_have: true,
        unfinished: Unfinished::Rarest,
        least_run: 1,
        unchoke_most: 0,
        ..Config::default()
    }
}

/// rqbit: everyone is unchoked at once; pieces in the order of the content; 128 requests; no fast extension. Instead of an
/// endgame it steals pieces from remotes that are ten times slower, then three times, which is not expressed.
fn rqbit() -> Config {
    Config {
        max_connections: 128,
        initiate_up_to: 128,
        min_connections: 0,
        unchoke_slots: u16::MAX,
        optimistic_slots: 0,
        choker: LeechChoker::Everybody,
        seed_choker: SeedChoker::Everybody,
        picker: Picker::Sequential,
        random_first_pieces: 0,
        pipeline: Pipeline { min: 128, max: 128, span: seconds(1) },
        pipeline_rule: PipelineRule::Fixed,
        snub_after: NEVER,
        keep_alive_interval: seconds(120),
        endgame: Endgame::Strict,
        redundant_have: true,
        fast_extension: false,
        unfinished: Unfinished::Oldest,
        unchoke_most: 0,
        ..Config::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn every_name_is_a_sound_client_of_its_own() {
        let configs: Vec<Config> = NAMES.into_iter().map(|name| by_name(name).expect(name)).collect();
        for (at, config) in configs.iter().enumerate() {
            let name = NAMES[at];
            assert!(config.optimistic_slots <= config.unchoke_slots, "{name}");
            assert_eq!(
                config.adapts_slots(),
                name == "swarmlab",
                "{name}: others have a fixed number of slots"
            );
            assert!(config.pipeline.min > 0 && config.pipeline.min <= config.pipeline.max, "{name}");
            assert!(config.initiate_up_to <= config.max_connections, "{name}");
            assert!(config.endgame_askers > 0 && config.optimistic_rounds > 0, "{name}");
            assert!(!configs[..at].contains(config), "{name} is the same as another");
            assert!(description(name).is_some_and(|line| !line.is_empty()), "{name}");
        }
        assert_eq!(configs[0], Config::default());
        assert!(by_name("bittorrent").is_none() && description("").is_none());
    }

    #[test]
    fn slots_mean_the_total() {
        let slots =
            |name| by_name(name).map(|config| (config.unchoke_slots, config.optimistic_slots)).unwrap();
        // Clients that count the optimistic one apart: Transmission 14 + 1 and 8 + 1, aria2 3 + 1.
        assert_eq!(
            [slots("transmission-3"), slots("transmission-4"), slots("aria2")],
            [(15, 1), (9, 1), (4, 1)]
        );
        // Clients that count it in: libtorrent 8, mainline 4.
        assert_eq!([slots("libtorrent-2"), slots("mainline-4"), slots("bep3")], [(8, 1), (4, 1), (4, 1)]);
    }

    #[test]
    fn the_optimistic_unchoke_lasts_as_long_as_it_should() {
        for (name, lasts) in [("bep3", 30), ("libtorrent-2", 30), ("transmission-4", 50), ("aria2", 30)] {
            let config = by_name(name).unwrap();
            assert_eq!(
                config.rechoke_interval * u32::from(config.optimistic_rounds),
                seconds(lasts),
                "{name}"
            );
        }
    }
}
