//! What is refused, and how that reads.

use super::*;

#[test]
fn errors_show_the_line_and_a_mark_under_the_value() {
    let text = base_with("", "conut = 30\nup2 = 1", "[run]\nmax_time = 24");
    assert_eq!(
        parse(&text).unwrap_err().to_string(),
        "\
s.toml:14:1: unknown key 'conut' in [[group]]
   |
14 | conut = 30
   | ^^^^^
  help: did you mean 'count'?

s.toml:15:1: unknown key 'up2' in [[group]]
   |
15 | up2 = 1
   | ^^^
  help: did you mean 'up'?

s.toml:17:12: max_time = '24': a time needs a unit; did you mean '24 s'?
   |
17 | max_time = 24
   |            ^^"
    );
    let steering = base_with("", "\u{202e}\t\"a\u{7f}\" = \"\\u001b[2J\"", "");
    let shown = parse(&steering).unwrap_err().to_string();
    assert!(!shown.contains(['\u{202e}', '\u{7f}', '\u{1b}', '\t']), "{shown}");
    let long = base_with("", &format!("behaviour = \"{}\"", "x".repeat(500)), "");
    assert!(parse(&long).unwrap_err().to_string().lines().all(|line| line.chars().count() < 300));
}

/// What goes wrong in the group of leechers, beginning at line 14.
#[test]
fn bad_groups_are_refused() {
    for (snippet, message) in [
        ("nat = 1.5", "14:7: nat = '1.5' is out of range | the nearest is '1'"),
        ("nat = -0.5", "14:7: nat = '-0.5' is out of range | the nearest is '0'"),
        ("nat = \"10 %\"", "14:7: 'nat' is a number from 0 to 1 without quotes, not a text"),
        ("nat = inf", "14:7: 'nat' is a number from 0 to 1 such as 0.25, not 'inf'"),
        ("nat = 1e-1", "14:7: 'nat' is a number from 0 to 1 such as 0.25, not '1e-1'"),
        ("down = 10", "14:8: down = '10': a rate needs a unit; did you mean '10 MB/s'?"),
        (
            "down = \"8 Mbps\"",
            "14:8: down = '8 Mbps': unknown unit 'Mbps'; did you mean 'Mbit/s'? Units of a rate: bit/s, kbit/s, Mbit/s, \
             Gbit/s, B/s, kB/s, MB/s, GB/s, KiB/s, MiB/s, GiB/s",
        ),
        ("down = \"0 B/s\"", "14:8: down = '0 B/s' is out of range | the nearest is '800 bit/s'"),
        ("down = true", "14:8: 'down' is a rate such as \"10 Mbit/s\", not true or false"),
        (
            "behaviour = \"honnest\"",
            "14:13: unknown behaviour 'honnest' | did you mean \"honest\"? 'behaviour' is honest, free-rider, bittyrant, \
             corrupter, staller, liar, flooder or super-seed",
        ),
        (
            "behaviour = \"super-seed\"",
            "14:13: only a seed can show its pieces one by one | give the group the role \"seed\"",
        ),
        (
            "arrive = \"poisson\"",
            "14:10: arrive 'poisson' needs more to be said | write arrive = { kind = \"poisson\", rate = .. }",
        ),
        (
            "arrive = { kind = \"poison\", rate = \"1 /s\" }",
            "14:19: unknown kind 'poison' | did you mean \"poisson\"? 'kind' is together, at, every, poisson, decaying or trace",
        ),
        (
            "arrive = { rate = \"1 /s\" }",
            "14:1: 'arrive' needs the key 'kind' | kinds are together, at, every, poisson, decaying or trace",
        ),
        (
            "arrive = { kind = \"every\", time = \"1 s\" }",
            "14:1: arrive 'every' needs the key 'gap' | gap: Time between two.",
        ),
        (
            "arrive = { kind = \"poisson\", rate = 2 }",
            "14:37: rate = '2': a frequency needs a unit; did you mean '2 /s'?",
        ),
        ("arrive = { kind = \"poisson\", rate = \"0 /s\" }", "14:37: 'rate' must be more than 0"),
        ("arrive = 5", "14:10: 'arrive' is a table such as { kind = \"together\" }, not a number"),
        (
            "leave = { kind = \"after\" }",
            "14:1: leave 'after' needs the key 'time' | time: The time, or its mean.",
        ),
        (
            "leave = { kind = \"stay\", time = \"1 s\" }",
            "14:26: unknown key 'time' in leave 'stay' | leave 'stay' has no further keys",
        ),
        (
            "region = \"eu\"",
            "14:10: there are no regions: the latency is not given by them | network.latency = { regions = [..], table = [..] }, or leave 'region' out",
        ),
        (
            "latency = \"5 ms\"",
            "14:1: unknown key 'latency' in [[group]] | 'latency' is a key of [network]; here are name, role, count, up, down, nat, arrive, leave, abort, behaviour, region or client",
        ),
        ("client = 3", "14:10: [client] is a table, not a number"),
        (
            "[group.client]\nunchoke_slots = 0",
            "15:17: unchoke_slots = '0' is out of range | the nearest is '1'",
        ),
        ("[group.client]\nunchoke_slots = 4.5", "15:17: 'unchoke_slots' is a whole number, not '4.5'"),
        (
            "[group.client]\nunchoke_slots = \"4\"",
            "15:17: 'unchoke_slots' is a whole number without quotes, not a text",
        ),
        (
            "[group.client]\npicker = \"rarest\"",
            "15:10: unknown picker 'rarest' | 'picker' is rarest-first, random or sequential",
        ),
        ("[group.client]\npreset = \"utorrent\"", "15:10: unknown preset 'utorrent' | 'preset' is swarmlab"),
        (
            "[group.client]\noptimistic_slots = 5",
            "15:20: optimistic_slots = 5 of 4 unchoke_slots | the optimistic slots are among the unchoke_slots: at most 4",
        ),
        (
            "[group.client]\noptimistic_interval = \"25 s\"",
            "15:23: optimistic_interval = '25 s' is no multiple of rechoke, '10 s' | the nearest is '30 s'",
        ),
        (
            "[group.client]\nmax_connections = 5\ninitiate_up_to = 6",
            "16:18: initiate_up_to = 6 is more than max_connections | the nearest is '5'",
        ),
        (
            "[group.client]\nrechoke = \"never\"",
            "15:11: rechoke = 'never': a time starts with a number, such as '30 s'",
        ),
        (
            "[group.client]\npipeline = { min = 9, max = 8 }",
            "15:12: pipeline: min = 9 is more than max = 8 | min is at most 8",
        ),
        ("[group.client]\nredundant_have = 1", "15:18: 'redundant_have' is true or false, not a number"),
    ] {
        let said = said(parse(&base_with("", snippet, "")));
        assert!(said.iter().any(|said| said.starts_with(message)), "{snippet}\n  {said:#?}\n  {message}");
    }
}

