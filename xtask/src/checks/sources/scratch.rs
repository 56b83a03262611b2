//! Scratch memory in the contracts: Solidity may write there between any two statements, so a value must not stay there
//! from one assembly block to another.

use std::collections::BTreeMap;

/// The words of scratch memory, as assembly spells them; 0x1c is a selector's place in a word.
const SCRATCH: [&str; 5] = ["0", "0x0", "0x00", "0x1c", "0x20"];

/// Names the blocks that write scratch memory and do not read it, or read it and write nothing.
pub fn faults(sources: &BTreeMap<String, String>) -> Vec<String> {
    let contracts = sources.iter().filter(|(path, _)| path.starts_with("contracts/") && path.ends_with(".sol"));
    let mut faults = vec![];
    for (path, text) in contracts {
        for (line, block) in blocks(text) {
            let (writes, reads) = (writes(&block), reads(&block));
            if writes.scratch && !reads {
                faults.push(format!("{path}:{line}: scratch memory is written for another assembly block"));
            }
            if reads && !writes.any {
                faults.push(format!("{path}:{line}: scratch memory is read that another assembly block wrote"));
            }
        }
    }
    faults
}

/// The assembly blocks of a file without their comments, each with its first line's number.
fn blocks(text: &str) -> Vec<(usize, String)> {
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let mut blocks = vec![];
    for (index, line) in code.iter().enumerate() {
        if !line.trim_start().starts_with("assembly ") {
            continue;
        }
        let mut depth = 0;
        let mut block = String::new();
        for line in code.iter().skip(index) {
            depth += line.matches('{').count();
            depth = depth.saturating_sub(line.matches('}').count());
            block.push_str(line);
            block.push('\n');
            if depth == 0 {
                break;
            }
        }
        blocks.push((index + 1, block));
    }
    blocks
}

struct Writes {
    /// Whether scratch memory is written for certain.
    scratch: bool,
    /// Whether memory is written that may be scratch memory.
    any: bool,
}

fn writes(block: &str) -> Writes {
    let stores = ["mstore(", "mstore8(", "returndatacopy(", "calldatacopy(", "extcodecopy(", "mcopy("];
    let mut addresses: Vec<String> =
        stores.iter().flat_map(|name| arguments(block, name)).filter_map(|list| list.first().cloned()).collect();
    // The last two arguments of a call are where its output goes, and how much of it.
    for call in calls(block) {
        if let [.., output, size] = call.as_slice()
            && size != "0"
        {
            addresses.push(output.clone());
        }
    }
    let is_scratch = |address: &String| SCRATCH.contains(&address.as_str());
    Writes { scratch: addresses.iter().any(is_scratch), any: !addresses.is_empty() }
}

fn reads(block: &str) -> bool {
    let first = ["mload(", "keccak256(", "revert(", "return("];
    let is_scratch = |address: &String| SCRATCH.contains(&address.as_str());
    let by_address = first.iter().flat_map(|name| arguments(block, name)).any(|list| {
        let has_size = list.get(1).is_none_or(|size| size != "0");
        list.first().is_some_and(is_scratch) && has_size
    });
    let by_call = calls(block).iter().any(|call| {
        let mut last_four = call.iter().rev().take(4).rev();
        last_four.next().is_some_and(is_scratch) && last_four.next().is_some_and(|size| size != "0")
    });
    by_address || by_call
}

fn calls(block: &str) -> Vec<Vec<String>> {
    arguments(block, "call(").into_iter().filter(|list| list.len() >= 6).collect()
}

/// The argument lists of each use of a function, whose name ends with the opening parenthesis.
fn arguments(block: &str, name: &str) -> Vec<Vec<String>> {
    let mut lists = vec![];
    for (index, _) in block.match_indices(name) {
        let is_whole = !block[..index].ends_with(|before: char| before.is_ascii_alphanumeric());
        if !is_whole && name != "call(" {
            continue;
        }
        let mut list = vec![String::new()];
        let mut depth = 0usize;
        for character in block[index + name.len()..].chars() {
            match character {
                ')' if depth == 0 => break,
                ',' if depth == 0 => {
                    list.push(String::new());
                    continue;
                }
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if !character.is_whitespace()
                && let Some(last) = list.last_mut()
            {
                last.push(character);
            }
        }
        lists.push(list);
    }
    lists
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_in(block: &str) -> Vec<String> {
        let text = format!("function f() {{\n    assembly (\"memory-safe\") {{\n{block}\n    }}\n}}\n");
        faults(&BTreeMap::from([("contracts/A.sol".to_owned(), text)]))
    }

    #[test]
    fn a_value_that_stays_in_scratch_memory_is_found() {
        let written = "contracts/A.sol:2: scratch memory is written for another assembly block";
        let read = "contracts/A.sol:2: scratch memory is read that another assembly block wrote";
        assert_eq!(faults_in("mstore(0, message)"), [written]);
        assert_eq!(faults_in("pop(staticcall(gas(), 2, input, 64, 0, 0x20))"), [written]);
        assert_eq!(faults_in("holds := and(wellFormed, eq(mload(0), 1))"), [read]);
        assert_eq!(faults_in("root := keccak256(0, 0x40)"), [read]);
    }

    #[test]
    fn scratch_memory_of_one_block_is_free() {
        assert_eq!(faults_in("mstore(0, 1)\nrevert(0x1c, 4)"), [""; 0]);
        assert_eq!(faults_in("mstore(pointer, a)\nmstore(xor(pointer, 0x20), b)\nh := keccak256(0, 0x40)"), [""; 0]);
        assert_eq!(faults_in("ok := staticcall(gas(), 2, input, 64, 0, 0x20)\nword := mload(0)"), [""; 0]);
        assert_eq!(faults_in("mstore(0, x) // mload(0)\nok := staticcall(gas(), 16, 0, 0x40, out, 0x80)"), [""; 0]);
        assert_eq!(faults_in("mstore(0x40, end)\nsuccess := call(gas(), to, 0, input, 4, 0, 0)"), [""; 0]);
    }
}
