//! The built-in scenarios, writing and reading again, files beside a scenario, the schema, and any input at all.

use std::fs;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use swarmlab_metainfo::{Draft, DraftFile};

use super::*;

#[test]
fn built_in_scenarios_are_sound_and_teach() {
    for builtin in builtin::all() {
        let scenario = builtin.parse(&[]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.name, builtin.name);
        assert!(scenario.about.is_some_and(|about| about.len() > 20), "{}", builtin.name);
        let comments = builtin.text.lines().take_while(|line| line.starts_with('#')).collect::<String>();
        assert!(comments.contains("Look at:"), "{} says what to look at", builtin.name);
        assert_eq!(builtin::find(builtin.name), Some(builtin));
    }
    assert_eq!(builtin::find("nonsense"), None);
    assert_eq!(builtin::nearest("flashcrowd"), Some("flash-crowd"));
}

/// The flags that a comment proposes work.
#[test]
fn what_built_in_scenarios_propose_can_be_done() {
    let mut tried = 0;
    for builtin in builtin::all() {
        for line in builtin.text.lines().filter(|line| line.starts_with('#')) {
            let Some((_, flag)) = line.split_once("--set ") else { continue };
            let flag = match flag.strip_prefix('\'') {
                Some(quoted) => quoted.split('\'').next(),
                None => flag.split_whitespace().next(),
            };
            let flag = flag.expect("a flag").to_owned();
            builtin
                .parse(std::slice::from_ref(&flag))
                .unwrap_or_else(|error| panic!("{}: {error}", builtin.name));
            tried += 1;
        }
    }
    assert!(tried >= 10, "{tried}");
}

#[test]
fn the_scale_scenarios_have_the_settings_they_are_measured_with() {
    for (name, nodes, length, connections) in
        [("hundred-thousand", 100_000, 32 << 20, 50), ("million", 1_000_000, 16 << 20, 30)]
    {
        let scenario = builtin::find(name).expect("it is there").parse(&[]).expect("it is sound");
        let [origin, leechers] = &scenario.groups[..] else { panic!("two groups") };
        assert_eq!(
            (scenario.content.layout.length(), scenario.content.layout.piece_length()),
            (length, 256 << 10)
        );
        assert_eq!((leechers.count, leechers.up, leechers.down), (nodes, 125_000, 1_000_000));
        assert_eq!(
            (origin.up, scenario.network.latency),
            (2_500_000, Latency::Constant(Duration::from_millis(20)))
        );
        assert_eq!(
            (&leechers.arrive, leechers.leave),
            (&Arrive::Together(Duration::from_secs(10)), Leave::Stay)
        );
        assert_eq!(leechers.client.config.max_connections, connections);
    }
}

