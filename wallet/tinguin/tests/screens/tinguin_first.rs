//! S01 to S05, the first start: what is there, what each step asks for, and what is misused.

use egui::accesskit::Role;
use egui::{Event, Key};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use semper_tinguin::views::first::randomness::{Making, PadEvent, RandomnessCommand};
use semper_tinguin::views::first::registration::{
    FileRead, KeyForm, Problem, RegistrationCommand, RegistrationState,
};
use semper_tinguin::views::first::seal::SealCommand;
use semper_tinguin::views::first::secrets::{PinForm, SecretsCommand, Strength, Weakness};
use semper_tinguin::views::first::welcome::{Welcome, WelcomeCommand};

use crate::first::{self, Command, First, registration, typing};
use crate::kit::{WINDOW, assert_element, click, focus, name, names, nodes, open, press, shows};

struct Scene {
    first: First,
    commands: Vec<Command>,
}

fn scene(first: First) -> Harness<'static, Scene> {
    let state = Scene { first, commands: Vec::new() };
    let mut harness = open(WINDOW, state, |ui, theme, texts, scene: &mut Scene| {
        scene.commands.extend(first::draw(ui, theme, texts, &mut scene.first));
    });
    harness.run();
    harness
}

fn types(harness: &mut Harness<'_, Scene>, role: Role, field: &str, text: &str) {
    focus(harness, role, field);
    harness.event(Event::Text(text.to_owned()));
    harness.run();
}

fn asked(harness: &Harness<'_, Scene>) -> Vec<Command> {
    harness.state().commands.clone()
}

/// Holds the space bar on what has the keyboard for so many quarters of a second.
fn hold(harness: &mut Harness<'_, Scene>, quarters: usize) {
    harness.key_down(Key::Space);
    harness.run_steps(quarters);
    harness.key_up(Key::Space);
    harness.run_steps(2);
}

#[test]
fn the_welcome_offers_what_there_is_and_nothing_else() {
    let mut harness = scene(First::Welcome(first::welcome()));
    assert_element(&harness, Role::Heading, "TINGUIN");
    assert!(shows(&harness, "Your own window for buying safely on the Internet"));
    assert!(shows(
        &harness,
        "What pages show you can be faked. What this window shows was checked on this computer"
    ));
    assert!(shows(&harness, "Step 1 of 5"));
    assert_element(&harness, Role::RadioButton, "English");
    assert_eq!(names(&harness, Role::Button), ["Set up this computer", "Try with demo money"]);
    click(&mut harness, Role::Button, "Set up this computer");
    click(&mut harness, Role::Button, "Try with demo money");
    let expected = [WelcomeCommand::New, WelcomeCommand::Demo].map(Command::Welcome);
    assert_eq!(asked(&harness), expected);
    let mut harness = scene(First::Welcome(Welcome { can_restore: true, ..first::welcome() }));
    click(&mut harness, Role::Button, "Restore from recovery sheet…");
    assert_eq!(asked(&harness), [Command::Welcome(WelcomeCommand::Restore)]);
}

#[test]
fn nothing_begins_where_nothing_can_be_written_nor_by_enter() {
    let folder = Welcome { unwritable: Some("/x".into()), is_x11: true, ..first::welcome() };
    let mut harness = scene(First::Welcome(folder));
    assert!(shows(
        &harness,
        "TINGUIN cannot write to its folder /x. Check the permissions, then start again"
    ));
    assert!(shows(
        &harness,
        "On this desktop (X11) other programs can read your keyboard. A Wayland session is safer. More under Settings, Protection"
    ));
    click(&mut harness, Role::Button, "Set up this computer");
    let mut writable = scene(First::Welcome(first::welcome()));
    focus(&mut writable, Role::Button, "Set up this computer");
    press(&mut writable, Key::Enter);
    assert!(asked(&harness).is_empty() && asked(&writable).is_empty());
}

#[test]
fn the_seal_is_tried_before_it_is_taken() {
    let mut harness = scene(first::seal(true, false));
    for (role, name) in [
        (Role::Heading, "Choose your picture and words"),
        (Role::Image, "Your picture"),
        (Role::TextInput, "First word"),
        (Role::TextInput, "Second word"),
        (Role::RadioButton, "Orange"),
        (Role::Button, "Other words"),
        (Role::Button, "Draw another"),
    ] {
        assert_element(&harness, role, name);
    }
    assert!(shows(&harness, "You will press and hold this picture to sign and pay. No page can know it"));
    click(&mut harness, Role::Button, "Continue");
    focus(&mut harness, Role::Button, "Hold your picture");
    // Too short a press, a click and a click of assistive technology try nothing.
    hold(&mut harness, 1);
    click(&mut harness, Role::Button, "Hold your picture");
    harness.get_by_role_and_label(Role::Button, "Hold your picture").click_accesskit();
    harness.run();
    assert!(asked(&harness).is_empty());
    focus(&mut harness, Role::Button, "Hold your picture");
    hold(&mut harness, 6);
    assert_eq!(asked(&harness), [Command::Seal(SealCommand::Tried)]);
    let mut harness = scene(first::seal(true, true));
    assert!(shows(&harness, "That is how you confirm everything here"));
    click(&mut harness, Role::Button, "Continue");
    assert_eq!(asked(&harness), [Command::Seal(SealCommand::Continue)]);
}

