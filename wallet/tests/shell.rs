//! The window's content without a window: what it orders, what it shows, and what it drops when it is locked.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops"
)]

use egui::{Event, Key, Modifiers, accesskit::Role, pos2, vec2};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use semper_supporting::{
    archive::journal::{Chain, Entry, Kind},
    deal::DealId,
    time::{ClockBack, Moment, Span},
    tinguin::{SealedPrompt, prompt::Withdrawn},
};
use semper_tinguin::{texts::Texts, theme::Theme, views::door::DoorState, widgets::emblem::Emblem};
use semper_wallet::{
    bridge::{Link, News, Order, Stage},
    desk::{Desk, End},
    lines::{Seen, Signed},
    profile::{DoorPlate, DoorWords},
    shell::Shell,
    wallet::Mode,
};
use tokio::sync::{mpsc, watch};

#[path = "../tinguin/examples/gallery/asked.rs"]
mod asked;

/// The other end of the link, in the hands of the test.
struct Far {
    orders: mpsc::Receiver<Order>,
    stage: watch::Sender<Stage>,
    news: mpsc::Sender<News>,
    desk: watch::Sender<Desk>,
}

fn open() -> (Harness<'static, Shell>, Far) {
    let (order, orders) = mpsc::channel(16);
    let (stage, staged) = watch::channel(Stage::Door(DoorState::Ready));
    let (news, heard) = mpsc::channel(16);
    let plate = DoorPlate { words: DoorWords::parse("amber lighthouse").unwrap(), hue: 6 };
    let (desk, waiting) = watch::channel(Desk::default());
    let link = Link { orders: order, stage: staged, news: heard, desk: waiting };
    let shell = Shell::new(link, plate, Theme::DARK, Texts::english());
    let harness = Harness::builder()
        .with_size(vec2(1120.0, 760.0))
        .with_max_steps(16)
        .with_context_setup(|ctx| Theme::DARK.still().install(ctx))
        .build_ui_state(
            |ui, shell: &mut Shell| {
                shell.logic(ui.ctx());
                shell.ui(ui);
            },
            shell,
        );
    (harness, Far { orders, stage, news, desk })
}

const INSIDE: Stage = Stage::Open {
    opening: 1,
    emblem: Emblem::of(1, 2, 3, 1),
    read_only: false,
    lock_after: Span::minutes(10),
    clock_back: None,
};

fn shows(harness: &Harness<'_, Shell>, text: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        node.label().as_deref() == Some(text) || node.value().as_deref() == Some(text)
    })
}

fn type_text(harness: &mut Harness<'_, Shell>, text: &str) {
    harness.event(Event::Text(text.into()));
    harness.run();
}

fn line(seq: u64, kind: &str) -> Seen {
    let deal = Some(DealId::from_bytes([0x5f; 32]));
    let kind = Kind::parse(kind).unwrap();
    let entry = Entry { at: Moment::from_seconds(seq), kind, deal, salt: [0; 32], payload: vec![1, 2] };
    let mut chain = Chain::EMPTY;
    let mut line = chain.append(&entry);
    line.seq = seq;
    Seen { line, payload: entry.payload, signed: Signed::Unknown, signer: None }
}

#[test]
fn the_password_goes_out_once_and_is_forgotten_here() {
    let (mut harness, mut far) = open();
    harness.run();
    type_text(&mut harness, "seven grey herons");
    harness.key_press(Key::Enter);
    harness.run();
    let Ok(Order::Unlock { password, mode: Mode::Whole }) = far.orders.try_recv() else {
        unreachable!("the door orders to unlock")
    };
    assert_eq!(password.expose(), b"seven grey herons");
    harness.key_press(Key::Enter);
    harness.run();
    assert!(far.orders.try_recv().is_err(), "an empty field orders nothing");
}

