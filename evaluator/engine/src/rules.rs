//! The rules: the content of their region.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use assent_json::{Object, Value as Json};
use assent_rules::{Function, Reduction, ReductionRule, SourceKeyError, Tolerance};

/// The package of the rule that asks the policy's package.
pub(crate) const SYNTHETIC_PACKAGE: &str = "__assent";

/// Roots of `data` that hold documents, or are reserved for them, and so cannot be packages.
const RESERVED: [&str; 4] = ["params", "private", "wasm", SYNTHETIC_PACKAGE];
/// The most policies of a conjunction.
const MAX_POLICIES: usize = 8;

/// What the rules region asks for.
pub(crate) enum Content {
    /// A decision of one policy.
    One(Rules),
    /// A decision of several policies, each of which must allow.
    All(Vec<Rules>),
    /// Tests or a query instead of a decision.
    Trial(Rules, Trial),
}

/// The rules of one policy.
pub(crate) struct Rules {
    /// The package that has `allow` and `deny`.
    pub(crate) entrypoint: String,
    pub(crate) functions: Vec<Function>,
    pub(crate) modules: Vec<Module>,
    pub(crate) parameters_schema: Option<Json>,
    pub(crate) sources: BTreeMap<String, Source>,
}

/// A text in Rego.
pub(crate) struct Module {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// What a policy wants to know of the world.
pub(crate) struct Source {
    pub(crate) reduce: Reduction,
    pub(crate) schema: Option<Json>,
}

/// What is asked of rules that are tried instead of deciding.
pub(crate) struct Trial {
    /// Only tests whose full name matches.
    pub(crate) run: Option<String>,
    /// Whether lines are to be counted.
    pub(crate) coverage: bool,
    /// A query to answer instead of running tests.
    pub(crate) query: Option<Query>,
}

/// A query, with the documents that it sees.
pub(crate) struct Query {
    pub(crate) text: String,
    /// The document `input`, as an expression in Rego.
    pub(crate) input: Option<String>,
    /// Members of the document `data`, as JSON.
    pub(crate) data: Option<String>,
    /// Whether an error of a builtin ends the evaluation, as it does in a decision.
    pub(crate) strict: bool,
}

impl Content {
    /// Reads the content of the region.
    ///
    /// # Errors
    ///
    /// What is wrong, and where.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let json = assent_json::parse_canonical(bytes).map_err(|error| error.to_string())?;
        let Json::Object(mut object) = json else {
            return Err(format!("the rules must be an object, not {}", json.kind()));
        };
        if object.remove("version").and_then(|version| version.as_i64()) != Some(1) {
            return Err("`version` must be 1".to_string());
        }
        let Some(policies) = object.remove("all") else {
            let trial = Trial::read(&mut object)?;
            let rules = Rules::read(object)?;
            return Ok(match trial {
                Some(trial) => Self::Trial(rules, trial),
                None => Self::One(rules),
            });
        };
        let Json::Array(policies) = policies else { return Err("`all` must be an array".to_string()) };
        if !(2..=MAX_POLICIES).contains(&policies.len()) {
            return Err(format!("`all` must have 2 to {MAX_POLICIES} policies, not {}", policies.len()));
        }
        no_other(object)?;
        let policy = |(index, policy): (usize, Json)| {
            let Json::Object(mut object) = policy else { return Err(format!("`all[{index}]` must be an object")) };
            let version = object.remove("version").and_then(|version| version.as_i64());
            let rules = if version == Some(1) { Rules::read(object) } else { Err("`version` must be 1".to_string()) };
            rules.map_err(|error| format!("`all[{index}]`: {error}"))
        };
        policies.into_iter().enumerate().map(policy).collect::<Result<_, _>>().map(Self::All)
    }
}

