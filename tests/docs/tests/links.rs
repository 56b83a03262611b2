//! Every relative link in the repository's Markdown leads to a file and, after `#`, to a heading.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Folders that hold no pages of the repository's own.
const SKIPPED: [&str; 5] = ["node_modules", "target", "out", "cache", ".git"];

#[test]
fn links_lead_to_files_and_headings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = Vec::new();
    collect(&root, &mut pages).expect("the pages");
    assert!(pages.len() > 30, "only {} pages were found", pages.len());
    let dead: Vec<_> = pages.iter().flat_map(|page| dead_links(page)).collect();
    assert!(dead.is_empty(), "links that lead nowhere:\n{}", dead.join("\n"));
}

fn collect(folder: &Path, pages: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !path.is_symlink() && !SKIPPED.contains(&name.as_ref()) {
            collect(&path, pages)?;
        } else if name.ends_with(".md") {
            pages.push(path);
        }
    }
    Ok(())
}

fn dead_links(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).expect("the page");
    let folder = page.parent().expect("a folder");
    let dead = links(&text).filter(|link| !leads_somewhere(page, folder, link));
    dead.map(|link| format!("{}: {link}", page.display())).collect()
}

/// The targets of a page's links, without those to other sites.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|link| !link.contains("://") && !link.contains(char::is_whitespace))
}

fn leads_somewhere(page: &Path, folder: &Path, link: &str) -> bool {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() { page.to_owned() } else { folder.join(file) };
    match heading {
        "" => target.exists(),
        heading => fs::read_to_string(target).is_ok_and(|text| headings(&text).any(|found| found == heading)),
    }
}

/// A page's headings, as their links spell them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

#[test]
fn a_dead_link_is_found() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let folder = page.parent().expect("a folder");
    for link in ["docs/protocol.md", "contracts", "#status", "docs/security.md#known-limits"] {
        assert!(leads_somewhere(&page, folder, link), "{link}");
    }
    for link in ["docs/absent.md", "#absent", "docs/security.md#absent"] {
        assert!(!leads_somewhere(&page, folder, link), "{link}");
    }
}
