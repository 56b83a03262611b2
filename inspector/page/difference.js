const WORD_LENGTH = 32;

/** The longest value in large type: an address. */
const LONGEST_LARGE_VALUE = 42;

/** What readers call a field of docs/protocol.md. */
const FIELD_LABELS = {
  "intent.from": "sender",
  "intent.to": "called contract",
  "intent.value": "value (wei)",
  "intent.data": "calldata",
  "intent.chainId": "chain",
};

/** Returns where the call differs from the attestation: the cause of a refusal. */
function causes(differences) {
  // The task id follows from the other fields.
  const own = differences.filter(({ field }) => field !== "taskId");
  return (own.length > 0 ? own : differences).flatMap(fieldCauses);
}

function fieldCauses({ field, attested, actual, parts = [], omitted = 0 }) {
  if (parts.length === 0) return [cause(FIELD_LABELS[field] ?? field, attested, actual)];
  const found = parts.map((part) => (part.kind === "word" ? wordCause(part, attested, actual)
    : cause(part.label, part.attested, part.actual, part.type)));
  if (omitted > 0) {
    found.push(element("p", { class: "note" }, `${omitted} more differ; the JSON has both calls in full.`));
  }
  if (parts.some(({ kind }) => kind === "word")) {
    found.push(element("p", { class: "note" }, "Paste the function's signature or ABI to see which argument differs."));
  }
  return found;
}

function cause(label, attested, actual, type) {
  const claim = element("p", { class: "claim" }, label);
  if (type !== undefined) claim.append(" ", element("span", { class: "type" }, type));
  return element("div", {}, claim, comparison(marked(attested, actual)));
}

/** A word is shown whole, with its bytes that differ marked. */
function wordCause({ label, offset, attested, actual }, attestedCalldata, actualCalldata) {
  const word = (calldata) => calldata.slice(2 + 2 * offset, 2 + 2 * (offset + WORD_LENGTH));
  const parts = marked(word(attestedCalldata), word(actualCalldata));
  const [number, other] = [attested, actual].map(smallNumber);
  if (number !== null && other !== null) {
    parts.attested.push(` = ${number}`);
    parts.actual.push(` = ${other}`);
  }
  return element("div", {},
    element("p", { class: "claim" }, `${label} `,
      element("span", { class: "type" }, `bytes ${offset} to ${offset + WORD_LENGTH - 1}`)),
    comparison(parts));
}

function comparison({ attested, actual }) {
  const value = (parts) => {
    const code = element("code", {}, ...parts);
    if (code.textContent.length > LONGEST_LARGE_VALUE) code.className = "long";
    return element("dd", {}, code);
  };
  return element("dl", {},
    element("dt", {}, "attested"), value(attested),
    element("dt", {}, "in the call"), value(actual));
}

/** Returns a word below 2^64 as a decimal number: a larger one is most often no number. */
function smallNumber(word) {
  return /^0x[0-9a-f]{1,16}$/.test(word) ? String(BigInt(word)) : null;
}

/** Splits two values into equal and differing parts, hex by bytes, and marks the differing parts. */
function marked(attested, actual) {
  const hex = [attested, actual].every((value) => /^(0x)?([0-9a-f]{2}){8,}$/i.test(value));
  if (!hex || attested.length !== actual.length) {
    return { attested: [attested], actual: [element("mark", {}, actual)] };
  }
  const differs = (at) => attested.slice(at, at + 2).toLowerCase() !== actual.slice(at, at + 2).toLowerCase();
  const parts = { attested: [], actual: [] };
  for (let at = 0; at < attested.length;) {
    let end = at + 2;
    while (end < attested.length && differs(end) === differs(at)) end += 2;
    for (const [name, value] of Object.entries({ attested, actual })) {
      const text = value.slice(at, end);
      parts[name].push(differs(at) ? element("mark", {}, text) : text);
    }
    at = end;
  }
  return parts;
}
