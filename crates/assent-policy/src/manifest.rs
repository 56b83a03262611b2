//! The manifest: `policy.json`, which an author writes.

use crate::{
    MAX_SOURCES,
    builtin::Builtin,
    json::{self, JsonError, Reader, invalid},
};
use assent_json::Value;
use assent_machine::MAX_STEPS;
use assent_rules::{Function, Reduction, ReductionRule, SourceKeyError, Tolerance};
use std::collections::BTreeMap;

const KEYS: [&str; 6] = ["entrypoint", "functions", "limits", "name", "sources", "version"];
const MAX_FUNCTIONS: usize = 256;
const MAX_HOSTS: usize = 16;

/// A policy's manifest.
///
/// ```
/// use assent_policy::Manifest;
///
/// let manifest = Manifest::parse(
///     br#"{"name": "treasury", "version": "1.0.0", "entrypoint": "treasury",
///          "functions": ["function pay(address to, uint256 amount)"]}"#,
/// )?;
/// assert_eq!(manifest.functions[0].signature(), "pay(address,uint256)");
/// assert_eq!(manifest.step_limit, 1 << 28);
/// # Ok::<(), assent_policy::JsonError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// The name: lower-case letters, digits and hyphens.
    pub name: String,
    /// The version, for people.
    pub version: String,
    /// The package that has `allow` and `deny`, without `data.`.
    pub entrypoint: String,
    /// The functions that the policy decides about. Calls of others are denied.
    pub functions: Vec<Function>,
    /// What looks at the world, by name.
    pub sources: BTreeMap<String, SourceManifest>,
    /// The most steps that a decision may take.
    pub step_limit: u64,
}

/// What the manifest says of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceManifest {
    /// The source that is built in; nothing if `sources/<name>.wasm` is a component.
    pub builtin: Option<Builtin>,
    /// The hosts that the component may ask over https: each a name, with a port that is not 443 or none.
    pub hosts: Vec<String>,
    /// How the operators' answers become one.
    pub reduce: Reduction,
    /// How far off the reduced value an operator's own observation may be.
    pub within: Option<Tolerance>,
    /// The JSON Schema of the output.
    pub schema: Value,
}

/// The manifest cannot be used.
pub type ManifestError = JsonError;

impl Manifest {
    /// Parses a manifest.
    ///
    /// # Errors
    ///
    /// [`JsonError`] with the key that is missing, unknown or invalid.
    pub fn parse(text: &[u8]) -> Result<Self, JsonError> {
        let value = json::parse(text)?;
        let reader = Reader::new(&value, "", &KEYS)?;
        let name = reader.string("name")?;
        require_name("name", name)?;
        let version = reader.string("version")?;
        require_version("version", version)?;
        let entrypoint = reader.string("entrypoint")?;
        require_entrypoint(entrypoint)?;
        Ok(Self {
            name: name.into(),
            version: version.into(),
            entrypoint: entrypoint.into(),
            functions: functions(&reader)?,
            sources: sources(&reader)?,
            step_limit: step_limit(&reader)?,
        })
    }
}

impl SourceManifest {
    fn from_value(value: &Value, key: &str) -> Result<Self, JsonError> {
        let reader = Reader::new(value, key, &["builtin", "hosts", "reduce", "schema", "within"])?;
        let builtin = reader.optional("builtin").map(|value| Builtin::from_value(value, &reader.key("builtin")));
        let builtin = builtin.transpose()?;
        if let Some(builtin) = &builtin
            && let Some(hosts) = reader.optional("hosts")
        {
            let reason = format!("belongs to a component; the source `{}` asks no host", builtin.name());
            return Err(invalid(reader.key("hosts"), &hosts.to_canonical(), reason));
        }
        let mut hosts = Vec::new();
        for (key, host) in if reader.optional("hosts").is_some() { reader.strings("hosts")? } else { Vec::new() } {
            require_host(&key, host)?;
            hosts.push(host.to_owned());
        }
        if hosts.len() > MAX_HOSTS {
            return Err(invalid(
                reader.key("hosts"),
                &hosts.len().to_string(),
                format!("hosts are more than {MAX_HOSTS}"),
            ));
        }
        hosts.sort_unstable();
        hosts.dedup();
        let reduce = match (reader.optional("reduce"), &builtin) {
            (Some(value), _) => read_reduction(value, &reader.key("reduce"))?,
            (None, Some(builtin)) => builtin.reduction(),
            (None, None) => Reduction::Whole(ReductionRule::Same),
        };
        let within = read_tolerance(&reader, &reduce)?;
        let schema = match (reader.optional("schema"), &builtin) {
            (None, Some(builtin)) => builtin.schema(),
            (Some(schema), _) if schema.as_object().is_none() => {
                return Err(json::wrong_type(&reader.key("schema"), "an object", schema));
            }
            _ => reader.required("schema")?.clone(),
        };
        Ok(Self { builtin, hosts, reduce, within, schema })
    }
}