#[test]
fn whoever_cannot_hold_types_and_unfit_words_are_refused() {
    let mut harness = scene(first::seal(true, false));
    click(&mut harness, Role::Link, "I cannot hold it");
    types(&mut harness, Role::TextInput, "Type your first word here", "Amber");
    assert!(asked(&harness).contains(&Command::Seal(SealCommand::Tried)));
    let mut harness = scene(first::seal(false, true));
    assert!(shows(&harness, "Use two different words of 2 to 24 letters"));
    click(&mut harness, Role::Button, "Continue");
    assert!(asked(&harness).is_empty());
}

/// M3 and M4.
#[test]
fn passwords_that_differ_are_weak_or_pasted_are_refused_in_words() {
    let weak = Strength::Weak(Weakness::Common);
    let mut harness = scene(first::secrets(Some(weak), PinForm::Easy));
    types(&mut harness, Role::PasswordInput, "Password", "password12");
    assert!(shows(&harness, "Too easy to guess: many people use it, or one like it. Add unusual words"));
    assert!(shows(&harness, "This PIN is a date or a simple row. Choose another"));
    types(&mut harness, Role::PasswordInput, "Password again", "password13");
    assert!(shows(&harness, "The two entries differ"));
    harness.event(Event::Paste("seven grey herons".to_owned()));
    harness.run();
    assert!(shows(&harness, "Secrets are typed here, never pasted"));
    click(&mut harness, Role::Button, "Continue");
    assert!(asked(&harness).is_empty());
    let First::Secrets(_, form) = &harness.state().first else { panic!("another step") };
    assert_eq!((form.password.expose(), form.again.expose()), ("password12", "password13"));
}

#[test]
fn two_equal_strong_passwords_and_two_equal_pins_go_on() {
    let mut harness = scene(first::secrets(Some(first::STRONG), PinForm::Good));
    let pin = "PIN for payments, 6 to 12 digits";
    for (field, text) in
        [("Password", "seven grey herons"), ("Password again", "seven grey herons"), (pin, "728193")]
    {
        types(&mut harness, Role::PasswordInput, field, text);
    }
    assert!(shows(&harness, "Strong: about 310 years to guess with a stolen file"));
    types(&mut harness, Role::PasswordInput, "PIN again", "728194");
    click(&mut harness, Role::Button, "Continue");
    assert!(asked(&harness).is_empty());
    press(&mut harness, Key::Tab);
    focus(&mut harness, Role::PasswordInput, "PIN again");
    press(&mut harness, Key::Backspace);
    types(&mut harness, Role::PasswordInput, "PIN again", "3");
    click(&mut harness, Role::Button, "Continue");
    assert_eq!(asked(&harness), [Command::Secrets(SecretsCommand::Continue)]);
}

/// M1 and M2.
#[test]
fn too_little_and_too_regular_input_makes_no_keys() {
    let mut harness = scene(first::randomness(61, false, Making::Gathering));
    assert!(shows(&harness, "61 of 128 events so far. Go on a little"));
    assert!(shows(&harness, "From you: 61 of 128 events"));
    click(&mut harness, Role::Button, "Continue");
    assert!(asked(&harness).is_empty());
    let pad = "Move the pointer here, or type anything. It is not stored";
    types(&mut harness, Role::TextInput, pad, "ab");
    harness.event(Event::Paste("a sentence".to_owned()));
    harness.run();
    let First::Randomness(_, events) = &harness.state().first else { panic!("another step") };
    assert!(events.contains(&PadEvent::Key('a')) && events.contains(&PadEvent::Key('b')));
    assert!(events.contains(&PadEvent::Pasted));
    let regular = scene(first::randomness(2, true, Making::Gathering));
    assert!(shows(&regular, "This input repeats itself and does not count. Move the pointer or type freely"));
    click(&mut harness, Role::Link, "Continue without my part");
    assert_eq!(asked(&harness), [Command::Randomness(RandomnessCommand::Skip)]);
    let mut enough = scene(first::randomness(128, false, Making::Gathering));
    click(&mut enough, Role::Button, "Continue");
    assert_eq!(asked(&enough), [Command::Randomness(RandomnessCommand::Continue)]);
}