#[test]
fn inside_is_shown_once_it_is_open_and_dropped_with_the_lock() {
    let (mut harness, mut far) = open();
    harness.run();
    assert!(!shows(&harness, "Deals in progress"));
    far.stage.send_replace(INSIDE);
    far.news.try_send(News { opening: 1, lines: vec![line(1, "received/offer")], ledger: None }).unwrap();
    far.news.try_send(News { opening: 7, lines: vec![line(2, "received/order")], ledger: None }).unwrap();
    harness.run();
    assert!(shows(&harness, "Deals in progress") && shows(&harness, "Deal 5f5f5f5f"));
    assert!(shows(&harness, "Waiting for the other party"));

    harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
    harness.run();
    assert!(matches!(far.orders.try_recv(), Ok(Order::Lock)));
    // The other side has not closed the archive yet, and nothing of it is shown any more.
    assert!(shows(&harness, "amber lighthouse") && !shows(&harness, "Deal 5f5f5f5f"));
    far.news.try_send(News { opening: 1, lines: vec![line(2, "received/order")], ledger: None }).unwrap();
    harness.run();
    assert!(!shows(&harness, "Deal 5f5f5f5f"));
    // The keyboard is the door's again.
    far.stage.send_replace(Stage::Door(DoorState::Ready));
    harness.run();
    type_text(&mut harness, "again");
    harness.key_press(Key::Enter);
    harness.run();
    assert!(matches!(far.orders.try_recv(), Ok(Order::Unlock { .. })));
}

#[test]
fn the_log_shows_what_came_and_stands_still_while_paused() {
    let (mut harness, far) = open();
    far.stage.send_replace(INSIDE);
    far.news.try_send(News { opening: 1, lines: vec![line(1, "sent/x/gxv/offer")], ledger: None }).unwrap();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num7);
    harness.run();
    let lines = |harness: &Harness<'_, Shell>, part: &str| {
        let all = harness.root().children_recursive();
        all.filter(|node| {
            let node = node.accesskit_node();
            node.role() == Role::Button && node.label().is_some_and(|label| label.contains(part))
        })
        .count()
    };
    assert_eq!(lines(&harness, "to the other party, Exchange, Offer of the exchange"), 1);
    harness.get_by_role_and_label(Role::Button, "Pause").click();
    harness.run();
    far.news
        .try_send(News { opening: 1, lines: vec![line(2, "received/x/gxv/accept")], ledger: None })
        .unwrap();
    harness.run();
    assert_eq!(lines(&harness, "Agreement to the exchange"), 0);
    assert!(shows(&harness, "Paused, 1 new line"));
    harness.get_by_role_and_label(Role::Button, "Follow").click();
    harness.run();
    assert_eq!(lines(&harness, "Agreement to the exchange"), 1);
}

#[test]
fn no_control_is_shown_that_does_nothing() {
    let (mut harness, far) = open();
    harness.run();
    harness.get_by_role_and_label(Role::Link, "Forgot the password").click();
    harness.run();
    let forgot = "Nobody can look up or replace a password. This version of the wallet has no recovery sheet: without the password it stays closed";
    assert!(shows(&harness, forgot));
    far.stage.send_replace(INSIDE);
    harness.run();
    assert!(shows(&harness, "No deals under way") && !shows(&harness, "Find a shop…"));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::J);
    harness.run();
    assert!(shows(&harness, "Nothing waits for you"));
    for key in [Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num8] {
        harness.key_press_modifiers(Modifiers::COMMAND, key);
        harness.run();
        let none = "This version of the wallet cannot show this yet. It shows your deals, your purses and the live log";
        assert!(shows(&harness, none), "{key:?}");
    }
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num7);
    harness.run();
    assert!(shows(&harness, "Pause") && !shows(&harness, "Export…"));
}

#[test]
fn a_line_of_the_log_is_shown_among_the_lines_of_its_deal() {
    let (mut harness, far) = open();
    far.stage.send_replace(INSIDE);
    let mut other = line(2, "received/order");
    other.line.deal = None;
    let lines = vec![line(1, "sent/x/gxv/offer"), other];
    far.news.try_send(News { opening: 1, lines, ledger: None }).unwrap();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num7);
    harness.run();
    let rows = |harness: &Harness<'_, Shell>| -> Vec<String> {
        let all = harness.root().children_recursive();
        let names = all.filter_map(|node| {
            let node = node.accesskit_node();
            (node.role() == Role::Button).then(|| node.label()).flatten()
        });
        names.filter(|name| name.starts_with("00:00:")).collect()
    };
    let both = rows(&harness);
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(both[0].starts_with("00:00:01, to the other party"), "{both:?}");
    harness.get_by_role_and_label(Role::Button, &both[0]).click();
    harness.run();
    harness.get_by_role_and_label(Role::Link, "Show in the deal").click();
    harness.run();
    assert_eq!(rows(&harness), both[..1]);
    assert!(!shows(&harness, "Show in the deal"));
}

