//! Expressions of terms: what compiles, what is refused, what it is worth, and that nothing exhausts the stack.
#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

#[path = "expression/random.rs"]
mod random;
#[path = "expression/stack.rs"]
mod stack;

use std::collections::BTreeMap;

use semper_commerce::service::{
    Statechart,
    definition::Definition,
    expression::{Expression, ExpressionFault, Expressions, Kind, NoValue, Place, Scope, Value, Values},
    flatten::flatten,
    shipped,
};
use semper_supporting::{
    fault::Fault,
    money::{Currency, Money, MoneyError},
    time::Moment,
};

/// A service with a form that has fields of every kind, and `$calc` for lines of its own.
const SERVICE: &str = r#"
tob = 1
service = { id = "org.example.test", version = "1.0.0", title = "Test", start = "a" }
party = { buyer = { side = "client", kind = "any" }, seller = { side = "server", kind = "any" } }
context = { anonymity = { peer = ["identified"], bank = ["anonymous"], network = ["open"] }, confidentiality = ["channel"], evidence = ["full"], currency = ["EUR"] }
[form.t]
says = "Everything"
fill = "buyer"
field.a = { type = "int" }
field.b = { type = "int" }
field.p = { type = "bool" }
field.q = { type = "bool" }
field.s = { type = "text", max = 10 }
field.m = { type = "money" }
field.o = { type = "money" }
field.d = { type = "date" }
field.span = { type = "duration" }
field.lines = { type = "order-lines", max = 9 }
field.who = { type = "party-ref" }
field.what = { type = "content-descriptor" }
field.sku = { type = "sku" }
field.set = { type = "choice-set", of = ["x"] }
field.file = { type = "file", mime = ["*"], max = "1 KiB" }
field.ok = { type = "consent", text = "prose/ok" }
$calc
[item]
note = { kind = "information", from = "buyer", carries = "t" }
[state]
a = { owes = ["buyer"], limit = "P1D", late = "end", says = "A" }
[move]
go = { from = "a", to = "end", cell = "information-transfer", by = "buyer", gives = { buyer = "note" } }
[final]
end = { good = true, says = "The end" }
"#;

fn chart(calc: &str) -> Statechart {
    let text = SERVICE.replace("$calc", calc);
    flatten(&Definition::read("terms.toml", text.as_bytes()).unwrap(), &[]).unwrap()
}

fn when() -> Place {
    Place::When("go".to_owned())
}

fn refused(place: Place, text: &str) -> ExpressionFault {
    let scope = Scope::of(&chart("")).unwrap();
    Expression::compile(place, text, &scope).map(|one| format!("{text} is {one:?}")).unwrap_err()
}

fn money(text: &str) -> Value {
    Value::Money(Money::parse(text).unwrap())
}

fn time(text: &str) -> Value {
    Value::Time(Moment::parse(text).unwrap())
}

/// Fields of the form `t`.
fn values<const N: usize>(fields: [(&str, Value); N]) -> Values {
    let fields = fields.into_iter().map(|(name, value)| (("t".to_owned(), name.to_owned()), value));
    Values { fields: fields.collect(), ..Values::default() }
}

/// The value of `text` as a computed value of the form.
fn worth(text: &str, mut values: Values) -> Result<Value, NoValue> {
    let chart = chart("");
    let scope = Scope::of(&chart).unwrap();
    let place = Place::Calc { form: "t".to_owned(), calc: "x".to_owned() };
    let compiled = Expression::compile(place, text, &scope)
        .or_else(|_| Expression::compile(when(), text, &scope))
        .unwrap();
    scope.compute(&mut values);
    compiled.evaluate(&values).map_err(|fault| match fault {
        ExpressionFault::Evaluation { why, .. } => why,
        other => panic!("{other}"),
    })
}

#[test]
fn every_expression_of_the_shipped_services_compiles_where_it_stands() {
    let mut number = BTreeMap::new();
    for (file, _) in shipped::SERVICES {
        let chart = shipped::service(file).unwrap();
        let compiled = Expressions::compile(&chart).unwrap_or_else(|faults| panic!("{file}: {faults:?}"));
        assert_eq!(compiled.iter().count(), Place::all(&chart).len(), "{file}");
        for one in compiled.iter() {
            assert!(one.place().takes().contains(&one.kind()));
            *number.entry(one.kind()).or_insert(0) += 1;
        }
    }
    let seen: Vec<(Kind, i32)> = number.into_iter().collect();
    assert_eq!(
        seen,
        [
            (Kind::Bool, 12),
            (Kind::Descriptor, 4),
            (Kind::Int, 3),
            (Kind::Money, 23),
            (Kind::Party, 1),
            (Kind::Text, 2),
            (Kind::Time, 7),
        ]
    );
}

