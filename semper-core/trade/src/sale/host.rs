//! What every order of a sale is to the engine.

use semper_commerce::sale::Event;
use semper_engine::{self as engine, Class, Context, Declined, Effect, Host, Key, Nature};
use semper_host::Keyring;
use semper_supporting::{
    access::{Action, Decision, Facts, Limits, Object, Subject, decide},
    archive::{
        ArchiveId, Guard, Query, Row, RowOp, StoreError,
        head::JournalHead,
        journal::{Class as Entries, Head, Kind},
        record::{EvidenceRecord, ItemRecord, Place as Where, keep_certificate},
    },
    certificate::{Certificate, inspect},
    comm::envelope::Envelope,
    crypto::keys::KeyRef,
    deal::DealId,
    evidence::statement,
    time::{Moment, Span},
    wire,
};
use semper_transfer::payment::{Modules, Purse};

use super::{
    Errand, KIND, SaleInput,
    input::{timer_name, timer_names, timer_of},
    register::Entry,
    sign::{Signing, Standing, sign},
    trader::{Act, Order, Trader, Turn},
};

/// How long documents of a deal are kept at least: ten years.
const KEEP: Span = Span::days(3653);

/// Where a program keeps its purses.
pub trait Books: Send + Sync + 'static {
    /// Asks for all of them, in the user's order.
    fn purses(&self) -> Query;

    /// Reads one of the rows.
    ///
    /// # Errors
    /// [`StoreError`] for a damaged row.
    fn read(&self, row: &Row) -> Result<Purse, StoreError>;

    /// What holds while the stored purse is `before`, and the change that makes it `after`.
    ///
    /// # Errors
    /// [`StoreError`] for a purse that cannot be written.
    fn change(&self, before: &Purse, after: &Purse) -> Result<(Guard, RowOp), StoreError>;
}

/// The sales of a program.
pub struct SaleHost<B> {
    /// Its keys.
    pub keys: Keyring,
    /// Who signs: a person at a window, or an operator by configuration.
    pub subject: Subject,
    /// The payment modules.
    pub modules: Modules,
    /// Its purses.
    pub books: B,
    /// The archive, and the key that signs the heads of its journal.
    pub journal: Option<(ArchiveId, KeyRef)>,
}

type Orders = Vec<engine::Order<SaleInput>>;

impl<B: Books> Host for SaleHost<B> {
    type Machine = Trader;
    type Input = SaleInput;
    type Snapshot = semper_commerce::sale::SaleView;

    fn begin(&self, key: &Key, input: &SaleInput) -> Option<Trader> {
        if key.kind != KIND {
            return None;
        }
        match input {
            SaleInput::Buy { plan, links } => Some(Trader::buyer((**plan).clone(), (**links).clone())),
            SaleInput::Sell { plan, links, .. } => Some(Trader::seller((**plan).clone(), (**links).clone())),
            _ => None,
        }
    }

    fn nature(&self, _: &Key, input: &SaleInput) -> Nature {
        let kind = Kind::new(Entries::Decision, input.word()).unwrap_or(STEP);
        let deal = match input {
            SaleInput::Frame(heard) => heard.frame().and_then(|frame| Envelope::read(&frame).ok()?.deal),
            _ => None,
        };
        // The record of the deal recognises repeated frames, and answers them.
        Nature { kind, deal, mark: None }
    }

    fn look(&self, _: &Key, _: &SaleInput) -> Vec<Query> {
        vec![self.books.purses()]
    }

    fn admit(&self, _: &Key, input: SaleInput, context: Context<'_>) -> Result<Turn, Declined> {
        let declined = |code| Declined { code, keep: false };
        let rows = context.rows.first().map_or(&[][..], Vec::as_slice);
        let purses: Result<Vec<Purse>, _> = rows.iter().map(|row| self.books.read(row)).collect();
        let act = match input {
            SaleInput::Buy { .. } => Act::Plain(Event::Begin),
            SaleInput::Sell { heard, shown, .. } => Act::Frame(heard, Some(shown)),
            SaleInput::Up(session) => Act::Up(session),
            SaleInput::Frame(heard) => Act::Frame(heard, None),
            SaleInput::Signed { signed, covering } => Act::Signed(signed, covering),
            SaleInput::Refused(digest) => Act::Plain(Event::Refused(digest)),
            SaleInput::Fetched(found) => Act::Plain(Event::Fetched(found)),
            SaleInput::Opened(measured) => Act::Plain(Event::Opened(measured)),
            SaleInput::Bank(reply) => Act::bank(reply),
            SaleInput::BankSilent => Act::Plain(Event::BankSilent),
            SaleInput::Third(said) => Act::third(said),
            SaleInput::Elapsed(name) if name == TALKS => Act::TalksOver,
            SaleInput::Elapsed(name) => {
                Act::Plain(Event::Elapsed(timer_of(&name).ok_or_else(|| declined("sale.out-of-place"))?))
            }
            SaleInput::Stop => Act::Plain(Event::Stop),
        };
        Ok(Turn {
            at: context.now,
            chance: *context.block.bytes(),
            modules: self.modules.clone(),
            purses: purses.map_err(|_| declined("archive.damaged"))?,
            act,
        })
    }

