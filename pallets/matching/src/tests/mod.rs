//! Tests by topic. The state is checked after every one of them, and before and after the end of every block.

mod life;
