//! Measures the reference policies on the machine and natively, in turns, and prints the figures as JSON.
//!
//! The only argument is the program of `evaluator/native`, built with `--release`.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use alloy_primitives::keccak256;
use assent_evaluator_tests::{Contents, image, reference};
use assent_machine::Image;

/// Rounds in which both are measured, one after the other.
const ROUNDS: usize = 15;
/// Evaluations on the machine in a round.
const ON_MACHINE: u32 = 5;
/// Evaluations by the native program in a round.
const NATIVE: u32 = 200;

fn main() {
    let program = env::args_os().nth(1).expect("the native program is named");
    let image = image();
    let [treasury, small] = ["treasury", "small"].map(reference);
    let [treasury_steps, small_steps] = [&treasury, &small].map(|contents| {
        let outcome = contents.run(&image);
        assert!(outcome.allows(), "{:?}", outcome.reasons());
        outcome.steps
    });
    let mut native = Native::start(Path::new(&program), &treasury);
    // Each once before it counts.
    on_machine(&image, &treasury);
    native.nanoseconds();
    let mut ratios = Vec::new();
    let (mut machine_times, mut native_times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (machine, native) = (on_machine(&image, &treasury), native.nanoseconds());
        ratios.push(machine / native);
        machine_times.push(machine);
        native_times.push(native);
    }
    let machine = median(&mut machine_times);
    let steps_per_second = f64::from(u32::try_from(treasury_steps).expect("fits")) / machine * 1e9;
    println!(
        "{{\"image\":\"{}\",\"treasury\":\"{}\",\"small\":\"{}\",\"treasurySteps\":{treasury_steps},\
         \"smallSteps\":{small_steps},\"treasuryMicros\":{:.1},\"nativeMicros\":{:.1},\"ratioToNative\":{:.2},\
         \"stepsPerSecond\":{steps_per_second:.0}}}",
        image.root(),
        measured(&treasury),
        measured(&small),
        machine / 1000.0,
        median(&mut native_times) / 1000.0,
        median(&mut ratios),
    );
}

/// The hash of what is measured.
fn measured(contents: &Contents) -> String {
    let all = [contents.rules.as_bytes(), contents.parameters.as_bytes(), &contents.input, contents.data.as_bytes()];
    keccak256(all.map(keccak256).concat()).to_string()
}

/// Nanoseconds of one decision on the machine, everything new.
fn on_machine(image: &Image, contents: &Contents) -> f64 {
    let started = Instant::now();
    for _ in 0..ON_MACHINE {
        assert!(contents.run(image).allows());
    }
    started.elapsed().as_secs_f64() * 1e9 / f64::from(ON_MACHINE)
}

struct Native {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Native {
    fn start(program: &Path, contents: &Contents) -> Self {
        let folder = env::temp_dir().join(format!("assent-speed-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let all =
            [contents.rules.as_bytes(), contents.parameters.as_bytes(), &contents.input, contents.data.as_bytes()];
        let files = ["rules", "parameters", "input", "data"].map(|name| folder.join(name));
        files.iter().zip(all).for_each(|(file, content)| fs::write(file, content).expect("a file"));
        let mut command = Command::new(program);
        let mut child =
            command.args(&files).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let mut native = Self { child, output };
        native.nanoseconds();
        fs::remove_dir_all(folder).expect("the folder is removed");
        native
    }

    /// Nanoseconds of one evaluation.
    fn nanoseconds(&mut self) -> f64 {
        let input = self.child.stdin.as_mut().expect("its input");
        writeln!(input, "{NATIVE}").expect("it reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        line.trim().parse::<f64>().expect("a number") / f64::from(NATIVE)
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
