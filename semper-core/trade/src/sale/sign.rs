//! Signing the drafts of a sale under access control: every type that a sale may ever sign is listed here.

use semper_commerce::deal::{DealAccept, DealClose, DealOpen, DealPropose, DealResume};
use semper_exchange::message::{
    Abort, Accept, Answer, Close, Decline, Draft, Item, Moved, Proposal, Propose, Resolve, Status,
};
use semper_host::Keyring;
use semper_supporting::{
    access::{
        Action, Covering, Decision, Facts, Limits, Object, Subject,
        class::{self, Class},
        decide,
    },
    crypto::keys::KeyRef,
    deal::DealContext,
    evidence::{Signable, SignedBytes, statement},
    money::Money,
    time::Moment,
};
use semper_transfer::payment::{
    message::{Pay, Query},
    negotiation::{NegConfirm, NegPropose, NegReject, NegSelect},
};

/// What became of a draft.
#[derive(Clone, Debug, PartialEq)]
pub enum Signing {
    /// It is signed.
    Signed(SignedBytes),
    /// A person has to be asked.
    Ask,
    /// It may not be signed: the dotted code of why.
    Denied(&'static str),
}

/// For whom and in which surroundings something is signed.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Who signs.
    pub subject: &'a Subject,
    /// The deal.
    pub context: Option<&'a DealContext>,
    /// The prompt that covers what follows from it.
    pub covering: Option<&'a Covering>,
    /// The price of the sale.
    pub amount: Money,
    /// When.
    pub now: Moment,
}

/// Signs `draft` if access control allows it without asking.
pub fn sign(keys: &Keyring, draft: &Draft, around: &Standing<'_>) -> Signing {
    macro_rules! first_of {
        ($($kind:ty),* $(,)?) => {
            match statement::type_of(draft.tbs()).unwrap_or_default().as_str() {
                $(<$kind as statement::Statement>::TYPE => signed::<$kind>(keys, draft, around),)*
                _ => Signing::Denied("access.misfit"),
            }
        };
    }
    first_of![
        DealPropose,
        DealAccept,
        DealOpen,
        DealResume,
        DealClose,
        Propose,
        Answer,
        Proposal,
        Accept,
        Decline,
        Moved,
        Item,
        Close,
        Abort,
        Resolve,
        Status,
        NegPropose,
        NegSelect,
        NegConfirm,
        NegReject,
        Pay,
        Query,
    ]
}

fn signed<T: Signable>(keys: &Keyring, draft: &Draft, around: &Standing<'_>) -> Signing {
    let Ok(value) = draft.read::<T>() else { return Signing::Denied("stmt.form") };
    let is_payment = class::of(T::TYPE) == Some(Class::Payment);
    let facts = Facts { amount: is_payment.then_some(around.amount), ..Facts::default() };
    let limits = Limits { covering: around.covering, ..Limits::default() };
    let action = action(T::TYPE, around.subject, is_payment);
    let object = Object::with(&value, facts);
    match decide(around.subject, action, &object, around.context, &limits, around.now) {
        Decision::Allow(permit) => match keys.sign(&KeyRef::of(draft.signer()), permit, around.now) {
            Ok(signed) => Signing::Signed(signed.bytes().clone()),
            Err(error) => {
                tracing::error!(%error, kind = T::TYPE, "the key does not sign");
                Signing::Denied("key.unknown")
            }
        },
        Decision::Ask(_) => Signing::Ask,
        Decision::Deny(why) => Signing::Denied(why.code()),
    }
}

/// What signing a statement of type `kind` is to access control.
fn action(kind: &str, subject: &Subject, is_payment: bool) -> Action {
    match (subject, kind) {
        (Subject::User, "deal-propose") => Action::OpenInvite,
        (Subject::User, "deal-open") => Action::OpenDeal,
        (Subject::User, "deal-close") => Action::CloseDeal,
        (Subject::User, "pay/query") => Action::ReadDealState,
        (Subject::User, _) if is_payment => Action::Pay,
        _ => Action::SignIdentity,
    }
}
