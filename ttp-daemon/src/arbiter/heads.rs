//! What everybody may know of the journal: signed heads, the lines between them, and where a statement stands.
//!
//! A head is signed each hour in which something was done, after every [`EVERY`](head::EVERY) lines, and whenever
//! somebody asks for the newest. For one length of the journal at most one head is ever signed.

use semper_exchange::{
    heads::{Head, MOST_LINES, Place, says},
    recourse::{TtpAnswer, TtpRequest},
};
use semper_supporting::{
    archive::{
        Batch, Direction, Query, Relation, Row, RowOp, Store, StoreError, Value, head,
        journal::{self, Line},
    },
    certificate::Certificate,
    crypto::{digest::Digest, signature::Signature},
    evidence::SignedBytes,
    time::{Moment, Span},
};

use super::{Arbiter, ArbiterError};

/// The longest time between a step and a head that commits to it.
const HOUR: Span = Span::hours(1);
/// About how many bytes a line has, for the rate of requests.
const LINE: usize = 256;

impl<S: Store> Arbiter<S> {
    /// Answers a question about the arbiter itself, which came from `peer`; nothing for a request about a run.
    ///
    /// # Errors
    /// [`ArbiterError`].
    pub async fn consult(
        &self,
        request: &TtpRequest,
        peer: Digest,
        now: Moment,
    ) -> Result<Option<TtpAnswer>, ArbiterError> {
        let bytes = match request {
            TtpRequest::Ask(_) => return Ok(None),
            TtpRequest::Caps => {
                let (caps, chain) = self.caps(now)?;
                return Ok(Some(TtpAnswer::Caps { caps, chain }));
            }
            TtpRequest::Head => 0,
            TtpRequest::Place { .. } => head::EVERY.try_into().unwrap_or(MOST_LINES) * LINE,
            TtpRequest::Lines { after, to } => {
                usize::try_from(to.saturating_sub(*after)).unwrap_or(MOST_LINES).min(MOST_LINES) * LINE
            }
        };
        if !self.admits(peer, bytes, now) {
            return Ok(Some(TtpAnswer::Refused("arbiter.too-often".to_owned())));
        }
        let answer = match request {
            TtpRequest::Place { index, statement } => {
                self.place(*index, *statement, now).await?.map(|place| TtpAnswer::Place(Box::new(place)))
            }
            TtpRequest::Lines { after, to } => Some(TtpAnswer::Lines(self.lines(*after, *to).await?)),
            TtpRequest::Head | TtpRequest::Caps | TtpRequest::Ask(_) => {
                let (head, chain) = self.signed_head(now).await?;
                Some(TtpAnswer::Head { head, chain })
            }
        };
        Ok(Some(answer.unwrap_or_else(|| TtpAnswer::Refused("arbiter.no-such-place".to_owned()))))
    }

    /// Signs a head if one is due; gives the place it speaks of.
    ///
    /// # Errors
    /// [`ArbiterError`].
    pub async fn publish(&self, now: Moment) -> Result<Option<journal::Head>, ArbiterError> {
        let (last, newest) = (self.head().await?, self.newest().await?);
        let (seq, at) = match &newest {
            Some(row) => (row.count("seq")?, Moment::from_seconds(row.count("at")?)),
            None => (0, Moment::default()),
        };
        if last.seq <= seq || !(head::is_due(seq, last.seq) || now >= at.after(HOUR)) {
            return Ok(None);
        }
        self.sign_head(last, now).await?;
        tracing::info!(seq = last.seq, hash = %last.hash, "journal head signed");
        Ok(Some(last))
    }

    /// The head of the journal as it stands, signed, and the chain of the arbiter's certificate.
    ///
    /// # Errors
    /// [`ArbiterError`].
    pub async fn signed_head(&self, now: Moment) -> Result<(SignedBytes, Vec<Certificate>), ArbiterError> {
        let last = self.head().await?;
        Ok((self.sign_head(last, now).await?, self.chain.clone()))
    }

