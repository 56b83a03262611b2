//! One source for what is said about errors: `contracts/interfaces/errors.json`. This test generates from it, and from
//! the declarations in `IRefusals`, what Rust, TypeScript, the inspection and docs/protocol.md say, and compares.
//! It is not a test of assent-verifier, which does not compile while an error is missing.
//!
//! `WRITE_ERRORS=1 cargo test --package xtask --test errors` writes the files.

use serde_json::Value;
use std::{fmt::Write, fs, path::PathBuf};

const SENTENCES: &str = "contracts/interfaces/errors.json";
const DECLARATIONS: &str = "contracts/interfaces/Protocol.sol";
const GENERATED: &str = "Generated from contracts/interfaces/errors.json by xtask/tests/errors.rs.";

#[test]
fn the_file_has_exactly_the_refusals_of_the_interface_in_their_order() {
    let declared: Vec<_> = declarations().into_iter().map(|error| error.name).collect();
    let described: Vec<_> = refusals().into_iter().map(|error| error.name).collect();
    assert_eq!(described, declared);
}

#[test]
fn every_sentence_names_each_argument_once_and_nothing_else() {
    for (declared, described) in declarations().iter().zip(refusals()) {
        let mut arguments: Vec<_> = declared.arguments.iter().map(|argument| argument.name.as_str()).collect();
        let parts = described.sentence.split('{').skip(1);
        let mut named: Vec<_> = parts.filter_map(|part| part.split('}').next()).collect();
        arguments.sort_unstable();
        named.sort_unstable();
        assert_eq!(named, arguments, "{}", declared.name);
    }
}

#[test]
fn every_refusal_has_a_check_and_the_checks_ascend() {
    let checks: Vec<_> = refusals().into_iter().map(|error| error.check.expect("a refusal has a check")).collect();
    assert!(checks.is_sorted(), "{checks:?}");
    let mut numbers = checks;
    numbers.dedup();
    assert!(numbers.into_iter().eq(1..=12));
}

#[test]
fn rust_says_what_the_file_says() {
    generated("crates/assent-verifier/src/refusal/errors.rs", &rust(&declarations(), &refusals()));
}

#[test]
fn the_inspection_and_the_command_line_say_what_the_file_says() {
    generated("crates/internal/assent-inspection/src/remedies.rs", &command_line(&refusals()));
}

#[test]
fn typescript_says_what_the_file_says() {
    generated("packages/viem/src/guidance.ts", &typescript(&descriptions()));
}

#[test]
fn the_protocols_table_says_what_the_file_and_the_interface_say() {
    const BEGIN: &str = "<!-- errors: generated from contracts/interfaces/errors.json -->\n";
    const END: &str = "<!-- end of errors -->\n";
    let page = read("docs/protocol.md");
    let (before, rest) = page.split_once(BEGIN).expect("the table has a beginning");
    let (_, after) = rest.split_once(END).expect("the table has an end");
    let table = table(&declarations(), &refusals());
    generated("docs/protocol.md", &format!("{before}{BEGIN}\n{table}\n{END}{after}"));
}

/// What is said about an error.
struct Description {
    name: String,
    /// The check that refuses; only for refusals.
    check: Option<u64>,
    sentence: String,
    remedy: String,
    /// What the command line adds to the remedy.
    cli: Option<String>,
    /// What `@assent/viem` adds to the remedy.
    viem: Option<String>,
}

/// An error as Solidity declares it.
struct Declaration {
    name: String,
    notice: String,
    arguments: Vec<Argument>,
}

struct Argument {
    solidity_type: String,
    name: String,
    meaning: String,
}

impl Argument {
    /// The type as the ABI has it.
    fn abi_type(&self) -> &str {
        match self.solidity_type.as_str() {
            "EpochId" => "uint32",
            other => other,
        }
    }
}

impl Declaration {
    fn signature(&self) -> String {
        let argument = |argument: &Argument| format!("{} {}", argument.abi_type(), argument.name);
        format!("{}({})", self.name, self.arguments.iter().map(argument).collect::<Vec<_>>().join(", "))
    }
}

fn refusals() -> Vec<Description> {
    descriptions().into_iter().filter(|error| error.check.is_some()).collect()
}

