//! The rows of an arbiter: its cases, who asked, what is to be asked of banks, and what came and was made.

use semper_exchange::{
    generatable_verifiable::ThirdParty,
    message::{Draft, answer::RejectCode},
    run::Keys,
};
use semper_supporting::{
    archive::{Column, Guard, Query, Row, RowOp, StoreError, Table, Value},
    crypto::digest::Digest,
    deal::Xid,
    party::Role,
    time::Moment,
    wire::{self, STATE_LIMIT},
};
use semper_transfer::property::{Binding, Generated, Look};
use serde::{Deserialize, Serialize};

/// One row an exchange: the machine, and the keys of the certificates it speaks of.
pub(super) const CASE: Table = Table {
    name: "arbiter_case",
    columns: &[
        Column::bytes("xid"),
        Column::integer("ver"),
        Column::bytes("state"),
        Column::bytes("keys"),
        Column::integer("opened_s"),
        Column::integer("changed_s"),
    ],
    key: &["xid"],
    unique: &[],
    indexes: &[],
};

/// One row a request: who asked what and when, and what it was answered, where that belongs to it alone.
pub(super) const REQUEST: Table = Table {
    name: "arbiter_request",
    columns: &[
        Column::bytes("hash"),
        Column::bytes("xid"),
        Column::bytes("agr"),
        Column::text("role"),
        Column::text("type"),
        Column::integer("at_s"),
        Column::bytes("answer").optional(),
    ],
    key: &["hash"],
    unique: &[],
    indexes: &[&["xid", "at_s"]],
};

/// What is still to be asked of a bank, or to be taken up again; gone once it is answered.
pub(super) const ERRAND: Table = Table {
    name: "arbiter_errand",
    columns: &[
        Column::bytes("id"),
        Column::bytes("xid"),
        Column::bytes("bank").optional(),
        Column::bytes("errand"),
        Column::integer("tries"),
        Column::integer("due_ms"),
    ],
    key: &["id"],
    unique: &[],
    indexes: &[&["bank", "due_ms"]],
};

/// Escrows and sealed contents that were brought.
pub(super) const BLOB: Table = Table {
    name: "arbiter_blob",
    columns: &[Column::bytes("xid"), Column::bytes("hash"), Column::bytes("content")],
    key: &["xid", "hash"],
    unique: &[],
    indexes: &[],
};

/// What was made in an owner's stead.
pub(super) const MADE: Table = Table {
    name: "arbiter_made",
    columns: &[Column::bytes("xid"), Column::bytes("hash"), Column::bytes("made")],
    key: &["xid", "hash"],
    unique: &[],
    indexes: &[],
};

/// The escrow keys, wrapped.
pub(super) const ESCROW_KEY: Table = Table {
    name: "arbiter_escrow_key",
    columns: &[
        Column::bytes("kid"),
        Column::bytes("nonce"),
        Column::bytes("sealed"),
        Column::integer("created_s"),
    ],
    key: &["kid"],
    unique: &[],
    indexes: &[],
};

/// The tables of an arbiter.
pub const TABLES: &[Table] = &[CASE, REQUEST, ERRAND, BLOB, MADE, ESCROW_KEY];

/// The guard that fails when somebody else changed the case.
pub(crate) const CHANGED: &str = "arbiter.changed";

/// A case as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) ver: u64,
    pub(crate) third_party: ThirdParty,
    pub(crate) keys: Keys,
    pub(crate) opened: Moment,
    pub(crate) changed: Moment,
}

/// What is to be asked outside.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) enum Errand {
    /// What the bank has recorded.
    Observe(Binding, Look),
    /// That the bank undoes what happened.
    Revoke(Binding),
    /// Nothing outside: the agreement is taken up again.
    Again(Digest),
}

/// An errand that is due.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) id: Digest,
    pub(crate) xid: Xid,
    pub(crate) errand: Errand,
    pub(crate) tries: u8,
}

/// A request as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) hash: Digest,
    pub(crate) xid: Xid,
    pub(crate) agr: Digest,
    pub(crate) role: String,
    pub(crate) kind: String,
    pub(crate) at: Moment,
    pub(crate) answer: Option<Digest>,
}

pub(crate) fn case_of(xid: Xid) -> Query {
    Query::of(CASE.name).equal("xid", xid)
}

impl Stored {
    pub(crate) fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            ver: row.count("ver")?,
            third_party: decode(row.bytes("state")?)?,
            keys: decode(row.bytes("keys")?)?,
            opened: Moment::from_seconds(row.count("opened_s")?),
            changed: Moment::from_seconds(row.count("changed_s")?),
        })
    }

    /// The change to the next version, which fails if this one is not the last.
    pub(crate) fn next(
        &self,
        third_party: &ThirdParty,
        keys: &Keys,
        now: Moment,
    ) -> Result<(Guard, RowOp), StoreError> {
        let key = vec![Value::from(third_party.xid)];
        let guard = match self.ver {
            0 => Guard::absent(CHANGED, CASE.name, key),
            ver => Guard::equals(CHANGED, CASE.name, key, "ver", Value::count(ver)),
        };
        let row = Row::new()
            .with("xid", third_party.xid)
            .with("ver", Value::count(self.ver.saturating_add(1)))
            .with("state", encode(third_party)?)
            .with("keys", encode(keys)?)
            .with("opened_s", Value::seconds(self.opened))
            .with("changed_s", Value::seconds(now));
        Ok((guard, RowOp::put(CASE.name, row)))
    }
}

