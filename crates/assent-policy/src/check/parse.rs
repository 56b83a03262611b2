//! The parser of modules, bounded: what is too long or nested too deep is refused.
//!
//! It accepts what the evaluator's parser accepts of the language's first version, and is used only to find what must
//! be changed. The evaluator parses the rules itself.

use super::{
    Finding,
    lexer::{Token, TokenKind, tokens},
    syntax::{
        Arithmetic, Comparison, Expr, ExprKind, Import, Module, Query, Rule, RuleKind, Span, Statement, StatementKind,
    },
};
use crate::MAX_CONTENT;

/// How deep expressions may nest, chains of operators and fields included.
const MAX_DEPTH: usize = 100;
/// How deep the parser's own calls may nest, of which a level of expressions takes a few.
const MAX_NESTING: usize = 160;
const KEYWORDS: [&str; 14] =
    ["as", "default", "else", "every", "false", "if", "import", "in", "not", "null", "package", "some", "true", "with"];

/// Where a text does not parse, and why.
type Failure = (Span, String);
type Parsed<T> = Result<T, Failure>;

/// Parses a module.
pub(super) fn parse(file: &str, text: &str) -> Result<Module, Finding> {
    let finding = |line, column, message| Finding { file: file.into(), line, column, message };
    if text.len() > MAX_CONTENT {
        return Err(finding(1, 1, format!("the module has {} bytes, more than {MAX_CONTENT}", text.len())));
    }
    let parsed =
        tokens(text).and_then(|(tokens, end)| Parser { tokens, end, position: 0, nesting: 0, is_list: false }.module());
    parsed.map_err(|(span, message)| {
        let message = newer_syntax(&span).unwrap_or_else(|| format!("the module does not parse: {message}"));
        finding(span.line, span.column, message)
    })
}