/// What goes wrong behind the groups, beginning at line 15.
#[test]
fn bad_sections_are_refused() {
    for (snippet, message) in [
        (
            "[network]\nlatency = \"50 us\"",
            "16:11: a latency of 50 us is too small | the least is '100 us': the threads of a run swap messages in windows as wide as the least latency, and the same rule holds for one thread, so that the result does not depend on them",
        ),
        (
            "[network]\nlatency = { uniform = [\"9 ms\", \"2 ms\"] }",
            "16:23: the first latency is the least, the second the largest | write uniform = [\"2 ms\", \"9 ms\"]",
        ),
        (
            "[network]\nlatency = { uniform = [\"9 ms\"] }",
            "16:23: 'uniform' is a list of two times, not of 1",
        ),
        (
            "[network]\nlatency = { unifrom = [\"9 ms\"] }",
            "16:13: unknown key 'unifrom' in latency | did you mean 'uniform'?",
        ),
        (
            "[network]\nlatency = { regions = [\"a\"], table = [[\"1 ms\", \"1 ms\"]] }",
            "16:39: this row has 2 times for 1 regions",
        ),
        (
            "[network]\nlatency = { regions = [\"a\", \"a\"], table = [] }",
            "16:29: the region 'a' is there twice",
        ),
        ("[network]\nframing = \"ip\"", "16:11: unknown framing 'ip' | 'framing' is ethernet or none"),
        (
            "[tracker]\nlatency = \"1 us\"",
            "16:11: a latency of 1 us is too small | the least is '100 us': the threads of a run swap messages in windows as wide as the least latency, and the same rule holds for one thread, so that the result does not depend on them",
        ),
        (
            "[tracker]\ninterval = \"half an hour\"",
            "16:12: interval = 'half an hour': a time starts with a number, such as '30 s'",
        ),
        (
            "[run]\nmax_time = \"1 m\"",
            "16:12: max_time = '1 m': unknown unit 'm'; did you mean 'min'? Units of a time: us, ms, s, min, h, d",
        ),
        (
            "[run]\nmax_time = \"5000 d\"",
            "16:12: max_time = '5000 d' is out of range | the nearest is '3650 d'",
        ),
        ("[run]\nmax_time = 2020-01-01", "16:12: 'max_time' is a time such as \"30 s\", not a date"),
        (
            "[run]\nwarmup = \"2 d\"",
            "16:10: the warmup, '2 d', is as long as the run | it must be below max_time, '1 d'",
        ),
        (
            "[run]\nsample = \"1 ms\"",
            "16:10: a sample every '1 ms' of '1 d' makes too many | at most 10000000 are kept",
        ),
        ("[runs]\nstop = \"never\"", "15:2: unknown key 'runs' in a scenario | did you mean 'run'?"),
        (
            "[[fault]]\nkind = \"crash\"\ngroup = \"leechers\"",
            "15:1: fault 'crash' needs the key 'at' | at: When.",
        ),
        (
            "[[fault]]\nat = \"1 s\"\nkind = \"crash\"\ngroup = \"leeches\"",
            "18:9: there is no group 'leeches' | did you mean 'leechers'?",
        ),
        (
            "[[fault]]\nat = \"1 s\"\nkind = \"crash\"\ngroup = \"leechers\"\nshare = 0.1\ncount = 1",
            "20:9: a fault takes 'share' or 'count', not both",
        ),
        (
            "[[fault]]\nat = \"1 s\"\nkind = \"partition\"\nbetween = [\"origin\", \"origin\"]",
            "18:11: a partition lies between two groups, not within one",
        ),
        (
            "[[fault]]\nat = \"1 s\"\nkind = \"partition\"\nbetween = [\"origin\"]",
            "18:11: 'between' is a list of two names of groups, such as [\"a\", \"b\"]",
        ),
        (
            "[[fault]]\nat = \"1 s\"\nkind = \"fire\"",
            "17:8: unknown kind 'fire' | 'kind' is tracker-down, partition, reset, crash, disk-slow or disk-full",
        ),
        (
            "[expect]\n\"leechers.time.p95\" = \"45 min\"",
            "16:23: '45 min' is no comparison | begin with <, <=, =, >= or >, as in \"< 45 min\"",
        ),
        (
            "[expect]\n\"leechers.time.p95\" = \"< 45\"",
            "16:23: '< 45': a time needs a unit; did you mean '45 s'? | as in \"< 45 min\"",
        ),
        (
            "[expect]\n\"leechers.time.p90\" = \"< 45 s\"",
            "16:1: a group has no 'time.p90' | did you mean 'leechers.time.p50'?",
        ),
        (
            "[expect]\n\"leeches.completed\" = \"= 1\"",
            "16:1: there is no group 'leeches' | did you mean 'leechers'?",
        ),
        (
            "[expect]\nleechers.time.p95 = \"< 45 s\"",
            "16:1: 'leechers' is no path into a result | put the path in quotes: \"leechers.time.p95\" = \"< 45 min\"",
        ),
        ("[expect]\ncompleet = true", "16:1: 'compleet' is no path into a result | did you mean 'complete'?"),
        (
            "[expect]\ncomplete = 1",
            "16:12: an expectation is a comparison in quotes, not a number | write \"= true\"",
        ),
        (
            "[[group]]\nname = \"origin\"\nrole = \"seed\"\nup = \"1 MB/s\"",
            "16:8: there are two groups called 'origin' | each needs a name of its own",
        ),
        (
            "[[group]]\nname = \"complete\"\nrole = \"seed\"\nup = \"1 MB/s\"",
            "16:8: 'complete' is the name of a number of the result | 'completes' or 'complete-nodes' would do",
        ),
        (
            "[[group]]\nname = \"a b\"\nrole = \"seed\"\nup = \"1 MB/s\"",
            "16:8: 'a b' is no name: letters, digits, '-' and '_', up to 40, not beginning with a digit | \"a-b\" would be one",
        ),
        (
            "[[group]]\nname = \"x\"\nrole = \"seed\"\nup = \"1 MB/s\"\nabort = \"1 /h\"",
            "19:9: a seed has nothing to give up: 'abort' is for leechers",
        ),
        (
            "[[group]]\nname = \"x\"\nrole = \"seed\"\nup = \"1 MB/s\"\ncount = 6_000_000",
            "19:9: count = '6000000' is out of range | the nearest is '5000000'",
        ),
        (
            "[[group]]\nname = \"x\"\nrole = \"seed\"\nup = \"1 MB/s\"\ncount = 5_000_000",
            "19:9: 5000011 nodes in all are too many | at most 5000000 are simulated",
        ),
        (
            "[[group]]\nname = \"x\"\nrole = \"seed\"",
            "15:1: [[group]] needs the key 'up' | up: Uplink of each node.",
        ),
    ] {
        let said = said(parse(&base_with("", "", snippet)));
        assert!(said.iter().any(|said| said.starts_with(message)), "{snippet}\n  {said:#?}\n  {message}");
    }
}