/// A scenario with every kind of key.
fn rich() -> String {
    base_with(
        "seed = 18446744073709551615\nabout = \"a \\\"quoted\\\" \\\\ line\"",
        "nat = 0.125\narrive = { kind = \"decaying\", rate = \"3.5 /h\", tau = \"1.5 h\" }
        leave = { kind = \"after\", time = \"90 s\", exponential = true }\nabort = \"0.001 /s\"\nregion = \"us\"
        [group.client]\nunchoke_slots = 9\npipeline = { span = \"250 ms\" }",
        "[network]\nlatency = { regions = [\"eu\", \"us\"], table = [[\"5 ms\", \"40 ms\"], [\"45 ms\", \"0.1 ms\"]] }
        [tracker]\nmin_interval = \"1 min\"
        [client]\nredundant_have = true
        [[fault]]\nat = \"2 min\"\nkind = \"disk-slow\"\ngroup = \"leechers\"\nshare = 0.333333333\nrate = \"1 MB/s\"\nfor = \"1 s\"
        [[fault]]\nat = \"3 min\"\nkind = \"partition\"\nbetween = [\"origin\", \"leechers\"]
        [expect]\n\"leechers.time.p95\" = \"< 45 min\"\ncomplete = true",
    )
}

#[test]
fn a_resolved_scenario_is_read_as_the_same() {
    let texts = builtin::all().iter().map(|builtin| builtin.text.to_owned());
    for text in texts.chain([BASE.to_owned(), rich()]) {
        let scenario = sound(&text);
        let again = sound(&scenario.resolved_toml());
        assert_eq!(again.resolved_toml(), scenario.resolved_toml());
        assert_eq!(again.resolved_json(), scenario.resolved_json());
        let model = |scenario: &Scenario| {
            format!("{:?}", scenario.model(&Options::default()).expect("no content is read"))
        };
        assert_eq!(model(&again), model(&scenario));
    }
}

#[test]
fn a_resolved_scenario_has_every_key() {
    let text = sound(BASE).resolved_toml();
    for line in [
        "piece_length = \"16 KiB\"",
        "max_time = \"1 d\"",
        "queue = \"100 ms\"",
        "rechoke = \"10 s\"",
        "count = 1",
    ] {
        assert!(text.lines().any(|written| written == line), "{line} is not in\n{text}");
    }
    let resolved = sound(BASE).resolved_json();
    let pipeline = &resolved["client"]["pipeline"];
    assert_eq!(
        [&pipeline["min"], &pipeline["max"], &pipeline["span"]],
        [&json!(5), &json!(500), &json!("1 s")]
    );
    assert_eq!(resolved["group"][1]["down"], "1 Mbit/s");
}

#[test]
fn a_preset_can_be_printed_and_used() {
    for name in preset_names() {
        let text = preset_toml(name).expect("a preset");
        let scenario = sound(&format!("{BASE}{text}"));
        let plain = sound(&format!("{BASE}[client]\npreset = \"{name}\"\n"));
        assert_eq!(scenario.groups[0].client, plain.groups[0].client, "{name}");
    }
    assert_eq!(preset_toml("nonsense"), None);
}

/// A folder with `data.bin` (100,000 bytes), `data.torrent` and `times.csv`.
fn folder() -> (tempfile::TempDir, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes: Vec<u8> = (0..100_000_u32).map(|i| (i * 31 + i / 251) as u8).collect();
    let hashes = bytes.chunks(16 << 10).flat_map(swarmlab_metainfo::sha1).collect();
    let file = DraftFile::single(100_000);
    let draft = Draft {
        name: "data.bin".to_owned(),
        piece_length: 16 << 10,
        hashes,
        files: vec![file],
        ..Draft::default()
    };
    fs::write(folder.path().join("data.torrent"), draft.to_bytes().expect("a torrent")).expect("a file");
    fs::write(folder.path().join("data.bin"), &bytes).expect("a file");
    fs::write(folder.path().join("times.csv"), "join_s\n3\n1\n2\n").expect("a file");
    (folder, bytes)
}

#[test]
fn real_content_comes_from_the_seed_a_file_or_a_torrent() {
    let (folder, bytes) = folder();
    let origin = Origin { name: "s.toml".to_owned(), dir: folder.path().to_owned() };
    let with = |content: &str| Scenario::parse(&BASE.replace("{ size = \"1 MiB\" }", content), &origin, &[]);
    let real = Options { real_bytes: true, ..Options::default() };
    let model = |content: &str| {
        let scenario = with(content).unwrap_or_else(|error| panic!("{error}"));
        scenario.model(&real).map(|model| model.content.real.expect("real bytes"))
    };
    for content in ["{ file = \"data.bin\", piece_length = \"16 KiB\" }", "{ torrent = \"data.torrent\" }"] {
        let real = model(content).expect("it is there");
        assert!(*real.bytes == *bytes && real.hashes.len() == 7, "{content}");
    }
    let generated = model("{ size = 100_000 }").expect("it is made");
    assert_eq!((generated.bytes.len(), generated.hashes.len()), (100_000, 7));

    let scenario = with("{ torrent = \"data.torrent\" }").expect("it is sound");
    fs::write(folder.path().join("data.bin"), &bytes[1..]).expect("a file");
    assert!(matches!(scenario.model(&real), Err(ContentError::Length { length: 100_000, .. })));
    let mut wrong = bytes;
    wrong[20_000] ^= 1;
    fs::write(folder.path().join("data.bin"), wrong).expect("a file");
    assert!(matches!(scenario.model(&real), Err(ContentError::Wrong(1))));
    assert!(matches!(model("{ size = \"2 GiB\" }"), Err(ContentError::TooLarge { .. })));
    fs::write(folder.path().join("data.torrent"), "nonsense").expect("a file");
    let said = said(with("{ torrent = \"data.torrent\" }"));
    assert!(said[0].starts_with("3:23: cannot read the torrent 'data.torrent': "), "{said:?}");
}

#[test]
fn arrivals_of_a_trace_are_as_many_as_its_times() {
    let (folder, _) = folder();
    let origin = Origin { name: "s.toml".to_owned(), dir: folder.path().to_owned() };
    let trace = "arrive = { kind = \"trace\", file = \"times.csv\" }";
    let with =
        |count: &str| Scenario::parse(&base_with("", trace, "").replace("count = 10\n", count), &origin, &[]);
    let seconds =
        |times: &[u64]| Arrive::Trace(times.iter().map(|time| Duration::from_secs(*time)).collect());
    let all = with("").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((all.groups[1].count, &all.groups[1].arrive), (3, &seconds(&[1, 2, 3])));
    let two = with("count = 2\n").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((two.groups[1].count, &two.groups[1].arrive), (2, &seconds(&[1, 2])));
    let four = said(with("count = 4\n"));
    assert_eq!(
        four,
        ["12:9: count = 4, but the trace has 3 times | leave 'count' out for as many nodes as times"]
    );
    fs::write(folder.path().join("times.csv"), "1\nnoon\n").expect("a file");
    let wrong = said(with(""));
    assert_eq!(wrong, ["13:35: times.csv:2: 'noon': a time starts with a number, such as '30 s'"]);
}

/// A validator for as much of JSON Schema as ours uses; patterns are left out.
fn validate(schema: &Json, root: &Json, value: &Json) -> Result<(), String> {
    let fail = |what: &str| Err(format!("{what}: {value} against {schema}"));
    if let Some(reference) = schema["$ref"].as_str() {
        return validate(&root["$defs"][reference.trim_start_matches("#/$defs/")], root, value);
    }
    if let Some(constant) = schema.get("const") {
        return if constant == value { Ok(()) } else { fail("const") };
    }
    if let Some(words) = schema["enum"].as_array() {
        return if words.contains(value) { Ok(()) } else { fail("enum") };
    }
    for (key, most) in [("oneOf", 1), ("anyOf", usize::MAX)] {
        if let Some(shapes) = schema[key].as_array() {
            let fitting = shapes.iter().filter(|shape| validate(shape, root, value).is_ok()).count();
            return if (1..=most).contains(&fitting) { Ok(()) } else { fail(key) };
        }
    }
    match (schema["type"].as_str(), value) {
        (Some("object"), Json::Object(fields)) => {
            for required in schema["required"].as_array().into_iter().flatten() {
                if value.get(required.as_str().expect("a name")).is_none() {
                    return fail(&required.to_string());
                }
            }
            for (key, field) in fields {
                match (schema["properties"].get(key), &schema["additionalProperties"]) {
                    (Some(property), _) => validate(property, root, field)?,
                    (None, Json::Object(_)) => validate(&schema["additionalProperties"], root, field)?,
                    _ => return fail(key),
                }
            }
            Ok(())
        }
        (Some("array"), Json::Array(items)) => {
            let within = |key: &str, otherwise: u64| schema[key].as_u64().unwrap_or(otherwise);
            if !(within("minItems", 0)..=within("maxItems", u64::MAX)).contains(&(items.len() as u64)) {
                return fail("items");
            }
            items.iter().try_for_each(|item| validate(&schema["items"], root, item))
        }
        (Some("integer"), Json::Number(number)) => {
            let least = schema["minimum"].as_u64().unwrap_or(0);
            let most = schema["maximum"].as_u64().unwrap_or(u64::MAX);
            if number.as_u64().is_some_and(|number| (least..=most).contains(&number)) {
                Ok(())
            } else {
                fail("range")
            }
        }
        (Some("number"), Json::Number(_))
        | (Some("string"), Json::String(_))
        | (Some("boolean"), Json::Bool(_)) => Ok(()),
        _ => fail("type"),
    }
}

#[test]
fn the_schema_takes_what_the_reader_takes() {
    let schema = json_schema();
    let texts = builtin::all().iter().map(|builtin| builtin.text.to_owned());
    for text in texts.chain([BASE.to_owned(), rich()]) {
        let value = sound(&text).resolved_json();
        validate(&schema, &schema, &value).unwrap_or_else(|error| panic!("{error}"));
    }
    let value = sound(BASE).resolved_json();
    for (pointer, wrong) in [
        ("/group/0/up", json!(5)),
        ("/group/0/behaviour", json!("nice")),
        ("/group/0/arrive", json!({ "kind": "poisson" })),
        ("/client/unchoke_slots", json!(0)),
        ("/network/latency", json!({ "uniform": ["1 ms"] })),
        ("/group", json!([])),
        ("/run", json!({ "stop": "leechers-done", "unknown": 1 })),
    ] {
        let mut value = value.clone();
        *value.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = wrong;
        assert!(validate(&schema, &schema, &value).is_err(), "{pointer}");
    }
}

/// Every name of a property of the schema, wherever it stands, is taken by the reader in its place: said the other way
/// round, a key the reader does not know is not in the schema.
#[test]
fn the_schema_and_the_reader_know_the_same_keys() {
    let schema = json_schema();
    let names =
        |properties: &Json| properties.as_object().expect("properties").keys().cloned().collect::<Vec<_>>();
    let known = |text: &str, place: &str| {
        let said = said(parse(text));
        let said = said
            .iter()
            .find(|said| said.contains("unknown key 'zzzzzzzzzz'"))
            .unwrap_or_else(|| panic!("{said:?}"));
        let list =
            said.split_once(&format!("the keys of {place} are ")).unwrap_or_else(|| panic!("{said}")).1;
        let mut keys: Vec<String> = list.split(", ").map(str::to_owned).collect();
        keys.sort();
        keys
    };
    let section =
        |name: &str| known(&base_with("", "", &format!("[{name}]\nzzzzzzzzzz = 1")), &format!("[{name}]"));
    for name in ["run", "network", "tracker"] {
        assert_eq!(section(name), names(&schema["properties"][name]["properties"]), "{name}");
    }
    assert_eq!(section("client"), names(&schema["$defs"]["client"]["properties"]));
    assert_eq!(known(&base_with("zzzzzzzzzz = 1", "", ""), "a scenario"), names(&schema["properties"]));
    let group = &schema["properties"]["group"]["items"]["properties"];
    assert_eq!(known(&base_with("", "zzzzzzzzzz = 1", ""), "[[group]]"), names(group));
}

/// A text with parts cut out, doubled, or replaced by others.
fn mutated() -> impl Strategy<Value = String> {
    let texts: Vec<String> =
        builtin::all().iter().map(|builtin| builtin.text.to_owned()).chain([rich()]).collect();
    let scraps = proptest::sample::select(vec![
        "",
        "\"",
        "[",
        "]",
        "{",
        "}",
        "=",
        "\n",
        "-1",
        "1e9",
        "0x7f",
        "\"1 s\"",
        "\"\"",
        "[[group]]\n",
        "[client]\n",
        "{}",
        "[]",
        "inf",
        "nan",
        "2020-01-01",
        "\u{202e}",
        "é",
        "99999999999999999999999999",
        "true",
        ".",
        "kind",
        "\"auto\"",
    ]);
    let edits = proptest::collection::vec((any::<prop::sample::Index>(), 0usize..40, scraps), 1..6);
    (proptest::sample::select(texts), edits).prop_map(|(text, edits)| {
        let mut chars: Vec<char> = text.chars().collect();
        for (at, removed, scrap) in edits {
            let at = at.index(chars.len() + 1);
            let end = (at + removed).min(chars.len());
            chars.splice(at..end, scrap.chars());
        }
        chars.into_iter().collect()
    })
}

proptest! {
    #[test]
    fn any_text_is_answered(text in mutated(), flag in "[a-z.]{0,20}=?.{0,20}") {
        for sets in [Vec::new(), vec![flag]] {
            match Scenario::parse(&text, &Origin::named("s.toml"), &sets) {
                Ok(scenario) => prop_assert!(parse(&scenario.resolved_toml()).is_ok()),
                Err(error) => prop_assert!(!error.list().is_empty() && !error.to_string().is_empty()),
            }
        }
    }
}
