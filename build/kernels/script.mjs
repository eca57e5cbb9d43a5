/**
 * A lookup as JavaScript of its own (docs/compiled-kernels.md): the same declarations as in the
 * WebAssembly module, over the same memory. What is atomic is called there: single operations, and
 * the functions that `lookups.mjs` names, which are one call instead of several that way.
 *
 * The text is the body of a function of (mem, compiled). The machine's numbers are names in it,
 * which bench/scripts.ts replaces before the engine compiles it, so that it sees constants.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { flatten } from './flatten.mjs';
import { batchOf, cold, loopOf, scriptOf, support } from './lookups.mjs';
import { translate } from './translate.mjs';
import { types } from './vocabulary.mjs';

const operations = readFileSync(
  join(dirname(fileURLToPath(import.meta.url)), 'operations.js'),
  'utf8',
);

/** Operations that the module exports for scripts, and how many numbers each takes. */
const atomic = new Map(
  Object.entries({
    readOnce: 1,
    writeOnce: 2,
    loadAcquire: 1,
    storeRelease: 2,
    cmpxchg: 3,
    xchg: 2,
    fetchAdd: 2,
    fetchAddOwn: 2,
    fetchAddLike: 2,
    fetchAddWaking: 2,
    fetchAnd: 2,
    fetchAndWaking: 2,
    storeReleaseWaking: 2,
    fetchOr: 2,
    smpMb: 0,
    smpWmb: 0,
    smpRmb: 0,
    awaitEqual: 3,
    awaitNotEqual: 3,
    acquireWhen: 4,
  }),
);
const withoutResult = new Set(
  'writeOnce storeRelease storeReleaseWaking smpMb smpWmb smpRmb'.split(' '),
);

/** The name under which the module exports an operation. */
function operationExport(name) {
  return `operation$${name}`;
}

/** AssemblyScript that exports the operations. */
export function operationExports() {
  return [...atomic]
    .map(([name, count]) => {
      const names = ['a', 'b', 'c', 'd'].slice(0, count);
      const parameters = names.map((parameter) => `${parameter}: i32`).join(', ');
      const [type, back] = withoutResult.has(name) ? ['void', ''] : ['i32', 'return '];
      const head = `export function ${operationExport(name)}(${parameters}): ${type}`;
      return `${head} { ${back}${name}(${names.join(', ')}); }`;
    })
    .join('\n');
}

/**
 * @param {import('./source.mjs').Sources} sources @param {import('./lookups.mjs').Lookup} lookup
 * @param {string} prefix - of the lookup's names in the module.
 * @returns the text; `called`: what it calls in the module, besides operations; `layout`, numbers
 *   of the machine.
 */
export function scriptText(sources, lookup, prefix) {
  const entries = [loopOf(lookup), batchOf(lookup)].filter((entry) => entry !== null);
  const { plain = [], compiled = [] } = scriptOf(lookup);
  const made = translate(sources, entries, {
    language: 'javascript',
    prefix: '$',
    flavour: '',
    fixed: lookup.fixed ?? {},
    plain,
    compiled: [...compiled, ...cold],
    inline: () => false,
  });
  const retry = support.find(({ name }) => name === 'TRACE_LOOKUP_RETRY');
  const point = sources.evaluate(
    sources.unit(retry.path),
    sources.unit(retry.path).constants.get(retry.name),
  );
  const imports = [
    ...[...atomic.keys()].map((name) => [name, operationExport(name)]),
    ...[...made.called.keys()].map((name) => [name, calledExport(prefix, name)]),
  ];
  const loop = made.names.get(lookup.loop);
  const batch = made.names.get(lookup.batch) ?? loop;
  const lines = [
    `// ${lookup.name}: made by build/kernels/script.mjs`,
    ...imports.map(([name, exported]) => `const ${name} = compiled['${exported}'];`),
    operations.replaceAll('TRACE_LOOKUP_RETRY)', `${point})`),
    made.text,
    'return {',
    `  loop: (keys, count) => ${loop}(self$v, keys, count),`,
    `  batch: (keys, count) => ${batch}(self$v, keys, count),`,
    '  retries: () => retries,',
    '  bugs: () => bugs,',
    '};',
  ];
  const text = `'use strict';\n${flatten(lines.join('\n'))}\n`;
  return { text, called: [...made.called.values()], layout: made.layout };
}

function calledExport(prefix, name) {
  return `${prefix}call$${name}`;
}

/** AssemblyScript that exports a function to scripts. @param target - its name in the module. */
export function calledText(sources, { path, name }, prefix, target) {
  const { file, functions } = sources.unit(path);
  const node = functions.get(name);
  const parameters = node.parameters.map(({ name: given, type }) => {
    return `${given.text}: ${types.get(type.getText(file))}`;
  });
  const values = node.parameters.map(({ name: given }) => given.text).join(', ');
  const type = types.get(node.type.getText(file));
  const head = `export function ${calledExport(prefix, name)}(${parameters.join(', ')}): ${type}`;
  return `${head} { ${type === 'void' ? '' : 'return '}${target}(${values}); }`;
}
