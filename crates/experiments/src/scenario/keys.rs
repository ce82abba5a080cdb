//! Every key of a scenario but those of a client, with its default and meaning.

use super::definition::{
    ANY_TIME, Key, Kind, LATENCY_TIME, Need, SOME_TIME, Variant, Word, default, optional, required, variant,
    word,
};

/// The schema this program reads.
pub(crate) const SCHEMA: &str = "scenario/1";
/// Most nodes of a run, and of a group.
pub(crate) const MOST_NODES: u64 = 5_000_000;

/// The rate of a link. Below 100 B/s not even the control messages would fit.
const LINK: Kind = Kind::Rate { least: 100, most: 125_000_000_000 };
const GROUP: Kind = Kind::Name;

/// The top of a scenario.
pub(crate) const SCENARIO: &[Key] = &[
    required(
        "schema",
        Kind::Choice(&[word(SCHEMA, "The first form.")]),
        "The form of this file; keys are only ever added within a number.",
    ),
    required("name", Kind::Name, "What the scenario is called."),
    optional("about", Kind::Text, "What it shows, in one sentence; `scenario list` prints it."),
    default("seed", Kind::Count { least: 0, most: u64::MAX }, "1", "Seed of everything drawn at random."),
    required("content", Kind::Table(CONTENT), "What is shared. Exactly one of size, file and torrent."),
    default("run", Kind::Table(RUN), "", "How long, and what is observed."),
    default("network", Kind::Table(NETWORK), "", "What lies between the nodes."),
    default(
        "tracker",
        Kind::Table(TRACKER),
        "",
        "The tracker: a node with a latency of its own and no limit of rate.",
    ),
    default("client", Kind::Client, "", "How nodes behave, for every group that does not say otherwise."),
    required(
        "group",
        Kind::Tables { keys: GROUPS, most: 100 },
        "Nodes of one kind; nodes are numbered in the order of the groups.",
    ),
    Key {
        name: "fault",
        kind: Kind::VariantTables { common: FAULT, variants: FAULTS, most: 1_000 },
        need: Need::Optional,
        about: "Something that goes wrong.",
    },
    optional(
        "expect",
        Kind::Expectations,
        "What must come of it: paths into the result (sim/1) with a comparison, such as \"leechers.time.p95\" = \
         \"< 45 min\". Unmet, the run ends with exit status 5.",
    ),
];

const CONTENT: &[Key] = &[
    optional(
        "size",
        Kind::Size { least: 1, most: 1 << 40 },
        "Length in bytes, of content made from the seed.",
    ),
    optional("file", Kind::Text, "A real file, relative to the scenario's."),
    optional(
        "torrent",
        Kind::Text,
        "A .torrent file, relative to the scenario's; its content lies beside it.",
    ),
    optional(
        "piece_length",
        Kind::PieceLength,
        "Length of a piece: a power of two from 16 KiB to 256 MiB, or \"auto\" for at most 2,000 pieces (the default). \
         A torrent has its own.",
    ),
];

const RUN: &[Key] = &[
    default("stop", Kind::Choice(STOP), "leechers-done", "When the run ends."),
    default(
        "max_time",
        SOME_TIME,
        "24 h",
        "Longest simulated time. Reached while waiting for leechers, the run is unfinished (exit status 4).",
    ),
    default("warmup", ANY_TIME, "0 s", "Nodes that arrive earlier are left out of the statistics."),
    default("sample", SOME_TIME, "1 s", "Time between two rows of timeline.csv."),
];

const STOP: &[Word] = &[
    word("leechers-done", "When all have arrived and every honest leecher has completed or left."),
    word("never", "At max_time."),
];

const NETWORK: &[Key] = &[
    default(
        "latency",
        Kind::Latency,
        "20 ms",
        "One-way latency between two nodes, at least 100 us: a time for all pairs; { uniform = [\"5 ms\", \"80 ms\"] }, drawn \
         once for each pair; or { regions = [\"eu\", \"us\"], table = [[..], ..] } with a row for each region of the sender.",
    ),
    default("framing", Kind::Choice(FRAMING), "ethernet", "What the rate of a link counts."),
    default(
        "queue",
        SOME_TIME,
        "100 ms",
        "Buffer of a link, as the time it takes to drain at the link's rate.",
    ),
    default("sharing", Kind::Choice(SHARING), "drop-tail", "How the connections of a node share its uplink."),
];

const SHARING: &[Word] = &[
    word("drop-tail", "Evenly in the long run; over some seconds as losses in a short queue have it."),
    word("even", "Evenly from moment to moment."),
];

const FRAMING: &[Word] = &[
    word(
        "ethernet",
        "Frames: 1,448 bytes of payload cost 1,514 on the link, and acknowledgements are charged to the reverse link.",
    ),
    word("none", "Bytes of the BitTorrent protocol only."),
];

const TRACKER: &[Key] = &[
    default(
        "interval",
        SOME_TIME,
        "30 min",
        "The interval of its replies (BEP 3); half an hour is customary.",
    ),
    optional("min_interval", SOME_TIME, "The min interval of its replies; without it there is none."),
    default(
        "numwant",
        Kind::Count { least: 0, most: 1_000 },
        "50",
        "The most peers it gives; 50 is customary (BEP 3).",
    ),
    default("latency", LATENCY_TIME, "20 ms", "One-way latency from any node, at least 100 us."),
];

