//! The committed image is the one that its description names.

use std::fs;

use assent_evaluator_tests::root;
use assent_machine::Image;

#[test]
fn the_image_has_the_root_and_the_size_that_its_description_names() {
    let folder = root().join("crates/assent-policy/image");
    let bytes = fs::read(folder.join("evaluator.bin")).expect("the image");
    let text = fs::read_to_string(folder.join("evaluator.txt")).expect("its description");
    let described = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).expect(key).trim().to_owned();
    let image = Image::new(&bytes).expect("valid");
    assert_eq!(described("root"), image.root().to_string());
    assert_eq!(described("size"), bytes.len().to_string());
}
