//! Made-up data for pictures and tests: one buyer, a few shops, play money.

#![allow(dead_code, reason = "pictures and tests each use their part")]

use egui::Context;
use semper_tinguin::format::{Amount, Civil};
use semper_tinguin::theme::FrameHue;
use semper_tinguin::views::DealKey;
use semper_tinguin::views::door::{Door, DoorState, Help};
use semper_tinguin::views::home::{
    Deadline, Deal, Directory, EndedDeal, Ending, Home, NextStep, PurseLine, Shop,
};
use semper_tinguin::widgets::bar::{Bar, Line, Slot};
use semper_tinguin::widgets::chip::Anonymity;
use semper_tinguin::widgets::emblem::Emblem;
use semper_tinguin::widgets::log_row::{Entry, Extent, Field, FieldValue, Layer, Verdict, Way};
use semper_tinguin::widgets::seal::{Picture, Seal, Words};
use semper_tinguin::widgets::state::ViewState;
use semper_tinguin::widgets::stepper::Steps;
use semper_tinguin::window::{Place, Status, Window};

pub(crate) fn words() -> Words {
    Words::new("amber", "lighthouse")
}

pub(crate) fn at(month: u8, day: u8, time: (u8, u8, u8, u16)) -> Civil {
    let (hour, minute, second, milli) = time;
    Civil::new((2027, month, day), (hour, minute, second, Some(milli)), "CEST").expect("a date in range")
}

pub(crate) fn seal(ctx: &Context) -> Seal {
    Seal { words: words(), picture: Picture::emblem(Emblem::of(0, 0, 1, 0)).load(ctx), hue: FrameHue::new(1) }
}

pub(crate) fn bar(ctx: &Context) -> Bar {
    Bar {
        slot: Slot::Open(seal(ctx)),
        anonymity: Some(Anonymity::Pseudonymous { shop: "Fogra".into(), nick: "amber-17".into() }),
        play_money: true,
        line: Some(Line::Online),
    }
}

pub(crate) fn window(ctx: &Context, place: Place) -> Window {
    Window {
        bar: bar(ctx),
        place,
        waiting: 2,
        status: Some(Status { at: at(5, 4, (14, 5, 12, 31)), text: "Fogra confirmed your order".into() }),
        clock_off: None,
        clock_back: None,
        menu_open: false,
    }
}

pub(crate) fn door(state: DoorState) -> Door {
    Door { words: words(), hue: FrameHue::new(1), state, link_waits: false, clock_off: None, help: None }
}

/// The door in each of its states, by name.
pub(crate) fn doors() -> Vec<(&'static str, Door)> {
    let mut all = vec![
        ("ready", door(DoorState::Ready)),
        ("deriving", door(DoorState::Deriving { elapsed: 1400 })),
        ("wrong", door(DoorState::Wrong)),
        ("throttled", door(DoorState::Throttled { seconds: 8 })),
        ("damaged", door(DoorState::Damaged { part: "2026-11".into() })),
        ("second", door(DoorState::SecondInstance)),
    ];
    let link = Door {
        link_waits: true,
        clock_off: Some("7 minutes".into()),
        help: Some(Help::NotMine),
        ..door(DoorState::Ready)
    };
    all.push(("notices", link));
    all
}

fn steps(done: usize) -> Steps {
    let names = ["Offer", "Order", "Contract", "Payment", "Delivery"];
    Steps { names: names.map(str::to_owned).to_vec(), done }
}

pub(crate) fn deals() -> Vec<Deal> {
    let xts = |minor| Some(Amount::new(minor, 2, "XTS"));
    vec![
        Deal {
            key: DealKey(2),
            title: "OPL Books · 1 book".into(),
            amount: xts(6100),
            next: NextStep::Wait { party: "OPL Books".into() },
            deadline: Some(Deadline { at: at(5, 9, (18, 0, 0, 0)), left: Some(446_000) }),
            steps: steps(4),
            anonymity: Some(Anonymity::Identified { shop: "OPL Books".into() }),
        },
        Deal {
            key: DealKey(1),
            title: "Fogra · 2 documents".into(),
            amount: xts(2490),
            next: NextStep::Pay,
            deadline: Some(Deadline { at: at(5, 4, (14, 15, 0, 0)), left: Some(581) }),
            steps: steps(3),
            anonymity: Some(Anonymity::Pseudonymous { shop: "Fogra".into(), nick: "amber-17".into() }),
        },
        Deal {
            key: DealKey(3),
            title: "Otto Versand · winter coat, wool, size 52, and 2 more".into(),
            amount: None,
            next: NextStep::Sign,
            deadline: None,
            steps: steps(1),
            anonymity: Some(Anonymity::Anonymous { shop: "Otto Versand".into() }),
        },
    ]
}

