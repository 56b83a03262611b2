//! Tests that run again when a file changes.

use super::{command::Desk, running::Running};

#[test]
fn watched_tests_run_again_when_a_file_changes_is_added_or_broken() {
    let desk = Desk::new();
    desk.run(&["policy", "new", "treasury"]).succeeded();
    let mut watching = Running::start(&desk, &["policy", "test", "treasury", "--watch"]);
    watching.line("4 of 4 tests passed");
    watching.remark("waiting for changes");
    assert!(!watching.has_seen("\u{1b}"), "what is no terminal is not cleared");

    desk.write("treasury/more_test.rego", "package more_test\n\ntest_added if 1 == 2\n");
    watching.line("data.more_test.test_added: FAIL");
    watching.line("4 of 5 tests passed");
    watching.remark("waiting for changes");

    desk.write("treasury/more_test.rego", "package more_test\n\ntest_added if {\n");
    watching.remark("error:");
    watching.remark("waiting for changes");

    // The same length as before: it is the time that differs.
    desk.write("treasury/more_test.rego", "package more_test\n\ntest_added if 2 == 2\n");
    watching.line("5 of 5 tests passed");
    watching.remark("waiting for changes");

    std::fs::rename(desk.path("treasury"), desk.path("moved")).expect("the folder is moved");
    watching.remark("treasury is not a folder");
    watching.remark("waiting for changes");
    std::fs::rename(desk.path("moved"), desk.path("treasury")).expect("the folder is moved back");
    watching.line("5 of 5 tests passed");
}
