//! Values that have been checked against their definitions, and where they stand.

use std::time::Duration;

use swarmlab_sim::Latency;

use super::diagnostic::Place;
use super::expect::Expectation;

/// A checked value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plain {
    Text(String),
    Flag(bool),
    Count(u64),
    /// Bytes.
    Size(u64),
    /// A piece length that is to be chosen.
    Auto,
    /// Bytes per second.
    Rate(u64),
    Time(Duration),
    /// Billionths of an event per hour.
    Frequency(u64),
    /// Billionths.
    Number(u64),
    /// A word of a choice.
    Word(&'static str),
    Variant(&'static str, Record),
    Table(Record),
    Tables(Vec<Record>),
    Pair(String, String),
    Latency(Latency, Vec<String>),
    Expectations(Vec<Expectation>),
}

/// A table that has been checked: every required key is there, and defaults are filled in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Record {
    /// Where the table stands.
    pub place: Place,
    /// In the order of the definitions.
    pub fields: Vec<Field>,
}

/// A key with its checked value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub key: &'static str,
    /// Where the value stands; for a default the table.
    pub place: Place,
    pub plain: Plain,
}

/// The getters panic when the definition of the key says another kind or does not promise it: that is a mistake in
/// the definitions, which the test of all built-in scenarios would meet.
macro_rules! getters {
    ($($name:ident, $find:ident -> $type:ty: $pattern:pat => $value:expr;)*) => {
        $(
            #[allow(dead_code)] // each kind has both forms
            pub(crate) fn $name(&self, key: &str) -> $type {
                self.$find(key).unwrap_or_else(|| panic!("no {key}"))
            }

            #[allow(dead_code)] // each kind has both forms
            pub(crate) fn $find(&self, key: &str) -> Option<$type> {
                match self.get(key)? {
                    $pattern => Some($value),
                    other => panic!("{key} is {other:?}"),
                }
            }
        )*
    };
}

impl Record {
    pub(crate) fn get(&self, key: &str) -> Option<&Plain> {
        self.field(key).map(|field| &field.plain)
    }

    /// Where the value of a key stands, or else the table.
    pub(crate) fn place_of(&self, key: &str) -> Place {
        self.field(key).map_or(self.place, |field| field.place)
    }

    fn field(&self, key: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// Puts another value in the place of a key, or adds it.
    pub(crate) fn set(&mut self, key: &'static str, plain: Plain) {
        match self.fields.iter_mut().find(|field| field.key == key) {
            Some(field) => field.plain = plain,
            None => self.fields.push(Field { key, place: self.place, plain }),
        }
    }

    getters! {
        text, find_text -> &str: Plain::Text(text) => text;
        flag, find_flag -> bool: Plain::Flag(flag) => *flag;
        count, find_count -> u64: Plain::Count(count) => *count;
        size, find_size -> u64: Plain::Size(size) => *size;
        rate, find_rate -> u64: Plain::Rate(rate) => *rate;
        time, find_time -> Duration: Plain::Time(time) => *time;
        frequency, find_frequency -> u64: Plain::Frequency(frequency) => *frequency;
        number, find_number -> u64: Plain::Number(number) => *number;
        word, find_word -> &'static str: Plain::Word(word) => *word;
        variant, find_variant -> (&'static str, &Record): Plain::Variant(name, record) => (*name, record);
        table, find_table -> &Record: Plain::Table(record) => record;
        tables, find_tables -> &[Record]: Plain::Tables(records) => records;
        pair, find_pair -> (&str, &str): Plain::Pair(one, other) => (one, other);
        latency, find_latency -> (&Latency, &[String]): Plain::Latency(latency, regions) => (latency, regions);
        expectations, find_expectations -> &[Expectation]: Plain::Expectations(list) => list;
    }
}