    fn orders(&self, key: &Key, order: Order, context: Context<'_>) -> Result<Orders, Declined> {
        let now = context.now;
        Ok(match order {
            Order::Sign { draft, context: deal, covering, amount, commits } => {
                let around = Standing {
                    subject: &self.subject,
                    context: deal.as_deref(),
                    covering: covering.as_ref(),
                    amount,
                    now,
                };
                match sign(&self.keys, &draft, &around) {
                    Signing::Signed(signed) => {
                        vec![engine::Order::Feed(SaleInput::Signed { signed, covering: None })]
                    }
                    Signing::Ask => vec![perform(&Errand::Ask { draft, context: deal })?],
                    Signing::Denied(code) => {
                        // Whatever else the step did holds; only this is never signed, and deadlines go on.
                        let refused = SaleInput::Refused(draft.digest());
                        let fed = commits.then_some(engine::Order::Feed(refused));
                        std::iter::once(alarm(code, deal.map(|deal| deal.id))).chain(fed).collect()
                    }
                }
            }
            Order::Do(errand) => vec![perform(&errand)?],
            Order::Forget(to) => vec![engine::Order::Withdraw { to: to.to_owned() }],
            Order::Purse { before, after } => {
                let change = self.books.change(&before, &after);
                let (guard, row) = change.map_err(|_| Declined { code: "archive.damaged", keep: false })?;
                vec![engine::Order::Require(guard), engine::Order::Change(row)]
            }
            Order::Set(timer, due) => {
                vec![engine::Order::Set { timer: timer_name(timer).to_owned(), due }]
            }
            Order::TalkUntil(due) => vec![engine::Order::Set { timer: TALKS.to_owned(), due }],
            Order::ClearTimers => {
                let timers = timer_names().chain([TALKS]);
                timers.map(|timer| engine::Order::Clear { timer: timer.to_owned() }).collect()
            }
            Order::Keep { signed, signer, certificate, deal, own } => {
                let kind = statement::type_of(&signed.tbs).unwrap_or_default();
                let class = if own { Entries::Sent } else { Entries::Received };
                let note = Kind::new(class, &kind).unwrap_or(STEP);
                let payload = signed.tbs.clone();
                let keep_until = now.after(KEEP);
                let record = EvidenceRecord { kind, deal, signer, certificate, at: now, signed, keep_until };
                vec![engine::Order::Keep(Box::new(record)), engine::Order::Note { kind: note, deal, payload }]
            }
            Order::Certificates(chain) => chain.iter().filter_map(|der| certificate(&der.0, now)).collect(),
            Order::Item { measured, description, deal } => {
                let item = ItemRecord {
                    hash: measured.plain,
                    deal,
                    name: description.title.clone(),
                    media: description.media.clone(),
                    size: measured.length,
                    place: Where::File(measured.plain.to_string()),
                    keep_until: now.after(KEEP),
                };
                vec![engine::Order::Change(item.keep())]
            }
            Order::Tell(code, deal) => vec![note(Entries::Decision, code, deal)],
            Order::Fault(code, deal) => vec![alarm(code, deal)],
            Order::View { view, side, links, tls, item, since } => {
                let entry = Entry::of(&key.id, side, &links, (tls, item), &view, (since, now));
                entry.log();
                vec![engine::Order::Change(entry.keep())]
            }
        })
    }

    fn due(&self, _: &Key, timer: &str) -> SaleInput {
        SaleInput::Elapsed(timer.to_owned())
    }

    fn snapshot(&self, _: &Key, machine: &Trader) -> Self::Snapshot {
        machine.view()
    }

    fn is_ended(&self, machine: &Trader) -> bool {
        machine.has_ended()
    }

    fn sign_head(&self, head: Head, now: Moment) -> Option<RowOp> {
        let (archive, key) = self.journal.as_ref()?;
        let statement = JournalHead {
            archive: *archive,
            seq: head.seq,
            hash: head.hash,
            at: now.whole_seconds(),
            signer: key.kid(),
            cert: None,
        };
        let object = Object { statement: &statement, facts: Facts::default() };
        let permit = match decide(&self.subject, Action::KeepJournal, &object, None, &Limits::default(), now)
        {
            Decision::Allow(permit) => permit,
            Decision::Ask(_) | Decision::Deny(_) => return None,
        };
        let signed = self.keys.sign(key, permit, now).inspect_err(|error| {
            tracing::error!(%error, "the head of the journal is not signed");
        });
        signed.ok().map(|signed| statement.keep(signed.bytes()))
    }
}

/// The timer of the talks before an offer.
const TALKS: &str = "talks";
const STEP: Kind = Kind::of(Entries::Decision, "sale/step");

/// An effect as the engine keeps it.
fn perform(errand: &Errand) -> Result<engine::Order<SaleInput>, Declined> {
    let body = wire::encode(errand, wire::STATE_LIMIT)
        .map_err(|error| Declined { code: error.code(), keep: false })?;
    let class = match errand {
        Errand::Ask { .. } | Errand::Open { .. } | Errand::Discard { .. } => Class::Local,
        Errand::Send { .. } | Errand::Fetch { .. } => Class::Peer,
        Errand::Bank { .. } => Class::Payment,
        Errand::Third { .. } => Class::ThirdParty,
    };
    Ok(engine::Order::Perform(Effect { class, to: errand.to().to_owned(), body, repeat: false }))
}

fn certificate(der: &[u8], now: Moment) -> Option<engine::Order<SaleInput>> {
    let certificate = Certificate::from_der(der).ok()?;
    let content = inspect(&certificate).ok()?;
    Some(engine::Order::Change(keep_certificate(certificate.der(), content.key.kid(), now)))
}

fn alarm(code: &'static str, deal: Option<DealId>) -> engine::Order<SaleInput> {
    note(Entries::Alarm, code, deal)
}

/// An entry whose kind is a dotted code, with strokes for dots, and whose content is the code.
fn note(class: Entries, code: &'static str, deal: Option<DealId>) -> engine::Order<SaleInput> {
    let kind = Kind::new(class, &code.replace('.', "/")).unwrap_or(STEP);
    engine::Order::Note { kind, deal, payload: code.as_bytes().to_vec() }
}
