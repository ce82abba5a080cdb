//! The keys of `[client]` and `[group.client]`: which field of the engine's [`Config`] each one sets, and how it is
//! written back. A key that is not given keeps what the preset says.

use std::time::Duration;

use swarmlab_protocol::Config;

use super::definition::{ANY_TIME, Key, Kind, SOME_TIME, optional};
use super::diagnostic::{Findings, Place};
use super::policies::{
    CHOKERS, ENDGAMES, OPTIMISTIC, PICKERS, PIPELINE_RULES, SEED_CHOKERS, UNFINISHED, name_in, words,
};
use super::preset;
use super::record::{Plain, Record};
use crate::units::exact_time;

/// What a node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// The preset it began as.
    pub preset: &'static str,
    /// How the engine behaves.
    pub config: Config,
    /// Content a connection holds in its send buffer at most, in bytes.
    pub send_buffer: u32,
    /// Content it takes on ahead of that, in bytes.
    pub send_ahead: u32,
    /// Time between two moments in which it speaks.
    pub pulse: Duration,
    /// The longest it takes to start.
    pub start_up: Duration,
}

/// A key of a client and what it stands for.
struct Setting {
    key: Key,
    get: fn(&Client) -> Plain,
    set: fn(&mut Client, &Plain) -> Result<(), Trouble>,
}

/// What is wrong with a value beside the others, and what would be right.
type Trouble = (String, String);

/// All keys of a client, the preset first.
pub(crate) const CLIENT: &[Key] = &{
    let mut keys = [PRESET; SETTINGS.len() + 1];
    let mut i = 0;
    while i < SETTINGS.len() {
        keys[i + 1] = SETTINGS[i].key;
        i += 1;
    }
    keys
};

const PRESET: Key =
    optional("preset", Kind::Preset, "The client whose behaviour is the base; \"swarmlab\" without it.");

/// A setting that is a count.
macro_rules! count {
    ($key:literal, $field:ident, $least:literal..=$most:literal, $about:literal) => {
        Setting {
            key: optional($key, Kind::Count { least: $least, most: $most }, $about),
            get: |client| Plain::Count(u64::from(client.config.$field)),
            set: |client, plain| {
                if let Plain::Count(count) = plain
                    && let Ok(count) = (*count).try_into()
                {
                    client.config.$field = count;
                }
                Ok(())
            },
        }
    };
}

/// A setting that is a time.
macro_rules! time {
    ($key:literal, $field:ident, $kind:expr, $about:literal) => {
        Setting {
            key: optional($key, $kind, $about),
            get: |client| Plain::Time(client.config.$field),
            set: |client, plain| {
                if let Plain::Time(time) = plain {
                    client.config.$field = *time;
                }
                Ok(())
            },
        }
    };
}

/// A setting that is on or off.
macro_rules! flag {
    ($key:literal, $field:ident, $about:literal) => {
        Setting {
            key: optional($key, Kind::Flag, $about),
            get: |client| Plain::Flag(client.config.$field),
            set: |client, plain| {
                if let Plain::Flag(flag) = plain {
                    client.config.$field = *flag;
                }
                Ok(())
            },
        }
    };
}

/// A setting that is one of several policies.
macro_rules! choice {
    ($key:literal, $field:ident, $table:ident, $about:literal) => {
        Setting {
            key: optional($key, Kind::Choice(&words($table)), $about),
            get: |client| Plain::Word(name_in(&$table, client.config.$field)),
            set: |client, plain| {
                if let Plain::Word(name) = plain
                    && let Some((_, policy)) = $table.iter().find(|(word, _)| word.name == *name)
                {
                    client.config.$field = *policy;
                }
                Ok(())
            },
        }
    };
}

const PIPELINE: &[Key] = &[
    optional("rule", Kind::Choice(&words(PIPELINE_RULES)), "How the number moves between its bounds."),
    optional(
        "min",
        Kind::Count { least: 1, most: 65_535 },
        "At least so many blocks; also what it starts with.",
    ),
    optional("max", Kind::Count { least: 1, most: 65_535 }, "At most so many blocks."),
    optional("span", SOME_TIME, "The longest a block should wait for its turn at the remote."),
];

