//! OPA's conformance cases, evaluated by the image.
//!
//! The repository does not carry the cases. The test is therefore ignored unless it is asked for, and then it fails
//! without them. `cargo xtask test` asks for it where they are, and says that it is skipped where they are not.
//!
//! `expected_failures.txt` lists the cases that fail, with their reasons. A case that fails and is not in the list, or
//! is in it and passes, fails the test. With `ASSENT_CONFORMANCE_REPORT=FILE`, every failure is written to a file, with
//! what was found.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs::{self, File},
    io::BufReader,
    thread,
};

use assent_evaluator_tests::{Contents, image, rules, shared_data};
use assent_json::Object;
use assent_machine::{Image, Stop};
use assent_policy::{PolicyFolder, check};
use serde_json::Value;

/// The cases, in the folder of shared data. xtask looks for the same file.
const CASES: &str = "opa-v1/cases.json.xz";

/// How many of the cases must pass.
const AT_LEAST: usize = 1_545;

#[test]
#[ignore = "needs OPA's cases: ASSENT_SHARED_DATA=FOLDER cargo test --package assent-evaluator-tests -- --ignored"]
fn the_image_passes_opas_conformance_cases_but_for_those_that_are_listed() {
    let cases = cases();
    let failures = failures(&cases);

    if let Some(report) = env::var_os("ASSENT_CONFORMANCE_REPORT") {
        let mut text = String::new();
        for (name, found) in &failures {
            writeln!(text, "{name}\t{}", found.replace('\n', " ")).expect("writes");
        }
        fs::write(report, text).expect("the report is written");
    }
    let passed = cases.len() - failures.len();
    eprintln!("{passed} of {} cases pass", cases.len());

    let expected = expected_failures();
    let is_expected = |name: &str| {
        let folder = name.split(": ").next().unwrap_or_default();
        expected.contains(name) || expected.contains(folder)
    };
    let unexpected: Vec<_> = failures.iter().filter(|(name, _)| !is_expected(name)).collect();
    assert!(unexpected.is_empty(), "{} fail: {unexpected:#?}", unexpected.len());
    let names: BTreeSet<String> = cases.iter().enumerate().map(|(index, case)| name(index, case)).collect();
    for entry in &expected {
        let of_entry = |name: &&String| *name == entry || name.starts_with(&format!("{entry}: "));
        let mut listed = names.iter().filter(of_entry).peekable();
        assert!(listed.peek().is_some(), "{entry} is listed, and there is no such case");
        let passing: Vec<_> = listed.filter(|name| !failures.contains_key(*name)).collect();
        assert!(passing.is_empty(), "{entry} is listed, and these pass: {passing:?}");
    }
    assert!(passed >= AT_LEAST, "{passed} pass, fewer than {AT_LEAST}");
}

fn cases() -> Vec<Value> {
    let path = shared_data().join(CASES);
    let file = File::open(&path);
    let file = file.unwrap_or_else(|error| panic!("{}: {error}; set ASSENT_SHARED_DATA", path.display()));
    let mut text = Vec::new();
    lzma_rs::xz_decompress(&mut BufReader::new(file), &mut text).expect("the cases are compressed with xz");
    serde_json::from_slice(&text).expect("the cases are JSON")
}

/// The listed cases and folders: every line that is not a reason, which begins with `#`.
fn expected_failures() -> BTreeSet<String> {
    let lines = include_str!("../expected_failures.txt").lines();
    lines.filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_owned).collect()
}

/// A name that no other case has: folder, note, and the index, since several have the same note.
fn name(index: usize, case: &Value) -> String {
    let text = |key: &str| case[key].as_str().unwrap_or_default();
    format!("{}: {} [{index}]", text("folder"), text("note"))
}

/// Evaluates every case, and returns those that fail with what was found.
fn failures(cases: &[Value]) -> BTreeMap<String, String> {
    let image = image();
    let half = cases.len().div_ceil(2);
    thread::scope(|scope| {
        let image = &image;
        let parts: Vec<_> = cases
            .chunks(half)
            .enumerate()
            .map(|(part, cases)| {
                scope.spawn(move || {
                    let failure = |(index, case)| {
                        let found = evaluate(image, case).err()?;
                        Some((name(part * half + index, case), found))
                    };
                    cases.iter().enumerate().filter_map(failure).collect::<Vec<_>>()
                })
            })
            .collect();
        parts.into_iter().flat_map(|part| part.join().expect("no thread panics")).collect()
    })
}