fn descriptions() -> Vec<Description> {
    let Value::Array(errors) = serde_json::from_str(&read(SENTENCES)).expect("JSON") else { panic!("a list") };
    errors.iter().map(description).collect()
}

fn description(error: &Value) -> Description {
    let text = |key: &str| error.get(key).map(|text| text.as_str().expect("text").to_owned());
    let required = |key: &str| text(key).unwrap_or_else(|| panic!("{key} in {error}"));
    Description {
        name: required("name"),
        check: error.get("check").map(|check| check.as_u64().expect("a number")),
        sentence: required("sentence"),
        remedy: required("remedy"),
        cli: text("cli"),
        viem: text("viem"),
    }
}

fn declarations() -> Vec<Declaration> {
    let source = read(DECLARATIONS);
    let (_, interface) = source.split_once("interface IRefusals {\n").expect("the interface");
    let (interface, _) = interface.split_once("\n}\n").expect("its end");
    let mut declarations = Vec::new();
    let mut tags: Vec<String> = Vec::new();
    for line in interface.lines().map(str::trim) {
        if let Some(tag) = line.strip_prefix("/// @") {
            tags.push(tag.to_owned());
        } else if let Some(more) = line.strip_prefix("/// ") {
            let tag = tags.last_mut().expect("a tag before its continuation");
            write!(tag, " {more}").expect("a string");
        } else {
            declarations.push(declaration(line, &std::mem::take(&mut tags)));
        }
    }
    declarations
}

fn declaration(line: &str, tags: &[String]) -> Declaration {
    let signature = line.strip_prefix("error ").and_then(|line| line.strip_suffix(");")).expect(line);
    let (name, arguments) = signature.split_once('(').expect("a list of arguments");
    let tag = |prefix: &str| tags.iter().find_map(|tag| tag.strip_prefix(prefix)).map(str::to_owned);
    let argument = |argument: &str| {
        let (solidity_type, name) = argument.split_once(' ').expect("a type and a name");
        let meaning = tag(&format!("param {name} ")).unwrap_or_else(|| panic!("@param {name} of {line}"));
        Argument { solidity_type: solidity_type.to_owned(), name: name.to_owned(), meaning }
    };
    let arguments = arguments.split(", ").filter(|argument| !argument.is_empty()).map(argument).collect();
    let notice = tag("notice Thrown when ").unwrap_or_else(|| panic!("@notice Thrown when … of {line}"));
    Declaration { name: name.to_owned(), notice: capitalised(&notice), arguments }
}

fn rust(declarations: &[Declaration], descriptions: &[Description]) -> String {
    let mut text = format!("// {GENERATED}\n\nrefusals! {{\n");
    for (Declaration { name, notice, arguments }, Description { sentence, remedy, .. }) in
        declarations.iter().zip(descriptions)
    {
        text += &lines("    /// ", notice);
        text += &format!("    #[error({})]\n", rust_literal(4, sentence));
        text += &format!("    {name}");
        if !arguments.is_empty() {
            text += " {\n";
            for Argument { solidity_type, name, meaning } in arguments {
                text += &lines("        /// ", meaning);
                text += &format!("        {name}: {},\n", rust_type(solidity_type));
            }
            text += "    }";
        }
        text += &format!(" => {},\n", rust_literal(4, remedy));
    }
    text + "}\n"
}

fn rust_type(solidity_type: &str) -> &str {
    match solidity_type {
        "address" => "Address",
        "bytes32" => "B256",
        "uint256" => "U256",
        "uint48" => "U48",
        "EpochId" => "EpochId",
        other => panic!("no Rust type for {other}"),
    }
}

