//! Components that are refused before they run, and some that no compiler writes, as WebAssembly text.

use crate::world::{host, steps, world};
use assent_policy_data::{Component, LoadError, ObserveError, limits};

const OBSERVE: &str = r#"(func (export "observe") (param "request" string) (result (result string (error string)))
    (canon lift (core func $i "observe") (memory $i "memory") (realloc (func $i "realloc"))))"#;

/// A component whose core module has this body in place of `observe`'s, and these definitions beside it.
fn component(definitions: &str, body: &str) -> Vec<u8> {
    component_with(definitions, body, "", OBSERVE)
}

fn component_with(definitions: &str, body: &str, imports: &str, exports: &str) -> Vec<u8> {
    let text = format!(
        r#"(component {imports}
            (core module $m
                (memory (export "memory") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
                {definitions}
                (func (export "observe") (param i32 i32) (result i32) {body}))
            (core instance $i (instantiate $m))
            {exports})"#
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the text at 8 as the output.
const RETURN: &str = "(i32.store (i32.const 64) (i32.const 0))
    (i32.store (i32.const 68) (i32.const 8)) (i32.store (i32.const 72) (i32.const 2)) i32.const 64";
const DATA: &str = r#"(data (i32.const 8) "{}")"#;

fn run(bytes: &[u8]) -> Result<String, ObserveError> {
    let component = host().load(bytes).expect("it has the world");
    let observation = host().observe(&component, &steps(""), &world())?;
    Ok(observation.output.to_canonical())
}

fn refused(bytes: &[u8]) -> LoadError {
    host().load(bytes).expect_err("the component is refused")
}

#[test]
fn the_smallest_component_observes() {
    assert_eq!(run(&component(DATA, RETURN)), Ok("{}".to_owned()));
}

#[test]
fn a_component_is_known_by_its_hash() {
    let bytes = component(DATA, RETURN);
    let hash = Component::hash_of(&bytes);
    assert_eq!(host().load(&bytes).map(|component| component.hash()), Ok(hash));
    host().unload(hash);
    assert_eq!(host().load(&bytes).map(|component| component.hash()), Ok(hash));
    let abc = alloy_primitives::b256!("0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(Component::hash_of(b"abc"), abc);
}

#[test]
fn what_is_no_component_is_refused() {
    let module = wat::parse_str("(module)").expect("it is a module");
    for bytes in [&[][..], b"\0asm", b"(component)", &module, &component(DATA, RETURN)[..200]] {
        assert!(matches!(refused(bytes), LoadError::Invalid { .. }));
    }
    let mut long = vec![0; limits::COMPONENT_BYTES + 1];
    long[..4].copy_from_slice(b"\0asm");
    assert_eq!(refused(&long), LoadError::TooLong { length: limits::COMPONENT_BYTES + 1 });
}

#[test]
fn wasi_is_refused_by_name() {
    for import in ["wasi:clocks/wall-clock@0.2.0", "wasi:random/random@0.2.0", "assent:policy-data/http@1.1.0"] {
        let imports = format!(r#"(import "{import}" (instance))"#);
        let bytes = component_with(DATA, RETURN, &imports, OBSERVE);
        assert_eq!(refused(&bytes), LoadError::Import { name: import.to_owned() });
    }
    let bytes = component_with(DATA, RETURN, r#"(import "now" (func (result u64)))"#, OBSERVE);
    assert_eq!(refused(&bytes), LoadError::Import { name: "now".to_owned() });
}

#[test]
fn functions_that_are_not_provided_are_refused() {
    let imports = r#"(import "assent:policy-data/chain@1.0.0" (instance (export "send" (func))))"#;
    let name = "assent:policy-data/chain@1.0.0#send".to_owned();
    assert_eq!(refused(&component_with(DATA, RETURN, imports, OBSERVE)), LoadError::Import { name });
}

#[test]
fn functions_of_another_type_are_refused() {
    let imports = r#"(import "assent:policy-data/chain@1.0.0" (instance
        (export "balance" (func (param "account" string) (result u64)))))"#;
    let expected = LoadError::Type {
        name: "assent:policy-data/chain@1.0.0#balance".to_owned(),
        found: "func(account: string) -> u64".to_owned(),
        expected: "func(account: string) -> string",
    };
    assert_eq!(refused(&component_with(DATA, RETURN, imports, OBSERVE)), expected);

    // A dynamic function of the host: without the check, only a call would show the difference.
    let imports = r#"(import "assent:policy-data/http@1.0.0" (instance
        (export "send" (func (param "request" string) (result string)))))"#;
    assert!(matches!(refused(&component_with(DATA, RETURN, imports, OBSERVE)), LoadError::Type { .. }));

    let exports = r#"(func (export "observe") (param "request" string) (result string)
        (canon lift (core func $i "observe") (memory $i "memory") (realloc (func $i "realloc"))))"#;
    let expected = LoadError::Type {
        name: "observe".to_owned(),
        found: "func(request: string) -> string".to_owned(),
        expected: "func(request: string) -> result<string, string>",
    };
    assert_eq!(refused(&component_with(DATA, RETURN, "", exports)), expected);
}