    /// Where a statement stands; nothing if that line is not about it.
    async fn place(&self, index: u64, statement: Digest, now: Moment) -> Result<Option<Place>, ArbiterError> {
        let Some(row) = self.one(Query::of(journal::TABLE.name).equal("seq", Value::count(index))).await?
        else {
            return Ok(None);
        };
        let (Ok(salt), Ok(payload)) = (row.array("salt"), row.bytes("payload")) else { return Ok(None) };
        // Only who knows what was said is shown the line in which it was said.
        if !says(payload, &statement) {
            return Ok(None);
        }
        let payload = payload.to_vec();
        let after = index.saturating_sub(1);
        let most = u64::try_from(MOST_LINES).unwrap_or(u64::MAX);
        let next = Query::of(head::TABLE.name)
            .when("seq", Relation::AtLeast, Value::count(index))
            .when("seq", Relation::AtMost, Value::count(after.saturating_add(most)))
            .order("seq", Direction::Rising);
        let (head, to) = match self.one(next).await? {
            Some(row) => (stored(&row)?, row.count("seq")?),
            None => {
                let last = self.head().await?;
                let to = last.seq.min(after.saturating_add(most));
                let place = if to == last.seq { last } else { self.place_of(to).await? };
                (self.sign_head(place, now).await?, to)
            }
        };
        Ok(Some(Place { head, lines: self.lines(after, to).await?, salt, payload }))
    }

    /// The lines after one place up to another, or the first [`MOST_LINES`] of them.
    async fn lines(&self, after: u64, to: u64) -> Result<Vec<String>, StoreError> {
        let mut lines = Vec::new();
        let mut after = after;
        while lines.len() < MOST_LINES && after < to {
            let left = u32::try_from(MOST_LINES - lines.len()).unwrap_or(u32::MAX);
            let page = Query::of(journal::TABLE.name)
                .when("seq", Relation::Greater, Value::count(after))
                .when("seq", Relation::AtMost, Value::count(to))
                .order("seq", Direction::Rising)
                .limit(left);
            let rows: Vec<Row> = self.store.query(vec![page]).await?.into_iter().flatten().collect();
            let Some(last) = rows.last() else { break };
            after = last.count("seq")?;
            for row in &rows {
                lines.push(Line::from_row(row)?.to_string().trim_end().to_owned());
            }
        }
        Ok(lines)
    }

    async fn place_of(&self, seq: u64) -> Result<journal::Head, ArbiterError> {
        let row = self.one(Query::of(journal::TABLE.name).equal("seq", Value::count(seq))).await?;
        let row = row.ok_or(StoreError::Broken { seq })?;
        Ok(journal::Head { seq, hash: Digest::from_bytes(row.array("line_hash")?) })
    }

    /// The signed head for a place in the journal: the one that was signed before, if there is one.
    async fn sign_head(&self, place: journal::Head, now: Moment) -> Result<SignedBytes, ArbiterError> {
        let _turn = self.turn.lock().await;
        let before = Query::of(head::TABLE.name).equal("seq", Value::count(place.seq));
        if let Some(row) = self.one(before).await? {
            return Ok(stored(&row)?);
        }
        let head = Head {
            cert_t: self.me.certificate,
            seq: place.seq,
            hash: place.hash,
            at: now.whole_seconds(),
            signer: self.me.kid,
        };
        let signed = self.keys.attest(&self.key, &self.policy, &head, now)?;
        let row = Row::new()
            .with("seq", Value::count(place.seq))
            .with("hash", place.hash)
            .with("at", Value::seconds(head.at))
            .with("statement", signed.bytes().tbs.clone())
            .with("sig", *signed.bytes().signature.as_bytes());
        let batch = Batch::new().row(RowOp::insert(head::TABLE.name, row));
        semper_host::record::commit(&*self.store, batch).await?;
        Ok(signed.bytes().clone())
    }

    async fn newest(&self) -> Result<Option<Row>, StoreError> {
        self.one(Query::of(head::TABLE.name).order("seq", Direction::Falling)).await
    }
}

fn stored(row: &Row) -> Result<SignedBytes, StoreError> {
    Ok(SignedBytes {
        tbs: row.bytes("statement")?.to_vec(),
        signature: Signature::from_bytes(row.array("sig")?),
    })
}
