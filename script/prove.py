"""Runs the proofs of tests/symbolic with halmos, and fails unless each is complete.

halmos is taught the four things that the contracts need and halmos 0.3.3 does not know.

Each is the exact meaning, not an abstraction, so what halmos proves holds for the bytecode as it is:

1. CLZ, the instruction that counts leading zeros (EIP-7939). `check_CountLeadingZerosIsExact` proves it right.
2. SHA-256 with symbolic input: halmos takes the size of its input in bytes for one in bits, and stops. It remains
   what it is to halmos, a function of which nothing is known.
3. MSTORE to an address that depends on a comparison and is 0 or 32, as the fold of a Merkle proof
   has it.
4. CALLDATALOAD at an offset that depends on calldata, such as what follows the bitmap.

Takes halmos's own arguments, such as `--match-contract Parser`. `cargo xtask prove` sets everything up.
"""

import os
import signal
import sys
from pathlib import Path

import z3
from halmos import __main__, sevm
from halmos.bitvec import HalmosBitVec as BV
from halmos.bitvec import HalmosBool as Bool
from halmos.exceptions import NotConcreteError

# Solidity's loops are few, those of the proofs run over lengths; a loop that reaches the bound makes its proof fail.
HALMOS_ARGUMENTS = [
    "--forge-build-out=cache/symbolic/out",
    "--function=(check|reach)_",
    "--loop=512",
    "--solver-timeout-assertion=60s",
    # Time on the clock: with halmos's 1 ms, a busy machine answers too late, and paths that do not exist are followed
    # without end.
    "--solver-timeout-branching=50ms",
    "--early-exit",
    "--no-status",
]
SECONDS_FOR_EACH = 120
OUTCOMES = {
    0: None,
    1: "REFUTED: see the counterexample",
    2: "not proved: the solver ran out of time",
    3: "not proved: halmos does not know what the code does",
    4: "not proved: every path reverts",
    5: "not proved: halmos failed or ran out of time",
}

CLZ = 0x1E
MSTORE = 0x52

run_test = __main__.run_test
make_function = sevm.Function
load_concrete_calldata = sevm.SEVM.calldataload


def function_of_bytes(name, *sorts):
    """Item 2. The size of the output is in bits, as it should be; no other function of halmos is touched."""
    if name.startswith("f_sha256_"):
        sorts = (z3.BitVecSort(8 * sorts[0].size()), sorts[1])
    return make_function(name, *sorts)


def count_leading_zeros(word):
    """Item 1."""
    zeros = z3.BitVecVal(256, 256)
    for bit in range(256):
        zeros = z3.If(z3.Extract(bit, bit, word) == 1, z3.BitVecVal(255 - bit, 256), zeros)
    return zeros


def store_to_either(execution, place, value):
    """Item 3. Refuses any other symbolic address, as halmos does."""
    symbol = place.as_z3()
    if execution.check(z3.And(symbol != 0, symbol != 32)) != z3.unsat:
        raise NotConcreteError(f"symbolic memory offset: {place}")
    memory = execution.st.memory
    for address in (0, 32):
        before = BV(memory.get_word(address), size=256).as_z3()
        memory.set_word(address, BV(z3.If(symbol == address, value.as_z3(), before), size=256))


def load_calldata(self, execution, worklist):
    """Item 4."""
    offset = execution.st.topi()
    if offset.is_concrete:
        return load_concrete_calldata(self, execution, worklist)
    calldata = execution.calldata()
    symbol = execution.st.popi().as_z3()
    # Behind calldata are zeros (Yellow Paper, appendix H.2).
    word = z3.BitVecVal(0, 256)
    for place in range(len(calldata)):
        word = z3.If(symbol == place, BV(calldata.get_word(place), size=256).as_z3(), word)
    execution.st.push(BV(word, size=256))
    execution.advance()
    worklist.push(execution)


def advance(self, pc=None):
    """Moves on to the next instruction, and over those that are carried out here."""
    self.pc = pc or self.insn.next_pc
    self.insn = self.pgm.decode_instruction(self.pc)
    opcode = self.insn.opcode
    if opcode == CLZ:
        word = self.st.popi()
        self.st.push(BV(z3.simplify(count_leading_zeros(word.as_z3())), size=256))
        advance(self)
    elif opcode == MSTORE and not self.st.topi().is_concrete:
        store_to_either(self, self.st.popi(), self.st.popi())
        advance(self)


# Values never change. To copy them wherever a path forks or a call begins took half of the time.
for value in (BV, Bool, z3.AstRef):
    value.__deepcopy__ = lambda self, memo: self

sevm.Function = function_of_bytes
sevm.Exec.advance = advance
sevm.SEVM.calldataload = load_calldata


def judge(result):
    """What is wrong with a result, or nothing."""
    name = result.name.split("(")[0]
    if result.num_bounded_loops:
        return "not proved: a loop was cut short"
    if name.startswith("reach_"):
        return None if result.exitcode == __main__.COUNTEREXAMPLE else "not reached: the other proofs show nothing"
    return OUTCOMES[result.exitcode]


def limited(test):
    """Runs one proof. When its processor time is over, raises an exception, which halmos takes for a failure."""

    def give_up(signal_number, frame):
        raise TimeoutError(f"not proved in {SECONDS_FOR_EACH} seconds")

    signal.signal(signal.SIGPROF, give_up)
    signal.setitimer(signal.ITIMER_PROF, SECONDS_FOR_EACH)
    try:
        return run_test(test)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def main():
    root = Path(__file__).resolve().parent.parent
    os.chdir(root)
    # halmos has forge compile the contracts: the pinned forge, and apart from the other builds. Its solver was
    # installed with it.
    places = [root / "node_modules/.bin", Path(sys.executable).parent, os.environ.get("PATH", "")]
    os.environ["PATH"] = os.pathsep.join(map(str, places))
    os.environ["FOUNDRY_PROFILE"] = "symbolic"
    __main__.run_test = limited
    contracts = __main__._main(HALMOS_ARGUMENTS + sys.argv[1:]).test_results or {}
    results = [(path.split(":")[-1], result) for path, results in contracts.items() for result in results]
    print(f"\n{'proof':90}  {'paths':>5}  {'time':>7}  result")
    failures = 0
    for contract, result in results:
        fault = judge(result)
        failures += fault is not None
        good = "reached" if result.name.startswith("reach_") else "proved"
        name = f"{contract}.{result.name.split('(')[0]}"
        paths, seconds = (result.num_paths or [0])[0], (result.time or [0])[0]
        print(f"{name:90}  {paths:5}  {seconds:5.1f} s  {fault or good}")
    print(f"\n{len(results) - failures} proved or reached, {failures} not")
    return 0 if results and not failures else 1


if __name__ == "__main__":
    sys.exit(main())
