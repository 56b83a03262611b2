//! The page's tables.

use crate::{
    gas::{Gas, Listing, NON_SIGNERS, OPERATORS},
    measure::{BATCHES, GAS_COMMAND, RATIO_COMMAND, TIMES_COMMAND},
    peers::PEERS,
    times::{Comparison, Times},
};
use anyhow::{Context, Result};
use std::collections::BTreeMap;

/// The tables of gas, by their names in the page.
///
/// # Errors
/// If a figure is missing.
pub fn gas(gas: &Gas) -> Result<BTreeMap<&'static str, String>> {
    Ok(BTreeMap::from([
        ("gas.protectedCall", protected_call(gas)?),
        ("gas.peers", peers(gas)?),
        ("gas.floor", floor(gas)),
        ("gas.recordedUse", recorded_use(gas)),
        ("gas.batch", batch(gas)),
        ("gas.calldata", listing(["calldata in addition to the ordinary call", "bytes"], &gas.calldata, "calldata")),
        ("gas.administration", listing(["action", "gas"], &gas.administration, "administration")),
    ]))
}

/// The tables of times, by their names in the page.
///
/// # Errors
/// If a figure is missing.
pub fn time(times: &Times) -> Result<BTreeMap<&'static str, String>> {
    Ok(BTreeMap::from([
        ("time.machine", format!("Measured on: {}.\n", times.machine)),
        ("time.verify", verify(times)?),
        ("time.ratio", ratio(times)?),
        ("time.batch", batch_times(times)?),
        ("time.large-batch", large_batch(times)?),
        ("time.parts", parts(times)?),
    ]))
}

fn protected_call(gas: &Gas) -> Result<String> {
    let fewest = protected(gas, OPERATORS[0], 0)?;
    let mut table =
        Table::new(&["operators", "all sign", "1 non-signer", "10 non-signers", "each non-signer", "against 10"]);
    for operators in OPERATORS {
        let [none, one, ten] = NON_SIGNERS.map(|absent| protected(gas, operators, absent).ok());
        let none = none.context("no figure for all signing")?;
        // Of the greatest number of non-signers, where costs that are paid once count least.
        let each = [(ten, 10), (one, 1)].into_iter().find_map(|(gas, absent)| Some(gas?.saturating_sub(none) / absent));
        table.row(vec![
            thousands(operators.into()),
            thousands(none),
            or_dash(one.map(thousands)),
            or_dash(ten.map(thousands)),
            or_dash(each.map(thousands)),
            change(none as f64 / fewest as f64),
        ]);
    }
    let unprotected = format!("\nThe same call unprotected costs {}.\n", thousands(gas.unprotected_call));
    Ok(table.markdown() + &unprotected + &from_snapshot("protectedCall"))
}

fn peers(gas: &Gas) -> Result<String> {
    let mut table = Table::new(&["system", "curve", "all sign", "1 non-signer", "10 non-signers"]).texts(2);
    let ours = NON_SIGNERS.map(|absent| protected(gas, 100, absent).ok());
    let rows = PEERS.map(|peer| (peer.name.to_owned(), peer.curve, peer.gas));
    for (name, curve, gas) in [("**Assent, protected call**".to_owned(), "BLS12-381", ours)].into_iter().chain(rows) {
        let figures = gas.map(|gas| or_dash(gas.map(thousands)));
        table.row([name, curve.to_owned()].into_iter().chain(figures).collect());
    }
    Ok(table.markdown())
}

fn floor(gas: &Gas) -> String {
    let share = |figure: u64| format!("{:.1} %", 100.0 * figure as f64 / gas.floor_sum as f64);
    let mut table = Table::new(&["cost", "gas", "share"]);
    for (name, figure) in &gas.floor {
        // A letter before the name gives its position in the list.
        let name =
            name.split_once(": ").filter(|(letter, _)| letter.len() == 1).map_or(name.as_str(), |(_, name)| name);
        table.row(vec![name.to_owned(), thousands(*figure), share(*figure)]);
    }
    table.row(vec!["**sum**".into(), format!("**{}**", thousands(gas.floor_sum)), share(gas.floor_sum)]);
    table.row(vec!["**paid**".into(), format!("**{}**", thousands(gas.paid)), share(gas.paid)]);
    let above = change(gas.paid as f64 / gas.floor_sum as f64);
    table.markdown() + &format!("\nPaid compared with the sum: {above}.\n") + &from_snapshot("floor")
}

fn recorded_use(gas: &Gas) -> String {
    let mut table =
        Table::new(&["attestations under the root", "one use", "share of recording", "total per attestation"]);
    for (size, gas_of_use) in &gas.recorded_use {
        let share = gas.record_root / u64::from(*size);
        table.row(vec![
            thousands((*size).into()),
            thousands(*gas_of_use),
            thousands(share),
            thousands(gas_of_use + share),
        ]);
    }
    table.markdown() + &from_snapshot("recordedUse")
}

fn batch(gas: &Gas) -> String {
    let mut table = Table::new(&["call", "gas", "per attestation"]);
    for (name, figure) in &gas.batch {
        let count = name.split(' ').find_map(|word| word.parse::<u64>().ok()).unwrap_or(1);
        table.row(vec![name.clone(), thousands(*figure), thousands(figure / count.max(1))]);
    }
    table.markdown() + &from_snapshot("batch")
}

