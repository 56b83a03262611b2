//! Patterns with wildcards, as OPA's `glob.match` has them.
//!
//! | part | matches |
//! | --- | --- |
//! | `*` | any characters that are no delimiters |
//! | `**` | any characters |
//! | `?` | one character that is no delimiter |
//! | `[abc]`, `[a-c]`, `[!abc]` | one character of these, or none of these |
//! | `{a,b}` | one of these patterns |
//! | `\x` | the character itself |

use alloc::{string::String, vec, vec::Vec};

/// A part of a pattern that has no alternatives.
#[derive(Clone)]
enum Part {
    Character(char),
    One,
    Any,
    AnyWithDelimiters,
    Class { is_negated: bool, ranges: Vec<(char, char)> },
}

/// Returns whether a text matches. Returns nothing if the pattern is invalid.
pub(crate) fn is_match(pattern: &str, delimiters: &[char], text: &str) -> Option<bool> {
    let mut rest: Vec<char> = pattern.chars().rev().collect();
    let alternatives = sequence(&mut rest, false)?;
    let text: Vec<char> = text.chars().collect();
    Some(alternatives.iter().any(|parts| matches(parts, delimiters, &text)))
}

/// Returns a pattern that matches only this text.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::new();
    for character in text.chars() {
        if "*?\\[]{}".contains(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

/// Parses up to the end or, within braces, up to a comma or the closing brace. Returns each alternative.
fn sequence(rest: &mut Vec<char>, is_within: bool) -> Option<Vec<Vec<Part>>> {
    let mut alternatives = vec![Vec::new()];
    while let Some(character) = rest.pop() {
        match character {
            ',' | '}' if is_within => {
                rest.push(character);
                return Some(alternatives);
            }
            '{' => {
                let choices = choices(rest)?;
                let joined = alternatives
                    .iter()
                    .flat_map(|before| choices.iter().map(|choice| before.iter().chain(choice).cloned().collect()));
                alternatives = joined.collect();
            }
            _ => {
                let part = part(character, rest)?;
                alternatives.iter_mut().for_each(|alternative: &mut Vec<Part>| alternative.push(part.clone()));
            }
        }
    }
    if is_within { None } else { Some(alternatives) }
}

fn choices(rest: &mut Vec<char>) -> Option<Vec<Vec<Part>>> {
    let mut choices = Vec::new();
    loop {
        choices.extend(sequence(rest, true)?);
        if rest.pop()? == '}' {
            return Some(choices);
        }
    }
}

fn part(character: char, rest: &mut Vec<char>) -> Option<Part> {
    Some(match character {
        '*' if rest.last() == Some(&'*') => {
            rest.pop();
            Part::AnyWithDelimiters
        }
        '*' => Part::Any,
        '?' => Part::One,
        '[' => class(rest)?,
        '\\' => Part::Character(rest.pop()?),
        _ => Part::Character(character),
    })
}

fn class(rest: &mut Vec<char>) -> Option<Part> {
    let is_negated = rest.last() == Some(&'!');
    if is_negated {
        rest.pop();
    }
    let mut ranges = Vec::new();
    loop {
        let first = match rest.pop()? {
            ']' if !ranges.is_empty() => return Some(Part::Class { is_negated, ranges }),
            '\\' => rest.pop()?,
            first => first,
        };
        if rest.last() != Some(&'-') {
            ranges.push((first, first));
            continue;
        }
        rest.pop();
        ranges.push((first, rest.pop()?));
    }
}

/// Follows all ways through the pattern at once: for each part, the positions in the text that lead to it.
fn matches(parts: &[Part], delimiters: &[char], text: &[char]) -> bool {
    let is_delimiter = |character: &char| delimiters.contains(character);
    let mut reached = vec![false; text.len().saturating_add(1)];
    reached.iter_mut().take(1).for_each(|first| *first = true);
    for part in parts {
        let mut next = vec![false; reached.len()];
        let mut carried = false;
        for (index, next) in next.iter_mut().enumerate() {
            let is_here = reached.get(index) == Some(&true);
            let before =
                index.checked_sub(1).and_then(|before| Some((text.get(before)?, reached.get(before)? == &true)));
            *next = match part {
                Part::Any => is_here || carried && before.is_some_and(|(character, _)| !is_delimiter(character)),
                Part::AnyWithDelimiters => is_here || carried,
                Part::One => before.is_some_and(|(character, was)| was && !is_delimiter(character)),
                Part::Character(wanted) => before.is_some_and(|(character, was)| was && character == wanted),
                Part::Class { is_negated, ranges } => before.is_some_and(|(character, was)| {
                    was && ranges.iter().any(|(first, last)| (first..=last).contains(&character)) != *is_negated
                }),
            };
            carried = *next;
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_match_what_they_stand_for() {
        for (pattern, delimiters, text, expected) in [
            ("*.github.com", ".", "api.github.com", Some(true)),
            ("*.github.com", ".", "api.v1.github.com", Some(false)),
            ("**.github.com", ".", "api.v1.github.com", Some(true)),
            ("*", "", "a.b", Some(true)),
            ("*", ".", "", Some(true)),
            ("a*b*c", "", "aXbYbZc", Some(true)),
            ("a*b*c", "", "aXbYbZ", Some(false)),
            ("?at", "f", "fat", Some(false)),
            ("?at", "f", "cat", Some(true)),
            ("[a-c]x", "", "bx", Some(true)),
            ("[!a-c]x", "", "bx", Some(false)),
            ("{cat,b{a,i}t,[fr]at}", "", "bit", Some(true)),
            ("{cat,bat}s", "", "cats", Some(true)),
            ("{cat,bat}s", "", "cat", Some(false)),
            ("a,b}", "", "a,b}", Some(true)),
            ("\\*", "", "*", Some(true)),
            ("\\*", "", "a", Some(false)),
            ("{a", "", "a", None),
            ("[a", "", "a", None),
            ("a\\", "", "a", None),
        ] {
            let delimiters: Vec<char> = delimiters.chars().collect();
            assert_eq!(is_match(pattern, &delimiters, text), expected, "{pattern} {text}");
        }
        let text = "a*?[b]{c,d}\\.";
        assert_eq!(is_match(&quote(text), &[], text), Some(true));
    }
}
