//! A sale that nobody answers: it ends by itself, and nothing is left of it but its record.
#![cfg(test)]

use std::{collections::BTreeMap, path::Path, sync::Arc};

use semper_archive_sqlite::{Options, SqliteArchive};
use semper_commerce::{
    deal::{Duty, Intent, Party, Range, Ranges, ThirdPartyTerms},
    sale::{Arbiter, BuyerPlan, End},
};
use semper_engine::{
    Effect, Engine, Key, KeyedRandomness, Limits, Parts, Performed, Performer, TABLES, VirtualClock,
};
use semper_host::{Keyring, keyring};
use semper_payment_sim::{BRAND, SYS, Sim};
use semper_supporting::{
    access::Subject,
    archive::{
        Batch, Column, Guard, Query, Row, RowOp, Schema, Store as _, StoreError, Table, journal, record,
    },
    crypto::{
        digest::Digest,
        keys::KeyPurpose,
        seal::EscrowKey,
        signature::{KeyPair, Kid},
    },
    deal::{Anonymity, Confidentiality, EvidenceLevel},
    evidence::statement::Bytes,
    money::{Currency, Money},
    time::{Moment, Span},
    wire,
};
use semper_trade::sale::{self, Books, KIND, Links, Place, SALE, SaleHost, SaleInput};
use semper_transfer::{
    expectation::DataExpectation,
    payment::{
        AccountId, Modules, Purse, PurseId, SysId,
        module::Erased,
        negotiation::ExchangeNeeds,
        purse::{PurseArgs, PurseKind, System},
    },
    property::{Capabilities, GenGrade, ThirdPartyKeys},
};
use zeroize::Zeroizing;

const START: Moment = Moment::from_seconds(1_780_000_000);
const PURSES: Table = Table {
    name: "purse",
    columns: &[Column::integer("id"), Column::bytes("purse")],
    key: &["id"],
    unique: &[],
    indexes: &[],
};

struct Purses;

impl Books for Purses {
    fn purses(&self) -> Query {
        Query::of(PURSES.name)
    }

    fn read(&self, row: &Row) -> Result<Purse, StoreError> {
        Ok(wire::decode(row.bytes("purse")?, wire::STATE_LIMIT).unwrap())
    }

    fn change(&self, before: &Purse, after: &Purse) -> Result<(Guard, RowOp), StoreError> {
        let bytes = |purse: &Purse| wire::encode(purse, wire::STATE_LIMIT).unwrap();
        let key = vec![0_i64.into()];
        let guard = Guard::equals("purse", PURSES.name, key.clone(), "purse", bytes(before));
        Ok((guard, RowOp::update(PURSES.name, key, Row::new().with("purse", bytes(after)))))
    }
}

/// Nothing ever arrives anywhere.
struct Void;

impl Performer<SaleInput> for Void {
    async fn perform(&self, _: &Key, _: &Effect, _: u32) -> Performed<SaleInput> {
        Performed::Done
    }
}

fn party(name: &str, seed: u8) -> Party {
    let key = KeyPair::from_seed(&[seed; 32]).public();
    Party { certificate: Digest::of(&[seed]), key, tls: Kid::from_bytes([seed; 32]), name: Some(name.into()) }
}

fn plan(me: Party) -> BuyerPlan {
    let certificate = Digest::of(b"arbiter");
    let arbiter = Arbiter {
        certificate,
        key: KeyPair::from_seed(&[9; 32]).public(),
        name: "Arbiter".into(),
        policy: Digest::of(b"policy"),
        capabilities: Capabilities {
            keys: ThirdPartyKeys {
                certificate,
                escrow: EscrowKey::from_seed(&Zeroizing::new([5; 32])).public(),
            },
            grades: vec![GenGrade::Sealed],
            deposit: false,
            authorities: vec![Digest::of(b"bank")],
            longest: 1 << 20,
        },
    };
    let ranges = Ranges {
        anonymity_peer: Range::only(Anonymity::Identified),
        anonymity_bank: Range::only(Anonymity::Identified),
        anonymity_third: Range::only(Anonymity::Identified),
        network_hidden: Range::only(false),
        confidentiality: Range::only(Confidentiality::Channel),
        evidence: Range::only(EvidenceLevel::Full),
        currency: vec![Currency::XTS],
        third_party: vec![ThirdPartyTerms { duty: Duty::Exchange, certificate, policy: arbiter.policy }],
    };
    BuyerPlan {
        intent: Intent {
            me,
            peer: party("Fogra", 3),
            terms: None,
            invite: Some("kb-17".into()),
            ranges,
            ceiling: None,
            modules: ["exchange/gxv", "payment/sim"].map(str::to_owned).to_vec(),
            locale: "en".into(),
        },
        chain: vec![Bytes(vec![2; 300])],
        wants: DataExpectation::default(),
        price: Money::parse("XTS 12.50").unwrap(),
        arbiters: vec![arbiter],
        banks: BTreeMap::from([(Digest::of(b"bank"), KeyPair::from_seed(&[8; 32]).public())]),
    }
}