#[test]
fn the_mail_order_is_added_up_as_its_terms_say() {
    let chart = shipped::service("mailorder.toml").unwrap();
    let compiled = Expressions::compile(&chart).unwrap();
    for (goods, total, allowed) in [
        ("EUR 75.00", "EUR 80.95", true),
        ("EUR 75.01", "EUR 75.01", true),
        ("EUR 2000.00", "EUR 2000.00", true),
        ("EUR 2000.01", "EUR 2000.01", false),
    ] {
        let lines = Value::Lines(vec![Money::parse(goods).unwrap()]);
        let mut values = Values::default();
        values.fields.insert(("order".to_owned(), "lines".to_owned()), lines);
        compiled.scope().compute(&mut values);
        let at = |place: Place| compiled.at(&place).unwrap().evaluate(&values);
        assert_eq!(at(Place::Amount("pay.price".to_owned())), Ok(money(total)));
        let check = Place::Check { form: "order".to_owned(), check: "limit".to_owned() };
        assert_eq!(at(check), Ok(Value::Bool(allowed)));
    }
    let needed = compiled.fields(&Place::Amount("pay.price".to_owned()));
    assert_eq!(needed.into_iter().collect::<Vec<_>>(), [("order".to_owned(), "lines".to_owned())]);
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let amount = || Place::Amount("price".to_owned());
    for (place, text, says) in [
        (amount(), "f.t.a", "item.price.amount: money is needed here, and this is a whole number."),
        (when(), "f.t.a", "move.go.when: yes or no is needed here, and this is a whole number."),
        (when(), "f.t.x == 1", "move.go.when: f.t.x names nothing."),
        (when(), "c.t.x == 1", "move.go.when: c.t.x names nothing."),
        (when(), "n.gone > 1", "move.go.when: n.gone names nothing."),
        (when(), "f.t.a == f.t.s", "move.go.when: == does not stand between a whole number and text."),
        (when(), "f.t.m < f.t.m", "move.go.when: < does not stand between money and money."),
        (when(), "f.t.s < 'a'", "move.go.when: < does not stand between text and text."),
        (
            when(),
            "f.t.what == f.t.what",
            "move.go.when: == does not stand between a description of content and a description of content.",
        ),
        (when(), "f.t.who == 'x'", "move.go.when: == does not stand between a party and text."),
        (when(), "f.t.d + 1 > now", "move.go.when: + does not stand between a time and a whole number."),
        (when(), "!f.t.a", "move.go.when: ! needs yes or no and finds a whole number."),
        (when(), "f.t.p ? 1 : 'a'", "move.go.when: ? chooses between a whole number and text."),
        (when(), "f.t.p in [true]", "move.go.when: in looks for text or a whole number, not for yes or no."),
        (when(), "f.t.a in [1, 'x']", "move.go.when: in needs a whole number and finds text."),
        (when(), "f.t.set == 'x'", "move.go.when: f.t.set is of a type that no expression reads."),
        (when(), "f.t.ok", "move.go.when: f.t.ok is of a type that no expression reads."),
        (when(), "atmost(f.t.m)", "move.go.when: atmost takes 2 values, not 1."),
        (
            when(),
            "atmost(f.t.m, money('EUR 1'))",
            "move.go.when: \"EUR 1\": not a sum of the form EUR 12.50.",
        ),
        (
            amount(),
            "percent(f.t.m, f.t.m)",
            "item.price.amount: a function needs a whole number and finds money.",
        ),
        (
            Place::StateUntil("a".to_owned()),
            "days_after(now, 1)",
            "state.a.until: now can be named only where a move says when.",
        ),
        (
            Place::Count("x".to_owned()),
            "n.go",
            "item.x.credential.count: n.go can be named only where a move says when.",
        ),
        (
            Place::Count("x".to_owned()),
            "age_at(f.t.d)",
            "item.x.credential.count: now can be named only where a move says when.",
        ),
    ] {
        let fault = refused(place, text);
        assert_eq!(fault.to_string(), says, "{text}");
        assert_eq!(fault.code(), "tob.cel-type");
    }
}

