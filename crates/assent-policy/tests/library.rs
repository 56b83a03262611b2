//! The library in policies/: each policy passes the check and its tests, and its page has its parameters.

use assent_policy::{PolicyFolder, TestOptions, TestOutcome, check, evaluator, run_tests};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

fn policies() -> Vec<PathBuf> {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let folders = fs::read_dir(library).unwrap().map(|entry| entry.unwrap().path());
    let mut folders = folders.filter(|path| path.is_dir()).collect::<Vec<_>>();
    folders.sort();
    assert!(folders.len() >= 4, "{folders:?}");
    folders
}

fn read(folder: &Path) -> PolicyFolder {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = files
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()));
    PolicyFolder::read(&named.collect::<BTreeMap<_, _>>()).unwrap_or_else(|error| panic!("{folder:?}: {error}"))
}

#[test]
fn every_policy_of_the_library_passes_the_check_and_is_named_as_its_folder() {
    for folder in policies() {
        let policy = read(&folder);
        assert_eq!(check(&policy), [], "{folder:?}");
        assert_eq!(folder.file_name().unwrap().to_str(), Some(policy.manifest.name.as_str()));
        policy.build(evaluator().unwrap().root()).unwrap();
    }
}

#[test]
fn every_policy_of_the_library_passes_its_tests_which_evaluate_every_line() {
    for folder in policies() {
        let options = TestOptions { run: None, coverage: true };
        let report = run_tests(evaluator().unwrap(), &read(&folder), &options).unwrap();
        let failed = report.tests.iter().filter(|test| test.outcome != TestOutcome::Pass).collect::<Vec<_>>();
        assert!(failed.is_empty() && report.tests.len() > 3, "{folder:?}: {failed:#?}");
        assert_eq!(report.coverage_basis_points(), Some(10_000), "{folder:?}: {:?}", report.coverage);
    }
}

#[test]
fn every_parameter_of_the_library_is_described_in_its_schema_and_on_its_page() {
    for folder in policies() {
        let policy = read(&folder);
        let page = fs::read_to_string(folder.join("README.md")).unwrap();
        let properties = policy.parameters_schema.get("properties").and_then(|properties| properties.as_object());
        for (name, schema) in properties.unwrap().iter() {
            assert!(schema.get("description").is_some(), "{folder:?}: {name}");
            let is_container = schema.get("items").is_some_and(|items| items.get("properties").is_some());
            assert!(is_container || page.contains(&format!("`{name}`")), "{folder:?}: {name}");
            assert!(policy.parameters.get(name).is_some(), "{folder:?}: parameters.json has no {name}");
        }
    }
}
