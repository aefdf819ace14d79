//! S12, S13, S14: the critical prompts, and everything by which they must not be confirmed.

use egui::accesskit::{Action, ActionRequest, Role, TreeId};
use egui::{Event, Key, Modifiers, PointerButton, Pos2, Rect};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use semper_supporting::time::{Moment, Span};
use semper_supporting::tinguin::gate::{AnswerFault, Outcome, Pending, Situation};
use semper_supporting::tinguin::prompt::{Answer, Decision, Gesture};
use semper_tinguin::prompts::{self, Attempt, PinState, Prompt, PromptCommand};
use semper_tinguin::widgets::bar::Bar;

use crate::kit::{assert_element, name, names, nodes, shows};
use crate::{asked, sample};

struct Scene {
    pending: Option<Pending>,
    attempt: Attempt,
    bar: Option<Bar>,
    pin: PinState,
    sending: bool,
    clock_off: Option<&'static str>,
    commands: Vec<PromptCommand>,
    now: Moment,
}

fn scene(pending: Pending) -> Harness<'static, Scene> {
    let state = Scene {
        pending: Some(pending),
        attempt: Attempt::default(),
        bar: None,
        pin: PinState::Free,
        sending: false,
        clock_off: None,
        commands: Vec::new(),
        now: asked::NOW,
    };
    let (program, steps) = (asked::program(), asked::steps());
    let draw = move |ui: &mut egui::Ui, scene: &mut Scene| {
        let bar = scene.bar.get_or_insert_with(|| sample::bar(ui.ctx())).clone();
        let Some(pending) = &scene.pending else { return };
        let passed = ui.input(|input| (input.time * 1000.0) as u64);
        scene.now = asked::NOW.after(Span::millis(passed));
        let data = Prompt {
            sealed: pending.prompt(),
            bar: &bar,
            deal: Some(("Deal with Fogra", &steps)),
            now: scene.now,
            zone: asked::zone,
            pin: scene.pin,
            clock_off: scene.clock_off,
            sending: scene.sending,
            refused: None,
            program: &program,
        };
        let texts = semper_tinguin::texts::Texts::english();
        let theme = semper_tinguin::theme::Theme::DARK;
        scene.commands.extend(prompts::ui(ui, &theme, &texts, &data, &mut scene.attempt));
    };
    let mut harness = Harness::builder()
        // High enough that every fact is on the screen without scrolling.
        .with_size(egui::vec2(1120.0, 1100.0))
        .with_step_dt(1.0 / 60.0)
        .with_context_setup(|ctx| semper_tinguin::theme::Theme::DARK.still().install(ctx))
        .build_ui_state(draw, state);
    harness.step();
    harness
}

fn order() -> Harness<'static, Scene> {
    scene(asked::order("XTS 24.90", &[]))
}

/// Draws for so many milliseconds.
fn pass(harness: &mut Harness<'_, Scene>, milliseconds: u32) {
    for _ in 0..(milliseconds * 60).div_ceil(1000) {
        harness.step();
    }
}

const HOLD: &str = "Hold your picture to order for XTS\u{A0}24.90";
const PAY: &str = "Hold your picture to pay XTS\u{A0}124.90";

fn picture(harness: &Harness<'_, Scene>, hold: &str) -> Rect {
    harness.get_by_role_and_label(Role::Button, hold).rect()
}

fn state_of(harness: &Harness<'_, Scene>, hold: &str) -> String {
    let node = harness.get_by_role_and_label(Role::Button, hold);
    node.accesskit_node().description().unwrap_or_default()
}

fn pointer(harness: &mut Harness<'_, Scene>, pos: Pos2, button: PointerButton, pressed: bool) {
    harness.event(Event::PointerMoved(pos));
    harness.event(Event::PointerButton { pos, button, pressed, modifiers: Modifiers::NONE });
    harness.step();
}

/// Moves the pointer a little, and waits until the prompt is armed.
fn arm(harness: &mut Harness<'_, Scene>) {
    pass(harness, 500);
    harness.event(Event::PointerMoved(egui::pos2(500.0, 300.0)));
    pass(harness, 2900);
}

