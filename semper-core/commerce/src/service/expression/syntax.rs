//! The syntax of expressions: our own tree, made from that of the parser by a walk that knows every node it
//! lets pass.
//!
//! The parser spends some 150 KiB of stack on each bracket in a debug build. So it never sees one: what stands
//! between two brackets is read first and by itself, and a name takes its place in what is around it.

use cel::{
    common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators},
    parser::Parser,
};
use semper_supporting::money::Money;

use super::{fault::ExpressionFault, guard};

/// An expression.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Node {
    Bool(bool),
    Int(i64),
    Text(String),
    Money(Money),
    Name(Reference),
    Not(Box<Node>),
    Negate(Box<Node>),
    Both(Operator, Box<Node>, Box<Node>),
    If(Box<Node>, Box<Node>, Box<Node>),
    In(Box<Node>, Vec<Node>),
    Call(Function, Vec<Node>),
}

/// What an expression can name.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Reference {
    /// A computed value of a form: `c.<form>.<calc>`.
    Calc {
        /// The form.
        form: String,
        /// The computed value.
        calc: String,
    },
    /// How often a move was made: `n.<move>`.
    Count(String),
    /// The currency of the deal: `ctx.currency`.
    Currency,
    /// A field of a form: `f.<form>.<field>`.
    Field {
        /// The form.
        form: String,
        /// The field.
        field: String,
    },
    /// The time of the decision: `now`, or `age_at`.
    Now,
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Calc { form, calc } => write!(f, "c.{form}.{calc}"),
            Self::Count(name) => write!(f, "n.{name}"),
            Self::Currency => f.write_str("ctx.currency"),
            Self::Field { form, field } => write!(f, "f.{form}.{field}"),
            Self::Now => f.write_str("now"),
        }
    }
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Operator {
    And,
    Or,
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Add,
    Subtract,
    Multiply,
}

/// A function with values as arguments; `money` is read when the expression is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Function {
    AgeAt,
    AtMost,
    DaysAfter,
    Minus,
    Percent,
    Plus,
    Times,
    Total,
}

/// Reads `text`, which stands at `place`.
pub(super) fn read(place: &str, text: &str) -> Result<Node, ExpressionFault> {
    guard::admit(text)
        .map_err(|construct| ExpressionFault::Forbidden { place: place.to_owned(), construct })?;
    piece(place, text)
}

/// Reads what stands between two brackets, or all. Recurses once for each bracket around it.
fn piece(place: &str, text: &str) -> Result<Node, ExpressionFault> {
    let mut walk = Walk { place, groups: Vec::new() };
    let mut outside = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (mut taken, mut after) = rest.split_at(guard::word_length(rest));
        if c == '(' {
            (taken, after) = rest.split_at(guard::group_length(rest));
            let inside = taken.get(1..taken.len().saturating_sub(1)).unwrap_or_default();
            let function =
                outside.trim_end().rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next();
            let function = function.unwrap_or_default().to_owned();
            let node = if function.is_empty() {
                piece(place, inside)?
            } else {
                outside.truncate(outside.trim_end().len().saturating_sub(function.len()));
                let arguments = guard::split(inside).into_iter().map(|one| piece(place, one));
                walk.function(&function, arguments.collect::<Result<_, _>>()?)?
            };
            outside.push_str(&format!(" {}{} ", guard::GROUP, walk.groups.len()));
            walk.groups.push(node);
        } else {
            outside.push_str(taken);
        }
        rest = after;
    }
    let tree = match Parser::new().parse(&outside) {
        Ok(tree) => tree,
        Err(_) => return walk.forbidden("what is no expression"),
    };
    walk.node(&tree)
}

/// Recurses as deeply as the tree is, which the limits of [`guard`] bound.
struct Walk<'a> {
    place: &'a str,
    groups: Vec<Node>,
}

