//! Grades of the three properties, the classes that follow from them, and the rule of composition.

use semper_supporting::{crypto::digest::Digest, time::Moment};
use serde::{Deserialize, Serialize};

use super::Side;
use crate::package::LeafPath;

/// Whether, and by what means, a third party can make a transfer happen.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GenGrade {
    /// It cannot.
    #[default]
    None,
    /// It can open a seal nobody has checked; that may fail, and then it holds proof of who sealed wrongly.
    Sealed,
    /// It can open a seal that was opened and compared before.
    Certified,
    /// It can attest the statement in its owner's name.
    Affidavit,
    /// It can capture money that is held.
    Hold,
}

/// Whether a third party can find out if a transfer happened.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerGrade {
    /// It cannot.
    #[default]
    None,
    /// Only if the item is sent again through it.
    Deposit,
    /// It can ask the authority, and make it refuse the transfer for good if it has not happened.
    Final,
}

/// Whether a third party can undo a transfer.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevGrade {
    /// It cannot.
    #[default]
    None,
    /// The authority undoes it on its order.
    Undo,
}

/// A grade, and what it rests on.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Grade<G> {
    /// The grade.
    pub grade: G,
    /// Until when it holds; for ever if absent.
    pub until: Option<Moment>,
    /// The certificate of the authority it rests on: SHA-256 of its DER.
    pub authority: Option<Digest>,
}

/// What one mechanism offers for one leaf.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Props {
    /// The mechanism: `statement/affidavit`, `data/sealed`, `pay/direct`, …
    #[serde(rename = "mech")]
    pub mechanism: String,
    /// Whether a third party can make it happen.
    #[serde(rename = "gen")]
    pub generatable: Grade<GenGrade>,
    /// Whether a third party can find out that it happened.
    #[serde(rename = "ver")]
    pub verifiable: Grade<VerGrade>,
    /// Whether a third party can undo it.
    #[serde(rename = "rev")]
    pub revocable: Grade<RevGrade>,
}

/// What a leaf is used as in one run.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// F: a third party can surely make it happen.
    Forward,
    /// B: a third party can find out whether it happened, stop it, and undo it.
    Backward,
    /// V: a third party can find out whether it happened, and stop it, but not undo it.
    Pivot,
    /// S: a third party can make it happen unless its owner sealed wrongly.
    Sealed,
    /// D: a third party knows of it only if it passes through it.
    Deposit,
    /// N: a third party can do nothing about it.
    None,
}

/// A class a leaf is used as, and what that rests on, as an offer states it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Reliance {
    /// The class.
    pub class: Class,
    /// The mechanism behind it.
    #[serde(rename = "mech")]
    pub mechanism: String,
    /// The authority it rests on, if it rests on one.
    pub authority: Option<Digest>,
    /// Until when it holds; for ever if absent.
    pub until: Option<Moment>,
}

impl<G> Grade<G> {
    /// A grade that rests on nobody else and holds for ever.
    pub const fn lasting(grade: G) -> Self {
        Self { grade, until: None, authority: None }
    }

    fn lasts(&self, until: Moment) -> bool {
        self.until.is_none_or(|end| end >= until)
    }
}

impl Props {
    /// The classes the leaf can be used as by an exchange that relies on it until `until`, best first.
    pub fn reliances(&self, until: Moment) -> Vec<Reliance> {
        let (generatable, verifiable, revocable) = (self.generatable, self.verifiable, self.revocable);
        let can_make = generatable.lasts(until);
        let can_see = verifiable.lasts(until);
        let is_final = can_see && verifiable.grade == VerGrade::Final;
        let mut found = Vec::new();
        if can_make && generatable.grade >= GenGrade::Certified {
            found.push(self.reliance(Class::Forward, generatable.authority, generatable.until));
        }
        if is_final && revocable.grade == RevGrade::Undo && revocable.lasts(until) {
            let end = [verifiable.until, revocable.until].into_iter().flatten().min();
            found.push(self.reliance(Class::Backward, verifiable.authority, end));
        }
        if is_final {
            found.push(self.reliance(Class::Pivot, verifiable.authority, verifiable.until));
        }
        if can_make && generatable.grade == GenGrade::Sealed {
            found.push(self.reliance(Class::Sealed, generatable.authority, generatable.until));
        }
        if can_see && verifiable.grade >= VerGrade::Deposit {
            found.push(self.reliance(Class::Deposit, verifiable.authority, verifiable.until));
        }
        found.push(self.reliance(Class::None, None, None));
        found
    }

