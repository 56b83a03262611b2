//! The text of rules and tests.

use super::{
    group::{Call, Group, Names},
    limits::Limit,
    misses::Miss,
    name_of,
    values::{object, quoted},
};
use alloy_primitives::hex;
use assent_rules::{AbiType, Function};
use core::fmt::Write as _;

/// The words that Rego does not permit behind a dot.
const KEYWORDS: [&str; 16] = [
    "as", "contains", "default", "else", "every", "false", "if", "import", "in", "input", "not", "null", "package",
    "some", "true", "with",
];

/// Returns the module with the rules.
pub(super) fn rules(package: &str, groups: &[Group<'_>]) -> String {
    let mut text = format!(
        "# The calls that were recorded, and no others. Each argument is limited by itself, whatever the others are.\n\
         package {package}\n\ndefault allow := false\n"
    );
    for group in groups {
        text += &group_rules(group);
    }
    text += "\n# What no group has was never recorded.\n";
    for group in groups {
        let _ = writeln!(text, "is_recorded if {}_limits\n", group.name);
    }
    text += "deny contains sprintf(\"calls of %v of %v were not recorded\", \
             [input.call.signature, input.intent.to]) if {\n\
             \tnot is_recorded\n}\n";
    text
}

fn group_rules(group: &Group<'_>) -> String {
    let Group { function, name, targets } = group;
    let limits = format!("{name}_limits");
    let signature = quoted(&function.signature());
    let mut rules = Rules { limits: &limits, name: &function.name, conditions: Vec::new(), denials: Vec::new() };
    rules.one_of("the chain", "input.intent.chain_id", &format!("{limits}.chains"), &[]);
    let Some(target) = targets.values().next() else { return String::new() };
    if target.callers != Limit::Free(0) && !matches!(target.callers, Limit::Free(_)) {
        rules.one_of("the caller", "input.intent.from", &format!("{limits}.callers"), &[]);
    }
    rules.at_most("the value", "input.intent.value", &format!("{limits}.value"), &[]);
    let mut free = Vec::new();
    for (index, (parameter, limit)) in function.parameters.iter().zip(&target.limits).enumerate() {
        let argument = name_of(parameter, index);
        let value = field("input.call.args", &argument);
        let limit_of = field(&format!("{limits}.args"), &argument);
        let condition = rules.limit(&parameter.ty, limit, &argument, &value, &limit_of, &mut Vec::new(), &mut free);
        rules.conditions.extend(condition);
    }
    let mut text = format!("\n# {}\n", function.to_string().trim_start_matches("function "));
    if matches!(target.callers, Limit::Free(_)) {
        text += "# NOT LIMITED: the caller. Too many were recorded.\n";
    }
    for path in free {
        let _ = writeln!(text, "# NOT LIMITED: {path}. Too many values, or values that are too long, were recorded.");
    }
    let key = field("data.params", name);
    let _ = writeln!(text, "{limits} := {key}[input.intent.to] if input.call.signature == {signature}");
    let _ = writeln!(
        text,
        "\nallow if {{\n{}\n}}",
        rules.conditions.iter().map(|line| format!("\t{line}")).collect::<Vec<_>>().join("\n")
    );
    text + &rules.denials.concat()
}

/// The rules of a group while they are written.
struct Rules<'a> {
    limits: &'a str,
    name: &'a str,
    conditions: Vec<String>,
    denials: Vec<String>,
}

