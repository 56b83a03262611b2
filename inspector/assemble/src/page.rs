//! The page, from its parts.

use anyhow::{Context, Result, bail, ensure};
use assent_inspection::text::{Example, LONGEST_TEXT};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use std::{fs, path::Path};

/// The page's own script, in this order.
const SCRIPTS: [&str; 3] = ["verifier.js", "report.js", "inspector.js"];

/// Puts the page together from the sources, wasm-bindgen's script and the module that it binds.
pub fn assemble(sources: &Path, bindings: &str, module: &[u8]) -> Result<String> {
    let read = |name: &str| {
        let path = sources.join(name);
        fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
    };
    let scripts = SCRIPTS.map(|name| read(&format!("page/{name}"))).into_iter().collect::<Result<Vec<_>>>()?;
    let script = fill(&scripts.concat(), &[("LONGEST_TEXT", &LONGEST_TEXT.to_string())])?;
    // Of its own scope, so that it takes the place of nothing that the browser has.
    let script = format!("\n\"use strict\";\n(() => {{\n{script}}})();\n");
    let style = format!("\n{}", read("page/inspector.css")?);
    let worker = format!("\n{bindings}\n{}", read("page/worker.js")?);
    let examples: Vec<Example> =
        serde_json::from_str(&read("examples.json")?).context("examples.json is not what it should be")?;
    let examples = serde_json::to_string(&examples)?.replace('<', "\\u003c");
    for inside in [&script, &worker] {
        ensure!(!inside.to_lowercase().contains("</script") && !inside.contains("<!--"), "a script would end early");
    }
    fill(
        &read("page/inspector.html")?,
        &[
            ("POLICY", &policy(&script, &style)),
            ("STYLE", &style),
            ("EXAMPLES", &examples),
            ("WORKER", &worker),
            ("MODULE", &BASE64_STANDARD.encode(module)),
            ("SCRIPT", &script),
        ],
    )
}

/// Nothing but this script, this style, WebAssembly and a worker made of the page's own text; and no request to anywhere.
fn policy(script: &str, style: &str) -> String {
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    [
        "default-src 'none'".to_owned(),
        format!("script-src {} 'wasm-unsafe-eval'", hash(script)),
        format!("style-src {}", hash(style)),
        "worker-src blob:".to_owned(),
        "img-src data:".to_owned(),
        "base-uri 'none'".to_owned(),
        "form-action 'none'".to_owned(),
    ]
    .join("; ")
}

/// Puts each value in the place of its name in double braces, of which there must be one and no other.
fn fill(template: &str, values: &[(&str, &str)]) -> Result<String> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    let mut used = 0_usize;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").context("{{ without }}")?;
        let Some((_, value)) = values.iter().find(|(known, _)| *known == name) else {
            bail!("{{{{{name}}}}} has no value");
        };
        filled.push_str(before);
        filled.push_str(value);
        rest = after;
        used += 1;
    }
    ensure!(used == values.len(), "a value has no place in the template");
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_takes_each_value_once_and_nothing_else() {
        assert_eq!(fill("a {{X}} b {{Y}}", &[("Y", "2"), ("X", "{{Y}}")]).expect("a text"), "a {{Y}} b 2");
        assert!(fill("{{X}}", &[]).is_err());
        assert!(fill("{{X", &[("X", "")]).is_err());
        assert!(fill("", &[("X", "")]).is_err());
    }

    #[test]
    fn the_policy_lets_nothing_in_but_the_page_itself() {
        let policy = policy("script", "style");
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
        for opening in ["unsafe-inline", "'unsafe-eval'", "http", "*", "connect-src"] {
            assert!(!policy.contains(opening), "{policy}");
        }
    }
}
