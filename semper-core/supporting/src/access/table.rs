//! The table: one row for each action, one column for each subject.
//!
//! No row and no column is missing and there is no default: a new action or subject does not compile until
//! every cell has a decision.

use super::action::{Action, Subject};
use crate::tinguin::Critical;

/// What the table says for one subject and one action.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cell {
    /// Never.
    No,
    /// Without asking.
    Yes,
    /// Without asking, if the condition holds; else never.
    YesIf(Need),
    /// Without asking, if the condition holds; else a person is asked.
    YesOrAsk(Need),
    /// A person is asked.
    Ask,
    /// A person is asked, if the condition holds; else never.
    AskIf(Need),
    /// By the grade of the service.
    Graded,
}

/// A condition of a cell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Need {
    /// It concerns the subject's own deal or shop.
    Own,
    /// As [`Need::Own`], and only texts that anybody may read.
    OwnPublic,
    /// A refund of at most what was paid, in the subject's own deal.
    WithinPaid,
    /// A key of the subject's own deal.
    DealKey,
    /// A key of a deal, or the first start of the program.
    DealKeyOrFirstStart,
    /// The first start of the program.
    FirstStart,
    /// The terms make this move by themselves, in the subject's own deal.
    Automatic,
}

/// The cell of `subject` and `action`.
pub(super) fn cell(subject: &Subject, action: Action) -> Cell {
    let [user, service, app, peer, key, operator, authority] = row(action);
    match subject {
        Subject::User => user,
        Subject::Service { .. } => service,
        Subject::BusinessApp { .. } => app,
        Subject::Peer { .. } => peer,
        Subject::ApiKey { .. } => key,
        Subject::Operator { .. } => operator,
        Subject::Authority { .. } => authority,
    }
}

/// The row of `action`: user, service, business application, peer, key of a shop's interface, operator,
/// authority.
fn row(action: Action) -> [Cell; 7] {
    use Cell::{Ask, AskIf, Graded, No, Yes, YesIf, YesOrAsk};
    use Need::{Automatic, DealKey, DealKeyOrFirstStart, FirstStart, Own, OwnPublic, WithinPaid};
    match action {
        Action::OpenInvite => [Yes, No, Ask, No, No, No, No],
        Action::Prefill => [Yes, No, YesIf(Own), No, YesIf(Own), No, No],
        Action::OpenDeal => [Ask, No, No, No, No, No, No],
        Action::CloseDeal => [Yes, YesIf(Own), No, YesIf(Own), No, Yes, No],
        Action::OpenSubdeal => [Ask, Graded, No, No, No, No, No],
        Action::ReadDealState => [Yes, YesIf(Own), YesIf(OwnPublic), No, YesIf(Own), Yes, No],
        Action::SendFormPlain => [Ask, Graded, No, No, No, No, No],
        Action::SendFormContact => [Ask, Graded, No, No, No, No, No],
        Action::SendFormAddress => [Ask, Graded, No, No, No, No, No],
        Action::Reveal => [Ask, No, No, No, No, No, No],
        Action::SignDealKey => [Ask, Graded, No, No, No, Yes, No],
        Action::SignIdentity => [Ask, Graded, No, No, No, Yes, Yes],
        Action::SignTls => [Yes, Yes, No, No, No, Yes, Yes],
        Action::Pay => [Ask, Graded, No, No, No, No, No],
        Action::PayBeforeContract => [Ask, Graded, No, No, No, No, No],
        Action::Refund => [No, YesIf(WithinPaid), No, No, YesIf(Own), Yes, Yes],
        Action::LoadPurse => [Ask, No, No, No, No, No, No],
        Action::ReceiveCredential => [Ask, Graded, No, No, No, No, No],
        Action::ShowCredential => [Ask, Graded, No, No, No, No, No],
        Action::SaveFile => [Ask, Ask, AskIf(Own), No, YesIf(Own), Yes, No],
        Action::OpenFile => [Ask, Graded, No, No, No, No, No],
        Action::AnswerOffer => [No, YesIf(Automatic), No, No, YesIf(Own), Yes, No],
        Action::UploadService => [No, No, No, No, YesIf(Own), Yes, No],
        Action::ActivateService => [No, No, No, No, No, Ask, No],
        Action::ReadEvidence => [Yes, No, No, No, YesIf(Own), Yes, Yes],
        Action::ExportEvidence => [Ask, No, No, No, YesIf(Own), Yes, Yes],
        Action::ImportEvidence => [Ask, No, No, No, No, Ask, Ask],
        Action::Complain => [Ask, No, No, YesIf(Own), No, Ask, No],
        Action::AcceptVerdict => [Ask, No, No, No, No, Ask, No],
        Action::TrustAnchor => [Ask, No, No, No, No, Ask, Ask],
        Action::ChangePrefUp => [Yes, No, No, No, No, Yes, Yes],
        Action::ChangePrefDown => [Ask, No, No, No, No, Ask, Ask],
        Action::StandingInstruction => [Ask, No, No, No, No, No, No],
        Action::AttachModule => [Ask, No, No, No, No, Ask, Ask],
        Action::GenerateKey => {
            let daemon = YesOrAsk(FirstStart);
            [YesOrAsk(DealKeyOrFirstStart), YesIf(DealKey), No, No, No, daemon, daemon]
        }
        Action::DestroyKey => [Ask, YesIf(DealKey), No, No, No, Ask, Ask],
        Action::Register => [Ask, No, No, No, No, YesOrAsk(FirstStart), YesOrAsk(FirstStart)],
        Action::Revoke => [Ask, No, No, No, No, Ask, Ask],
        Action::Backup => [Ask, No, No, No, No, Ask, Ask],
        Action::Restore => [Ask, No, No, No, No, Ask, Ask],
        Action::KeepJournal => [Yes, No, No, No, No, Yes, Yes],
    }
}

/// The family of the prompt in which a person is asked about `action`.
pub(super) fn family(action: Action) -> Critical {
    match action {
        Action::OpenInvite
        | Action::OpenDeal
        | Action::CloseDeal
        | Action::OpenSubdeal
        | Action::SignDealKey
        | Action::SignIdentity
        | Action::SignTls
        | Action::AnswerOffer
        | Action::AcceptVerdict
        | Action::Register => Critical::Sign,
        Action::Pay | Action::PayBeforeContract | Action::Refund => Critical::Pay,
        Action::LoadPurse => Critical::PurseMove,
        Action::Prefill
        | Action::SendFormPlain
        | Action::SendFormContact
        | Action::SendFormAddress
        | Action::Reveal
        | Action::ReceiveCredential
        | Action::ShowCredential => Critical::Disclose,
        Action::UploadService | Action::ActivateService | Action::AttachModule => Critical::Install,
        Action::TrustAnchor => Critical::Trust,
        Action::Complain => Critical::Dispute,
        Action::StandingInstruction => Critical::Allow,
        Action::DestroyKey | Action::Revoke => Critical::Revoke,
        Action::ReadDealState
        | Action::SaveFile
        | Action::OpenFile
        | Action::ReadEvidence
        | Action::ExportEvidence
        | Action::ImportEvidence
        | Action::Backup => Critical::Release,
        Action::ChangePrefUp
        | Action::ChangePrefDown
        | Action::GenerateKey
        | Action::Restore
        | Action::KeepJournal => Critical::Setting,
    }
}