/// Presses the picture for so long.
fn hold(harness: &mut Harness<'_, Scene>, words: &str, milliseconds: u32) {
    let at = picture(harness, words).center();
    pointer(harness, at, PointerButton::Primary, true);
    pass(harness, milliseconds);
    pointer(harness, at, PointerButton::Primary, false);
}

fn answers(harness: &Harness<'_, Scene>) -> Vec<Answer> {
    let all = harness.state().commands.iter();
    all.filter_map(|command| match command {
        PromptCommand::Answer(answer) => Some((**answer).clone()),
        PromptCommand::Later | PromptCommand::Lock => None,
    })
    .collect()
}

fn confirmed(harness: &Harness<'_, Scene>) -> bool {
    answers(harness).iter().any(|answer| answer.decision == Decision::Confirm)
}

/// What the gate says to the only answer.
fn judge(harness: &mut Harness<'_, Scene>) -> Result<Outcome, AnswerFault> {
    let answer = answers(harness).pop().expect("an answer");
    let scene = harness.state_mut();
    let pending = scene.pending.take().expect("a question");
    let situation =
        Situation { now: scene.now, revision: pending.prompt().revision(), clock_error: Span::default() };
    pending.judge(&answer, None, &situation).map_err(|back| back.1)
}

#[test]
fn every_element_is_found_by_role_and_name() {
    let harness = order();
    assert_element(&harness, Role::Heading, "Order from Fogra Forschungsgesellschaft Druck e.V.");
    assert_element(&harness, Role::Heading, "Checked on this computer");
    assert_element(&harness, Role::Heading, "Deal with Fogra");
    let decline = "Decline: Order from Fogra Forschungsgesellschaft Druck e.V.";
    for button in [decline, "Decide later", HOLD, "Lock now"] {
        assert_element(&harness, Role::Button, button);
    }
    for link in ["Confirm by typing", "All details", "What exactly is signed"] {
        assert_element(&harness, Role::Link, link);
    }
    for text in [
        "PLAY MONEY",
        "XTS\u{A0}24.90",
        "24 units and 90 hundredths of play money",
        "Other party: Fogra Forschungsgesellschaft Druck e.V., certified by GMD CA",
        "Items: 2 × “Abstract: Density measurement 1997” XTS\u{A0}11.90\n1 × “Delivery on line” XTS\u{A0}1.10, according to Fogra",
        "checked here: the text to be signed",
        "Then nothing is signed",
    ] {
        assert!(shows(&harness, text), "{text}: {:?}", names(&harness, Role::Label));
    }
    // Words of the seal are read before the question, and the question before what confirms it.
    let order: Vec<String> = nodes(&harness).iter().map(name).collect();
    let at = |text: &str| order.iter().position(|name| name.contains(text)).expect("it is read");
    assert!(at("amber lighthouse") < at("Order from") && at("Order from") < at("Other party"));
    assert!(at("Other party") < at("Decide later"));
}

#[test]
fn whoever_reads_and_holds_confirms_and_the_gate_grants() {
    let mut harness = order();
    arm(&mut harness);
    assert_eq!(state_of(&harness, HOLD), "Ready");
    hold(&mut harness, HOLD, 1100);
    let Ok(Outcome::Granted(grants)) = judge(&mut harness) else { panic!("it is granted") };
    assert!(matches!(grants.record().gesture(), Gesture::Hold { .. }));
}

#[test]
fn the_space_bar_held_on_the_picture_confirms_too() {
    let mut harness = order();
    arm(&mut harness);
    harness.get_by_role_and_label(Role::Button, HOLD).focus();
    harness.step();
    harness.key_down(Key::Space);
    pass(&mut harness, 1100);
    harness.key_up(Key::Space);
    assert!(matches!(judge(&mut harness), Ok(Outcome::Granted(_))));
}