#[test]
fn without_random_numbers_nothing_goes_on() {
    let harness = scene(first::randomness(128, false, Making::NoSystem));
    let text = "This computer offers no random numbers. Keys made now would be unsafe. Nothing was made";
    assert!(shows(&harness, text));
    assert!(names(&harness, Role::Button).is_empty() && names(&harness, Role::TextInput).is_empty());
}

/// M7, before anybody is asked.
#[test]
fn a_slip_in_the_registration_key_is_found_here() {
    let cases = [
        (KeyForm::Unclear, "The last group does not fit the others. Check for a typing error"),
        (KeyForm::Group(3), "One character in group 3 is wrong. Check for a typing error"),
        (KeyForm::Short, "A registration key has 16 characters in 4 groups"),
    ];
    for (key, text) in cases {
        let mut harness = scene(registration(key, FileRead::Letter, RegistrationState::Typing(None)));
        assert!(shows(&harness, text), "{key:?}");
        click(&mut harness, Role::Button, "Ask for certificate");
        assert!(asked(&harness).is_empty(), "{key:?}");
    }
}

/// M6, M7 and M8, as the authority answers.
#[test]
fn what_the_authority_declines_is_said_without_telling_which_part_was_right() {
    let ca = "GMD CA, Darmstadt";
    let unknown = format!(
        "{ca} does not know this registration key for this name. Nothing was registered. Check name and key, or call {ca}"
    );
    assert!(shows(&scene(typing(Some(Problem::Unknown))), &unknown));
    let issued = format!(
        "{ca} has already issued a certificate for this registration key on 3 Mar 2027. It issues only one. If you have lost it, ask the registration authority for a new registration"
    );
    assert!(shows(&scene(typing(Some(Problem::Issued { date: "3 Mar 2027".into() }))), &issued));
    let twice = RegistrationState::Twice { until: "3 Mar 2029".into() };
    let twice = scene(registration(KeyForm::Good, FileRead::None, twice));
    assert!(shows(
        &twice,
        &format!(
            "You already have a certificate from {ca}, valid until 3 Mar 2029. {ca} did not issue a second one"
        )
    ));
}

#[test]
fn the_words_are_compared_before_anything_is_asked() {
    let mut harness = scene(registration(KeyForm::Good, FileRead::None, RegistrationState::Typing(None)));
    click(&mut harness, Role::Button, "Ask for certificate");
    assert!(asked(&harness).is_empty());
    click(&mut harness, Role::CheckBox, "These eight words are those in my letter");
    click(&mut harness, Role::Button, "Ask for certificate");
    assert_eq!(asked(&harness), [Command::Registration(RegistrationCommand::Ask)]);
    let mut harness = scene(typing(None));
    assert!(shows(&harness, "The words in your letter are those of this authority"));
    click(&mut harness, Role::Button, "Read it");
    click(&mut harness, Role::Button, "Later, buy anonymously until then");
    let expected = [RegistrationCommand::Read, RegistrationCommand::Later].map(Command::Registration);
    assert_eq!(asked(&harness), expected);
}

#[test]
fn the_question_is_read_then_held_and_its_progress_has_names() {
    let state = |state| registration(KeyForm::Good, FileRead::Letter, state);
    let mut harness = scene(state(first::question(false)));
    focus(&mut harness, Role::Button, "Hold your picture to ask");
    hold(&mut harness, 8);
    assert!(asked(&harness).is_empty(), "it was not in view for long enough");
    let mut harness = scene(state(first::question(true)));
    focus(&mut harness, Role::Button, "Hold your picture to ask");
    hold(&mut harness, 8);
    assert!(
        matches!(asked(&harness)[..], [Command::Registration(RegistrationCommand::Confirm(held))] if held >= 660)
    );
    click(&mut harness, Role::Button, "Do not ask");
    assert_eq!(asked(&harness).last(), Some(&Command::Registration(RegistrationCommand::Decline)));
    let working = scene(state(RegistrationState::Working { done: 2 }));
    let steps = [
        "Call the authority",
        "Check that it is the right one",
        "Prove the registration key",
        "Receive and check the certificate",
    ];
    assert!(steps.iter().all(|step| shows(&working, step)));
    let mut done = scene(state(RegistrationState::Done));
    assert!(shows(&done, "Certificate received and checked. You can now sign as Ines Ortmann"));
    click(&mut done, Role::Button, "Open the wallet");
    assert_eq!(asked(&done), [Command::Registration(RegistrationCommand::End)]);
}

#[test]
fn every_control_of_the_first_start_has_a_name() {
    for (which, first) in first::firsts() {
        let harness = scene(first);
        let controls = nodes(&harness);
        let controls = controls.iter().filter(|node| {
            crate::kit::is_control(egui_kittest::kittest::NodeT::accesskit_node(*node).role())
        });
        assert!(controls.map(name).all(|name| !name.is_empty()), "{which}");
    }
}
