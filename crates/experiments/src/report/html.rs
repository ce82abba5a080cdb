//! Text in HTML: nothing that comes from a scenario is markup.

/// A text with what HTML would take for its own written as entities; for content and quoted attributes alike. Control
/// characters besides blanks and line ends, which HTML has no form for, are shown as a replacement.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A table: the first column words, the others numbers.
pub(super) fn table(titles: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut html = String::from("<div class=\"wide\" tabindex=\"0\"><table><thead><tr>");
    titles.iter().for_each(|title| html.push_str(&format!("<th scope=\"col\">{}</th>", escape(title))));
    html.push_str("</tr></thead><tbody>");
    for row in rows {
        html.push_str("<tr>");
        for (number, cell) in row.iter().enumerate() {
            let cell = escape(cell);
            let cell = if number == 0 {
                format!("<th scope=\"row\">{cell}</th>")
            } else {
                format!("<td>{cell}</td>")
            };
            html.push_str(&cell);
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div>");
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_no_markup() {
        assert_eq!(
            escape("</pre><script>\"a\" & 'b'\n\u{0}"),
            "&lt;/pre&gt;&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;\n\u{fffd}"
        );
        assert!(
            table(&["<t>"], [vec!["<b>".into(), "<i>".into()]])
                .contains("<th scope=\"row\">&lt;b&gt;</th><td>&lt;i&gt;</td>")
        );
    }
}
