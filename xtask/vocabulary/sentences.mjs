// Sentences of pages and doc comments, with their lengths: docs/dev/style.md allows 25 words.

// Inline code, a link's address and a number count as parts of one word.
const CODE = /`[^`]*`/g;
const ADDRESS = /\]\([^)]*\)|\]\[[^\]]*\]/g;
const WORD = /[\p{L}\p{N}][^\s]*/gu;
// A sentence ends at a mark before a space and no small letter; a list that follows a colon begins another.
const END = /(?<=[.?!:;]["')\]*]*)\s+(?=[^a-z\s])/u;
const ABBREVIATION = /\b(e\.g|i\.e|etc|vs|cf|No)\.$/;

export const MOST_WORDS = 25;

// The sentences of a file, each with the line where its paragraph begins.
export function sentences(name, text) {
  const lines = name.endsWith(".md") ? text.split("\n") : docLines(text);
  return paragraphs(lines).flatMap(({ line, text: paragraph }) =>
    split(paragraph).map((sentence) => ({ line, sentence, words: wordsOf(sentence) })),
  );
}

function wordsOf(sentence) {
  return (sentence.replace(CODE, " code ").replace(ADDRESS, " ").match(WORD) ?? []).length;
}

function split(paragraph) {
  const parts = [];
  for (const part of paragraph.replace(CODE, (code) => code.replace(/\s/g, " ")).split(END)) {
    if (parts.length > 0 && ABBREVIATION.test(parts.at(-1))) parts[parts.length - 1] += ` ${part}`;
    else parts.push(part);
  }
  return parts;
}

// Without code blocks, tables, headings and comments; each item of a list and each tag of NatSpec begins a paragraph.
function paragraphs(lines) {
  const found = [];
  let open;
  let isCode = false;
  for (const [index, line] of lines.entries()) {
    const content = line.trim();
    if (/^(```|~~~)/.test(content)) isCode = !isCode;
    const isOther = /^(```|~~~|\||#|<|!\[|\[[^\]]+\]:)/.test(content) || /^ {4}/.test(line);
    if (isCode || isOther || content === "") {
      open = undefined;
      continue;
    }
    const item = /^([-*]|\d+\.|@(?:title|(?:param|return) \S+|[a-z]+))\s+(.*)$/.exec(content);
    if (!open || item) found.push((open = { line: index + 1, text: item?.[2] ?? content }));
    else open.text += ` ${content}`;
  }
  return found;
}

// The doc comments of Rust and Solidity, line by line; other lines are empty.
function docLines(text) {
  return text.split("\n").map((line) => /^\s*\/\/[/!] ?(.*)$/.exec(line)?.[1] ?? "");
}
