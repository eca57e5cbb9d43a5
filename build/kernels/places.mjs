/**
 * Numbers of a machine as constants of the code: where AssemblyScript's compiler left `global.get`
 * of a layout global, a WebAssembly module gets `i32.const` with room for any number, and a list of
 * these places. Whoever instantiates it for a machine writes the machine's numbers there, so that
 * the engine's compiler folds them into addresses (bench/kernels.ts).
 */

const CODE_SECTION = 10;
const GLOBAL_GET = 0x23;
const I32_CONST = 0x41;
/** Bytes of an i32.const's number that has room for all. */
const NUMBER_BYTES = 5;

/** Opcodes that are followed by LEB128 numbers, and how many. All others below have none. */
const numbersAfter = new Map([
  ...range(0x02, 0x04, 1),
  ...range(0x0c, 0x0d, 1),
  [0x10, 1],
  [0x11, 2],
  ...range(0x20, 0x26, 1),
  ...range(0x28, 0x3e, 2),
  ...range(0x3f, 0x42, 1),
]);
/** The same behind the prefix of memory operations: init, drop, copy, fill, and tables. */
const numbersAfterFc = new Map([
  [8, 2],
  [9, 1],
  [10, 2],
  [11, 1],
  [12, 2],
  [13, 1],
  [14, 2],
  ...range(15, 17, 1),
]);

function range(from, to, count) {
  return Array.from({ length: to - from + 1 }, (_, i) => [from + i, count]);
}

/** Reads a module byte by byte. */
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  byte() {
    return this.bytes[this.at++];
  }

  /** An unsigned LEB128 number of at most 32 bits; of a signed one only the length is right. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  numbers(count) {
    for (let i = 0; i < count; i++) this.number();
  }

  /** Passes over one instruction behind its opcode. */
  immediates(opcode) {
    switch (opcode) {
      case 0x0e:
        return this.numbers(this.number() + 1);
      case 0x1c:
        return this.numbers(this.number());
      case 0x43:
        this.at += 4;
        return;
      case 0x44:
        this.at += 8;
        return;
      case 0xfc:
        return this.numbers(numbersAfterFc.get(this.number()) ?? 0);
      case 0xfe:
        return this.numbers(this.number() === 0x03 ? 1 : 2);
      case 0xfd:
        throw new Error('a vector instruction: places.mjs does not know them');
      default:
        return this.numbers(numbersAfter.get(opcode) ?? 0);
    }
  }
}

function unsigned(value) {
  const bytes = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest !== 0);
  return bytes;
}

/** Names of exported globals by index. */
function exportedGlobals(bytes) {
  const reader = new Reader(bytes);
  const names = new Map();
  reader.at = 8;
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const end = reader.number() + reader.at;
    if (id === 7) {
      for (let left = reader.number(); left > 0; left--) {
        const length = reader.number();
        const name = Buffer.from(bytes.subarray(reader.at, reader.at + length)).toString();
        reader.at += length;
        const kind = reader.byte();
        const index = reader.number();
        if (kind === 3) names.set(index, name);
      }
    }
    reader.at = end;
  }
  return names;
}

/** One function's body with constants for the globals. @returns {{ bytes, places }} */
function rewriteBody(body, names) {
  const reader = new Reader(body);
  const out = [];
  const places = [];
  for (let left = reader.number(); left > 0; left--) reader.numbers(2);
  let copied = 0;
  const copyTo = (end) => {
    for (; copied < end; copied++) out.push(body[copied]);
  };
  while (reader.at < body.length) {
    const start = reader.at;
    const opcode = reader.byte();
    if (opcode !== GLOBAL_GET) {
      reader.immediates(opcode);
      continue;
    }
    const name = names.get(reader.number());
    if (name === undefined) continue;
    copyTo(start);
    out.push(I32_CONST);
    places.push({ name, at: out.length });
    for (let i = 0; i < NUMBER_BYTES; i++) out.push(i + 1 < NUMBER_BYTES ? 0x80 : 0);
    copied = reader.at;
  }
  copyTo(body.length);
  return { bytes: out, places };
}

function rewriteCode(reader, end, names) {
  const out = [];
  const places = [];
  const count = reader.number();
  out.push(...unsigned(count));
  for (let left = count; left > 0; left--) {
    const size = reader.number();
    const body = rewriteBody(reader.bytes.subarray(reader.at, reader.at + size), names);
    out.push(...unsigned(body.bytes.length));
    for (const { name, at } of body.places) places.push({ name, at: out.length + at });
    for (const byte of body.bytes) out.push(byte);
    reader.at += size;
  }
  if (reader.at !== end) throw new Error('the code section ends elsewhere');
  return { bytes: out, places };
}

/**
 * @param {Uint8Array} bytes - a module whose layout globals are exported.
 * @param {(name: string) => boolean} isPlace - is this exported global a number of the machine?
 * @returns {{ bytes: Uint8Array, places: Record<string, number[]> }} the module with constants, and
 *   for each global the offsets of its numbers, NUMBER_BYTES each.
 */
export function placeConstants(bytes, isPlace) {
  const names = new Map([...exportedGlobals(bytes)].filter(([, name]) => isPlace(name)));
  const reader = new Reader(bytes);
  const out = [...bytes.subarray(0, 8)];
  const places = {};
  reader.at = 8;
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const size = reader.number();
    const end = reader.at + size;
    out.push(id);
    if (id !== CODE_SECTION) {
      out.push(...unsigned(size));
      for (; reader.at < end; reader.at++) out.push(bytes[reader.at]);
      continue;
    }
    const code = rewriteCode(reader, end, names);
    out.push(...unsigned(code.bytes.length));
    for (const { name, at } of code.places) (places[name] ??= []).push(out.length + at);
    for (const byte of code.bytes) out.push(byte);
  }
  return { bytes: Uint8Array.from(out), places };
}
