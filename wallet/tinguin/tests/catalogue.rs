//! What the build script refuses: a text or a variable that one language has and another lacks.

#![expect(dead_code, reason = "the build script's module, of which this test uses a part")]

#[path = "../build/catalogue.rs"]
mod catalogue;

use catalogue::{Catalogue, Kind, Language, compare, generate};

fn read(text: &str) -> Catalogue {
    Catalogue::read(&[("a.ftl".to_owned(), text.to_owned())]).unwrap_or_default()
}

fn faults(text: &str) -> String {
    Catalogue::read(&[("a.ftl".to_owned(), text.to_owned())]).err().unwrap_or_default().join("\n")
}

#[test]
fn equal_variables_pass() {
    let master = read("hello = Hello { $name }");
    assert!(compare(&master, &read("hello = { $name }, guten Tag"), "de").is_empty());
}

#[test]
fn a_missing_text_is_a_fault() {
    assert_eq!(compare(&read("a = A\nb = B"), &read("a = A"), "de"), ["de: b is missing"]);
}

#[test]
fn a_text_of_its_own_is_a_fault() {
    assert_eq!(compare(&read("a = A"), &read("a = A\nb = B"), "de"), ["de: b is not in the master"]);
}

#[test]
fn a_missing_variable_is_a_fault() {
    assert_eq!(compare(&read("a = A { $x }"), &read("a = A"), "fr"), ["fr: a lacks $x"]);
}

#[test]
fn a_variable_too_many_is_a_fault() {
    let told = compare(&read("a = A"), &read("a = A { $x }"), "fr");
    assert_eq!(told, ["fr: a has $x, which nobody gives it"]);
}

#[test]
fn selecting_on_text_is_a_fault_in_any_language() {
    let master = read("a = A { $x }");
    let other = read("a = { $x ->\n    [one] 1\n   *[other] { $x }\n }");
    assert_eq!(compare(&master, &other, "el"), ["el: a selects on $x, which is text"]);
}

#[test]
fn a_comment_makes_a_variable_a_count() {
    let catalogue = read("# $n: count\na = { $n } of { $m }");
    let variables = &catalogue.texts["a"].variables;
    assert_eq!(variables["n"], Kind::Count);
    assert_eq!(variables["m"], Kind::Text);
}

#[test]
fn a_declared_variable_must_be_used_and_known() {
    assert!(faults("# $n: count\na = A").contains("$n is declared, not used"));
    assert!(faults("# $n: money\na = { $n }").contains("neither count nor text"));
}

#[test]
fn functions_terms_and_references_are_refused() {
    assert!(faults("a = { NUMBER($n) }").contains("function NUMBER"));
    assert!(faults("-brand = X\na = A").contains("terms are not used"));
    assert!(faults("a = A\nb = { a }").contains("refers to a"));
}

#[test]
fn one_key_twice_is_a_fault() {
    assert!(faults("a = A\na = B").contains("a is there twice"));
}

#[test]
fn attributes_are_texts_of_their_own() {
    let catalogue = read("a = A\n    .advice = Do { $what }");
    assert!(catalogue.texts["a.advice"].variables.contains_key("what"));
}

#[test]
fn two_keys_with_one_rust_name_are_a_fault() {
    let told = generate(&read("a-b = A\na = A\n    .b = B"), &[]).unwrap_err().join("\n");
    assert!(told.contains("have one name in Rust"), "{told}");
}

#[test]
fn a_language_without_a_table_of_figures_is_a_fault() {
    let catalogue = read("a = A");
    let language = Language { code: "xx".to_owned(), files: Vec::new(), catalogue: catalogue.clone() };
    assert!(generate(&catalogue, &[language]).unwrap_err().join("\n").contains("no table of figures"));
}

#[test]
fn a_variable_that_is_a_word_of_rust_is_a_fault() {
    assert!(generate(&read("a = { $type }"), &[]).unwrap_err().join("\n").contains("no name for a field"));
}
