//! Which contribution is granted next: numbers in, a number out. This file knows no storage.

use ensemble_core::TaskId;

use crate::{Entry, Rule};

/// The place of the entry to be granted next, of those that are `eligible`.
///
/// Handing on what was handed on least is what keeps the numbers level, as water fills a vessel: a newcomer is handed
/// on until it has caught up, then all take turns. What is left over by tasks with few winners is made up for by tasks
/// with many.
pub fn next<AccountId>(rule: Rule, line: &[Entry<AccountId>], eligible: impl Fn(TaskId) -> bool) -> Option<usize> {
    let mut eligible = line.iter().enumerate().filter(|(_, entry)| eligible(entry.task));
    let chosen = match rule {
        // The first of several, which is the oldest.
        Rule::LeastHanded => eligible.min_by_key(|(_, entry)| entry.handed),
        Rule::Newest => eligible.next_back(),
    };
    chosen.map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(handed: &[u32]) -> Vec<Entry<TaskId>> {
        (0..).zip(handed).map(|(task, handed)| Entry { task, creator: task, handed: *handed }).collect()
    }

    #[test]
    fn the_least_handed_on_goes_first_and_of_two_the_older() {
        assert_eq!(next(Rule::LeastHanded, &line(&[3, 1, 2, 1]), |_| true), Some(1));
        assert_eq!(next(Rule::LeastHanded, &line(&[3, 1, 2, 1]), |task| task != 1), Some(3));
        assert_eq!(next(Rule::LeastHanded, &line(&[0, 0]), |_| true), Some(0));
    }

    #[test]
    fn the_newest_goes_first() {
        assert_eq!(next(Rule::Newest, &line(&[0, 1, 9]), |_| true), Some(2));
        assert_eq!(next(Rule::Newest, &line(&[0, 1, 9]), |task| task < 2), Some(1));
    }

    #[test]
    fn nothing_is_chosen_of_nothing() {
        for rule in [Rule::LeastHanded, Rule::Newest] {
            assert_eq!(next(rule, &line(&[]), |_| true), None);
            assert_eq!(next(rule, &line(&[0, 1]), |_| false), None);
        }
    }
}
