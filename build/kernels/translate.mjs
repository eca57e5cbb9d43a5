/**
 * From simulated code to AssemblyScript or JavaScript, declaration by declaration. The dialect
 * (docs/simulated-code.md) is 32-bit integers, tables and calls, so only this changes:
 *
 *   function*, yield*          gone, as in the stripped editions
 *   number, boolean, Op<T>     i32, bool, the type of T; nothing in JavaScript
 *   Page.refcount.at(pg)       base of the table + pg * stride + the field's place: stride and
 *                              place are constants of the declaration, the base is the machine's
 *   readLocal(Params.x.word)   a constant, where the kernel is made for one value of it
 *   Math.imul, min, max …      instructions; as they are in JavaScript
 *   readOnce, cmpxchg …        functions of the operations that the kernel is made with
 */
import { MagicString } from 'magic-string';
import ts from 'typescript';
import { branchText, returnText } from './conditions.mjs';
import { at } from './source.mjs';
import {
  accessorOf,
  addressText,
  bootParameter,
  byteLocals,
  layoutGlobal,
  ownOperation,
  parameterText,
  tableField,
} from './fields.mjs';
import { alike, waking } from './lookups.mjs';
import { flavours, mathCalls, types } from './vocabulary.mjs';

/** Rounds of a loop that are written out. */
const UNROLL_LIMIT = 8;
const fieldValues = new Set(['word', 'stride', 'outer', 'count']);

/**
 * What a kernel is made with.
 * @typedef {object} Making
 * @property {string} prefix - begins the names of its functions.
 * @property {Record<string, number>} fixed - boot parameters that have one value in it.
 * @property {string} flavour - of all functions: '' or 'ordered$'.
 * @property {string[]} plain - functions of the flavour 'plain$', with all that they call; other
 *   flavours have the same functions in every kernel (lookups.mjs).
 * @property {(name: string) => boolean} inline - is this function put in place of its calls?
 * @property {'assemblyscript' | 'javascript'} language - what comes out.
 * @property {string[]} [compiled] - functions that JavaScript calls in the WebAssembly module.
 */

/**
 * Translates what the entry functions reach.
 * @param {import('./source.mjs').Sources} sources
 * @param {{ path: string, name: string }[]} entries - declarations to begin with.
 * @param {Making} making
 * @returns {object} `text` without operations; `layout`: the globals that hold numbers of the
 *   machine; `names`: compiled names of the entries; `fixedUsed`: the parameters that were fixed;
 *   `called`: the compiled functions that are called, declarations by name.
 */
export function translate(sources, entries, making) {
  const state = {
    sources,
    making,
    compiled: new Map(),
    taken: new Map(),
    out: [],
    layout: new Map(),
    fixedUsed: new Map(),
    called: new Map(),
    queue: [],
  };
  const names = new Map();
  for (const { path, name } of entries) {
    names.set(name, use(state, sources.unit(path), name, making.flavour));
  }
  for (let next = state.queue.shift(); next !== undefined; next = state.queue.shift()) {
    state.out.push(next());
  }
  return { ...state, text: state.out.join('\n'), names };
}

/** The compiled name of a declaration, queued when it is met first. */
function use(state, unit, name, flavour) {
  const meant = state.sources.resolve(unit, name);
  if (meant === null) throw new Error(`${unit.path}: ${name} is nothing that can be compiled`);
  const kind = flavourOf(state, meant.name, flavour);
  if (meant.kind === 'operation') return flavours.get(kind)?.get(meant.name) ?? meant.name;
  if (isScript(state) && meant.kind === 'constant') return `(${constant(state, meant)})`;
  if (state.making.compiled?.includes(meant.name)) {
    state.called.set(meant.name, { path: meant.unit.path, name: meant.name });
    return meant.name;
  }
  const key = `${kind}${meant.unit.path}:${meant.name}`;
  const known = state.compiled.get(key);
  if (known !== undefined) return known;
  const plain = `${state.making.prefix}${kind}${meant.name}`;
  const clash = state.taken.get(plain) ?? 0;
  state.taken.set(plain, clash + 1);
  const compiled = `${plain}${clash === 0 ? '' : `$${clash}`}`;
  state.compiled.set(key, compiled);
  state.queue.push(() =>
    meant.kind === 'constant'
      ? `const ${compiled}: i32 = ${constant(state, meant)};`
      : functionText(state, meant, compiled, kind),
  );
  return compiled;
}

/** The flavour of a declaration: its own, or that of whoever calls it. */
function flavourOf({ making }, name, flavour) {
  if (making.plain.includes(name)) return 'plain$';
  if (alike.has(name)) return 'alike$';
  return waking.has(name) ? 'waking$' : flavour;
}

function isScript(state) {
  return state.making.language === 'javascript';
}

function constant(state, { unit, name }) {
  return state.sources.evaluate(unit, unit.constants.get(name)) | 0;
}

