// Tries one mutant: compiles it, puts it in the contracts' place, and runs the tests that see most first.

// Calls with every amount of gas, and on chains without precompiles: half a minute, so last, and only where it matters.
const SLOW = "ChainFaults";

export class Trial {
  #compiler;
  #workspace;
  #originals = new Map();
  #optimized = new Map();
  #present;

  constructor(compiler, workspace) {
    this.#compiler = compiler;
    this.#workspace = workspace;
  }

  // Has the tests deploy the unmutated contracts, compiled as the mutants are.
  restore(targets) {
    for (const target of targets) this.#workspace.install(this.#original(target));
  }

  // All tests must pass with the unmutated contracts, and notice when one of them does nothing at all.
  async requireNotice(targets) {
    for (const target of targets) {
      const idle = this.#original(target).map((compiled) => ({ ...compiled, creation: "0x60015ff3", runtime: "0x00" }));
      this.#workspace.install(idle);
      const outcome = await this.#workspace.test(["--match-path", suites(target.suites)]);
      this.restore([target]);
      if (outcome.passed) throw new Error(`the tests pass without ${target.file}: they do not run what is mutated`);
    }
    await this.#requirePass(["--no-match-path", suites([SLOW])]);
    if (targets.some((target) => target.callsPrecompiles)) await this.#requirePass(["--match-path", suites([SLOW])]);
  }

  async #requirePass(selection) {
    const outcome = await this.#workspace.test(selection);
    if (outcome.passed) return;
    throw new Error(`the tests do not pass unmutated: ${outcome.failed}\n${outcome.output.slice(-4000)}`);
  }

  // Compiles a mutant. Without the optimizer, which takes three quarters of the time, unless only it makes the code
  // fit.
  compile(target, mutant) {
    const compiled = (optimize) =>
      this.#compiler.bytecode(target.artifacts, { [target.file]: mutant.source }, optimize);
    return compiled(false) ?? compiled(true);
  }

  // What became of it: "not compiling", "same code", "killed" (and by which test), or "survived".
  async run(target, mutant, compiled) {
    if (!compiled) return { outcome: "not compiling" };
    if (this.#present && this.#present !== target) this.restore([this.#present]);
    this.#present = target;
    this.#workspace.install(compiled);
    let outcome = await this.#workspace.test(["--match-path", suites(target.suites)]);
    if (!outcome.passed) return { outcome: "killed", by: outcome.failed };
    const optimized = this.#compiler.bytecode(target.artifacts, { [target.file]: mutant.source }, true);
    if (this.#isSameCode(target, optimized)) return { outcome: "same code" };
    outcome = await this.#workspace.test(["--no-match-path", suites([...target.suites, SLOW])]);
    if (outcome.passed && target.callsPrecompiles) {
      outcome = await this.#workspace.test(["--match-path", suites([SLOW])]);
    }
    if (outcome.passed) {
      // Promises about gas are of the optimised code.
      this.#workspace.install(optimized);
      outcome = await this.#workspace.test(["--no-match-path", suites([SLOW])]);
    }
    return outcome.passed ? { outcome: "survived" } : { outcome: "killed", by: outcome.failed };
  }

  #original(target) {
    if (!this.#originals.has(target)) this.#originals.set(target, this.#compiler.bytecode(target.artifacts));
    return this.#originals.get(target);
  }

  // The optimizer makes the same code of it: no test can tell.
  #isSameCode(target, optimized) {
    if (!this.#optimized.has(target)) {
      this.#optimized.set(target, JSON.stringify(this.#compiler.bytecode(target.artifacts, {}, true)));
    }
    return JSON.stringify(optimized) === this.#optimized.get(target);
  }
}

function suites(names) {
  return names.length === 1 ? `tests/forge/**/${names[0]}.t.sol` : `tests/forge/**/{${names.join(",")}}.t.sol`;
}