pub(crate) fn home() -> Home {
    let purse = |key, name: &str, minor: Option<i64>, history: &[u16]| PurseLine {
        key,
        name: name.into(),
        balance: minor.map(|minor| Amount::new(minor, 2, "XTS")),
        history: history.to_vec(),
    };
    Home {
        state: ViewState::Ready,
        resuming: None,
        unshown: 0,
        deals: deals(),
        purses: vec![
            purse(1, "Cash purse", Some(6120), &[250, 400, 700, 900, 1000, 620, 610]),
            purse(2, "Account at Demo Bank", Some(124_000), &[900, 860, 840, 1000, 980]),
            purse(3, "Card", None, &[]),
        ],
        can_open_purse: true,
        ended: vec![
            EndedDeal {
                key: DealKey(11),
                at: at(4, 12, (9, 0, 0, 0)),
                title: "Eurocom course".into(),
                amount: Some(Amount::new(9000, 2, "XTS")),
                how: Ending::Completed,
            },
            EndedDeal {
                key: DealKey(12),
                at: at(4, 3, (9, 0, 0, 0)),
                title: "Actimédia".into(),
                amount: None,
                how: Ending::Declined,
            },
            EndedDeal {
                key: DealKey(13),
                at: at(3, 28, (9, 0, 0, 0)),
                title: "Fogra".into(),
                amount: None,
                how: Ending::Undone,
            },
        ],
        directory: Directory::Closed,
    }
}

/// Home in each of its states, by name.
pub(crate) fn homes() -> Vec<(&'static str, Home)> {
    let loading =
        |elapsed| ViewState::Loading { step: "Reading your deals".into(), number: 2, of: 5, elapsed };
    let empty = Home { deals: Vec::new(), purses: Vec::new(), ended: Vec::new(), resuming: None, ..home() };
    let shops = vec![
        Shop {
            key: 1,
            name: "Fogra Forschungsgesellschaft Druck e.V.".into(),
            trade: "Documents".into(),
            certifier: "GMD CA".into(),
        },
        Shop { key: 2, name: "OPL Books".into(), trade: "Books".into(), certifier: "GMD CA".into() },
    ];
    let error = ViewState::Error {
        what: "Your deals could not be read".into(),
        why: "The disk did not answer".into(),
        now: "Check that the disk is connected, then start TINGUIN again".into(),
    };
    let offline = ViewState::Offline { since: "13:40".into(), still: String::new() };
    vec![
        ("deals", home()),
        ("empty", empty.clone()),
        ("offline", Home { state: offline, ..home() }),
        ("skeleton", Home { state: loading(600), ..empty.clone() }),
        ("loading", Home { state: loading(2_000), ..empty.clone() }),
        ("slow", Home { state: loading(12_000), ..empty.clone() }),
        ("error", Home { state: error, ..empty.clone() }),
        ("resuming", Home { resuming: Some(2), ..home() }),
        ("unshown", Home { unshown: 1, ..home() }),
        ("directory", Home { directory: Directory::Open(shops), ..home() }),
        ("no-directory", Home { directory: Directory::Silent, ..empty }),
    ]
}

pub(crate) fn log_deals() -> Vec<(DealKey, String)> {
    vec![(DealKey(1), "Fogra · 2 documents".into()), (DealKey(2), "OPL Books · 1 book".into())]
}

pub(crate) fn entries(count: u64) -> Vec<Entry> {
    (0..count).map(entry).collect()
}

fn entry(number: u64) -> Entry {
    let field = |name: &str, value: &str| Field { name: name.into(), value: FieldValue::Text(value.into()) };
    let second = u8::try_from(number % 60).unwrap_or(0);
    let base = Entry {
        number,
        at: at(5, 4, (14, 5, second, 31)),
        way: Way::To("Fogra".into()),
        layer: Layer::Commerce,
        message: "Order".into(),
        extent: Extent::Bytes(1204),
        verdict: Verdict::You,
        deal: Some(DealKey(1)),
        session: Some("TLS 1.3, key 7f3a 91bc 02de 5540".into()),
        fields: vec![
            field("item", "2 documents"),
            field("total", "XTS 24.90"),
            Field { name: "pin".into(), value: FieldValue::Secret },
        ],
        bytes: (0..number % 640 + 40).map(|byte| u8::try_from(byte % 251).unwrap_or(0)).collect(),
    };
    match number % 5 {
        0 => base,
        1 => Entry {
            way: Way::From("Fogra".into()),
            layer: Layer::Exchange,
            message: "Moved".into(),
            extent: Extent::Bytes(2011),
            verdict: Verdict::Checked,
            ..base
        },
        2 => Entry {
            way: Way::Here,
            layer: Layer::Here,
            message: "Evidence stored".into(),
            extent: Extent::Items(1),
            verdict: Verdict::Unsigned,
            session: None,
            ..base
        },
        3 => Entry {
            way: Way::To("OPL Books Antiquariat und Verlag".into()),
            layer: Layer::Transfer,
            message: "Payment agreement, third message of three".into(),
            extent: Extent::Bytes(1_048_576),
            verdict: Verdict::NotSent("no connection".into()),
            deal: Some(DealKey(2)),
            ..base
        },
        _ => Entry {
            way: Way::From("Demo Bank".into()),
            layer: Layer::Communication,
            message: "Session".into(),
            extent: Extent::Bytes(96),
            verdict: Verdict::Wrong,
            deal: None,
            ..base
        },
    }
}
