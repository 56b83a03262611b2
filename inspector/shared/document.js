/** The longest value that is shown in full. The JSON has every value in full. */
const LONGEST_VALUE = 2000;

/** The shortest value that gets a button to copy it: an address. */
const SHORTEST_COPIED = 42;

/** Returns a group of fields, folded. */
function fieldGroup({ title, fields }) {
  const rows = fields.flatMap(({ name, value, note, bytes }) => {
    const label = element("dt", {}, name);
    if (bytes) {
      const last = bytes.offset + bytes.length - 1;
      const range = bytes.length === 1 ? `byte ${last}` : `bytes ${bytes.offset} to ${last}`;
      label.append(element("span", { class: "note" }, range));
    }
    const description = element("dd", {}, ...copyable(value));
    if (note) description.append(element("span", { class: "note" }, note));
    return [label, description];
  });
  return group(title, element("dl", {}, ...rows));
}

/** Returns a text in which the parts between backticks are code. */
function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 === 0 ? part : element("code", {}, part)));
}

function group(title, content) {
  return element("details", {}, element("summary", {}, title), content);
}

/** Returns a value and, if it is long, a button that copies it in full. */
function copyable(value) {
  const code = element("code", {}, shortened(value));
  return value.length < SHORTEST_COPIED ? [code] : [code, copyButton(() => value)];
}

function copyButton(text) {
  const button = element("button", { type: "button", class: "copy" }, "Copy");
  onCopy(button, text);
  return button;
}

/** Has a button copy a text. */
function onCopy(button, text) {
  button.addEventListener("click", async () => {
    // A page that was not loaded over TLS has no clipboard, unless it is this machine's.
    const write = async () => navigator.clipboard.writeText(text());
    const copied = await write().then(() => true, () => false);
    button.textContent = copied ? "Copied" : "Cannot copy: select the text";
  });
}

function shortened(text) {
  if (text.length <= LONGEST_VALUE) return text;
  return `${text.slice(0, LONGEST_VALUE)}… (${text.length} characters; the JSON has all of them)`;
}

/** Text only ever becomes text: pasted content is never parsed as markup. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

function byId(id) {
  return document.getElementById(id);
}

/** Returns a number with its digits in groups. */
function count(number) {
  return number.toLocaleString("en");
}
