//! What the source must not contain: it can be read, so it is.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the source is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The files of the crate that contain one of the words, but for those named.
fn containing(words: &[&str], but: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = sources(&root);
    assert!(files.len() > 15, "the source is read");
    let files = files.iter().filter(|path| but.iter().all(|name| !path.ends_with(name)));
    files
        .filter(|path| {
            let text = fs::read_to_string(path).expect("text");
            words.iter().any(|word| text.contains(word))
        })
        .map(|path| path.display().to_string())
        .collect()
}

#[test]
fn the_window_never_comes_to_the_user_by_itself() {
    let words = ["ViewportCommand", "show_viewport_", "request_user_attention", "with_always_on_top"];
    assert_eq!(containing(&words, &[]), [""; 0]);
}

#[test]
fn only_the_theme_names_a_colour() {
    // Emblems and photos are points of pictures; white leaves a texture as it is.
    let words = ["Color32::from_", "Color32::RED", "Color32::GREEN", "Color32::BLUE", "Color32::BLACK", "0x"];
    let but = ["theme.rs", "widgets/seal.rs", "widgets/emblem.rs"];
    assert_eq!(containing(&words, &but), [""; 0]);
    assert_eq!(containing(&["Color32::WHITE"], &["widgets/seal.rs", "theme.rs"]), [""; 0]);
}

#[test]
fn critical_things_are_no_windows_inside_the_window() {
    assert_eq!(containing(&["egui::Window", "egui::Modal", "Modal::new", "Window::new"], &[]), [""; 0]);
}

#[test]
fn texts_come_from_the_language_files() {
    let words = ["ui.label(\"", "Button::primary(\"", "Button::secondary(\"W", "RichText::new(\""];
    assert_eq!(containing(&words, &[]), [""; 0]);
}