#[test]
fn a_click_an_enter_or_a_short_hold_confirms_nothing() {
    let mut harness = order();
    arm(&mut harness);
    harness.get_by_role_and_label(Role::Button, HOLD).focus();
    harness.step();
    for _ in 0..3 {
        harness.key_press(Key::Enter);
        pass(&mut harness, 1500);
    }
    hold(&mut harness, HOLD, 50);
    pass(&mut harness, 2000);
    hold(&mut harness, HOLD, 800);
    assert_eq!(state_of(&harness, HOLD), "Released too early. Nothing was signed");
    pass(&mut harness, 3000);
    assert!(answers(&harness).is_empty());
}

#[test]
fn a_press_before_it_was_armed_counts_for_nothing_however_long() {
    let mut harness = order();
    let at = picture(&harness, HOLD).center();
    pointer(&mut harness, at, PointerButton::Primary, true);
    pass(&mut harness, 6000);
    assert!(!confirmed(&harness));
    pointer(&mut harness, at, PointerButton::Primary, false);
    // Pressed outside and drawn onto the picture.
    pointer(&mut harness, egui::pos2(500.0, 500.0), PointerButton::Primary, true);
    harness.event(Event::PointerMoved(at));
    pass(&mut harness, 6000);
    assert!(!confirmed(&harness));
}

#[test]
fn leaving_the_picture_or_a_second_button_ends_the_hold() {
    let mut harness = order();
    arm(&mut harness);
    let at = picture(&harness, HOLD).center();
    pointer(&mut harness, at, PointerButton::Primary, true);
    pass(&mut harness, 500);
    harness.event(Event::PointerMoved(at - egui::vec2(200.0, 0.0)));
    pass(&mut harness, 100);
    harness.event(Event::PointerMoved(at));
    pass(&mut harness, 3000);
    assert!(!confirmed(&harness));
    pointer(&mut harness, at, PointerButton::Primary, false);
    pointer(&mut harness, at, PointerButton::Primary, true);
    pass(&mut harness, 500);
    pointer(&mut harness, at, PointerButton::Secondary, true);
    pass(&mut harness, 3000);
    assert!(!confirmed(&harness));
}

#[test]
fn losing_the_focus_ends_the_hold_and_arms_anew() {
    let mut harness = order();
    arm(&mut harness);
    let at = picture(&harness, HOLD).center();
    pointer(&mut harness, at, PointerButton::Primary, true);
    pass(&mut harness, 500);
    harness.input_mut().focused = false;
    pass(&mut harness, 100);
    assert_eq!(state_of(&harness, HOLD), "Not ready: this window is not in front");
    harness.input_mut().focused = true;
    pass(&mut harness, 100);
    assert_eq!(state_of(&harness, HOLD), "Ready in 1 s");
    pass(&mut harness, 4000);
    assert!(!confirmed(&harness), "the old press does not count any more");
}

#[test]
fn nothing_arms_before_something_was_done_in_the_window() {
    let mut harness = order();
    pass(&mut harness, 4000);
    assert_eq!(state_of(&harness, HOLD), "Not ready: move the pointer or press a key in this window");
}

#[test]
fn facts_out_of_sight_must_be_looked_at_first() {
    let mut harness = order();
    harness.set_size(egui::vec2(1120.0, 480.0));
    arm(&mut harness);
    assert_eq!(state_of(&harness, HOLD), "Not ready: you have not seen all facts");
    hold(&mut harness, HOLD, 1500);
    assert!(!confirmed(&harness));
    harness.set_size(egui::vec2(1120.0, 1100.0));
    pass(&mut harness, 100);
    assert_eq!(state_of(&harness, HOLD), "Not ready: the window is changing its size");
    pass(&mut harness, 2000);
    assert_eq!(state_of(&harness, HOLD), "Ready");
}

#[test]
fn warnings_are_acknowledged_one_by_one() {
    let mut harness = scene(asked::order("XTS 24.90", &["w-first", "w-identity"]));
    arm(&mut harness);
    assert_eq!(state_of(&harness, HOLD), "Not ready: 2 warnings to acknowledge");
    let party = "Fogra Forschungsgesellschaft Druck e.V.";
    let first = format!("I have seen this: First time with {party}. Its certificate comes from GMD CA");
    harness.get_by_role_and_label(Role::Button, &first).click();
    pass(&mut harness, 100);
    assert_eq!(state_of(&harness, HOLD), "Not ready: 1 warning to acknowledge");
    let second = format!("I have seen this: {party} will learn your name");
    harness.get_by_role_and_label(Role::Button, &second).click();
    pass(&mut harness, 2500);
    hold(&mut harness, HOLD, 1100);
    assert!(matches!(judge(&mut harness), Ok(Outcome::Granted(_))));
}

