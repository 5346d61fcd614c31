//! Real names against the patterns that a chain begins with.

use ensemble_core::ModelType;

use crate::{
    defaults::TYPES,
    mock::{type_of, with_chain},
    tests::model_names::NAMES,
};

fn number(name: &str) -> ModelType {
    let found = TYPES.iter().find(|(_, known)| *known == name);
    found.unwrap_or_else(|| panic!("{name} is no type")).0
}

/// Of every hundred real names, the type of ninety-eight is found.
#[test]
fn the_types_of_real_models_are_found() {
    with_chain(|| {
        let wrong: Vec<_> = NAMES
            .iter()
            .filter(|(name, label)| type_of(name) != number(label))
            .map(|(name, label)| (name, label, TYPES[usize::from(type_of(name))].1))
            .collect();
        let agreed = NAMES.len() - wrong.len();
        println!("{agreed} of {} names; not these: {wrong:?}", NAMES.len());
        assert!(agreed * 100 >= NAMES.len() * 98, "{agreed} of {} names; not these: {wrong:#?}", NAMES.len());
    });
}
