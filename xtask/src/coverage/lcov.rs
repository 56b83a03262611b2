//! lcov's trace files, which both languages' tools write.

use std::{collections::BTreeMap, path::Path};

/// What was reached of one source file.
pub struct File {
    /// Relative to the repository's root.
    pub path: String,
    /// How often each line that holds code ran, by its number.
    pub lines: BTreeMap<usize, u64>,
    /// How often each branch was taken: line, place within it, count.
    pub branches: Vec<(usize, String, u64)>,
    /// Functions that ran, and all.
    pub functions: (usize, usize),
    /// Lines, by their number, whose want of coverage is excused.
    pub excused_lines: Vec<usize>,
    /// As `excused_lines`, of branches; once for each branch.
    pub excused_branches: Vec<usize>,
    /// What is listed as unreachable in this file, and was reached or is not there.
    pub needless_exceptions: Vec<String>,
}

impl File {
    /// Lines and branches that were not reached and are not excused, each as `file:line` with what it is.
    pub fn uncovered(&self) -> Vec<String> {
        let lines = self.unreached_lines().filter(|line| !self.excused_lines.contains(line));
        let branches = self.unreached_branches().filter(|line| !self.excused_branches.contains(line));
        let lines = lines.map(|line| format!("{}:{line} line", self.path));
        lines.chain(branches.map(|line| format!("{}:{line} branch", self.path))).collect()
    }

    /// How many lines and branches are excused.
    pub fn excused(&self) -> usize {
        self.excused_lines.len() + self.excused_branches.len()
    }

    /// The numbers of the lines that did not run.
    pub fn unreached_lines(&self) -> impl Iterator<Item = usize> + '_ {
        self.lines.iter().filter(|(_, count)| **count == 0).map(|(line, _)| *line)
    }

    /// The lines of the branches that were not taken.
    pub fn unreached_branches(&self) -> impl Iterator<Item = usize> + '_ {
        self.branches.iter().filter(|(_, _, count)| *count == 0).map(|(line, _, _)| *line)
    }
}

/// Reads a trace file, of which the sources below `root` that `wanted` names are kept, sorted by their paths.
pub fn parse(text: &str, root: &Path, wanted: impl Fn(&str) -> bool) -> Vec<File> {
    let mut files: Vec<File> = text
        .split("end_of_record")
        .filter_map(|record| record_of(record, root))
        .filter(|file| wanted(&file.path))
        .collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

fn record_of(record: &str, root: &Path) -> Option<File> {
    let source = record.lines().find_map(|line| line.strip_prefix("SF:"))?;
    let path = Path::new(source).strip_prefix(root).unwrap_or(Path::new(source)).to_str()?.to_owned();
    let mut file = File {
        path,
        lines: BTreeMap::new(),
        branches: Vec::new(),
        functions: (0, 0),
        excused_lines: Vec::new(),
        excused_branches: Vec::new(),
        needless_exceptions: Vec::new(),
    };
    for line in record.lines() {
        let Some((kind, rest)) = line.split_once(':') else { continue };
        let mut fields = rest.split(',');
        let mut number = || fields.next().and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        match kind {
            "DA" => {
                let place = usize::try_from(number()).ok()?;
                *file.lines.entry(place).or_default() += number();
            }
            "BRDA" => {
                let place = usize::try_from(number()).ok()?;
                let (within, taken) = rest.rsplit_once(',')?;
                // `-` where the condition itself was never evaluated.
                file.branches.push((place, within.to_owned(), taken.parse().unwrap_or(0)));
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
        let files = parse(text, Path::new("/root"), |path| path.starts_with("src/"));
        let [file] = files.as_slice() else { panic!("{} files", files.len()) };
        assert_eq!((file.path.as_str(), file.functions), ("src/a.rs", (1, 2)));
        assert_eq!(file.uncovered(), ["src/a.rs:2 line", "src/a.rs:1 branch", "src/a.rs:4 branch"]);
    }

    #[test]
    fn what_is_excused_is_not_named() {
        let files = parse("SF:a\nDA:2,0\nDA:3,0\nBRDA:2,0,0,0\nend_of_record", Path::new("/"), |_| true);
        let file = File { excused_lines: vec![2], ..files.into_iter().next().unwrap() };
        assert_eq!(file.uncovered(), ["a:3 line", "a:2 branch"]);
    }
}
