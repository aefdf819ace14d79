//! Every shipped service passes the checks, and every hostile variant is caught by the check that is meant for it.

#![cfg(test)]

use semper_commerce::service::{
    check::{self, Lint, Report, Severity, Stage},
    definition::Definition,
    flatten::flatten,
    shipped,
};

/// The text of a shipped service.
fn text(file: &str) -> String {
    let (_, bytes) = shipped::SERVICES.iter().find(|(name, _)| *name == file).unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A service, what is changed in it or else in the blocks, and the check that must refuse it.
type Case = (&'static str, &'static [(&'static str, &'static str)], Lint);

/// What the checks say of `service` with these blocks.
fn report(service: &str, blocks: &[String]) -> Report {
    let blocks: Vec<Definition> =
        blocks.iter().map(|block| Definition::read("block", block.as_bytes()).unwrap()).collect();
    let fault = |fault: semper_commerce::service::TermsFault| Report {
        findings: vec![check::Finding {
            lint: fault.lint(),
            severity: Severity::Refuse,
            place: String::new(),
            says: fault.to_string(),
        }],
    };
    match Definition::read("terms.toml", service.as_bytes()).and_then(|one| flatten(&one, &blocks)) {
        Ok(chart) => check::check(&chart, Stage::Draft),
        Err(error) => fault(error),
    }
}

/// The lints that refuse, each once.
fn refusals(report: &Report) -> Vec<Lint> {
    let mut lints: Vec<Lint> = report.refusals().map(|one| one.lint).collect();
    lints.dedup();
    lints
}

#[test]
fn every_shipped_service_may_be_accepted() {
    for (file, _) in shipped::SERVICES {
        let report = check::check(&shipped::service(file).unwrap(), Stage::Draft);
        assert!(report.is_acceptable(), "{file}:\n{}", report.text());
    }
}

#[test]
fn what_is_told_of_the_shipped_services_is_known() {
    let warnings: Vec<String> = shipped::SERVICES
        .iter()
        .flat_map(|(file, _)| {
            let report = check::check(&shipped::service(file).unwrap(), Stage::Draft);
            report.warnings().map(|one| format!("{file} {} {}", one.lint.id(), one.place)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(
        warnings,
        [
            "consultancy.toml XPROP move.deliver",
            "mailorder-invoice.toml WITHDRAW service",
            "mailorder.toml AFTER final.refunded",
            "rfq.toml XPROP move.open",
        ]
    );
}

#[test]
fn every_hostile_variant_is_caught_by_the_check_meant_for_it() {
    let cases: &[Case] = &[
        // Payment before anything binds the shop.
        ("info-play.toml", &[("start = \"sale\"", "start = \"buy\"")], Lint::PayContract),
        ("info-play.toml", &[("over = [\"$form\"], binds = true", "over = [\"$form\"]")], Lint::PayContract),
        // Money out with nothing in return, and nowhere to complain.
        (
            "tickets.toml",
            &[("complain = { buyer = \"P30D\" }, says = \"The event", "says = \"The event")],
            Lint::After,
        ),
        (
            "info-play.toml",
            &[("complain = { buyer = \"P30D\" }, ", "complain = { buyer = \"P13D\" }, ")],
            Lint::After,
        ),
        (
            "tickets.toml",
            &[(", for = [\"price\"], credential", ", credential"), ("buyer = \"P30D\"", "buyer = \"P1D\"")],
            Lint::Cover,
        ),
        (
            "mailorder.toml",
            &[
                ("over = [\"price\"], for = [\"price\"]", "over = [\"price\"]"),
                ("late = \"@undelivered\", complain = [\"buyer\"]", "late = \"@undelivered\""),
            ],
            Lint::Dispute,
        ),
        // Rounds without end.
        ("subscription.toml", &[("max = 600, ", "")], Lint::Cycle),
        (
            "mailorder-invoice.toml",
            &[("limit = \"P14D\", late = \"billing\"", "limit = \"P14D\", late = \"cooling\"")],
            Lint::Cycle,
        ),
        // More than was announced.
        ("info-play.toml", &[("max = \"XTS 100.00\", within", "max = \"XTS 9000.00\", within")], Lint::Bound),
        (
            "mall-tenancy.toml",
            &[(
                "seller = [\"quittance\", \"listing\"] }, max = 12",
                "seller = [\"quittance\", \"listing\"] }, max = 13",
            )],
            Lint::Bound,
        ),
        ("tickets.toml", &[(", max = \"EUR 400.00\" }\nticket", " }\nticket")], Lint::Bound),
        ("info-play.toml", &[("pay = \"XTS 100.00\", sign", "pay = \"EUR 100.00\", sign")], Lint::Bound),
        // Decoration, traps and dead ends.
        (
            "info-play.toml",
            &[("[final]", "[final]\nrefunded = { good = true, says = \"Money back\" }")],
            Lint::Reach,
        ),
        ("registration.toml", &[("late = \"lapsed\", first", "late = \"checked\", first")], Lint::Cycle),
        ("info-play.toml", &[("limit = \"PT1H\"", "limit = \"P401D\"")], Lint::Limit),
        (
            "contract.toml",
            &[("owes = [\"seller\"], limit = \"P30D\"", "owes = [\"buyer\"], limit = \"P30D\"")],
            Lint::Owes,
        ),
        ("mall-tenancy.toml", &[("first = \"buyer\", says = \"Paid", "says = \"Paid")], Lint::Race),
        (
            "registration.toml",
            &[
                ("complain = { buyer = \"P3Y\" }, ", ""),
                (", decide = { seller = \"app\" }", ""),
                (", decide = { seller = \"app\" }", ""),
            ],
            Lint::Det,
        ),
        (
            "registration.toml",
            &[("to = \"checked\"", "to = \"form\""), ("late = \"lapsed\", says", "late = \"form\", says")],
            Lint::End,
        ),
        // Things under a false name.
        (
            "tickets.toml",
            &[("cell = \"fair-payment-with-receipt\"", "cell = \"certified-mail\"")],
            Lint::Cell,
        ),
        ("info-play.toml", &[("cell = \"fair-purchase\"", "cell = \"payment\"")], Lint::Cell),
        ("tickets.toml", &[("gives = { seller = \"void\" }", "gives = { buyer = \"void\" }")], Lint::Owner),
        (
            "tickets.toml",
            &[("from = \"buyer\", to = \"seller\"", "from = \"buyer\", to = \"third\"")],
            Lint::Owner,
        ),
        ("info-play.toml", &[("fill = \"buyer\"", "fill = \"customer\"")], Lint::Ref),
        (
            "info-play.toml",
            &[("exits = { delivered = \"delivered\"", "exits = { delivered = \"received\"")],
            Lint::Ref,
        ),
        // Deciding for the client, or in his name.
        (
            "tickets.toml",
            &[("fail = \"due\" }", "fail = \"due\", decide = { buyer = \"auto\" } }")],
            Lint::Dual,
        ),
        (
            "registration.toml",
            &[(
                "by = \"seller\", gives = { buyer = \"registration\"",
                "by = \"third\", gives = { buyer = \"registration\"",
            )],
            Lint::Dual,
        ),
        // Asking for more, or less, than is used.
        (
            "info-play.toml",
            &[("sign = [\"order\", \"refusal\"]", "sign = [\"order\", \"refusal\", \"mandate\"]")],
            Lint::Cap,
        ),
        ("info-play.toml", &[("sign = [\"order\", \"refusal\"]", "sign = [\"order\"]")], Lint::Cap),
        ("tickets.toml", &[("receive = [\"credential\"], ", "")], Lint::Cap),
        ("info-play.toml", &[("store = \"50 MiB\", ", "")], Lint::Cap),
        ("registration.toml", &[("reveal = [\"name\", \"contact\"]", "reveal = [\"name\"]")], Lint::Secret),
        (
            "registration.toml",
            &[("reveal = [\"name\", \"contact\"]", "reveal = [\"name\", \"contact\", \"payment\"]")],
            Lint::Cap,
        ),
        ("registration.toml", &[("pii = \"name\", optional = true", "pii = \"name\"")], Lint::Anon),
        // Blanks.
        (
            "info-play.toml",
            &[
                ("over = [\"$form\"], binds", "over = [\"enquiry\"], binds"),
                ("over = [\"offer\"], binds", "over = [\"$form\"], binds"),
            ],
            Lint::Over,
        ),
        (
            "info-play.toml",
            &[
                ("over = [\"$form\"], binds", "over = [\"enquiry\"], binds"),
                ("gives = { buyer = \"price\", seller = \"goods\" }", "gives = { buyer = \"price\" }"),
                ("cell = \"fair-purchase\"", "cell = \"payment\""),
            ],
            Lint::Amount,
        ),
        (
            "info-play.toml",
            &[
                ("over = [\"$form\"], binds", "over = [\"enquiry\"], binds"),
                (
                    "gives = { buyer = \"refusal\" }",
                    "gives = { buyer = \"refusal\" }, when = \"atmost(f.order.price, money('XTS 1.00'))\"",
                ),
            ],
            Lint::BlindForm,
        ),
        (
            "registration.toml",
            &[("over = [\"person\"] }\ncustomer", "over = [\"nobody\"] }\ncustomer")],
            Lint::Ref,
        ),
        (
            "tickets.toml",
            &[(
                "amount = \"c.seats.total\", max = \"EUR 400.00\" }\nticket",
                "amount = \"f.seats.number\", max = \"EUR 400.00\" }\nticket",
            )],
            Lint::Type,
        ),
        (
            "info-play.toml",
            &[(
                "check.limit  = \"atmost(f.order.price, money('XTS 100.00'))\"",
                "check.limit  = \"f.order.price\"",
            )],
            Lint::Type,
        ),
        ("subscription.toml", &[("when = \"n.read < c.plan.quota\"", "when = \"n.read\"")], Lint::Type),
        ("subscription.toml", &[("max = 600", "max = 1001")], Lint::Type),
        // No evidence, nobody to turn to.
        ("info-play.toml", &[("evidence = [\"origin\"", "evidence = [\"none\", \"origin\"")], Lint::Evid),
        ("info-play.toml", &[(", third = { side = \"third\", duty = \"arbiter\" }", "")], Lint::Third),
        ("info-play.toml", &[("third = [\"arbiter\"], ", "")], Lint::Third),
        // Other services behind this one.
        (
            "rfq.toml",
            &[(", subdeal = [\"org.semper.retail.mailorder@1\", \"org.semper.consultancy.sale@1\"]", "")],
            Lint::Cap,
        ),
        ("rfq.toml", &[("org.semper.retail.mailorder@1", "the usual shop")], Lint::Subdeal),
        // Words.
        (
            "info-play.toml",
            &[("title = \"Buy information on line\"", "title = \"SEMPER TINGUIN - system message\"")],
            Lint::Label,
        ),
        (
            "info-play.toml",
            &[("title = \"Buy information on line\"", "title = \"Sign and order\"")],
            Lint::Label,
        ),
        (
            "info-play.toml",
            &[(
                "side = \"server\", kind = \"business\"",
                "side = \"server\", kind = \"business\", says = \"Buyer\"",
            )],
            Lint::Label,
        ),
        (
            "info-play.toml",
            &[("title = \"Buy information on line\"", "title = \"Buy\u{202e} information\"")],
            Lint::Text,
        ),
        (
            "info-play.toml",
            &[("title = \"Buy information on line\"", "title = \"Buy\\u202e information\"")],
            Lint::Text,
        ),
        ("info-play.toml", &[("tob = 1\n", "tob = 1\nscript = \"x\"\n")], Lint::Parse),
    ];
    let mut wrong = Vec::new();
    for (file, changes, lint) in cases {
        let mut service = text(file);
        let mut blocks: Vec<String> =
            shipped::BLOCKS.iter().map(|(_, bytes)| String::from_utf8(bytes.to_vec()).unwrap()).collect();
        for (from, to) in *changes {
            if service.contains(from) {
                service = service.replacen(from, to, 1);
                continue;
            }
            assert!(blocks.iter().any(|block| block.contains(from)), "{file}: nothing to change: {from}");
            blocks.iter_mut().for_each(|block| *block = block.replacen(from, to, 1));
        }
        let report = report(&service, &blocks);
        if !refusals(&report).contains(lint) {
            wrong.push(format!("{file}: {changes:?}: {} expected\n{}", lint.id(), report.text()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() >= 45);
}
