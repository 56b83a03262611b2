//! The evaluator's image: built from `evaluator/`, and compared with the committed one.
//!
//! The same sources give the same bytes in every folder, with the same compiler and linker. Both are named next to the
//! image, since another compiler makes another program.

use std::{fs, path::PathBuf};

use super::cross_compilation::{Compiler, compiler_for, rust_lld};
use crate::runner::{Outcome, Step, cargo, cargo_home, must_pass, printed, root, target_directory};

/// The target whose atomic operations are replaced by ordinary ones, so that RV32IM remains.
const TARGET: &str = "riscv32ima-unknown-none-elf";
/// The variable that names the linker to cargo.
const LINKER: &str = "CARGO_TARGET_RISCV32IMA_UNKNOWN_NONE_ELF_LINKER";
/// The committed image.
const IMAGE: &str = "crates/assent-policy/image/evaluator.bin";
/// What the image was built with, and its root.
const DESCRIPTION: &str = "crates/assent-policy/image/evaluator.txt";

/// Arguments of `cargo xtask image`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Build the image, and fail if it differs from the committed one
    #[arg(long)]
    check: bool,
}

/// Builds the image, and writes or compares it.
///
/// # Errors
/// If it cannot be built here, or differs.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    if arguments.check { check().into_result() } else { update() }
}

/// The step of `cargo xtask test`.
pub fn step() -> Step {
    Step::new("evaluator: image, rebuilt and compared", check)
}

fn update() -> Result<(), String> {
    let tools = Tools::find()?;
    let image = tools.build()?;
    let write = |path: &str, bytes: &[u8]| {
        fs::write(root().join(path), bytes).map_err(|error| format!("cannot write {path}: {error}"))
    };
    write(IMAGE, &image)?;
    let mut root_of = cargo(&["run", "--quiet", "--package", "assent-evaluator-tests", "--bin", "image-root"]);
    let output = root_of.output().map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("the image's root is unknown: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let root = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let text = format!("root {root}\nsize {}\n{}", image.len(), tools.description());
    write(DESCRIPTION, text.as_bytes())?;
    eprint!("{text}");
    Ok(())
}

fn check() -> Outcome {
    let described = match fs::read_to_string(root().join(DESCRIPTION)) {
        Ok(text) => text,
        Err(error) => return Outcome::Failed(format!("cannot read {DESCRIPTION}: {error}")),
    };
    let tools = match Tools::find() {
        Ok(tools) => tools,
        Err(reason) => return Outcome::Skipped(reason),
    };
    let found = tools.description();
    if !described.ends_with(&found) {
        return Outcome::Skipped(format!("the image was built with other tools ({DESCRIPTION}); found here:\n{found}"));
    }
    compare(&tools).into()
}

fn compare(tools: &Tools) -> Result<(), String> {
    let built = tools.build()?;
    let committed = fs::read(root().join(IMAGE)).map_err(|error| format!("cannot read {IMAGE}: {error}"))?;
    if built == committed {
        return Ok(());
    }
    let differing = built.iter().zip(&committed).filter(|(built, committed)| built != committed).count();
    Err(format!(
        "{IMAGE} ({} bytes) is not what evaluator/ builds ({} bytes): {differing} bytes differ; `cargo xtask image` \
         builds it anew",
        committed.len(),
        built.len()
    ))
}

/// The compiler and the linker.
struct Tools {
    compiler: Compiler,
    compiler_version: String,
    linker: PathBuf,
    linker_version: String,
}

impl Tools {
    fn find() -> Result<Self, String> {
        let compiler = compiler_for(TARGET)?;
        let compiler_version = compiler.version().unwrap_or_default();
        let linker = rust_lld().ok_or("the toolchain has no rust-lld")?;
        let linker_version = printed(&linker, &["-flavor", "gnu", "--version"]).unwrap_or_default();
        Ok(Self { compiler, compiler_version, linker, linker_version })
    }

    fn description(&self) -> String {
        format!("compiler {}\nlinker {}\n", self.compiler_version, self.linker_version)
    }

    /// Builds the image.
    fn build(&self) -> Result<Vec<u8>, String> {
        let target = target_directory().join("evaluator-image");
        // Nothing here may depend on the folder, except for the prefixes: crates are named by a hash of the flags.
        let mut flags = vec!["-Cpasses=lower-atomic".to_owned(), "-Ctarget-feature=-a".to_owned()];
        flags.extend(
            folders().into_iter().map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display())),
        );
        let mut build = cargo(&["build", "--locked", "--manifest-path", "evaluator/Cargo.toml", "--release"]);
        build.args(["--package", "assent-evaluator-image", "--target", TARGET]);
        build.arg("-Zbuild-std-features=compiler-builtins-mem").arg("--target-dir").arg(&target);
        build.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f")).env("CARGO_INCREMENTAL", "0");
        build.env(LINKER, &self.linker);
        self.compiler.compile(&mut build, "core,alloc,compiler_builtins");
        must_pass(build)?;
        let program = target.join(TARGET).join("release/assent-evaluator-image");
        let bytes = fs::read(&program).map_err(|error| format!("cannot read {}: {error}", program.display()))?;
        flat(&bytes).ok_or_else(|| format!("{} is not a program for RV32", program.display()))
    }
}

/// Folders whose names must not be in the image, and what replaces them.
fn folders() -> Vec<(PathBuf, String)> {
    let absolute = |path: PathBuf| fs::canonicalize(&path).unwrap_or(path);
    let mut folders = vec![(absolute(root()), "assent".to_owned())];
    let registries = cargo_home().and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    let registries = registries.into_iter().flatten().filter_map(Result::ok);
    folders.extend(registries.map(|registry| (registry.path(), "registry".to_owned())));
    folders
}

/// Lays out the loadable segments of an ELF program for RV32 as they are in memory from address 0.
fn flat(program: &[u8]) -> Option<Vec<u8>> {
    let half = |at: usize| Some(usize::from(u16::from_le_bytes(program.get(at..at + 2)?.try_into().ok()?)));
    let word = |at: usize| usize::try_from(u32::from_le_bytes(program.get(at..at + 4)?.try_into().ok()?)).ok();
    // ELF, 32 bits, little-endian, RISC-V.
    if !program.starts_with(b"\x7fELF\x01\x01") || half(18)? != 243 {
        return None;
    }
    let (headers, size, count) = (word(28)?, half(42)?, half(44)?);
    let mut image = Vec::new();
    for header in (0..count).map(|index| headers + index * size) {
        const LOAD: usize = 1;
        let (kind, offset, address, length) =
            (word(header)?, word(header + 4)?, word(header + 12)?, word(header + 16)?);
        if kind == LOAD && length > 0 {
            image.resize(image.len().max(address + length), 0);
            image[address..address + length].copy_from_slice(program.get(offset..offset + length)?);
        }
    }
    (!image.is_empty() && image.len() <= 4 << 20).then_some(image)
}