fn command_line(descriptions: &[Description]) -> String {
    let mut text =
        format!("//! What to do about a refusal.\n//!\n//! {GENERATED}\n\nuse assent_verifier::Refusal;\n\n");
    text += "/// Returns what to do about a refusal, with the commands that help.\n///\n/// ```\n";
    text += "/// use assent_verifier::{EpochId, Refusal};\n///\n";
    text += "/// let refusal = Refusal::EpochRevoked { epoch: EpochId(1) };\n";
    text += "/// let remedy = assent_inspection::remedy(&refusal);\n";
    text += "/// assert_eq!(remedy, format!(\"{}; `assent context` reads it\", refusal.remedy()));\n/// ```\n";
    text += "pub fn remedy(refusal: &Refusal) -> &'static str {\n    match refusal.name() {\n";
    for Description { name, remedy, cli, .. } in descriptions.iter().filter(|error| error.cli.is_some()) {
        let arm = format!("        \"{name}\" => ");
        let literal = rust_literal(12, &joined(remedy, cli.as_deref()));
        if literal.contains('\n') || arm.len() + literal.len() > 119 {
            text += &format!("{arm}{{\n            {literal}\n        }}\n");
        } else {
            text += &format!("{arm}{literal},\n");
        }
    }
    text + "        _ => refusal.remedy(),\n    }\n}\n"
}

fn typescript(descriptions: &[Description]) -> String {
    let mut text = format!("// {GENERATED}\nimport type {{ RefusalName }} from \"./errors/protocol.js\";\n\n");
    text += "/** What each error means, and what to do next. The Rust verifier says the same. */\n";
    text += "export const guidance = {\n";
    for Description { name, sentence, remedy, viem, .. } in descriptions {
        let remedy = format!("{}.", capitalised(&joined(remedy, viem.as_deref())));
        text += &format!("  {name}: {{\n");
        text += &typescript_field("explanation", sentence);
        text += &typescript_field("remedy", &remedy);
        text += "  },\n";
    }
    text + "} as const satisfies Record<RefusalName, { readonly explanation: string; readonly remedy: string }>;\n"
}

fn typescript_field(field: &str, value: &str) -> String {
    let line = format!("    {field}: {value:?},\n");
    if line.len() <= 120 {
        return line;
    }
    let parts = wrapped(value, 105);
    let last = parts.len() - 1;
    let part = |(number, part): (usize, &String)| match number == last {
        true => format!("      {part:?},\n"),
        false => format!("      {:?} +\n", format!("{part} ")),
    };
    format!("    {field}:\n{}", parts.iter().enumerate().map(part).collect::<String>())
}

fn table(declarations: &[Declaration], descriptions: &[Description]) -> String {
    let mut text = "| check | error | thrown when | arguments |\n| --- | --- | --- | --- |\n".to_owned();
    for (declared, described) in declarations.iter().zip(descriptions) {
        let meaning = |Argument { name, meaning, .. }: &Argument| format!("`{name}`: {}", uncapitalised(meaning));
        let meanings = declared.arguments.iter().map(meaning).collect::<Vec<_>>().join(" ");
        let (check, signature) = (described.check.unwrap_or_default(), declared.signature());
        let arguments = if meanings.is_empty() { "–" } else { &meanings };
        text += &format!("| {check} | `{signature}` | {} | {arguments} |\n", uncapitalised(&declared.notice));
    }
    text += "\nWhat Rust, TypeScript and the command line say about each:\n\n";
    text += "| error | sentence | what to do |\n| --- | --- | --- |\n";
    for Description { name, sentence, remedy, .. } in descriptions {
        text += &format!("| `{name}` | {sentence} | {remedy} |\n");
    }
    text
}

fn joined(remedy: &str, addition: Option<&str>) -> String {
    addition.map_or_else(|| remedy.to_owned(), |addition| format!("{remedy}; {addition}"))
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

fn uncapitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// A doc comment.
fn lines(prefix: &str, text: &str) -> String {
    wrapped(text, 119 - prefix.len()).iter().map(|line| format!("{prefix}{line}\n")).collect()
}

fn rust_literal(indentation: usize, text: &str) -> String {
    let continuation = format!(" \\\n{}", " ".repeat(indentation + 4));
    format!("\"{}\"", wrapped(text, 88).join(&continuation))
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => write!(line, " {word}").expect("a string"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Compares a file with what it should be, or writes it.
fn generated(path: &str, expected: &str) {
    if std::env::var_os("WRITE_ERRORS").is_some() {
        fs::write(absolute(path), expected).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    assert!(read(path) == expected, "{path} is out of date: WRITE_ERRORS=1 cargo test --package xtask --test errors");
}

fn read(path: &str) -> String {
    fs::read_to_string(absolute(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn absolute(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
