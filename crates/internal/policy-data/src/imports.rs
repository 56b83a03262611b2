//! The functions that a component may import.

use crate::{
    error::ObserveError,
    exchange::{Answer, HttpFailure, HttpHeader, HttpMethod, HttpRequest, HttpResponse, Log, LogFilter, Question},
    limits,
    recording::Answers,
    state::{State, host_work},
};
use alloy_primitives::{Address, B256, Bytes, FixedBytes, hex};
use wasmtime::{
    StoreContextMut,
    component::{Linker, LinkerInstance, Val, types::ComponentFunc},
};

const CHAIN: &str = "assent:policy-data/chain@1.0.0";
const HTTP: &str = "assent:policy-data/http@1.0.0";

/// An interface: its name, and each function with its type.
type Interface = (&'static str, &'static [(&'static str, &'static str)]);

/// The interfaces that are provided. Types are as in wit/policy-data.wit, with records in place of their names.
pub(crate) const INTERFACES: [Interface; 2] = [
    (
        CHAIN,
        &[
            ("call", "func(to: string, data: string) -> result<string, string>"),
            ("storage", "func(account: string, slot: string) -> string"),
            ("code", "func(account: string) -> string"),
            ("balance", "func(account: string) -> string"),
            (
                "logs",
                "func(filter: record { addresses: list<string>, topics: list<list<string>>, from-block: u64, to-block: \
                 u64 }) -> list<record { address: string, topics: list<string>, data: string, block-number: u64, \
                 log-index: u32, transaction-hash: string }>",
            ),
        ],
    ),
    (
        HTTP,
        &[(
            "send",
            "func(request: record { method: enum { get, post }, url: string, headers: list<record { name: string, \
             value: string }>, body: option<string> }) -> result<record { status: u16, headers: list<record { name: \
             string, value: string }>, body: string }, enum { timeout, unreachable, too-large, not-text }>",
        )],
    ),
];

/// Adds the functions to a linker.
pub(crate) fn add_to(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    add_chain(&mut linker.instance(CHAIN)?)?;
    linker.instance(HTTP)?.func_new("send", |store, _: ComponentFunc, arguments, results| {
        let answer = host_work(store, |answers| send(answers, arguments))?;
        return_one(results, answer)
    })
}

fn add_chain(chain: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    chain.func_wrap("call", |store: StoreContextMut<'_, State>, (to, data): (String, String)| {
        host_work(store, |answers| call(answers, &to, &data)).map(|result| (result,))
    })?;
    chain.func_wrap("storage", |store: StoreContextMut<'_, State>, (account, slot): (String, String)| {
        host_work(store, |answers| storage(answers, &account, &slot)).map(|word| (word,))
    })?;
    chain.func_wrap("code", |store: StoreContextMut<'_, State>, (account,): (String,)| {
        host_work(store, |answers| code(answers, &account)).map(|code| (code,))
    })?;
    chain.func_wrap("balance", |store: StoreContextMut<'_, State>, (account,): (String,)| {
        host_work(store, |answers| balance(answers, &account)).map(|balance| (balance,))
    })?;
    // Records need types that wasmtime derives with unsafe code, or values without types.
    chain.func_new("logs", |store, _: ComponentFunc, arguments, results| {
        let logs = host_work(store, |answers| logs(answers, arguments))?;
        return_one(results, logs)
    })
}

fn return_one(results: &mut [Val], value: Val) -> wasmtime::Result<()> {
    let result = results.first_mut().ok_or_else(|| wasmtime::Error::msg("a function of another type"))?;
    *result = value;
    Ok(())
}

/* CHAIN */

fn call(answers: &mut Answers, to: &str, data: &str) -> Result<Result<String, String>, ObserveError> {
    const IMPORT: &str = "chain.call";
    let data = bytes(IMPORT, data)?;
    if data.len() > limits::CALL_DATA_BYTES {
        let detail = format!("{} bytes of data; the most are {}", data.len(), limits::CALL_DATA_BYTES);
        return Err(ObserveError::Argument { import: IMPORT, detail });
    }
    match answers.ask(Question::Call { to: address(IMPORT, to)?, data })? {
        Answer::Returned(data) => Ok(Ok(hex::encode_prefixed(data))),
        Answer::Reverted(data) => Ok(Err(hex::encode_prefixed(data))),
        _ => Err(answers.mismatch()),
    }
}

fn storage(answers: &mut Answers, account: &str, slot: &str) -> Result<String, ObserveError> {
    const IMPORT: &str = "chain.storage";
    let question = Question::Storage { account: address(IMPORT, account)?, slot: word(IMPORT, slot)? };
    match answers.ask(question)? {
        Answer::Storage(word) => Ok(hex::encode_prefixed(word)),
        _ => Err(answers.mismatch()),
    }
}

fn code(answers: &mut Answers, account: &str) -> Result<String, ObserveError> {
    match answers.ask(Question::Code { account: address("chain.code", account)? })? {
        Answer::Code(code) => Ok(hex::encode_prefixed(code)),
        _ => Err(answers.mismatch()),
    }
}

fn balance(answers: &mut Answers, account: &str) -> Result<String, ObserveError> {
    match answers.ask(Question::Balance { account: address("chain.balance", account)? })? {
        Answer::Balance(balance) => Ok(balance.to_string()),
        _ => Err(answers.mismatch()),
    }
}

fn logs(answers: &mut Answers, arguments: &[Val]) -> Result<Val, ObserveError> {
    let filter = read_filter(arguments)?;
    match answers.ask(Question::Logs { filter })? {
        Answer::Logs(logs) => Ok(Val::List(logs.into_iter().map(write_log).collect())),
        _ => Err(answers.mismatch()),
    }
}

