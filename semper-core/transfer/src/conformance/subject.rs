//! What the laws are checked against: an implementation with its authority, and how a law drives it.

use semper_supporting::{
    crypto::{
        digest::Digest,
        seal::{ContentKey, Measured},
    },
    deal::DealContext,
    time::Moment,
};

use crate::{
    description::Description,
    item::Item,
    property::{
        Answer, BadPermit, Begun, Binding, Capabilities, Certificates, Decided, ExchangeEnabled, GenGrade,
        Generated, Got, Look, Observation, Order, Permitted, Props, Record, Replacement, RevGrade, TooLate,
        Transfer, TtpItem, VerGrade,
    },
};

/// One item on its way: what the giver holds, what was agreed, under which binding.
#[derive(Clone, Debug)]
pub struct Case {
    /// The item in the giver's hands.
    pub item: Item,
    /// Its description.
    pub description: Description,
    /// The binding, with an agreement.
    pub binding: Binding,
}

/// Who has the value of an item of which only one party can have it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Holder {
    /// The giver, wholly.
    Giver,
    /// The receiver, or whoever got it from there.
    Receiver,
    /// An authority, for one of them.
    Authority,
}

/// An implementation together with its real or simulated authority. Each test gets a fresh one.
pub trait Subject {
    /// The party's side.
    fn party(&self) -> &dyn ExchangeEnabled;

    /// The third party's side.
    fn third_party(&self) -> Box<dyn TtpItem + '_>;

    /// The keys of parties, third party and authority.
    fn certificates(&self) -> &dyn Certificates;

    /// What the third party offers.
    fn capabilities(&self) -> Capabilities;

    /// The deal in which everything happens.
    fn deal(&self) -> DealContext;

    /// Case number `n`, ready to be transferred; the same number gives the same case, others are of other
    /// exchanges.
    fn case(&mut self, n: u32) -> Case;

    /// Carries out what a transfer ordered: delivers, signs and begins again, or pays; gives what the receiver
    /// then has, or nothing if an authority refused.
    fn carry_out(&mut self, case: &Case, transfer: Transfer) -> Option<Got>;

    /// Signs a third party's order and takes it to the authority, whose answer comes back, if it can be
    /// reached.
    fn ask(&mut self, order: &Order) -> Option<Answer>;

    /// Opens the case's sealed content with `key` and measures it.
    fn measure(&self, case: &Case, key: &ContentKey) -> Option<Measured> {
        let _ = (case, key);
        None
    }

    /// Tries everything by which the giver alone could undo a transfer.
    fn undo_alone(&mut self, case: &Case) {
        let _ = case;
    }

    /// Who has the value of the case's item; none for what can be copied.
    fn holder(&self, case: &Case) -> Option<Holder> {
        let _ = case;
        None
    }
}

/// The moment until which laws rely on a property: always before any end.
const NOW: Moment = Moment::from_millis(0);

/// A law's way of driving a subject.
pub(super) trait Drive: Subject {
    fn props(&self, case: &Case) -> Vec<Props> {
        self.party().props(&case.description, &self.capabilities(), &self.deal())
    }

    fn is_final(&self, case: &Case) -> bool {
        self.props(case).iter().any(|props| props.verifiable.grade == VerGrade::Final)
    }

    fn can_undo(&self, case: &Case) -> bool {
        self.props(case).iter().any(|props| props.revocable.grade == RevGrade::Undo)
    }

    fn can_deposit(&self, case: &Case) -> bool {
        self.props(case).iter().any(|props| props.verifiable.grade == VerGrade::Deposit)
    }

    fn can_make(&self, case: &Case) -> bool {
        self.props(case).iter().any(|props| props.generatable.grade > GenGrade::None)
    }

    fn permit(&self, case: &Case) -> Result<Permitted, String> {
        let keys = self.capabilities().keys;
        let early = Binding { agreement: None, ..case.binding.clone() };
        let random = std::array::from_fn(|at| u8::try_from(at).unwrap_or_default());
        self.party()
            .make_permit(&case.item, &case.description, &early, &keys, &random)
            .map_err(|fault| format!("no permit: {fault}"))
    }

    fn relied_on(&self, case: &Case, permitted: &Permitted) -> Result<GenGrade, String> {
        let keys = self.capabilities().keys;
        self.party()
            .check_permit(&case.description, permitted, &case.binding, &keys, self.certificates())
            .map_err(|fault| format!("the permit is refused: {fault}"))
    }

    fn transfer(&mut self, case: &Case) -> Result<Option<Got>, String> {
        let begun = self
            .party()
            .start_transfer(&case.item, &case.description, &case.binding)
            .map_err(|fault| format!("no transfer: {fault}"))?;
        Ok(self.carry_out(case, begun))
    }

    fn observe(&mut self, case: &Case, look: Look) -> Result<Observation, String> {
        let begun = self.third_party().observe(&case.binding, &case.description, look);
        let order = match begun {
            Begun::Done(observation) => return Ok(observation),
            Begun::Ask(order) => order,
        };
        let Some(answer) = self.ask(&order) else { return Ok(Observation::Unavailable) };
        self.third_party()
            .observed(&case.binding, &case.description, look, &answer)
            .map_err(|fault| format!("the answer is refused: {fault}"))
    }

    fn generate(
        &mut self,
        case: &Case,
        permitted: &Permitted,
    ) -> Result<Result<Generated, BadPermit>, String> {
        let begun =
            self.third_party().generate(&case.binding, &case.description, permitted, self.certificates());
        let order = match begun {
            Begun::Done(result) => return Ok(result),
            Begun::Ask(order) => order,
        };
        let answer = self.ask(&order).ok_or("the authority does not answer")?;
        self.third_party()
            .generated(&case.binding, &case.description, &answer)
            .map_err(|fault| format!("the answer is refused: {fault}"))
    }

    fn revoke(&mut self, case: &Case) -> Result<Result<Record, TooLate>, String> {
        let begun = self.third_party().revoke(&case.binding, &case.description);
        let order = match begun {
            Begun::Done(result) => return Ok(result),
            Begun::Ask(order) => order,
        };
        let answer = self.ask(&order).ok_or("the authority does not answer")?;
        self.third_party()
            .revoked(&case.binding, &case.description, &answer)
            .map_err(|fault| format!("the answer is refused: {fault}"))
    }

    /// The replacement as its receiver gets it, under a decision of this run.
    fn replacement(
        &self,
        case: &Case,
        grade: GenGrade,
        content: Generated,
        completed: bool,
    ) -> Result<Replacement, String> {
        let measured = match &content {
            Generated::Key(key) => self.measure(case, key),
            _ => None,
        };
        let decided = Decided {
            xid: case.binding.xid,
            agreement: case.binding.agreement.ok_or("the case has no agreement")?,
            by: self.capabilities().keys.certificate,
            completed,
            decision: Digest::of(if completed { b"completed" } else { b"aborted" }),
        };
        Ok(Replacement { binding: case.binding.clone(), grade, content, measured, decided: Some(decided) })
    }

    /// Whether a property still holds where laws look at it.
    fn offers_anything(&self, case: &Case) -> bool {
        self.props(case).iter().any(|props| props.reliances(NOW).len() > 1)
    }
}

impl<S: Subject + ?Sized> Drive for S {}
