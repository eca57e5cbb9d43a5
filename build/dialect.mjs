/**
 * The dialect of simulated code (STYLE.md): what may stand in a room whose generator functions
 * run as fibers, are stripped for threads, and shall one day be compiled. Run as a program it
 * checks every file of the simulated rooms and exits with 1 if any of them breaks a rule.
 *
 * Four sets of rules:
 *   every file          no Node, no packages, no time, no chance, no module-level state
 *   simulated bodies    generator functions and the plain functions they call: integers only
 *   re-checks           a word is never compared with its earlier value by a plain load
 *   calls               a generator function is called directly under yield*; outside generators
 *                       only to start an actor: `() => body(v)`, `runAlone(body(v))`
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { bodyFault, signatureFaults } from './dialect-bodies.mjs';
import { plainRechecks } from './dialect-rechecks.mjs';
import { benchLoops, isMachinery, simulatedRooms } from './rooms.mjs';

const K = ts.SyntaxKind;
const bannedNames = new Set(
  (
    'Atomics Date Worker console crypto globalThis performance process queueMicrotask require ' +
    'setImmediate setInterval setTimeout'
  ).split(' '),
);
const starters = new Set(['runAlone', 'finish']);

/** Is this identifier a use of the name, not a property or a declaration of that name? */
function isReference(node) {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) return false;
  return parent.name !== node;
}

function importFault(specifier) {
  return specifier.startsWith('.') ? null : `imports ${specifier}: no Node, no packages here`;
}

function fileFault(node) {
  if (ts.isImportDeclaration(node)) return importFault(node.moduleSpecifier.text);
  if (ts.isCallExpression(node) && node.expression.kind === K.ImportKeyword) {
    return 'imports dynamically';
  }
  if (ts.isIdentifier(node) && bannedNames.has(node.text) && isReference(node)) {
    return `uses ${node.text}`;
  }
  if (ts.isPropertyAccessExpression(node) && node.getText() === 'Math.random') {
    return 'uses Math.random: chance is the seed';
  }
  const isModuleLevel = ts.isVariableStatement(node) && ts.isSourceFile(node.parent);
  if (isModuleLevel && !(node.declarationList.flags & ts.NodeFlags.Const)) {
    return 'keeps state in a module: words of a table are the only state';
  }
  return null;
}

/** The functions that a file declares, and the file each imported name comes from. */
function readNames(unit) {
  unit.functions = new Map();
  unit.imports = new Map();
  for (const node of unit.file.statements) {
    if (ts.isFunctionDeclaration(node) && node.name) unit.functions.set(node.name.text, node);
    if (!ts.isImportDeclaration(node)) continue;
    const bindings = node.importClause?.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) continue;
    const from = normalize(join(dirname(unit.path), node.moduleSpecifier.text));
    for (const item of bindings.elements) {
      unit.imports.set(item.name.text, { from, name: (item.propertyName ?? item.name).text });
    }
  }
}

/** The declaration that `name` means in a file, followed through one import. */
function resolve(units, unit, name) {
  const own = unit.functions.get(name);
  if (own !== undefined) return { unit, node: own };
  const imported = unit.imports.get(name);
  const other = imported && units.get(imported.from);
  const node = other?.functions.get(imported.name);
  return node && { unit: other, node };
}

const isGenerator = (node) => node.asteriskToken !== undefined;

/** Every identifier that is called or named, with the function it means. */
function checkUse(units, unit, node, inGenerator, report) {
  const meant = ts.isIdentifier(node) && isReference(node) && resolve(units, unit, node.text);
  if (!meant || !isGenerator(meant.node)) return;
  const call = node.parent;
  if (!ts.isCallExpression(call) || call.expression !== node) {
    if (inGenerator) report(node, `${node.text} as a value: no function pointers`);
    return;
  }
  const parent = call.parent;
  if (ts.isYieldExpression(parent) && parent.asteriskToken) return;
  const starts =
    !inGenerator &&
    ((ts.isArrowFunction(parent) && parent.body === call) ||
      (ts.isCallExpression(parent) && starters.has(parent.expression.getText())));
  if (!starts) report(node, `${node.text} called without yield*`);
}

function checkFile(units, unit, report) {
  const visit = (node, inGenerator) => {
    const fault = isMachinery(unit.path) ? null : fileFault(node);
    if (fault !== null) report(node, fault);
    checkUse(units, unit, node, inGenerator, report);
    const inside = inGenerator || (ts.isFunctionLike(node) && isGenerator(node));
    ts.forEachChild(node, (child) => visit(child, inside));
  };
  visit(unit.file, false);
}

/** Checks one simulated body and queues the plain functions that it calls. */
function checkBody(units, { unit, node }, queue, report) {
  for (const [at, text] of signatureFaults(node)) report(at, text);
  for (const [at, text] of plainRechecks(node)) report(at, text);
  const visit = (child) => {
    const fault = bodyFault(child, node);
    if (fault !== null) report(child, fault);
    if (ts.isCallExpression(child) && ts.isIdentifier(child.expression)) {
      const callee = resolve(units, unit, child.expression.text);
      if (callee !== undefined && !isGenerator(callee.node)) queue.push(callee);
    }
    ts.forEachChild(child, visit);
  };
  if (node.body) ts.forEachChild(node.body, visit);
}

/**
 * @param {{ path: string, text: string }[]} sources - files of simulated rooms, by path from root.
 * @returns {string[]} `file:line: what is wrong`, in order.
 */
export function checkDialect(sources) {
  const units = new Map();
  const faults = [];
  for (const { path, text } of sources) {
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
    const unit = { path, file };
    readNames(unit);
    units.set(path, unit);
  }
  const reporter = (unit) => (node, text) => {
    const { line } = unit.file.getLineAndCharacterOfPosition(node.getStart(unit.file));
    faults.push(`${unit.path}:${line + 1}: ${text}`);
  };
  const queue = [];
  for (const unit of units.values()) {
    checkFile(units, unit, reporter(unit));
    for (const node of unit.functions.values()) if (isGenerator(node)) queue.push({ unit, node });
  }
  const seen = new Set();
  for (const body of queue) {
    if (seen.has(body.node) || isMachinery(body.unit.path)) continue;
    seen.add(body.node);
    checkBody(units, body, queue, reporter(body.unit));
  }
  return [...new Set(faults)];
}

/** @returns the sources of all simulated rooms below `root`; editions' own modules left out. */
export function simulatedSources(root) {
  const paths = [...simulatedRooms, ...benchLoops].flatMap((room) => {
    try {
      return readdirSync(join(root, room), { recursive: true }).map((name) => join(room, name));
    } catch (error) {
      if (error.code === 'ENOENT') return [];
      throw error;
    }
  });
  return paths
    .filter((path) => path.endsWith('.ts') && !/\.(threads|lockstep|d)\.ts$/.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] === self) {
  const root = dirname(dirname(self));
  const sources = simulatedSources(root);
  const faults = checkDialect(sources);
  for (const fault of faults) console.error(fault);
  if (sources.length === 0) console.error(`no simulated file below ${relative('', root) || '.'}`);
  process.exit(faults.length > 0 || sources.length === 0 ? 1 : 0);
}