#[test]
fn a_wrong_clock_stops_it() {
    let mut harness = order();
    harness.state_mut().clock_off = Some("7 minutes");
    arm(&mut harness);
    assert_eq!(state_of(&harness, HOLD), "Not ready: the clock of this computer is wrong by 7 minutes");
}

#[test]
fn declining_says_what_it_does_and_asks_once_more() {
    let mut harness = order();
    pass(&mut harness, 500);
    click_now(&mut harness, "Decline: Order from Fogra Forschungsgesellschaft Druck e.V.");
    assert!(harness.state().commands.is_empty());
    let told = "Fogra Forschungsgesellschaft Druck e.V. is told that you declined, not why";
    assert!(shows(&harness, told) && shows(&harness, "Decline for good?"));
    click_now(&mut harness, "No, go on looking");
    assert!(harness.state().commands.is_empty());
    click_now(&mut harness, "Decline: Order from Fogra Forschungsgesellschaft Druck e.V.");
    click_now(&mut harness, "Yes, decline");
    assert!(matches!(judge(&mut harness), Ok(Outcome::Declined(_))));
}

#[test]
fn deciding_later_is_a_button_and_escape() {
    let mut harness = order();
    harness.key_press(Key::Escape);
    harness.step();
    assert!(harness.state().commands.is_empty(), "what comes at once is swallowed");
    pass(&mut harness, 500);
    click_now(&mut harness, "Decide later");
    harness.key_press(Key::Escape);
    harness.step();
    assert_eq!(harness.state().commands, [PromptCommand::Later, PromptCommand::Later]);
}

#[test]
fn an_assistive_click_on_the_picture_opens_the_typed_way_and_confirms_nothing() {
    let mut harness = order();
    arm(&mut harness);
    let target = harness.get_by_role_and_label(Role::Button, HOLD).accesskit_node().locate().0;
    let request =
        ActionRequest { action: Action::Click, target_tree: TreeId::ROOT, target_node: target, data: None };
    harness.event(Event::AccessKitActionRequest(request));
    pass(&mut harness, 3000);
    assert!(!confirmed(&harness));
    assert_element(&harness, Role::PasswordInput, "PIN for this wallet");
    assert_element(&harness, Role::TextInput, "Amount in whole XTS");
    assert_element(&harness, Role::Button, "Confirm");
}

#[test]
fn the_typed_way_takes_pin_and_amount_and_twice_the_time() {
    let mut harness = order();
    pass(&mut harness, 500);
    click_link(&mut harness, "Confirm by typing");
    type_into(&mut harness, Role::PasswordInput, "PIN for this wallet", "728193");
    type_into(&mut harness, Role::TextInput, "Amount in whole XTS", "25");
    pass(&mut harness, 3000);
    click_now(&mut harness, "Confirm");
    assert!(!confirmed(&harness), "the amount is 24");
    harness.get_by_role_and_label(Role::TextInput, "Amount in whole XTS").focus();
    harness.step();
    harness.key_press(Key::Backspace);
    type_into(&mut harness, Role::TextInput, "Amount in whole XTS", "4");
    click_now(&mut harness, "Confirm");
    let all = answers(&harness);
    assert!(matches!(all[..], [Answer { gesture: Gesture::Typed { .. }, retyped: Some(24), .. }]), "{all:?}");
}