    fn reliance(&self, class: Class, authority: Option<Digest>, until: Option<Moment>) -> Reliance {
        Reliance { class, mechanism: self.mechanism.clone(), authority, until }
    }
}

/// Why a fair exchange without deadlines is impossible between two packages.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum NotAdmissible {
    /// Two transfers that can neither be undone nor made.
    #[error("more than one transfer can be neither undone nor made by the third party")]
    TwoPivots,
    /// A transfer the third party can do nothing about in time.
    #[error("the third party can do nothing about one of the transfers")]
    Weak,
    /// A sealed item against one that can be neither made nor undone.
    #[error("an item whose seal nobody has checked stands against one that cannot be undone")]
    SealedAgainstPivot,
}

/// Checks the composition rule over the classes both sides' leaves are used as.
///
/// # Errors
/// [`NotAdmissible`] naming the rule that is broken.
pub fn admissible(originator: &[Class], responder: &[Class]) -> Result<(), NotAdmissible> {
    let all = || originator.iter().chain(responder);
    if all().any(|class| matches!(class, Class::Deposit | Class::None)) {
        return Err(NotAdmissible::Weak);
    }
    if all().filter(|class| **class == Class::Pivot).count() > 1 {
        return Err(NotAdmissible::TwoPivots);
    }
    let can_be_mended = |side: &[Class]| side.iter().all(|c| matches!(c, Class::Forward | Class::Backward));
    let sealed = |side: &[Class]| side.contains(&Class::Sealed);
    if (sealed(originator) && !can_be_mended(responder)) || (sealed(responder) && !can_be_mended(originator))
    {
        return Err(NotAdmissible::SealedAgainstPivot);
    }
    Ok(())
}

/// The order in which the leaves of both sides move: what can be undone, the pivot, what can be made. Within
/// a class the originator's leaves come first, each side's in the order of its package.
pub fn delivery_order(
    originator: &[(LeafPath, Class)],
    responder: &[(LeafPath, Class)],
) -> Vec<(Side, LeafPath)> {
    let side = |side, leaves: &[(LeafPath, Class)]| -> Vec<(u8, Side, LeafPath)> {
        leaves.iter().map(|(path, class)| (turn(*class), side, path.clone())).collect()
    };
    let mut all = side(Side::Originator, originator);
    all.extend(side(Side::Responder, responder));
    all.sort();
    all.into_iter().map(|(_, side, path)| (side, path)).collect()
}

