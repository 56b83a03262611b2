//! The steps of the library's policies, as policies/README.md has them.

use std::{fs, path::Path};

/// Compares the steps of one decision to allow with the policy's row. With `UPDATE_LIBRARY_STEPS` set, writes them.
pub fn compare(policy: &str, steps: u64) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("policies/README.md"))
        .find(|path| path.is_file())
        .expect("the page of the library");
    let page = fs::read_to_string(&path).expect("the page is read");
    let is_row = |line: &&str| line.starts_with(&format!("| [{policy}]("));
    let row = page.lines().find(is_row).unwrap_or_else(|| panic!("the page has no row of {policy}"));
    let (rest, _) = row.trim_end_matches(" |").rsplit_once("| ").expect("a table");
    let expected = format!("{rest}| {} |", grouped(steps));
    if std::env::var_os("UPDATE_LIBRARY_STEPS").is_some() {
        fs::write(&path, page.replace(row, &expected)).expect("the page is written");
        return;
    }
    assert_eq!(row, expected, "set UPDATE_LIBRARY_STEPS=1 to write the steps of the current image");
}

/// Writes a number with a comma before each three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
