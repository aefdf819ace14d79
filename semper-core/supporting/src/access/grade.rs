//! What a commerce service may do, by what is believed of it.

use super::{
    Circumstance, Denied, Facts, FileKind, Limits,
    action::{Action, Grade},
};
use crate::money::{Currency, Money};

/// What the grade of a service decides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ruling {
    Yes,
    Ask,
    No(Denied),
}

/// The most real money that an uncertified service may ever ask for, whatever the preference says: EUR 10.
const UNCERTIFIED_MOST: u64 = 1000;
/// The most that a service of grade 1 may ask for in one deal: EUR 50.
const CHECKED_MOST: u64 = 5000;

/// Rules on an action whose cell says that the grade decides.
pub(super) fn rule(action: Action, grade: Grade, facts: &Facts<'_>, limits: &Limits<'_>) -> Ruling {
    let no = Ruling::No(Denied::Grade { action, grade });
    let by_grade = |rulings: [Ruling; 4]| {
        let [uncertified, checked, reviewed, approved] = rulings;
        match grade {
            Grade::Uncertified => uncertified,
            Grade::Checked => checked,
            Grade::Reviewed => reviewed,
            Grade::Approved => approved,
        }
    };
    let shown = if facts.is(Circumstance::FormShown) { Ruling::Yes } else { Ruling::Ask };
    let declared = |then: Ruling| if facts.is(Circumstance::Declared) { then } else { no };
    match action {
        Action::SendFormPlain => by_grade([Ruling::Ask, Ruling::Ask, shown, shown]),
        Action::SendFormContact | Action::SendFormAddress => {
            by_grade([no, Ruling::Ask, Ruling::Ask, Ruling::Ask])
        }
        Action::SignDealKey => Ruling::Ask,
        Action::SignIdentity | Action::OpenSubdeal | Action::ShowCredential => {
            by_grade([no, Ruling::Ask, Ruling::Ask, Ruling::Ask])
        }
        Action::PayBeforeContract => {
            let within = pay(grade, facts, limits, no);
            by_grade([no, no, within, within])
        }
        Action::Pay => pay(grade, facts, limits, no),
        Action::ReceiveCredential => Ruling::Yes,
        Action::OpenFile => {
            let harmless = match facts.file {
                Some(FileKind::Text | FileKind::Png | FileKind::Jpeg) => Ruling::Ask,
                Some(FileKind::Other) | None => no,
            };
            by_grade([no, harmless, declared(Ruling::Ask), declared(Ruling::Ask)])
        }
        // The grade decides none of these: their cells never ask for it.
        Action::OpenInvite
        | Action::Prefill
        | Action::OpenDeal
        | Action::CloseDeal
        | Action::ReadDealState
        | Action::Reveal
        | Action::SignTls
        | Action::Refund
        | Action::LoadPurse
        | Action::SaveFile
        | Action::AnswerOffer
        | Action::UploadService
        | Action::ActivateService
        | Action::ReadEvidence
        | Action::ExportEvidence
        | Action::ImportEvidence
        | Action::Complain
        | Action::AcceptVerdict
        | Action::TrustAnchor
        | Action::ChangePrefUp
        | Action::ChangePrefDown
        | Action::StandingInstruction
        | Action::AttachModule
        | Action::GenerateKey
        | Action::DestroyKey
        | Action::Register
        | Action::Revoke
        | Action::Backup
        | Action::Restore
        | Action::KeepJournal => no,
    }
}

/// Whether a service of `grade` may ask for the amount, on top of what the deal has cost already.
fn pay(grade: Grade, facts: &Facts<'_>, limits: &Limits<'_>, no: Ruling) -> Ruling {
    let Some(total) = facts.amount.and_then(|amount| limits.deal_total(amount)) else { return no };
    let allowed = match grade {
        Grade::Uncertified => {
            let most = limits.uncertified_real.map_or(0, |most| in_euro(most).unwrap_or(0));
            total.currency.is_play()
                || (total.currency == Currency::EUR && total.minor() <= most.min(UNCERTIFIED_MOST))
        }
        Grade::Checked => in_euro(total).is_some_and(|minor| minor <= CHECKED_MOST),
        Grade::Reviewed | Grade::Approved => limits.scope.is_some_and(|scope| total <= scope),
    };
    if allowed { Ruling::Ask } else { no }
}

/// Minor units of euro; play money counts one to one, other currencies have no rate here.
fn in_euro(money: Money) -> Option<u64> {
    (money.currency == Currency::EUR || money.currency.is_play()).then(|| money.minor())
}
