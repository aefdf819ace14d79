//! A transfer of ours: what we sign, and the message it moves in.

use std::collections::BTreeMap;

use semper_exchange::{
    deadlines::Deadlines,
    message::{Draft, xfer},
    transfers_only::{PROTO, Sender},
    xid::{Nonce, Origin},
};
use semper_supporting::{crypto::digest::Digest, evidence::SignedBytes, party::Role, time::Moment};
use semper_transfer::{
    package::LeafPath,
    statement::{InDeal, ItemType, Lines, Salt},
};

use super::{Ordering, Ours, cell_name, form_moving};
use crate::{
    runner::{Attempt, Terms},
    sale::{
        Agreed, Input, SaleFault, Taken, fresh, fresh16,
        line::{Destination, Line},
    },
    service::{
        form::FormValues,
        statechart::{Item, Over, Until},
    },
};

impl Ordering {
    /// What a statement of ours says.
    pub(super) fn lines(
        &self,
        terms: &Terms,
        (leaf, item): (&str, &Item),
        forms: &[FormValues],
        at: Moment,
        input: &Input,
    ) -> Result<Lines, SaleFault> {
        let Item::Signature { over, binds, until, .. } = item else { return Err(SaleFault::OutOfPlace) };
        let (mut roots, mut items) = (Vec::new(), Vec::new());
        for one in over {
            match one {
                Over::Form(name) => {
                    let filled = forms.iter().find(|form| form.name() == name).or(self.monitor.form(name));
                    roots.push(filled.ok_or(SaleFault::OutOfPlace)?.root());
                }
                Over::Item(name) => {
                    items.push(self.monitor.configuration().item(name).ok_or(SaleFault::OutOfPlace)?);
                }
            }
        }
        let until = match until {
            None => None,
            Some(Until::After(span)) => Some(at.after(span.span())),
            Some(Until::At(_)) => {
                Some(self.monitor.signature_until(terms, leaf, forms).ok_or(SaleFault::OutOfPlace)?)
            }
        };
        Ok(Lines {
            in_deal: InDeal {
                deal: Some(self.context.id),
                terms_sha256: Some(self.names.terms_sha256),
                conf: Some(self.monitor.configuration().conf()),
                seq: self.said + 1,
                at,
                signer: self.me.key.kid(),
                cert: self.me.certificate,
                salt: Some(Salt::from_bytes(fresh16("statement", &input.chance))),
            },
            item: leaf.to_owned(),
            form_sha256: roots,
            over: items,
            binds: *binds,
            until,
            text_sha256: None,
            locale: None,
            facts_profile: None,
        })
    }

    /// MESSAGE of a move of ours, after our own checks.
    pub(super) fn letter(
        &mut self,
        agreed: &Agreed,
        line: &mut Line,
        (name, forms, statement): (&str, Vec<FormValues>, Option<&SignedBytes>),
        at: Moment,
        input: &Input,
    ) -> Taken {
        let terms = &agreed.terms;
        let (leaf, item) = self.only_item(terms, name)?;
        let one = terms.chart().moves.get(name).ok_or(SaleFault::OutOfPlace)?;
        let files: Vec<Vec<u8>> = forms.iter().map(|form| form.file().into_bytes()).collect();
        let (moving, described) = match statement {
            Some(signed) => self.statement(signed, true)?,
            None => form_moving(item, &forms)?,
        };
        let conf = self.monitor.configuration().conf();
        let attempt = Attempt {
            name: name.to_owned(),
            by: self.mine().to_owned(),
            conf,
            at,
            signer: self.me.key.kid(),
            forms,
            items: [(leaf.to_owned(), moving)].into(),
        };
        let admitted = self.monitor.propose(terms, &attempt, &agreed.proofs, input.at)?;
        let nonce = Nonce::from_bytes(fresh("transfer", &input.chance));
        let origin = Origin {
            deal: self.context.id,
            proto: PROTO,
            nonce_o: nonce,
            nonce_r: None,
            cert_o: self.me.certificate,
            cert_r: self.peer.certificate,
            cert_t: None,
        };
        let run = self.run(origin.xid(), true);
        let common =
            run.common(Role::Originator, Role::Responder, None, None, at).ok_or(SaleFault::OutOfPlace)?;
        let message = xfer::Message {
            common,
            cell: Some(cell_name(one)),
            step: Some(name.to_owned()),
            conf: Some(conf),
            terms: Some(self.names.statement_sha256),
            leaf: BTreeMap::from([(LeafPath::first(), described.0)]),
            content: BTreeMap::from([(LeafPath::first(), described.1)]),
            via: None,
            sec: xfer::Security {
                confidentiality: self.context.attributes.confidentiality,
                receipt: self.receipts,
            },
        };
        let sender = Sender::new(run, &message, Deadlines::INTERACTIVE)?;
        let mut beside: Vec<Digest> = statement.map(SignedBytes::digest).into_iter().collect();
        beside.extend(files.iter().map(|file| line.put(file)));
        self.ours =
            Some(Ours::Sending { admitted: Box::new(admitted), sender: Box::new(sender), beside, at });
        Ok(line.sign(Draft::of(&message)?, Destination::Letter))
    }
}

/// The draft of a statement item.
pub(super) fn draft_of(kind: ItemType, lines: Lines) -> Result<Draft, SaleFault> {
    use semper_transfer::statement as item;
    Ok(match kind {
        ItemType::Accepted => Draft::of(&item::Accepted(lines)),
        ItemType::Confirmation => Draft::of(&item::Confirmation(lines)),
        ItemType::Contract => Draft::of(&item::Contract(lines)),
        ItemType::Dispatch => Draft::of(&item::Dispatch(lines)),
        ItemType::Notice => Draft::of(&item::Notice(lines)),
        ItemType::Offer => Draft::of(&item::Offer(lines)),
        ItemType::Order => Draft::of(&item::Order(lines)),
        ItemType::Receipt => Draft::of(&item::Receipt(lines)),
        ItemType::Refusal => Draft::of(&item::Refusal(lines)),
        ItemType::Other => Draft::of(&item::Other(lines)),
    }?)
}
