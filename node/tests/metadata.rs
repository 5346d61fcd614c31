//! The metadata that the client is built with.
//!
//! This is no test of the runtime's own suite, which is built with features that add runtime APIs.

#[path = "../../runtime/examples/metadata.rs"]
#[expect(dead_code, reason = "the example prints what is compared here")]
mod example;

#[test]
fn the_client_is_built_with_the_metadata_of_this_runtime() {
    let committed = include_bytes!("../../client/metadata.scale");
    let metadata = example::metadata().expect("the runtime has metadata");
    // Not compared by assert_eq, which would print all of both.
    assert!(metadata[..] == committed[..], "client/metadata.scale is that of another runtime: run scripts/metadata");
}