impl Walk<'_> {
    fn node(&self, tree: &IdedExpr) -> Result<Node, ExpressionFault> {
        match &tree.expr {
            Expr::Literal(literal) => self.literal(literal),
            Expr::Ident(_) | Expr::Select(_) => self.name(tree),
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(_) => self.forbidden("a loop"),
            Expr::List(_) => self.forbidden("a list that is not behind in"),
            Expr::Map(_) => self.forbidden("a map"),
            Expr::Struct(_) => self.forbidden("a structure"),
            Expr::Unspecified => self.forbidden("what is no expression"),
        }
    }

    fn literal(&self, literal: &LiteralValue) -> Result<Node, ExpressionFault> {
        match literal {
            LiteralValue::Boolean(value) => Ok(Node::Bool(*value.inner())),
            LiteralValue::Int(value) => Ok(Node::Int(*value.inner())),
            LiteralValue::String(value) => Ok(Node::Text(value.inner().to_owned())),
            LiteralValue::Bytes(_) => self.forbidden("a literal of bytes"),
            LiteralValue::Double(_) | LiteralValue::UInt(_) => {
                self.forbidden("a number that is not a plain whole number")
            }
            LiteralValue::Null => self.forbidden("null"),
        }
    }

    fn name(&self, tree: &IdedExpr) -> Result<Node, ExpressionFault> {
        let mut segments = Vec::new();
        let mut next = &tree.expr;
        loop {
            match next {
                Expr::Ident(name) => {
                    segments.push(name.as_str());
                    break;
                }
                Expr::Select(select) if !select.test => {
                    segments.push(select.field.as_str());
                    next = &select.operand.expr;
                }
                _ => return self.forbidden("a part of what is no name"),
            }
        }
        segments.reverse();
        let reference = match segments.as_slice() {
            ["now"] => Reference::Now,
            ["ctx", "currency"] => Reference::Currency,
            ["f", form, field] => Reference::Field { form: (*form).to_owned(), field: (*field).to_owned() },
            ["c", form, calc] => Reference::Calc { form: (*form).to_owned(), calc: (*calc).to_owned() },
            ["n", path @ ..] if !path.is_empty() => Reference::Count(path.join(".")),
            [one] if one.starts_with(guard::GROUP) => return self.group(one),
            other => return self.forbidden(&format!("the name {}", other.join("."))),
        };
        Ok(Node::Name(reference))
    }

    fn call(&self, call: &CallExpr) -> Result<Node, ExpressionFault> {
        if call.target.is_some() {
            return self.forbidden(&format!("the method {}", call.func_name));
        }
        let operator = match call.func_name.as_str() {
            operators::LOGICAL_AND => Operator::And,
            operators::LOGICAL_OR => Operator::Or,
            operators::EQUALS => Operator::Equal,
            operators::NOT_EQUALS => Operator::Unequal,
            operators::LESS => Operator::Less,
            operators::LESS_EQUALS => Operator::AtMost,
            operators::GREATER => Operator::Greater,
            operators::GREATER_EQUALS => Operator::AtLeast,
            operators::ADD => Operator::Add,
            operators::SUBSTRACT => Operator::Subtract,
            operators::MULTIPLY => Operator::Multiply,
            other => return self.other_call(other, &call.args),
        };
        match call.args.as_slice() {
            [left, right] => Ok(Node::Both(operator, self.boxed(left)?, self.boxed(right)?)),
            _ => self.forbidden("an operator without its two operands"),
        }
    }

    fn other_call(&self, name: &str, arguments: &[IdedExpr]) -> Result<Node, ExpressionFault> {
        match (name, arguments) {
            (operators::LOGICAL_NOT, [one]) => Ok(Node::Not(self.boxed(one)?)),
            (operators::NEGATE, [one]) => Ok(Node::Negate(self.boxed(one)?)),
            (operators::CONDITIONAL, [condition, yes, no]) => {
                Ok(Node::If(self.boxed(condition)?, self.boxed(yes)?, self.boxed(no)?))
            }
            (operators::IN, [one, list]) => match &list.expr {
                Expr::List(list) if list.optional_indices.is_empty() => {
                    let among = list.elements.iter().map(|element| match &element.expr {
                        Expr::Literal(literal) => self.literal(literal),
                        _ => self.forbidden("a list of anything but literals"),
                    });
                    Ok(Node::In(self.boxed(one)?, among.collect::<Result<_, _>>()?))
                }
                _ => self.forbidden("in without a list of literals"),
            },
            (operators::DIVIDE, _) => self.forbidden("division"),
            (operators::MODULO, _) => self.forbidden("a remainder"),
            (operators::INDEX | operators::OPT_INDEX | operators::OPT_SELECT, _) => {
                self.forbidden("an index")
            }
            _ => self.forbidden(&format!("the function {name}")),
        }
    }

    /// What stands between two brackets, which was read before what is around it.
    fn group(&self, name: &str) -> Result<Node, ExpressionFault> {
        let index = name.get(guard::GROUP.len()..).and_then(|index| index.parse::<usize>().ok());
        match index.and_then(|index| self.groups.get(index)) {
            Some(node) => Ok(node.clone()),
            None => self.forbidden(&format!("the name {name}")),
        }
    }

    fn function(&self, name: &str, arguments: Vec<Node>) -> Result<Node, ExpressionFault> {
        let (function, takes) = match name {
            "money" => return self.money(&arguments),
            "age_at" => (Function::AgeAt, 1),
            "atmost" => (Function::AtMost, 2),
            "days_after" => (Function::DaysAfter, 2),
            "minus" => (Function::Minus, 2),
            "percent" => (Function::Percent, 2),
            "plus" => (Function::Plus, 2),
            "times" => (Function::Times, 2),
            "total" => (Function::Total, 1),
            other => return self.forbidden(&format!("the function {other}")),
        };
        if arguments.len() == takes {
            return Ok(Node::Call(function, arguments));
        }
        self.wrong(format!("{name} takes {takes} values, not {}", arguments.len()))
    }

    fn money(&self, arguments: &[Node]) -> Result<Node, ExpressionFault> {
        match arguments {
            [Node::Text(text)] => {
                Money::parse(text).map(Node::Money).or_else(|error| self.wrong(format!("{text:?}: {error}")))
            }
            _ => self.forbidden("money of anything but a text"),
        }
    }

    fn boxed(&self, tree: &IdedExpr) -> Result<Box<Node>, ExpressionFault> {
        self.node(tree).map(Box::new)
    }

    fn wrong<T>(&self, reason: String) -> Result<T, ExpressionFault> {
        Err(ExpressionFault::Type { place: self.place.to_owned(), reason })
    }

    fn forbidden<T>(&self, construct: &str) -> Result<T, ExpressionFault> {
        Err(ExpressionFault::Forbidden { place: self.place.to_owned(), construct: construct.to_owned() })
    }
}

impl Node {
    /// Calls `see` with every name in the expression.
    pub(super) fn names(&self, see: &mut impl FnMut(Reference)) {
        match self {
            Self::Bool(_) | Self::Int(_) | Self::Text(_) | Self::Money(_) => {}
            Self::Name(reference) => see(reference.clone()),
            Self::Not(one) | Self::Negate(one) | Self::In(one, _) => one.names(see),
            Self::Both(_, left, right) => {
                left.names(see);
                right.names(see);
            }
            Self::If(condition, yes, no) => {
                condition.names(see);
                yes.names(see);
                no.names(see);
            }
            Self::Call(function, arguments) => {
                if *function == Function::AgeAt {
                    see(Reference::Now);
                }
                arguments.iter().for_each(|argument| argument.names(see));
            }
        }
    }
}
