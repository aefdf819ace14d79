//! The value of an expression: total, without panic, with checked arithmetic.
//!
//! `&&` and `||` follow the language definition of CEL: where one operand decides, it does not matter that the
//! other has no value.

use std::{cmp::Ordering, collections::BTreeMap};

use semper_supporting::{
    money::{Currency, Money, MoneyError, Rounding},
    time::{Moment, Span},
};

use super::{
    fault::NoValue,
    kind::Value,
    syntax::{Function, Node, Operator, Reference},
};

/// The last second of the year 9999, after which no time can be written.
const END_OF_TIME: u64 = 253_402_300_799;

/// What expressions are computed from: what was filled in, what was done, and the time of the decision.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// The fields that were filled in, by form and name.
    pub fields: BTreeMap<(String, String), Value>,
    /// How often each move was made; never made where absent.
    pub counts: BTreeMap<String, u32>,
    /// The journaled time of the decision.
    pub now: Option<Moment>,
    /// The currency of the deal.
    pub currency: Option<Currency>,
    /// The computed values, by form and name, as [`super::Scope::compute`] gives them.
    pub calcs: BTreeMap<(String, String), Option<Value>>,
}

impl Values {
    /// The value of `node`. Recurses as deeply as the expression is.
    pub(super) fn value(&self, node: &Node) -> Result<Value, NoValue> {
        match node {
            Node::Bool(value) => Ok(Value::Bool(*value)),
            Node::Int(value) => Ok(Value::Int(*value)),
            Node::Text(value) => Ok(Value::Text(value.clone())),
            Node::Money(value) => Ok(Value::Money(*value)),
            Node::Name(reference) => self.named(reference),
            Node::Not(one) => Ok(Value::Bool(!self.bool(one)?)),
            Node::Negate(one) => self.int(one)?.checked_neg().map(Value::Int).ok_or(NoValue::Number),
            Node::Both(operator, left, right) => self.both(*operator, left, right),
            Node::If(condition, yes, no) => self.value(if self.bool(condition)? { yes } else { no }),
            Node::In(one, among) => {
                let one = self.value(one)?;
                for element in among {
                    if self.value(element)? == one {
                        return Ok(Value::Bool(true));
                    }
                }
                Ok(Value::Bool(false))
            }
            Node::Call(function, arguments) => self.call(*function, arguments),
        }
    }

    fn named(&self, reference: &Reference) -> Result<Value, NoValue> {
        match reference {
            Reference::Now => self.now.map(Value::Time).ok_or(NoValue::NoTime),
            Reference::Currency => {
                self.currency.map(|one| Value::Text(one.code().to_owned())).ok_or(NoValue::NoCurrency)
            }
            Reference::Count(name) => {
                Ok(Value::Int(self.counts.get(name).copied().unwrap_or_default().into()))
            }
            Reference::Field { form, field } => {
                let bound = self.fields.get(&(form.clone(), field.clone()));
                bound.cloned().ok_or_else(|| NoValue::Unbound(reference.to_string()))
            }
            Reference::Calc { form, calc } => {
                let computed = self.calcs.get(&(form.clone(), calc.clone()));
                computed.cloned().flatten().ok_or_else(|| NoValue::Calc(reference.to_string()))
            }
        }
    }

    fn both(&self, operator: Operator, left: &Node, right: &Node) -> Result<Value, NoValue> {
        match operator {
            Operator::And => self.either(left, right, false),
            Operator::Or => self.either(left, right, true),
            Operator::Add | Operator::Subtract | Operator::Multiply => {
                let (left, right) = (self.int(left)?, self.int(right)?);
                let result = match operator {
                    Operator::Add => left.checked_add(right),
                    Operator::Subtract => left.checked_sub(right),
                    _ => left.checked_mul(right),
                };
                result.map(Value::Int).ok_or(NoValue::Number)
            }
            Operator::Equal | Operator::Unequal => {
                let equal = same(&self.value(left)?, &self.value(right)?)?;
                Ok(Value::Bool(equal == (operator == Operator::Equal)))
            }
            Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast => {
                let order = order(&self.value(left)?, &self.value(right)?)?;
                Ok(Value::Bool(match operator {
                    Operator::Less => order == Ordering::Less,
                    Operator::AtMost => order != Ordering::Greater,
                    Operator::Greater => order == Ordering::Greater,
                    _ => order != Ordering::Less,
                }))
            }
        }
    }