impl Rules<'_> {
    /// Adds a value that must be one of several. Returns the condition.
    fn one_of(&mut self, what: &str, value: &str, limit: &str, before: &[String]) {
        let condition = self.one_of_condition(what, value, limit, before);
        self.conditions.push(condition);
    }

    fn at_most(&mut self, what: &str, value: &str, limit: &str, before: &[String]) {
        let condition = self.at_most_condition(what, value, limit, before);
        self.conditions.push(condition);
    }

    fn one_of_condition(&mut self, what: &str, value: &str, limit: &str, before: &[String]) -> String {
        self.deny(
            &format!("%v is not recorded as {what} of {}", self.name),
            &[value],
            before,
            &format!("not {value} in {limit}"),
        );
        format!("{value} in {limit}")
    }

    fn at_most_condition(&mut self, what: &str, value: &str, limit: &str, before: &[String]) -> String {
        let message = format!("%v is more than the limit of %v for {what} of {}", self.name);
        self.deny(&message, &[value, limit], before, &format!("{value} > {limit}"));
        format!("{value} <= {limit}")
    }

    /// Adds the denials of a limit. Returns its conditions, each a line. `before` has the statements that choose an
    /// element.
    #[allow(clippy::too_many_arguments, reason = "what the recursion carries")]
    fn limit(
        &mut self,
        ty: &AbiType,
        limit: &Limit,
        path: &str,
        value: &str,
        limit_of: &str,
        before: &mut Vec<String>,
        free: &mut Vec<String>,
    ) -> Vec<String> {
        match (limit, ty) {
            (Limit::OneOf(_), _) => vec![self.one_of_condition(&argument(path), value, limit_of, before)],
            (Limit::AtMost(_), _) => vec![self.at_most_condition(&argument(path), value, limit_of, before)],
            (Limit::Between(..), _) => {
                let (least, most) = (format!("{limit_of}.least"), format!("{limit_of}.most"));
                let what = argument(path);
                let message = format!("%v is less than the limit of %v for {what} of {}", self.name);
                self.deny(&message, &[value, &least], before, &format!("{value} < {least}"));
                vec![format!("{value} >= {least}"), self.at_most_condition(&what, value, &most, before)]
            }
            (Limit::Elements(longest, element), AbiType::Array(inner) | AbiType::FixedArray(inner, _)) => {
                let mut conditions = Vec::new();
                if longest.is_some() {
                    let (count, longest) = (format!("count({value})"), format!("{limit_of}.longest"));
                    let (what, name) = (argument(path), self.name);
                    let message = format!("%v elements are more than the limit of %v for {what} of {name}");
                    self.deny(&message, &[&count, &longest], before, &format!("{count} > {longest}"));
                    conditions.push(format!("{count} <= {longest}"));
                }
                let item = format!("item_{}", before.len());
                before.push(format!("some {item} in {value}"));
                let inner = self.limit(
                    inner,
                    element,
                    &format!("an element of {path}"),
                    &item,
                    &format!("{limit_of}.elements"),
                    before,
                    free,
                );
                before.pop();
                if !inner.is_empty() {
                    conditions.push(format!("every {item} in {value} {{ {} }}", inner.join("; ")));
                }
                conditions
            }
            (Limit::Members(limits), AbiType::Tuple(members)) => {
                let mut conditions = Vec::new();
                for (index, (member, limit)) in members.iter().zip(limits).enumerate() {
                    let name = name_of(member, index);
                    let (value, limit_of) = (field(value, &name), field(limit_of, &name));
                    let path = format!("{path}.{name}");
                    conditions.extend(self.limit(&member.ty, limit, &path, &value, &limit_of, before, free));
                }
                conditions
            }
            _ => {
                free.push(path.to_owned());
                Vec::new()
            }
        }
    }

    fn deny(&mut self, message: &str, values: &[&str], before: &[String], condition: &str) {
        let statements = [self.limits.to_owned()].into_iter().chain(before.iter().cloned());
        let statements = statements.chain([condition.to_owned()]).map(|line| format!("\t{line}\n"));
        let statements = statements.collect::<String>();
        let message = quoted(message);
        self.denials
            .push(format!("\ndeny contains sprintf({message}, [{}]) if {{\n{statements}}}\n", values.join(", ")));
    }
}

/// Returns an argument's path as messages have it: its name could be a word of the sentence.
fn argument(path: &str) -> String {
    match path.strip_prefix("an element of ") {
        Some(array) => format!("an element of {}", argument(array)),
        None => format!("`{path}`"),
    }
}

/// Returns the module with the tests.
pub(super) fn tests(package: &str, recorded: &[(&Function, &Call)], misses: &[Miss]) -> String {
    let mut text = format!(
        "# Calls that were recorded, and near misses: recorded calls with one change.\npackage {package}_test\n\n\
         import data.{package}\n\n\
         call(from, to, value, chain_id, signature, args) := {{\n\
         \t\"intent\": {{\"from\": from, \"to\": to, \"value\": value, \"chain_id\": chain_id}},\n\
         \t\"call\": {{\"function\": split(signature, \"(\")[0], \"signature\": signature, \"args\": args}},\n}}\n"
    );
    for (index, (function, call)) in recorded.iter().enumerate() {
        let number = index.saturating_add(1);
        let _ = write!(
            text,
            "\ntest_allows_recorded_call_{number} if {{\n\trecorded := {}\n\t{package}.allow with input as recorded\n\
             \tcount({package}.deny) == 0 with input as recorded\n}}\n",
            constructed(function, call)
        );
    }
    let mut names = Names::default();
    for miss in misses {
        let name = names.unique(&format!("test_denies_{}_with_{}", miss.function.name, miss.change));
        let _ = write!(
            text,
            "\n{name} if {{\n\tmissed := {}\n\tnot {package}.allow with input as missed\n\
             \tcount({package}.deny) > 0 with input as missed\n}}\n",
            constructed(&miss.function, &miss.call)
        );
    }
    text
}

fn constructed(function: &Function, call: &Call) -> String {
    let intent = &call.intent;
    format!(
        "call(\n\t\t{}, {}, {}, {},\n\t\t{}, {},\n\t)",
        quoted(&hex::encode_prefixed(intent.from)),
        quoted(&hex::encode_prefixed(intent.to)),
        intent.value,
        intent.chainId,
        quoted(&function.signature()),
        object(&function.parameters, &call.arguments)
    )
}

/// Returns the reference to a field.
fn field(of: &str, name: &str) -> String {
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !KEYWORDS.contains(&name);
    if is_name { format!("{of}.{name}") } else { format!("{of}[{}]", quoted(name)) }
}
