//! Laws about what third parties make: L5, L6, L8, L9, L11.

use semper_supporting::{crypto::digest::Digest, deal::Xid};

use super::{
    Case, Law, Violation,
    subject::{Drive as _, Subject},
};
use crate::{
    package::LeafPath,
    property::{
        Attached, BadPermit, Binding, Decided, GenGrade, Generated, GenerationPermit, Look, Observation,
        Permitted, Replacement,
    },
};

type Checked = Result<(), Violation>;

/// L5. What was relied on as better than sealed is made; what was sealed badly is told as such.
pub(super) fn generation(subject: &mut dyn Subject) -> Checked {
    let law = Law::Generation;
    let case = subject.case(1);
    let Some((permitted, grade)) = permit(law, subject, &case)? else { return Ok(()) };
    let made = subject.generate(&case, &permitted).map_err(|what| law.broken(what))?;
    let content = made.map_err(|bad| law.broken(format!("an honest permit fails: {bad}")))?;
    accepted(law, subject, &case, &permitted.permit, grade, content)?;
    if grade == GenGrade::Sealed {
        for spoiled in spoiled(&permitted) {
            let made = subject.generate(&case, &spoiled).map_err(|what| law.broken(what))?;
            let told = matches!(made, Err(BadPermit::Seal | BadPermit::Content));
            law.demand(told, "a bad seal is not told as such")?;
        }
    }
    Ok(())
}

/// L6. A replacement is accepted under its own permit and a decision that completes its own run.
pub(super) fn equivalence(subject: &mut dyn Subject) -> Checked {
    let law = Law::Equivalence;
    let case = subject.case(1);
    let Some((permitted, grade)) = permit(law, subject, &case)? else { return Ok(()) };
    let made = subject.generate(&case, &permitted).map_err(|what| law.broken(what))?;
    let content = made.map_err(|bad| law.broken(format!("an honest permit fails: {bad}")))?;
    let good = subject.replacement(&case, grade, content, true).map_err(|what| law.broken(what))?;
    let takes = |binding: &Binding, permit: &GenerationPermit, replacement: &Replacement| {
        let (party, keys) = (subject.party(), subject.certificates());
        party.verify_replacement(&case.description, permit, replacement, binding, keys).is_ok()
    };
    law.demand(takes(&case.binding, &permitted.permit, &good), "a proper replacement is refused")?;
    let undecided = Replacement { decided: None, ..good.clone() };
    law.demand(!takes(&case.binding, &permitted.permit, &undecided), "it is taken without a decision")?;
    for (decided, what) in wrong_decisions(&good) {
        let wrong = Replacement { decided: Some(decided), ..good.clone() };
        law.demand(!takes(&case.binding, &permitted.permit, &wrong), what)?;
    }
    for (binding, what) in other_bindings(&case.binding) {
        law.demand(!takes(&binding, &permitted.permit, &good), what)?;
        let bent = Replacement { binding: binding.clone(), ..good.clone() };
        law.demand(!takes(&case.binding, &permitted.permit, &bent), what)?;
    }
    let none = GenerationPermit { grade: GenGrade::None, ..permitted.permit.clone() };
    law.demand(!takes(&case.binding, &none, &good), "it is taken without a permit")?;
    let other = GenerationPermit { description: Digest::of(b"another"), ..permitted.permit.clone() };
    law.demand(!takes(&case.binding, &other, &good), "it is taken under the permit for another item")
}

/// L8. What was made is not undone, and what was undone is not made.
pub(super) fn exclusive(subject: &mut dyn Subject) -> Checked {
    let law = Law::Exclusive;
    let (made, undone) = (subject.case(1), subject.case(2));
    if let Some((permitted, grade)) = permit(law, subject, &made)? {
        let result = subject.generate(&made, &permitted).map_err(|what| law.broken(what))?;
        let content = result.map_err(|bad| law.broken(format!("an honest permit fails: {bad}")))?;
        accepted(law, subject, &made, &permitted.permit, grade, content)?;
        let revoked = subject.revoke(&made).map_err(|what| law.broken(what))?;
        law.demand(revoked.is_err(), "what was made is undone as well")?;
    }
    if let Some((permitted, GenGrade::Hold)) = permit(law, subject, &undone)? {
        let revoked = subject.revoke(&undone).map_err(|what| law.broken(what))?;
        law.demand(revoked.is_ok(), "a hold cannot be voided")?;
        let made = subject.generate(&undone, &permitted).map_err(|what| law.broken(what))?;
        law.demand(made.is_err(), "a hold is voided and captured")?;
    }
    Ok(())
}

/// L9. The same operation under the same binding gives the same bytes, and moves value once.
pub(super) fn idempotent(subject: &mut dyn Subject) -> Checked {
    let law = Law::Idempotent;
    let (case, frozen) = (subject.case(1), subject.case(2));
    if let Some((permitted, _)) = permit(law, subject, &case)? {
        let again = permit(law, subject, &case)?;
        law.demand(again.is_some_and(|(other, _)| other == permitted), "a permit made again differs")?;
        let first = subject.generate(&case, &permitted).map_err(|what| law.broken(what))?;
        let second = subject.generate(&case, &permitted).map_err(|what| law.broken(what))?;
        law.demand(first == second, "a replacement made again differs")?;
    }
    let case = subject.case(3);
    let first = subject.transfer(&case).map_err(|what| law.broken(what))?;
    let holder = subject.holder(&case);
    let second = subject.transfer(&case).map_err(|what| law.broken(what))?;
    law.demand(first.is_some() && first == second, "a transfer begun again gives something else")?;
    law.demand(subject.holder(&case) == holder, "a transfer begun again moves value again")?;
    same_seen(law, subject, &case, Look::Peek)?;
    same_seen(law, subject, &frozen, Look::Freeze)?;
    if subject.can_undo(&case) {
        let first = subject.revoke(&case).map_err(|what| law.broken(what))?;
        let second = subject.revoke(&case).map_err(|what| law.broken(what))?;
        law.demand(first == second, "undoing again says something else")?;
    }
    Ok(())
}

