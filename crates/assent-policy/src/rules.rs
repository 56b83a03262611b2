//! Rules: the content of the rules region.

use crate::{
    MAX_CONTENT, MAX_SOURCES,
    builtin::Builtin,
    content::ContentError,
    json::{self, JsonError, Reader, invalid},
    manifest::{read_reduction, read_tolerance},
};
use alloy_primitives::{B256, hex};
use assent_json::{Object, Value};
use assent_rules::{Function, Reduction, Tolerance};
use std::collections::BTreeMap;

/// The version of the format.
const VERSION: i32 = 1;
/// How many policies a conjunction may have.
pub(crate) const MEMBERS: core::ops::RangeInclusive<usize> = 2..=8;

/// The rules of a policy, or of several that must all allow.
///
/// The list is complete: another form would be another evaluator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rules {
    /// The rules of one policy.
    Single(SingleRules),
    /// Two to eight policies, each with its own parameters. A call is allowed if all of them allow it.
    All(Vec<SingleRules>),
}

/// The rules of one policy.
// Complete: the fields are those of the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleRules {
    /// The package that has `allow` and `deny`, without `data.`.
    pub entrypoint: String,
    /// The functions that the policy decides about.
    pub functions: Vec<Function>,
    /// The Rego modules, by name.
    pub modules: BTreeMap<String, String>,
    /// The JSON Schema of the parameters.
    pub parameters_schema: Value,
    /// What looks at the world, by name.
    pub sources: BTreeMap<String, Source>,
}

/// A source of data.
// Complete: the fields are those of the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What observes.
    pub observer: Observer,
    /// The hosts that the component may ask over https.
    pub hosts: Vec<String>,
    /// How the operators' answers become one.
    pub reduce: Reduction,
    /// How far off the reduced value an operator's own observation may be.
    pub within: Option<Tolerance>,
    /// The JSON Schema of the output.
    pub schema: Value,
}

/// What observes for a source: the value of the key `component`.
///
/// The list is complete: another observer would be another format of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observer {
    /// A component, by its SHA-256.
    Component(B256),
    /// A source that is built in.
    Builtin(Builtin),
}

/// A source of a policy, and the key that observations, components and recordings use for it.
// Complete: it is one source of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedSource<'a> {
    /// The name, before which in a conjunction comes the policy's index, as in `0.price`.
    pub key: String,
    /// The policy's index in a conjunction.
    pub member: Option<usize>,
    /// The name.
    pub name: &'a str,
    /// The source.
    pub source: &'a Source,
}

impl Rules {
    /// Parses the content of a rules region.
    ///
    /// # Errors
    ///
    /// [`ContentError`] if it is not in canonical form, longer than 64 KiB, or has other keys.
    pub fn parse(text: &str) -> Result<Self, ContentError> {
        if text.len() > MAX_CONTENT {
            return Err(ContentError::TooLong { what: "rules", length: text.len(), max: MAX_CONTENT });
        }
        let error = |error| ContentError::Json { what: "rules", error };
        let value = json::parse_canonical(text.as_bytes()).map_err(error)?;
        Self::from_value(&value).map_err(error)
    }

    fn from_value(value: &Value) -> Result<Self, JsonError> {
        if value.get("all").is_none() {
            return SingleRules::from_value(value, "").map(Self::Single);
        }
        let reader = Reader::new(value, "", &["all", "version"])?;
        require_version(&reader)?;
        let members = reader.array("all")?;
        if !MEMBERS.contains(&members.len()) {
            return Err(invalid("all", &members.len().to_string(), "policies: a conjunction has 2 to 8"));
        }
        members
            .iter()
            .map(|(key, member)| SingleRules::from_value(member, key))
            .collect::<Result<_, _>>()
            .map(Self::All)
    }

    /// Returns the policy's sources: those of each policy of a conjunction in turn, by name.
    pub fn sources(&self) -> impl Iterator<Item = KeyedSource<'_>> {
        let is_conjunction = matches!(self, Self::All(_));
        self.members().iter().enumerate().flat_map(move |(index, member)| {
            let member_index = is_conjunction.then_some(index);
            member.sources.iter().map(move |(name, source)| {
                let key = member_index.map_or_else(|| name.clone(), |index| member_key(index, name));
                KeyedSource { key, member: member_index, name, source }
            })
        })
    }

    /// Returns the [`sources`](Self::sources) by key, each with its policy's index and its name.
    pub fn source_keys(&self) -> BTreeMap<String, (Option<usize>, String)> {
        self.sources().map(|source| (source.key, (source.member, source.name.to_owned()))).collect()
    }

    /// Returns rules that have the same sources, and nothing else.
    ///
    /// They decide nothing, and suffice to check and reduce observations.
    #[must_use]
    pub fn only_sources(&self) -> Self {
        let only_sources = |rules: &SingleRules| SingleRules {
            entrypoint: String::new(),
            functions: Vec::new(),
            modules: BTreeMap::new(),
            parameters_schema: Value::from(Object::new()),
            sources: rules.sources.clone(),
        };
        match self {
            Self::Single(rules) => Self::Single(only_sources(rules)),
            Self::All(members) => Self::All(members.iter().map(only_sources).collect()),
        }
    }

    /// Returns the content of the rules region: canonical JSON.
    pub fn to_canonical(&self) -> String {
        match self {
            Self::Single(rules) => rules.to_value().to_canonical(),
            Self::All(members) => {
                let members = members.iter().map(SingleRules::to_value).collect::<Vec<_>>();
                json::canonical(Object::from_iter([("all", Value::from(members)), ("version", Value::from(VERSION))]))
            }
        }
    }

    /// Returns the rules of each policy.
    pub fn members(&self) -> &[SingleRules] {
        match self {
            Self::Single(rules) => core::slice::from_ref(rules),
            Self::All(members) => members,
        }
    }
}

