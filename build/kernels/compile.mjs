/**
 * Compiles the lookups of the benchmarks to WebAssembly (docs/compiled-kernels.md):
 *
 *   dist/kernels/lookups.wasm   one module, imports the memory and how to sleep
 *   dist/kernels/lookups.json   exports of each lookup, and where the machine's numbers go
 *   dist/kernels/lookups.as     the AssemblyScript it was made from
 *   dist/kernels/lookups.wat    the module as text
 *   dist/kernels/NAME.js        a lookup in JavaScript, which calls the module (script.mjs)
 *   dist/kernels/yardsticks     the same by hand, a copy of bench/yardsticks
 *
 * The compiler takes seconds, so its result is kept by the hash of what it was given.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { batchOf, cold, lookups, loopOf, support } from './lookups.mjs';
import { placeConstants } from './places.mjs';
import { calledText, operationExports, scriptText } from './script.mjs';
import { Sources } from './source.mjs';
import { translate } from './translate.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const options = (
  'lookups.ts -O3 --converge --noAssert --runtime stub --enable threads --importMemory ' +
  '--sharedMemory --initialMemory 1 --maximumMemory 65536 --outFile lookups.wasm ' +
  '--textFile lookups.wat'
).split(' ');

/** Begins a lookup's names. */
function prefixOf(name) {
  return `${name.replaceAll('-', '_')}$`;
}

function inlined(name) {
  return !cold.has(name);
}

/** All lookups as one AssemblyScript module. @returns {{ text, layout, kernels, scripts }} */
function assemble(root) {
  const sources = new Sources(root);
  const layout = new Map();
  const parts = [operationExports()];
  const kernels = {};
  const scripts = new Map();
  const known = (numbers) => {
    for (const [name, number] of numbers) layout.set(name, number);
  };
  const add = (entries, making) => {
    const usual = { language: 'assemblyscript', fixed: {}, plain: [], flavour: '' };
    const made = translate(sources, entries, { ...usual, inline: inlined, ...making });
    known(made.layout);
    parts.push(made.text);
    return made;
  };
  add(support, { prefix: '' });
  parts.push('export function attend(): void { attendInterrupts(self$v); }');
  for (const lookup of lookups) {
    const prefix = prefixOf(lookup.name);
    const entries = [loopOf(lookup), batchOf(lookup)].filter((entry) => entry !== null);
    const { fixed = {}, plain = [], ordered = false } = lookup;
    const flavour = ordered ? 'ordered$' : '';
    const made = add(entries, { prefix, fixed, plain, flavour });
    parts.push(entryText(`${prefix}loop`, made.names.get(lookup.loop)));
    if (lookup.batch) parts.push(entryText(`${prefix}batch`, made.names.get(lookup.batch)));
    kernels[lookup.name] = {
      loop: `${prefix}loop`,
      batch: lookup.batch ? `${prefix}batch` : null,
      fixed: [...made.fixedUsed.values()],
    };
    const script = scriptText(sources, lookup, prefix);
    known(script.layout);
    scripts.set(lookup.name, script.text);
    const called = add(script.called, { prefix: `${prefix}called$`, fixed });
    for (const entry of script.called) {
      parts.push(calledText(sources, entry, prefix, called.names.get(entry.name)));
    }
  }
  const globals = [...layout.keys()].map((name) => `export let ${name}: i32 = 0;`);
  const operations = readFileSync(join(here, 'operations.as'), 'utf8');
  return { text: [operations, ...globals, ...parts].join('\n'), layout, kernels, scripts };
}

function entryText(name, target) {
  const parameters = 'keys: i32, count: i32';
  return `export function ${name}(${parameters}): i32 { return ${target}(self$v, keys, count); }`;
}

/** @returns {Promise<{ wasm: Uint8Array, wat: string }>} */
async function runCompiler(text) {
  const { default: asc } = await import('assemblyscript/asc');
  const files = new Map();
  const { error, stderr } = await asc.main(options, {
    readFile: (name) => (name === 'lookups.ts' ? text : null),
    writeFile: (name, data) => void files.set(name, data),
    listFiles: () => [],
  });
  if (error) throw new Error(`the AssemblyScript compiler: ${error.message}\n${stderr.toString()}`);
  return { wasm: files.get('lookups.wasm'), wat: files.get('lookups.wat') };
}

/** The compiled module, from the cache if it was compiled before. */
async function compiled(root, text) {
  const version = JSON.parse(
    readFileSync(join(root, 'node_modules/assemblyscript/package.json'), 'utf8'),
  ).version;
  const key = createHash('sha256')
    .update([version, ...options, text].join('\0'))
    .digest('hex');
  const cache = join(root, 'node_modules/.cache/gntrace-kernels');
  const kept = join(cache, key);
  if (existsSync(`${kept}.wasm`) && existsSync(`${kept}.wat`)) {
    return { wasm: readFileSync(`${kept}.wasm`), wat: readFileSync(`${kept}.wat`, 'utf8') };
  }
  const made = await runCompiler(text);
  mkdirSync(cache, { recursive: true });
  for (const [suffix, data] of [
    ['wat', made.wat],
    ['wasm', made.wasm],
  ]) {
    writeFileSync(`${kept}.${process.pid}.${suffix}`, data);
    renameSync(`${kept}.${process.pid}.${suffix}`, `${kept}.${suffix}`);
  }
  return made;
}

/** @param {string} root - of the project. @param {string} outDir - where the files go. */
export async function compileKernels(root, outDir) {
  const { text, layout, kernels, scripts } = assemble(root);
  const { wasm, wat } = await compiled(root, text);
  const { bytes, places } = placeConstants(wasm, (name) => layout.has(name) || name === 'self$v');
  const numbers = [...layout].map(([name, number]) => ({
    name,
    ...number,
    offsets: places[name] ?? [],
  }));
  mkdirSync(outDir, { recursive: true });
  cpSync(join(root, 'bench/yardsticks'), join(outDir, 'yardsticks'), { recursive: true });
  for (const [name, script] of scripts) writeFileSync(join(outDir, `${name}.js`), script);
  writeFileSync(join(outDir, 'lookups.wasm'), bytes);
  writeFileSync(join(outDir, 'lookups.as'), text);
  writeFileSync(join(outDir, 'lookups.wat'), wat);
  const description = { kernels, numbers, vcpu: places.self$v ?? [] };
  writeFileSync(join(outDir, 'lookups.json'), `${JSON.stringify(description, null, 2)}\n`);
}
