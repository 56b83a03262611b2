//! Options that a file, a flag or a variable sets.

use anyhow::{Result, anyhow, ensure};

/// Declares options that a flag, a variable or a configuration file sets. Each is optional, and the first that is set
/// counts.
///
/// The crate that declares them depends on clap (with `derive` and `env`) and serde (with `derive`). The flag and the
/// file's key are the name with dashes. With `hide_env_values = true`, `--help` shows the value of no variable.
#[macro_export]
macro_rules! options {
    (
        $(#[$documented:meta])*
        $visibility:vis struct $options:ident, hide_env_values = $hide:literal;
        $($(#[doc = $doc:literal])* $(#[arg($($arg:tt)*)])* $name:ident, $variable:literal: $type:ty,)*
    ) => {
        $(#[$documented])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, ::clap::Args, ::serde::Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        $visibility struct $options {
            $(
                $(#[doc = $doc])*
                #[arg(long, env = $variable, hide_env_values = $hide, $($($arg)*)*)]
                pub $name: Option<$type>,
            )*
        }

        impl $options {
            /// The names of the options, with underscores.
            pub const KEYS: &'static [&'static str] = &[$(stringify!($name)),*];

            /// Returns these options, and those of `other` that are not set here.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self { $($name: self.$name.or(other.$name),)* }
            }
        }
    };
}

/// Returns the value of an option.
///
/// `program` is what the program's variables begin with, as in `ASSENT_GATEWAY`.
///
/// # Errors
///
/// It is not set.
pub fn required<T>(program: &str, key: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| missing(program, key))
}

/// Returns the error that an option is not set, and how to set it.
pub fn missing(program: &str, key: &str) -> anyhow::Error {
    let variable = key.replace('-', "_").to_uppercase();
    anyhow!("{key} is missing: give --{key}, {program}_{variable}, or {key} in the configuration file")
}

/// Returns a number that is not zero.
///
/// # Errors
///
/// It is zero.
pub fn at_least_one<T: PartialEq + Default>(key: &str, value: T) -> Result<T> {
    ensure!(value != T::default(), "{key} is 0; give at least 1");
    Ok(value)
}
