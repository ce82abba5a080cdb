//! Tests of parsing and showing quantities.

use proptest::prelude::*;

use super::*;

#[test]
fn usual_values() {
    for (text, bytes) in [
        ("32768", 32768),
        ("0", 0),
        ("16 KiB", 16384),
        ("16KiB", 16384),
        (" 1.5 MiB ", 1_572_864),
        ("700 MB", 700_000_000),
        ("0.5 kB", 500),
        ("1.50 kB", 1500),
        ("18446744073709551615 B", u64::MAX),
    ] {
        assert_eq!(parse_size(text), Ok(bytes), "{text}");
    }
    for (text, rate) in
        [("10 MB/s", 10_000_000), ("80 Mbit/s", 10_000_000), ("1500 kbit/s", 187_500), ("2.5 KiB/s", 2560)]
    {
        assert_eq!(parse_rate(text), Ok(rate), "{text}");
    }
    for (text, millis) in [("30 ms", 30), ("1.5 s", 1500), ("5 min", 300_000), ("1 h", 3_600_000), ("0 s", 0)]
    {
        assert_eq!(parse_time(text), Ok(Duration::from_millis(millis)), "{text}");
    }
}

#[test]
fn values_between_whole_bytes_go_to_the_nearest() {
    assert_eq!(parse_size("1.1 KiB"), Ok(1126)); // 1126.4
    assert_eq!(parse_rate("12 bit/s"), Ok(2)); // 1.5
    assert_eq!(parse_rate("0 bit/s"), Ok(0));
    assert_eq!(parse_rate("1 bit/s").unwrap_err().to_string(), "too small: the smallest rate is 1 B/s");
}

#[test]
fn a_missing_unit_is_said_and_one_is_proposed() {
    assert_eq!(parse_rate("10").unwrap_err().to_string(), "a rate needs a unit; did you mean '10 MB/s'?");
    assert_eq!(parse_time("1.5").unwrap_err().to_string(), "a time needs a unit; did you mean '1.5 s'?");
}

#[test]
fn an_unknown_unit_names_the_nearest() {
    let nearest = |error: UnitError| match error {
        UnitError::UnknownUnit { nearest, .. } => nearest,
        other => panic!("{other:?}"),
    };
    for (text, expected) in
        [("1 kb", "kB"), ("1 KB", "kB"), ("1 kib", "KiB"), ("1 M", "MiB"), ("1 GiBs", "GiB"), ("1 mb", "MB")]
    {
        assert_eq!(nearest(parse_size(text).unwrap_err()), expected, "{text}");
    }
    for (text, expected) in [
        ("1 Mbps", "Mbit/s"),
        ("1 mb/s", "MB/s"),
        ("1 MB", "MB/s"),
        ("1 kbits/s", "kbit/s"),
        ("1 MiB/sec", "MiB/s"),
        ("1 Mb/s", "MB/s"),
    ] {
        assert_eq!(nearest(parse_rate(text).unwrap_err()), expected, "{text}");
    }
    for (text, expected) in
        [("1 sec", "s"), ("1 m", "min"), ("1 hours", "h"), ("1 S", "s"), ("1 minuts", "min")]
    {
        assert_eq!(nearest(parse_time(text).unwrap_err()), expected, "{text}");
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for text in
        ["", "KiB", "-1 B", "1..2 B", ".5 B", "5. B", "1.2.3 B", "1e3 B", "1,5 B", "0x10", "1 B B", "٣ B"]
    {
        assert!(parse_size(text).is_err(), "{text}");
    }
    assert!(matches!(parse_size("18446744073709551616"), Err(UnitError::TooLarge { .. })));
    assert!(matches!(
        parse_size("340282366920938463463374607431768211455 TiB"),
        Err(UnitError::TooLarge { .. })
    ));
    assert!(matches!(parse_time("1000000 d"), Err(UnitError::TooLarge { .. })));
}

#[test]
fn quantities_are_shown_short() {
    for (bytes, text) in [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (16384, "16 KiB"),
        (1_048_575, "1 MiB"),
        (734_003_200, "700 MiB"),
        (u64::MAX, "16777216 TiB"),
    ] {
        assert_eq!(show_size(bytes), text);
    }
    assert_eq!(show_exact(1_572_864), "1.5 MiB (1,572,864 bytes)");
    assert_eq!(show_exact(5), "5 bytes");
    assert_eq!(show_rate(12_345_678), "12.3 MB/s");
    for (millis, text) in [
        (0, "0 s"),
        (340, "340 ms"),
        (999, "1.0 s"),
        (12_340, "12.3 s"),
        (59_990, "1 min 0 s"),
        (125_000, "2 min 5 s"),
        (11_040_000, "3 h 4 min"),
        (176_400_000, "2 d 1 h"),
    ] {
        assert_eq!(show_duration(Duration::from_millis(millis)), text);
    }
    for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
        assert_eq!(grouped(number), text);
    }
    for (number, text) in [(950, "950"), (3_240, "3.2 k"), (14_000_000, "14 M"), (999_950, "1 M")] {
        assert_eq!(show_number(number), text);
    }
    assert_eq!(rate_of(10, Duration::ZERO), 0);
    assert_eq!(rate_of(10, Duration::from_millis(500)), 20);
}

