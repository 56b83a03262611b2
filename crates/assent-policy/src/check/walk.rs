//! Walks every expression of the rules: its type, what it refers to, and what must be changed.

use super::{
    Finding, calls,
    program::Program,
    recursion::Graph,
    syntax::{Arithmetic, Comparison, Expr, ExprKind, Import, Query, Rule, RuleKind, Span, Statement, StatementKind},
    types::{Text, Type},
};
use std::collections::{BTreeMap, BTreeSet};

/// The longest piece of a rule that a message quotes.
const QUOTED: usize = 60;

/// What rules can refer to, with its types.
#[derive(Debug)]
pub(super) struct Environment {
    pub(super) input: Type,
    pub(super) parameters: Type,
    pub(super) sources: BTreeMap<String, Type>,
    pub(super) functions: BTreeSet<String>,
    pub(super) signatures: BTreeSet<String>,
}

/// A walk over all rules.
pub(super) struct Walker<'a> {
    program: &'a Program,
    environment: &'a Environment,
    findings: Vec<Finding>,
    graph: Graph,
    /// The types of rules; nothing while one is being worked out.
    types: BTreeMap<String, Option<Type>>,
    /// The module and the rule that are being walked.
    module: usize,
    rule: String,
    scopes: Vec<BTreeMap<String, Type>>,
    /// Types are asked for, and findings are not reported.
    is_quiet: bool,
}

