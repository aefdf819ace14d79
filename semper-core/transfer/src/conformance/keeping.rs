//! Laws about what authorities and third parties keep: L1 to L4, L7, L10.

use semper_supporting::{crypto::digest::Digest, deal::Xid};

use super::{
    Case, Holder, Law, Violation,
    subject::{Drive as _, Subject},
};
use crate::property::{Got, Look, Observation, Record, RecordStatus};

type Checked = Result<(), Violation>;

/// L1. A transfer happens under its own binding only, and the authority's record says which.
pub(super) fn binding(subject: &mut dyn Subject) -> Checked {
    let law = Law::Binding;
    let (ours, other) = (subject.case(1), subject.case(2));
    law.demand(subject.offers_anything(&ours), "the subject offers nothing to check laws with")?;
    let got = moved(law, subject, &ours)?;
    let under_ours = verified(subject, &ours, &got);
    law.demand(under_ours.is_ok(), "what was transferred is not what was described")?;
    if !subject.is_final(&ours) {
        return Ok(());
    }
    law.demand(verified(subject, &in_another_run(&ours), &got).is_err(), "a transfer satisfies another run")?;
    law.demand(verified(subject, &other, &got).is_err(), "a transfer satisfies another exchange")?;
    let seen = subject.observe(&other, Look::Peek).map_err(|what| law.broken(what))?;
    law.demand(!matches!(seen, Observation::Happened(_)), "a transfer is recorded under another binding")?;
    let record = happened(law, subject, &ours, Look::Peek)?;
    law.demand(
        record.xid == ours.binding.xid && record.leaf == ours.binding.leaf,
        "the record does not carry the binding",
    )
}

/// L2. What happened is seen as such for ever, whatever the giver does alone.
pub(super) fn stable(subject: &mut dyn Subject) -> Checked {
    let law = Law::Stable;
    let case = subject.case(1);
    if !subject.is_final(&case) {
        return Ok(());
    }
    moved(law, subject, &case)?;
    for look in [Look::Peek, Look::Freeze, Look::Peek] {
        happened(law, subject, &case, look)?;
    }
    subject.undo_alone(&case);
    happened(law, subject, &case, Look::Peek)?;
    happened(law, subject, &case, Look::Freeze)?;
    law.demand(subject.holder(&case) != Some(Holder::Giver), "the giver alone has its value back")
}

/// L3. What is frozen never happens, however often it is tried; what happened is not frozen.
pub(super) fn freeze(subject: &mut dyn Subject) -> Checked {
    let law = Law::Freeze;
    let case = subject.case(1);
    if !subject.is_final(&case) {
        return Ok(());
    }
    let before = subject.observe(&case, Look::Peek).map_err(|what| law.broken(what))?;
    law.demand(before == Observation::NotYet, "a transfer that was not begun is not seen as such")?;
    for _ in 0..2 {
        frozen(law, subject, &case, Look::Freeze)?;
        frozen(law, subject, &case, Look::Peek)?;
        let got = subject.transfer(&case).map_err(|what| law.broken(what))?;
        let counts = got.is_some_and(|got| verified(subject, &case, &got).is_ok());
        law.demand(!counts, "a frozen transfer happened")?;
        let holder = subject.holder(&case);
        law.demand(holder.is_none() || holder == Some(Holder::Giver), "a frozen transfer took the value")?;
    }
    // A freeze that comes second finds that it happened.
    let second = subject.case(2);
    moved(law, subject, &second)?;
    happened(law, subject, &second, Look::Freeze).map(|_| ())
}

/// L4. A deposit is taken if it matches, and refused if it does not.
pub(super) fn deposit(subject: &mut dyn Subject) -> Checked {
    let law = Law::Deposit;
    let (case, other) = (subject.case(1), subject.case(2));
    if !subject.can_deposit(&case) {
        return Ok(());
    }
    let got = moved(law, subject, &case)?;
    let put = |case: &Case| {
        subject.third_party().deposit(&case.binding, &case.description, &got, subject.certificates())
    };
    let accepted = verified(subject, &case, &got).map_err(|what| law.broken(what))?;
    law.demand(put(&case) == Ok(Observation::Deposited(accepted)), "a matching deposit is refused")?;
    if other.description != case.description {
        law.demand(put(&other).is_err(), "a deposit is taken for another item")?;
    }
    Ok(())
}