/// Returns what to write instead, if a text does not parse since it has syntax that is newer than the evaluator.
fn newer_syntax(span: &Span) -> Option<String> {
    let (before, after) = span.text.split_at_checked(span.start)?;
    if after.starts_with("$\"") || after.starts_with("$`") {
        return Some(
            "interpolated strings are newer than the evaluator's Rego; write sprintf(\"…%v…\", [value])".into(),
        );
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let start = before.trim_end_matches(is_part).len();
    let length = after.find(|c| !is_part(c)).unwrap_or(after.len());
    let reference = span.text.get(start..span.start.saturating_add(length))?;
    let keyword = KEYWORDS.into_iter().find(|keyword| reference.split('.').any(|part| part == *keyword));
    let keyword = keyword.filter(|_| reference.contains('.'))?;
    Some(format!(
        "`{reference}` has the keyword `{keyword}` as a name, which is newer than the evaluator's Rego; give it \
         another name, or write it as a string: [\"{keyword}\"]"
    ))
}

struct Parser {
    tokens: Vec<Token>,
    /// The token after the others.
    end: Token,
    position: usize,
    nesting: usize,
    /// Whether a comma separates elements or arguments here.
    is_list: bool,
}

impl Parser {
    fn token(&self) -> &Token {
        self.tokens.get(self.position).unwrap_or(&self.end)
    }

    fn next(&mut self) -> Token {
        let token = self.token().clone();
        self.position = self.position.saturating_add(1);
        token
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        matches!(&self.token().kind, TokenKind::Symbol(found) if *found == symbol)
    }

    fn is_word(&self, word: &str) -> bool {
        self.token().kind == TokenKind::Word && self.token().span.as_str() == word
    }

    /// Returns whether the token follows the one before it without space.
    fn is_adjacent(&self) -> bool {
        let before = self.position.checked_sub(1).and_then(|position| self.tokens.get(position));
        before.is_some_and(|before| before.span.end == self.token().span.start)
    }

    /// Returns whether the token begins a line.
    fn is_on_new_line(&self) -> bool {
        let before = self.position.checked_sub(1).and_then(|position| self.tokens.get(position));
        before.is_none_or(|before| {
            let lines = before.span.as_str().matches('\n').count();
            before.span.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX)) < self.token().span.line
        })
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.position = self.position.saturating_add(1);
        }
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.position = self.position.saturating_add(1);
        }
        found
    }

    fn require(&mut self, symbol: &str) -> Parsed<()> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.expected(&format!("`{symbol}`"))) }
    }

    fn expected(&self, what: &str) -> Failure {
        let token = self.token();
        let found = if token.kind == TokenKind::End { "the end".into() } else { format!("`{}`", token.span.as_str()) };
        (token.span.clone(), format!("expected {what}, not {found}"))
    }

    fn name(&mut self, what: &str) -> Parsed<String> {
        if self.token().kind != TokenKind::Word || KEYWORDS.contains(&self.token().span.as_str()) {
            return Err(self.expected(what));
        }
        Ok(self.next().span.as_str().to_owned())
    }

    /// Runs a parser where a comma separates elements, or does not.
    fn within<T>(&mut self, is_list: bool, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let outer = core::mem::replace(&mut self.is_list, is_list);
        let parsed = parse(self);
        self.is_list = outer;
        parsed
    }

    /// Runs a parser one level deeper.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting >= MAX_NESTING {
            return Err(self.too_deep(&self.token().span));
        }
        self.nesting = self.nesting.saturating_add(1);
        let parsed = parse(self);
        self.nesting = self.nesting.saturating_sub(1);
        parsed
    }

    fn too_deep(&self, span: &Span) -> Failure {
        (
            span.clone(),
            format!("expressions are nested more than {MAX_DEPTH} deep; give parts of them to separate rules"),
        )
    }

    /// Returns an expression that begins with a span and ends with the token before this one.
    fn expr(&self, start: &Span, kind: ExprKind, parts: &[usize]) -> Parsed<Expr> {
        let depth = parts.iter().max().copied().unwrap_or(0).saturating_add(1);
        if depth > MAX_DEPTH {
            return Err(self.too_deep(start));
        }
        let before = self.position.checked_sub(1).and_then(|position| self.tokens.get(position));
        let end = before.map_or(start.end, |before| before.span.end);
        Ok(Expr { span: Span { end, ..start.clone() }, kind, depth })
    }

    fn module(mut self) -> Parsed<Module> {
        if !self.take_word("package") {
            return Err(self.expected("`package` and the module's package"));
        }
        let package = self.path()?.0;
        let (mut imports, mut rules) = (Vec::new(), Vec::new());
        loop {
            while self.take_symbol(";") {}
            if self.token().kind == TokenKind::End {
                return Ok(Module { package, imports, rules });
            }
            if self.take_word("import") {
                let (path, span) = self.path()?;
                let name = if self.take_word("as") { Some(self.name("a name")?) } else { None };
                imports.push(Import { path, name, span });
            } else {
                rules.push(self.rule()?);
            }
        }
    }

    /// Parses a reference without variables, as in `data.example["treasury"]`.
    fn path(&mut self) -> Parsed<(Vec<String>, Span)> {
        let start = self.token().span.clone();
        let expr = self.reference()?;
        let path = expr.static_path().ok_or_else(|| (start, "expected a path of names".to_owned()))?;
        Ok((path, expr.span))
    }

    /// Parses a name with fields and indices, but without calls.
    fn reference(&mut self) -> Parsed<Expr> {
        let start = self.token().span.clone();
        let name = self.name("a name")?;
        let mut expr = self.expr(&start, ExprKind::Variable(name), &[])?;
        while self.is_adjacent() && (self.is_symbol(".") || self.is_symbol("[")) {
            expr = self.step(&start, expr)?;
        }
        Ok(expr)
    }

    /// Parses a field or index after an expression.
    fn step(&mut self, start: &Span, base: Expr) -> Parsed<Expr> {
        let depth = base.depth;
        if self.take_symbol(".") {
            if self.token().kind != TokenKind::Word {
                return Err(self.expected("the name of a field"));
            }
            let field = self.next().span;
            return self.expr(
                start,
                ExprKind::Field(Box::new(base), field.as_str().to_owned(), field.clone()),
                &[depth],
            );
        }
        self.require("[")?;
        let index = self.within(true, |parser| parser.nested(Self::term_in))?;
        self.require("]")?;
        let depths = [depth, index.depth];
        self.expr(start, ExprKind::Index(Box::new(base), Box::new(index)), &depths)
    }

    fn rule(&mut self) -> Parsed<Rule> {
        let start = self.token().span.clone();
        if self.take_word("default") {
            let head = self.reference()?;
            let arguments = if self.is_adjacent() && self.take_symbol("(") { self.list(")")? } else { Vec::new() };
            if !self.take_symbol(":=") && !self.take_symbol("=") {
                return Err(self.expected("`:=` and the default value"));
            }
            let value = self.term()?;
            let bodies = vec![(Query::default(), Some(value))];
            return Ok(Rule { span: start, kind: RuleKind::Default, head, arguments, element: None, bodies });
        }
        let head = self.reference()?;
        let is_function = self.is_adjacent() && self.take_symbol("(");
        let arguments = if is_function { self.list(")")? } else { Vec::new() };
        let element = if !is_function && self.take_word("contains") { Some(self.term_in()?) } else { None };
        let value = self.value()?;
        let mut bodies = vec![(self.body()?, value)];
        while self.take_word("else") {
            let value = self.value()?;
            bodies.push((self.body()?, value));
        }
        let kind = match &head.kind {
            _ if is_function => RuleKind::Function,
            _ if element.is_some() => RuleKind::Set,
            ExprKind::Variable(_) => RuleKind::Value,
            _ => RuleKind::Object,
        };
        if !self.is_on_new_line() && !self.is_symbol(";") && self.token().kind != TokenKind::End {
            return Err(self.expected("`if`, `contains`, `:=`, or the next rule on a new line"));
        }
        Ok(Rule { span: start, kind, head, arguments, element, bodies })
    }

    /// Parses the value of a rule, if it has one.
    fn value(&mut self) -> Parsed<Option<Expr>> {
        if self.take_symbol(":=") || self.take_symbol("=") { self.term_in().map(Some) } else { Ok(None) }
    }

    /// Parses `if` and a body; an empty one if it is missing.
    fn body(&mut self) -> Parsed<Query> {
        if !self.take_word("if") {
            return Ok(Query::default());
        }
        if !self.is_symbol("{") {
            return Ok(Query { statements: vec![self.statement()?] });
        }
        let (position, nesting) = (self.position, self.nesting);
        self.position = self.position.saturating_add(1);
        let queried = self.nested(|parser| parser.query("}"));
        let is_whole =
            self.is_on_new_line() || self.is_word("else") || self.token().kind == TokenKind::End || self.is_symbol(";");
        match queried {
            Ok(query) if is_whole => Ok(query),
            queried => {
                // An object or a set instead of a body.
                (self.position, self.nesting) = (position, nesting);
                let statement = self.statement();
                statement
                    .map(|statement| Query { statements: vec![statement] })
                    .map_err(|failure| queried.err().unwrap_or(failure))
            }
        }
    }

    /// Parses statements up to a closing symbol.
    fn query(&mut self, closing: &str) -> Parsed<Query> {
        let mut statements = Vec::new();
        loop {
            while self.take_symbol(";") {}
            if self.take_symbol(closing) {
                if statements.is_empty() {
                    return Err((self.token().span.clone(), "a body must have a statement".into()));
                }
                return Ok(Query { statements });
            }
            statements.push(self.within(false, Self::statement)?);
            if !self.is_symbol(";") && !self.is_symbol(closing) && !self.is_on_new_line() {
                return Err(self.expected(&format!("`;`, a new line or `{closing}`")));
            }
        }
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let kind = self.statement_kind()?;
        let mut with = Vec::new();
        while self.take_word("with") {
            let target = self.reference()?;
            if !self.take_word("as") {
                return Err(self.expected("`as`"));
            }
            with.push((target, self.nested(Self::term_in)?));
        }
        Ok(Statement { kind, with })
    }

    fn statement_kind(&mut self) -> Parsed<StatementKind> {
        if self.take_word("not") {
            return self.nested(Self::expression).map(StatementKind::Not);
        }
        if self.take_word("some") {
            return self.some();
        }
        if self.take_word("every") {
            let first = self.name("a variable")?;
            let second = if self.take_symbol(",") { Some(self.name("a variable")?) } else { None };
            if !self.take_word("in") {
                return Err(self.expected("`in`"));
            }
            let domain = self.nested(Self::relation)?;
            self.require("{")?;
            let query = self.nested(|parser| parser.query("}"))?;
            let (key, value) = match second {
                Some(value) => (Some(first), value),
                None => (None, first),
            };
            return Ok(StatementKind::Every(key, value, domain, query));
        }
        self.nested(Self::expression).map(StatementKind::Expr)
    }

    fn some(&mut self) -> Parsed<StatementKind> {
        let mut terms = vec![self.nested(Self::relation)?];
        while self.take_symbol(",") {
            terms.push(self.nested(Self::relation)?);
        }
        if self.take_word("in") {
            let collection = self.nested(Self::relation)?;
            return match <[Expr; 2]>::try_from(terms) {
                Ok([key, value]) => Ok(StatementKind::SomeIn(Some(key), value, collection)),
                Err(mut terms) => match terms.pop().filter(|_| terms.is_empty()) {
                    Some(value) => Ok(StatementKind::SomeIn(None, value, collection)),
                    None => Err((collection.span, "`some … in` has a value, or a key and a value".into())),
                },
            };
        }
        let names = terms.into_iter().map(|term| match term.kind {
            ExprKind::Variable(name) => Ok(name),
            _ => Err((term.span, "expected the name of a variable".to_owned())),
        });
        names.collect::<Parsed<_>>().map(StatementKind::Some)
    }

    /// Parses what a statement is: a term, an assignment or a unification.
    fn expression(&mut self) -> Parsed<Expr> {
        let start = self.token().span.clone();
        let left = self.term_in()?;
        let is_assignment = self.take_symbol(":=");
        if !is_assignment && !self.take_symbol("=") {
            return Ok(left);
        }
        let right = self.nested(Self::term_in)?;
        let depths = [left.depth, right.depth];
        let (left, right) = (Box::new(left), Box::new(right));
        let kind = if is_assignment { ExprKind::Assignment(left, right) } else { ExprKind::Unification(left, right) };
        self.expr(&start, kind, &depths)
    }

    /// Parses a term with `in`, also with a key as in `1, "a" in ["b", "a"]`.
    fn term_in(&mut self) -> Parsed<Expr> {
        let start = self.token().span.clone();
        let first = self.nested(Self::relation)?;
        self.membership(&start, first)
    }

    /// Parses what can follow a term before and after `in`.
    fn membership(&mut self, start: &Span, first: Expr) -> Parsed<Expr> {
        let (key, mut value) = match self.second_before_in()? {
            Some(value) => (Some(Box::new(first)), value),
            None => (None, first),
        };
        let mut key = key;
        while self.take_word("in") {
            let collection = self.nested(Self::relation)?;
            let depths = [key.as_ref().map_or(0, |key| key.depth), value.depth, collection.depth];
            value =
                self.expr(start, ExprKind::Membership(key.take(), Box::new(value), Box::new(collection)), &depths)?;
        }
        Ok(value)
    }

    /// Parses `, value` if `in` follows; otherwise nothing.
    fn second_before_in(&mut self) -> Parsed<Option<Expr>> {
        if !self.is_symbol(",") || self.is_list {
            return Ok(None);
        }
        let position = self.position;
        self.position = self.position.saturating_add(1);
        match self.nested(Self::relation) {
            Ok(value) if self.is_word("in") => Ok(Some(value)),
            _ => {
                self.position = position;
                Ok(None)
            }
        }
    }

    fn relation(&mut self) -> Parsed<Expr> {
        let start = self.token().span.clone();
        let left = self.union(true)?;
        self.comparisons(&start, left)
    }

    /// Parses the comparisons that can follow a term.
    fn comparisons(&mut self, start: &Span, mut left: Expr) -> Parsed<Expr> {
        loop {
            let comparison = match &self.token().kind {
                TokenKind::Symbol("==" | "!=") => Comparison::Equal,
                TokenKind::Symbol("<" | "<=" | ">" | ">=") => Comparison::Ordered,
                _ => return Ok(left),
            };
            self.position = self.position.saturating_add(1);
            let right = self.union(true)?;
            let depths = [left.depth, right.depth];
            left = self.expr(start, ExprKind::Comparison(Box::new(left), comparison, Box::new(right)), &depths)?;
        }
    }

    /// Parses `|` of sets, unless it introduces a comprehension's query.
    fn union(&mut self, with_union: bool) -> Parsed<Expr> {
        let start = self.token().span.clone();
        let mut left = self.intersection()?;
        while with_union && self.take_symbol("|") {
            let right = self.intersection()?;
            let depths = [left.depth, right.depth];
            left = self.expr(&start, ExprKind::SetOperation(Box::new(left), Box::new(right)), &depths)?;
        }
        Ok(left)
    }

    fn intersection(&mut self) -> Parsed<Expr> {
        let start = self.token().span.clone();
        let mut left = self.sum()?;
        while self.take_symbol("&") {
            let right = self.sum()?;
            let depths = [left.depth, right.depth];
            left = self.expr(&start, ExprKind::SetOperation(Box::new(left), Box::new(right)), &depths)?;
        }
        Ok(left)
    }

    fn sum(&mut self) -> Parsed<Expr> {
        let start = self.token().span.clone();
        let mut left = self.product()?;
        loop {
            let operation = match &self.token().kind {
                TokenKind::Symbol("+") => Arithmetic::Other,
                TokenKind::Symbol("-") => Arithmetic::Subtraction,
                _ => return Ok(left),
            };
            self.position = self.position.saturating_add(1);
            let right = self.product()?;
            let depths = [left.depth, right.depth];
            left = self.expr(&start, ExprKind::Arithmetic(Box::new(left), operation, Box::new(right)), &depths)?;
        }
    }

    fn product(&mut self) -> Parsed<Expr> {
        let start = self.token().span.clone();
        let mut left = self.nested(Self::term)?;
        while matches!(&self.token().kind, TokenKind::Symbol("*" | "/" | "%")) {
            self.position = self.position.saturating_add(1);
            let right = self.nested(Self::term)?;
            let depths = [left.depth, right.depth];
            left =
                self.expr(&start, ExprKind::Arithmetic(Box::new(left), Arithmetic::Other, Box::new(right)), &depths)?;
        }
        Ok(left)
    }

    /// Parses a term with its fields, indices and calls.
    fn term(&mut self) -> Parsed<Expr> {
        let start = self.token().span.clone();
        let mut expr = self.plain_term()?;
        while self.is_adjacent() {
            if self.is_symbol(".") || self.is_symbol("[") {
                expr = self.step(&start, expr)?;
            } else if self.is_symbol("(") && expr.static_path().is_some() {
                self.position = self.position.saturating_add(1);
                let arguments = self.nested(|parser| parser.list(")"))?;
                let deepest = arguments.iter().map(|argument| argument.depth).max().unwrap_or(0);
                let depths = [expr.depth, deepest];
                // `set()` is the empty set.
                let is_set = arguments.is_empty() && matches!(&expr.kind, ExprKind::Variable(name) if name == "set");
                let kind = if is_set { ExprKind::Set(Vec::new()) } else { ExprKind::Call(Box::new(expr), arguments) };
                expr = self.expr(&start, kind, &depths)?;
            } else {
                break;
            }
        }
        Ok(expr)
    }

    fn plain_term(&mut self) -> Parsed<Expr> {
        let token = self.token().clone();
        let start = token.span.clone();
        match token.kind {
            TokenKind::String(value) => {
                self.position = self.position.saturating_add(1);
                self.expr(&start, ExprKind::String(value), &[])
            }
            TokenKind::Number => {
                self.position = self.position.saturating_add(1);
                self.expr(&start, ExprKind::Number, &[])
            }
            TokenKind::Word => {
                let kind = match start.as_str() {
                    "true" | "false" => ExprKind::Boolean,
                    "null" => ExprKind::Null,
                    word if KEYWORDS.contains(&word) => return Err(self.expected("a value")),
                    word => ExprKind::Variable(word.to_owned()),
                };
                self.position = self.position.saturating_add(1);
                self.expr(&start, kind, &[])
            }
            TokenKind::Symbol("(") => {
                self.position = self.position.saturating_add(1);
                let inner = self.within(false, |parser| parser.nested(Self::expression))?;
                self.require(")")?;
                let depth = inner.depth;
                self.expr(&start, inner.kind, &[depth.saturating_sub(1)])
            }
            TokenKind::Symbol("-") => {
                self.position = self.position.saturating_add(1);
                let operand = self.nested(Self::term)?;
                let depth = operand.depth;
                self.expr(&start, ExprKind::Negative(Box::new(operand)), &[depth])
            }
            TokenKind::Symbol("[") => {
                self.position = self.position.saturating_add(1);
                self.nested(|parser| parser.within(true, |parser| parser.array(&start)))
            }
            TokenKind::Symbol("{") => {
                self.position = self.position.saturating_add(1);
                self.nested(|parser| parser.within(true, |parser| parser.braces(&start)))
            }
            _ => Err(self.expected("a value")),
        }
    }

    /// Parses elements up to a closing symbol.
    fn list(&mut self, closing: &str) -> Parsed<Vec<Expr>> {
        let mut elements = Vec::new();
        loop {
            if self.take_symbol(closing) {
                return Ok(elements);
            }
            elements.push(self.within(true, |parser| parser.nested(Self::term_in))?);
            if !self.is_symbol(closing) {
                self.require(",")?;
            }
        }
    }

    /// Parses the first element of a collection, after which `|` introduces a query.
    fn first_element(&mut self) -> Parsed<Expr> {
        let start = self.token().span.clone();
        let element = self.union(false)?;
        if self.is_symbol("|") {
            return Ok(element);
        }
        let element = self.comparisons(&start, element)?;
        self.membership(&start, element)
    }

    fn array(&mut self, start: &Span) -> Parsed<Expr> {
        if self.take_symbol("]") {
            return self.expr(start, ExprKind::Array(Vec::new()), &[]);
        }
        let first = self.first_element()?;
        if self.take_symbol("|") {
            let depth = first.depth;
            let query = self.query("]")?;
            return self.expr(start, ExprKind::ArrayComprehension(Box::new(first), query), &[depth]);
        }
        let elements = self.elements(first, "]")?;
        let depth = deepest(&elements);
        self.expr(start, ExprKind::Array(elements), &[depth])
    }

    fn elements(&mut self, first: Expr, closing: &str) -> Parsed<Vec<Expr>> {
        let mut elements = vec![first];
        if !self.is_symbol(closing) {
            self.require(",")?;
        }
        elements.extend(self.list(closing)?);
        Ok(elements)
    }

    fn braces(&mut self, start: &Span) -> Parsed<Expr> {
        if self.take_symbol("}") {
            return self.expr(start, ExprKind::Object(Vec::new()), &[]);
        }
        let first = self.first_element()?;
        if self.take_symbol(":") {
            return self.object(start, first);
        }
        if self.take_symbol("|") {
            let depth = first.depth;
            let query = self.query("}")?;
            return self.expr(start, ExprKind::SetComprehension(Box::new(first), query), &[depth]);
        }
        let elements = self.elements(first, "}")?;
        let depth = deepest(&elements);
        self.expr(start, ExprKind::Set(elements), &[depth])
    }

    fn object(&mut self, start: &Span, key: Expr) -> Parsed<Expr> {
        let value = self.first_element()?;
        if self.take_symbol("|") {
            let depths = [key.depth, value.depth];
            let query = self.query("}")?;
            return self.expr(start, ExprKind::ObjectComprehension(Box::new(key), Box::new(value), query), &depths);
        }
        let mut fields = vec![(key, value)];
        loop {
            if !self.is_symbol("}") {
                self.require(",")?;
            }
            if self.take_symbol("}") {
                let depth = fields.iter().map(|(key, value)| key.depth.max(value.depth)).max().unwrap_or(0);
                return self.expr(start, ExprKind::Object(fields), &[depth]);
            }
            let key = self.nested(|parser| parser.union(true))?;
            self.require(":")?;
            fields.push((key, self.nested(Self::term_in)?));
        }
    }
}

fn deepest(elements: &[Expr]) -> usize {
    elements.iter().map(|element| element.depth).max().unwrap_or(0)
}
