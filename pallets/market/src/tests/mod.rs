//! Tests by topic. The state is checked after every one of them, and after every block of each.
