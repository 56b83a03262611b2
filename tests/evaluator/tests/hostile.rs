//! Rules and contents that mean harm: each ends as a denial with its reason, and the process goes on.

use assent_evaluator_tests::{Contents, ImageRun, image, rules};
use assent_machine::Image;

/// `abi.encode` of a PolicyInput whose call has no calldata: all words are zero, but for the offsets.
fn input() -> Vec<u8> {
    let mut words = [[0_u8; 32]; 13];
    words[0][31] = 32;
    words[1][31] = 6 * 32;
    words[10][31] = 5 * 32;
    words.concat()
}

fn contents(module: &str) -> Contents {
    Contents {
        rules: rules([("policy.rego", module)], "{}"),
        parameters: "{}".to_owned(),
        input: input(),
        data: String::new(),
    }
}

/// Decides about rules, and then about ones that are valid, on the same image: the process is unharmed.
fn decide(image: &Image, contents: &Contents) -> ImageRun {
    let outcome = contents.run(image);
    assert_eq!(outcome, contents.run(image), "the same again");
    assert!(self::contents("package policy\n\nallow := true\n").run(image).allows());
    outcome
}

#[test]
fn hostile_rules_are_denied_with_their_reason() {
    let image = image();
    let of = |text: &str| format!("package policy\n\nallow := true\n\n{text}\n");
    let nested =
        |open: &str, close: &str, levels: usize| [open.repeat(levels), "1".to_owned(), close.repeat(levels)].concat();
    let cases: [(&str, String, &str); 23] = [
        (
            "a function that calls itself",
            of("f(x) := f(x + 1)\ndeny contains \"x\" if f(1)"),
            "trap: write to read-only memory",
        ),
        (
            "functions that call each other",
            of("f(x) := g(x)\ng(x) := f(x)\ndeny contains \"x\" if f(1)"),
            "trap: write to read-only memory",
        ),
        ("a rule that needs itself", of("a if b\nb if a\ndeny contains \"x\" if a"), "evaluation: "),
        (
            "a range of 30 million",
            of("deny contains \"x\" if count(numbers.range(1, 30000000)) == 1"),
            "trap: the program gave up",
        ),
        (
            "ranges that take long",
            of("r := numbers.range(1, 20000)\ndeny contains \"x\" if { some i in r; some j in r; i * j == 0 }"),
            "limit",
        ),
        ("a number with an exponent", of("deny contains \"x\" if to_number(\"1e100000000\") > 1"), "evaluation: "),
        ("a literal with an exponent", of("deny contains \"x\" if 1e100000000 > 1"), "limit"),
        (
            "a power by multiplication",
            of("f(x, 0) := x\nf(x, n) := f(x * x, n - 1) if n > 0\ndeny contains \"x\" if f(3, 60) == 0"),
            "limit",
        ),
        ("a shift by much", of("deny contains \"x\" if not bits.lsh(1, 1000000000000) > 1"), "denied: x"),
        (
            "a text that doubles",
            of("f(s, 0) := s\nf(s, n) := f(concat(\"\", [s, s]), n - 1) if n > 0\n\
                 deny contains \"x\" if count(f(\"xxxxxxxx\", 40)) == 0"),
            "trap: the program gave up",
        ),
        (
            "a count of nothing",
            of("deny contains \"x\" if strings.count(\"foo\", \"\") == 0\ndeny contains \"y\""),
            "denied: y",
        ),
        (
            "a catastrophic pattern",
            of("s := concat(\"\", [\"a\" | some i in numbers.range(1, 5000)])\n\
                 deny contains \"x\" if regex.match(`^(a+)+$`, s)"),
            "denied: x",
        ),
        (
            "a pattern of a large automaton",
            of("deny contains \"x\" if regex.match(`((((a{1,100}){1,100}){1,100}){1,100})`, \"a\")"),
            "evaluation: ",
        ),
        (
            "nested repetitions that match",
            of("s := concat(\"\", [\"x\" | some i in numbers.range(1, 5000)])\n\
                 deny contains \"x\" if regex.match(`(x+x+)+y`, s)\ndeny contains \"y\""),
            "denied: y",
        ),
        (
            "100,000 levels of arrays",
            of(&format!("x := {}", nested("[", "]", 100_000).as_str())),
            "trap: write to read-only memory",
        ),
        ("100,000 parentheses", of(&format!("x := {}", nested("(", ")", 100_000).as_str())), "rules: "),
        (
            "100,000 levels in a text",
            of(&format!("deny contains \"x\" if json.unmarshal(`{}`)", nested("[", "]", 100_000))),
            "evaluation: ",
        ),
        (
            "a key that is twice in a text",
            of("deny contains \"x\" if json.unmarshal(`{\"a\":1,\"a\":2}`)"),
            "evaluation: ",
        ),
        ("a lone surrogate in a text", of("deny contains \"x\" if json.unmarshal(`\"\\ud800\"`)"), "evaluation: "),
        (
            "a walk of what grows",
            of("deny contains \"x\" if { some i; walk(numbers.range(1, 400000), [i, _]); i == 0 }"),
            "trap: the program gave up",
        ),
        (
            "a graph that is everything",
            of("r := numbers.range(1, 2000)\ng := {i: {j | some j in r} | some i in r}\n\
                 deny contains \"x\" if count(graph.reachable(g, {1})) == 0"),
            "limit",
        ),
        ("a module without an end", "package policy\n\nallow if {".to_owned(), "rules: "),
        ("a string without an end", "package policy\n\nallow := \"".to_owned(), "rules: "),
    ];
    for (name, module, expected) in cases {
        let outcome = decide(&image, &contents(&module));
        let reasons = outcome.reasons();
        eprintln!("{name}: {} steps, {:.100}", outcome.steps, reasons.join("; "));
        assert!(!outcome.allows(), "{name} is allowed");
        assert!(reasons.len() == 1 && reasons[0].starts_with(expected), "{name}: {reasons:?}");
    }
}