/// L11. An escrow opens for the run, owner, item and direction it was made for, and for nothing else.
pub(super) fn no_oracle(subject: &mut dyn Subject) -> Checked {
    let law = Law::NoOracle;
    let case = subject.case(1);
    let Some((permitted, grade)) = permit(law, subject, &case)? else { return Ok(()) };
    law.demand(case.binding.receiver() != case.binding.giver.role(), "the giver is the receiver")?;
    if !matches!(grade, GenGrade::Sealed | GenGrade::Certified) {
        return Ok(());
    }
    let thief = Binding { owner: Digest::of(b"thief"), ..case.binding.clone() };
    let mut elsewhere = vec![thief];
    if grade == GenGrade::Sealed {
        // A certified escrow serves all the exchanges of its owner: each has a permit of its own.
        elsewhere.push(Binding { xid: Xid::from_bytes([0xee; 32]), ..case.binding.clone() });
        elsewhere.extend(other_leaf(&case.binding));
    }
    for binding in elsewhere {
        let pasted = Case { binding, ..case.clone() };
        let made = subject.generate(&pasted, &permitted).map_err(|what| law.broken(what))?;
        law.demand(made.is_err(), "an escrow pasted into another exchange is opened")?;
    }
    Ok(())
}

/// The permit of a case and the grade its receiver may rely on; none if the kind offers no generation.
fn permit(
    law: Law,
    subject: &mut dyn Subject,
    case: &Case,
) -> Result<Option<(Permitted, GenGrade)>, Violation> {
    if !subject.can_make(case) {
        return Ok(None);
    }
    let permitted = subject.permit(case).map_err(|what| law.broken(what))?;
    let grade = subject.relied_on(case, &permitted).map_err(|what| law.broken(what))?;
    law.demand(grade != GenGrade::None, "a permit is accepted that grants nothing")?;
    Ok(Some((permitted, grade)))
}

fn accepted(
    law: Law,
    subject: &dyn Subject,
    case: &Case,
    permit: &GenerationPermit,
    grade: GenGrade,
    content: Generated,
) -> Checked {
    let replacement = subject.replacement(case, grade, content, true).map_err(|what| law.broken(what))?;
    subject
        .party()
        .verify_replacement(&case.description, permit, &replacement, &case.binding, subject.certificates())
        .map(|_| ())
        .map_err(|mismatch| law.broken(format!("a proper replacement is refused: {mismatch}")))
}

fn same_seen(law: Law, subject: &mut dyn Subject, case: &Case, look: Look) -> Checked {
    let first: Observation = subject.observe(case, look).map_err(|what| law.broken(what))?;
    let second = subject.observe(case, look).map_err(|what| law.broken(what))?;
    law.demand(first == second, "the same question is answered differently")
}

/// The permit with each blob beside it spoiled, and named by its new hash.
fn spoiled(permitted: &Permitted) -> Vec<Permitted> {
    let Some(blob) = permitted.permit.basis.and_then(|basis| permitted.attached.find(&basis)) else {
        return Vec::new();
    };
    let flipped =
        |at: usize| blob.iter().enumerate().map(move |(i, byte)| byte ^ u8::from(i == at)).collect();
    let spoiled: [Vec<u8>; 3] = [flipped(0), flipped(blob.len().saturating_sub(1)), Vec::new()];
    spoiled
        .into_iter()
        .map(|blob| Permitted {
            permit: GenerationPermit { basis: Some(Digest::of(&blob)), ..permitted.permit.clone() },
            attached: Attached::of([blob]),
        })
        .collect()
}

fn wrong_decisions(good: &Replacement) -> Vec<(Decided, &'static str)> {
    let Some(decided) = good.decided else { return Vec::new() };
    vec![
        (Decided { completed: false, ..decided }, "it is taken under a decision to abort"),
        (Decided { xid: Xid::from_bytes([0xee; 32]), ..decided }, "it is taken under another run's decision"),
        (
            Decided { agreement: Digest::of(b"another"), ..decided },
            "it is taken under the decision on another agreement",
        ),
    ]
}

fn other_bindings(binding: &Binding) -> Vec<(Binding, &'static str)> {
    let mut others = vec![
        (Binding { xid: Xid::from_bytes([0xee; 32]), ..binding.clone() }, "it is taken in another run"),
        (
            Binding { agreement: Some(Digest::of(b"another")), ..binding.clone() },
            "it is taken under another agreement",
        ),
        (Binding { giver: binding.giver.other(), ..binding.clone() }, "it is taken in the other direction"),
        (Binding { owner: Digest::of(b"another"), ..binding.clone() }, "it is taken from another owner"),
    ];
    others.extend(other_leaf(binding).map(|binding| (binding, "it is taken for another leaf")));
    others
}

fn other_leaf(binding: &Binding) -> Option<Binding> {
    let mut segments = binding.leaf.segments().to_vec();
    let last = segments.last_mut()?;
    *last = if *last == 0 { 1 } else { 0 };
    Some(Binding { leaf: LeafPath::new(&segments).ok()?, ..binding.clone() })
}