const GROUPS: &[Key] = &[
    required("name", GROUP, "What it is called; [expect] and --set use it."),
    required("role", Kind::Variants(ROLES), "What its nodes have at the start."),
    optional(
        "count",
        Kind::Count { least: 1, most: MOST_NODES },
        "How many nodes: 1 without it, or one for each time of a trace.",
    ),
    required("up", LINK, "Uplink of each node."),
    optional("down", LINK, "Downlink of each node; without it the same as the uplink."),
    default("nat", Kind::Share, "0", "Share of the nodes that accept no incoming connection, from 0 to 1."),
    default("arrive", Kind::Variants(ARRIVE), "together", "When its nodes come."),
    default(
        "leave",
        Kind::Variants(LEAVE),
        "stay",
        "When a node that has everything goes; seeds count as complete at their arrival.",
    ),
    optional("abort", Kind::Frequency, "Rate at which an unfinished leecher gives up; without it none does."),
    default("behaviour", Kind::Choice(BEHAVIOURS), "honest", "How its nodes behave."),
    optional(
        "region",
        Kind::Name,
        "Their region, where the latency is given by regions; without it the first.",
    ),
    optional("client", Kind::Client, "Keys of [client] that differ for this group."),
];

const ROLES: &[Variant] = &[
    variant("seed", "Everything.", &[]),
    variant("leecher", "Nothing.", &[]),
    variant(
        "partial",
        "Some pieces, drawn at random for each node.",
        &[required("fraction", Kind::Share, "Share of the pieces, from 0 to 1.")],
    ),
];

const ARRIVE: &[Variant] = &[
    variant("together", "All within a time, uniformly.", &[default("within", ANY_TIME, "0 s", "The time.")]),
    variant("at", "All at one moment.", &[required("time", ANY_TIME, "The moment.")]),
    variant("every", "One by one, the first at 0.", &[required("gap", ANY_TIME, "Time between two.")]),
    variant(
        "poisson",
        "As a Poisson process.",
        &[required("rate", Kind::Frequency, "Mean arrivals per time.")],
    ),
    variant(
        "decaying",
        "As a Poisson process whose rate decays: rate x exp(-t / tau).",
        &[
            required("rate", Kind::Frequency, "Mean arrivals per time at the start."),
            required("tau", SOME_TIME, "Time in which the rate falls to 1/e."),
        ],
    ),
    variant(
        "trace",
        "At the times of a file: one on each line, or the first column of a CSV file; bare numbers are seconds.",
        &[required("file", Kind::Text, "The file, relative to the scenario's.")],
    ),
];

const LEAVE: &[Variant] = &[
    variant("on-complete", "At once.", &[]),
    variant("stay", "Never.", &[]),
    variant(
        "after",
        "Some time after completion.",
        &[
            required("time", ANY_TIME, "The time, or its mean."),
            default(
                "exponential",
                Kind::Flag,
                "false",
                "Whether it is drawn from an exponential distribution.",
            ),
        ],
    ),
    variant(
        "at-ratio",
        "When it has uploaded this share of the content's length.",
        &[required("ratio", Kind::Ratio, "The share; 1 is a whole copy.")],
    ),
];

const BEHAVIOURS: &[Word] = &[
    word("honest", "As the client does."),
    word("free-rider", "Never unchokes anybody."),
    word("bittyrant", "Unchokes whoever returns most for the least (Piatek et al., NSDI 2007)."),
    word("corrupter", "Sends blocks with wrong content."),
    word("staller", "Takes requests and never answers."),
    word("liar", "Says it has what it has not."),
    word("flooder", "Sends far more messages than anybody needs."),
    word("super-seed", "A seed that shows its pieces one by one (BEP 16)."),
];

const FAULT: &[Key] = &[required("at", ANY_TIME, "When.")];
const FOR: Key = optional("for", SOME_TIME, "How long; without it for good.");
const TARGET: Key = required("group", GROUP, "The group it meets.");
const SHARE: Key =
    optional("share", Kind::Share, "Share of its nodes, drawn at random; without share and count all.");
const COUNT: Key =
    optional("count", Kind::Count { least: 1, most: MOST_NODES }, "How many of its nodes, drawn at random.");

const FAULTS: &[Variant] = &[
    variant("tracker-down", "The tracker answers nobody.", &[FOR]),
    variant(
        "partition",
        "Nothing passes between two groups.",
        &[required("between", Kind::Pair, "The two groups."), FOR],
    ),
    variant("reset", "Every connection of the targets breaks.", &[TARGET, SHARE, COUNT]),
    variant(
        "crash",
        "The targets lose all but what their disk holds; with a length they come back after it.",
        &[TARGET, SHARE, COUNT, FOR],
    ),
    variant(
        "disk-slow",
        "The targets' disks write slowly.",
        &[
            TARGET,
            SHARE,
            COUNT,
            required("rate", Kind::Rate { least: 1, most: 125_000_000_000 }, "How fast they write."),
            FOR,
        ],
    ),
    variant("disk-full", "The targets' disks take nothing.", &[TARGET, SHARE, COUNT, FOR]),
];
