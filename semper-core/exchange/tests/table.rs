//! The state tables of the protocols as data: each row of a file in `tests/golden` is one state and one
//! input, with the orders and the state that must follow. Every pair that no row names must change nothing.
#![allow(missing_docs, unreachable_pub, reason = "a test program has no readers of its own interface")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that meets the unexpected stops, and says what it counted"
)]

#[path = "common/mod.rs"]
mod common;
#[path = "table/originator.rs"]
mod originator;
#[path = "table/responder.rs"]
mod responder;
#[path = "table/third_party.rs"]
mod third_party;

use std::collections::{BTreeMap, BTreeSet};

use semper_exchange::generatable_verifiable::Output;
use semper_supporting::machine::{Machine, Refused, Step};

/// A file of rows: `state | input | orders | next`.
pub struct Table(BTreeMap<(String, String), (String, String)>);

impl Table {
    pub fn read(text: &str) -> Self {
        let mut rows = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [state, input, orders, next] = cells.as_slice() else { panic!("four cells: {line}") };
            let next = if *next == "same" { state } else { next };
            let double = rows.insert(
                ((*state).to_owned(), (*input).to_owned()),
                ((*orders).to_owned(), (*next).to_owned()),
            );
            assert!(double.is_none(), "two rows for {state} and {input}");
        }
        Self(rows)
    }

    /// Steps every state with every input, and compares with the rows.
    pub fn check<M>(
        &self,
        states: &[(&str, M)],
        inputs: &[(&str, M::Input)],
        name: impl Fn(&M) -> String,
        word: impl Fn(&M::Output) -> Option<String>,
    ) where
        M: Machine + Clone + PartialEq + std::fmt::Debug,
        M::Input: Clone,
    {
        let mut used = BTreeSet::new();
        let mut faults = Vec::new();
        for (state_name, state) in states {
            for (input_name, input) in inputs {
                let Step { state: next, outputs, refused } = state.clone().step(input.clone());
                let pair = ((*state_name).to_owned(), (*input_name).to_owned());
                let mut words: Vec<String> = outputs.iter().filter_map(&word).collect();
                words.extend(refused.map(|why| {
                    let why = match why {
                        Refused::Repeated => "repeated",
                        Refused::OutOfPlace => "out-of-place",
                        Refused::Mismatch => "mismatch",
                    };
                    format!("refused:{why}")
                }));
                let (orders, after) = (words.join(" "), name(&next));
                match self.0.get(&pair) {
                    Some((wanted, wanted_next)) => {
                        if (wanted, wanted_next) != (&orders, &after) {
                            faults.push(format!("{} | {} | {orders} | {after}", pair.0, pair.1));
                        }
                        used.insert(pair);
                    }
                    None => {
                        let nothing = next == *state && outputs.is_empty() && refused.is_some();
                        if !nothing {
                            faults.push(format!("{} | {} | {orders} | {after}", pair.0, pair.1));
                        }
                    }
                }
            }
        }
        let unused: Vec<_> = self.0.keys().filter(|pair| !used.contains(*pair)).collect();
        assert!(unused.is_empty(), "rows for no state or input: {unused:?}");
        assert!(faults.is_empty(), "the machine does this instead:\n{}\n", faults.join("\n"));
    }
}

/// An order of a party in one word; keeping evidence goes without saying.
pub fn word(output: &Output) -> Option<String> {
    Some(match output {
        Output::Ask(draft) => format!("ask:{}", common::draft_of(draft)),
        Output::Deliver(binding) => format!("deliver:{}", binding.leaf),
        Output::Keep(_) => return None,
        Output::Observe(binding) => format!("observe:{}", binding.leaf),
        Output::Proceed => "proceed".into(),
        Output::Send { draft, .. } => format!("send:{}", common::draft_of(draft)),
        Output::SendSigned { signed, .. } => {
            format!("send:{}", semper_supporting::evidence::statement::type_of(&signed.tbs).unwrap())
        }
        Output::Set { timer, .. } => format!("set:{timer:?}").to_lowercase(),
        Output::StartTransfer(binding) => format!("start:{}", binding.leaf),
        Output::Tell(code) => format!("tell:{code:?}"),
    })
}
