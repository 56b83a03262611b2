// Fails when a public item has no example. Takes what `rustdoc --output-format json` wrote of each library.
//
// An item is a library itself and its every public function, type, trait, constant and macro; each has an example of its own.
// So is a method, a trait's method and an associated constant; for these an example anywhere on the same page counts, if it
// names them. Variants and fields are shown with their type. A module that a macro makes of Solidity sources is one item,
// whose example stands in the module's own documentation.
//
// An example is a code block that the tests compile and that checks something: it asserts, or ends where an error arises.

import { readFileSync } from "node:fs";

/** Modules whose items are generated, and documented in Solidity. */
const GENERATED = new Set(["assent_verifier::protocol", "assent_contracts::bindings"]);

/** Items that cannot have an example, with the reason. */
const OPAQUE = "nothing outside the crate can make one, or ask it for anything";
const EXEMPT = new Map([
  ["assent_verifier::backend::PreparedKeys", OPAQUE],
  ["assent_verifier::backend::arkworks::Keys", OPAQUE],
  ["assent_verifier::backend::blst::Keys", OPAQUE],
]);

const ALONE = new Set(["struct", "enum", "union", "trait", "function", "constant", "static", "type_alias", "macro", "proc_macro"]);
const ON_A_PAGE = new Map([["function", "method"], ["assoc_const", "associated constant"]]);
const COMPILED = new Set(["", "rust", "no_run", "should_panic"]);

/** The code of a documentation's examples. */
function examples(documentation) {
  const blocks = [];
  let block;
  for (const line of (documentation ?? "").split("\n")) {
    const fence = /^\s*```+\s*(.*)$/.exec(line);
    if (!fence) {
      block?.lines.push(line);
    } else if (block) {
      blocks.push(block);
      block = undefined;
    } else {
      block = { attributes: fence[1].split(/[\s,]+/), lines: [] };
    }
  }
  const compiled = blocks.filter(({ attributes }) => attributes.every((attribute) => COMPILED.has(attribute)));
  return compiled.map(({ lines }) => lines.join("\n")).filter((code) => /\bassert|\?;/.test(code));
}

function kindOf(item) {
  return Object.keys(item.inner)[0];
}

function contentsOf(item) {
  return item.inner[kindOf(item)];
}

/** Every item of a library, each with whether it has an example. */
function itemsOf({ root, index }) {
  const items = [];
  const seen = new Set();

  function add(kind, name, item, covered) {
    const place = item.span ? `${item.span.filename}:${item.span.begin[0]}` : "";
    items.push({ kind, name, place, covered });
  }

  /** What is documented on the page of a type or trait beside itself. */
  function onPage(item) {
    const { items: own = [], impls = [] } = contentsOf(item);
    const inherent = impls.map((id) => index[id]).filter((found) => found && !contentsOf(found).trait);
    const ids = kindOf(item) === "trait" ? own : inherent.flatMap((found) => contentsOf(found).items);
    const members = ids.map((id) => index[id]).filter((member) => member && ON_A_PAGE.has(kindOf(member)));
    return members.filter((member) => member.visibility === "public" || kindOf(item) === "trait");
  }

  function visitPage(name, item) {
    add(kindOf(item), name, item, examples(item.docs).length > 0);
    const members = onPage(item);
    const code = [item, ...members].flatMap(({ docs }) => examples(docs)).join("\n");
    for (const member of members) {
      const isNamed = new RegExp(`(\\.|::)${member.name}\\b`).test(code);
      const covered = examples(member.docs).length > 0 || isNamed;
      add(ON_A_PAGE.get(kindOf(member)), `${name}::${member.name}`, member, covered);
    }
  }

  function visit(id, path) {
    const item = index[id];
    if (!item) return;
    const kind = kindOf(item);
    if (kind === "use") {
      const { id: target, is_glob: isGlob } = contentsOf(item);
      const targets = isGlob ? (contentsOf(index[target] ?? { inner: { none: {} } }).items ?? []) : [target];
      targets.forEach((each) => visit(each, path));
      return;
    }
    if (seen.has(id)) return;
    seen.add(id);
    const name = path ? `${path}::${item.name}` : item.name;
    if (kind === "module") {
      if (!path || GENERATED.has(name)) add(path ? kind : "library", name, item, examples(item.docs).length > 0);
      if (GENERATED.has(name)) markSeen(id);
      else inOrder(contentsOf(item).items).forEach((each) => visit(each, name));
    } else if (ALONE.has(kind)) {
      visitPage(name, item);
    }
  }

  /** Modules first, so that an item has the name under which it is defined, and what is generated is known. */
  function inOrder(ids) {
    const isModule = (id) => index[id] && kindOf(index[id]) === "module";
    return [...ids.filter(isModule), ...ids.filter((id) => !isModule(id))];
  }

  function markSeen(id) {
    for (const each of contentsOf(index[id]).items ?? []) {
      if (!index[each] || seen.has(each)) continue;
      seen.add(each);
      markSeen(each);
    }
  }

  visit(root, "");
  return items;
}

let failed = false;
const found = new Set();
for (const path of process.argv.slice(2)) {
  const items = itemsOf(JSON.parse(readFileSync(path, "utf8")));
  items.forEach(({ name }) => found.add(name));
  const needless = items.filter(({ name, covered }) => covered && EXEMPT.has(name));
  const missing = items.filter(({ name, covered }) => !covered && !EXEMPT.has(name));
  const exempt = items.filter(({ name, covered }) => !covered && EXEMPT.has(name)).length;
  const { name: library } = items[0];
  console.log(`${library}: ${items.length - exempt} public items, ${items.length - exempt - missing.length} with an example`);
  missing.forEach(({ kind, name, place }) => console.log(`  no example: ${kind} ${name} (${place})`));
  needless.forEach(({ name }) => console.log(`  ${name} has an example and need not be excused`));
  failed ||= items.length === 0 || missing.length + needless.length > 0;
}
const isRead = (name) => found.has(name.split("::")[0]);
for (const name of [...EXEMPT.keys(), ...GENERATED].filter(isRead)) {
  if (found.has(name)) continue;
  console.log(`there is no ${name}, which is excused from having an example`);
  failed = true;
}
process.exitCode = failed ? 1 : 0;
