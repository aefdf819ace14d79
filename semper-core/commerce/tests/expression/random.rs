//! Random expressions have the same value here, by a plain reference, and by the evaluator of the crate `cel`.

use std::collections::BTreeMap;

use cel::{Context, Program};
use proptest::prelude::*;
use semper_commerce::service::expression::{Expression, Scope, Value};
use semper_supporting::money::{Currency, MAX, Money};

use super::{chart, when};

/// A whole number.
#[derive(Clone, Debug)]
enum Number {
    Literal(i64),
    A,
    B,
    Negative(Box<Number>),
    Two(char, Box<Number>, Box<Number>),
    If(Box<Truth>, Box<Number>, Box<Number>),
}

/// Yes or no.
#[derive(Clone, Debug)]
enum Truth {
    Literal(bool),
    P,
    Q,
    Not(Box<Truth>),
    Two(&'static str, Box<Truth>, Box<Truth>),
    Compare(&'static str, Box<Number>, Box<Number>),
    In(Box<Number>, Vec<i64>),
    Text(&'static str),
}

/// What the fields hold; `q` is not filled in where it is `None`.
#[derive(Clone, Copy, Debug)]
struct Fields {
    a: i64,
    b: i64,
    p: bool,
    q: Option<bool>,
}

impl Number {
    fn text(&self) -> String {
        match self {
            Self::Literal(value) => value.to_string(),
            Self::A => "f.t.a".to_owned(),
            Self::B => "f.t.b".to_owned(),
            Self::Negative(one) => format!("-({})", one.text()),
            Self::Two(sign, left, right) => format!("({} {sign} {})", left.text(), right.text()),
            Self::If(truth, yes, no) => format!("({} ? {} : {})", truth.text(), yes.text(), no.text()),
        }
    }

    fn value(&self, fields: Fields) -> Option<i64> {
        match self {
            Self::Literal(value) => Some(*value),
            Self::A => Some(fields.a),
            Self::B => Some(fields.b),
            Self::Negative(one) => 0_i64.checked_sub(one.value(fields)?),
            Self::Two(sign, left, right) => {
                let (left, right) = (i128::from(left.value(fields)?), i128::from(right.value(fields)?));
                let exact = match sign {
                    '+' => left + right,
                    '-' => left - right,
                    _ => left * right,
                };
                i64::try_from(exact).ok()
            }
            Self::If(truth, yes, no) => {
                if truth.value(fields)? {
                    yes.value(fields)
                } else {
                    no.value(fields)
                }
            }
        }
    }
}

impl Truth {
    fn text(&self) -> String {
        match self {
            Self::Literal(value) => value.to_string(),
            Self::P => "f.t.p".to_owned(),
            Self::Q => "f.t.q".to_owned(),
            Self::Not(one) => format!("!({})", one.text()),
            Self::Two(sign, left, right) => format!("({} {sign} {})", left.text(), right.text()),
            Self::Compare(sign, left, right) => format!("({} {sign} {})", left.text(), right.text()),
            Self::In(one, among) => format!("({} in {among:?})", one.text()),
            Self::Text(text) => format!("(f.t.s == '{text}')"),
        }
    }

    fn value(&self, fields: Fields) -> Option<bool> {
        match self {
            Self::Literal(value) => Some(*value),
            Self::P => Some(fields.p),
            Self::Q => fields.q,
            Self::Not(one) => one.value(fields).map(|value| !value),
            Self::Two("==", left, right) => Some(left.value(fields)? == right.value(fields)?),
            Self::Two("!=", left, right) => Some(left.value(fields)? != right.value(fields)?),
            Self::Two(sign, left, right) => {
                let decisive = *sign == "||";
                match (left.value(fields), right.value(fields)) {
                    (Some(left), Some(right)) => Some(if decisive { left || right } else { left && right }),
                    (one, other) if one == Some(decisive) || other == Some(decisive) => Some(decisive),
                    _ => None,
                }
            }
            Self::Compare(sign, left, right) => {
                let (left, right) = (left.value(fields)?, right.value(fields)?);
                Some(match *sign {
                    "<" => left < right,
                    "<=" => left <= right,
                    ">" => left > right,
                    ">=" => left >= right,
                    "==" => left == right,
                    _ => left != right,
                })
            }
            Self::In(one, among) => one.value(fields).map(|one| among.contains(&one)),
            Self::Text(text) => Some(*text == "year"),
        }
    }
}

fn edge() -> impl Strategy<Value = i64> {
    prop_oneof![-3..10_i64, Just(i64::MAX), Just(i64::MIN), Just(i64::MIN + 1), Just(1 << 32)]
}

fn number(depth: u32) -> BoxedStrategy<Number> {
    let leaf = prop_oneof![edge().prop_map(Number::Literal), Just(Number::A), Just(Number::B)];
    if depth == 0 {
        return leaf.boxed();
    }
    let less = || number(depth - 1).prop_map(Box::new);
    prop_oneof![
        leaf,
        less().prop_map(Number::Negative),
        (prop_oneof![Just('+'), Just('-'), Just('*')], less(), less())
            .prop_map(|(sign, left, right)| Number::Two(sign, left, right)),
        (truth(depth - 1).prop_map(Box::new), less(), less())
            .prop_map(|(truth, yes, no)| Number::If(truth, yes, no)),
    ]
    .boxed()
}

fn truth(depth: u32) -> BoxedStrategy<Truth> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Truth::Literal),
        Just(Truth::P),
        Just(Truth::Q),
        prop_oneof![Just("year"), Just("month"), Just("")].prop_map(Truth::Text),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let less = || truth(depth - 1).prop_map(Box::new);
    let numbers = move || number(depth - 1).prop_map(Box::new);
    let compare = proptest::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
    let both = proptest::sample::select(vec!["&&", "||", "==", "!="]);
    prop_oneof![
        leaf,
        less().prop_map(Truth::Not),
        (both, less(), less()).prop_map(|(sign, left, right)| Truth::Two(sign, left, right)),
        (compare, numbers(), numbers()).prop_map(|(sign, left, right)| Truth::Compare(sign, left, right)),
        (numbers(), proptest::collection::vec(edge(), 0..4)).prop_map(|(one, among)| Truth::In(one, among)),
    ]
    .boxed()
}

fn by_us(scope: &Scope, text: &str, fields: Fields) -> Option<bool> {
    let mut values = super::values([
        ("a", Value::Int(fields.a)),
        ("b", Value::Int(fields.b)),
        ("p", Value::Bool(fields.p)),
        ("s", Value::Text("year".to_owned())),
    ]);
    if let Some(q) = fields.q {
        values.fields.insert(("t".to_owned(), "q".to_owned()), Value::Bool(q));
    }
    let expression =
        Expression::compile(when(), text, scope).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    match expression.evaluate(&values) {
        Ok(Value::Bool(value)) => Some(value),
        Ok(other) => panic!("{text} is {other:?}"),
        Err(_) => None,
    }
}

#[expect(clippy::disallowed_types, reason = "the crate takes its maps in this type only")]
fn by_the_crate(text: &str, fields: Fields) -> Option<bool> {
    use std::collections::HashMap;

    let mut form = BTreeMap::from([
        ("a", cel::Value::Int(fields.a)),
        ("b", cel::Value::Int(fields.b)),
        ("p", cel::Value::Bool(fields.p)),
        ("s", cel::Value::from("year")),
    ]);
    if let Some(q) = fields.q {
        form.insert("q", cel::Value::Bool(q));
    }
    let form: HashMap<String, cel::Value> =
        form.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let forms = HashMap::from([("t".to_owned(), cel::Value::from(form))]);
    let mut context = Context::default();
    context.add_variable_from_value("f", cel::Value::from(forms));
    match Program::compile(text).unwrap().execute(&context) {
        Ok(cel::Value::Bool(value)) => Some(value),
        Ok(other) => panic!("{text} is {other:?}"),
        Err(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn three_evaluators_agree(
        truth in truth(4),
        (a, b, p) in (edge(), edge(), any::<bool>()),
        q in proptest::option::weighted(0.7, any::<bool>()),
    ) {
        let fields = Fields { a, b, p, q };
        let text = truth.text();
        prop_assume!(super::guard_admits(&text));
        let scope = Scope::of(&chart("")).unwrap();
        let expected = truth.value(fields);
        prop_assert_eq!(by_us(&scope, &text, fields), expected, "{}", text);
        prop_assert_eq!(by_the_crate(&text, fields), expected, "by the crate: {}", text);
    }

    /// Sums as exact arithmetic has them, or no value where they would be below zero or above the largest.
    #[test]
    fn money_is_computed_as_on_paper(
        (a, b) in (sum(), sum()),
        i in prop_oneof![-2..300_i64, Just(i64::MAX)],
    ) {
        let (x, y, n) = (i128::from(a), i128::from(b), i128::from(i));
        let times = |numerator: i128| (n >= 0).then_some(numerator);
        let cases = [
            ("plus(f.t.m, f.t.o)".to_owned(), Some(x + y)),
            ("minus(f.t.m, f.t.o)".to_owned(), Some(x - y)),
            (format!("times(f.t.m, {i})"), times(x * n)),
            (format!("percent(f.t.m, {i})"), times((x * n + 50) / 100)),
            (format!("atmost(f.t.m, f.t.o) ? f.t.m : minus(f.t.m, percent(f.t.o, {i}))"), {
                if x <= y { Some(x) } else { times(x - (y * n + 50) / 100) }
            }),
        ];
        for (text, exact) in cases {
            let euro = |minor| Value::Money(Money::new(minor, Currency::EUR).unwrap());
            let found = super::worth(&text, super::values([("m", euro(a)), ("o", euro(b))]));
            let exact = exact.filter(|minor| (0..=i128::from(MAX)).contains(minor));
            let exact = exact.and_then(|minor| u64::try_from(minor).ok()).map(euro);
            prop_assert_eq!(found.ok(), exact, "{}", text);
        }
    }
}

fn sum() -> impl Strategy<Value = u64> {
    prop_oneof![0..1000_u64, 0..=MAX, Just(MAX), Just(0)]
}
