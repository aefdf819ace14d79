//! A transfer of the other side: read, held against the terms, kept and receipted.

use std::collections::BTreeMap;

use semper_exchange::message::{Draft, xfer};
use semper_supporting::{
    crypto::digest::Digest,
    evidence::{SignedBytes, Verified},
    party::Role,
};
use semper_transfer::package::LeafPath;

use super::{Ordering, cell_name, form_moving};
use crate::{
    runner::{Answer, Attempt, Terms},
    sale::{
        Agreed, Input, Output, SaleFault,
        line::{Destination, Line, verified},
        message::Beside,
    },
    service::{
        form::FormValues,
        statechart::{Content, Item, Over},
    },
};

impl Ordering {
    pub(super) fn message(
        &mut self,
        agreed: &Agreed,
        line: &mut Line,
        (signed, beside): (SignedBytes, &[Beside]),
        input: &Input,
    ) -> Result<(Vec<Output>, bool), SaleFault> {
        let message: Verified<xfer::Message> = verified(signed, &self.peer.key)?;
        let (attempt, leaf) = self.attempt(&agreed.terms, agreed, &message, beside)?;
        let run = self.run(message.common.xid.ok_or(SaleFault::OutOfPlace)?, false);
        let first = LeafPath::first();
        let ours = run.is_of(&message.common, Role::Originator, Role::Responder, None)
            && message.terms == Some(self.names.statement_sha256)
            && message.leaf == BTreeMap::from([(first.clone(), leaf.0)])
            && message.content == BTreeMap::from([(first, leaf.1)])
            && message.sec.receipt == self.receipts;
        if !ours {
            return Err(SaleFault::OutOfPlace);
        }
        let admitted = match self.monitor.admit(&agreed.terms, &attempt, &agreed.proofs, input.at)? {
            Answer::Admitted(admitted) => admitted,
            // Ours stands: what crossed with it is void, and nobody did wrong.
            Answer::Crossed => return Ok((vec![Output::Keep(message.bytes().clone())], false)),
        };
        if admitted.voids.is_some() {
            self.ours = None;
        }
        let mut outputs = vec![Output::Keep(message.bytes().clone())];
        outputs.extend(beside.iter().filter_map(|one| match one {
            Beside::Statement(signed) => Some(Output::Keep(signed.clone())),
            Beside::Blob(_) => None,
        }));
        if self.receipts {
            let digest = message.digest();
            let common = run
                .common(Role::Responder, Role::Originator, None, Some(digest), input.at)
                .ok_or(SaleFault::OutOfPlace)?;
            let close = Draft::of(&xfer::Close { common, received: true, message: digest })?;
            outputs.extend(line.sign(close, Destination::Exchange(Vec::new())));
        }
        self.done(agreed, line, *admitted, message.common.at)?;
        Ok((outputs, true))
    }

    /// What MESSAGE tries, with the digests that its one leaf must have.
    pub(super) fn attempt(
        &self,
        terms: &Terms,
        agreed: &Agreed,
        message: &Verified<xfer::Message>,
        beside: &[Beside],
    ) -> Result<(Attempt, (Digest, Digest)), SaleFault> {
        let name = message.step.clone().ok_or(SaleFault::OutOfPlace)?;
        let one = terms.chart().moves.get(&name).ok_or(SaleFault::OutOfPlace)?;
        if message.cell.as_deref() != Some(&cell_name(one)) {
            return Err(SaleFault::OutOfPlace);
        }
        let (leaf, item) = self.only_item(terms, &name)?;
        let mut files = beside.iter().filter_map(|one| match one {
            Beside::Blob(bytes) => Some(bytes.0.as_slice()),
            Beside::Statement(_) => None,
        });
        let mut forms = Vec::new();
        for form in bound_forms(item) {
            // A form that the sender has nothing to fill in of does not come again.
            let Some(file) = files.next() else { break };
            forms.push(self.read_form(agreed, form, file)?);
        }
        if files.next().is_some() {
            return Err(SaleFault::OutOfPlace);
        }
        let statements: Vec<&SignedBytes> = beside
            .iter()
            .filter_map(|one| match one {
                Beside::Statement(signed) => Some(signed),
                Beside::Blob(_) => None,
            })
            .collect();
        let (moving, described) = match (item, statements.as_slice()) {
            (Item::Signature { .. }, [signed]) => self.statement(signed, false)?,
            (Item::Information { .. }, []) => form_moving(item, &forms)?,
            _ => return Err(SaleFault::OutOfPlace),
        };
        let attempt = Attempt {
            name,
            by: self.monitor.other(terms).to_owned(),
            conf: message.conf.ok_or(SaleFault::OutOfPlace)?,
            at: message.common.at,
            signer: message.signer(),
            forms,
            items: [(leaf.to_owned(), moving)].into(),
        };
        Ok((attempt, described))
    }

    /// A form as it came: the version that continues ours, or the next one where the sender filled it in anew.
    pub(super) fn read_form(
        &self,
        agreed: &Agreed,
        name: &str,
        file: &[u8],
    ) -> Result<FormValues, SaleFault> {
        let form = agreed.terms.form(name).ok_or(SaleFault::OutOfPlace)?;
        let ours = self.monitor.form(name);
        let version = ours.map_or(1, FormValues::version);
        let read = |version| FormValues::read((name, version), form, file, &agreed.proofs);
        let theirs = read(version)?;
        let continues =
            ours.is_none_or(|ours| ours.iter().all(|(field, value)| theirs.get(field) == Some(value)));
        if continues { Ok(theirs) } else { Ok(read(version.saturating_add(1))?) }
    }
}

/// The forms that an item binds, in the order of the terms.
fn bound_forms(item: &Item) -> Vec<&str> {
    match item {
        Item::Information { content: Content::Carries(form), .. } => vec![form],
        Item::Signature { over, .. } => over
            .iter()
            .filter_map(|over| match over {
                Over::Form(form) => Some(form.as_str()),
                Over::Item(_) => None,
            })
            .collect(),
        Item::Information { content: Content::Matches(_), .. } | Item::Money { .. } => Vec::new(),
    }
}
