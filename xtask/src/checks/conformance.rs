//! OPA's conformance cases, which the repository does not carry.

use std::{env, path::PathBuf};

use crate::runner::{Outcome, Step, cargo, execute, root};

/// The variable that names the folder of shared data. `tests/evaluator` reads the same.
const SHARED_DATA: &str = "ASSENT_SHARED_DATA";
/// The cases in it.
const CASES: &str = "opa-v1/cases.json.xz";

/// The step of `cargo xtask test`: runs the cases on the evaluator's image, or says that they are missing.
pub fn step() -> Step {
    Step::new("evaluator: OPA's conformance cases", run)
}

fn run() -> Outcome {
    let folder = env::var_os(SHARED_DATA).map_or_else(|| root().join("../shared/data"), PathBuf::from);
    match missing(&folder) {
        Some(reason) => Outcome::Skipped(reason),
        None => {
            let mut test = cargo(&["test", "--package", "assent-evaluator-tests", "--test", "conformance"]);
            test.args(["--", "--ignored"]).env(SHARED_DATA, folder);
            execute(test)
        }
    }
}

/// Returns why the cases cannot run.
fn missing(folder: &std::path::Path) -> Option<String> {
    let cases = folder.join(CASES);
    (!cases.is_file()).then(|| {
        format!(
            "{} is missing: OPA's cases are not in the repository; set {SHARED_DATA} to their folder",
            cases.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::missing;
    use std::path::Path;

    #[test]
    fn without_the_cases_the_step_is_skipped_and_says_how_to_get_them() {
        let reason = missing(Path::new("/does/not/exist")).expect("missing");
        assert!(reason.starts_with("/does/not/exist/opa-v1/cases.json.xz is missing"), "{reason}");
        assert!(reason.contains("ASSENT_SHARED_DATA"), "{reason}");
    }
}
