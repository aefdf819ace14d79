//! What the tests of all screens share: a window without a screen, and questions to its tree.

use egui::accesskit::Role;
use egui::{Key, Rect, Ui, Vec2, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, Node};
use semper_tinguin::texts::Texts;
use semper_tinguin::theme::Theme;

/// The window as it opens.
pub(crate) const WINDOW: Vec2 = vec2(1120.0, 760.0);

/// A window that draws with the given function, in the dark look and in English.
pub(crate) fn open<'a, State>(
    size: Vec2,
    state: State,
    draw: impl FnMut(&mut Ui, &Theme, &Texts, &mut State) + 'a,
) -> Harness<'a, State> {
    open_in(size, 1.0, Theme::DARK, Texts::english(), state, draw)
}

/// A window with a size in physical pixels, a zoom, a look and a language.
pub(crate) fn open_in<'a, State>(
    size: Vec2,
    zoom: f32,
    theme: Theme,
    texts: Texts,
    state: State,
    mut draw: impl FnMut(&mut Ui, &Theme, &Texts, &mut State) + 'a,
) -> Harness<'a, State> {
    let harness = Harness::builder()
        .with_size(size / zoom)
        .with_pixels_per_point(zoom)
        .with_max_steps(16)
        .with_context_setup(move |ctx| theme.still().install(ctx));
    let look = match theme.mode {
        semper_tinguin::theme::Mode::Dark => egui::Theme::Dark,
        semper_tinguin::theme::Mode::Light => egui::Theme::Light,
    };
    harness.with_theme(look).build_ui_state(move |ui, state| draw(ui, &theme, &texts, state), state)
}

/// Everything in the tree, in the order in which it is read.
pub(crate) fn nodes<'h, State>(harness: &'h Harness<'_, State>) -> Vec<Node<'h>> {
    harness.root().children_recursive().filter(|node| !node.accesskit_node().is_hidden()).collect()
}

/// The name of a node; a plain text is its own name.
pub(crate) fn name(node: &Node<'_>) -> String {
    let node = node.accesskit_node();
    node.label().or_else(|| node.value()).unwrap_or_default()
}

/// All names of a role, in order.
pub(crate) fn names<State>(harness: &Harness<'_, State>, role: Role) -> Vec<String> {
    nodes(harness).iter().filter(|node| node.accesskit_node().role() == role).map(name).collect()
}

/// Tells whether a text is shown, as a name or a value.
pub(crate) fn shows<State>(harness: &Harness<'_, State>, text: &str) -> bool {
    nodes(harness).iter().any(|node| {
        let inner = node.accesskit_node();
        inner.label().as_deref() == Some(text) || inner.value().as_deref() == Some(text)
    })
}

/// Asserts that an element of this role and name is there, once.
pub(crate) fn assert_element<State>(harness: &Harness<'_, State>, role: Role, name: &str) {
    let found = names(harness, role);
    let count = found.iter().filter(|found| *found == name).count();
    assert_eq!(count, 1, "{role:?} {name:?} among {found:?}");
}

/// Presses with the pointer on the element of this role and name.
pub(crate) fn click<State>(harness: &mut Harness<'_, State>, role: Role, name: &str) {
    harness.get_by_role_and_label(role, name).click();
    harness.run();
}

/// Gives the focus to the element of this role and name.
pub(crate) fn focus<State>(harness: &mut Harness<'_, State>, role: Role, name: &str) {
    harness.get_by_role_and_label(role, name).focus();
    harness.run();
}

/// Presses and releases a key.
pub(crate) fn press<State>(harness: &mut Harness<'_, State>, key: Key) {
    harness.key_press(key);
    harness.run();
}

/// The name of what has the focus.
pub(crate) fn focused<State>(harness: &Harness<'_, State>) -> Option<String> {
    nodes(harness).iter().find(|node| node.is_focused()).map(name)
}

/// Walks with the tab key until the focus comes round, and lists the names it passed.
pub(crate) fn tab_order<State>(harness: &mut Harness<'_, State>) -> Vec<String> {
    let mut order: Vec<String> = focused(harness).into_iter().collect();
    for _ in 0..64 {
        press(harness, Key::Tab);
        let Some(now) = focused(harness) else { continue };
        if order.first() == Some(&now) {
            break;
        }
        order.push(now);
    }
    order
}

/// The roles that are used by hand.
pub(crate) fn is_control(role: Role) -> bool {
    matches!(role, Role::Button | Role::Link | Role::ComboBox | Role::PasswordInput | Role::TextInput)
}

/// The controls with name and place.
pub(crate) fn controls<State>(harness: &Harness<'_, State>) -> Vec<(String, Rect)> {
    let all = nodes(harness);
    let all = all.iter().filter(|node| is_control(node.accesskit_node().role()));
    all.map(|node| (name(node), node.rect())).collect()
}