impl Errand {
    /// Its name: the same errand twice is one.
    pub(crate) fn id(&self, xid: Xid) -> Result<Digest, StoreError> {
        Ok(Digest::of_parts([xid.as_bytes().as_slice(), &encode(self)?]))
    }

    pub(crate) fn put(&self, xid: Xid, bank: Option<Digest>, due: Moment) -> Result<RowOp, StoreError> {
        let row = Row::new()
            .with("id", self.id(xid)?)
            .with("xid", xid)
            .with("bank", bank)
            .with("errand", encode(self)?)
            .with("tries", 0_i64)
            .with("due_ms", Value::millis(due));
        Ok(RowOp::put(ERRAND.name, row))
    }
}

impl Due {
    pub(crate) fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: Digest::from_bytes(row.array("id")?),
            xid: Xid::from_bytes(row.array("xid")?),
            errand: decode(row.bytes("errand")?)?,
            tries: u8::try_from(row.count("tries")?).unwrap_or(u8::MAX),
        })
    }

    pub(crate) fn done(&self) -> RowOp {
        RowOp::delete(ERRAND.name, [Value::from(self.id)])
    }

    /// Put off until `due`.
    pub(crate) fn later(&self, due: Moment) -> RowOp {
        let set = Row::new()
            .with("tries", i64::from(self.tries.saturating_add(1)))
            .with("due_ms", Value::millis(due));
        RowOp::update(ERRAND.name, [Value::from(self.id)], set)
    }
}

impl Asked {
    pub(crate) fn from_row(row: &Row) -> Result<Self, StoreError> {
        let answer = if row.is_null("answer") { None } else { Some(row.array("answer")?) };
        Ok(Self {
            hash: Digest::from_bytes(row.array("hash")?),
            xid: Xid::from_bytes(row.array("xid")?),
            agr: Digest::from_bytes(row.array("agr")?),
            role: row.text("role")?.to_owned(),
            kind: row.text("type")?.to_owned(),
            at: Moment::from_seconds(row.count("at_s")?),
            answer: answer.map(Digest::from_bytes),
        })
    }

    pub(crate) fn ensure(&self) -> RowOp {
        let row = Row::new()
            .with("hash", self.hash)
            .with("xid", self.xid)
            .with("agr", self.agr)
            .with("role", self.role.as_str())
            .with("type", self.kind.as_str())
            .with("at_s", Value::seconds(self.at))
            .with("answer", self.answer);
        RowOp::ensure(REQUEST.name, row)
    }

    /// Notes what `request` was answered.
    pub(crate) fn answered(request: Digest, answer: Digest) -> RowOp {
        RowOp::update(REQUEST.name, [Value::from(request)], Row::new().with("answer", answer))
    }
}

pub(crate) fn blob(xid: Xid, content: &[u8]) -> RowOp {
    let row = Row::new().with("xid", xid).with("hash", Digest::of(content)).with("content", content);
    RowOp::ensure(BLOB.name, row)
}

pub(crate) fn made(xid: Xid, hash: Digest, made: &Generated) -> Result<RowOp, StoreError> {
    let row = Row::new().with("xid", xid).with("hash", hash).with("made", encode(made)?);
    Ok(RowOp::ensure(MADE.name, row))
}

pub(crate) fn read_made(row: &Row) -> Result<Generated, StoreError> {
    decode(row.bytes("made")?)
}

/// The word for a role in lists.
pub(crate) const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Originator => "originator",
        Role::Responder => "responder",
        Role::ThirdParty => "third-party",
        Role::Authority => "authority",
        Role::Signer(_) => "signer",
        Role::Everybody => "everybody",
    }
}

/// The request that an answer is bound to: RECEIPT, NOT-YET, PENDING and REJECT name it, and a REJECT why.
pub(crate) fn bound_to(draft: &Draft) -> Option<(Digest, Option<RejectCode>)> {
    use semper_exchange::message::{NotYet, Pending, Reject};
    if let Ok(answer) = draft.read::<NotYet>() {
        return Some((answer.request, None));
    }
    if let Ok(answer) = draft.read::<Pending>() {
        return Some((answer.request, None));
    }
    draft.read::<Reject>().ok().map(|answer| (answer.request, Some(answer.code)))
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    wire::encode(value, STATE_LIMIT).map_err(|error| StoreError::misuse(error.to_string()))
}

fn decode<T: wire::Record>(bytes: &[u8]) -> Result<T, StoreError> {
    wire::decode(bytes, STATE_LIMIT).map_err(|error| StoreError::Damaged(error.to_string()))
}