/// Reads how the operators' answers become one.
pub(crate) fn read_reduction(value: &Value, key: &str) -> Result<Reduction, JsonError> {
    Reduction::from_value(value).map_err(|error| of_key(key, error))
}

/// Reads the key `within` of a source: how far off the reduced value an operator's own observation may be.
pub(crate) fn read_tolerance(source: &Reader<'_>, reduction: &Reduction) -> Result<Option<Tolerance>, JsonError> {
    let Some(value) = source.optional("within") else { return Ok(None) };
    Tolerance::from_value(value, reduction).map(Some).map_err(|error| of_key(&source.key("within"), error))
}

fn of_key(key: &str, error: SourceKeyError) -> JsonError {
    let key = error.field().map_or_else(|| key.to_owned(), |field| format!("{key}.{field}"));
    match error {
        SourceKeyError::WrongType { expected, actual, .. } => JsonError::WrongType { key, expected, actual },
        SourceKeyError::Invalid { value, reason, .. } => invalid(key, &value, reason),
        other => invalid(key, "", other.to_string()),
    }
}

fn functions(reader: &Reader<'_>) -> Result<Vec<Function>, JsonError> {
    let mut functions = Vec::<Function>::new();
    let mut signatures = BTreeMap::new();
    for (key, text) in reader.strings("functions")? {
        let function =
            text.parse::<Function>().map_err(|error| invalid(&key, text, format!("is not a function: {error}")))?;
        if let Some(earlier) = signatures.insert(function.selector(), function.signature()) {
            return Err(invalid(&key, text, format!("has the selector of {earlier:?}; name each function once")));
        }
        functions.push(function);
    }
    if functions.is_empty() || functions.len() > MAX_FUNCTIONS {
        let reason = format!("functions: name 1 to {MAX_FUNCTIONS}; calls of other functions are denied");
        return Err(invalid(reader.key("functions"), &functions.len().to_string(), reason));
    }
    Ok(functions)
}

fn sources(reader: &Reader<'_>) -> Result<BTreeMap<String, SourceManifest>, JsonError> {
    let Some(value) = reader.optional("sources") else { return Ok(BTreeMap::new()) };
    let object = value.as_object().ok_or_else(|| json::wrong_type("sources", "an object", value))?;
    if object.len() > MAX_SOURCES {
        return Err(invalid("sources", &object.len().to_string(), format!("sources are more than {MAX_SOURCES}")));
    }
    let sources = object.iter().map(|(name, value)| {
        let key = format!("sources.{name}");
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
            return Err(invalid(key, name, "must have lower-case letters, digits and underscores, as a name in Rego"));
        }
        Ok((name.to_owned(), SourceManifest::from_value(value, &key)?))
    });
    sources.collect()
}

/// Reads the most steps of a decision.
pub(crate) fn step_limit(reader: &Reader<'_>) -> Result<u64, JsonError> {
    let Some(limits) = reader.optional("limits") else { return Ok(MAX_STEPS) };
    let limits = Reader::new(limits, "limits", &["steps"])?;
    if limits.optional("steps").is_none() {
        return Ok(MAX_STEPS);
    }
    let steps = limits.integer("steps")?;
    if steps == 0 || steps > MAX_STEPS {
        return Err(invalid("limits.steps", &steps.to_string(), format!("is not between 1 and {MAX_STEPS} (2^28)")));
    }
    Ok(steps)
}

/// Checks the name of a policy.
pub(crate) fn require_name(key: &str, name: &str) -> Result<(), JsonError> {
    let is_valid = (1..=64).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !name.starts_with('-');
    let reason = "must have 1 to 64 lower-case letters, digits and hyphens, as in `spending-limit`";
    if is_valid { Ok(()) } else { Err(invalid(key, name, reason)) }
}

/// Checks the version of a policy.
pub(crate) fn require_version(key: &str, version: &str) -> Result<(), JsonError> {
    let is_valid =
        (1..=32).contains(&version.len()) && version.chars().all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c));
    let reason = "must have 1 to 32 letters, digits, dots, hyphens or plus signs";
    if is_valid { Ok(()) } else { Err(invalid(key, version, reason)) }
}

