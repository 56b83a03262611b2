//! `assent policy suggest`: the narrowest policy that allows recorded calls.

use super::{functions::FunctionArguments, new::name_of};
use crate::{
    ExitStatus, input,
    output::{self, Output},
    output_file::OutputFile,
};
use anyhow::{Context as _, Result, anyhow, bail};
use assent_policy::{ExecutablePolicy, SuggestedLimit, Suggestion, SuggestionOptions, evaluator};
use assent_verifier::Intent;
use clap::{Args, ValueHint};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The options of `assent policy suggest`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent policy suggest treasury --intents calls.json --function 'function pay(address to, uint256 amount)'
  assent policy suggest treasury --intents calls.jsonl --abi out/Treasury.sol/Treasury.json --max-list 50
  assent policy suggest market --intents calls.json --abi Market.json --exact buy.item

The file has intents as `assent intent` prints them: an array, or one after the other. For each target and function the
policy lists chains, callers and the values of arguments, and limits the value and integers to the recorded maximum.
Integers of less than 64 bits are listed too if they have few values. Each argument is limited by itself: a recorded
recipient can be paid the amount that another one got.

What has more values than --max-list is NOT limited, and the output says so. Before anything is written, the policy
passes its check and its tests, and the evaluator allows every recorded call and denies calls that differ from one in
one thing.")]
pub struct Arguments {
    /// The folder to create; its last part is the policy's name.
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    folder: PathBuf,
    /// The recorded calls: intents as a JSON array, or one after the other; - for standard input.
    #[arg(long, value_name = "FILE")]
    intents: PathBuf,
    #[command(flatten)]
    functions: FunctionArguments,
    /// The most values that an argument's list has; with more, the argument is not limited.
    #[arg(long, value_name = "NUMBER", default_value = "16", value_parser = clap::value_parser!(u16).range(1..=1024))]
    max_list: u16,
    /// List the values of this integer argument instead of limiting it to the maximum, as in buy.item.
    #[arg(long, value_name = "FUNCTION.ARGUMENT")]
    exact: Vec<String>,
}

/// Runs `assent policy suggest`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let name = name_of(&arguments.folder)?;
    let intents = read_intents(&arguments.intents)?;
    let functions = arguments.functions.read()?;
    let options = SuggestionOptions { max_list: arguments.max_list.into(), exact: arguments.exact.clone() };
    let suggestion = Suggestion::new(name, &functions, &intents, &options)
        .with_context(|| format!("no policy can be suggested from {}", arguments.intents.display()))?;
    let mut progress = output::Progress::new("Deciding", suggestion.decisions());
    let policy = suggestion.verify(evaluator()?, || progress.advance());
    drop(progress);
    let policy = policy.context("the suggested policy is not written, since it does not pass")?;
    write(&arguments.folder, &suggestion)?;
    warn(&suggestion, arguments.max_list);
    output.result_of(
        || text(&arguments.folder, &suggestion, intents.len()),
        || value(&arguments.folder, &suggestion, &policy, intents.len()),
    )?;
    Ok(ExitStatus::Success)
}

/// Reads intents: an array, or one after the other.
fn read_intents(path: &Path) -> Result<Vec<Intent>> {
    let text = input::read_file("file of intents", path, input::LONGEST_JSON)?;
    let is_array = text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let intents = if is_array {
        serde_json::from_slice::<Vec<Intent>>(&text)
    } else {
        serde_json::Deserializer::from_slice(&text).into_iter::<Intent>().collect()
    };
    intents.map_err(|error| {
        anyhow!(
            "cannot parse file of intents {}: {error}\ngive intents as `assent intent` prints them: an array, or one \
             after the other",
            path.display()
        )
    })
}

fn write(folder: &Path, suggestion: &Suggestion) -> Result<()> {
    // Rules that the folder has already would be part of the policy.
    if folder.is_dir() && fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty; give a folder that does not exist", folder.display());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create folder {}", folder.display()))?;
    for (file, text) in suggestion.files() {
        OutputFile::new("policy's file", &folder.join(file), false)?.write(text)?;
    }
    Ok(())
}

/// Says what is not limited, whatever the form of the output is.
fn warn(suggestion: &Suggestion, max_list: u16) {
    for SuggestedLimit { target, signature, what, limit, .. } in
        suggestion.limits().iter().filter(|limit| limit.is_free)
    {
        output::remark(format_args!(
            "WARNING: NOT LIMITED: {what} of {signature} of {target} can be {limit}, more than {max_list} or too long; \
             raise --max-list, or limit it in the rules"
        ));
    }
    let (recorded, tested) = (suggestion.recorded().len(), suggestion.tested());
    if tested < recorded {
        output::remark(format_args!(
            "the tests have {tested} of the {recorded} recorded calls, which show every limit; the evaluator allowed \
             all of them"
        ));
    }
}

fn text(folder: &Path, suggestion: &Suggestion, calls: usize) -> String {
    let mut table = output::table(["target", "function", "what", "limit"]);
    let mut last = None;
    for limit in suggestion.limits() {
        let key = Some((limit.target, &limit.signature));
        let is_first = last.replace((limit.target, &limit.signature)) != key;
        let target = if is_first { output::short_address(limit.target) } else { String::new() };
        let signature = if is_first { limit.signature.as_str() } else { "" };
        let shown = if limit.is_free { format!("NOT LIMITED: {}", limit.limit) } else { limit.limit.clone() };
        table.add_row([target.as_str(), signature, &limit.what, &shown]);
    }
    let shown = folder.display();
    let files = suggestion.files().keys().map(|file| format!("{shown}/{file}")).collect::<Vec<_>>().join("\n");
    format!(
        "{table}\n{} ({} distinct) {} allowed, and {} denied\n{files}\nnext: assent policy test {shown}",
        output::counted(calls, "recorded call", "recorded calls"),
        suggestion.recorded().len(),
        if calls == 1 { "is" } else { "are" },
        output::counted(suggestion.near_misses().len(), "near miss", "near misses")
    )
}

fn value(folder: &Path, suggestion: &Suggestion, policy: &ExecutablePolicy, calls: usize) -> serde_json::Value {
    let limits = suggestion.limits().iter().map(|limit| {
        json!({
            "target": limit.target, "function": limit.signature, "what": limit.what, "limit": limit.limit,
            "limited": !limit.is_free,
        })
    });
    json!({
        "folder": folder,
        "files": suggestion.files().keys().collect::<Vec<_>>(),
        "policyId": policy.id(),
        "calls": calls,
        "distinctCalls": suggestion.recorded().len(),
        "testedCalls": suggestion.tested(),
        "nearMisses": suggestion.near_misses().len(),
        "limits": limits.collect::<Vec<_>>(),
    })
}
