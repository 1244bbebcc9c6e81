#!/usr/bin/env node
// Verifies a log's folder (checkpoint, tile/, log.vkey) with Node's standard library alone: a third opinion on
// docs/format/log.md. It shares no code with Raakvlak.
//
//   verify.mjs FOLDER [WITNESS_VKEY...]
//
// Every entry is hashed, every tile at every level compared, the root compared with the checkpoint, whose signature is
// verified, as are the cosignatures of the witnesses named, which must all be there. Prints size and root, or the place of
// the first fault; exit code 1 then, 2 for wrong usage.
import { createHash, createPublicKey, verify as verifySignature } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const WIDTH = 256;
const HASH = 32;

class Fault extends Error {}
const fault = (path, what) => { throw new Fault(`${path}: ${what}`); };

const sha256 = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const leafHash = (entry) => sha256(Buffer.from([0]), entry);
const nodeHash = (left, right) => sha256(Buffer.from([1]), left, right);

// Base64 that is written back as it was read.
const parseBase64 = (text) => {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
};

// name+hash+key of the given type (1: note, 4: cosignature/v1).
function parseKey(text, type) {
  const first = text.indexOf("+");
  const second = text.indexOf("+", first + 1);
  const name = text.slice(0, first);
  const typed = parseBase64(text.slice(second + 1));
  if (first < 1 || second < 0 || typed === null || typed.length !== 33 || typed[0] !== type) return null;
  const id = sha256(Buffer.from(name + "\n"), typed).subarray(0, 4);
  if (id.toString("hex") !== text.slice(first + 1, second)) return null;
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), typed.subarray(1)]);
  return { name, id, type, key: createPublicKey({ key: der, format: "der", type: "spki" }) };
}

function parseNote(bytes) {
  const whole = bytes.toString("utf8");
  if (!Buffer.from(whole, "utf8").equals(bytes)) fault("checkpoint", "not UTF-8");
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x09\x0b-\x1f]/.test(whole)) fault("checkpoint", "control characters");
  const split = whole.lastIndexOf("\n\n");
  if (split < 0 || !whole.endsWith("\n")) fault("checkpoint", "not a signed note");
  const signatures = whole.slice(split + 2, -1).split("\n").map((line) => {
    const match = /^\u2014 (\S+) (\S+)$/u.exec(line);
    const blob = match && parseBase64(match[2]);
    if (!blob || blob.length <= 4) fault("checkpoint", "not a signature line");
    return { name: match[1], id: blob.subarray(0, 4), signature: blob.subarray(4) };
  });
  return { text: whole.slice(0, split + 1), signatures };
}

// Returns the time of a cosignature, 0 for the log's signature; null when there is none.
function checkSigner(note, signer) {
  let time = null;
  for (const { name, id, signature } of note.signatures) {
    if (name !== signer.name || !id.equals(signer.id)) continue;
    let message = note.text;
    let ed25519 = signature;
    time = 0n;
    if (signer.type === 4) {
      if (signature.length !== 72) fault("checkpoint", `the cosignature of ${name} is not 72 bytes`);
      time = signature.readBigUInt64BE(0);
      message = `cosignature/v1\ntime ${time}\n${note.text}`;
      ed25519 = signature.subarray(8);
    }
    if (ed25519.length !== 64 || !verifySignature(null, Buffer.from(message), signer.key, ed25519)) {
      fault("checkpoint", `the signature of ${name} does not verify`);
    }
  }
  return time;
}

function openCheckpoint(folder, witnesses) {
  const read = (name) => {
    try { return readFileSync(join(folder, name)); } catch (error) { return fault(name, error.message); }
  };
  const line = read("log.vkey").toString("latin1");
  const log = line.endsWith("\n") ? parseKey(line.slice(0, -1), 1) : null;
  if (log === null) fault("log.vkey", "not a verifier key");
  const note = parseNote(read("checkpoint"));
  if (checkSigner(note, log) === null) fault("checkpoint", "not signed by the log");
  const cosigned = [];
  for (const vkey of witnesses) {
    const witness = parseKey(vkey, 4);
    if (witness === null) throw new Fault(`not a witness key: ${vkey}`);
    const time = checkSigner(note, witness);
    if (time === null) fault("checkpoint", `not cosigned by ${witness.name}`);
    cosigned.push(`cosigned ${witness.name} ${time}`);
  }
  const lines = note.text.split("\n");
  if (lines.length !== 4 || lines[3] !== "") fault("checkpoint", "not three lines");
  if (lines[0] !== log.name) fault("checkpoint", "another origin than the name of its key");
  if (!/^(0|[1-9][0-9]*)$/.test(lines[1]) || !Number.isSafeInteger(Number(lines[1]))) fault("checkpoint", "not a size");
  const root = parseBase64(lines[2]);
  if (root === null || root.length !== HASH) fault("checkpoint", "not a root");
  return { size: Number(lines[1]), root, cosigned };
}

// Level -1 stands for the entries.
function tilePath(level, index, width) {
  let digits = String(index);
  digits = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const groups = digits.match(/\d{3}/g);
  const last = groups.pop();
  const path = ["tile", level < 0 ? "entries" : String(level), ...groups.map((group) => "x" + group), last].join("/");
  return width === WIDTH ? path : `${path}.p/${width}`;
}

