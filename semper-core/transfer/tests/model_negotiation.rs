//! All interleavings of two buyers' sessions, a payee, and somebody who has every signed message ever sent and
//! delivers any of them to anybody, any number of times: both finish with one agreement, or not at all.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on stops, and says what it counted"
)]

mod parties;

use parties::{Parties, Run, START, nonce, purse, system};
use semper_supporting::{crypto::digest::Digest, evidence::Verified};
use semper_transfer::payment::{
    PaymentAgreement, Purse,
    negotiation::{NegConfirm, NegPropose, NegSelect, confirm, select},
};
use stateright::{Checker as _, Model, Property};

/// How many sessions the payer has: in two windows, or before and after it lost its state.
const SESSIONS: usize = 2;

/// The proposals of the payee: two in one deal, the second with a shorter list, and one of an earlier deal.
const PROPOSALS: usize = 3;

/// The proposal that was negotiated to the end long ago: its messages are known to everybody.
const OLD: usize = 2;

/// Every message that can come into being; a state says which of them have.
struct Market {
    purses: Vec<Purse>,
    proposals: Vec<Verified<NegPropose>>,
    /// By session and proposal.
    selections: Vec<Vec<Verified<NegSelect>>>,
    /// By proposal and the session whose selection it confirms.
    confirmations: Vec<Vec<Verified<NegConfirm>>>,
    old: Run,
    /// A selection of the first proposal by somebody who is no party.
    forged: Verified<NegSelect>,
}

/// Where one of the payer's sessions stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Payer {
    Waiting,
    Chosen(usize),
    Done(usize, Digest),
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct State {
    payers: [Payer; SESSIONS],
    /// For each proposal: the selection that the payee confirmed, and its agreement.
    payee: [Option<(Message, Digest)>; PROPOSALS],
}

/// A selection or confirmation that is delivered.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Message {
    /// Of this session and this proposal.
    Of(usize, usize),
    Old,
    Forged,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Delivery {
    /// A proposal to a session.
    Proposal(usize, usize),
    /// A selection to the payee, where it waits for the answer to a proposal.
    Selection(Message, usize),
    /// A confirmation to a session.
    Confirmation(Message, usize),
}

impl Market {
    fn new() -> Self {
        let parties = Parties::new();
        let purses = vec![
            purse(1, system("sim", "south"), "XTS 50.00"),
            purse(2, system("sim", "north"), "XTS 50.00"),
        ];
        let mut proposals = [1, 2, 3].map(|n| parties.proposal(n));
        proposals[1].deal = proposals[0].deal;
        proposals[1].systems.truncate(1);
        let old = parties.run(&proposals[OLD], &purses);
        let proposals: Vec<_> = proposals.iter().map(|propose| parties.sign(propose)).collect();
        let selection = |session: u8, propose| {
            parties.sign(&select(propose, &purses, START, nonce(60 + session)).unwrap().0)
        };
        let selections: Vec<Vec<_>> = [0, 1]
            .map(|session| proposals.iter().map(|propose| selection(session, propose)).collect())
            .into();
        let confirmations = (0..PROPOSALS).map(|p| {
            let of = |s: usize| confirm(&proposals[p], &selections[s][p], START, nonce(70)).unwrap();
            (0..SESSIONS).map(|s| parties.sign(&of(s))).collect()
        });
        let confirmations = confirmations.collect();
        let mut forged = selections[0][0].value().clone();
        forged.signer = parties.stranger;
        let forged = parties.sign(&forged);
        Self { purses, proposals, selections, confirmations, old, forged }
    }

    fn selection(&self, message: Message) -> &Verified<NegSelect> {
        match message {
            Message::Of(session, proposal) => &self.selections[session][proposal],
            Message::Old => &self.old.select,
            Message::Forged => &self.forged,
        }
    }

    fn confirmation(&self, message: Message) -> &Verified<NegConfirm> {
        match message {
            Message::Of(session, proposal) => &self.confirmations[proposal][session],
            Message::Old | Message::Forged => &self.old.confirm,
        }
    }

    /// Whether every confirmed selection is of a system in the list, for which the payer has a purse.
    fn is_common(&self, state: &State) -> bool {
        state.payee.iter().enumerate().all(|(p, confirmed)| match confirmed {
            None => true,
            Some((message, _)) => {
                let index = usize::try_from(self.selection(*message).idx).unwrap();
                let offered = self.proposals[p].systems.get(index).map(|offer| &offer.system);
                offered.is_some_and(|system| self.purses.iter().any(|purse| purse.system == *system))
            }
        })
    }

    fn agree(
        &self,
        p: usize,
        select: &Verified<NegSelect>,
        confirm: &Verified<NegConfirm>,
    ) -> Option<Digest> {
        let propose = self.proposals[p].clone();
        PaymentAgreement::new(propose, select.clone(), confirm.clone(), START).ok().map(|whole| whole.hash())
    }
}