impl Rules {
    fn read(mut object: Object) -> Result<Self, String> {
        let entrypoint = string(&mut object, "entrypoint")?;
        let is_package = entrypoint.split('.').all(is_name);
        let root = entrypoint.split('.').next().unwrap_or_default();
        if !is_package || is_reserved(root) {
            return Err(format!("`entrypoint`: {entrypoint:?} is not the name of a package, or is reserved"));
        }
        let functions = array(&mut object, "functions")?.into_iter().map(|function| {
            let text = function.as_str().unwrap_or_default();
            Function::from_canonical(text)
                .ok_or_else(|| format!("`functions`: {function} is not a function in its full form"))
        });
        let functions = functions.collect::<Result<_, _>>()?;
        let modules = array(&mut object, "modules")?.into_iter().map(|module| {
            let Json::Object(mut module) = module else { return Err("`modules` must hold objects".to_string()) };
            let read = Module { name: string(&mut module, "name")?, text: string(&mut module, "text")? };
            no_other(module).map(|()| read)
        });
        let modules: Vec<Module> = modules.collect::<Result<_, _>>()?;
        if !modules.is_sorted_by(|left, right| left.name < right.name) {
            return Err("`modules` must be in ascending order of their names, which differ".to_string());
        }
        let parameters_schema = object.remove("parametersSchema");
        let sources = match object.remove("sources") {
            None => BTreeMap::new(),
            Some(Json::Object(sources)) => sources
                .into_iter()
                .map(|(name, source)| Ok((name.clone(), Source::read(&name, source)?)))
                .collect::<Result<_, String>>()?,
            Some(_) => return Err("`sources` must be an object".to_string()),
        };
        no_other(object)?;
        Ok(Self { entrypoint, functions, modules, parameters_schema, sources })
    }
}

impl Source {
    fn read(name: &str, source: Json) -> Result<Self, String> {
        let Json::Object(mut source) = source else { return Err(format!("source `{name}` must be an object")) };
        // What observes, and whom it may ask, is checked when it observes.
        source.remove("component");
        source.remove("hosts");
        let schema = source.remove("schema");
        let of_key = |key: &'static str| {
            move |error: SourceKeyError| match error.field() {
                None => format!("source `{name}`: `{key}`: {error}"),
                Some(field) => format!("source `{name}`: `{key}.{field}`: {error}"),
            }
        };
        let reduce = match source.remove("reduce") {
            None => Reduction::Whole(ReductionRule::Same),
            Some(reduce) => Reduction::from_value(&reduce).map_err(of_key("reduce"))?,
        };
        // Each operator compares with its own observation before it signs.
        if let Some(within) = source.remove("within") {
            Tolerance::from_value(&within, &reduce).map_err(of_key("within"))?;
        }
        no_other(source)?;
        Ok(Self { reduce, schema })
    }
}

impl Trial {
    fn read(object: &mut Object) -> Result<Option<Self>, String> {
        match object.remove("test") {
            None => return Ok(None),
            Some(Json::Bool(true)) => {}
            Some(_) => return Err("`test` must be true, or left out".to_string()),
        }
        let run = object.remove("run").map(|run| text(run, "run")).transpose()?;
        let coverage = object.remove("coverage") == Some(Json::Bool(true));
        let query = match object.remove("query") {
            None => None,
            Some(Json::Object(mut query)) => {
                let optional =
                    |query: &mut Object, key: &str| query.remove(key).map(|value| text(value, key)).transpose();
                let read = Query {
                    text: string(&mut query, "text")?,
                    input: optional(&mut query, "input")?,
                    data: optional(&mut query, "data")?,
                    strict: query.remove("strict") != Some(Json::Bool(false)),
                };
                no_other(query)?;
                Some(read)
            }
            Some(_) => return Err("`query` must be an object".to_string()),
        };
        Ok(Some(Self { run, coverage, query }))
    }
}

/// Returns whether a root of `data` cannot be a package.
pub(crate) fn is_reserved(root: &str) -> bool {
    RESERVED.contains(&root)
}

fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !text.is_empty() && text.chars().all(is_part) && !text.starts_with(|c: char| c.is_ascii_digit())
}

fn string(object: &mut Object, key: &str) -> Result<String, String> {
    let value = object.remove(key).ok_or_else(|| format!("`{key}` is missing"))?;
    text(value, key)
}

fn text(value: Json, key: &str) -> Result<String, String> {
    match value {
        Json::String(text) => Ok(text),
        _ => Err(format!("`{key}` must be a string, not {}", value.kind())),
    }
}

fn array(object: &mut Object, key: &str) -> Result<Vec<Json>, String> {
    match object.remove(key) {
        Some(Json::Array(values)) => Ok(values),
        Some(other) => Err(format!("`{key}` must be an array, not {}", other.kind())),
        None => Err(format!("`{key}` is missing")),
    }
}

fn no_other(object: Object) -> Result<(), String> {
    match object.keys().next() {
        None => Ok(()),
        Some(unknown) => Err(format!("`{unknown}` is unknown")),
    }
}