#[test]
fn what_expressions_do_not_have_is_refused_by_name() {
    for (text, construct) in [
        ("f.t.a / 2 > 1", "division"),
        ("f.t.s + 'x' == 'y'", "putting texts together"),
        ("f.t.s.startsWith('x')", "the method startsWith"),
        ("has(f.t.s)", "the function has"),
        ("[1, 2] == [1, 2]", "a list that is not behind in"),
        ("f.t.a in f.t.s", "in without a list of literals"),
        ("f.t.a in [1, f.t.b]", "a list of anything but literals"),
        ("atmost(f.t.m, money(f.t.s))", "money of anything but a text"),
        ("price == 1", "the name price"),
        ("ctx.wallet == 'x'", "the name ctx.wallet"),
        ("f.t.a.b == 1", "the name f.t.a.b"),
        ("n > 1", "the name n"),
        ("1 +", "what is no expression"),
        ("", "what is no expression"),
        ("1 2", "what is no expression"),
        ("9223372036854775808 > 1", "what is no expression"),
        ("f.t.p ? 1", "what is no expression"),
        ("1 < 2 < 3 ? ", "what is no expression"),
    ] {
        let fault = refused(when(), text);
        assert_eq!(
            fault.to_string(),
            format!("move.go.when: {construct} is not allowed in terms of business.")
        );
        assert_eq!(fault.code(), "tob.cel-forbidden");
    }
}

#[test]
fn computed_values_come_after_those_they_need() {
    let chart = chart("calc.a = \"c.t.z + 1\"\ncalc.m = \"f.t.a * 2\"\ncalc.z = \"c.t.m + c.t.m\"");
    let compiled = Expressions::compile(&chart).unwrap();
    let mut values = values([("a", Value::Int(5))]);
    compiled.scope().compute(&mut values);
    let place = Place::Calc { form: "t".to_owned(), calc: "a".to_owned() };
    assert_eq!(compiled.at(&place).unwrap().evaluate(&values), Ok(Value::Int(21)));
    values.fields.clear();
    compiled.scope().compute(&mut values);
    let fault = compiled.at(&place).unwrap().evaluate(&values).unwrap_err();
    assert_eq!(fault.to_string(), "form.t.calc.a: c.t.z could not be computed.");
    assert_eq!(fault.code(), "tob.cel-error");
}

#[test]
fn computed_values_that_go_round_in_a_circle_are_refused() {
    let circle = chart("calc.a = \"c.t.b\"\ncalc.b = \"c.t.a\"\ncalc.free = \"1\"");
    let says: Vec<String> = Scope::of(&circle).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(
        says,
        [
            "form.t.calc.a: it needs a value that cannot be computed before it.",
            "form.t.calc.b: it needs a value that cannot be computed before it.",
        ]
    );
    let unknown = chart("calc.a = \"c.t.nothing\"");
    assert_eq!(Scope::of(&unknown).unwrap_err()[0].to_string(), "form.t.calc.a: c.t.nothing names nothing.");
    assert!(Scope::of(&chart("calc.a = \"c.t.a + 1\"")).is_err());
    assert!(
        Scope::of(&chart("calc.a = \"f.t.p\"")).is_err(),
        "a computed value is money, a number or a time"
    );
}

#[test]
fn five_thousand_computed_values_in_a_row_are_put_in_order() {
    let mut calc = "calc.v0 = \"f.t.a\"\n".to_owned();
    for i in 1..5_000 {
        calc.push_str(&format!("calc.v{i} = \"c.t.v{}\"\n", i - 1));
    }
    let chart = chart(&calc);
    let scope = Scope::of(&chart).unwrap();
    let mut values = values([("a", Value::Int(7))]);
    scope.compute(&mut values);
    assert_eq!(values.calcs[&("t".to_owned(), "v4999".to_owned())], Some(Value::Int(7)));
}