function parsePath(path) {
  const match = /^tile\/(entries|\d+)\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d+))?$/.exec(path);
  if (match === null) return null;
  const tile = {
    level: match[1] === "entries" ? -1 : Number(match[1]),
    index: Number(match[2].replace(/[x/]/g, "")),
    width: match[3] === undefined ? WIDTH : Number(match[3]),
  };
  return tilePath(tile.level, tile.index, tile.width) === path ? tile : null;
}

// The file of a tile, or of the full one that took its place.
function readTile(folder, level, index, width) {
  for (const path of [tilePath(level, index, width), tilePath(level, index, WIDTH)]) {
    if (existsSync(join(folder, path))) return { path, bytes: readFileSync(join(folder, path)) };
  }
  return null;
}

function splitBundle(bundle, width) {
  const entries = [];
  let at = 0;
  while (entries.length < width && at + 2 <= bundle.length) {
    const end = at + 2 + bundle.readUInt16BE(at);
    if (end > bundle.length) break;
    entries.push(bundle.subarray(at, end));
    at = end;
  }
  return { entries, whole: at === bundle.length };
}

function readEntries(folder, size) {
  const all = [];
  for (let first = 0; first < size; first += WIDTH) {
    const width = Math.min(WIDTH, size - first);
    const exact = tilePath(-1, first / WIDTH, width);
    const file = readTile(folder, -1, first / WIDTH, width);
    if (file === null) fault(exact, `entry ${first}: no such file`);
    const { entries, whole } = splitBundle(file.bytes, width);
    if (entries.length !== width || (!whole && file.path === exact)) {
      // The first entry that the tile above does not confirm is where the bundle goes wrong.
      const tile = readTile(folder, 0, first / WIDTH, width)?.bytes ?? Buffer.alloc(0);
      const good = entries.findIndex((entry, i) => !leafHash(entry.subarray(2)).equals(tile.subarray(i * HASH, (i + 1) * HASH)));
      fault(file.path, `entry ${first + (good < 0 ? entries.length : good)}: not ${width} entries`);
    }
    all.push(...entries);
  }
  return all;
}

// levels[l][i] is the root over the leaves [i * 2^l, (i + 1) * 2^l).
function completeSubtrees(leaves) {
  const levels = [leaves];
  while (levels.at(-1).length > 1) {
    const below = levels.at(-1);
    const level = [];
    for (let i = 0; i + 1 < below.length; i += 2) level.push(nodeHash(below[i], below[i + 1]));
    levels.push(level);
  }
  return levels;
}

// The root, from the one complete subtree for each bit of the size, smallest first.
function treeRoot(levels) {
  let root = null;
  for (const level of levels) {
    if (level.length % 2 === 0) continue;
    root = root === null ? level.at(-1) : nodeHash(level.at(-1), root);
  }
  return root ?? sha256();
}

function verifyLog(folder, witnesses) {
  const { size, root, cosigned } = openCheckpoint(folder, witnesses);
  const entries = readEntries(folder, size);
  const levels = completeSubtrees(entries.map((entry) => leafHash(entry.subarray(2))));
  const proven = treeRoot(levels).equals(root);
  const elements = (level) => (level < 0 ? entries : levels[level * 8] ?? []);
  const firstEntry = (level, element) => element * 2 ** (8 * Math.max(level, 0));

  for (let level = 0; elements(level).length > 0; ++level) {
    for (let index = 0; index * WIDTH < elements(level).length; ++index) {
      const want = elements(level).slice(index * WIDTH, (index + 1) * WIDTH);
      const path = tilePath(level, index, want.length);
      const file = readTile(folder, level, index, want.length);
      if (file === null) fault(path, `entry ${firstEntry(level, index * WIDTH)}: no such file`);
      if (file.path === path && file.bytes.length !== want.length * HASH) {
        fault(path, `entry ${firstEntry(level, index * WIDTH)}: not as many hashes as its name says`);
      }
      const wrong = want.findIndex((hash, i) => !hash.equals(file.bytes.subarray(i * HASH, (i + 1) * HASH)));
      if (wrong < 0) continue;
      const entry = firstEntry(level, index * WIDTH + wrong);
      if (proven) fault(file.path, `entry ${entry}: not what the entries make`);
      // The entries do not lead to the signed root, so they are to blame rather than the tile.
      fault(level === 0 ? tilePath(-1, index, want.length) : file.path,
        `entry ${entry}: entries and tiles contradict each other, and the entries do not lead to the signed root`);
    }
  }
  if (!proven) fault("checkpoint", "the entries and tiles do not lead to its root");

  // Files that were not needed, such as partial tiles of earlier sizes. The log goes on growing: what lies beyond the
  // checkpoint is another checkpoint's affair.
  const walk = (path) => {
    for (const item of readdirSync(join(folder, path), { withFileTypes: true })) {
      const below = `${path}/${item.name}`;
      if (item.isDirectory()) { walk(below); continue; }
      const tile = parsePath(below);
      if (tile === null || (tile.index * WIDTH + tile.width) > elements(tile.level).length) continue;
      const want = Buffer.concat(elements(tile.level).slice(tile.index * WIDTH, tile.index * WIDTH + tile.width));
      if (!readFileSync(join(folder, below)).equals(want)) fault(below, "not what the entries make");
    }
  };
  if (existsSync(join(folder, "tile"))) walk("tile");
  return [`size ${size}`, `root ${root.toString("base64")}`, ...cosigned];
}

const [folder, ...witnesses] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: verify.mjs FOLDER [WITNESS_VKEY...]");
  process.exit(2);
}
try {
  console.log(verifyLog(folder, witnesses).join("\n"));
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  console.error(`fault: ${error.message}`);
  process.exit(1);
}
