//! Gas, as forge's snapshots have it.

use anyhow::{Context, Result, bail};
use indexmap::IndexMap;
use std::{collections::BTreeMap, fs, path::Path};

/// The numbers of operators for which a protected call is measured.
pub const OPERATORS: [u32; 4] = [10, 50, 100, 1000];
/// The numbers of operators that do not sign.
pub const NON_SIGNERS: [u32; 3] = [0, 1, 10];
/// The numbers of attestations under a recorded root.
pub const BATCHES: [u32; 6] = [1, 4, 16, 64, 256, 1024];

/// Figures by what they are of, in alphabetical order, but numbers by their size.
pub type Listing = IndexMap<String, u64>;

/// Everything that the gas tests measure: gas, but for `calldata`.
#[derive(Debug)]
pub struct Gas {
    /// A protected no-op, by the number of operators, and of these by how many do not sign.
    pub protected_call: BTreeMap<u32, BTreeMap<u32, u64>>,
    /// The same no-op unprotected.
    pub unprotected_call: u64,
    /// One use under a recorded root, by the number of attestations under it.
    pub recorded_use: BTreeMap<u32, u64>,
    /// Recording one root.
    pub record_root: u64,
    /// Recording roots, and batches carried by one transaction.
    pub batch: Listing,
    /// Administration: deployments, registration, epochs, policies.
    pub administration: Listing,
    /// Commits of epochs whose weights are stake on EigenLayer, by operators and strategies.
    pub stake: Listing,
    /// Epochs that a mirror on another chain accepts, with the transaction and its calldata.
    pub crosschain: Listing,
    /// Recording offences of 100 operators.
    pub offences: Listing,
    /// The unavoidable costs, one by one.
    pub floor: Listing,
    /// The sum of `floor`.
    pub floor_sum: u64,
    /// The actual cost of what `floor` lists.
    pub paid: u64,
    /// Bytes of calldata in addition to the ordinary call.
    pub calldata: Listing,
}

impl Gas {
    /// Reads the snapshots of a directory.
    ///
    /// # Errors
    /// If a file or a figure is missing, naming it, or is not a number.
    pub fn read(snapshots: &Path) -> Result<Self> {
        let snapshot = |name| Snapshot::read(snapshots, name);
        let protected_call = snapshot("protectedCall")?;
        let recorded_use = snapshot("recordedUse")?;
        let batch = snapshot("batch")?;
        let mut floor = snapshot("floor")?;
        let by_non_signers = |operators: u32| {
            // Of ten operators, ten non-signers leave no signature.
            let non_signers = NON_SIGNERS.into_iter().filter(|absent| *absent < operators);
            let figures = non_signers.map(|absent| {
                Ok((absent, protected_call.figure(&format!("{operators} operators, {absent} non-signers"))?))
            });
            Ok((operators, figures.collect::<Result<_>>()?))
        };
        Ok(Self {
            protected_call: OPERATORS.into_iter().map(by_non_signers).collect::<Result<_>>()?,
            unprotected_call: protected_call.figure("unprotected")?,
            recorded_use: BATCHES
                .into_iter()
                .map(|size| Ok((size, recorded_use.figure(&format!("batch of {size}"))?)))
                .collect::<Result<_>>()?,
            record_root: batch.figure("recordRoot")?,
            batch: batch.figures,
            administration: snapshot("administration")?.figures,
            stake: snapshot("stake")?.figures,
            crosschain: snapshot("crosschain")?.figures,
            offences: snapshot("offences")?.figures,
            floor_sum: floor.take("sum")?,
            paid: floor.take("paid")?,
            floor: floor.figures,
            calldata: snapshot("calldata")?.figures,
        })
    }
}

struct Snapshot {
    file: String,
    figures: Listing,
}

impl Snapshot {
    fn read(snapshots: &Path, name: &str) -> Result<Self> {
        let file = format!("snapshots/{name}.json");
        let content = fs::read_to_string(snapshots.join(format!("{name}.json"))).with_context(|| {
            format!("{file} cannot be read; the gas tests write it: `{}`", crate::measure::GAS_COMMAND)
        })?;
        // forge writes numbers as strings.
        let strings: IndexMap<String, String> =
            serde_json::from_str(&content).with_context(|| format!("{file} is not an object of strings"))?;
        let figures = strings.into_iter().map(|(name, figure)| {
            let number = figure.parse().with_context(|| format!("{file}: \"{name}\" is no number: \"{figure}\""))?;
            Ok((name, number))
        });
        let mut figures = figures.collect::<Result<Listing>>()?;
        // forge sorts by letters, and would put 100 before 50.
        figures.sort_by_cached_key(|name, _| sortable(name));
        if figures.is_empty() {
            bail!("{file} has no figures");
        }
        Ok(Self { file, figures })
    }

    fn figure(&self, name: &str) -> Result<u64> {
        self.figures.get(name).copied().with_context(|| format!("{} has no figure \"{name}\"", self.file))
    }

    /// The figure, which is then no longer one of the list.
    fn take(&mut self, name: &str) -> Result<u64> {
        let figure = self.figure(name)?;
        self.figures.shift_remove(name);
        Ok(figure)
    }
}

/// The words, with the numbers among them as numbers.
fn sortable(name: &str) -> Vec<(Option<u64>, String)> {
    name.split([' ', ','])
        .map(|word| match word.parse() {
            Ok(number) => (Some(number), String::new()),
            Err(_) => (None, word.to_owned()),
        })
        .collect()
}
