//! How far a service is believed, and every reason why a statement does not count.
#![cfg(test)]

mod common;

use common::{
    AT,
    world::{Somebody, World, changed, packed},
};
use semper_commerce::download::{
    EvaluationRevocations, Package, Scope, ServiceEvaluation, ServiceFault,
    evaluation::{self, EvaluationSerial, Findings, Reason, Tie, Withdrawn},
    package::Signed,
    shipped::BuiltIn,
    trust::{Belief, NotCounted, Question, Source, TrustedEvaluator, believe},
};
use semper_supporting::{
    access::Grade,
    certificate::{CertRole, CertificateFault, Class},
    crypto::digest::Digest,
    money::Money,
    time::{Moment, Span},
};

const YEAR: Span = Span::days(366);

/// One evaluation, and everything it is judged by.
struct Case {
    world: World,
    shop: Somebody,
    package: Package,
    statements: Vec<Signed>,
    lists: Vec<Signed>,
    evaluators: Vec<TrustedEvaluator>,
    built_in: BuiltIn,
    now: Moment,
}

fn trusted(who: &Somebody) -> TrustedEvaluator {
    TrustedEvaluator {
        key: who.verified.kid(),
        certificate: who.verified.digest(),
        name: "the evaluator".to_owned(),
        most: Grade::Approved,
        profiles: Vec::new(),
        jurisdictions: Vec::new(),
        ceiling: None,
        expires: AT.after(Span::days(3000)),
    }
}

fn findings(package: &Package, grade: u8) -> Findings {
    Findings {
        grade,
        scope: Scope::of(&package.chart().need),
        jurisdiction: vec!["DE".to_owned()],
        lints: "1".to_owned(),
        report_sha256: Digest::of(b"report"),
        notes_sha256: None,
        valid: YEAR,
        list: "https://evaluator.example/withdrawn".to_owned(),
        serial: EvaluationSerial::from_bytes([5; 16]),
    }
}

fn evaluated(who: &Somebody, package: &Package, findings: Findings) -> Signed {
    who.signed::<ServiceEvaluation>(&evaluation::draft(package, findings, &who.verified, AT).unwrap())
}

fn listed(who: &Somebody, number: u64, revoked: Vec<Withdrawn>, at: Moment) -> Signed {
    let draft = evaluation::draft_list(number, revoked, &who.verified, at, Span::days(7)).unwrap();
    who.signed::<EvaluationRevocations>(&draft)
}

impl Case {
    /// Nobody has said anything about the mail-order service.
    fn silent() -> Self {
        let world = World::new();
        Self {
            shop: world.merchant(1, "Fogra"),
            package: packed().package,
            statements: Vec::new(),
            lists: Vec::new(),
            evaluators: Vec::new(),
            built_in: BuiltIn::default(),
            now: AT,
            world,
        }
    }

    /// `who` has reviewed it, is trusted, and has a fresh list.
    fn reviewed(who: impl FnOnce(&World) -> Somebody) -> Self {
        let mut case = Self::silent();
        let who = who(&case.world);
        case.statements = vec![evaluated(&who, &case.package, findings(&case.package, 2))];
        case.lists = vec![listed(&who, 1, Vec::new(), AT)];
        case.evaluators = vec![trusted(&who)];
        case
    }

    fn honest() -> Self {
        Self::reviewed(|world| world.evaluator(2, "TÜV"))
    }

    fn belief(&self) -> Belief {
        believe(&Question {
            package: &self.package,
            merchant: &self.shop.verified,
            statements: &self.statements,
            lists: &self.lists,
            trust: &self.world.trust,
            evaluators: &self.evaluators,
            built_in: &self.built_in,
            now: self.now,
        })
    }

    /// The one reason why its one statement does not count; then nothing is believed.
    fn why(&self) -> NotCounted {
        let belief = self.belief();
        assert_eq!((belief.grade, &belief.by), (Grade::Uncertified, &Source::Nobody));
        assert_eq!(belief.scope, Scope::default());
        assert_eq!(belief.uncounted.len(), 1);
        belief.uncounted[0].why.clone()
    }
}