fn read_filter(arguments: &[Val]) -> Result<LogFilter, ObserveError> {
    const IMPORT: &str = "chain.logs";
    let [Val::Record(fields)] = arguments else { return Err(other_type(IMPORT)) };
    let [(_, Val::List(addresses)), (_, Val::List(topics)), (_, Val::U64(from_block)), (_, Val::U64(to_block))] =
        fields.as_slice()
    else {
        return Err(other_type(IMPORT));
    };
    let words = |topics: &Val| match topics {
        Val::List(topics) => topics.iter().map(|topic| word(IMPORT, text(IMPORT, topic)?)).collect(),
        _ => Err(other_type(IMPORT)),
    };
    Ok(LogFilter {
        addresses: addresses.iter().map(|value| address(IMPORT, text(IMPORT, value)?)).collect::<Result<_, _>>()?,
        topics: topics.iter().map(words).collect::<Result<_, _>>()?,
        from_block: *from_block,
        to_block: *to_block,
    })
}

fn write_log(log: Log) -> Val {
    let topics = log.topics.iter().map(|topic| Val::String(hex::encode_prefixed(topic))).collect();
    record([
        ("address", Val::String(hex::encode_prefixed(log.address))),
        ("topics", Val::List(topics)),
        ("data", Val::String(hex::encode_prefixed(&log.data))),
        ("block-number", Val::U64(log.block_number)),
        ("log-index", Val::U32(log.log_index)),
        ("transaction-hash", Val::String(hex::encode_prefixed(log.transaction_hash))),
    ])
}

/* HTTP */

fn send(answers: &mut Answers, arguments: &[Val]) -> Result<Val, ObserveError> {
    let request = read_request(arguments)?;
    let result = match answers.ask(Question::Http { request })? {
        Answer::Response(response) => Ok(Some(Box::new(write_response(response)))),
        Answer::Failure(failure) => Err(Some(Box::new(Val::Enum(failure_name(failure).to_owned())))),
        _ => return Err(answers.mismatch()),
    };
    Ok(Val::Result(result))
}

fn read_request(arguments: &[Val]) -> Result<HttpRequest, ObserveError> {
    const IMPORT: &str = "http.send";
    let [Val::Record(fields)] = arguments else { return Err(other_type(IMPORT)) };
    let [(_, Val::Enum(method)), (_, Val::String(url)), (_, Val::List(headers)), (_, Val::Option(body))] =
        fields.as_slice()
    else {
        return Err(other_type(IMPORT));
    };
    let method = if method == "get" { HttpMethod::Get } else { HttpMethod::Post };
    let header = |value: &Val| match value {
        Val::Record(fields) => match fields.as_slice() {
            [(_, Val::String(name)), (_, Val::String(value))] => {
                Ok(HttpHeader { name: name.clone(), value: value.clone() })
            }
            _ => Err(other_type(IMPORT)),
        },
        _ => Err(other_type(IMPORT)),
    };
    let headers = headers.iter().map(header).collect::<Result<_, _>>()?;
    let body = body.as_deref().map(|body| text(IMPORT, body).map(str::to_owned)).transpose()?;
    Ok(HttpRequest { method, url: url.clone(), headers, body })
}

fn write_response(response: HttpResponse) -> Val {
    let header =
        |header: HttpHeader| record([("name", Val::String(header.name)), ("value", Val::String(header.value))]);
    record([
        ("status", Val::U16(response.status)),
        ("headers", Val::List(response.headers.into_iter().map(header).collect())),
        ("body", Val::String(response.body)),
    ])
}

const fn failure_name(failure: HttpFailure) -> &'static str {
    match failure {
        HttpFailure::Timeout => "timeout",
        HttpFailure::Unreachable => "unreachable",
        HttpFailure::TooLarge => "too-large",
        HttpFailure::NotText => "not-text",
    }
}

/* VALUES */

fn record<const N: usize>(fields: [(&str, Val); N]) -> Val {
    Val::Record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn text<'a>(import: &'static str, value: &'a Val) -> Result<&'a str, ObserveError> {
    if let Val::String(text) = value { Ok(text) } else { Err(other_type(import)) }
}

fn address(import: &'static str, text: &str) -> Result<Address, ObserveError> {
    fixed(import, text, "an address").map(Address::from)
}

fn word(import: &'static str, text: &str) -> Result<B256, ObserveError> {
    fixed(import, text, "32 bytes")
}

fn fixed<const N: usize>(
    import: &'static str,
    text: &str,
    expected: &'static str,
) -> Result<FixedBytes<N>, ObserveError> {
    let bytes = bytes(import, text)?;
    FixedBytes::try_from(bytes.as_ref()).map_err(|_length| malformed(import, text, expected))
}

fn bytes(import: &'static str, text: &str) -> Result<Bytes, ObserveError> {
    let digits = text.strip_prefix("0x").ok_or_else(|| malformed(import, text, "hexadecimal with the prefix 0x"))?;
    let bytes = hex::decode(digits).map_err(|_error| malformed(import, text, "hexadecimal"))?;
    Ok(bytes.into())
}

/// Names a malformed value, of which a message shows only the start.
fn malformed(import: &'static str, text: &str, expected: &'static str) -> ObserveError {
    const SHOWN: usize = 80;
    let shown: String = text.chars().take(SHOWN).collect();
    ObserveError::Argument { import, detail: format!("{shown:?}, which is not {expected}") }
}

fn other_type(import: &'static str) -> ObserveError {
    ObserveError::Argument { import, detail: "values of other types".to_owned() }
}
