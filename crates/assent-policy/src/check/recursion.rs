//! Rules that refer to each other in a circle: Rego has no recursion, and a function that calls itself never ends.

use std::collections::{BTreeMap, BTreeSet};

/// Which rule refers to which.
#[derive(Debug, Default)]
pub(super) struct Graph {
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    pub(super) fn add(&mut self, from: &str, to: &str) {
        self.edges.entry(from.into()).or_default().insert(to.into());
    }

    /// Returns a circle that begins and ends with a rule, if it is part of one.
    pub(super) fn circle_of(&self, rule: &str) -> Option<Vec<String>> {
        // Breadth first, so that the circle is one of the shortest.
        let mut previous = BTreeMap::<&str, &str>::new();
        let mut queue = std::collections::VecDeque::from([rule]);
        while let Some(from) = queue.pop_front() {
            for to in self.edges.get(from).into_iter().flatten() {
                if to == rule {
                    let mut circle = vec![rule.to_owned(), from.to_owned()];
                    let mut at = from;
                    while let Some(before) = previous.get(at).filter(|_| at != rule) {
                        circle.push((*before).to_owned());
                        at = before;
                    }
                    circle.dedup();
                    circle.reverse();
                    if circle.len() == 1 {
                        circle.push(rule.to_owned());
                    }
                    return Some(circle);
                }
                if to != from && !previous.contains_key(to.as_str()) {
                    previous.insert(to, from);
                    queue.push_back(to);
                }
            }
        }
        None
    }
}
