//! The page as text: nothing from outside is markup, nothing is fetched, it stays small. How it looks is for eyes.

use crate::results::tests::{large, small};

#[test]
fn names_and_texts_are_escaped() {
    let mut case = small();
    case.info.scenario_name = "<script>alert(1)</script>".to_owned();
    case.info.scenario_text = "</pre><img src=x onerror=alert(2)>".to_owned();
    case.info.version = "<b>".to_owned();
    case.model.groups[0].name = "\"><svg onload=alert(3)>".to_owned();
    case.outcome.checks[1].failure = Some("<i>".to_owned());
    let page = case.results().report();
    for hostile in ["<script>alert", "<img", "<svg onload", "<b>", "<i>"] {
        assert!(!page.contains(hostile), "{hostile}");
    }
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(page.contains("&lt;/pre&gt;&lt;img src=x onerror=alert(2)&gt;"));
}

#[test]
fn nothing_is_fetched() {
    let page = small().results().report();
    for loading in ["<link", " src=", "@import", "url(", "fetch("] {
        assert!(!page.contains(loading), "{loading}");
    }
    // The name space of SVG is a name, not an address.
    assert_eq!(page.matches("http").count(), page.matches("http://www.w3.org/2000/svg").count());
    assert!(super::SCRIPT.len() < 5_000);
}

#[test]
fn a_page_of_many_peers_and_samples_is_small() {
    let case = large(3, 9, 20_000, 500);
    let mut long = case;
    let samples = long.outcome.timeline.clone();
    long.outcome.timeline = std::iter::repeat_n(samples, 60).flatten().collect();
    long.info.scenario_text = "é".repeat(1 << 20);
    let page = long.results().report();
    assert!(page.len() < 400_000, "{}", page.len());
    assert!(page.contains("the rest is in manifest.json"));
}

#[test]
fn tags_are_closed() {
    for case in [small(), large(1, 3, 100, 50), large(2, 8, 64, 1)] {
        let page = case.results().report();
        let mut open = Vec::new();
        let body = page.split_once("<body>").unwrap().1.split_once("<script>").unwrap().0;
        for tag in body.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').expect("a tag ends");
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "{tag}");
            } else if !tag.ends_with('/') {
                open.push(tag.split(' ').next().unwrap());
            }
        }
        assert_eq!(open, Vec::<&str>::new());
    }
}

#[test]
fn pictures_that_have_nothing_to_show_say_so() {
    let mut case = small();
    case.outcome.timeline.clear();
    case.outcome.flows = vec![vec![0; 2]; 2];
    case.outcome.peers.iter_mut().for_each(|peer| (peer.complete, peer.downloaded) = (None, 0));
    let page = case.results().report();
    for words in [
        "Nobody completed.",
        "No samples over time were kept.",
        "Nobody received anything.",
        "Nothing was given.",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("class=\"chart\""));
}

#[test]
fn the_bound_is_drawn_in() {
    let page = small().results().report();
    assert!(page.contains("class=\"mark\"") && page.contains(">bound 20.3 s</text>"));
    let mut endless = small();
    endless.model.run.stop = swarmlab_sim::Stop::Never;
    let page = endless.results().report();
    assert!(!page.contains("class=\"mark\"") && page.contains("since each one&#39;s own join"));
}