#[test]
fn a_long_log_stands_at_its_newest_line_and_stays_there() {
    let (mut harness, far) = open();
    far.stage.send_replace(INSIDE);
    let tell = |lines: std::ops::RangeInclusive<u64>, last: &str| {
        let mut lines: Vec<Seen> = lines.map(|seq| line(seq, "sent/order")).collect();
        let next = lines.len() as u64 + 1;
        lines.push(line(next * 1000, last));
        far.news.try_send(News { opening: 1, lines, ledger: None }).unwrap();
    };
    tell(1..=99, "received/offer");
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num7);
    harness.run();
    let newest = |harness: &Harness<'_, Shell>, part: &str| {
        harness.root().children_recursive().any(|node| {
            let node = node.accesskit_node();
            node.role() == Role::Button && node.label().is_some_and(|label| label.contains(part))
        })
    };
    assert!(newest(&harness, "Commerce, Offer"));
    tell(101..=150, "received/confirmation");
    harness.run();
    assert!(newest(&harness, "Commerce, Confirmation"));
}

#[test]
fn a_damaged_archive_can_be_opened_for_reading() {
    let (mut harness, mut far) = open();
    far.stage.send_replace(Stage::Door(DoorState::Damaged { part: "record".into() }));
    harness.run();
    type_text(&mut harness, "seven grey herons");
    harness.get_by_role_and_label(Role::Button, "Open read-only").click();
    harness.run();
    assert!(matches!(far.orders.try_recv(), Ok(Order::Unlock { mode: Mode::ReadOnly, .. })));
    let (emblem, lock_after) = (Emblem::of(1, 2, 3, 1), Span::minutes(10));
    far.stage.send_replace(Stage::Open { opening: 1, emblem, read_only: true, lock_after, clock_back: None });
    harness.run();
    assert!(shows(&harness, "Opened read-only: nothing is signed, paid or written"));
}

#[test]
fn while_the_key_is_derived_or_the_door_waits_no_password_goes_out() {
    for state in
        [DoorState::Deriving { elapsed: 0 }, DoorState::Throttled { seconds: 4 }, DoorState::SecondInstance]
    {
        let (mut harness, mut far) = open();
        harness.run();
        type_text(&mut harness, "seven grey herons");
        far.stage.send_replace(Stage::Door(state));
        harness.step();
        harness.key_press(Key::Enter);
        harness.step();
        assert!(far.orders.try_recv().is_err());
    }
}

#[test]
fn a_window_that_nobody_uses_locks_after_as_long_as_its_owner_prefers() {
    let (mut harness, mut far) = open();
    let (emblem, lock_after) = (Emblem::of(1, 2, 3, 1), Span::minutes(1));
    far.stage.send_replace(Stage::Open {
        opening: 1,
        emblem,
        read_only: false,
        lock_after,
        clock_back: None,
    });
    harness.run();
    let pass = |harness: &mut Harness<'_, Shell>, seconds: f64| {
        let now = harness.ctx.input(|input| input.time);
        harness.input_mut().time = Some(now + seconds);
        harness.step();
        harness.input_mut().time = None;
    };
    pass(&mut harness, 50.0);
    assert!(far.orders.try_recv().is_err() && shows(&harness, "Deals in progress"));
    // Whoever moves the pointer is there.
    harness.event(Event::PointerMoved(pos2(300.0, 300.0)));
    pass(&mut harness, 1.0);
    pass(&mut harness, 58.0);
    assert!(far.orders.try_recv().is_err());
    pass(&mut harness, 3.0);
    assert!(matches!(far.orders.try_recv(), Ok(Order::Lock)));
    harness.run();
    assert!(shows(&harness, "amber lighthouse") && !shows(&harness, "Deals in progress"));
}

#[test]
fn a_clock_that_went_back_is_told_in_the_frame() {
    let (mut harness, far) = open();
    let clock_back = Some(ClockBack { by: Span::hours(3) });
    let (emblem, lock_after) = (Emblem::of(1, 2, 3, 1), Span::minutes(10));
    far.stage.send_replace(Stage::Open { opening: 1, emblem, read_only: false, lock_after, clock_back });
    harness.run();
    assert!(shows(&harness, "Your clock went back by 3 hours"));
}

