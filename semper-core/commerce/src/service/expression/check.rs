//! Which kind of value an expression has, and whether its parts fit together.

use super::{
    fault::ExpressionFault,
    kind::Kind,
    scope::Scope,
    syntax::{Function, Node, Operator, Reference},
};

/// The kind of `node`, which stands at `place`.
pub(super) fn kind(place: &str, node: &Node, scope: &Scope) -> Result<Kind, ExpressionFault> {
    Checker { place, scope }.kind(node)
}

/// Recurses as deeply as the expression is.
struct Checker<'a> {
    place: &'a str,
    scope: &'a Scope,
}

impl Checker<'_> {
    fn kind(&self, node: &Node) -> Result<Kind, ExpressionFault> {
        match node {
            Node::Bool(_) => Ok(Kind::Bool),
            Node::Int(_) => Ok(Kind::Int),
            Node::Text(_) => Ok(Kind::Text),
            Node::Money(_) => Ok(Kind::Money),
            Node::Name(reference) => self.name(reference),
            Node::Not(one) => self.must(one, Kind::Bool, "!").map(|()| Kind::Bool),
            Node::Negate(one) => self.must(one, Kind::Int, "-").map(|()| Kind::Int),
            Node::Both(operator, left, right) => self.both(*operator, left, right),
            Node::If(condition, yes, no) => {
                self.must(condition, Kind::Bool, "the condition before ?")?;
                let (yes, no) = (self.kind(yes)?, self.kind(no)?);
                if yes == no { Ok(yes) } else { self.wrong(format!("? chooses between {yes} and {no}")) }
            }
            Node::In(one, among) => {
                let kind = self.kind(one)?;
                if !matches!(kind, Kind::Int | Kind::Text) {
                    return self.wrong(format!("in looks for text or a whole number, not for {kind}"));
                }
                for element in among {
                    self.must(element, kind, "in")?;
                }
                Ok(Kind::Bool)
            }
            Node::Call(function, arguments) => self.call(*function, arguments),
        }
    }

    fn name(&self, reference: &Reference) -> Result<Kind, ExpressionFault> {
        match reference {
            Reference::Now => Ok(Kind::Time),
            Reference::Currency => Ok(Kind::Text),
            Reference::Count(name) if self.scope.has_move(name) => Ok(Kind::Int),
            Reference::Calc { form, calc } => match self.scope.calc(form, calc) {
                Some(kind) => Ok(kind),
                None => self.wrong(format!("{reference} names nothing")),
            },
            Reference::Field { form, field } => match self.scope.field(form, field) {
                Some(Some(kind)) => Ok(kind),
                Some(None) => self.wrong(format!("{reference} is of a type that no expression reads")),
                None => self.wrong(format!("{reference} names nothing")),
            },
            Reference::Count(_) => self.wrong(format!("{reference} names nothing")),
        }
    }

    fn both(&self, operator: Operator, left: &Node, right: &Node) -> Result<Kind, ExpressionFault> {
        let (left, right) = (self.kind(left)?, self.kind(right)?);
        let same = left == right;
        match operator {
            Operator::And | Operator::Or if same && left == Kind::Bool => Ok(Kind::Bool),
            Operator::Equal | Operator::Unequal if same && has_equality(left) => Ok(Kind::Bool),
            Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast
                if same && matches!(left, Kind::Int | Kind::Span | Kind::Time) =>
            {
                Ok(Kind::Bool)
            }
            Operator::Add | Operator::Subtract | Operator::Multiply if same && left == Kind::Int => {
                Ok(Kind::Int)
            }
            Operator::Add if same && left == Kind::Text => Err(ExpressionFault::Forbidden {
                place: self.place.to_owned(),
                construct: "putting texts together".to_owned(),
            }),
            _ => self.wrong(format!("{} does not stand between {left} and {right}", operator.sign())),
        }
    }

    fn call(&self, function: Function, arguments: &[Node]) -> Result<Kind, ExpressionFault> {
        let (takes, gives): (&[Kind], Kind) = match function {
            Function::AgeAt => (&[Kind::Time], Kind::Int),
            Function::AtMost => (&[Kind::Money, Kind::Money], Kind::Bool),
            Function::DaysAfter => (&[Kind::Time, Kind::Int], Kind::Time),
            Function::Minus | Function::Plus => (&[Kind::Money, Kind::Money], Kind::Money),
            Function::Percent | Function::Times => (&[Kind::Money, Kind::Int], Kind::Money),
            Function::Total => (&[Kind::Lines], Kind::Money),
        };
        for (argument, kind) in arguments.iter().zip(takes) {
            self.must(argument, *kind, "a function")?;
        }
        Ok(gives)
    }

    fn must(&self, node: &Node, needed: Kind, by: &str) -> Result<(), ExpressionFault> {
        let kind = self.kind(node)?;
        if kind == needed { Ok(()) } else { self.wrong(format!("{by} needs {needed} and finds {kind}")) }
    }

    fn wrong<T>(&self, reason: String) -> Result<T, ExpressionFault> {
        Err(ExpressionFault::Type { place: self.place.to_owned(), reason })
    }
}

fn has_equality(kind: Kind) -> bool {
    !matches!(kind, Kind::Descriptor | Kind::Lines)
}

impl Operator {
    fn sign(self) -> &'static str {
        match self {
            Self::And => "&&",
            Self::Or => "||",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
        }
    }
}
