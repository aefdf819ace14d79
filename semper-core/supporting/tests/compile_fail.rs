//! What must not compile: the type system holds the doors that no review has to watch.

#[test]
fn permits_quotations_and_keys_cannot_be_misused() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile-fail/*.rs");
}