    /// `&&` and `||`: the operand that is `decisive` decides.
    fn either(&self, left: &Node, right: &Node, decisive: bool) -> Result<Value, NoValue> {
        let left = self.bool(left);
        if left == Ok(decisive) {
            return Ok(Value::Bool(decisive));
        }
        let right = self.bool(right)?;
        if right == decisive { Ok(Value::Bool(decisive)) } else { left.map(Value::Bool) }
    }

    fn call(&self, function: Function, arguments: &[Node]) -> Result<Value, NoValue> {
        let mut arguments = arguments.iter().map(|argument| self.value(argument));
        let mut next = || arguments.next().unwrap_or(Err(NoValue::Kind));
        let money = match (function, next()?) {
            (Function::AtMost, Value::Money(left)) => {
                let order = left.partial_cmp(&money(next()?)?).ok_or(MoneyError::Currency)?;
                return Ok(Value::Bool(order != Ordering::Greater));
            }
            (Function::AgeAt, Value::Time(birth)) => {
                return age(birth, self.now.ok_or(NoValue::NoTime)?).map(Value::Int);
            }
            (Function::DaysAfter, Value::Time(time)) => {
                return days_after(time, int(next()?)?).map(Value::Time);
            }
            (Function::Minus, Value::Money(left)) => left.checked_sub(money(next()?)?)?,
            (Function::Plus, Value::Money(left)) => left.checked_add(money(next()?)?)?,
            (Function::Percent, Value::Money(sum)) => ratio(sum, int(next()?)?, 100)?,
            (Function::Times, Value::Money(sum)) => ratio(sum, int(next()?)?, 1)?,
            (Function::Total, Value::Lines(lines)) => {
                let mut lines = lines.into_iter();
                let first = lines.next().ok_or(NoValue::NoLines)?;
                lines.try_fold(first, Money::checked_add)?
            }
            _ => return Err(NoValue::Kind),
        };
        Ok(Value::Money(money))
    }

    fn bool(&self, node: &Node) -> Result<bool, NoValue> {
        match self.value(node)? {
            Value::Bool(value) => Ok(value),
            _ => Err(NoValue::Kind),
        }
    }

    fn int(&self, node: &Node) -> Result<i64, NoValue> {
        int(self.value(node)?)
    }
}

fn int(value: Value) -> Result<i64, NoValue> {
    match value {
        Value::Int(value) => Ok(value),
        _ => Err(NoValue::Kind),
    }
}

fn money(value: Value) -> Result<Money, NoValue> {
    match value {
        Value::Money(value) => Ok(value),
        _ => Err(NoValue::Kind),
    }
}

fn same(left: &Value, right: &Value) -> Result<bool, NoValue> {
    match (left, right) {
        (Value::Money(left), Value::Money(right)) if left.currency != right.currency => {
            Err(MoneyError::Currency.into())
        }
        _ if left.kind() == right.kind() => Ok(left == right),
        _ => Err(NoValue::Kind),
    }
}

fn order(left: &Value, right: &Value) -> Result<Ordering, NoValue> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Ok(left.cmp(right)),
        (Value::Span(left), Value::Span(right)) => Ok(left.cmp(right)),
        (Value::Time(left), Value::Time(right)) => Ok(left.cmp(right)),
        _ => Err(NoValue::Kind),
    }
}

/// `sum` times `numerator / denominator`, a half rounded up.
fn ratio(sum: Money, numerator: i64, denominator: u64) -> Result<Money, NoValue> {
    let numerator = u64::try_from(numerator).map_err(|_| NoValue::Number)?;
    let amount = sum.amount.mul_ratio(numerator, denominator, Rounding::HalfUp)?;
    Ok(Money { amount, ..sum })
}

fn days_after(time: Moment, days: i64) -> Result<Moment, NoValue> {
    let length = Span::days(days.unsigned_abs());
    let later = match days {
        0.. => time.millis().checked_add(length.as_millis()),
        _ => time.millis().checked_sub(length.as_millis()),
    };
    let later = later.map(Moment::from_millis).ok_or(NoValue::Time)?;
    if later.seconds() > END_OF_TIME { Err(NoValue::Time) } else { Ok(later) }
}

/// The birthdays in UTC since `birth`, which counts as none; one on 29 February counts on 1 March in other years.
fn age(birth: Moment, now: Moment) -> Result<i64, NoValue> {
    if birth > now || now.seconds() > END_OF_TIME {
        return Err(NoValue::Time);
    }
    let (birth, now) = (birth.to_string(), now.to_string());
    let year = |text: &str| text.get(..4)?.parse::<i64>().ok();
    let years = year(&now).zip(year(&birth)).map(|(now, birth)| now - birth).ok_or(NoValue::Time)?;
    Ok(years - i64::from(now.get(5..10) < birth.get(5..10)))
}
