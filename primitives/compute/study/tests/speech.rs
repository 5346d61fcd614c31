//! Where a sentence ends.

use ensemble_compute_study::speech::is_sentence;

#[test]
fn a_sentence_ends_with_a_mark_after_a_letter() {
    for text in ["Paris is a city. ", "Is it?\n", "It is! So", "One. Two"] {
        assert!(is_sentence(text), "{text}");
    }
    for text in ["", "Paris", "Paris is a city.", "1. First", "of 3.5 metres", "1. **"] {
        assert!(!is_sentence(text), "{text}");
    }
}
