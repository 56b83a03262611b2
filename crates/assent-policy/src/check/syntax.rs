//! The syntax of a module in Rego.

use core::fmt;
use std::rc::Rc;

/// A piece of a module's text.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) text: Rc<str>,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// An expression, with its text.
#[derive(Debug, Clone)]
pub(super) struct Expr {
    pub(super) span: Span,
    pub(super) kind: ExprKind,
    /// Levels of expressions in it.
    pub(super) depth: usize,
}

/// What an expression is.
#[derive(Debug, Clone)]
pub(super) enum ExprKind {
    String(String),
    Number,
    Boolean,
    Null,
    Variable(String),
    Array(Vec<Expr>),
    Set(Vec<Expr>),
    Object(Vec<(Expr, Expr)>),
    ArrayComprehension(Box<Expr>, Query),
    SetComprehension(Box<Expr>, Query),
    ObjectComprehension(Box<Expr>, Box<Expr>, Query),
    Call(Box<Expr>, Vec<Expr>),
    Field(Box<Expr>, String, Span),
    Index(Box<Expr>, Box<Expr>),
    Negative(Box<Expr>),
    Comparison(Box<Expr>, Comparison, Box<Expr>),
    Arithmetic(Box<Expr>, Arithmetic, Box<Expr>),
    /// `|` or `&` of sets.
    SetOperation(Box<Expr>, Box<Expr>),
    /// `:=`
    Assignment(Box<Expr>, Box<Expr>),
    /// `=`
    Unification(Box<Expr>, Box<Expr>),
    Membership(Option<Box<Expr>>, Box<Expr>, Box<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Ordered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Subtraction,
    Other,
}

/// Statements that must all be true.
#[derive(Debug, Clone, Default)]
pub(super) struct Query {
    pub(super) statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) kind: StatementKind,
    /// What `with` replaces, and by what.
    pub(super) with: Vec<(Expr, Expr)>,
}

#[derive(Debug, Clone)]
pub(super) enum StatementKind {
    Some(Vec<String>),
    SomeIn(Option<Expr>, Expr, Expr),
    Every(Option<String>, String, Expr, Query),
    Expr(Expr),
    Not(Expr),
}

/// A module.
#[derive(Debug, Clone)]
pub(super) struct Module {
    pub(super) package: Vec<String>,
    pub(super) imports: Vec<Import>,
    pub(super) rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
pub(super) struct Import {
    pub(super) path: Vec<String>,
    pub(super) name: Option<String>,
    pub(super) span: Span,
}

/// One definition of a rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) span: Span,
    pub(super) kind: RuleKind,
    /// The reference in the head.
    pub(super) head: Expr,
    /// The arguments of a function.
    pub(super) arguments: Vec<Expr>,
    /// The element, after `contains`.
    pub(super) element: Option<Expr>,
    /// The bodies, each with the value that it gives. A rule without one has one that is empty.
    pub(super) bodies: Vec<(Query, Option<Expr>)>,
}

/// What a rule defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RuleKind {
    Value,
    Set,
    Object,
    Function,
    Default,
}

impl Span {
    /// Returns the text.
    pub(super) fn as_str(&self) -> &str {
        self.text.get(self.start..self.end).unwrap_or_default()
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{} {:?}", self.line, self.column, self.as_str())
    }
}

impl Rule {
    /// Returns the name: the first part of the reference in the head.
    pub(super) fn name(&self) -> &str {
        let mut expr = &self.head;
        loop {
            match &expr.kind {
                ExprKind::Variable(name) => return name,
                ExprKind::Field(base, ..) | ExprKind::Index(base, _) => expr = base,
                _ => return "",
            }
        }
    }
}

impl Expr {
    /// Returns the parts of a reference that is known before evaluation.
    pub(super) fn static_path(&self) -> Option<Vec<String>> {
        let (mut expr, mut parts) = (self, Vec::new());
        loop {
            match &expr.kind {
                ExprKind::Variable(name) => {
                    parts.push(name.clone());
                    parts.reverse();
                    return Some(parts);
                }
                ExprKind::Field(base, name, _) => {
                    parts.push(name.clone());
                    expr = base;
                }
                ExprKind::Index(base, index) => {
                    let ExprKind::String(text) = &index.kind else { return None };
                    parts.push(text.clone());
                    expr = base;
                }
                _ => return None,
            }
        }
    }
}
