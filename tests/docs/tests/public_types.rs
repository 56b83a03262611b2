//! Each public struct and enum of a published crate may grow, or says why it is complete (docs/dev/public-types.md).
//! No two libraries use one name for different types.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

/// The crates that users depend on.
const CRATES: [&str; 7] = [
    "assent-client",
    "assent-contracts",
    "assent-machine",
    "assent-rules",
    "assent-signer",
    "assent-types",
    "assent-verifier",
];

/// Names of more than one library's types, and why.
const SHARED_NAMES: [(&str, &str); 7] = [
    ("Answer", "what a caller, a source or a remote signer's client gets: each in the module of its protocol"),
    ("Domain", "one meaning, chain and TaskManager: the network's state machines do not link the journal"),
    ("JournalError", "one meaning: the journal's error, and what of it the operator's state machine distinguishes"),
    ("OpenError", "one meaning: a database's file cannot be opened"),
    ("Operator", "one meaning: a member of an operator set, and the state machine that it runs"),
    ("Submission", "what is submitted to the inspection, and to a gateway: each in its module"),
    ("Task", "one meaning: a task as it is worked on, and as the task log stores it"),
];

#[test]
fn every_public_type_is_non_exhaustive_or_says_why_it_is_complete() {
    let mut checked = 0;
    let mut undecided = Vec::new();
    for package in CRATES {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates").join(package).join("src");
        for file in rust_files(&source).unwrap() {
            let text = fs::read_to_string(&file).unwrap();
            for (name, is_decided) in open_types(&text) {
                checked += 1;
                if !is_decided {
                    undecided.push(format!("{name} in {}", file.display()));
                }
            }
        }
    }
    assert!(undecided.is_empty(), "neither `#[non_exhaustive]` nor a comment \"Complete: …\": {undecided:#?}");
    assert!(checked >= 50, "{checked} types were found: did their form change?");
}

#[test]
fn no_two_libraries_give_one_name_to_different_types() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates");
    let mut users = BTreeMap::<_, BTreeSet<_>>::new();
    for package in folders(&crates).unwrap().into_iter().chain(folders(&crates.join("internal")).unwrap()) {
        for file in rust_files(&package.join("src")).unwrap() {
            for name in public_types(&fs::read_to_string(&file).unwrap()) {
                users.entry(name).or_default().insert(package.clone());
            }
        }
    }
    assert!(users.len() >= 250, "{} names were found: did their form change?", users.len());
    users.retain(|_, packages| packages.len() > 1);
    for (name, why) in SHARED_NAMES {
        assert!(users.remove(name).is_some(), "{name} is not shared any more ({why}): remove the entry");
    }
    assert!(users.is_empty(), "one name, several meanings (docs/dev/style.md): {users:#?}");
}

#[test]
fn public_types_are_found_by_their_declarations() {
    let text = "pub struct One(u8);\npub(crate) struct Private;\n    pub enum Two {}\npub type Three<T> = Vec<T>;\n\
                /// pub struct Comment;\npub trait Four: Sized {}\npub fn five() {}\nstruct Six;\n";
    assert!(public_types(text).eq(["One", "Two", "Three", "Four"]));
}

#[test]
fn a_type_without_a_decision_is_found() {
    let text = "/// A doc.\n#[derive(Debug)]\npub enum Open {\n    One,\n}\n\
                // Complete: there are two.\npub enum Closed {\n    One,\n}\n\
                #[non_exhaustive]\npub struct Growing {\n    pub one: u8,\n}\n\
                pub struct Private {\n    one: u8,\n}\n";
    let expected = [("Open", false), ("Closed", true), ("Growing", true)];
    assert!(open_types(text).into_iter().eq(expected.map(|(name, is_decided)| (name.to_owned(), is_decided))));
}

/// Enums, and structs that others can construct because all of their fields are public; and whether it is decided that
/// they may grow.
fn open_types(text: &str) -> Vec<(String, bool)> {
    let lines: Vec<_> = text.lines().collect();
    let declarations = lines.iter().enumerate().filter_map(|(index, line)| {
        let line = line.trim_start();
        let is_enum = line.starts_with("pub enum ");
        let declared = line.strip_prefix("pub enum ").or_else(|| line.strip_prefix("pub struct "))?;
        let is_open = is_enum || (line.ends_with('{') && has_only_public_fields(&lines[index + 1..]));
        let name = declared.split(|character: char| !character.is_alphanumeric()).next()?;
        is_open.then(|| (name.to_owned(), is_decided(&lines[..index])))
    });
    declarations.collect()
}

/// The names that a text declares public, be it in a module that is not.
fn public_types(text: &str) -> impl Iterator<Item = String> {
    let kinds = ["struct ", "enum ", "trait ", "type ", "union "];
    text.lines().filter_map(move |line| {
        let declared = line.trim_start().strip_prefix("pub ")?;
        let name = kinds.iter().find_map(|kind| declared.strip_prefix(kind))?;
        name.split(|character: char| !character.is_alphanumeric() && character != '_').next().map(str::to_owned)
    })
}

fn has_only_public_fields(after: &[&str]) -> bool {
    let body = after.iter().map(|line| line.trim()).take_while(|line| *line != "}");
    let mut fields = body.filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with('#'));
    fields.all(|field| field.starts_with("pub ")) && !after.is_empty()
}

/// In the comments and attributes right before the type.
fn is_decided(before: &[&str]) -> bool {
    let own = before.iter().rev().map(|line| line.trim()).take_while(|line| {
        line.starts_with("//") || line.starts_with('#') || line.starts_with(")]") || line.starts_with("derive")
    });
    let own: Vec<_> = own.collect();
    own.iter().any(|line| line.contains("non_exhaustive") || line.contains("omplete"))
}

/// The crates right in a folder.
fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let paths = entries.collect::<io::Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.join("Cargo.toml").exists()).collect())
}

fn rust_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}
