// Reads the files of a package whose hash is known, and writes creation bytecode as the tests read it.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const BLOCK = 512;

/** The files of a compressed tar archive with this SHA-256 (ustar: a block of header, then content in whole blocks). */
export function* filesOf(path, hash) {
  const archive = readFileSync(path);
  const actual = createHash("sha256").update(archive).digest("hex");
  if (actual !== hash) throw new Error(`${path} has the hash ${actual} instead of ${hash}`);
  const tar = gunzipSync(archive);
  for (let offset = 0; offset + BLOCK <= tar.length && tar[offset] !== 0; ) {
    const field = (start, length) => tar.toString("latin1", offset + start, offset + start + length).split("\0")[0];
    const size = Number.parseInt(field(124, 12), 8);
    if (!Number.isSafeInteger(size)) throw new Error(`the archive has a file without a size at byte ${offset}`);
    yield { name: field(0, 100), content: tar.subarray(offset + BLOCK, offset + BLOCK + size) };
    offset += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}

/** Writes a contract's creation bytecode, in hexadecimal, as an artifact of forge. */
export function write(directory, contract, bytecode) {
  mkdirSync(directory, { recursive: true });
  const artifact = { abi: [], bytecode: { object: `0x${bytecode}`, linkReferences: {} } };
  writeFileSync(join(directory, `${contract}.json`), JSON.stringify(artifact));
}
