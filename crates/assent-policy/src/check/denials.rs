//! The messages with which a policy denies, for people to read.

use super::{
    parse::parse,
    syntax::{Rule, RuleKind},
};
use std::collections::BTreeMap;

/// A message with which a policy denies.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denial {
    /// The module.
    pub file: String,
    /// The line of the rule, from 1.
    pub line: u32,
    /// The message, as the rule writes it.
    pub message: String,
    /// The whole rule.
    pub rule: String,
}

/// Returns the messages with which the package of an entrypoint denies, in the order of modules and lines.
///
/// Modules that do not parse have none.
pub fn denials(entrypoint: &str, modules: &BTreeMap<String, String>) -> Vec<Denial> {
    let mut denials = Vec::new();
    for (file, text) in modules {
        let Ok(module) = parse(file, text) else { continue };
        if module.package.join(".") != entrypoint {
            continue;
        }
        let ends = module.rules.iter().skip(1).map(|rule| rule.span.start).chain([text.len()]);
        for (rule, end) in module.rules.iter().zip(ends) {
            let Some(element) = rule.element.as_ref().filter(|_| is_denial(rule)) else { continue };
            denials.push(Denial {
                file: file.clone(),
                line: rule.span.line,
                message: element.span.as_str().to_owned(),
                rule: without_comments_after(text.get(rule.span.start..end).unwrap_or_default()),
            });
        }
    }
    denials
}

fn is_denial(rule: &Rule) -> bool {
    rule.name() == "deny" && rule.kind == RuleKind::Set
}

/// Returns a rule's text without the comments that belong to the next rule.
fn without_comments_after(text: &str) -> String {
    let lines = text.lines().collect::<Vec<_>>();
    let is_of_rule = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let last = lines.iter().rposition(is_of_rule).unwrap_or(0);
    lines.get(..=last).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_comes_with_its_rule() {
        let text = [
            "package a\n\n# One.\ndeny contains \"x\" if {\n\tinput.y # not more\n}\n\n",
            "# Two.\ndeny contains m if {\n\tm := \"z\"\n}\n\nallow := true\n",
        ]
        .concat();
        let denials =
            denials("a", &[("a.rego".into(), text), ("b.rego".into(), "package b\n\ndeny contains 1\n".into())].into());
        let found = denials.iter().map(|denial| (denial.line, denial.message.as_str(), denial.rule.as_str()));
        let expected = [
            (4, "\"x\"", "deny contains \"x\" if {\n\tinput.y # not more\n}"),
            (9, "m", "deny contains m if {\n\tm := \"z\"\n}"),
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
}