#[test]
fn a_fresh_independent_evaluation_by_somebody_trusted_counts() {
    let case = Case::honest();
    let belief = case.belief();
    let need = &case.package.chart().need;
    assert_eq!(belief.grade, Grade::Reviewed);
    assert_eq!(belief.by, Source::Evaluators(vec![("the evaluator".to_owned(), Grade::Reviewed)]));
    assert_eq!((belief.uncounted.len(), belief.scope.covers(need)), (0, true));
    assert_eq!(belief.most_to_pay(need), need.pay);
    let nobody = Case::silent().belief();
    assert_eq!((nobody.grade, nobody.most_to_pay(need)), (Grade::Uncertified, None));
}

#[test]
fn what_comes_with_semper_is_reviewed_on_nobodys_word() {
    let case = Case { built_in: BuiltIn::new().unwrap(), ..Case::silent() };
    let belief = case.belief();
    assert_eq!((belief.grade, &belief.by), (Grade::Reviewed, &Source::BuiltIn));
    assert!(belief.scope.covers(&case.package.chart().need));
    let other = Case { package: changed(&[("P14D", "P7D")]).package, ..case };
    assert_eq!(other.belief().grade, Grade::Uncertified);
}

/// H18: the shop's sister evaluates it.
#[test]
fn h18_who_belongs_to_the_shop_evaluates_nothing_of_it() {
    for name in ["Fogra", "  FOGRA ", "fogra", "Ｆｏｇｒａ"] {
        let sister = Case::reviewed(|world| {
            world.somebody(Class::Evaluator, CertRole::Evaluator, 2, name.trim(), "evaluator.example")
        });
        assert_eq!(sister.why(), NotCounted::NotIndependent(Tie::Organisation), "{name}");
    }
    let one_key = Case::reviewed(|world| world.evaluator(1, "TÜV"));
    assert_eq!(one_key.why(), NotCounted::NotIndependent(Tie::Key));
    let one_host = Case::reviewed(|world| {
        world.somebody(Class::Evaluator, CertRole::Evaluator, 2, "TÜV", "shop.example")
    });
    assert_eq!(one_host.why(), NotCounted::NotIndependent(Tie::Host));
    assert_eq!(one_host.why().to_string(), "The evaluator belongs to the shop itself");
}

/// H19: expired, withdrawn, for another text; the reason is said.
#[test]
fn h19_what_is_late_withdrawn_or_about_another_text_does_not_count() {
    let judge = World::new().evaluator(2, "TÜV");
    let mut late = Case::honest();
    let half_a_day = Findings { valid: Span::hours(12), ..findings(&late.package, 2) };
    late.statements = vec![evaluated(&judge, &late.package, half_a_day)];
    late.now = AT.after(Span::hours(11));
    assert_eq!(late.belief().grade, Grade::Reviewed);
    late.now = AT.after(Span::hours(12));
    assert_eq!(late.why(), NotCounted::Expired { on: AT.after(Span::hours(12)) });
    assert_eq!(late.why().to_string(), "The evaluation ended on 2026-03-01T22:00:00Z");

    let other = Case { package: changed(&[("P14D", "P7D")]).package, ..Case::honest() };
    assert_eq!(other.why(), NotCounted::OtherPackage);

    let entry = Withdrawn { serial: EvaluationSerial::from_bytes([5; 16]), at: AT, reason: Reason::Mistake };
    let mut withdrawn = Case::honest();
    withdrawn.lists.push(listed(&judge, 2, vec![entry], AT));
    assert_eq!(withdrawn.why(), NotCounted::Withdrawn { on: AT });
    // A later list that forgets the entry does not bring the evaluation back.
    withdrawn.lists.push(listed(&judge, 3, Vec::new(), AT));
    assert_eq!(withdrawn.why(), NotCounted::Withdrawn { on: AT });
}

#[test]
fn without_a_fresh_list_nothing_counts() {
    let judge = World::new().evaluator(2, "TÜV");
    let missing = Case { lists: Vec::new(), ..Case::honest() };
    assert_eq!(missing.why(), NotCounted::NoList);
    let foreign = Case {
        lists: vec![listed(&World::new().evaluator(3, "Other"), 9, Vec::new(), AT)],
        ..Case::honest()
    };
    assert_eq!(foreign.why(), NotCounted::NoList);
    let mut old =
        Case { lists: vec![listed(&judge, 1, Vec::new(), AT.before(Span::days(9)))], ..Case::honest() };
    assert_eq!(old.why(), NotCounted::OldList { days: 9 });
    assert_eq!(old.why().to_string(), "The evaluator's list of withdrawn certificates is 9 days old.");
    old.lists.push(listed(&judge, 2, Vec::new(), AT.before(Span::days(6))));
    assert_eq!(old.belief().grade, Grade::Reviewed);
}

