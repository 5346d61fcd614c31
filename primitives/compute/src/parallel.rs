//! Work spread over threads, where there are any.

use crate::Machine;

/// Calls `work` for every item with its place. The items are cut into as many neighbouring parts as the machine has
/// threads; what `work` does must not depend on the cut.
#[cfg(feature = "std")]
pub fn for_each<T: Send>(machine: Machine, items: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
    let part = items.len().div_ceil(machine.threads.max(1)).max(1);
    if part >= items.len() {
        return in_turn(0, items, &work);
    }
    let work = &work;
    std::thread::scope(|scope| {
        for (number, items) in items.chunks_mut(part).enumerate() {
            scope.spawn(move || in_turn(number * part, items, work));
        }
    });
}

/// Calls `work` for every item with its place.
#[cfg(not(feature = "std"))]
pub fn for_each<T>(_: Machine, items: &mut [T], work: impl Fn(usize, &mut T)) {
    in_turn(0, items, &work);
}

/// Calls `work` for every part at once, on threads that are kept for it. What they do must not depend on which does what.
///
/// They wake within microseconds, where a new thread takes tens of them; but they are as urgent as the program, where
/// the threads of [`for_each`] are as urgent as their caller.
#[cfg(feature = "std")]
pub fn at_once<T: Send>(parts: &mut [T], work: impl Fn(&mut T) + Sync) {
    let Some((first, others)) = parts.split_first_mut() else { return };
    let work = &work;
    if others.is_empty() {
        return work(first);
    }
    rayon::in_place_scope(|scope| {
        for part in others {
            scope.spawn(move |_| work(part));
        }
        work(first);
    });
}

/// Calls `work` for every part.
#[cfg(not(feature = "std"))]
pub fn at_once<T>(parts: &mut [T], work: impl Fn(&mut T)) {
    parts.iter_mut().for_each(work);
}

fn in_turn<T>(first: usize, items: &mut [T], work: &impl Fn(usize, &mut T)) {
    for (place, item) in (first..).zip(items) {
        work(place, item);
    }
}