#[test]
fn frequencies_are_exact_in_every_unit() {
    for (text, billionths_per_hour) in [
        ("2 /s", 7_200_000_000_000),
        ("0.001 /s", 3_600_000_000),
        ("0.001/s", 3_600_000_000),
        ("1 /min", 60_000_000_000),
        ("3.5 /h", 3_500_000_000),
        ("0 /s", 0),
    ] {
        assert_eq!(parse_frequency(text), Ok(billionths_per_hour), "{text}");
    }
    for (text, message) in [
        ("2", "a frequency needs a unit; did you mean '2 /s'?"),
        ("2 Hz", "unknown unit 'Hz'; did you mean '/s'? Units of a frequency: /s, /min, /h"),
        ("2 /hour", "unknown unit '/hour'; did you mean '/h'? Units of a frequency: /s, /min, /h"),
        ("6000000 /s", "too large: the largest frequency is 5124095 /s"),
    ] {
        assert_eq!(parse_frequency(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn exact_texts_are_short() {
    for (bytes, text) in
        [(0, "0 KiB"), (1, "1 B"), (100 << 20, "100 MiB"), (1500, "1500 B"), (2_000_000_000, "2 GB")]
    {
        assert_eq!(exact_size(bytes), text);
    }
    for (rate, text) in
        [(50_000, "400 kbit/s"), (187_500, "1500 kbit/s"), (750_000, "6 Mbit/s"), (1, "8 bit/s")]
    {
        assert_eq!(exact_rate(rate), text);
    }
    for (micros, text) in
        [(0, "0 s"), (20_000, "20 ms"), (90_000_000, "90 s"), (86_400_000_000, "1 d"), (1, "1 us")]
    {
        assert_eq!(exact_time(Duration::from_micros(micros)), text);
    }
    assert_eq!(exact_time(Duration::from_nanos(1)), "0.001 us");
    assert_eq!(exact_frequency(parse_frequency("0.001 /s").unwrap()), "3.6 /h");
}

#[test]
fn plain_numbers_are_counted_in_billionths() {
    for (text, billionths) in [("0.25", 250_000_000), ("12", 12_000_000_000), ("0.000000001", 1), ("0", 0)] {
        assert_eq!(parse_billionths(text), Some(billionths), "{text}");
    }
    for text in ["", "-1", "1e3", "0.0000000001", "inf", "nan", "18446744074", "1 B"] {
        assert_eq!(parse_billionths(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn exact_texts_are_read_back(value: u64, small in 0u64..100_000) {
        for value in [value, small, small * 1000, small << 10] {
            prop_assert_eq!(parse_size(&exact_size(value)), Ok(value));
            prop_assert_eq!(parse_rate(&exact_rate(value)), Ok(value));
            prop_assert_eq!(parse_frequency(&exact_frequency(value)), Ok(value));
            let time = Duration::from_nanos(value);
            prop_assert_eq!(parse_time(&exact_time(time)), Ok(time));
        }
    }

    #[test]
    fn any_text_is_answered(text in ".*") {
        let _ = (parse_size(&text), parse_rate(&text), parse_time(&text));
    }

    #[test]
    fn whole_numbers_are_exact(number: u32, unit in 0..SIZE.units.len()) {
        let (name, factor) = SIZE.units[unit];
        prop_assert_eq!(parse_size(&format!("{number} {name}")).ok(), u64::from(number).checked_mul(factor));
    }

    #[test]
    fn thousandths_are_exact(thousandths in 1u64..1_000_000_000) {
        let text = format!("{}.{:03} kB", thousandths / 1000, thousandths % 1000);
        prop_assert_eq!(parse_size(&text), Ok(thousandths));
    }

    #[test]
    fn every_unit_of_rate_is_eight_bits_to_the_byte(number in 1u64..1_000_000) {
        prop_assert_eq!(parse_rate(&format!("{} Mbit/s", number * 8)), parse_rate(&format!("{number} MB/s")));
    }

    #[test]
    fn what_is_shown_is_read_back_within_a_tenth(bytes in 1u64..u64::MAX) {
        let again = parse_size(&show_size(bytes)).unwrap();
        prop_assert!(again.abs_diff(bytes) <= bytes / 19, "{} {}", bytes, again);
    }
}