fn listing(header: [&str; 2], figures: &Listing, snapshot: &str) -> String {
    let mut table = Table::new(&header);
    for (name, figure) in figures {
        table.row(vec![name.clone(), thousands(*figure)]);
    }
    table.markdown() + &from_snapshot(snapshot)
}

fn verify(times: &Times) -> Result<String> {
    let mut table = Table::new(&["backend", "bare library", "all sign", "1 non-signer", "10 non-signers"]);
    for (name, backend) in [("blst", &times.blst), ("arkworks", &times.arkworks)] {
        let figures = backend.verify.values().map(|time| micros(*time));
        table.row([name.to_owned(), micros(backend.raw)].into_iter().chain(figures).collect());
    }
    Ok(table.markdown() + &from_command(TIMES_COMMAND))
}

fn ratio(times: &Times) -> Result<String> {
    let mut table = Table::new(&["comparison", "first, µs", "second, µs", "ratio", "middle half of rounds"]);
    for (what, name) in [("`verify` ÷ bare library", "verify"), ("`verify_batch` of 1,024 ÷ bare library", "batch")] {
        ratio_rows(times, &mut table, what, name)?;
    }
    ratio_rows(times, &mut table, "`verify` ÷ `verify_batch` of 1,024", "one-by-one")?;
    Ok(table.markdown() + &from_command(RATIO_COMMAND))
}

fn ratio_rows(times: &Times, table: &mut Table, what: &str, name: &str) -> Result<()> {
    for backend in ["blst", "arkworks"] {
        let Comparison { one, other, ratio, quartiles: [low, high] } =
            times.comparison(&format!("{name}-{backend}"))?;
        table.row(vec![
            format!("{what}, {backend}"),
            micros(*one),
            micros(*other),
            format!("**{ratio:.2}**"),
            format!("{low:.2} to {high:.2}"),
        ]);
    }
    Ok(())
}

fn batch_times(times: &Times) -> Result<String> {
    let mut table = Table::new(&["attestations", "bare blst", "with blst", "bare arkworks", "with arkworks"]);
    for size in BATCHES {
        let of = |times: &BTreeMap<u32, f64>| times.get(&size).copied().context("a batch was not measured").map(micros);
        let [blst, arkworks] = [&times.blst, &times.arkworks];
        let figures = [of(&blst.raw_batch)?, of(&blst.batch)?, of(&arkworks.raw_batch)?, of(&arkworks.batch)?];
        table.row([thousands(size.into())].into_iter().chain(figures).collect());
    }
    Ok(table.markdown() + &from_command(TIMES_COMMAND))
}

fn large_batch(times: &Times) -> Result<String> {
    let mut table = Table::new(&["1,024 attestations", "blst", "arkworks"]);
    let [blst, arkworks] = [&times.blst, &times.arkworks];
    let each = |time: fn(&crate::times::BackendTimes) -> Option<f64>| {
        [time(blst), time(arkworks)].map(|time| or_dash(time.map(micros)))
    };
    let rows = [
        ("signed by the same operators", each(|times| times.batch.get(&1024).copied())),
        ("up to 3 of 100 non-signers each", each(|times| Some(times.different_non_signers))),
        ("the same operators, all cores (wall clock)", each(|times| Some(times.all_threads))),
    ];
    for (name, [blst, arkworks]) in rows {
        table.row(vec![name.to_owned(), blst, arkworks]);
    }
    Ok(table.markdown() + &from_command(TIMES_COMMAND))
}

fn parts(times: &Times) -> Result<String> {
    let verification = times.blst.verify.get(&0).context("one verification was not measured")?;
    let share = 100.0 * times.parsing_and_digests / verification;
    let time = times.parsing_and_digests;
    let text = format!(
        "Everything except the curve arithmetic takes {time:.1} µs: {share:.1} % of one verification with blst.\n"
    );
    Ok(text + &from_command(TIMES_COMMAND))
}

/// A markdown table whose first columns are text and the others numbers.
struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    texts: usize,
}

impl Table {
    fn new(header: &[&str]) -> Self {
        Self { header: header.iter().map(|name| (*name).to_owned()).collect(), rows: vec![], texts: 1 }
    }

    /// So many columns of text, instead of one.
    fn texts(self, texts: usize) -> Self {
        Self { texts, ..self }
    }

    fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let alignment = |column| if column < self.texts { "---" } else { "---:" }.to_owned();
        let alignments: Vec<_> = (0..self.header.len()).map(alignment).collect();
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        line(&self.header) + &line(&alignments) + &rows
    }
}

fn protected(gas: &Gas, operators: u32, absent: u32) -> Result<u64> {
    let figure = gas.protected_call.get(&operators).and_then(|figures| figures.get(&absent));
    figure.copied().with_context(|| format!("no figure for {absent} of {operators} operators absent"))
}

fn from_snapshot(name: &str) -> String {
    format!("\n[snapshots/{name}.json](../snapshots/{name}.json), written by `{GAS_COMMAND}`\n")
}

fn from_command(command: &str) -> String {
    format!("\nMeasured by `{command}`\n")
}

fn or_dash(figure: Option<String>) -> String {
    figure.unwrap_or_else(|| "–".to_owned())
}

fn change(factor: f64) -> String {
    format!("{:+.1} %", 100.0 * (factor - 1.0))
}

/// A time in microseconds, without fractions.
pub fn micros(time: f64) -> String {
    if time < 1000.0 { format!("{time:.0}") } else { thousands(time.round() as u64) }
}

/// Digits in groups of three.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