fn purse() -> Purse {
    Purse::new(PurseArgs {
        id: PurseId::from_bytes([1; 16]),
        kind: PurseKind::PayOnly,
        name: "Purse".into(),
        system: System { sys: SysId::new(SYS).unwrap(), brand: BRAND.into(), scheme: "Bank".into() },
        version: (1, 0),
        exchange: ExchangeNeeds { verifiable: true, revocable: true, generatable: false },
        anonymity: Anonymity::Identified,
        bank: KeyPair::from_seed(&[8; 32]).public(),
        account: AccountId::from_bytes([2; 16]),
        parent: None,
        key: KeyPair::from_seed(&[7; 32]).public().kid(),
        currency: Currency::XTS,
        at: START,
    })
    .reconciled(Money::parse("XTS 50.00").unwrap(), START)
    .unwrap()
}

async fn archive(folder: &Path) -> (Arc<SqliteArchive>, Keyring, Party) {
    let schema = Schema::new(1).with(record::TABLES).with(TABLES).with(&[SALE, PURSES, keyring::KEY]);
    let store = Arc::new(SqliteArchive::open(folder, schema, Options::default()).unwrap());
    let keys = Keyring::load(&*store, Zeroizing::new([1; 32])).await.unwrap();
    let operator = Subject::Operator { policy: Digest::of(b"policy") };
    let key = keys.generate(&*store, &operator, KeyPurpose::Authority, START).await.unwrap();
    let me = Party { key: keys.public(&key).unwrap(), ..party("Ines Ortmann", 2) };
    let row = Row::new().with("id", 0_i64).with("purse", wire::encode(&purse(), wire::STATE_LIMIT).unwrap());
    for done in store.commit(vec![Batch::new().row(RowOp::insert(PURSES.name, row))]).await {
        done.unwrap();
    }
    (store, keys, me)
}

#[tokio::test]
async fn talks_that_nobody_answers_end_after_an_hour_and_no_timer_runs_on() {
    let folder = tempfile::tempdir().unwrap();
    let (store, keys, me) = archive(folder.path()).await;
    let mut modules = Modules::default();
    modules.attach(Arc::new(Erased(Sim))).unwrap();
    let subject = Subject::Operator { policy: Digest::of(b"policy") };
    let clock = VirtualClock::at(START);
    let engine = Engine::start(Parts {
        host: SaleHost { keys, subject, modules, books: Purses, journal: None },
        store: Arc::clone(&store),
        performer: Void,
        clock: clock.clone(),
        randomness: KeyedRandomness::new(Zeroizing::new([4; 32])),
        limits: Limits::default(),
    })
    .await
    .unwrap();
    let key = Key::new(KIND, [7; 32]);
    let links = Links {
        article: Some("kb-17".into()),
        peer: Some(Place { at: "localhost:7445".into(), chain: Vec::new() }),
        ..Links::default()
    };
    let buy = SaleInput::Buy { plan: Box::new(plan(me)), links: Box::new(links) };
    engine.submit(key.clone(), buy).await.unwrap();
    let entry = sale::with_id(&*store, &key.id).await.unwrap().unwrap();
    assert_eq!((entry.step.as_str(), entry.closed), ("opening", false));
    assert_eq!((entry.at.as_deref(), entry.tls), (Some("localhost:7445"), Some(Kid::from_bytes([3; 32]))));

    let mut view = engine.watch(&key).await.unwrap();
    clock.advance(Span::hours(1));
    let ended = view.wait_for(|view| view.as_ref().is_some_and(|view| view.is_closed)).await.unwrap().clone();
    assert_eq!(ended.unwrap().end, Some(End::Refused("deal.declined".into())));
    engine.settled(&key).await;
    let entry = sale::with_id(&*store, &key.id).await.unwrap().unwrap();
    assert_eq!((entry.outcome.as_deref(), entry.closed), (Some("deal.declined"), true));
    assert_eq!(sale::open(&*store).await.unwrap(), []);
    let rows = |table: &'static str| {
        let store = Arc::clone(&store);
        async move { store.query(vec![Query::of(table)]).await.unwrap().remove(0) }
    };
    assert_eq!(rows("engine_timer").await, []);
    assert!(engine.open_instances(None, 10).await.unwrap().is_empty());
    // The proposal, which named no deal yet, is kept all the same.
    let kept: Vec<_> = rows(record::EVIDENCE.name).await;
    assert_eq!(kept.iter().map(|row| row.text("type").unwrap()).collect::<Vec<_>>(), ["deal-propose"]);
    let lines = rows(journal::TABLE.name).await.len();
    clock.advance(Span::days(3));
    engine.shutdown().await;
    assert_eq!(rows(journal::TABLE.name).await.len(), lines, "nothing happens in it any more");
    assert_eq!(
        wire::decode::<Purse>(rows(PURSES.name).await[0].bytes("purse").unwrap(), 1 << 20),
        Ok(purse())
    );
}
