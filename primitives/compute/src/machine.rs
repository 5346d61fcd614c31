//! What there is to compute with.

/// What to compute with. No result depends on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Machine {
    /// Threads, at least one. Without `std` there is one.
    pub threads: usize,
    /// Whether to use vector instructions beyond those that every machine of its kind has.
    pub vector: bool,
}

impl Machine {
    /// One thread and no more than every machine has.
    pub const PORTABLE: Self = Self { threads: 1, vector: false };
    /// One thread, and all vector instructions there are.
    pub const ONE_CORE: Self = Self { threads: 1, vector: true };

    /// All that this machine has.
    #[cfg(feature = "std")]
    pub fn native() -> Self {
        Self { threads: std::thread::available_parallelism().map_or(1, usize::from), vector: true }
    }
}
