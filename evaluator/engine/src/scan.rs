//! What can be seen of a module without parsing it: calls, and the names of rules.

use alloc::{format, string::String, vec::Vec};

/// Builtins that depend on more than their arguments, or have an effect.
const REFUSED: [&str; 8] =
    ["http.send", "net.lookup_ip_addr", "opa.runtime", "print", "rand.intn", "time.now_ns", "trace", "uuid.rfc4122"];

/// A name in a module, with its dots.
struct Name<'a> {
    text: &'a str,
    offset: usize,
    /// Whether an opening parenthesis follows.
    is_call: bool,
    /// Whether it is the first of its line, outside of brackets.
    is_first: bool,
}

/// Checks that a module calls no builtin that would depend on more than the regions.
///
/// # Errors
///
/// The call, and its line and column.
pub(crate) fn require_no_refused_call(module: &str, text: &str) -> Result<(), String> {
    let mut found = None;
    names(text, |name| {
        if name.is_call && found.is_none() && REFUSED.contains(&name.text) {
            found = Some((name.text, name.offset));
        }
    });
    let Some((name, offset)) = found else { return Ok(()) };
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
    Err(format!("{module}:{line}:{column}: `{name}` is refused: its result does not follow from the evidence"))
}

/// Returns the names of a module's tests, each once, in their order.
pub(crate) fn tests(text: &str) -> Vec<&str> {
    let mut tests = Vec::new();
    names(text, |name| {
        let rule = name.text.split('.').next().unwrap_or_default();
        let is_test = rule.starts_with("test_") || rule.starts_with("todo_test_");
        if name.is_first && is_test && !tests.contains(&rule) {
            tests.push(rule);
        }
    });
    tests
}

/// Calls back for each name outside of comments and strings.
fn names<'a>(text: &'a str, mut each: impl FnMut(Name<'a>)) {
    let bytes = text.as_bytes();
    let byte = |index: usize| bytes.get(index).copied();
    let (mut index, mut depth, mut is_first) = (0_usize, 0_usize, true);
    while let Some(current) = byte(index) {
        match current {
            b'\n' => is_first = true,
            b'#' => {
                while byte(index).is_some_and(|byte| byte != b'\n') {
                    index = index.saturating_add(1);
                }
                continue;
            }
            b'"' | b'`' => {
                index = index.saturating_add(1);
                while let Some(inner) = byte(index).filter(|inner| *inner != current) {
                    let is_escape = inner == b'\\' && current == b'"';
                    index = index.saturating_add(if is_escape { 2 } else { 1 });
                }
                is_first = false;
            }
            b'(' | b'[' | b'{' => depth = depth.saturating_add(1),
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b' ' | b'\t' | b'\r' => {}
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let start = index;
                while byte(index).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.') {
                    index = index.saturating_add(1);
                }
                let name = text.get(start..index).unwrap_or_default();
                let follows = bytes.get(index..).unwrap_or_default().iter().find(|byte| !matches!(byte, b' ' | b'\t'));
                // What a dot leads to belongs to the expression before the dot.
                let is_member = start.checked_sub(1).and_then(byte).is_some_and(|before| before == b'.');
                let is_call = follows == Some(&b'(') && !is_member;
                each(Name { text: name, offset: start, is_call, is_first: is_first && depth == 0 });
                is_first = false;
                continue;
            }
            _ => is_first = false,
        }
        index = index.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Result<(), String> {
        require_no_refused_call("a.rego", text)
    }

    #[test]
    fn calls_of_clock_random_world_and_output_are_refused_with_their_position() {
        for name in REFUSED {
            let text = format!("package a\n\nallow if {{\n\té := \"x\"; {name}(1)\n}}");
            let error = refusal(&text).expect_err(name);
            assert!(error.starts_with(&format!("a.rego:4:12: `{name}` is refused")), "{error}");
            assert!(refusal(&format!("package a\nallow if {name} (\"x\")")).is_err());
        }
    }

    #[test]
    fn names_in_comments_and_strings_and_longer_names_are_no_calls() {
        for text in [
            "# print(1)",
            "x := \"print(1) \\\" trace(2)\"",
            "x := `print(1) \\` + y",
            "x := sprint(1)",
            "x := a.print(1)",
            "x := a[0].print(1)",
            "x := print",
            "x if y with time.now_ns as 5",
        ] {
            assert_eq!(refusal(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn tests_are_the_rules_of_that_name_outside_of_bodies() {
        let text = "package a_test\n\ntest_a if {\n\ttest_inner\n}\n\n  todo_test_b := true\n# test_c\n\
            test_a if false\nx := `\ntest_d if true`\nattest_e := 1\ntest_f.x := 1\n";
        assert_eq!(tests(text), ["test_a", "todo_test_b", "test_f"]);
    }
}