/// Time of a round: between two choke decisions.
const ROUND: Kind = Kind::Time { least: Duration::from_millis(1), most: Duration::from_secs(86_400) };

const SETTINGS: &[Setting] = &[
    count!("max_connections", max_connections, 1..=65_535, "Most connections at a time, both directions."),
    count!(
        "initiate_up_to",
        initiate_up_to,
        0..=65_535,
        "Connections up to which a node connects itself, at most max_connections; beyond, it only accepts."
    ),
    count!("max_half_open", max_half_open, 1..=65_535, "Most connection attempts under way at a time."),
    count!(
        "connects_per_second",
        connects_per_second,
        0..=65_535,
        "Most connection attempts begun in a second; 0 sets no limit."
    ),
    count!(
        "min_connections",
        min_connections,
        0..=65_535,
        "With fewer connections than this the tracker is asked early."
    ),
    count!("numwant", numwant, 0..=1_000, "Peers asked of the tracker."),
    time!(
        "min_announce_interval",
        min_announce_interval,
        SOME_TIME,
        "Least time between two announces where the tracker names none."
    ),
    Setting {
        key: optional(
            "unchoke_slots",
            Kind::Count { least: 1, most: 65_535 },
            "Remotes unchoked at a time, the optimistic ones among them (BEP 3: 4); exactly so many, without unchoke_most.",
        ),
        get: |client| Plain::Count(u64::from(client.config.unchoke_slots)),
        set: |client, plain| {
            if let Plain::Count(count) = plain {
                let slots = u16::try_from(*count).unwrap_or(u16::MAX);
                (client.config.unchoke_slots, client.config.unchoke_most) = (slots, 0);
            }
            Ok(())
        },
    },
    count!(
        "unchoke_most",
        unchoke_most,
        0..=65_535,
        "Most slots of a seed; if more than unchoke_slots, slots go by the rate of the uplink; 0 is a fixed number."
    ),
    count!(
        "optimistic_slots",
        optimistic_slots,
        0..=65_535,
        "How many of the slots are optimistic (BEP 3: 1)."
    ),
    time!("rechoke", rechoke_interval, ROUND, "Time between choke decisions (BEP 3: 10 s)."),
    Setting {
        key: optional(
            "optimistic_interval",
            SOME_TIME,
            "Time after which the optimistic unchoke moves, a multiple of rechoke (BEP 3: 30 s); without it the preset's \
             number of choke decisions.",
        ),
        get: |client| {
            Plain::Time(client.config.rechoke_interval * u32::from(client.config.optimistic_rounds))
        },
        set: set_optimistic_interval,
    },
    choice!(
        "optimistic",
        optimistic,
        OPTIMISTIC,
        "Who gets an optimistic unchoke, where the choker leaves that open."
    ),
    choice!("choker", choker, CHOKERS, "Who is unchoked while downloading."),
    choice!("seed_choker", seed_choker, SEED_CHOKERS, "Who is unchoked once everything is there."),
    choice!("picker", picker, PICKERS, "Which piece is begun next."),
    flag!(
        "edges_first",
        edges_first,
        "The first and the last piece are begun before all others (Transmission)."
    ),
    choice!("unfinished", unfinished, UNFINISHED, "Which of the pieces under way is continued."),
    time!(
        "whole_pieces",
        whole_pieces,
        ANY_TIME,
        "A remote that sends a piece within this time is asked for runs of whole pieces, kept for it, with unfinished = \"rarest\" \
         (libtorrent: 20 s); 0 s for never."
    ),
    count!(
        "least_run",
        least_run,
        0..=1_000,
        "Such a run has so many pieces at least, however slow the remote (aria2: 1)."
    ),
    count!(
        "random_first_pieces",
        random_first_pieces,
        0..=65_535,
        "So many pieces are picked at random first (mainline: 4)."
    ),
    Setting {
        key: optional("pipeline", Kind::Table(PIPELINE), "Blocks kept requested of a remote."),
        get: |client| {
            let pipeline = client.config.pipeline;
            let mut record = Record::default();
            record.set("rule", Plain::Word(name_in(&PIPELINE_RULES, client.config.pipeline_rule)));
            record.set("min", Plain::Count(u64::from(pipeline.min)));
            record.set("max", Plain::Count(u64::from(pipeline.max)));
            record.set("span", Plain::Time(pipeline.span));
            Plain::Table(record)
        },
        set: set_pipeline,
    },
    choice!(
        "endgame",
        endgame,
        ENDGAMES,
        "Of whom a block that others were asked for is asked too, once all are requested."
    ),
    count!(
        "endgame_askers",
        endgame_askers,
        1..=65_535,
        "Most remotes a block is asked of at a time; 1 is no endgame."
    ),
    time!(
        "request_timeout",
        request_timeout,
        Kind::TimeOrNever,
        "A request unanswered for this long may also be made of others."
    ),
    time!(
        "snub_after",
        snub_after,
        Kind::TimeOrNever,
        "A remote that owes blocks and sends none for this long has snubbed us (Cohen 2003: 60 s)."
    ),
    flag!(
        "between_rounds",
        between_rounds,
        "A remote gets a free slot, and hears that we want something, at once; else only when a round ends (Transmission)."
    ),
    time!(
        "keep_alive",
        keep_alive_interval,
        Kind::TimeOrNever,
        "A keep-alive is sent after this long without sending (BEP 3: 2 min)."
    ),
    time!(
        "idle_timeout",
        idle_timeout,
        Kind::TimeOrNever,
        "A connection on which nothing was heard for this long is closed."
    ),
    time!(
        "useless_after",
        useless_after,
        Kind::TimeOrNever,
        "A seed parts with a remote that wants nothing for this long."
    ),
    count!(
        "refill_percent",
        refill_percent,
        1..=100,
        "More is asked for once no more than so many hundredths of the pipeline are outstanding (Transmission: 66)."
    ),
    count!("max_queued_requests", max_queued_requests, 1..=65_535, "Blocks a remote may have queued."),
    flag!("redundant_have", redundant_have, "Tell a remote of a new piece even if it has that piece."),
    time!(
        "have_delay",
        have_delay,
        ANY_TIME,
        "A new piece is told with what is said next, or after this time (Transmission: 10 s)."
    ),
    flag!("fast_extension", fast_extension, "Speak the fast extension (BEP 6)."),
    count!("allowed_fast", allowed_fast, 0..=255, "Pieces a remote may ask for while choked (BEP 6)."),
    flag!(
        "allowed_fast_by_host",
        allowed_fast_by_host,
        "These differ between hosts of one network (libtorrent), not only between networks (BEP 6)."
    ),
    flag!(
        "haves_ask",
        haves_ask,
        "A remote that tells of a new piece is asked for more at once; else only if nothing was wanted of it (libtorrent)."
    ),
    Setting {
        key: optional(
            "send_buffer",
            Kind::Size { least: 16 << 10, most: 64 << 20 },
            "Content a connection holds in its socket's send buffer at most; a choke cannot take it back.",
        ),
        get: |client| Plain::Size(u64::from(client.send_buffer)),
        set: |client, plain| {
            if let Plain::Size(bytes) = plain {
                client.send_buffer = u32::try_from(*bytes).unwrap_or(u32::MAX);
            }
            Ok(())
        },
    },
    Setting {
        key: optional(
            "send_ahead",
            Kind::Size { least: 0, most: 64 << 20 },
            "Content the client takes out of a connection's requests ahead of that; what it says later waits behind it.",
        ),
        get: |client| Plain::Size(u64::from(client.send_ahead)),
        set: |client, plain| {
            if let Plain::Size(bytes) = plain {
                client.send_ahead = u32::try_from(*bytes).unwrap_or(u32::MAX);
            }
            Ok(())
        },
    },
    Setting {
        key: optional(
            "pulse",
            ANY_TIME,
            "The client asks and answers once in this time only (Transmission: 500 ms); 0 s: at once.",
        ),
        get: |client| Plain::Time(client.pulse),
        set: |client, plain| {
            if let Plain::Time(time) = plain {
                client.pulse = *time;
            }
            Ok(())
        },
    },
    Setting {
        key: optional(
            "start_up",
            ANY_TIME,
            "A peer comes up to this long after its arrival says, drawn for each: programs started at one time are not ready at \
             one time.",
        ),
        get: |client| Plain::Time(client.start_up),
        set: |client, plain| {
            if let Plain::Time(time) = plain {
                client.start_up = *time;
            }
            Ok(())
        },
    },
];

