//! Writes docs/performance.md: text by hand, and tables of the last report between marks.

use crate::sections;
use anyhow::{Context, Result, bail};
use std::{collections::BTreeMap, fs, path::Path};

const FILE: &str = "docs/performance.md";
const PLOTS: &str = "docs/performance";

/// Writes the tables into the page, and the plots to its folder.
///
/// # Errors
/// When the page's marks and the tables do not match, or a file cannot be read or written.
pub fn write(root: &Path) -> Result<()> {
    for (file, content) in render(root)? {
        let path = root.join(&file);
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(path, content).with_context(|| format!("{file} cannot be written"))?;
    }
    Ok(())
}

/// The page and the plots as they should be, by their paths from the repository's root.
///
/// # Errors
/// When the page's marks and the tables do not match, or the page cannot be read.
pub fn render(root: &Path) -> Result<BTreeMap<String, String>> {
    let (mut tables, mut files) = (BTreeMap::new(), BTreeMap::new());
    for section in &sections::ALL {
        tables.extend((section.tables)(root)?);
        files.extend((section.plots)(root)?.into_iter().map(|(name, plot)| (format!("{PLOTS}/{name}"), plot)));
    }
    let page = fs::read_to_string(root.join(FILE)).with_context(|| format!("{FILE} cannot be read"))?;
    files.insert(FILE.to_owned(), with_tables(&page, &tables).with_context(|| format!("in {FILE}"))?);
    Ok(files)
}

/// Replaces the text between `<!-- report: NAME -->` and `<!-- /report -->` by the table of that name.
///
/// # Errors
/// When a mark has no table, a table no mark, or a mark no end.
pub fn with_tables(page: &str, tables: &BTreeMap<&'static str, String>) -> Result<String> {
    const START: &str = "<!-- report: ";
    const END: &str = "<!-- /report -->";
    let mut missing = tables.clone();
    let mut parts = page.split(START);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(" -->").context("a mark that does not close")?;
        let (_, rest) = rest.split_once(END).with_context(|| format!("no {END} after the mark {name}"))?;
        let table =
            missing.remove(name).with_context(|| format!("no table for the mark {name}, or it is there twice"))?;
        result += &format!("{START}{name} -->\n{table}{END}{rest}");
    }
    if let Some(name) = missing.keys().next() {
        bail!("no mark for the table {name}: add `{START}{name} -->` and `{END}` where it should be");
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: [(&str, &str); 2] = [("one", "1\n"), ("two", "2\n")];

    fn filled(page: &str) -> Result<String> {
        with_tables(page, &TABLES.map(|(name, table)| (name, table.to_owned())).into())
    }

    #[test]
    fn puts_each_table_between_its_marks_and_leaves_the_rest() {
        let page = "a\n<!-- report: two -->\nold\n<!-- /report -->\nb\n<!-- report: one --><!-- /report -->\nc\n";
        let expected =
            "a\n<!-- report: two -->\n2\n<!-- /report -->\nb\n<!-- report: one -->\n1\n<!-- /report -->\nc\n";
        assert_eq!(filled(page).unwrap(), expected);
        assert_eq!(filled(expected).unwrap(), expected);
    }

    #[test]
    fn refuses_marks_and_tables_that_do_not_match() {
        let [one, two] = ["one", "two"].map(|name| format!("<!-- report: {name} -->\n<!-- /report -->\n"));
        let refused = |page: &str| filled(page).unwrap_err().to_string();
        assert!(refused(&one).contains("no mark for the table two"));
        assert!(refused(&(one.clone() + &two + &one)).contains("no table for the mark one"));
        assert!(refused(&(one.clone() + &two.replace("two", "three"))).contains("no table for the mark three"));
        assert!(refused(&(one + "<!-- report: two -->\n")).contains("no <!-- /report --> after the mark two"));
    }
}
