//! Blocks are put where they are used, and nowhere else.

#![cfg(test)]

use semper_commerce::service::{
    Statechart, TermsFault,
    definition::Definition,
    flatten::flatten,
    shipped,
    statechart::{Item, Over},
};

/// A block with one state, one move and one exit.
const BLOCK: &str = r#"
tob = 1
block = { id = "t/wait", version = "1.2.0", start = "here", exits = ["out"], params = ["what", "long"] }
[item]
note = { kind = "signature", by = "buyer", over = ["$what"] }
[state]
here = { owes = ["buyer"], limit = "$long", late = "@out", says = "Here" }
[move]
go = { from = "here", to = "@out", cell = "signature-transfer", by = "buyer", gives = { buyer = "note" }, when = "n.go < 1" }
"#;

const SERVICE: &str = r#"
tob = 1
service = { id = "org.example.test", version = "1.0.0", title = "Test", start = "a" }
party = { buyer = { side = "client", kind = "any" }, seller = { side = "server", kind = "any" } }
context = { anonymity = { peer = ["identified"], bank = ["anonymous"], network = ["open"] }, confidentiality = ["channel"], evidence = ["full"], currency = [] }
[form.note]
says = "A note"
fill = "buyer"
field.text = { type = "text", max = 10 }
[item]
note = { kind = "signature", by = "buyer", over = ["note"] }
[use]
a = { block = "t/wait@1", with = { what = "note", long = "P1D" }, exits = { out = "b" } }
b = { block = "t/wait@1", with = { what = "a.note", long = "P2D" }, exits = { out = "end" } }
[final]
end = { good = true, says = "The end" }
"#;

fn flat(service: &str, blocks: &[&str]) -> Result<Statechart, TermsFault> {
    let blocks: Vec<Definition> = blocks
        .iter()
        .map(|text| Definition::read("block.toml", text.as_bytes()))
        .collect::<Result<_, _>>()?;
    flatten(&Definition::read("terms.toml", service.as_bytes())?, &blocks)
}

fn refused(service: &str, blocks: &[&str]) -> String {
    flat(service, blocks).unwrap_err().to_string()
}

#[test]
fn every_shipped_service_has_the_size_it_had() {
    let sizes: Vec<(&str, [usize; 4])> = shipped::SERVICES
        .iter()
        .map(|(file, _)| {
            let chart = shipped::service(file).unwrap();
            (*file, [chart.states.len(), chart.finals.len(), chart.moves.len(), chart.items.len()])
        })
        .collect();
    assert_eq!(
        sizes,
        [
            ("certified-mail.toml", [2, 4, 3, 4]),
            ("consultancy.toml", [8, 6, 11, 15]),
            ("contract.toml", [3, 3, 7, 7]),
            ("info-play.toml", [4, 3, 5, 6]),
            ("info.toml", [4, 3, 5, 7]),
            ("mailorder-invoice.toml", [10, 5, 11, 14]),
            ("mailorder.toml", [11, 5, 12, 17]),
            ("mall-purchase.toml", [6, 3, 8, 9]),
            ("mall-tenancy.toml", [6, 3, 9, 13]),
            ("registration.toml", [2, 3, 3, 4]),
            ("rfq.toml", [4, 4, 4, 6]),
            ("subscription.toml", [5, 3, 7, 10]),
            ("tickets.toml", [6, 5, 7, 10]),
        ]
    );
}

#[test]
fn names_inside_a_block_are_its_own_and_what_a_use_gives_is_the_outside_s() {
    let chart = flat(SERVICE, &[BLOCK]).unwrap();
    assert_eq!(chart.start, "a.here");
    assert_eq!(chart.states["a.here"].late, "b.here");
    assert_eq!(chart.moves["b.go"].to, "end");
    assert_eq!(chart.moves["b.go"].when.as_deref(), Some("n.b.go < 1"));
    let over = |name: &str| match &chart.items[name] {
        Item::Signature { over, .. } => over[0].clone(),
        other => panic!("{other:?}"),
    };
    // The service's item `note` is over its form; block a's is over that item, although it has a `note` itself.
    assert_eq!(over("note"), Over::Form("note".to_owned()));
    assert_eq!(over("a.note"), Over::Item("note".to_owned()));
    assert_eq!(over("b.note"), Over::Item("a.note".to_owned()));
    assert_eq!(chart.blocks.keys().collect::<Vec<_>>(), ["t/wait@1.2.0"]);
}