impl Client {
    /// The client that tables describe; a key of a later table goes before that of an earlier one.
    pub(crate) fn of(tables: &[&Record], findings: &mut Findings) -> Client {
        let given =
            |key: &str| tables.iter().rev().find_map(|table| Some((table.get(key)?, table.place_of(key))));
        let preset = match given("preset") {
            Some((Plain::Word(name), _)) => name,
            _ => preset::NAMES[0],
        };
        let mut client = preset::client(preset).unwrap_or_else(|| preset::unknown(preset));
        for setting in SETTINGS {
            if let Some((plain, place)) = given(setting.key.name)
                && let Err((message, help)) = (setting.set)(&mut client, plain)
            {
                findings.add(place, message, help);
            }
        }
        let of = |key| {
            given(key).map_or_else(
                || tables.last().map_or(Place::default(), |table| table.place),
                |(_, place)| place,
            )
        };
        let config = &mut client.config;
        if config.optimistic_slots > config.unchoke_slots {
            let message = format!(
                "optimistic_slots = {} of {} unchoke_slots",
                config.optimistic_slots, config.unchoke_slots
            );
            let help =
                format!("the optimistic slots are among the unchoke_slots: at most {}", config.unchoke_slots);
            findings.add(of("optimistic_slots"), message, help);
        }
        if config.initiate_up_to > config.max_connections && given("initiate_up_to").is_some() {
            let message = format!("initiate_up_to = {} is more than max_connections", config.initiate_up_to);
            findings.add(
                of("initiate_up_to"),
                message,
                format!("the nearest is '{}'", config.max_connections),
            );
        }
        config.initiate_up_to = config.initiate_up_to.min(config.max_connections);
        client
    }