/// What waits, as the other end lays it on the desk.
fn desk(prompts: Vec<SealedPrompt>) -> Desk {
    Desk { opening: 1, prompts, program: Some(asked::program()), ..Desk::default() }
}

fn open_with_question() -> (Harness<'static, Shell>, Far, SealedPrompt) {
    let (mut harness, mut far) = open();
    far.stage.send_replace(INSIDE);
    let prompt = live();
    far.desk.send_replace(desk(vec![prompt.clone()]));
    harness.run();
    assert!(shows(&harness, "Waiting for you (1)"));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::J);
    harness.run();
    let open = "Open: Exchange with Fogra Forschungsgesellschaft Druck e.V.";
    harness.get_by_role_and_label(Role::Button, open).click();
    harness.step();
    harness.step();
    let Ok(Order::Open(id)) = far.orders.try_recv() else { unreachable!("the question is opened") };
    assert_eq!(id, prompt.id());
    (harness, far, prompt)
}

/// A question that can be answered now.
fn live() -> SealedPrompt {
    asked::swap("XTS 24.90", "XTS 36.30").prompt().clone()
}

const TITLE: &str = "Exchange with Fogra Forschungsgesellschaft Druck e.V.";

#[test]
fn a_question_is_opened_by_the_person_and_put_back_by_escape() {
    let (mut harness, mut far, _) = open_with_question();
    assert!(shows(&harness, TITLE) && !shows(&harness, "Home"), "it fills the window");
    harness.run_steps(4);
    assert!(far.orders.try_recv().is_err());
    // What is done at once is swallowed, by the clock of the wall.
    let put_back = (0..100_000).any(|_| {
        harness.key_press(Key::Escape);
        harness.step();
        matches!(far.orders.try_recv(), Ok(Order::PutBack))
    });
    harness.run_steps(4);
    assert!(put_back && shows(&harness, "Home"));
}

#[test]
fn a_question_that_is_taken_back_stops_and_says_why() {
    let (mut harness, far, prompt) = open_with_question();
    let ended = [(prompt.id(), End::Withdrawn(Withdrawn::ByPeer))].into();
    far.desk.send_replace(Desk { ended, ..desk(Vec::new()) });
    harness.run_steps(2);
    let stopped = harness.root().children_recursive().find_map(|node| {
        let node = node.accesskit_node();
        (node.role() == Role::Heading).then(|| node.label()).flatten()
    });
    // What was sealed in the past has run out in the meantime.
    let stopped = stopped.unwrap_or_default();
    assert!(stopped.contains("Nothing was signed"), "{stopped}");
    harness.get_by_role_and_label(Role::Button, "Back to the deal").click();
    harness.run();
    assert!(shows(&harness, "Nothing waits for you"));
}

#[test]
fn another_question_in_its_place_is_looked_at_and_never_confirmed_at_once() {
    let (mut harness, mut far, prompt) = open_with_question();
    let new = asked::order("XTS 29.90", &[]).prompt().clone();
    let (before, after) = (prompt.facts()[..2].to_vec(), new.facts()[..2].to_vec());
    let ended = [(prompt.id(), End::Replaced { by: new.id(), before, after })].into();
    far.desk.send_replace(Desk { ended, ..desk(vec![new.clone()]) });
    harness.run_steps(2);
    assert!(shows(&harness, "Stopped: the offer changed while you were looking"));
    harness.get_by_role_and_label(Role::Button, "Look at the new offer").click();
    harness.run_steps(3);
    assert!(matches!(far.orders.try_recv(), Ok(Order::Open(id)) if id == new.id()));
    assert!(shows(&harness, "Order from Fogra Forschungsgesellschaft Druck e.V."));
    assert!(far.orders.try_recv().is_err());
}

#[test]
fn locking_drops_the_open_question() {
    let (mut harness, mut far, _) = open_with_question();
    harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
    harness.run_steps(4);
    assert!(matches!(far.orders.try_recv(), Ok(Order::Lock)));
    assert!(!shows(&harness, TITLE) && shows(&harness, "amber lighthouse"));
    far.desk.send_replace(desk(vec![live()]));
    harness.run();
    assert!(!shows(&harness, "Waiting for you (1)"));
}