fn require_entrypoint(entrypoint: &str) -> Result<(), JsonError> {
    if let Some(without) = entrypoint.strip_prefix("data.") {
        return Err(invalid("entrypoint", entrypoint, format!("is written without `data.`: {without:?}")));
    }
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if entrypoint.len() > 128 || !entrypoint.split('.').all(is_name) {
        return Err(invalid("entrypoint", entrypoint, "is not a package, as in `treasury` or `example.treasury`"));
    }
    if ["params", "wasm", "private"].iter().any(|reserved| entrypoint.split('.').next() == Some(reserved)) {
        return Err(invalid(
            "entrypoint",
            entrypoint,
            "is reserved: `data.params`, `data.wasm` and `data.private` hold data",
        ));
    }
    Ok(())
}

/// Returns whether a text is a host as a manifest names it. That is a DNS name in lower case, with a port that is not
/// 443 or none.
pub fn is_host(host: &str) -> bool {
    require_host("", host).is_ok()
}

fn require_host(key: &str, host: &str) -> Result<(), JsonError> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let labels = name.split('.').collect::<Vec<_>>();
    // The last label of a name is not a number, that of an IPv4 address is.
    let is_name = labels.last().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_lowercase()));
    if labels.len() < 2 || name.len() > 253 || !labels.into_iter().all(is_label) || !is_name {
        return Err(invalid(
            key,
            host,
            "is not a host's name in lower case, as in `api.example.com` or `api.example.com:8443`, without scheme or \
             path",
        ));
    }
    // Every host has one spelling.
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|number| number != 0 && number.to_string() == port);
    match port {
        Some("443") => Err(invalid(key, host, "names the port 443, which is the one of https; leave it out")),
        Some(port) if !is_port(port) => Err(invalid(key, host, "has a port that is not a number from 1 to 65535")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assent_rules::BasisPoints;

    const VALID: &str = r#"{"name": "treasury", "version": "1.0.0", "entrypoint": "treasury",
        "functions": ["function pay(address to, uint256 amount)"],
        "sources": {"price": {"hosts": ["api.example.com"], "reduce": {"usd": "median"}, "schema": {"type": "object"},
            "within": {"usd": 50}}},
        "limits": {"steps": 1000000}}"#;

    #[test]
    fn a_manifest_is_read_with_every_key() {
        let manifest = Manifest::parse(VALID.as_bytes()).unwrap();
        assert_eq!(manifest.step_limit, 1_000_000);
        assert_eq!(manifest.functions[0].to_string(), "function pay(address to, uint256 amount)");
        let price = &manifest.sources["price"];
        assert_eq!(price.hosts, ["api.example.com"]);
        assert_eq!(price.reduce, Reduction::Fields(BTreeMap::from([("usd".into(), ReductionRule::Median)])));
        let half_a_percent = BasisPoints::new(50).unwrap();
        assert_eq!(price.within, Some(Tolerance::Fields(BTreeMap::from([("usd".into(), half_a_percent)]))));
    }

    #[test]
    fn each_refusal_names_the_key_and_what_to_write() {
        let cases = [
            (
                r#""name": "treasury""#,
                r#""nam": "treasury""#,
                "`nam` is unknown; the keys here are `entrypoint`, `functions`",
            ),
            (r#""name": "treasury", "#, "", "`name` is missing"),
            (r#""name": "treasury""#, r#""name": "Treasury""#, r#"`name`: "Treasury" must have 1 to 64 lower-case"#),
            (r#""name": "treasury""#, r#""name": 1"#, "`name` must be a string, not an integer"),
            (r#""version": "1.0.0""#, r#""version": "1 0""#, r#"`version`: "1 0" must have"#),
            (
                r#""entrypoint": "treasury""#,
                r#""entrypoint": "data.treasury""#,
                r#"is written without `data.`: "treasury""#,
            ),
            (r#""entrypoint": "treasury""#, r#""entrypoint": "params.x""#, "is reserved"),
            (r#""entrypoint": "treasury""#, r#""entrypoint": "a..b""#, "is not a package"),
            (
                "uint256 amount",
                "uint7 amount",
                r#"`functions[0]`: "function pay(address to, uint7 amount)" is not a function"#,
            ),
            (r#"["function pay(address to, uint256 amount)"]"#, "[]", "name 1 to 256"),
            (
                r#"amount)"]"#,
                r#"amount)", "function pay(address, uint)"]"#,
                "has the selector of \"pay(address,uint256)\"",
            ),
            ("1000000", "0", "is not between 1 and 268435456"),
            ("1000000", "268435457", "is not between 1 and 268435456"),
            ("1000000", "1.5", "line 5, column 29: a number must be an integer, without a fraction"),
            (r#""steps""#, r#""step""#, "`limits.step` is unknown"),
            (r#""median""#, r#""mean""#, r#"`sources.price.reduce.usd`: "mean" is not one of same, median"#),
            (r#""median""#, "1", "`sources.price.reduce.usd` must be a string, not an integer"),
            (r#"{"usd": "median"}"#, "1", "`sources.price.reduce` must be a string or an object, not an integer"),
            (r#""within": {"usd": 50}"#, r#""within": 50"#, r#"`sources.price.within`: "50" is of the whole answer"#),
            (r#"{"usd": 50}"#, r#"{"usd": 0}"#, r#"`sources.price.within.usd`: "0" is not between 1 and 10000"#),
            (r#"{"usd": 50}"#, r#"{"eur": 50}"#, r#"`sources.price.within.eur`: "50" needs `reduce` to be one of"#),
            (r#"{"usd": 50}"#, r#"{"usd": 0.5}"#, "a number must be an integer, without a fraction"),
            ("api.example.com", "https://api.example.com", "`sources.price.hosts[0]`"),
            ("api.example.com", "169.254.169.254", "is not a host's name"),
            ("api.example.com", "localhost", "is not a host's name"),
            ("api.example.com", "api.example.com:443", "leave it out"),
            ("api.example.com", "api.example.com:0", "is not a number from 1 to 65535"),
            ("api.example.com", "api.example.com:08443", "is not a number from 1 to 65535"),
            ("api.example.com", "api.example.com:65536", "is not a number from 1 to 65535"),
            ("api.example.com", "api.example.com:", "is not a number from 1 to 65535"),
            (r#", "schema": {"type": "object"}"#, "", "`sources.price.schema` is missing"),
            (r#""price""#, r#""Price""#, "`sources.Price`"),
        ];
        assert!(Manifest::parse(VALID.as_bytes()).is_ok());
        for (valid, broken, expected) in cases {
            let text = VALID.replace(valid, broken);
            assert_ne!(text, VALID, "{valid}");
            let error = Manifest::parse(text.as_bytes()).expect_err(broken).to_string();
            assert!(error.contains(expected), "{broken}: {error}");
        }
    }

    #[test]
    fn a_host_may_have_a_port() {
        let with_port = VALID.replace("api.example.com", "api.example.com:8443");
        assert_eq!(Manifest::parse(with_port.as_bytes()).unwrap().sources["price"].hosts, ["api.example.com:8443"]);
    }

    #[test]
    fn a_source_that_is_built_in_has_its_schema_and_reduction_and_no_hosts() {
        let with = |builtin: &str| {
            let (start, end) = (VALID.find(r#"{"hosts""#).unwrap(), VALID.find("},\n        \"limits").unwrap());
            format!("{}{{{builtin}}}{}", &VALID[..start], &VALID[end..])
        };
        let history = r#""builtin": {"history": {"event": "event Paid(uint256 amount)", "address": "task.client",
            "window": {"blocks": 10}}}"#;
        let manifest = Manifest::parse(with(history).as_bytes()).unwrap();
        let source = &manifest.sources["price"];
        assert_eq!(source.builtin.as_ref().map(Builtin::name), Some("history"));
        assert_eq!(source.reduce, Reduction::Whole(ReductionRule::Same));
        assert_eq!(
            source.schema.get("properties").and_then(|all| all.get("sum")?.get("format")?.as_str()),
            Some("uint256")
        );
        let outstanding = r#""builtin": {"outstanding": {"function": "pay", "sum": "amount"}}"#;
        let manifest = Manifest::parse(with(outstanding).as_bytes()).unwrap();
        let quorum = ["count", "sum"].map(|field| (field.to_owned(), ReductionRule::Quorum));
        assert_eq!(manifest.sources["price"].reduce, Reduction::Fields(quorum.into()));
        let near = format!(r#"{outstanding}, "within": {{"sum": 100}}"#);
        assert!(Manifest::parse(with(&near).as_bytes()).unwrap().sources["price"].within.is_some());
        let asks = format!(r#"{history}, "hosts": []"#);
        let error = Manifest::parse(with(&asks).as_bytes()).unwrap_err().to_string();
        assert!(error.contains("the source `history` asks no host"), "{error}");
    }

    #[test]
    fn more_than_four_sources_are_refused() {
        let source = |name: &str| format!(r#""{name}": {{"schema": {{}}}}"#);
        let with = |names: &[&str]| {
            let sources = names.iter().map(|name| source(name)).collect::<Vec<_>>().join(",");
            VALID.replace(r#""sources": {"#, &format!(r#""sources": {{{sources}, "#))
        };
        assert!(Manifest::parse(with(&["a", "b", "c"]).as_bytes()).is_ok());
        assert!(
            Manifest::parse(with(&["a", "b", "c", "d"]).as_bytes()).unwrap_err().to_string().contains("more than 4")
        );
    }
}
