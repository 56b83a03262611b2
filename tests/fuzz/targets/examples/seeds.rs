//! Writes the seeds into `tests/fuzz/corpus`: `cargo run --package assent-fuzz --example seeds`. Needed again when a
//! format changes.

use assent_fuzz::seeds::seeds;
use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    for seed in seeds() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(seed.target);
        fs::create_dir_all(&directory)?;
        fs::write(directory.join(seed.name), seed.input)?;
    }
    Ok(())
}
