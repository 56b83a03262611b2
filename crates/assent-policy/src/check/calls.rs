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

/// Returns what a builtin function returns. Nothing if there is no such function.
pub(super) fn result(name: &str) -> Option<Type> {
    let text = || Type::Text(Text::Any);
    let ty = match name {
        "abs" | "assent.uint" | "bits.and" | "bits.lsh" | "bits.negate" | "bits.or" | "bits.rsh" | "bits.xor"
        | "ceil" | "count" | "floor" | "indexof" | "product" | "round" | "semver.compare" | "strings.count" | "sum"
        | "to_number" | "units.parse" | "units.parse_bytes" => Type::Number,
        "concat"
        | "format_int"
        | "lower"
        | "replace"
        | "sprintf"
        | "strings.replace_n"
        | "strings.reverse"
        | "substring"
        | "trim"
        | "trim_left"
        | "trim_prefix"
        | "trim_right"
        | "trim_space"
        | "trim_suffix"
        | "type_name"
        | "upper"
        | "base64.decode"
        | "base64.encode"
        | "base64url.decode"
        | "base64url.encode"
        | "base64url.encode_no_pad"
        | "hex.decode"
        | "hex.encode"
        | "json.marshal"
        | "regex.replace" => text(),
        "assent.address" | "assent.ecdsa_recover" => Type::Text(Text::Address),
        "assent.keccak256" | "assent.eip712_hash" => Type::Text(Text::Bytes),
        "array.concat" | "array.reverse" | "array.slice" | "numbers.range" | "numbers.range_step" | "sort"
        | "indexof_n" | "walk" => Type::Array(Box::new(Type::Unknown)),
        "split" | "regex.find_n" | "regex.split" => Type::Array(Box::new(text())),
        "contains"
        | "endswith"
        | "startswith"
        | "is_array"
        | "is_boolean"
        | "is_null"
        | "is_number"
        | "is_object"
        | "is_set"
        | "is_string"
        | "json.is_valid"
        | "regex.is_valid"
        | "regex.match"
        | "regex.template_match"
        | "semver.is_valid"
        | "strings.any_prefix_match"
        | "strings.any_suffix_match"
        | "base64.is_valid"
        | "object.subset" => Type::Boolean,
        "intersection" | "union" | "object.keys" => Type::Set(Box::new(Type::Unknown)),
        "graph.reachable"
        | "graph.reachable_paths"
        | "json.filter"
        | "json.remove"
        | "json.patch"
        | "json.unmarshal"
        | "max"
        | "min"
        | "object.filter"
        | "object.get"
        | "object.remove"
        | "object.union"
        | "object.union_n" => Type::Unknown,
        _ => return None,
    };
    Some(ty)
}
