//! The figures as a table, or as JSON.

use super::lcov::File;

/// Prints one row for each file, the total, and what was not reached.
pub fn print(files: &[File]) {
    let width = files.iter().map(|file| file.path.len()).max().unwrap_or(0);
    println!("\n{:width$}  {:>18}  {:>18}  {:>18}  {:>7}", "file", "lines", "branches", "functions", "excused");
    for file in files {
        let [lines, branches, functions] = counts(file).map(share);
        println!("{:width$}  {lines:>18}  {branches:>18}  {functions:>18}  {:>7}", file.path, file.excused());
    }
    let [lines, branches, functions] = total(files).map(share);
    let excused: usize = files.iter().map(File::excused).sum();
    println!("{:width$}  {lines:>18}  {branches:>18}  {functions:>18}  {excused:>7}", "all");
    for line in files.iter().flat_map(File::uncovered) {
        println!("not reached: {line}");
    }
    for exception in files.iter().flat_map(|file| &file.needless_exceptions) {
        println!("no longer needed in xtask/src/checks/coverage/exceptions.rs: {exception}");
    }
}

/// Prints the same as one JSON object.
pub fn print_json(files: &[File]) {
    let figures = |counts: [(usize, usize); 3]| {
        let fields = ["lines", "branches", "functions"].iter().zip(counts);
        let fields =
            fields.map(|(name, (reached, all))| format!("\"{name}\": {{\"covered\": {reached}, \"total\": {all}}}"));
        fields.collect::<Vec<_>>().join(", ")
    };
    let rows: Vec<_> = files
        .iter()
        .map(|file| {
            let uncovered: Vec<_> = file.uncovered().iter().map(|line| format!("\"{line}\"")).collect();
            format!(
                "    {{\"file\": \"{}\", {}, \"excused\": {}, \"uncovered\": [{}]}}",
                file.path,
                figures(counts(file)),
                file.excused(),
                uncovered.join(", ")
            )
        })
        .collect();
    println!("{{\n  \"total\": {{{}}},\n  \"files\": [\n{}\n  ]\n}}", figures(total(files)), rows.join(",\n"));
}

/// Lines, branches and functions: reached, and all.
fn counts(file: &File) -> [(usize, usize); 3] {
    let lines = file.lines.len();
    let branches = file.branches.len();
    [
        (lines - file.unreached_lines().count(), lines),
        (branches - file.unreached_branches().count(), branches),
        file.functions,
    ]
}

fn total(files: &[File]) -> [(usize, usize); 3] {
    files.iter().map(counts).fold([(0, 0); 3], |sum, counts| {
        [0, 1, 2].map(|kind| (sum[kind].0 + counts[kind].0, sum[kind].1 + counts[kind].1))
    })
}

fn share((reached, all): (usize, usize)) -> String {
    // Rounded down, so that only complete coverage is 100 %.
    let tenths = (1000 * reached).checked_div(all).unwrap_or(1000);
    format!("{reached}/{all} {:>3}.{} %", tenths / 10, tenths % 10)
}