    /// Every key with its value.
    pub(crate) fn record(&self) -> Record {
        let mut record = Record::default();
        record.set("preset", Plain::Word(self.preset));
        for setting in SETTINGS {
            record.set(setting.key.name, (setting.get)(self));
        }
        record
    }
}

fn set_optimistic_interval(client: &mut Client, plain: &Plain) -> Result<(), Trouble> {
    let Plain::Time(interval) = plain else { return Ok(()) };
    let rechoke = client.config.rechoke_interval;
    let rounds = (interval.as_nanos() + rechoke.as_nanos() / 2) / rechoke.as_nanos().max(1);
    let rounds = u16::try_from(rounds.clamp(1, 10_000)).unwrap_or(1);
    let nearest = rechoke * u32::from(rounds);
    if nearest != *interval {
        let (interval, rechoke) = (exact_time(*interval), exact_time(rechoke));
        let message = format!("optimistic_interval = '{interval}' is no multiple of rechoke, '{rechoke}'");
        return Err((message, format!("the nearest is '{}'", exact_time(nearest))));
    }
    client.config.optimistic_rounds = rounds;
    Ok(())
}

fn set_pipeline(client: &mut Client, plain: &Plain) -> Result<(), Trouble> {
    let Plain::Table(record) = plain else { return Ok(()) };
    let rule =
        record.find_word("rule").and_then(|name| PIPELINE_RULES.iter().find(|(word, _)| word.name == name));
    client.config.pipeline_rule = rule.map_or(client.config.pipeline_rule, |(_, rule)| *rule);
    let pipeline = &mut client.config.pipeline;
    let count =
        |key, now| record.find_count(key).map_or(now, |count| u16::try_from(count).unwrap_or(u16::MAX));
    pipeline.min = count("min", pipeline.min);
    pipeline.max = count("max", pipeline.max);
    pipeline.span = record.find_time("span").unwrap_or(pipeline.span);
    if pipeline.min > pipeline.max {
        let message = format!("pipeline: min = {} is more than max = {}", pipeline.min, pipeline.max);
        return Err((message, format!("min is at most {}", pipeline.max)));
    }
    Ok(())
}
