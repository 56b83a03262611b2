//! A queue in which gateways take turns.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// The gateway, by its name, whose share of the operator something uses. The empty name is the operator itself.
pub(crate) type Share = Arc<str>;

/// A queue for each gateway, from which one item is taken in turn.
///
/// What a gateway adds waits for its own earlier items. Before each of them comes at most one item of each other
/// gateway. So one that adds many delays itself.
#[derive(Debug)]
pub(crate) struct FairQueue<T> {
    queues: HashMap<Share, VecDeque<T>>,
    /// The gateways with items, in the order of their turns.
    turns: VecDeque<Share>,
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self { queues: HashMap::new(), turns: VecDeque::new() }
    }
}

impl<T> FairQueue<T> {
    pub(crate) fn push(&mut self, share: Share, item: T) {
        if let Some(queue) = self.queues.get_mut(&share) {
            return queue.push_back(item);
        }
        self.turns.push_back(Arc::clone(&share));
        self.queues.insert(share, VecDeque::from([item]));
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        self.pop_of(|_| true).map(|(_, item)| item)
    }

    /// Takes the next item of the first gateway, in the order of turns, that may have one.
    pub(crate) fn pop_of(&mut self, may_have: impl Fn(&Share) -> bool) -> Option<(Share, T)> {
        let turn = self.turns.iter().position(may_have)?;
        let share = self.turns.remove(turn)?;
        let queue = self.queues.get_mut(&share)?;
        let item = queue.pop_front()?;
        if queue.is_empty() {
            self.queues.remove(&share);
        } else {
            self.turns.push_back(Arc::clone(&share));
        }
        Some((share, item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateways_take_turns_however_much_one_adds() {
        let mut queue = FairQueue::default();
        for number in 0..1000 {
            queue.push("flood".into(), number);
        }
        assert_eq!(queue.pop(), Some(0));
        for number in [2000, 2001] {
            queue.push("honest".into(), number);
        }
        queue.push("other".into(), 3000);
        let next: Vec<_> = std::iter::from_fn(|| queue.pop()).take(6).collect();
        assert_eq!(next, [1, 2000, 3000, 2, 2001, 3]);
        assert_eq!(std::iter::from_fn(|| queue.pop()).count(), 996);
        assert!(queue.queues.is_empty() && queue.turns.is_empty());
    }

    #[test]
    fn a_gateway_that_may_have_nothing_keeps_its_turn() {
        let mut queue = FairQueue::default();
        queue.push("one".into(), 1);
        queue.push("other".into(), 2);
        assert_eq!(queue.pop_of(|share| **share == *"other"), Some(("other".into(), 2)));
        assert_eq!(queue.pop_of(|share| **share == *"other"), None);
        assert_eq!(queue.pop(), Some(1));
    }
}
