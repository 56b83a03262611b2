//! A disk that a test can fill.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
    process::Command,
};

/// A small file system in memory, which is unmounted when it is dropped.
pub struct SmallDisk {
    /// Where it is mounted.
    pub path: PathBuf,
}

impl SmallDisk {
    /// `None` without the right to mount one.
    pub fn mount(path: PathBuf) -> io::Result<Option<Self>> {
        fs::create_dir_all(&path)?;
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(&path).output();
        let is_mounted = mounted.is_ok_and(|output| output.status.success());
        Ok(is_mounted.then_some(Self { path }))
    }

    /// Fills it to the last byte.
    pub fn fill(&self) -> io::Result<PathBuf> {
        let path = self.path.join("filler");
        let mut file = File::create(&path)?;
        for size in [1 << 16, 1 << 12, 1 << 8, 1] {
            let block = vec![1; size];
            while file.write_all(&block).is_ok() {}
        }
        Ok(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.path).status();
    }
}