/// A part of a reference after its root.
enum Step<'a> {
    Field(String, &'a Span),
    Index(&'a Expr),
}

impl<'a> Walker<'a> {
    pub(super) fn new(program: &'a Program, environment: &'a Environment) -> Self {
        Self {
            program,
            environment,
            findings: Vec::new(),
            graph: Graph::default(),
            types: BTreeMap::new(),
            module: 0,
            rule: String::new(),
            scopes: Vec::new(),
            is_quiet: false,
        }
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// Walks every module and rule.
    pub(super) fn walk(&mut self) {
        let program = self.program;
        for (index, info) in program.modules.iter().enumerate() {
            self.module = index;
            for import in &info.imports {
                self.import(import);
            }
        }
        for (package, rules) in &program.packages {
            for (name, info) in rules {
                for (module, rule) in &info.definitions {
                    (self.module, self.rule) = (*module, format!("{package}.{name}"));
                    self.definition(rule);
                }
            }
        }
        for (package, rules) in &program.packages {
            for (name, info) in rules {
                let Some((module, rule)) = info.definitions.first() else { continue };
                if let Some(circle) = self.graph.circle_of(&format!("{package}.{name}")) {
                    self.module = *module;
                    let circle = circle.join(" → ");
                    self.report(&rule.span, format!("the rule refers to itself ({circle}); Rego has no recursion"));
                }
            }
        }
    }

    fn import(&mut self, import: &Import) {
        let path = import.path.iter().map(String::as_str).collect::<Vec<_>>();
        match path.as_slice() {
            ["rego", "v1"] | ["future", "keywords", ..] | ["input", ..] => {}
            ["data", ..] => {
                self.path(&import.path, &[], &import.span);
            }
            _ => {
                let message = format!("`{}` cannot be imported; import packages of this policy", path.join("."));
                self.report(&import.span, message);
            }
        }
    }

    /// Walks one definition of a rule.
    fn definition(&mut self, rule: &Rule) {
        self.scopes.push(BTreeMap::new());
        for argument in &rule.arguments {
            self.bind(argument, &Type::Unknown);
        }
        for (query, value) in &rule.bodies {
            self.scopes.push(BTreeMap::new());
            self.query(query);
            if let Some(element) = &rule.element {
                let ty = self.type_of(element);
                if let Some(kind) = ty.kind().filter(|kind| rule.name() == "deny" && *kind != "a string") {
                    self.report(&element.span, format!("a message of `deny` must be a string, not {kind}"));
                }
            }
            for step in steps(&rule.head).1 {
                if let Step::Index(index) = step {
                    self.type_of(index);
                }
            }
            if let Some(value) = value {
                self.type_of(value);
            }
            self.scopes.pop();
        }
        self.scopes.pop();
    }

    /// Walks a query in the innermost scope.
    fn query(&mut self, query: &Query) {
        for statement in &query.statements {
            self.declare(statement);
        }
        let is_quiet = core::mem::replace(&mut self.is_quiet, true);
        // Twice: statements can use what later ones assign.
        for _ in 0..2 {
            for statement in &query.statements {
                self.assign(statement);
            }
        }
        self.is_quiet = is_quiet;
        if self.is_quiet {
            return;
        }
        for statement in &query.statements {
            self.statement(statement);
        }
    }

    /// Declares the variables that a statement declares.
    fn declare(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Some(names) => {
                for name in names {
                    self.declare_name(name, Type::Unknown);
                }
            }
            StatementKind::SomeIn(key, value, _) => {
                for pattern in key.iter().chain([value]) {
                    self.bind(pattern, &Type::Unknown);
                }
            }
            StatementKind::Expr(expr) => {
                if let ExprKind::Assignment(left, _) = &expr.kind {
                    self.bind(left, &Type::Unknown);
                }
            }
            StatementKind::Not(_) | StatementKind::Every(..) => {}
        }
    }

    /// Gives the variables that a statement assigns their types.
    fn assign(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::SomeIn(key, value, collection) => {
                let ty = self.type_of(collection);
                if let Some(key) = key {
                    let is_object = matches!(ty, Type::Object(..));
                    self.bind(key, &if is_object { Type::Text(Text::Any) } else { Type::Unknown });
                }
                self.bind(value, &ty.element());
            }
            StatementKind::Expr(expr) => {
                if let ExprKind::Assignment(left, right) | ExprKind::Unification(left, right) = &expr.kind {
                    let ty = self.type_of(right);
                    if self.is_local(left) {
                        self.bind(left, &ty);
                    }
                }
            }
            StatementKind::Some(_) | StatementKind::Not(_) | StatementKind::Every(..) => {}
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Some(_) => {}
            StatementKind::SomeIn(_, _, collection) => {
                self.type_of(collection);
            }
            StatementKind::Expr(expr) | StatementKind::Not(expr) => {
                self.type_of(expr);
            }
            StatementKind::Every(key, value, domain, query) => {
                let ty = self.type_of(domain);
                self.scopes.push(BTreeMap::new());
                if let Some(key) = key {
                    self.declare_name(key, Type::Unknown);
                }
                self.declare_name(value, ty.element());
                self.query(query);
                self.scopes.pop();
            }
        }
        for (_, replacement) in &statement.with {
            self.type_of(replacement);
        }
    }

    /// Returns the type of an expression, and reports what must be changed in it.
    fn type_of(&mut self, expr: &Expr) -> Type {
        match &expr.kind {
            ExprKind::String(text) => Type::literal(text),
            ExprKind::Number => {
                if expr.span.as_str().contains(['.', 'e', 'E']) {
                    let written = quote(&expr.span);
                    let message = format!("{written} is not written as an integer; write amounts in the smallest unit");
                    self.report(&expr.span, message);
                }
                Type::Number
            }
            ExprKind::Boolean => Type::Boolean,
            ExprKind::Null => Type::Null,
            ExprKind::Array(items) => Type::Array(Box::new(self.join(items))),
            ExprKind::Set(items) => Type::Set(Box::new(self.join(items))),
            ExprKind::Object(fields) => {
                let mut known = BTreeMap::new();
                for (key, value) in fields {
                    let (key, value) = (self.type_of(key), self.type_of(value));
                    if let Type::Text(Text::Literals(keys)) = key {
                        known.extend(keys.into_iter().map(|key| (key, value.clone())));
                    }
                }
                Type::Object(known, Some(Box::new(Type::Unknown)))
            }
            ExprKind::ArrayComprehension(term, query) => Type::Array(Box::new(self.comprehension(query, &[term]))),
            ExprKind::SetComprehension(term, query) => Type::Set(Box::new(self.comprehension(query, &[term]))),
            ExprKind::ObjectComprehension(key, value, query) => {
                Type::Object(BTreeMap::new(), Some(Box::new(self.comprehension(query, &[key, value]))))
            }
            ExprKind::Call(function, arguments) => self.call(&expr.span, function, arguments),
            ExprKind::Negative(operand) => {
                self.type_of(operand);
                Type::Number
            }
            ExprKind::Variable(_) | ExprKind::Field(..) | ExprKind::Index(..) => self.reference(expr),
            ExprKind::SetOperation(left, right) => {
                let (left, right) = (self.type_of(left), self.type_of(right));
                Type::Set(Box::new(left.element().join(right.element())))
            }
            ExprKind::Comparison(left, comparison, right) => {
                let (left_type, right_type) = (self.type_of(left), self.type_of(right));
                let is_ordered = *comparison == Comparison::Ordered;
                self.compare(&expr.span, (left, &left_type), (right, &right_type), is_ordered);
                Type::Boolean
            }
            ExprKind::Arithmetic(left, operation, right) => self.arithmetic(*operation, left, right),
            ExprKind::Assignment(left, right) => {
                let ty = self.type_of(right);
                self.bind(left, &ty);
                Type::Boolean
            }
            ExprKind::Unification(left, right) => {
                let ty = self.type_of(right);
                if self.is_local(left) {
                    self.bind(left, &ty);
                } else {
                    let left_type = self.type_of(left);
                    self.compare(&expr.span, (left, &left_type), (right, &ty), false);
                }
                Type::Boolean
            }
            ExprKind::Membership(key, value, collection) => {
                let elements = self.type_of(collection).element();
                if let Some(key) = key {
                    self.type_of(key);
                }
                let value_type = self.type_of(value);
                self.compare(&expr.span, (value, &value_type), (collection, &elements), false);
                Type::Boolean
            }
        }
    }

    fn join(&mut self, items: &[Expr]) -> Type {
        let types = items.iter().map(|item| self.type_of(item)).collect::<Vec<_>>();
        Type::join_all(types)
    }

    /// Walks a comprehension, and returns the type of the last term.
    fn comprehension(&mut self, query: &Query, terms: &[&Expr]) -> Type {
        // Quiet walks do not enter: a walk for each level of nesting would double their number.
        if self.is_quiet {
            return Type::Unknown;
        }
        self.scopes.push(BTreeMap::new());
        self.query(query);
        let mut ty = Type::Unknown;
        for term in terms {
            ty = self.type_of(term);
        }
        self.scopes.pop();
        ty
    }

    fn arithmetic(&mut self, operation: Arithmetic, lhs: &Expr, rhs: &Expr) -> Type {
        let (left, right) = (self.type_of(lhs), self.type_of(rhs));
        for (expr, ty) in [(lhs, &left), (rhs, &right)] {
            let is_set = operation == Arithmetic::Subtraction && matches!(ty, Type::Set(_));
            if let Some(kind) = ty.kind().filter(|kind| *kind != "a number" && !is_set) {
                let message = format!(
                    "{} is {kind}, and there is no arithmetic with it; {}",
                    quote(&expr.span),
                    as_number(expr, ty)
                );
                self.report(&expr.span, message);
            }
        }
        match (operation, &left) {
            (Arithmetic::Subtraction, Type::Set(_) | Type::Unknown) => left,
            _ => Type::Number,
        }
    }

    /// Reports a comparison that always has the same result.
    fn compare(&mut self, span: &Span, left: (&Expr, &Type), right: (&Expr, &Type), is_ordered: bool) {
        let (Some(left_kind), Some(right_kind)) = (left.1.kind(), right.1.kind()) else { return };
        let is_null = [left_kind, right_kind].contains(&"null");
        if left_kind != right_kind && (!is_null || is_ordered) {
            let remedy = match (left_kind, right_kind) {
                ("a string", "a number") => as_number(left.0, left.1),
                ("a number", "a string") => as_number(right.0, right.1),
                _ => "compare values of one type".into(),
            };
            let (left, right) = (quote(&left.0.span), quote(&right.0.span));
            return self.report(
                span,
                format!(
                    "{left} is {left_kind} and {right} {right_kind}, so that the result is always the same; {remedy}"
                ),
            );
        }
        let (Type::Text(left_text), Type::Text(right_text)) = (left.1, right.1) else { return };
        self.compare_texts(left_text, right);
        self.compare_texts(right_text, left);
    }

    /// Reports text that can never be equal to text of some form.
    fn compare_texts(&mut self, form: &Text, (expr, ty): (&Expr, &Type)) {
        let Type::Text(text) = ty else { return };
        let span = &expr.span;
        let literals = match text {
            Text::Plain if matches!(form, Text::Address | Text::Bytes) => {
                let format = if *form == Text::Address { "address" } else { "bytes" };
                let message = format!(
                    "{} is a string without format, whose letters can be of either case; give it \"format\": \
                     {format:?} in its schema",
                    quote(span)
                );
                return self.report(span, message);
            }
            Text::Literals(literals) => literals,
            _ => return,
        };
        for literal in literals {
            let digits = literal.strip_prefix("0x").unwrap_or_default();
            let is_lower =
                digits.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)) && literal.starts_with("0x");
            let message = match form {
                Text::Address if digits.len() == 40 && is_lower => continue,
                Text::Address => format!(
                    "{literal:?} is never equal to an address; write 0x and 40 lower-case hex digits{}",
                    lower(literal)
                ),
                Text::Bytes if is_lower && digits.len().is_multiple_of(2) => continue,
                Text::Bytes => {
                    format!("{literal:?} is never equal to bytes; write 0x and lower-case hex digits{}", lower(literal))
                }
                Text::Function if self.environment.functions.contains(literal) => continue,
                Text::Function => format!(
                    "policy.json names no function {literal:?}, so that calls of it are denied before; add it to \
                     `functions`, or write one of {}",
                    list(&self.environment.functions)
                ),
                Text::Signature if self.environment.signatures.contains(literal) => continue,
                Text::Signature => format!(
                    "policy.json names no function with the signature {literal:?}; write one of {}",
                    list(&self.environment.signatures)
                ),
                Text::Any | Text::Literals(_) | Text::Plain => continue,
            };
            self.report(span, message);
        }
    }

    fn call(&mut self, span: &Span, function: &Expr, parameters: &[Expr]) -> Type {
        let types = parameters.iter().map(|parameter| self.type_of(parameter)).collect::<Vec<_>>();
        let Some(path) = function.static_path() else { return Type::Unknown };
        let name = path.join(".");
        if let Some(instead) = calls::refusal(&name) {
            self.report(&function.span, format!("`{name}` is refused: {instead}"));
            return Type::Unknown;
        }
        if let Some(rule) = self.function_rule(&path) {
            self.graph.add(&self.rule.clone(), &rule);
            return Type::Unknown;
        }
        let Some(ty) = calls::result(&name) else {
            self.report(
                &function.span,
                format!("there is no function `{name}`; docs/policy-reference.md lists the builtin ones"),
            );
            return Type::Unknown;
        };
        if let ("to_number", [Type::Number]) = (name.as_str(), types.as_slice()) {
            self.report(
                span,
                format!(
                    "{} is a number already; leave out `to_number`",
                    parameters.first().map(|parameter| quote(&parameter.span)).unwrap_or_default()
                ),
            );
        }
        ty
    }

    /// Returns the path of the function of the policy that a call names.
    fn function_rule(&self, path: &[String]) -> Option<String> {
        let info = self.program.modules.get(self.module)?;
        let (first, rest) = path.split_first()?;
        let full = match (info.names.get(first), rest) {
            (Some(import), _) => [import.as_slice(), rest].concat(),
            (None, []) => {
                let rules = self.program.siblings(info)?;
                return rules.contains_key(first).then(|| format!("{}.{first}", info.package.join(".")));
            }
            (None, _) => path.to_vec(),
        };
        let (name, package) = full.strip_prefix(&["data".to_owned()])?.split_last()?;
        let package = package.join(".");
        self.program.packages.get(&package)?.contains_key(name).then(|| format!("{package}.{name}"))
    }

    fn reference(&mut self, expr: &Expr) -> Type {
        let (root, steps) = steps(expr);
        let ExprKind::Variable(name) = &root.kind else {
            let ty = self.type_of(root);
            return self.follow(ty, &steps);
        };
        if let Some(ty) = self.scopes.iter().rev().find_map(|scope| scope.get(name)) {
            let ty = ty.clone();
            return self.follow(ty, &steps);
        }
        let program = self.program;
        let Some(info) = program.modules.get(self.module) else { return Type::Unknown };
        let path = match info.names.get(name) {
            Some(import) => import.clone(),
            None if name == "input" || name == "data" => vec![name.clone()],
            None if program.siblings(info).is_some_and(|rules| rules.contains_key(name)) => {
                ["data".to_owned()].iter().chain(&info.package).chain([name]).cloned().collect()
            }
            // A variable that the query finds values for.
            None => {
                self.declare_name(name, Type::Unknown);
                return self.follow(Type::Unknown, &steps);
            }
        };
        self.path(&path, &steps, &root.span)
    }

    /// Follows a path from `input` or `data`.
    fn path(&mut self, path: &[String], steps: &[Step<'_>], span: &Span) -> Type {
        let fixed = path.iter().map(|part| Step::Field(part.clone(), span)).collect::<Vec<_>>();
        let all = fixed.iter().chain(steps).collect::<Vec<_>>();
        match all.as_slice() {
            [Step::Field(root, _), rest @ ..] if root == "input" => {
                self.follow_all(self.environment.input.clone(), rest, "input")
            }
            [Step::Field(root, _), rest @ ..] if root == "data" => self.data(rest, span),
            _ => Type::Unknown,
        }
    }

    fn data(&mut self, steps: &[&Step<'_>], span: &Span) -> Type {
        match steps {
            [Step::Field(name, _), rest @ ..] if name == "params" => {
                self.follow_all(self.environment.parameters.clone(), rest, "data.params")
            }
            [Step::Field(name, _), rest @ ..] if name == "wasm" => {
                let sources = Type::Object(self.environment.sources.clone(), None);
                self.follow_all(sources, rest, "data.wasm")
            }
            [Step::Field(name, span), ..] if name == "private" => {
                self.report(span, "`data.private` is reserved, and empty: private data comes later".into());
                Type::Unknown
            }
            _ => self.package(steps, span),
        }
    }

    /// Follows a path to a package and its rules.
    fn package(&mut self, steps: &[&Step<'_>], span: &Span) -> Type {
        let names = steps.iter().map_while(|step| match step {
            Step::Field(name, _) => Some(name.as_str()),
            Step::Index(_) => None,
        });
        let names = names.collect::<Vec<_>>();
        for length in (1..=names.len()).rev() {
            let package = names.get(..length).unwrap_or_default().join(".");
            let Some(rules) = self.program.packages.get(&package) else { continue };
            let Some(name) = names.get(length) else { break };
            if !rules.contains_key(*name) {
                let known = list(&rules.keys().cloned().collect());
                self.report(span, format!("the package `{package}` has no rule `{name}`; it has {known}"));
                return Type::Unknown;
            }
            let rule = format!("{package}.{name}");
            self.graph.add(&self.rule.clone(), &rule);
            let ty = self.rule_type(&package, name);
            let rest = steps.get(length.saturating_add(1)..).unwrap_or_default();
            return self.follow_all(ty, rest, "");
        }
        let below = self.program.rules_below(&names.join("."));
        if below.is_empty() {
            let message = format!(
                "`data.{}` is not defined: parameters are in `data.params`, sources in `data.wasm`, and rules in \
                 their packages",
                names.join(".")
            );
            self.report(span, message);
        }
        for rule in below {
            self.graph.add(&self.rule.clone(), &rule);
        }
        for step in steps {
            if let Step::Index(index) = step {
                self.type_of(index);
            }
        }
        Type::Unknown
    }

    fn follow(&mut self, ty: Type, steps: &[Step<'_>]) -> Type {
        self.follow_all(ty, &steps.iter().collect::<Vec<_>>(), "")
    }

    /// Follows fields and elements. A field that a known object does not have is reported.
    fn follow_all(&mut self, mut ty: Type, steps: &[&Step<'_>], known_as: &str) -> Type {
        let mut known_as = known_as.to_owned();
        for step in steps {
            match step {
                Step::Field(name, span) => {
                    let Some(field) = ty.field(name) else {
                        if !known_as.is_empty() {
                            self.report(span, undefined(&known_as, name, &ty));
                        }
                        return self.follow_all(Type::Unknown, &[], "");
                    };
                    ty = field;
                    if !known_as.is_empty() {
                        known_as = format!("{known_as}.{name}");
                    }
                }
                Step::Index(index) => {
                    self.type_of(index);
                    ty = ty.element();
                    known_as = String::new();
                }
            }
        }
        ty
    }

    /// Returns the type of a rule's value.
    fn rule_type(&mut self, package: &str, name: &str) -> Type {
        let rule = format!("{package}.{name}");
        if let Some(known) = self.types.get(&rule) {
            return known.clone().unwrap_or(Type::Unknown);
        }
        self.types.insert(rule.clone(), None);
        let program = self.program;
        let Some(info) = program.packages.get(package).and_then(|rules| rules.get(name)) else { return Type::Unknown };
        let scopes = core::mem::take(&mut self.scopes);
        let (module, current, is_quiet) = (self.module, core::mem::take(&mut self.rule), self.is_quiet);
        self.is_quiet = true;
        let mut values = Vec::new();
        for (module, definition) in &info.definitions {
            // What another rule refers to is not what this one does.
            (self.module, self.rule) = (*module, rule.clone());
            self.values(definition, &mut values);
        }
        (self.module, self.rule, self.is_quiet, self.scopes) = (module, current, is_quiet, scopes);
        let ty = match info.kind() {
            RuleKind::Value | RuleKind::Default => Type::join_all(values),
            RuleKind::Set => Type::Set(Box::new(Type::join_all(values))),
            RuleKind::Object => Type::Object(BTreeMap::new(), Some(Box::new(Type::Unknown))),
            RuleKind::Function => Type::Unknown,
        };
        self.types.insert(rule, Some(ty.clone()));
        ty
    }

    /// Collects the types of the values that a definition gives.
    fn values(&mut self, rule: &Rule, values: &mut Vec<Type>) {
        for (query, value) in &rule.bodies {
            self.scopes.push(BTreeMap::new());
            self.query(query);
            values.push(match rule.element.as_ref().or(value.as_ref()) {
                Some(value) => self.type_of(value),
                None => Type::Boolean,
            });
            self.scopes.pop();
        }
    }

    /// Returns whether an expression is a variable of the rule, and not a name of the module.
    fn is_local(&self, expr: &Expr) -> bool {
        let ExprKind::Variable(name) = &expr.kind else { return false };
        if self.scopes.iter().any(|scope| scope.contains_key(name)) {
            return true;
        }
        let Some(info) = self.program.modules.get(self.module) else { return true };
        let is_rule = self.program.siblings(info).is_some_and(|rules| rules.contains_key(name));
        !is_rule && !info.names.contains_key(name) && name != "input" && name != "data"
    }

    /// Binds the variables of a pattern.
    fn bind(&mut self, pattern: &Expr, ty: &Type) {
        match &pattern.kind {
            ExprKind::Variable(name) => self.declare_name(name, ty.clone()),
            ExprKind::Array(items) => {
                for item in items {
                    self.bind(item, &ty.element());
                }
            }
            ExprKind::Object(fields) => {
                for (_, value) in fields {
                    self.bind(value, &Type::Unknown);
                }
            }
            _ => {}
        }
    }

    fn declare_name(&mut self, name: &str, ty: Type) {
        if name == "_" {
            return;
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_owned(), ty);
        }
    }

    fn report(&mut self, span: &Span, message: String) {
        if self.is_quiet {
            return;
        }
        let file = self.program.modules.get(self.module).map(|info| info.file.clone()).unwrap_or_default();
        self.findings.push(Finding { file, line: span.line, column: span.column, message });
    }
}

/// Returns the root of a reference, and the steps from it.
fn steps(expr: &Expr) -> (&Expr, Vec<Step<'_>>) {
    let (mut expr, mut steps) = (expr, Vec::new());
    loop {
        match &expr.kind {
            ExprKind::Field(base, name, span) => {
                steps.push(Step::Field(name.clone(), span));
                expr = base;
            }
            ExprKind::Index(base, index) => {
                steps.push(match &index.kind {
                    ExprKind::String(text) => Step::Field(text.clone(), &index.span),
                    _ => Step::Index(index),
                });
                expr = base;
            }
            _ => {
                steps.reverse();
                return (expr, steps);
            }
        }
    }
}

/// Returns why a field is not defined, and what to do.
fn undefined(known_as: &str, name: &str, ty: &Type) -> String {
    let known = match ty {
        Type::Object(fields, _) if !fields.is_empty() => {
            format!("; there is {}", list(&fields.keys().cloned().collect()))
        }
        _ => String::new(),
    };
    let remedy = match known_as {
        "data.params" => "declare it under \"properties\" in parameters.schema.json".to_owned(),
        "data.wasm" => "declare it under \"sources\" in policy.json".to_owned(),
        "input.call.args" => "no function of policy.json has a parameter of that name".to_owned(),
        _ => "no input has it".to_owned(),
    };
    format!("`{known_as}.{name}` is not defined: {remedy}{known}")
}

/// Returns how to make a number of an expression that is a string.
fn as_number(expr: &Expr, ty: &Type) -> String {
    match ty {
        Type::Text(Text::Literals(literals)) => match literals.as_slice() {
            [literal] if !literal.is_empty() && literal.chars().all(|c| c.is_ascii_digit()) => {
                format!("write {literal} without quotes")
            }
            _ => "write a number".into(),
        },
        Type::Text(Text::Plain) => {
            format!(
                "give {} \"format\": \"uint256\" in its schema, which makes an exact integer of a decimal string",
                quote(&expr.span)
            )
        }
        Type::Text(_) => "to_number makes a number of a decimal string".into(),
        _ => "write a number".into(),
    }
}

/// Returns the lower-case form of hex, as a suggestion.
fn lower(literal: &str) -> String {
    let lower = literal.to_ascii_lowercase();
    let is_hex = lower.strip_prefix("0x").is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
    if is_hex && lower != literal { format!(": {lower:?}") } else { String::new() }
}

fn quote(span: &Span) -> String {
    let text = span.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
    let short = text.chars().take(QUOTED).collect::<String>();
    if short.len() < text.len() { format!("`{short}…`") } else { format!("`{text}`") }
}

fn list(names: &BTreeSet<String>) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