function typeText(state, unit, node, what) {
  const type = types.get(node?.getText(unit.file) ?? '');
  if (type === undefined) throw at(unit, node ?? what, 'has a type that is not compiled');
  return isScript(state) ? '' : `: ${type}`;
}

function functionText(state, { unit, name }, compiled, flavour) {
  const node = unit.functions.get(name);
  const parameters = node.parameters.map((parameter) => {
    return parameter.name.text + typeText(state, unit, parameter.type, parameter);
  });
  const result = typeText(state, unit, node.type, node);
  const start = node.body.getStart(unit.file);
  const edit = new MagicString(unit.file.text.slice(start, node.body.end));
  const names = new Set(node.parameters.map((parameter) => parameter.name.text));
  collectLocals(node.body, names);
  const context = { state, unit, edit, start, names, flavour, render, flavourOf, body: node.body };
  if (!isScript(state)) context.bytes = byteLocals(context);
  ts.forEachChild(node.body, (child) => rewrite(context, child));
  const { line } = unit.file.getLineAndCharacterOfPosition(node.getStart(unit.file));
  const decorator = !isScript(state) && state.making.inline(name) ? '@inline\n' : '';
  const head = `${decorator}function ${compiled}(${parameters.join(', ')})${result} `;
  return `// ${unit.path}:${line + 1}\n${head}${edit.toString()}`;
}

function collectLocals(node, names) {
  if (ts.isVariableDeclaration(node)) names.add(node.name.text);
  ts.forEachChild(node, (child) => collectLocals(child, names));
}

/** Rewrites a node in place; nested edits stay within it. */
function rewrite(context, node) {
  if (ts.isYieldExpression(node)) {
    drop(context, node.getStart(context.unit.file), node.expression.getStart(context.unit.file));
    return rewrite(context, node.expression);
  }
  if (ts.isCallExpression(node)) return rewriteCall(context, node);
  if (ts.isPropertyAccessExpression(node)) return rewriteProperty(context, node);
  if (ts.isIdentifier(node)) {
    if (!context.names.has(node.text)) {
      return overwrite(context, node, use(context.state, context.unit, node.text, context.flavour));
    }
    const given = context.given?.get(node.text);
    return given === undefined ? undefined : overwrite(context, node, given);
  }
  if (!isScript(context.state)) {
    const branches = branched(context, node);
    if (branches !== null) return overwrite(context, node, branches);
    if (ts.isVariableDeclaration(node) && context.bytes?.has(node.name.text)) {
      return overwrite(context, node.initializer, accessorOf(context, node.initializer));
    }
  }
  if (ts.isBinaryExpression(node)) {
    const shifted = topBits(context, node);
    if (shifted !== null) return overwrite(context, node, shifted);
  }
  if (ts.isForStatement(node)) {
    const unrolled = unroll(context, node);
    if (unrolled !== null) return overwrite(context, node, unrolled);
  }
  if (!isScript(context.state) && ts.isNumericLiteral(node) && Number(node.text) > 0x7fffffff) {
    return overwrite(context, node, String(Number(node.text) | 0));
  }
  return ts.forEachChild(node, (child) => rewrite(context, child));
}

/** A statement that branches on a compound condition, null for another node. */
function branched(context, node) {
  if (ts.isIfStatement(node)) return branchText(context, node);
  return ts.isReturnStatement(node) ? returnText(context, node) : null;
}

/** `(x >> c) & mask` of all bits that are left is `x >>> c`: null if it is not that. */
function topBits(context, node) {
  if (node.operatorToken.kind !== ts.SyntaxKind.AmpersandToken) return null;
  if (!ts.isParenthesizedExpression(node.left)) return null;
  const shift = node.left.expression;
  if (!ts.isBinaryExpression(shift)) return null;
  if (shift.operatorToken.kind !== ts.SyntaxKind.GreaterThanGreaterThanToken) return null;
  try {
    const by = context.state.sources.evaluate(context.unit, shift.right);
    const mask = context.state.sources.evaluate(context.unit, node.right);
    if (by < 1 || by > 31 || mask !== 2 ** (32 - by) - 1) return null;
    return `(${render(context, shift.left)} >>> ${by})`;
  } catch {
    return null;
  }
}

/**
 * A loop over few constants, like that over the levels of a page table, becomes its rounds.
 * @returns the text, or null for another loop.
 */
