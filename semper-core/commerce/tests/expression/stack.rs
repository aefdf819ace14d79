//! Nothing that somebody writes into terms exhausts the stack or ends the program.

use std::thread;

use proptest::prelude::*;
use semper_commerce::service::expression::{Expression, ExpressionFault, Scope, Value, Values, guard};

use super::{chart, when};

/// Runs `deed` with a stack of `kib` KiB; one that overflows ends the whole test program.
fn with_stack<T: Send + 'static>(kib: usize, deed: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new().stack_size(kib << 10).spawn(deed).unwrap().join().unwrap()
}

fn compile(text: &str) -> Result<Expression, ExpressionFault> {
    Expression::compile(when(), text, &Scope::of(&chart("")).unwrap())
}

#[test]
fn bombs_are_refused_before_they_reach_a_parser() {
    let scope = Scope::of(&chart("")).unwrap();
    let bombs = [
        format!("{}1{} == 1", "(".repeat(200), ")".repeat(200)),
        format!("{}1 == 1", "1 + ".repeat(50_000)),
        format!("{}true", "!".repeat(508)),
        format!("{}1", "-".repeat(511)),
        "f.t.p?1:".repeat(64),
        "?:".repeat(256),
        "[".repeat(512),
        "a.".repeat(256),
        "1 in [".repeat(85),
        "plus(".repeat(102),
        "a&&".repeat(170),
    ];
    with_stack(64, move || {
        for bomb in bombs {
            let fault = Expression::compile(when(), &bomb, &scope).unwrap_err();
            assert!(matches!(fault, ExpressionFault::Forbidden { .. }), "{fault}");
            assert!(fault.to_string().len() < 200, "{fault}");
        }
    });
}

/// Expressions at the limits: as deep and as long as any that passes.
fn heaviest() -> Vec<String> {
    let nested = |open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(guard::DEPTH), close.repeat(guard::DEPTH))
    };
    vec![
        format!("{}true", "!".repeat(guard::OPERATORS)),
        format!("0 == {}1", "-".repeat(guard::OPERATORS - 1)),
        format!("0 == {}1", "- ".repeat(guard::OPERATORS - 1)),
        format!("0 == 1{}", "+1".repeat(guard::OPERATORS - 1)),
        format!("true{}", "&&true".repeat(guard::OPERATORS)),
        format!("true{}", "==true".repeat(guard::OPERATORS)),
        format!("{}true", "true?true:".repeat(guard::OPERATORS / 2)),
        format!("{}true{}", "true?".repeat(guard::OPERATORS / 2), ":true".repeat(guard::OPERATORS / 2)),
        nested("(", &format!("{}true", "!".repeat(guard::OPERATORS)), ")"),
        nested("!(!!!!!!!", "true", ")"),
        nested("(true?true:true?", "true", ":true):true"),
        nested("(true?true:true?true:true&&", "true", ")"),
        format!("{} == money('EUR 1.00')", nested("plus(", "f.t.m", ",f.t.o)")),
        nested("(", &format!("{}true", "true?true:".repeat(guard::OPERATORS / 2)), ")"),
        nested("plus(f.t.m,", &format!("{}f.t.m", "f.t.p?f.t.m:".repeat(24)), ")"),
        format!("0 in [{}0]", "0,".repeat(250)),
    ]
}

#[test]
fn the_heaviest_expressions_that_pass_need_little_stack() {
    let scope = Scope::of(&chart("")).unwrap();
    with_stack(STACK, move || {
        let mut values = Values::default();
        scope.compute(&mut values);
        let mut good = 0;
        for text in heaviest() {
            guard::admit(&text).unwrap();
            if let Ok(expression) = Expression::compile(when(), &text, &scope) {
                good += usize::from(matches!(expression.evaluate(&values), Ok(Value::Bool(_))));
            }
        }
        assert!(good >= 8, "only {good} of the heaviest expressions have a value");
    });
}

/// Words of expressions, and some that are none.
const WORDS: &[&str] = &[
    "f.t.a",
    "f.t.p",
    "f.t.m",
    "n.go",
    "now",
    "c.t.x",
    "true",
    "1",
    "-1",
    "9223372036854775808",
    "'x'",
    "\"\"",
    "(",
    ")",
    "[",
    "]",
    ",",
    "?",
    ":",
    "&&",
    "||",
    "!",
    "==",
    "!=",
    "<",
    "<=",
    "in",
    "+",
    "-",
    "*",
    "plus(",
    "total(",
    "money('EUR 1.00')",
    "age_at(",
    " ",
    ".",
    "..",
    "has(",
    "/",
    "{",
    "}",
    "é",
    "\n",
    "'",
    "a",
    "in [",
    "in(",
    "if",
    "for",
    "package",
    "as",
    "null",
    "`",
];

proptest! {
    /// Whatever is written: compiled or refused, and evaluated or not, without a panic.
    #[test]
    fn no_row_of_words_ends_the_program(words in proptest::collection::vec(0..WORDS.len(), 0..40)) {
        let text: String = words.iter().map(|word| WORDS[*word]).collect();
        if let Ok(expression) = compile(&text) {
            let _ = expression.evaluate(&Values::default());
        }
    }

    /// Likewise for rows of words that only the parser can refuse.
    #[test]
    fn no_row_of_known_words_ends_the_program(words in proptest::collection::vec(0..32_usize, 0..24)) {
        let text: Vec<&str> = words.iter().map(|word| WORDS[*word]).collect();
        if let Ok(expression) = compile(&text.join(" ")) {
            let _ = expression.evaluate(&Values::default());
        }
    }
}

/// KiB that parsing, checking and evaluating any expression may need, in a debug build.
const STACK: usize = 512;
