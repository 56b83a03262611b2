//! Tokens of Rego.

use super::syntax::Span;
use std::rc::Rc;

/// A token.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) span: Span,
    pub(super) kind: TokenKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name or keyword.
    Word,
    Number,
    /// A string, with its value.
    String(String),
    Symbol(&'static str),
    End,
}

const SYMBOLS: [&str; 25] = [
    ":=", "==", "!=", "<=", ">=", "<", ">", "=", "+", "-", "*", "/", "%", "&", "|", "(", ")", "[", "]", "{", "}", ",",
    ";", ":", ".",
];

/// Splits a module into tokens, and the one at its end.
///
/// # Errors
///
/// Where the text is no token, and why.
pub(super) fn tokens(text: &str) -> Result<(Vec<Token>, Token), (Span, String)> {
    let mut lexer = Lexer { text: text.into(), offset: 0, line: 1, column: 1 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_space();
        let token = lexer.token()?;
        if token.kind == TokenKind::End {
            return Ok((tokens, token));
        }
        tokens.push(token);
    }
}

struct Lexer {
    text: Rc<str>,
    offset: usize,
    line: u32,
    column: u32,
}

impl Lexer {
    fn rest(&self) -> &str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) {
        let text = Rc::clone(&self.text);
        let end = self.offset.saturating_add(bytes).min(text.len());
        for c in text.get(self.offset..end).unwrap_or_default().chars() {
            if c == '\n' {
                (self.line, self.column) = (self.line.saturating_add(1), 1);
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        self.offset = end;
    }

    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            let space = rest.len().saturating_sub(rest.trim_start_matches([' ', '\t', '\r', '\n']).len());
            let comment = if rest.starts_with('#') { rest.find('\n').unwrap_or(rest.len()) } else { 0 };
            match space.max(comment) {
                0 => return,
                bytes => self.advance(bytes),
            }
        }
    }

    fn token(&mut self) -> Result<Token, (Span, String)> {
        let (length, kind) = self.scan().map_err(|message| (self.span(1), message))?;
        let span = self.span(length);
        self.advance(length);
        Ok(Token { span, kind })
    }

    fn span(&self, length: usize) -> Span {
        let end = self.offset.saturating_add(length).min(self.text.len());
        Span { text: Rc::clone(&self.text), start: self.offset, end, line: self.line, column: self.column }
    }

    /// Returns the length and kind of the token that begins here.
    fn scan(&self) -> Result<(usize, TokenKind), String> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok((0, TokenKind::End)) };
        let length_of = |is_part: fn(char) -> bool| rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        if first == '"' {
            return string(rest);
        }
        if let Some(raw) = rest.strip_prefix('`') {
            let (text, _) = raw.split_once('`').ok_or("the string has no closing backquote")?;
            return Ok((text.len().saturating_add(2), TokenKind::String(text.into())));
        }
        if first.is_ascii_alphabetic() || first == '_' {
            return Ok((length_of(|c| c.is_ascii_alphanumeric() || c == '_'), TokenKind::Word));
        }
        if first.is_ascii_digit() {
            return Ok((number(rest), TokenKind::Number));
        }
        let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
        let symbol = symbol.ok_or_else(|| format!("{first:?} is not part of Rego"))?;
        Ok((symbol.len(), TokenKind::Symbol(symbol)))
    }
}

/// Returns the length of a number: digits, and a fraction and an exponent, which the check refuses by itself.
fn number(text: &str) -> usize {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        from.saturating_add(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()))
    };
    let at = |offset: usize| text.get(offset..).unwrap_or_default();
    let mut end = digits(0);
    if at(end).starts_with('.') && at(end.saturating_add(1)).starts_with(|c: char| c.is_ascii_digit()) {
        end = digits(end.saturating_add(1));
    }
    if at(end).starts_with(['e', 'E']) {
        let sign = usize::from(at(end.saturating_add(1)).starts_with(['+', '-']));
        let exponent = end.saturating_add(1).saturating_add(sign);
        if at(exponent).starts_with(|c: char| c.is_ascii_digit()) {
            end = digits(exponent);
        }
    }
    end
}

/// Reads a string in quotes, whose escapes are JSON's.
fn string(text: &str) -> Result<(usize, TokenKind), String> {
    let mut is_escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => {
                let length = index.saturating_add(1);
                let quoted = text.get(..length).unwrap_or_default();
                let value = assent_json::parse(quoted.as_bytes())
                    .map_err(|error| format!("the string is invalid: {}", error.kind))?;
                return Ok((length, TokenKind::String(value.as_str().unwrap_or_default().into())));
            }
            '\n' => break,
            _ => {}
        }
    }
    Err("the string has no closing quote on its line".into())
}
