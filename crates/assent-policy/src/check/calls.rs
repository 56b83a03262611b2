//! Builtin functions: which there are, which are refused, and what they return.

use super::types::{Text, Type};

/// Functions that are refused, with what to write instead.
const REFUSED: [(&str, &str); 10] = [
    ("http.send", "a policy cannot reach the network: declare a source in policy.json and read data.wasm.<source>"),
    ("io.jwt.decode_verify", "it depends on the clock: have a source verify tokens"),
    ("net.lookup_ip_addr", "a policy cannot reach the network: declare a source in policy.json"),
    ("opa.runtime", "a policy does not know the host that evaluates it"),
    ("print", "nothing is printed: use `assent policy eval` to see a decision and its reasons"),
    ("rand.intn", "a policy has no random numbers: every operator must decide alike"),
    ("test.sleep", "a policy cannot wait"),
    ("time.now_ns", "a policy has no clock: use input.task.time, the reference block's time in Unix seconds"),
    ("trace", "nothing is traced: use `assent policy eval` to see a decision and its reasons"),
    ("uuid.rfc4122", "a policy has no random numbers: every operator must decide alike"),
];

/// Returns why a function is refused.
pub(super) fn refusal(name: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(refused, _)| *refused == name).map(|(_, instead)| *instead)
}

/// What functions return, with their names.
const RESULTS: [(Returned, &[&str]); 8] = [
    (
        Returned::Number,
        &[
            "abs",
            "assent.uint",
            "bits.and",
            "bits.lsh",
            "bits.negate",
            "bits.or",
            "bits.rsh",
            "bits.xor",
            "ceil",
            "count",
            "floor",
            "indexof",
            "product",
            "round",
            "semver.compare",
            "strings.count",
            "sum",
            "to_number",
            "units.parse",
            "units.parse_bytes",
        ],
    ),
    (
        Returned::Text(Text::Any),
        &[
            "base64.decode",
            "base64.encode",
            "base64url.decode",
            "base64url.encode",
            "base64url.encode_no_pad",
            "crypto.hmac.md5",
            "crypto.hmac.sha1",
            "crypto.hmac.sha256",
            "crypto.hmac.sha512",
            "crypto.md5",
            "crypto.sha1",
            "crypto.sha256",
            "concat",
            "format_int",
            "hex.decode",
            "hex.encode",
            "glob.quote_meta",
            "json.marshal",
            "lower",
            "regex.replace",
            "replace",
            "sprintf",
            "strings.replace_n",
            "strings.reverse",
            "substring",
            "trim",
            "trim_left",
            "trim_prefix",
            "trim_right",
            "trim_space",
            "trim_suffix",
            "time.weekday",
            "type_name",
            "upper",
        ],
    ),
    (Returned::Text(Text::Address), &["assent.address", "assent.ecdsa_recover"]),
    (Returned::Text(Text::Bytes), &["assent.eip712_hash", "assent.keccak256"]),
    (
        Returned::Array,
        &[
            "array.concat",
            "array.flatten",
            "array.reverse",
            "array.slice",
            "indexof_n",
            "numbers.range",
            "numbers.range_step",
            "regex.find_n",
            "regex.split",
            "sort",
            "split",
            "time.clock",
            "time.date",
        ],
    ),
    (
        Returned::Boolean,
        &[
            "base64.is_valid",
            "contains",
            "crypto.hmac.equal",
            "endswith",
            "glob.match",
            "is_array",
            "is_boolean",
            "is_null",
            "is_number",
            "is_object",
            "is_set",
            "is_string",
            "json.is_valid",
            "object.subset",
            "regex.is_valid",
            "regex.match",
            "regex.template_match",
            "semver.is_valid",
            "startswith",
            "strings.any_prefix_match",
            "strings.any_suffix_match",
        ],
    ),
    (Returned::Set, &["intersection", "object.keys", "union"]),
    (
        Returned::Unknown,
        &[
            "graph.reachable",
            "graph.reachable_paths",
            "json.filter",
            "json.patch",
            "json.remove",
            "json.unmarshal",
            "max",
            "min",
            "object.filter",
            "object.get",
            "object.remove",
            "object.union",
            "object.union_n",
            "walk",
        ],
    ),
];

enum Returned {
    Number,
    Text(Text),
    Array,
    Boolean,
    Set,
    Unknown,
}

/// Returns what a builtin function returns. Nothing if there is no such function.
pub(super) fn result(name: &str) -> Option<Type> {
    let (returned, _) = RESULTS.iter().find(|(_, names)| names.contains(&name))?;
    Some(match returned {
        Returned::Number => Type::Number,
        Returned::Text(text) => Type::Text(text.clone()),
        Returned::Array => Type::Array(Box::new(Type::Unknown)),
        Returned::Boolean => Type::Boolean,
        Returned::Set => Type::Set(Box::new(Type::Unknown)),
        Returned::Unknown => Type::Unknown,
    })
}

/// Returns the names of the builtin functions that rules can call.
pub fn known_builtins() -> impl Iterator<Item = &'static str> {
    RESULTS.iter().flat_map(|(_, names)| names.iter().copied())
}