#[test]
fn a_component_without_observe_is_refused() {
    assert_eq!(refused(&component_with(DATA, RETURN, "", "")), LoadError::NoObserve);
}

#[test]
fn instructions_whose_result_depends_on_the_processor_are_refused() {
    for definition in [
        "(func (result v128) (f32x4.relaxed_min (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0)))",
        "(memory 1 2 shared)",
        "(memory i64 1)",
    ] {
        assert!(matches!(refused(&component(definition, "i32.const 0")), LoadError::Invalid { .. }), "{definition}");
    }
}

#[test]
fn memory_beyond_the_limit_is_refused() {
    let grow = |pages: usize| format!("(memory.grow (i32.const {pages})) drop {RETURN}");
    let most = limits::MEMORY_BYTES / 65536;
    assert_eq!(run(&component(DATA, &grow(most - 1))), Ok("{}".to_owned()));
    let requested = limits::MEMORY_BYTES + 65536;
    assert_eq!(run(&component(DATA, &grow(most))), Err(ObserveError::Memory { requested }));

    let table = format!("{DATA} (table {} funcref)", limits::TABLE_ELEMENTS + 1);
    let result = host().load(&component(&table, RETURN));
    assert!(matches!(result, Err(LoadError::Invalid { .. })), "{result:?}");
}

#[test]
fn recursion_ends_at_the_stacks_limit() {
    let definitions = "(func $recurse (param i64) (result i64)
        (i64.add (call $recurse (i64.add (local.get 0) (i64.const 1))) (local.get 0)))";
    let body = format!("(call $recurse (i64.const 0)) drop {RETURN}");
    assert_eq!(run(&component(&format!("{DATA} {definitions}"), &body)), Err(ObserveError::StackOverflow));
}

#[test]
fn a_loop_of_large_copies_ends() {
    // Each copy is one instruction, and costs fuel for its bytes.
    let body = "(drop (memory.grow (i32.const 1023)))
        (loop (memory.copy (i32.const 0) (i32.const 33554432) (i32.const 33554432)) (br 0)) unreachable";
    assert_eq!(run(&component(DATA, body)), Err(ObserveError::OutOfFuel));
}

#[test]
fn a_start_function_has_limits_too() {
    let definitions = format!("{DATA} (func $start (loop (br 0))) (start $start)");
    assert_eq!(run(&component(&definitions, RETURN)), Err(ObserveError::OutOfFuel));
}

#[test]
fn pointers_outside_of_memory_are_refused() {
    for body in [
        "i32.const 65534",
        "i32.const 3",
        "(i32.store (i32.const 68) (i32.const 8)) (i32.store (i32.const 72) (i32.const -1)) i32.const 64",
        "(i32.store (i32.const 68) (i32.const 65535)) (i32.store (i32.const 72) (i32.const 2)) i32.const 64",
        "(i32.store8 (i32.const 64) (i32.const 2)) i32.const 64",
        "(i32.store8 (i32.const 8) (i32.const 0xff)) (i32.store (i32.const 68) (i32.const 8))
         (i32.store (i32.const 72) (i32.const 1)) i32.const 64",
    ] {
        let result = run(&component("", body));
        assert!(matches!(result, Err(ObserveError::Trap { .. } | ObserveError::DataTooLong)), "{body}: {result:?}");
    }
}
