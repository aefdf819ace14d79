//! The closed lists of access control: who, what, under which grade and view.

use serde::{Deserialize, Serialize};

use crate::{crypto::digest::Digest, crypto::signature::Kid, deal::DealId, party::PartyView};

/// Who wants to act.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Subject {
    /// The person at the trusted window.
    User,
    /// A commerce service running in a deal.
    Service {
        /// What is believed of it.
        grade: Grade,
        /// The deal it runs in.
        deal: DealId,
    },
    /// The untrusted program on top, which handed a deal over.
    BusinessApp {
        /// The deal it handed over.
        deal: DealId,
    },
    /// The other party of a deal.
    Peer {
        /// The deal it is a party of.
        deal: DealId,
    },
    /// A shop's own programs, by the key of its interface.
    ApiKey {
        /// The merchant it acts for.
        shop: Kid,
    },
    /// A merchant's operator, by a policy.
    Operator {
        /// The digest of the policy.
        policy: Digest,
    },
    /// A third party, bank, issuer or evaluator, by its operator's policy.
    Authority {
        /// The digest of the policy.
        policy: Digest,
    },
}

/// What is believed of a commerce service.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Grade {
    /// Nobody certified it.
    Uncertified,
    /// Its form was checked.
    Checked,
    /// Its words were reviewed.
    Reviewed,
    /// It was reviewed for repeated use.
    Approved,
}

/// How the own party shows itself in the deal.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum View {
    /// By its certified name.
    Identified,
    /// By a pseudonym.
    Pseudonymous,
    /// By a fresh key.
    Anonymous,
}

macro_rules! actions {
    ($($(#[$meta:meta])* $name:ident = $text:literal,)*) => {
        /// What somebody wants to do.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Action {
            $($(#[$meta])* $name,)*
        }

        impl Action {
            /// All actions.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in statements, logs and the journal.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

actions! {
    /// Follow an invitation to a deal.
    OpenInvite = "open-invite",
    /// Fill a form in advance.
    Prefill = "prefill",
    /// Open a deal.
    OpenDeal = "open-deal",
    /// Close a deal.
    CloseDeal = "close-deal",
    /// Open a deal below another.
    OpenSubdeal = "open-subdeal",
    /// Read where a deal stands, or the own money at a bank.
    ReadDealState = "read-deal-state",
    /// Send a form without personal data.
    SendFormPlain = "send-form-plain",
    /// Send a form with name or contact.
    SendFormContact = "send-form-contact",
    /// Send a form with an address or payment data.
    SendFormAddress = "send-form-address",
    /// Give up a pseudonym or anonymity.
    Reveal = "reveal",
    /// Sign with the key of a deal or a pseudonym.
    SignDealKey = "sign-deal-key",
    /// Sign with the key of a certified name.
    SignIdentity = "sign-identity",
    /// Authenticate in TLS.
    SignTls = "sign-tls",
    /// Pay.
    Pay = "pay",
    /// Pay before the other side is bound.
    PayBeforeContract = "pay-before-contract",
    /// Pay back.
    Refund = "refund",
    /// Move money into a purse, out of it, or between purses.
    LoadPurse = "load-purse",
    /// Receive a credential.
    ReceiveCredential = "receive-credential",
    /// Show a credential.
    ShowCredential = "show-credential",
    /// Save a delivered file outside.
    SaveFile = "save-file",
    /// Open a delivered file in another program.
    OpenFile = "open-file",
    /// Answer an offer by a rule of the terms.
    AnswerOffer = "answer-offer",
    /// Bring terms of business into the shop.
    UploadService = "upload-service",
    /// Put terms of business into force.
    ActivateService = "activate-service",
    /// Read evidence.
    ReadEvidence = "read-evidence",
    /// Export evidence.
    ExportEvidence = "export-evidence",
    /// Import evidence.
    ImportEvidence = "import-evidence",
    /// Complain, or file a dispute.
    Complain = "complain",
    /// Accept a verdict.
    AcceptVerdict = "accept-verdict",
    /// Add, raise or remove a trust anchor.
    TrustAnchor = "trust-anchor",
    /// Change a preference towards more security.
    ChangePrefUp = "change-pref-up",
    /// Change a preference towards less security.
    ChangePrefDown = "change-pref-down",
    /// Give a standing instruction.
    StandingInstruction = "standing-instruction",
    /// Attach a module.
    AttachModule = "attach-module",
    /// Make a key.
    GenerateKey = "generate-key",
    /// Destroy a key.
    DestroyKey = "destroy-key",
    /// Register with a certification authority, or renew.
    Register = "register",
    /// Revoke an own certificate.
    Revoke = "revoke",
    /// Back the archive up.
    Backup = "backup",
    /// Restore the archive.
    Restore = "restore",
    /// Sign the head of the own journal.
    KeepJournal = "keep-journal",
}

impl Grade {
    /// All grades, lowest first.
    pub const ALL: [Self; 4] = [Self::Uncertified, Self::Checked, Self::Reviewed, Self::Approved];
}

impl View {
    /// All views.
    pub const ALL: [Self; 3] = [Self::Identified, Self::Pseudonymous, Self::Anonymous];

    /// The view in which a party shows itself.
    pub fn of(party: &PartyView) -> Self {
        match party {
            PartyView::Identified { .. } => Self::Identified,
            PartyView::Pseudonymous { .. } => Self::Pseudonymous,
            PartyView::Anonymous { .. } => Self::Anonymous,
        }
    }
}
