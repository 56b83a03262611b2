//! Prints the root of the evaluator's image.

fn main() {
    println!("{}", assent_evaluator_tests::image().root());
}