impl SingleRules {
    fn from_value(value: &Value, key: &str) -> Result<Self, JsonError> {
        let known = ["entrypoint", "functions", "modules", "parametersSchema", "sources", "version"];
        let reader = Reader::new(value, key, &known)?;
        require_version(&reader)?;
        let functions = reader.strings("functions")?.into_iter().map(|(key, text)| {
            Function::from_canonical(text).ok_or_else(|| invalid(key, text, "is not a function in its canonical form"))
        });
        let mut modules = BTreeMap::new();
        for (key, module) in reader.array("modules")? {
            let module = Reader::new(module, &key, &["name", "text"])?;
            let name = module.string("name")?;
            if modules.last_key_value().is_some_and(|(last, _): (&String, _)| last.as_str() >= name) {
                return Err(invalid(module.key("name"), name, "is not after the module before it"));
            }
            modules.insert(name.to_owned(), module.string("text")?.to_owned());
        }
        let sources = reader.required("sources")?;
        let sources =
            sources.as_object().ok_or_else(|| json::wrong_type(&reader.key("sources"), "an object", sources))?;
        if sources.len() > MAX_SOURCES {
            return Err(invalid(
                reader.key("sources"),
                &sources.len().to_string(),
                format!("sources are more than {MAX_SOURCES}"),
            ));
        }
        let sources = sources.iter().map(|(name, source)| {
            let key = format!("{}.{name}", reader.key("sources"));
            Ok((name.to_owned(), Source::from_value(source, &key)?))
        });
        Ok(Self {
            entrypoint: reader.string("entrypoint")?.to_owned(),
            functions: functions.collect::<Result<_, _>>()?,
            modules,
            parameters_schema: reader.required("parametersSchema")?.clone(),
            sources: sources.collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn to_value(&self) -> Value {
        let functions = self.functions.iter().map(Function::to_string).collect::<Vec<_>>();
        let module =
            |(name, text): (&String, &String)| Object::from_iter([("name", name.as_str()), ("text", text.as_str())]);
        let sources = self.sources.iter().map(|(name, source)| (name.as_str(), source.to_value())).collect::<Object>();
        Value::from(Object::from_iter([
            ("entrypoint", Value::from(self.entrypoint.as_str())),
            ("functions", Value::from(functions)),
            ("modules", Value::from(self.modules.iter().map(module).collect::<Vec<_>>())),
            ("parametersSchema", self.parameters_schema.clone()),
            ("sources", Value::from(sources)),
            ("version", Value::from(VERSION)),
        ]))
    }
}

impl Source {
    fn from_value(value: &Value, key: &str) -> Result<Self, JsonError> {
        let reader = Reader::new(value, key, &["component", "hosts", "reduce", "schema", "within"])?;
        let hosts = reader.strings("hosts")?.into_iter().map(|(_, host)| host.to_owned()).collect();
        let key = reader.key("component");
        let observer = match reader.required("component")? {
            Value::String(hash) => Observer::Component(json::hash(&key, hash)?),
            builtin => Observer::Builtin(Builtin::from_value(builtin, &key)?),
        };
        let reduce = read_reduction(reader.required("reduce")?, &reader.key("reduce"))?;
        let within = read_tolerance(&reader, &reduce)?;
        Ok(Self { observer, hosts, reduce, within, schema: reader.required("schema")?.clone() })
    }

    fn to_value(&self) -> Value {
        let component = match &self.observer {
            Observer::Component(hash) => Value::from(hex::encode_prefixed(hash)),
            Observer::Builtin(builtin) => builtin.to_value(),
        };
        let mut source = Object::from_iter([
            ("component", component),
            ("hosts", Value::from(self.hosts.clone())),
            ("reduce", self.reduce.to_value()),
            ("schema", self.schema.clone()),
        ]);
        if let Some(within) = &self.within {
            source.insert("within", within.to_value());
        }
        Value::from(source)
    }
}

fn require_version(reader: &Reader<'_>) -> Result<(), JsonError> {
    let version = reader.integer("version")?;
    if version == VERSION.unsigned_abs().into() {
        return Ok(());
    }
    Err(invalid(
        reader.key("version"),
        &version.to_string(),
        format!("is not {VERSION}: use a newer version of Assent"),
    ))
}

/// Returns the key of a source of a conjunction's policy.
pub(crate) fn member_key(index: usize, name: &str) -> String {
    format!("{index}.{name}")
}