/// Rules with a source, which make the evaluator read the data.
fn with_source() -> String {
    rules([("policy.rego", "package policy\n\nallow := true\n")], r#"{"sources": {"s": {"schema": {}}}}"#)
}

#[test]
fn hostile_contents_are_denied_with_their_reason() {
    let image = image();
    let valid = contents("package policy\n\nallow := true\n");
    let deep = [&"[".repeat(100_000)[..], &"]".repeat(100_000)].concat();
    type Change<'a> = (&'a str, &'a dyn Fn(&mut Contents), &'a str);
    let cases: [Change<'_>; 17] = [
        (
            "rules of 100,000 levels",
            &|it| it.rules.clone_from(&deep),
            "rules: arrays and objects are nested more than 64 deep",
        ),
        ("rules that are no text", &|it| it.rules = "\u{fffd}".to_owned(), "rules: expected a value"),
        ("no rules", &|it| it.rules.clear(), "rules: the text ends too early"),
        (
            "parameters of 100,000 levels",
            &|it| it.parameters = format!("{{\"a\":{deep}}}"),
            "parameters: arrays and objects",
        ),
        (
            "a key that is twice",
            &|it| it.parameters = r#"{"a":1,"a":1}"#.to_owned(),
            "parameters: the key \"a\" occurs twice",
        ),
        ("a lone surrogate", &|it| it.parameters = r#"{"a":"\ud800"}"#.to_owned(), "parameters: the escape is half"),
        (
            "an escape that is not needed",
            &|it| it.parameters = r#"{"a":"\u0041"}"#.to_owned(),
            "parameters: the text differs from its canonical",
        ),
        (
            "a quote that is escaped",
            &|it| it.parameters = r#"{"a\":1}"#.to_owned(),
            "parameters: the text ends too early",
        ),
        (
            "2^256 - 1 as a number",
            &|it| it.parameters = format!("{{\"a\":{}}}", "9".repeat(78)),
            "parameters: the integer exceeds",
        ),
        (
            "a number with a fraction",
            &|it| it.parameters = r#"{"a":1.0}"#.to_owned(),
            "parameters: a number must be an integer",
        ),
        ("data without sources", &|it| it.data = "{}".to_owned(), "data: "),
        (
            "observations of 100,000 levels",
            &|it| (it.rules, it.data) = (with_source(), format!("{{\"a\":{deep}}}")),
            "data: arrays and objects",
        ),
        (
            "observations with a key that is twice",
            &|it| (it.rules, it.data) = (with_source(), r#"{"a":1,"a":1}"#.to_owned()),
            "data: the key \"a\" occurs twice",
        ),
        (
            "observations with a lone surrogate",
            &|it| (it.rules, it.data) = (with_source(), r#"{"a":"\ud800"}"#.to_owned()),
            "data: the escape is half",
        ),
        (
            "observations with an escaped quote",
            &|it| (it.rules, it.data) = (with_source(), r#"{"a\":1}"#.to_owned()),
            "data: the text ends too early",
        ),
        ("no input", &|it| it.input.clear(), "input: "),
        ("a length beyond the input", &|it| it.input[12 * 32..].fill(0xff), "input: "),
    ];
    assert!(valid.run(&image).allows());
    for (name, change, expected) in cases {
        let mut contents = valid.clone();
        change(&mut contents);
        let reasons = decide(&image, &contents).reasons();
        assert!(reasons.len() == 1 && reasons[0].starts_with(expected), "{name}: {reasons:?}");
    }
}

#[test]
fn a_length_beyond_the_region_is_denied_or_traps() {
    // No host loads such a length; the machine's memory could still hold it in a dispute.
    let image = image();
    let largest = "x".repeat((1 << 20) - 4);
    for content in [&largest, ""] {
        let mut contents = contents("package policy\n\nallow := true\n");
        contents.parameters = content.to_owned();
        assert!(!contents.run(&image).allows());
    }
}

#[test]
fn two_hundred_and_fifty_six_bits_are_told_apart_from_one_less() {
    const MAX: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    let less = MAX.replace("935", "934");
    let image = image();
    let allows = |change: &dyn Fn(&mut Contents, &str), condition: &str| {
        let module = format!("package policy\n\nallow if {condition}\n");
        let of = |value: &str| {
            let more = r#"{"parametersSchema": {"properties": {"x": {"type": "string", "format": "uint256"}}},
                "sources": {"s": {"schema": {"type": "string", "format": "uint256"}}},
                "functions": ["function f(uint256 x)"]}"#;
            let mut contents = contents(&module);
            contents.rules = rules([("policy.rego", module.as_str())], more);
            contents.input = input();
            contents.input[12 * 32 + 31] = 36;
            contents.input.extend([&[0xb3, 0xde, 0x64, 0x8b][..], &[0; 32 + 28]].concat());
            contents.parameters = r#"{"x":"0"}"#.to_owned();
            let observed = |value: &str| {
                let observers = format!(r#"{{"0x{}":"1"}}"#, "0".repeat(40));
                let observation = format!(r#"{{"observers":{observers},"output":"{value}"}}"#);
                format!(r#"{{"requiredWeight":"1","sources":{{"s":[{observation}]}}}}"#)
            };
            contents.data = observed("0");
            change(&mut contents, value);
            contents.data = if contents.data.starts_with('{') { contents.data } else { observed(&contents.data) };
            contents.run(&image).allows()
        };
        (of(MAX), of(&less))
    };
    // At most 2^256 − 2: the one is more, the other is not.
    let at_most = |x: &str| format!("{x} <= {less}");
    let word = |value: &str| {
        if value == MAX {
            [0xff; 32]
        } else {
            let mut word = [0xff; 32];
            word[31] = 0xfe;
            word
        }
    };
    let intent = |it: &mut Contents, value: &str| it.input[9 * 32..10 * 32].copy_from_slice(&word(value));
    assert_eq!(allows(&intent, &at_most("input.intent.value")), (false, true));
    let argument = |it: &mut Contents, value: &str| it.input[13 * 32 + 4..14 * 32 + 4].copy_from_slice(&word(value));
    assert_eq!(allows(&argument, &at_most("input.call.args.x")), (false, true));
    let parameter = |it: &mut Contents, value: &str| it.parameters = format!(r#"{{"x":"{value}"}}"#);
    assert_eq!(allows(&parameter, &at_most("data.params.x")), (false, true));
    let data = |it: &mut Contents, value: &str| it.data = value.to_owned();
    assert_eq!(allows(&data, &at_most("data.wasm.s")), (false, true));
    let text = "assent.uint(json.unmarshal(sprintf(`{\"x\":\"%v\"}`, [data.params.x])).x)";
    assert_eq!(allows(&parameter, &at_most(text)), (false, true));
    let marshalled = format!("json.marshal({{\"x\": data.params.x}}) == `{{\"x\":{less}}}`");
    assert_eq!(allows(&parameter, &marshalled), (false, true));
    assert_eq!(allows(&parameter, &format!("sprintf(\"%d\", [data.params.x]) == \"{less}\"")), (false, true));
    assert_eq!(allows(&parameter, &format!("format_int(data.params.x, 10) == \"{less}\"")), (false, true));
}
