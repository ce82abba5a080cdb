//! What there is to see: recorded runs, runs that go on, lessons. A [`Shows`] has the one that is shown first, a menu of others,
//! and a way to open what is on the menu and on nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::feed::Feed;
use crate::pace::Pace;

/// Something to see.
#[derive(Clone, Debug)]
pub struct Show {
    /// What the page calls it.
    pub name: String,
    /// The lesson it belongs to, as the page draws it; `null` without one.
    pub lesson: Value,
    /// Where its bytes come from.
    pub source: Source,
}

/// Where the bytes of a trace come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Nowhere: a lesson of pictures only.
    None,
    /// A file that is whole, or as whole as it will get.
    File(PathBuf),
    /// A run that goes on, and how to pace it where that is possible. When it has ended it is a file.
    Live(Arc<Feed>, Option<Arc<Pace>>),
}

/// What kind of thing an entry of the menu is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A lesson: a question, a run, an answer.
    Lesson,
    /// A scenario, simulated while one watches.
    Scenario,
}

/// Something on the menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// What opens it: `lesson:choke`.
    pub open: String,
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The question it asks, or what it is about.
    pub question: String,
}

/// Makes what an entry of the menu names; the error is a sentence for whoever asked.
type Opener = Box<dyn Fn(&str) -> Result<Show, String> + Send + Sync>;

/// All there is to see.
pub struct Shows {
    first: Option<Arc<Show>>,
    menu: Vec<Entry>,
    opener: Opener,
    /// What was opened stays so: a run is made once. There are at most as many as the menu has entries.
    opened: Mutex<BTreeMap<String, Arc<Show>>>,
}

/// What a page is told before anything else.
#[derive(Debug, Serialize)]
pub(crate) struct Session<'a> {
    mode: &'static str,
    name: &'a str,
    /// Whether the run can be paused.
    controls: bool,
    lesson: &'a Value,
}

impl Shows {
    /// Shows this first, or the menu, whose entries `opener` opens.
    pub fn new(
        first: Option<Show>,
        menu: Vec<Entry>,
        opener: impl Fn(&str) -> Result<Show, String> + Send + Sync + 'static,
    ) -> Shows {
        let first = first.map(Arc::new);
        Shows { first, menu, opener: Box::new(opener), opened: Mutex::default() }
    }

    /// Shows this and nothing else.
    pub fn only(show: Show) -> Shows {
        Shows::new(Some(show), Vec::new(), |_| Err("there is nothing else to open".to_owned()))
    }

    /// The menu.
    pub(crate) fn menu(&self) -> &[Entry] {
        &self.menu
    }

    /// What is meant: the first thing, or an entry of the menu. May take as long as a lesson runs. `Ok(None)` is the menu.
    pub(crate) fn find(&self, open: Option<&str>) -> Result<Option<Arc<Show>>, String> {
        let Some(open) = open else { return Ok(self.first.clone()) };
        if !self.menu.iter().any(|entry| entry.open == open) {
            return Err("this is not on the menu".to_owned());
        }
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(show) = opened.get(open) {
            return Ok(Some(show.clone()));
        }
        let show = Arc::new((self.opener)(open)?);
        opened.insert(open.to_owned(), show.clone());
        Ok(Some(show))
    }
}

impl fmt::Debug for Shows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shows").field("first", &self.first).field("menu", &self.menu).finish_non_exhaustive()
    }
}

impl<'a> Session<'a> {
    /// Of something to see; of the menu where there is nothing.
    pub(crate) fn of(show: Option<&'a Show>) -> Session<'a> {
        let Some(show) = show else {
            return Session { mode: "menu", name: "swarmlab", controls: false, lesson: &Value::Null };
        };
        let (mode, controls) = match &show.source {
            Source::None => ("pictures", false),
            Source::File(_) => ("file", false),
            Source::Live(feed, _) if feed.has_ended() => ("file", false),
            Source::Live(_, pace) => ("live", pace.is_some()),
        };
        Session { mode, name: &show.name, controls, lesson: &show.lesson }
    }

    /// Of something to see as a recorded run, wherever its bytes come from.
    pub(crate) fn of_file(show: &'a Show) -> Session<'a> {
        Session { mode: "file", name: &show.name, controls: false, lesson: &show.lesson }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn show(name: &str) -> Show {
        Show { name: name.to_owned(), lesson: Value::Null, source: Source::None }
    }

    #[test]
    fn what_is_on_the_menu_is_opened_once_and_nothing_else_is() {
        let count = Arc::new(AtomicUsize::new(0));
        let entry = Entry {
            open: "lesson:choke".to_owned(),
            kind: Kind::Lesson,
            name: "choke".to_owned(),
            title: "Choke".to_owned(),
            question: "Why?".to_owned(),
        };
        let counted = count.clone();
        let shows = Shows::new(None, vec![entry], move |open| {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok(show(open))
        });
        assert!(shows.find(None).unwrap().is_none());
        for _ in 0..2 {
            assert_eq!(shows.find(Some("lesson:choke")).unwrap().unwrap().name, "lesson:choke");
        }
        assert!(shows.find(Some("lesson:other")).is_err());
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_run_that_has_ended_is_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let (feed, writer) = Feed::create(&dir.path().join("trace")).unwrap();
        let pace = Arc::new(Pace::new(crate::Speed::REAL, false));
        let live = Show { source: Source::Live(feed, Some(pace)), ..show("quickstart") };
        let text = Session::of(Some(&live)).json();
        assert_eq!(text, r#"{"mode":"live","name":"quickstart","controls":true,"lesson":null}"#);
        drop(writer);
        assert!(Session::of(Some(&live)).json().contains(r#""mode":"file""#));
        assert!(Session::of(None).json().contains(r#""mode":"menu""#));
    }
}
