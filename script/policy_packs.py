"""Runs the tests of policies written for other engines, unchanged, in `assent policy test`.

    python3 script/policy_packs.py CHECKOUT [FOLDER ...]

Each folder of the checkout with a file `…_test.rego` or `test_….rego` is a pack: its `.rego` files are copied beside a
`policy.json` that names their package, and nothing else is changed. FOLDER selects folders by their paths. The
environment variable ASSENT is the program, by default the one in PATH.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ASSENT = os.environ.get("ASSENT", "assent")


def is_test(path):
    return path.name.endswith("_test.rego") or path.name.startswith("test_")


def packs(checkout, selected):
    folders = sorted({path.parent for path in checkout.rglob("*.rego") if is_test(path)})
    return [folder for folder in folders if not selected or str(folder.relative_to(checkout)) in selected]


def package(modules):
    """Returns the package that would decide: the first of a module that is no test."""
    ordered = sorted(modules, key=lambda module: (is_test(module), module.name))
    for module in ordered:
        found = re.search(r"^package\s+(\S+)", module.read_text(), re.MULTILINE)
        if found:
            return found.group(1)
    return "policy"


def run(folder):
    """Returns the passed tests, all tests, and why those that did not run did not."""
    modules = sorted(folder.glob("*.rego"))
    with tempfile.TemporaryDirectory() as directory:
        for module in modules:
            (Path(directory) / module.name).write_bytes(module.read_bytes())
        manifest = {"name": "pack", "version": "0.1.0", "entrypoint": package(modules), "functions": ["function f()"]}
        (Path(directory) / "policy.json").write_text(json.dumps(manifest))
        ran = subprocess.run(
            [ASSENT, "policy", "test", directory, "--format", "json"], capture_output=True, text=True, check=False
        )
    try:
        results = json.loads(ran.stdout)["tests"]
    except json.JSONDecodeError:
        return 0, 0, (ran.stderr.strip() or ran.stdout.strip()).replace(directory, folder.name)
    failed = [result["name"] for result in results if result["result"] != "pass"]
    return len(results) - len(failed), len(results), ", ".join(failed)


def main():
    checkout, selected = Path(sys.argv[1]), sys.argv[2:]
    total = [0, 0]
    for folder in packs(checkout, selected):
        passed, tests, why = run(folder)
        total = [total[0] + passed, total[1] + tests]
        print(f"{folder.relative_to(checkout)}: {passed} of {tests}{'; ' + why if why else ''}", flush=True)
    print(f"{total[0]} of {total[1]} tests passed")
    return 0 if total[0] == total[1] else 1


if __name__ == "__main__":
    sys.exit(main())
