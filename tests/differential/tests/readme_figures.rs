//! The README tells the gas figures that forge measured last.

use std::{fs, path::Path};

#[test]
fn the_readme_tells_the_gas_figures_of_the_snapshots() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = fs::read_to_string(root.join("README.md")).expect("the README");
    for operators in [10, 50, 100] {
        let snapshot = root.join(format!("snapshots/protected call, {operators} operators.json"));
        let snapshot = fs::read_to_string(snapshot).expect("`forge test` writes the snapshots");
        let figure = |name: &str| figure(&snapshot, name).map_or_else(|| "–".to_owned(), thousands);
        let [none, one, ten] = ["0 non-signers", "1 non-signer", "10 non-signers"]
            .map(|absent| figure(&format!("protected no-op, {absent}")));
        let row = format!("| {operators} | {none} | {one} | {ten} |");
        assert!(readme.contains(&row), "the README should have the row {row}");
        let unprotected = format!("the same call unprotected costs {}.", figure("unprotected no-op"));
        assert!(readme.contains(&unprotected), "the README should say: {unprotected}");
    }
}

/// The number behind a name, in a file of lines such as `"name": "1234",`.
fn figure(snapshot: &str, name: &str) -> Option<String> {
    let line = snapshot.lines().find(|line| line.contains(&format!("\"{name}\"")))?;
    line.rsplit('"').nth(1).map(str::to_owned)
}

fn thousands(digits: String) -> String {
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
