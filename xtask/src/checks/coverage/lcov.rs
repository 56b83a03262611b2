//! lcov's trace files, which the tools of both languages write.

use std::collections::BTreeMap;

/// What the tests reached of one source file.
#[derive(Default)]
pub struct File {
    /// Relative to the repository's root.
    pub path: String,
    /// How often each line that holds code ran, by its number.
    pub lines: BTreeMap<usize, u64>,
    /// The line of each branch, and how often it was taken.
    pub branches: Vec<(usize, u64)>,
    /// Functions that ran, and all.
    pub functions: (usize, usize),
    /// Lines, by their number, that are excused from coverage.
    pub excused_lines: Vec<usize>,
    /// The lines of excused branches, once for each branch.
    pub excused_branches: Vec<usize>,
    /// Exceptions of this file that were reached, or are not in the file.
    pub needless_exceptions: Vec<String>,
}

impl File {
    /// Lines and branches that were not reached and are not excused, each as `file:line` with its kind.
    pub fn uncovered(&self) -> Vec<String> {
        let lines = self.unreached_lines().filter(|line| !self.excused_lines.contains(line));
        let branches = self.unreached_branches().filter(|line| !self.excused_branches.contains(line));
        let lines = lines.map(|line| format!("{}:{line} line", self.path));
        lines.chain(branches.map(|line| format!("{}:{line} branch", self.path))).collect()
    }

    /// The number of excused lines and branches.
    pub fn excused(&self) -> usize {
        self.excused_lines.len() + self.excused_branches.len()
    }

    /// The numbers of the lines that did not run.
    pub fn unreached_lines(&self) -> impl Iterator<Item = usize> + '_ {
        self.lines.iter().filter(|(_, count)| **count == 0).map(|(line, _)| *line)
    }

    /// The lines of the branches that were not taken.
    pub fn unreached_branches(&self) -> impl Iterator<Item = usize> + '_ {
        self.branches.iter().filter(|(_, count)| *count == 0).map(|(line, _)| *line)
    }
}

/// Reads a trace file. `below_root` maps each source to its path in the repository, or to `None` if it is not wanted.
/// The files are sorted by their paths.
pub fn parse(text: &str, below_root: impl Fn(&str) -> Option<String>) -> Vec<File> {
    let mut files: Vec<File> =
        text.split("end_of_record").filter_map(|record| record_of(record, &below_root)).collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

fn record_of(record: &str, below_root: impl Fn(&str) -> Option<String>) -> Option<File> {
    let source = record.lines().find_map(|line| line.strip_prefix("SF:"))?;
    let mut file = File { path: below_root(source)?, ..File::default() };
    for (kind, rest) in record.lines().filter_map(|line| line.split_once(':')) {
        let mut fields = rest.split(',');
        let mut number = || fields.next().and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        match kind {
            "DA" => {
                let line = usize::try_from(number()).ok()?;
                *file.lines.entry(line).or_default() += number();
            }
            // The last field is `-` if the condition was never evaluated.
            "BRDA" => {
                let taken = rest.rsplit_once(',')?.1.parse().unwrap_or(0);
                file.branches.push((usize::try_from(number()).ok()?, taken));
            }
            "FNF" => file.functions.1 = usize::try_from(number()).ok()?,
            "FNH" => file.functions.0 = usize::try_from(number()).ok()?,
            _ => {}
        }
    }
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_branches_and_functions_and_names_what_was_not_reached() {
        let text = "TN:\nSF:/root/src/a.rs\nFNF:2\nFNH:1\nDA:1,5\nDA:2,0\nBRDA:1,0,0,3\nBRDA:1,0,1,0\nBRDA:4,0,0,-\n\
                    end_of_record\nSF:/elsewhere/b.rs\nDA:1,0\nend_of_record\n";
        let files = parse(text, |path| path.strip_prefix("/root/").map(str::to_owned));
        let [file] = files.as_slice() else { panic!("{} files", files.len()) };
        assert_eq!((file.path.as_str(), file.functions), ("src/a.rs", (1, 2)));
        assert_eq!(file.uncovered(), ["src/a.rs:2 line", "src/a.rs:1 branch", "src/a.rs:4 branch"]);
    }

    #[test]
    fn what_is_excused_is_not_named() {
        let files = parse("SF:a\nDA:2,0\nDA:3,0\nBRDA:2,0,0,0\nend_of_record", |path| Some(path.to_owned()));
        let file = File { excused_lines: vec![2], ..files.into_iter().next().unwrap() };
        assert_eq!(file.uncovered(), ["a:3 line", "a:2 branch"]);
    }
}