function unroll(context, node) {
  const declared = node.initializer;
  const step = node.incrementor;
  if (!declared || !ts.isVariableDeclarationList(declared) || !step || !node.condition) return null;
  const [{ name, initializer }] = declared.declarations;
  if (!ts.isPostfixUnaryExpression(step) || leavesRound(node.statement)) return null;
  const first = knownValue(context, initializer);
  const { left, right, operatorToken } = node.condition;
  const last = right === undefined ? null : knownValue(context, right);
  if (first === null || last === null || left.getText() !== name.text) return null;
  const delta = step.operator === ts.SyntaxKind.PlusPlusToken ? 1 : -1;
  const goesOn = operatorToken.getText() === '>' ? (i) => i > last : (i) => i < last;
  const rounds = [];
  for (let i = first; goesOn(i); i += delta) {
    if (rounds.length === UNROLL_LIMIT) return null;
    const type = isScript(context.state) ? '' : ': i32';
    rounds.push(`{ const ${name.text}${type} = ${i}; ${render(context, node.statement)} }`);
  }
  return rounds.join('\n');
}

/** Does a loop's body jump, or set the loop's variable? */
function leavesRound(node) {
  if (ts.isBreakStatement(node) || ts.isContinueStatement(node)) return true;
  return ts.forEachChild(node, leavesRound) ?? false;
}

/** The value of an expression that is fixed in this kernel, or null. */
function knownValue({ state, unit }, node) {
  if (ts.isNumericLiteral(node)) return Number(node.text);
  if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return null;
  const meant = state.sources.resolve(unit, node.expression.text);
  if (meant?.kind !== 'function') return null;
  const [only] = meant.unit.functions.get(meant.name).body.statements;
  if (!ts.isReturnStatement(only) || !ts.isCallExpression(only.expression)) return null;
  const parameter = bootParameter({ state, unit: meant.unit }, only.expression);
  return (parameter && state.making.fixed[parameter.name]) ?? null;
}

/** The text of a node, rewritten. */
function render(context, node) {
  const start = node.getStart(context.unit.file);
  const edit = new MagicString(context.unit.file.text.slice(start, node.end));
  rewrite({ ...context, edit, start }, node);
  return edit.toString();
}

function rewriteCall(context, node) {
  const callee = node.expression;
  if (ts.isIdentifier(callee)) {
    const parameter = bootParameter(context, node);
    if (parameter !== null) return overwrite(context, node, parameterText(context, parameter));
    const address = isScript(context.state) ? null : addressText(context, node);
    if (address !== null) return overwrite(context, node, address);
    const own = ownOperation(context, node);
    if (own === null) rewrite(context, callee);
    else overwrite(context, callee, own);
    return node.arguments.forEach((argument) => rewrite(context, argument));
  }
  const name = callee.name.text;
  if (callee.expression.getText(context.unit.file) === 'Math') {
    if (isScript(context.state)) {
      // As it is.
    } else if (name === 'imul') {
      const [a, b] = node.arguments;
      overwriteRange(
        context,
        callee.getStart(context.unit.file),
        a.getStart(context.unit.file),
        '((',
      );
      overwriteRange(context, a.end, b.getStart(context.unit.file), ') * (');
      overwriteRange(context, b.end, node.end, '))');
    } else {
      overwrite(context, callee, mathCalls.get(name));
    }
    return node.arguments.forEach((argument) => rewrite(context, argument));
  }
  return rewriteAccessor(context, node);
}

function rewriteAccessor(context, node) {
  const field = tableField(context, node.expression.expression);
  if (field === null) throw at(context.unit, node, 'is a call that is not compiled');
  const { table, place } = field;
  const base = layoutGlobal(context, table, 'word');
  const file = context.unit.file;
  const [i, j] = node.arguments;
  // So told, an engine need not check whether a sum still is 32 bits.
  const end = `) * ${table.stride}${isScript(context.state) ? ' | 0' : ''})`;
  if (node.expression.name.text === 'at') {
    overwriteRange(context, node.getStart(file), i.getStart(file), `(${base} + ${place} + (`);
    overwriteRange(context, i.end, node.end, end);
  } else {
    const outer = layoutGlobal(context, table, 'outer');
    overwriteRange(context, node.getStart(file), i.getStart(file), `(${base} + ${place} + (`);
    overwriteRange(context, i.end, j.getStart(file), `) * ${outer} + (`);
    overwriteRange(context, j.end, node.end, end);
  }
  return node.arguments.forEach((argument) => rewrite(context, argument));
}

function rewriteProperty(context, node) {
  const field = fieldValues.has(node.name.text) ? tableField(context, node.expression) : null;
  if (field === null) throw at(context.unit, node, 'is a property that is not compiled');
  const { table, place } = field;
  const what = node.name.text;
  if (what === 'stride') return overwrite(context, node, String(table.stride));
  if (what === 'word') {
    return overwrite(context, node, `(${layoutGlobal(context, table, 'word')} + ${place})`);
  }
  return overwrite(context, node, layoutGlobal(context, table, what));
}

function drop(context, from, to) {
  context.edit.remove(from - context.start, to - context.start);
}

function overwrite(context, node, text) {
  overwriteRange(context, node.getStart(context.unit.file), node.end, text);
}

function overwriteRange(context, from, to, text) {
  context.edit.overwrite(from - context.start, to - context.start, text);
}
