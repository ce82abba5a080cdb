//! Making a draft that fails smaller while it still fails: parts go, counts and sizes are halved.

use super::Draft;

/// Makes a draft smaller as long as `fails` says of what is left that it still does what it is about. At most `tries` drafts
/// are tried.
pub fn shrink(draft: &Draft, tries: usize, fails: &mut dyn FnMut(&Draft) -> bool) -> Draft {
    let mut smallest = draft.clone();
    let mut left = tries;
    loop {
        let before = smallest.clone();
        for step in [sections, keys, numbers] {
            take(&mut smallest, step, &mut left, fails);
        }
        if left == 0 || smallest == before {
            return smallest;
        }
    }
}

/// The draft with its part number so many made smaller; `None` behind the last part.
type Step = fn(&Draft, usize) -> Option<Draft>;

/// Tries a step on every part, and again on the same part as long as that helps.
fn take(smallest: &mut Draft, step: Step, left: &mut usize, fails: &mut dyn FnMut(&Draft) -> bool) {
    let mut part = 0;
    while let Some(smaller) = step(smallest, part) {
        if smaller == *smallest {
            part += 1;
            continue;
        }
        if *left == 0 {
            return;
        }
        *left -= 1;
        if fails(&smaller) {
            *smallest = smaller;
        } else {
            part += 1;
        }
    }
}

/// Without a section, and without what names it.
fn sections(draft: &Draft, part: usize) -> Option<Draft> {
    let section = draft.sections.get(part)?;
    let mut smaller = draft.clone();
    smaller.sections.remove(part);
    if section.header == "[[group]]"
        && let Some(name) = section.get("name")
    {
        smaller.sections.retain(|other| other.header != "[[fault]]" || !other.mentions(name));
    }
    Some(smaller)
}

/// Without a key. Regions go with the latency that defines them.
fn keys(draft: &Draft, part: usize) -> Option<Draft> {
    let (section, key) = place(draft, part)?;
    let mut smaller = draft.clone();
    let (name, _) = smaller.sections[section].keys.remove(key);
    if name == "latency" {
        smaller.sections.iter_mut().for_each(|section| section.keys.retain(|(key, _)| key != "region"));
    }
    Some(smaller)
}

/// With the numbers of a value halved.
fn numbers(draft: &Draft, part: usize) -> Option<Draft> {
    let (section, key) = place(draft, part)?;
    let mut smaller = draft.clone();
    let value = &mut smaller.sections[section].keys[key].1;
    *value = halved(value);
    Some(smaller)
}

/// The section and the number in it of a key, counted over all sections.
fn place(draft: &Draft, mut part: usize) -> Option<(usize, usize)> {
    for (number, section) in draft.sections.iter().enumerate() {
        if part < section.keys.len() {
            return Some((number, part));
        }
        part -= section.keys.len();
    }
    None
}

/// The text with every whole number in it halved, down to 1; numbers in words and fractions stay.
fn halved(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits.max(first.len_utf8()));
        let stands_alone = !before.is_alphanumeric() && !"._-".contains(before) && !behind.starts_with('.');
        match number.parse::<u64>() {
            Ok(value) if stands_alone && value > 1 => result.push_str(&(value / 2).to_string()),
            _ => result.push_str(number),
        }
        before = number.chars().next_back().unwrap_or(first);
        rest = behind;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_halved_and_words_left_alone() {
        for (text, half) in [
            ("\"100 ms\"", "\"50 ms\""),
            ("{ kind = \"at\", time = \"9 s\" }", "{ kind = \"at\", time = \"4 s\" }"),
            ("{ uniform = [\"8 ms\", \"80 ms\"] }", "{ uniform = [\"4 ms\", \"40 ms\"] }"),
            ("\"mainline-4\"", "\"mainline-4\""),
            ("\"g12\"", "\"g12\""),
            ("0.25", "0.25"),
            ("1", "1"),
        ] {
            assert_eq!(halved(text), half);
        }
    }
}