#[test]
fn level_c_takes_the_pin_and_a_wrong_one_is_counted_down() {
    let mut harness = scene(asked::swap("XTS 124.90", "XTS 36.30"));
    arm(&mut harness);
    assert_eq!(state_of(&harness, PAY), "Not ready: type the PIN");
    hold(&mut harness, PAY, 2000);
    assert!(!confirmed(&harness));
    type_into(&mut harness, Role::PasswordInput, "PIN for this wallet", "123");
    assert_eq!(state_of(&harness, PAY), "Not ready: type the PIN");
    type_into(&mut harness, Role::PasswordInput, "PIN for this wallet", "456");
    harness.key_press(Key::Enter);
    pass(&mut harness, 200);
    assert!(!confirmed(&harness), "Enter confirms nothing");
    assert_eq!(state_of(&harness, PAY), "Ready");
    hold(&mut harness, PAY, 1700);
    assert_eq!(harness.state().attempt.pin.expose(), "123456");
    assert_eq!(judge(&mut harness).err(), Some(AnswerFault::Pin), "nobody has verified it");

    let mut harness = scene(asked::swap("XTS 124.90", "XTS 36.30"));
    harness.state_mut().pin = PinState::Wrong { left: 4 };
    pass(&mut harness, 100);
    assert!(shows(&harness, "Wrong PIN, 4 tries left. Nothing was signed"));
    harness.state_mut().pin = PinState::Blocked { until: asked::NOW.after(Span::minutes(10)) };
    arm(&mut harness);
    assert!(shows(&harness, "Too many wrong PINs. Try again in 10 min"));
    type_into(&mut harness, Role::PasswordInput, "PIN for this wallet", "728193");
    assert!(harness.state().attempt.pin.is_empty(), "no PIN is taken");
}

#[test]
fn the_keypad_types_digits_and_takes_them_back() {
    let mut harness = scene(asked::swap("XTS 124.90", "XTS 36.30"));
    pass(&mut harness, 500);
    click_now(&mut harness, "Show keypad");
    for digit in ["7", "2", "8", "0"] {
        click_now(&mut harness, &format!("Digit {digit}"));
    }
    click_now(&mut harness, "Take back one digit");
    assert_eq!(harness.state().attempt.pin.expose(), "728");
}

#[test]
fn level_d_takes_the_amount_as_well() {
    let words = "Hold your picture to pay XTS\u{A0}1,240.00";
    let mut harness = scene(asked::swap("XTS 1240.00", "XTS 36.30"));
    arm(&mut harness);
    type_into(&mut harness, Role::PasswordInput, "PIN for this wallet", "728193");
    assert_eq!(state_of(&harness, words), "Not ready: type the amount again");
    type_into(&mut harness, Role::TextInput, "Amount in whole XTS", "1240");
    assert_eq!(state_of(&harness, words), "Ready");
    hold(&mut harness, words, 2500);
    assert_eq!(answers(&harness)[0].retyped, Some(1240));
}

#[test]
fn an_exchange_says_both_sides_and_who_decides() {
    let harness = scene(asked::swap("XTS 24.90", "XTS 36.30"));
    for text in [
        "Exchange with Fogra Forschungsgesellschaft Druck e.V.",
        "You get: “Colour management, an introduction”, checked here",
        "Paid with: Play money “Cash purse”, your entry",
        "Left in the purse: XTS\u{A0}36.30, checked here",
        "Can be taken back: Yes, by the third party, without a time limit, checked here",
        "Decides after a fault: Consumer Arbitration, checked here",
    ] {
        assert!(shows(&harness, text), "{text}: {:?}", names(&harness, Role::Label));
    }
}

#[test]
fn no_storm_confirms_anything() {
    for seed in 40..44 {
        let mut harness = scene(asked::order("XTS 4.90", &[]));
        crate::storm::storm(&mut harness, seed);
        assert!(!confirmed(&harness), "seed {seed}");
    }
}

fn click_now(harness: &mut Harness<'_, Scene>, label: &str) {
    harness.get_by_role_and_label(Role::Button, label).click();
    pass(harness, 50);
}

fn click_link(harness: &mut Harness<'_, Scene>, label: &str) {
    harness.get_by_role_and_label(Role::Link, label).click();
    pass(harness, 50);
}

fn type_into(harness: &mut Harness<'_, Scene>, role: Role, label: &str, text: &str) {
    harness.get_by_role_and_label(role, label).focus();
    harness.step();
    harness.event(Event::Text(text.to_owned()));
    pass(harness, 100);
}
