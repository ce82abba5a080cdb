//! `--set`: what it changes, and how its errors read.

use super::*;

#[test]
fn flags_change_the_document_before_it_is_checked() {
    let scenario = parse_with(
        BASE,
        &[
            "client.unchoke_slots=6",
            "group.leechers.count=500",
            "network.latency=\"5 ms\"",
            "tracker.latency=7 ms",
            "group.origin.client.picker=random",
            "group.0.up = 2 Mbit/s",
            "group.leechers.arrive={ kind = \"poisson\", rate = \"2 /s\" }",
            "group.leechers.leave=on-complete",
            "expect.leechers.time.p95=< 45 min",
            "expect.complete==true",
            "name=other",
            "run.max_time=2 h",
            "run.max_time=3 h",
        ],
    );
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
    let [origin, leechers] = &scenario.groups[..] else { panic!("two groups") };
    assert_eq!((origin.client.config.unchoke_slots, leechers.client.config.unchoke_slots), (6, 6));
    assert_eq!(origin.client.config.picker, swarmlab_protocol::Picker::Random);
    assert_eq!((leechers.count, origin.up), (500, 250_000));
    assert_eq!(scenario.network.latency, Latency::Constant(Duration::from_millis(5)));
    assert_eq!(scenario.tracker.latency, Duration::from_millis(7));
    assert_eq!((&leechers.arrive, leechers.leave), (&Arrive::Poisson(2.0), Leave::OnComplete));
    assert_eq!((scenario.name.as_str(), scenario.max_time), ("other", Duration::from_secs(3 * 3600)));
    let expected: Vec<_> =
        scenario.expect.iter().map(|one| (one.path.as_str(), one.wanted.as_str())).collect();
    assert_eq!(expected, [("leechers.time.p95", "< 45 min"), ("complete", "=true")]);
}

#[test]
fn errors_point_at_the_flag() {
    for (flag, message) in [
        (
            "client.unchoke_slot=6",
            "1:8: unknown key 'unchoke_slot' in [client] | did you mean 'unchoke_slots'?",
        ),
        ("client.unchoke_slots=0", "1:22: unchoke_slots = '0' is out of range | the nearest is '1'"),
        ("client.unchoke_slots=many", "1:22: 'unchoke_slots' is a whole number without quotes, not a text"),
        ("clients.picker=random", "1:1: unknown key 'clients' in a scenario | did you mean 'client'?"),
        ("group.leecher.count=5", "1:7: there is none called 'leecher' | did you mean 'leechers'?"),
        ("group.7.count=5", "1:7: there is none called '7' | there are origin, leechers"),
        ("group.leechers.up=3", "1:19: up = '3': a rate needs a unit; did you mean '3 MB/s'?"),
        ("name.first=x", "1:6: what 'first' is in is a text: it has no keys | set the whole value"),
        ("client.picker", "1:1: --set needs PATH=VALUE | as in client.unchoke_slots=6"),
        ("=5", "1:1: '' is no path | as in client.unchoke_slots or group.leechers.count"),
        ("a..b=5", "1:1: 'a..b' is no path | as in client.unchoke_slots or group.leechers.count"),
        (
            "expect.leechers.time.p95=< 45",
            "1:26: '< 45': a time needs a unit; did you mean '45 s'? | as in \"< 45 min\"",
        ),
        ("expect.leeches.count=> 1", "1:8: there is no group 'leeches' | did you mean 'leechers'?"),
        ("network=5 ms", "1:9: [network] is a table, not a text"),
        ("client={ pickr = 1 }", "1:10: unknown key 'pickr' in [client] | did you mean 'picker'?"),
    ] {
        let result = parse_with(BASE, &["seed=2", flag]);
        let source = result.as_ref().err().map(|error| error.list()[0].place.source);
        assert_eq!((source, said(result)), (Some(2), vec![message.to_owned()]), "{flag}");
    }
    let shown = parse_with(BASE, &["client.unchoke_slot=6"]).unwrap_err().to_string();
    assert!(shown.starts_with("--set:1:8: unknown key"), "{shown}");
    assert!(shown.contains("1 | client.unchoke_slot=6\n  |        ^^^^^^^^^^^^\n"), "{shown}");
}