#[test]
fn who_is_not_chosen_or_no_more_counts_for_nothing() {
    let strangers = Case { evaluators: Vec::new(), ..Case::honest() };
    assert_eq!(strangers.why(), NotCounted::NotTrusted);
    let mut ended = Case::honest();
    ended.evaluators[0].expires = AT;
    assert_eq!(ended.why(), NotCounted::TrustEnded { on: AT });
    let mut future = Case::honest();
    future.now = AT.before(Span::minutes(6));
    assert_eq!(future.why(), NotCounted::NotYet { on: AT });
    let mut merchant = Case::honest();
    merchant.statements[0].chain = merchant.shop.chain.clone();
    let role = CertificateFault::WrongRole { expected: CertRole::Evaluator };
    assert_eq!(merchant.why(), NotCounted::Certificate(role));
    let mut forged = Case::honest();
    forged.statements[0].statement.tbs[60] ^= 1;
    assert!(matches!(forged.why(), NotCounted::Unreadable(ServiceFault::BadStatement { .. })));
}

#[test]
fn trust_is_for_kinds_of_business_laws_and_sums() {
    let with = |change: fn(&mut TrustedEvaluator)| {
        let mut case = Case::honest();
        change(&mut case.evaluators[0]);
        case
    };
    assert_eq!(with(|one| one.profiles = vec!["retail".to_owned()]).why(), NotCounted::OtherProfile);
    let both = with(|one| one.profiles = vec!["consumer".to_owned(), "retail".to_owned()]);
    assert_eq!(both.belief().grade, Grade::Reviewed);
    assert_eq!(with(|one| one.jurisdictions = vec!["FR".to_owned()]).why(), NotCounted::OtherLaw);
    let any = with(|one| one.jurisdictions = vec!["*".to_owned()]);
    assert_eq!(any.belief().grade, Grade::Reviewed);
    let play = with(|one| one.ceiling = Money::parse("XTS 50.00").ok());
    assert_eq!(play.why().to_string(), "You trust this evaluator for XTS only");
    let capped = with(|one| one.ceiling = Money::parse("EUR 50.00").ok());
    assert_eq!(capped.belief().most_to_pay(&capped.package.chart().need), Money::parse("EUR 50.00").ok());
    assert_eq!(with(|one| one.most = Grade::Checked).belief().grade, Grade::Checked);
}

#[test]
fn of_several_the_highest_grade_counts_and_only_what_all_allow() {
    let mut case = Case::honest();
    let second = case.world.evaluator(3, "Stiftung");
    let mut narrow = findings(&case.package, 1);
    narrow.scope.pay = Money::parse("EUR 30.00").ok();
    narrow.scope.reveal.clear();
    case.statements.push(evaluated(&second, &case.package, narrow));
    case.lists.push(listed(&second, 1, Vec::new(), AT));
    assert_eq!(case.belief().uncounted.len(), 1, "the second is not trusted yet");
    case.evaluators.push(trusted(&second));
    let belief = case.belief();
    assert_eq!((belief.grade, belief.uncounted.len()), (Grade::Reviewed, 0));
    assert_eq!(belief.scope.pay, Money::parse("EUR 30.00").ok());
    assert!(belief.scope.reveal.is_empty() && !belief.scope.covers(&case.package.chart().need));
}

#[test]
fn every_reason_has_its_words() {
    let catalogue = include_str!("../../../assets/locale/en/service.ftl");
    let fault = ServiceFault::NotOffered;
    let money = Money::parse("XTS 1.00").unwrap();
    for why in [
        NotCounted::Unreadable(fault),
        NotCounted::Certificate(CertificateFault::Revoked),
        NotCounted::NotIndependent(Tie::Key),
        NotCounted::NotTrusted,
        NotCounted::TrustEnded { on: AT },
        NotCounted::OtherPackage,
        NotCounted::NotYet { on: AT },
        NotCounted::Expired { on: AT },
        NotCounted::Withdrawn { on: AT },
        NotCounted::NoList,
        NotCounted::OldList { days: 1 },
        NotCounted::OtherProfile,
        NotCounted::OtherLaw,
        NotCounted::OtherMoney(money),
    ] {
        assert!(catalogue.lines().any(|line| line.starts_with(&format!("{} =", why.key()))), "{why:?}");
    }
}
