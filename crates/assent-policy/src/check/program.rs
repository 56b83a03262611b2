//! The modules of a policy: their packages, imports and rules.

use super::syntax::{Import, Module, Rule, RuleKind};
use std::{collections::BTreeMap, rc::Rc};

/// Every module of a policy.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) modules: Vec<ModuleInfo>,
    /// The rules of each package, by name.
    pub(super) packages: BTreeMap<String, BTreeMap<String, RuleInfo>>,
}

/// A module.
#[derive(Debug)]
pub(super) struct ModuleInfo {
    pub(super) file: String,
    pub(super) package: Vec<String>,
    pub(super) imports: Vec<Import>,
    /// What each imported name stands for.
    pub(super) names: BTreeMap<String, Vec<String>>,
    pub(super) rules: Vec<Rc<Rule>>,
}

/// The definitions of a rule, each with the index of its module.
#[derive(Debug, Default)]
pub(super) struct RuleInfo {
    pub(super) definitions: Vec<(usize, Rc<Rule>)>,
}

impl Program {
    pub(super) fn new(modules: Vec<(String, Module)>) -> Self {
        let mut packages = BTreeMap::<String, BTreeMap<String, RuleInfo>>::new();
        let mut infos = Vec::new();
        for (index, (file, module)) in modules.into_iter().enumerate() {
            let Module { package, imports, rules } = module;
            let rules = rules.into_iter().map(Rc::new).collect::<Vec<_>>();
            let named = packages.entry(package.join(".")).or_default();
            for rule in &rules {
                named.entry(rule.name().to_owned()).or_default().definitions.push((index, Rc::clone(rule)));
            }
            let names = imports.iter().filter_map(|import| {
                let name = import.name.clone().or_else(|| import.path.last().cloned())?;
                Some((name, import.path.clone()))
            });
            infos.push(ModuleInfo { file, package, names: names.collect(), imports, rules });
        }
        Self { modules: infos, packages }
    }

    /// Returns the rules of the package that a module belongs to.
    pub(super) fn siblings(&self, info: &ModuleInfo) -> Option<&BTreeMap<String, RuleInfo>> {
        self.packages.get(&info.package.join("."))
    }

    /// Returns the paths of the rules of the packages at a path and below it.
    pub(super) fn rules_below(&self, prefix: &str) -> Vec<String> {
        let is_below = |package: &str| {
            prefix.is_empty()
                || package == prefix
                || package.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'))
        };
        let packages = self.packages.iter().filter(|(package, _)| is_below(package));
        packages.flat_map(|(package, rules)| rules.keys().map(move |name| format!("{package}.{name}"))).collect()
    }
}

impl RuleInfo {
    /// Returns what the rule defines.
    pub(super) fn kind(&self) -> RuleKind {
        let mut kinds = self.definitions.iter().map(|(_, rule)| rule.kind);
        kinds.rfind(|kind| *kind != RuleKind::Default).unwrap_or(RuleKind::Default)
    }
}