fn turn(class: Class) -> u8 {
    match class {
        Class::Backward => 0,
        Class::Pivot => 1,
        Class::Forward | Class::Sealed => 2,
        Class::Deposit | Class::None => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_seconds(1_772_359_200);
    const LATER: Moment = Moment::from_seconds(1_772_445_600);

    fn payment(rev: RevGrade, until: Moment) -> Props {
        let until = Some(until);
        Props {
            mechanism: "pay/direct".into(),
            generatable: Grade::default(),
            verifiable: Grade { grade: VerGrade::Final, until: None, authority: Some(Digest::of(b"bank")) },
            revocable: Grade { grade: rev, until, authority: Some(Digest::of(b"bank")) },
        }
    }

    fn classes(props: &Props) -> Vec<Class> {
        props.reliances(NOW).into_iter().map(|reliance| reliance.class).collect()
    }

    #[test]
    fn a_leaf_may_be_used_as_anything_its_grades_allow_best_first() {
        use Class::{Backward, Deposit, Forward, None, Pivot, Sealed};
        let refundable = payment(RevGrade::Undo, LATER);
        assert_eq!(classes(&refundable), [Backward, Pivot, Deposit, None]);
        assert_eq!(classes(&payment(RevGrade::None, LATER)), [Pivot, Deposit, None]);
        let affidavit = Props {
            mechanism: "statement/affidavit".into(),
            generatable: Grade::lasting(GenGrade::Affidavit),
            verifiable: Grade::default(),
            revocable: Grade::default(),
        };
        assert_eq!(classes(&affidavit), [Forward, None]);
        let sealed = Props { generatable: Grade::lasting(GenGrade::Sealed), ..affidavit };
        assert_eq!(classes(&sealed), [Sealed, None]);
    }

    #[test]
    fn a_grade_that_ends_too_early_is_not_relied_on() {
        let ends = payment(RevGrade::Undo, NOW);
        assert_eq!(classes(&ends).first(), Some(&Class::Backward));
        let ended = payment(RevGrade::Undo, NOW.before(semper_supporting::time::Span::seconds(1)));
        assert_eq!(classes(&ended).first(), Some(&Class::Pivot));
        assert_eq!(ends.reliances(NOW).first().and_then(|reliance| reliance.until), Some(NOW));
    }

    #[test]
    fn the_rule_of_composition_names_what_is_wrong() {
        use Class::{Backward, Deposit, Forward, Pivot, Sealed};
        assert_eq!(admissible(&[Forward], &[Pivot]), Ok(()));
        assert_eq!(admissible(&[Sealed], &[Backward, Forward]), Ok(()));
        assert_eq!(admissible(&[Forward], &[Backward, Pivot]), Ok(()));
        assert_eq!(admissible(&[Sealed], &[Pivot]), Err(NotAdmissible::SealedAgainstPivot));
        assert_eq!(admissible(&[Pivot], &[Sealed]), Err(NotAdmissible::SealedAgainstPivot));
        assert_eq!(admissible(&[Sealed], &[Sealed]), Err(NotAdmissible::SealedAgainstPivot));
        assert_eq!(admissible(&[Pivot], &[Pivot]), Err(NotAdmissible::TwoPivots));
        assert_eq!(admissible(&[Forward], &[Deposit]), Err(NotAdmissible::Weak));
    }

    const ALL: [Class; 6] =
        [Class::Forward, Class::Backward, Class::Pivot, Class::Sealed, Class::Deposit, Class::None];

    /// Every side of up to three leaves.
    fn sides() -> Vec<Vec<Class>> {
        let mut sides = vec![Vec::new()];
        for _ in 0..3 {
            let longer = sides.iter().flat_map(|side: &Vec<Class>| {
                ALL.map(|class| side.iter().copied().chain([class]).collect::<Vec<_>>())
            });
            sides = [Vec::new()].into_iter().chain(longer).collect();
        }
        sides
    }

    fn leaves(classes: &[Class]) -> Vec<(LeafPath, Class)> {
        (0..).zip(classes).map(|(at, class)| (LeafPath::new(&[at]).unwrap(), *class)).collect()
    }

    /// At every moment of an admissible exchange the third party can go on or back: before the pivot all that
    /// moved can be undone, after it all that has not moved can be made.
    #[test]
    fn what_cannot_be_undone_moves_only_when_the_rest_can_be_made() {
        let mut admitted = 0;
        for ours in sides() {
            for theirs in sides().iter().filter(|theirs| admissible(&ours, theirs).is_ok()) {
                let class = |(side, path): &(Side, LeafPath)| {
                    let leaves = leaves(if *side == Side::Originator { &ours } else { theirs });
                    leaves.into_iter().find(|(at, _)| at == path).map(|(_, class)| class).unwrap()
                };
                let order: Vec<Class> =
                    delivery_order(&leaves(&ours), &leaves(theirs)).iter().map(class).collect();
                assert_eq!(order.len(), ours.len() + theirs.len());
                for at in 0..order.len() {
                    let back = order[..at].iter().all(|class| *class == Class::Backward);
                    let on = order[at..].iter().all(|c| matches!(c, Class::Forward | Class::Sealed));
                    assert!(back || on, "{order:?} at {at}");
                }
                admitted += 1;
            }
        }
        assert!(admitted > 100, "{admitted}");
    }

    #[test]
    fn the_rule_is_the_same_from_both_sides() {
        for ours in sides() {
            for theirs in sides() {
                assert_eq!(admissible(&ours, &theirs), admissible(&theirs, &ours));
            }
        }
    }
}