/// L7. What is undone in time is back with the giver, and of no more use to anybody else.
pub(super) fn undo(subject: &mut dyn Subject) -> Checked {
    let law = Law::Undo;
    let (case, untouched) = (subject.case(1), subject.case(2));
    if !subject.can_undo(&case) {
        return Ok(());
    }
    moved(law, subject, &case)?;
    moved(law, subject, &untouched)?;
    let record = subject.revoke(&case).map_err(|what| law.broken(what))?;
    let record = record.map_err(|_| law.broken("undoing in time is refused"))?;
    law.demand(record.status == RecordStatus::Revoked, "the record does not say that it was undone")?;
    let giver = subject.holder(&case);
    law.demand(giver.is_none() || giver == Some(Holder::Giver), "the value did not come back")?;
    for look in [Look::Peek, Look::Freeze] {
        let seen = subject.observe(&case, look).map_err(|what| law.broken(what))?;
        law.demand(!matches!(seen, Observation::Happened(_)), "what was undone is seen as having happened")?;
    }
    let again = subject.transfer(&case).map_err(|what| law.broken(what))?;
    let counts = again.is_some_and(|got| verified(subject, &case, &got).is_ok());
    law.demand(!counts, "what was undone happens again")?;
    happened(law, subject, &untouched, Look::Peek).map(|_| ())
}

/// L10. Each record is signed by the authority it names.
pub(super) fn attributable(subject: &mut dyn Subject) -> Checked {
    let law = Law::Attributable;
    let (moving, never) = (subject.case(1), subject.case(2));
    if !subject.is_final(&moving) {
        return Ok(());
    }
    moved(law, subject, &moving)?;
    let mut records =
        vec![happened(law, subject, &moving, Look::Peek)?, frozen(law, subject, &never, Look::Freeze)?];
    if subject.can_undo(&moving) {
        let revoked = subject.revoke(&moving).map_err(|what| law.broken(what))?;
        records.push(revoked.map_err(|_| law.broken("undoing in time is refused"))?);
    }
    for record in records {
        let key = subject.certificates().key(&record.authority);
        let signed =
            key.is_some_and(|key| key.verify(&record.evidence.tbs, &record.evidence.signature).is_ok());
        law.demand(signed, "a record is not signed by the authority it names")?;
    }
    Ok(())
}

fn moved(law: Law, subject: &mut dyn Subject, case: &Case) -> Result<Got, Violation> {
    let got = subject.transfer(case).map_err(|what| law.broken(what))?;
    got.ok_or_else(|| law.broken("an ordinary transfer did not happen"))
}

fn happened(law: Law, subject: &mut dyn Subject, case: &Case, look: Look) -> Result<Record, Violation> {
    match subject.observe(case, look).map_err(|what| law.broken(what))? {
        Observation::Happened(record) => Ok(record),
        other => Err(law.broken(format!("{look:?} of what happened says {other:?}"))),
    }
}

fn frozen(law: Law, subject: &mut dyn Subject, case: &Case, look: Look) -> Result<Record, Violation> {
    match subject.observe(case, look).map_err(|what| law.broken(what))? {
        Observation::Frozen(record) => Ok(record),
        other => Err(law.broken(format!("{look:?} of what was frozen says {other:?}"))),
    }
}

fn verified(subject: &dyn Subject, case: &Case, got: &Got) -> Result<Digest, String> {
    subject
        .party()
        .verify_received(&case.description, got, &case.binding, subject.certificates())
        .map(|accepted| accepted.evidence)
        .map_err(|mismatch| mismatch.to_string())
}

/// The same item, bound to another run.
fn in_another_run(case: &Case) -> Case {
    let mut other = case.clone();
    other.binding.xid = Xid::from_bytes([0xee; 32]);
    other
}
