//! Imports as a directed graph, and its cycles.

use std::collections::{BTreeMap, BTreeSet};

/// The imports of each file.
#[derive(Default)]
pub struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    /// Adds the import of one file by another.
    pub fn add(&mut self, from: &str, to: &str) {
        if from != to {
            self.0.entry(from.to_owned()).or_default().insert(to.to_owned());
        }
    }

    /// Every import: the file that imports, and the one that is imported.
    pub fn edges(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(from, to)| to.iter().map(|to| (from.as_str(), to.as_str())))
    }

    /// Returns the groups of files of which each reaches every other, sorted.
    pub fn cycles(&self) -> Vec<Vec<&str>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.0.keys().map(|file| (file.as_str(), self.reachable(file))).collect();
        let mut groups = BTreeSet::new();
        for (file, others) in &reached {
            if others.contains(file) {
                let reaches_back = |other: &&str| reached.get(*other).is_some_and(|reached| reached.contains(file));
                groups.insert(others.iter().copied().filter(reaches_back).collect::<Vec<_>>());
            }
        }
        groups.into_iter().collect()
    }

    fn reachable(&self, file: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&str> = vec![file];
        while let Some(next) = open.pop() {
            for other in self.0.get(next).into_iter().flatten() {
                if found.insert(other.as_str()) {
                    open.push(other);
                }
            }
        }
        found
    }
}
