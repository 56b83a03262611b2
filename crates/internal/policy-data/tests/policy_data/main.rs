//! Tests of the host, with components from fixtures/ and of WebAssembly text.

mod chain;
mod history;
mod hostile;
mod languages;
mod library;
mod playback;
mod world;
mod worlds;