#[test]
fn a_use_gives_exactly_the_parameters_and_exits_of_its_block() {
    let with = |from: &str, to: &str| refused(&SERVICE.replacen(from, to, 1), &[BLOCK]);
    assert_eq!(with("what = \"note\", ", ""), "a: the parameter what is missing");
    assert_eq!(with("what = \"note\"", "what = \"note\", more = 1"), "a: there is no parameter more");
    assert_eq!(
        with("what = \"note\"", "what = [\"note\"]"),
        "a: the parameter what is neither text nor a number"
    );
    assert_eq!(with("out = \"b\"", "off = \"b\""), "a: the exit out leads nowhere");
    assert_eq!(with("out = \"b\"", "out = \"b\", off = \"b\""), "a: there is no exit off");
    assert_eq!(with("out = \"b\"", "out = \"c\""), "a.exits: \"c\" names nothing");
    assert_eq!(with("what = \"note\"", "what = \"item/note\""), "a.with: \"item/note\" names nothing");
    assert_eq!(with("long = \"P1D\"", "long = \"note\""), "a.here: limit: the item note does not fit here");
    assert_eq!(with("t/wait@1", "t/wait@2"), "a: there is no block t/wait@2");
    assert_eq!(with("t/wait@1", "t/wait"), "a: \"t/wait\" does not name a block and its major version");
    assert_eq!(refused(SERVICE, &[BLOCK, BLOCK]), "a: there are two blocks t/wait@1");
    assert_eq!(
        refused(SERVICE, &[&BLOCK.replace("limit = \"$long\"", "limit = \"$short\"")]),
        "a.here: limit: there is no parameter \"short\""
    );
}

#[test]
fn what_the_format_does_not_have_is_refused() {
    for (from, to, what) in [
        ("says = \"Here\"", "says = \"Here\", colour = \"red\"", "unknown field `colour`"),
        (
            "by = \"buyer\", over",
            "by = \"buyer\", to = \"seller\", over",
            "an item of kind signature has no to",
        ),
        ("cell = \"signature-transfer\"", "cell = \"gift\"", "unknown variant `gift`"),
        ("kind = \"signature\"", "kind = \"secret\"", "\"secret\" is not a kind of item"),
    ] {
        let block = BLOCK.replacen(from, to, 1);
        let fault = refused(SERVICE, &[&block]);
        assert!(fault.contains(what), "{fault}");
    }
    for (from, to, what) in [
        ("type = \"text\", max = 10", "type = \"text\", mime = [\"a\"]", "a field of type text has no mime"),
        ("type = \"text\", max = 10", "type = \"password\"", "\"password\" is not a type of field"),
        ("side = \"server\"", "side = \"client\"", "between one client and one server"),
        ("good = true", "good = \"yes\"", "final.end"),
        ("start = \"a\"", "start = \"end\"", "\"end\" names nothing"),
    ] {
        let fault = refused(&SERVICE.replacen(from, to, 1), &[BLOCK]);
        assert!(fault.contains(what), "{fault}");
    }
}

#[test]
fn blocks_within_blocks_end_at_four_levels_and_sixty_four_uses() {
    let level = |id: usize, uses: usize| {
        let mut text = format!(
            "tob = 1\nblock = {{ id = \"t/l{id}\", version = \"1.0.0\", start = \"u0\", exits = [\"out\"] }}\n[use]\n"
        );
        for n in 0..uses {
            text += &format!("u{n} = {{ block = \"t/l{}@1\", exits = {{ out = \"@out\" }} }}\n", id + 1);
        }
        text
    };
    let leaf = |id: usize| {
        format!(
            "tob = 1\nblock = {{ id = \"t/l{id}\", version = \"1.0.0\", start = \"s\", exits = [\"out\"] }}\n[state]\n\
             s = {{ owes = [], limit = \"P1D\", late = \"@out\", says = \"S\" }}\n"
        )
    };
    let service =
        SERVICE.lines().filter(|line| !line.starts_with("b = ")).collect::<Vec<_>>().join("\n").replace(
            "block = \"t/wait@1\", with = { what = \"note\", long = \"P1D\" }, exits = { out = \"b\" }",
            "block = \"t/l0@1\", exits = { out = \"end\" }",
        );
    let build = |levels: usize, uses: usize| {
        let mut blocks: Vec<String> = (0..levels).map(|id| level(id, uses)).collect();
        blocks.push(leaf(levels));
        flat(&service, &blocks.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_eq!(build(3, 1).unwrap().start, "a.u0.u0.u0.s");
    assert_eq!(build(4, 1).unwrap_err().to_string(), "a.u0.u0.u0.u0: blocks are nested deeper than 4");
    assert_eq!(build(3, 64).unwrap_err().to_string(), "uses of blocks: 65, and at most 64 are allowed");
    // A block that uses itself.
    let itself = level(0, 1).replace("t/l1", "t/l0");
    assert!(flat(&service, &[&itself]).is_err());
}
