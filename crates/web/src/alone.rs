//! Page and trace as one file that opens from disk, with no server and no network: for mailing a run to somebody.
//!
//! The page finds the trace in a `script` element with the id `trace` (base64 of deflate, RFC 1951), what it is in one with
//! the id `session`, and then fetches nothing. A policy in the file forbids that it could.

use miniz_oxide::deflate::compress_to_vec;

use crate::shows::{Session, Show};
use crate::{assets, base64};

/// Effort of compression, of 10: beyond this, files get hardly smaller and take much longer.
const EFFORT: u8 = 8;

/// Nothing but what is in the file.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      img-src data: blob:; worker-src blob:; base-uri 'none'; form-action 'none'";

/// The page that shows this run, whose trace is given. The source of `show` does not matter.
pub fn page(show: &Show, trace: &[u8]) -> String {
    let page = String::from_utf8_lossy(assets::PAGE.bytes);
    let style = String::from_utf8_lossy(assets::STYLE.bytes);
    let script = String::from_utf8_lossy(assets::SCRIPT.bytes);
    let session = Session::of_file(show).json().replace('<', "\\u003c");
    let head = format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n<style>\n{style}</style>"
    );
    let data = format!(
        "<script id=\"session\" type=\"application/json\">{session}</script>\n\
         <script id=\"trace\" type=\"application/octet-stream\" data-encoding=\"deflate-raw\">{}</script>",
        base64::encode(&compress_to_vec(trace, EFFORT)),
    );
    // What would end the element, or comment out its end, is written so that it means the same to the script only.
    let script = script.replace("</script", "<\\/script").replace("<!--", "\\x3c!--");
    let page = put(&page, "<link", "page.css", "", &head);
    put(
        &page,
        "<script",
        "page.js",
        "</script>",
        &format!("{data}\n<script type=\"module\">\n{script}</script>"),
    )
}

/// Puts `text` in place of the tag that begins with `open` and names `file`, up to `close` behind it.
fn put(page: &str, open: &str, file: &str, close: &str, text: &str) -> String {
    let found = page.find(file).and_then(|named| {
        let from = page[..named].rfind(open)?;
        let to = named + page[named..].find('>')? + 1;
        let to = to + if close.is_empty() { 0 } else { page[to..].find(close)? + close.len() };
        Some((from, to))
    });
    // The page of this build names both; its tests would notice.
    found.map_or_else(|| page.to_owned(), |(from, to)| [&page[..from], text, &page[to..]].concat())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Source;

    fn element<'a>(page: &'a str, id: &str) -> &'a str {
        let (_, rest) = page.split_once(&format!("<script id=\"{id}\"")).expect("it is there");
        let (_, rest) = rest.split_once('>').expect("a tag ends");
        rest.split_once("</script>").expect("an element ends").0
    }

    #[test]
    fn the_file_has_all_it_needs_inside() {
        let show =
            Show { name: "a </script> b".to_owned(), lesson: json!({"name": "choke"}), source: Source::None };
        let page = page(&show, b"swarmlab trace");
        for named in ["page.css", "page.js", "href=\"./", "src="] {
            let outside = page.split("<script type=\"module\">").next().expect("a first part");
            assert!(!outside.contains(named), "{named} is still in {outside}");
        }
        let session: Value = serde_json::from_str(element(&page, "session")).unwrap();
        assert_eq!(session["name"], "a </script> b");
        assert_eq!(session["mode"], "file");
        assert_eq!(session["lesson"]["name"], "choke");
        assert_eq!(element(&page, "trace").len() % 4, 0);
        assert!(!page.split_once("type=\"module\">").unwrap().1.contains("<!--"));
        assert_eq!(page.matches("</script>").count(), 3, "each script ends where it should");
        assert_eq!(page.matches("</style").count(), 1);
    }

    #[test]
    fn a_tag_is_found_by_the_file_it_names() {
        let page =
            "<link rel=icon href=x><link\n crossorigin href='/page.css'><p><script src=page.js></script></p>";
        let page = put(page, "<link", "page.css", "", "STYLE");
        let page = put(&page, "<script", "page.js", "</script>", "SCRIPT");
        assert_eq!(page, "<link rel=icon href=x>STYLE<p>SCRIPT</p>");
        assert_eq!(put("nothing", "<link", "page.css", "", "STYLE"), "nothing");
    }
}
