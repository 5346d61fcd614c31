//! The metadata that the client is built with.

use ensemble_runtime::Runtime;

#[test]
fn the_client_is_built_with_the_metadata_of_this_runtime() {
    let committed = include_bytes!("../../../client/metadata.scale");
    let version = u32::from(committed[4]);
    let newest = Runtime::metadata_versions().into_iter().filter(|version| *version != u32::MAX).max();
    assert_eq!(Some(version), newest, "run scripts/metadata: there is a newer version of metadata");
    let metadata = Runtime::metadata_at_version(version).expect("the version is there");
    // Not compared by assert_eq, which would print all of both.
    assert!(metadata[..] == committed[..], "run scripts/metadata: client/metadata.scale is that of another runtime");
}