fn evaluate(image: &Image, case: &Value) -> Result<(), String> {
    let mut query = Object::new();
    query.insert("text", case["query"].as_str().unwrap_or_default());
    query.insert("strict", case["strict_error"] == true);
    if let Some(data) = case.get("data") {
        query.insert("data", data.to_string());
    }
    match (case.get("input"), case.get("input_term").and_then(Value::as_str)) {
        (_, Some(term)) => drop(query.insert("input", term)),
        (Some(input), None) => drop(query.insert("input", input.to_string())),
        (None, None) => {}
    }
    let mut trial = Object::new();
    trial.insert("test", true);
    trial.insert("query", query);
    let modules = case["modules"].as_array().map(Vec::as_slice).unwrap_or_default();
    let named = |(index, text): (usize, &Value)| {
        (format!("{index:02}.rego"), without_output_arguments(text.as_str().unwrap_or_default()))
    };
    let modules: Vec<_> = modules.iter().enumerate().map(named).collect();
    let modules = modules.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let contents =
        Contents { rules: rules(modules, &assent_json::Value::from(trial).to_canonical()), ..Contents::default() };
    let outcome = contents.run(image);
    if outcome.stop != Stop::Halted {
        return Err(outcome.reasons().join(", "));
    }
    let answer: Value = serde_json::from_str(outcome.answer()).map_err(|error| error.to_string())?;
    let wants_error = case.get("want_error").is_some() || case.get("want_error_code").is_some();
    match answer["results"].as_str() {
        None if wants_error => Ok(()),
        None => Err(outcome.answer().to_owned()),
        Some(results) if wants_error => Err(format!("{results} instead of an error")),
        Some(results) => {
            let is_sorted = case["sort_bindings"] == true;
            let found = serde_json::from_str(results).map_err(|error| error.to_string())?;
            let wanted = case.get("want_result").cloned().unwrap_or(Value::Array(Vec::new()));
            let (found, wanted) = (normal(found, is_sorted, 0), normal(wanted, is_sorted, 0));
            if found == wanted { Ok(()) } else { Err(format!("{found} instead of {wanted}")) }
        }
    }
}

/// Rewrites `f(a, b, x)` to `x = f(a, b)` where a line has nothing else and `f` is a builtin of the evaluator's own.
///
/// For those, regorus does not know that the last argument is the output. People do not write so, but OPA's compiler
/// does.
fn without_output_arguments(module: &str) -> String {
    const OWN: [&str; 8] = [
        "crypto.md5(",
        "crypto.sha1(",
        "crypto.sha256(",
        "glob.match(",
        "glob.quote_meta(",
        "time.clock(",
        "time.date(",
        "time.weekday(",
    ];
    let lines = module.lines().map(|line| {
        let call = OWN.iter().any(|name| line.trim_start().starts_with(name));
        let output = line.trim_end().strip_suffix(')').and_then(|rest| rest.rsplit_once(", "));
        match output
            .filter(|(_, output)| call && output.chars().all(|c| c.is_ascii_lowercase() || "_0123456789".contains(c)))
        {
            Some((rest, output)) => format!("{output} = {})", rest.trim_start()),
            None => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Writes equal numbers alike. Sorts the results, which are a set, and the arrays that are bound to variables if their
/// order does not count.
fn normal(value: Value, is_sorted: bool, depth: usize) -> Value {
    match value {
        Value::Array(values) => {
            let mut values: Vec<_> = values.into_iter().map(|value| normal(value, is_sorted, depth + 1)).collect();
            if depth == 0 || is_sorted && depth == 2 {
                values.sort_by_key(Value::to_string);
            }
            values.into()
        }
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key, normal(value, is_sorted, depth + 1))).collect()
        }
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => {
                Value::from(format!("{float:.0}").parse::<i64>().expect("an integer"))
            }
            _ => number.into(),
        },
        other => other,
    }
}

#[test]
#[ignore = "needs OPA's cases: ASSENT_SHARED_DATA=FOLDER cargo test --package assent-evaluator-tests -- --ignored"]
fn no_module_of_opas_cases_that_the_evaluator_can_parse_is_a_syntax_error_to_the_check() {
    let cases = cases();
    let modules = cases.iter().flat_map(|case| case["modules"].as_array().into_iter().flatten());
    let modules = modules.filter_map(Value::as_str).collect::<BTreeSet<_>>();
    let manifest = r#"{"name": "opa", "version": "1", "entrypoint": "test", "functions": ["receive()"]}"#;
    let mut files = BTreeMap::from([("policy.json".to_owned(), manifest.as_bytes().to_vec())]);
    for (index, module) in modules.iter().enumerate() {
        files.insert(format!("{index}.rego"), module.as_bytes().to_vec());
    }
    let folder = PolicyFolder::read(&files).expect("a folder");
    // Interpolated strings, and keywords as names: the evaluator does not have them, and the check says so.
    let (newer, others): (Vec<_>, Vec<_>) = check(&folder)
        .into_iter()
        .filter(|finding| finding.message.contains("newer than") || finding.message.contains("does not parse"))
        .partition(|finding| finding.message.contains("newer than"));
    assert_eq!(others, [], "of {} modules", modules.len());
    eprintln!("{} of {} modules have syntax that is newer than the evaluator", newer.len(), modules.len());
    assert!(newer.len() <= 118, "{}", newer.len());
    assert!(modules.len() > 2_000, "only {} modules", modules.len());
}