impl State {
    /// The selections that were ever sent.
    fn selections(&self) -> Vec<Message> {
        let sent = self.payers.iter().enumerate().filter_map(|(session, payer)| match payer {
            Payer::Waiting => None,
            Payer::Chosen(proposal) | Payer::Done(proposal, _) => Some(Message::Of(session, *proposal)),
        });
        sent.chain([Message::Old, Message::Forged]).collect()
    }

    /// The confirmations that were ever sent.
    fn confirmations(&self) -> Vec<Message> {
        self.payee.iter().flatten().map(|(message, _)| *message).collect()
    }

    /// The agreements that the payer holds, with the proposal each is about.
    fn held(&self) -> impl Iterator<Item = (usize, Digest)> + '_ {
        self.payers.iter().filter_map(|payer| match payer {
            Payer::Done(proposal, agreement) => Some((*proposal, *agreement)),
            Payer::Waiting | Payer::Chosen(_) => None,
        })
    }
}

impl Model for Market {
    type State = State;
    type Action = Delivery;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            payers: [Payer::Waiting; SESSIONS],
            payee: [None, None, Some((Message::Old, self.old.agree().unwrap().hash()))],
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Delivery>) {
        for session in 0..SESSIONS {
            actions.extend((0..PROPOSALS).map(|p| Delivery::Proposal(p, session)));
            actions.extend(state.confirmations().into_iter().map(|m| Delivery::Confirmation(m, session)));
        }
        for m in state.selections() {
            actions.extend((0..PROPOSALS).map(|p| Delivery::Selection(m, p)));
        }
    }

    fn next_state(&self, before: &State, action: Delivery) -> Option<State> {
        let mut state = before.clone();
        match action {
            Delivery::Proposal(proposal, session) => {
                if state.payers[session] == Payer::Waiting {
                    state.payers[session] = Payer::Chosen(proposal);
                }
            }
            Delivery::Selection(message, proposal) => {
                let select = self.selection(message);
                let answer = confirm(&self.proposals[proposal], select, START, nonce(70));
                if let (Ok(answer), None) = (answer, state.payee[proposal]) {
                    let signed = self.confirmation(message);
                    assert_eq!(&answer, signed.value());
                    let agreement = self.agree(proposal, select, signed).unwrap();
                    state.payee[proposal] = Some((message, agreement));
                }
            }
            Delivery::Confirmation(message, session) => {
                if let Payer::Chosen(proposal) = state.payers[session] {
                    let select = &self.selections[session][proposal];
                    if let Some(agreement) = self.agree(proposal, select, self.confirmation(message)) {
                        state.payers[session] = Payer::Done(proposal, agreement);
                    }
                }
            }
        }
        (state != *before).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("what the payer holds, the payee holds", |_, state: &State| {
                state.held().all(|(p, agreement)| state.payee[p].map(|(_, hash)| hash) == Some(agreement))
            }),
            Property::sometimes("the payer holds an agreement", |_, state: &State| state.held().count() > 0),
            Property::always("one negotiation is one agreement", |_, state: &State| {
                let mut held: Vec<_> = state.held().collect();
                held.dedup_by_key(|(proposal, _)| *proposal);
                held.len() == state.held().count()
            }),
            Property::sometimes(
                "both sessions answer one proposal, and one of them gets it",
                |_, state: &State| {
                    let answered = state.payers.map(|payer| match payer {
                        Payer::Waiting => None,
                        Payer::Chosen(proposal) | Payer::Done(proposal, _) => Some(proposal),
                    });
                    answered[0].is_some() && answered[0] == answered[1] && state.held().count() > 0
                },
            ),
            Property::always("only what the payer has and the payee offered is agreed", Self::is_common),
            Property::sometimes("the payee confirms a new negotiation", |_, state: &State| {
                state.payee.iter().enumerate().any(|(p, confirmed)| p != OLD && confirmed.is_some())
            }),
            Property::sometimes("both proposals of the deal are agreed", |_, state: &State| {
                state.held().count() == 2
            }),
            Property::sometimes(
                "a session is left without an agreement for ever",
                |_, state: &State| matches!(state.payers, [Payer::Done(p, _), Payer::Chosen(q)] if p == q),
            ),
        ]
    }
}

#[test]
fn whoever_delivers_what_both_finish_with_one_agreement_or_not_at_all() {
    let market = Market::new();
    let properties = market.properties().len();
    let checker = market.checker().spawn_bfs().join();
    println!(
        "two sessions, three proposals: {} states, {} transitions, depth {}, {properties} properties",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
    );
    checker.assert_properties();
    assert!(checker.unique_state_count() > 30, "{}", checker.unique_state_count());
}