#[test]
fn functions_give_what_the_terms_mean() {
    let m = |text| values([("m", money(text))]);
    assert_eq!(worth("percent(f.t.m, 30)", m("EUR 0.05")), Ok(money("EUR 0.02")));
    assert_eq!(worth("percent(f.t.m, 50)", m("EUR 0.01")), Ok(money("EUR 0.01")));
    assert_eq!(worth("percent(f.t.m, 49)", m("EUR 0.01")), Ok(money("EUR 0.00")));
    assert_eq!(worth("times(f.t.m, 3)", m("EUR 1.25")), Ok(money("EUR 3.75")));
    assert_eq!(worth("minus(f.t.m, money('EUR 1.25'))", m("EUR 1.25")), Ok(money("EUR 0.00")));
    let d = |text| values([("d", time(text))]);
    let day = "2024-02-29T00:00:00Z";
    assert_eq!(worth("days_after(f.t.d, 365)", d(day)), Ok(time("2025-02-28T00:00:00Z")));
    assert_eq!(worth("days_after(f.t.d, -29)", d(day)), Ok(time("2024-01-31T00:00:00Z")));
    for (now, age) in [
        ("2024-02-29T00:00:00Z", 0),
        ("2025-02-28T23:59:59Z", 0),
        ("2025-03-01T00:00:00Z", 1),
        ("2042-02-28T12:00:00Z", 17),
        ("2044-02-29T00:00:00Z", 20),
    ] {
        let values = Values { now: Some(Moment::parse(now).unwrap()), ..d(day) };
        let text = format!("age_at(f.t.d) == {age}");
        assert_eq!(worth(&text, values), Ok(Value::Bool(true)), "{now}");
    }
    let sum = ["EUR 1.00", "EUR 2.50"].map(|text| Money::parse(text).unwrap()).to_vec();
    assert_eq!(worth("total(f.t.lines)", values([("lines", Value::Lines(sum))])), Ok(money("EUR 3.50")));
    let euro = Values { currency: Some(Currency::EUR), ..Values::default() };
    assert_eq!(worth("ctx.currency in ['EUR', 'XTS']", euro), Ok(Value::Bool(true)));
    let counted = Values { counts: BTreeMap::from([("go".to_owned(), 3)]), ..Values::default() };
    assert_eq!(worth("n.go == 3", counted), Ok(Value::Bool(true)));
    assert_eq!(worth("n.go == 0", Values::default()), Ok(Value::Bool(true)));
}

#[test]
fn what_has_no_value_says_why() {
    let m = |text| values([("m", money(text))]);
    let d = |text| values([("d", time(text))]);
    let big = || values([("a", Value::Int(i64::MAX)), ("b", Value::Int(i64::MIN))]);
    for (text, values, why) in [
        ("f.t.a", Values::default(), NoValue::Unbound("f.t.a".to_owned())),
        ("f.t.a + 1", big(), NoValue::Number),
        ("f.t.b - 1", big(), NoValue::Number),
        ("f.t.a * 2", big(), NoValue::Number),
        ("-f.t.b", big(), NoValue::Number),
        ("minus(f.t.m, money('EUR 1.00'))", m("EUR 0.99"), NoValue::Money(MoneyError::Underflow)),
        ("plus(f.t.m, money('USD 1.00'))", m("EUR 1.00"), NoValue::Money(MoneyError::Currency)),
        ("atmost(f.t.m, money('USD 1.00'))", m("EUR 1.00"), NoValue::Money(MoneyError::Currency)),
        ("f.t.m == money('USD 1.00')", m("EUR 1.00"), NoValue::Money(MoneyError::Currency)),
        ("times(f.t.m, -1)", m("EUR 1.00"), NoValue::Number),
        ("percent(f.t.m, -1)", m("EUR 1.00"), NoValue::Number),
        ("times(f.t.m, 9223372036854775807)", m("EUR 1.00"), NoValue::Money(MoneyError::Overflow)),
        ("total(f.t.lines)", values([("lines", Value::Lines(Vec::new()))]), NoValue::NoLines),
        ("days_after(f.t.d, 3000000)", d("2024-01-01T00:00:00Z"), NoValue::Time),
        ("days_after(f.t.d, -3000000)", d("2024-01-01T00:00:00Z"), NoValue::Time),
        ("days_after(f.t.d, 9223372036854775807)", d("2024-01-01T00:00:00Z"), NoValue::Time),
        ("now > f.t.d", d("2024-01-01T00:00:00Z"), NoValue::NoTime),
        ("ctx.currency == 'EUR'", Values::default(), NoValue::NoCurrency),
        ("f.t.a", values([("a", Value::Bool(true))]), NoValue::Kind),
    ] {
        assert_eq!(worth(text, values), Err(why), "{text}");
    }
    let unborn = Values { now: Some(Moment::from_seconds(0)), ..d("2024-01-01T00:00:00Z") };
    assert_eq!(worth("age_at(f.t.d) > 1", unborn), Err(NoValue::Time));
}

#[test]
fn an_operand_that_decides_needs_no_other() {
    let p = |value| values([("p", Value::Bool(value))]);
    assert_eq!(worth("f.t.p || f.t.q", p(true)), Ok(Value::Bool(true)));
    assert_eq!(worth("f.t.q || f.t.p", p(true)), Ok(Value::Bool(true)));
    assert_eq!(worth("f.t.q && f.t.p", p(false)), Ok(Value::Bool(false)));
    assert_eq!(worth("f.t.q && f.t.p", p(true)), Err(NoValue::Unbound("f.t.q".to_owned())));
    assert_eq!(worth("f.t.p ? f.t.p : f.t.q", p(true)), Ok(Value::Bool(true)));
}

fn guard_admits(text: &str) -> bool {
    semper_commerce::service::expression::guard::admit(text).is_ok()
}