#[test]
fn bad_content_is_refused() {
    for (content, message) in [
        ("{ }", "3:1: [content] needs one of 'size', 'file' and 'torrent' | as in size = \"100 MiB\""),
        (
            "{ size = 5, file = \"x\" }",
            "3:30: [content] has size and file; it takes one of them | as in size = \"100 MiB\"",
        ),
        (
            "{ size = \"1 MiB\", piece_length = 1000 }",
            "3:44: '1000' is no piece length: a power of two from 16 KiB to 256 MiB, or \"auto\" | the nearest is \"16 KiB\"",
        ),
        (
            "{ size = \"1 TiB\", piece_length = \"16 KiB\" }",
            "3:44: 67108864 pieces are too many: at most 4000000 are simulated | take a larger piece_length",
        ),
        ("{ size = \"2 TiB\" }", "3:20: size = '2 TiB' is out of range | the nearest is '1 TiB'"),
        (
            "{ size = \"1 MIB\" }",
            "3:20: size = '1 MIB': unknown unit 'MIB'; did you mean 'MiB'? Units of a size: B, KiB, MiB, GiB, TiB, kB, MB, GB, TB",
        ),
        ("{ size = 0 }", "3:20: size = '0' is out of range | the nearest is '1 B'"),
        (
            "{ file = \"not-there.bin\" }",
            "3:20: cannot read 'not-there.bin': No such file or directory (os error 2)",
        ),
    ] {
        let text = BASE.replace("{ size = \"1 MiB\" }", content);
        assert_eq!(said(parse(&text)), [message], "{content}");
    }
    let nobody = BASE.replace("role = \"seed\"", "role = \"leecher\"");
    assert_eq!(said(parse(&nobody)), ["6:8: nobody has the content | give one group the role \"seed\""]);
    let other = BASE.replace("scenario/1", "scenario/2");
    assert_eq!(
        said(parse(&other)),
        ["1:10: unknown schema 'scenario/2' | did you mean \"scenario/1\"? 'schema' is scenario/1"]
    );
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    for (text, message) in [
        ("name = \"x", "1:10: not TOML: invalid basic string, expected"),
        (
            "name = 5 ms",
            "1:8: not TOML: string values must be quoted, expected literal string | texts and quantities are quoted",
        ),
        ("name = \"a\"\nname = \"b\"", "2:1: not TOML: duplicate key"),
        ("[content\nsize = 1", "1:9: not TOML: "),
        ("= 1", "1:1: not TOML: "),
    ] {
        let said = said(parse(text));
        assert!(said.len() == 1 && said[0].starts_with(message), "{text:?} {said:#?}");
    }
    let deep = format!("name = {}", "[".repeat(100_000));
    assert!(parse(&deep).is_err());
    let large = "#".repeat(LARGEST as usize + 1);
    assert_eq!(said(parse(&large)), ["1:1: a scenario has at most 1 MiB, not 1048577 bytes"]);
}

#[test]
fn many_errors_are_told_in_order_up_to_twenty() {
    let keys: String = (10..50).map(|number| format!("key{number} = 1\n")).collect();
    let said = said(parse(&base_with(&keys, "", "")));
    assert_eq!(said.len(), 20);
    assert!(
        said[0].starts_with("1:1: unknown key 'key10'") && said[19].starts_with("20:1: unknown key 'key29'")
    );
}
