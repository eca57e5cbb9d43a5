/**
 * Puts functions of one expression in place of their calls, in JavaScript made by script.mjs: an
 * engine stops inlining when a function has grown enough, and a walk over a page table is made of
 * dozens of functions of one line.
 *
 * A call is replaced if that changes neither what is evaluated nor in which order: an argument
 * that is more than a name or a number goes to one place, and one that reads memory or calls goes
 * where nothing of that kind was evaluated before it.
 */
import { parse } from 'acorn';
import { MagicString } from 'magic-string';
import { visit } from '../syntax.mjs';

/** @param {string} text - body of a function. @returns {string} the same, flat. */
export function flatten(text) {
  let flat = text;
  for (;;) {
    const next = withConstants(flattenOnce(flat));
    if (next === flat) return withoutUnused(flat);
    flat = next;
  }
}

/** Puts a constant in place of each parameter that is given nothing else. */
function withConstants(text) {
  const program = parseBody(text);
  const calls = new Map();
  visit(program, (node) => {
    if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier') return;
    calls.set(node.callee.name, [...(calls.get(node.callee.name) ?? []), node.arguments]);
  });
  const edit = new MagicString(text);
  for (const node of program.body) {
    if (node.type !== 'FunctionDeclaration') continue;
    const given = calls.get(node.id.name) ?? [];
    node.params.forEach(({ name }, i) => {
      const values = new Set(given.map((args) => constantText(args[i], text)));
      const [value] = values;
      if (values.size === 1 && value !== null) replaceUses(edit, node.body, name, value);
    });
  }
  return edit.hasChanged() ? edit.toString() : text;
}

/** The text of a number, or of the vCPU's name; null for another argument. */
function constantText(node, text) {
  const constant = isSimple(node) && (node.type !== 'Identifier' || node.name === 'self$v');
  return constant ? text.slice(node.start, node.end) : null;
}

function replaceUses(edit, body, name, value) {
  const uses = [];
  let changes = false;
  visit(body, (node) => {
    if (node.type === 'Identifier' && node.name === name) uses.push(node);
    const target = node.type === 'AssignmentExpression' ? node.left : node.argument;
    const assigns = node.type === 'AssignmentExpression' || node.type === 'UpdateExpression';
    if (assigns && target.name === name) changes = true;
  });
  if (!changes) for (const { start, end } of uses) edit.overwrite(start, end, `(${value})`);
}

function parseBody(text) {
  return parse(text, { ecmaVersion: 'latest', allowReturnOutsideFunction: true });
}

/** Replaces innermost calls, so that no edit lies in another one. */
function flattenOnce(text) {
  const program = parseBody(text);
  const functions = oneExpression(program, text);
  const edit = new MagicString(text);
  let edited = -1;
  visit(program, (node) => {
    if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier') return;
    const callee = functions.get(node.callee.name);
    if (callee === undefined || node.start < edited) return;
    const inlined = bodyWith(callee, node.arguments, text);
    if (inlined === null) return;
    edit.overwrite(node.start, node.end, `(${inlined})`);
    edited = node.end;
  });
  return edit.hasChanged() ? edit.toString() : text;
}

/** Functions whose body is one expression, by name. */
function oneExpression(program, text) {
  const found = new Map();
  for (const node of program.body) {
    if (node.type !== 'FunctionDeclaration') continue;
    const body = expressionOf(node.body.body, text);
    if (body === null) continue;
    const expression = parseBody(`(${body})`).body[0].expression;
    found.set(node.id.name, {
      expression,
      params: node.params.map(({ name }) => name),
      text: body,
    });
  }
  return found;
}

/** `if (a) return b; return c;` is `a ? b : c`. @returns the text, null for other statements. */
function expressionOf(statements, text) {
  const textOf = ({ start, end }) => text.slice(start, end);
  const [first, ...rest] = statements;
  if (first === undefined) return null;
  if (first.type === 'IfStatement' && !first.alternate) {
    const then = first.consequent;
    const result = expressionOf(then.type === 'BlockStatement' ? then.body : [then], text);
    const otherwise = expressionOf(rest, text);
    if (then.type !== 'ReturnStatement' || result === null || otherwise === null) return null;
    return `(${textOf(first.test)}) ? (${result}) : (${otherwise})`;
  }
  if (rest.length > 0) return null;
  const only = first.type === 'ReturnStatement' ? first.argument : first.expression;
  return only ? textOf(only) : null;
}

/** The expression with arguments in place of parameters, or null if that is another program. */
function bodyWith({ expression, params, text }, args, source) {
  const uses = [];
  const effects = new Set();
  visit(expression, (node) => {
    if (node.type === 'Identifier' && params.includes(node.name)) uses.push(node);
    if (isEffect(node)) effects.add(node);
    // A word that is stored to is not read: only the store itself matters.
    if (node.type === 'AssignmentExpression') effects.delete(node.left);
  });
  uses.sort((a, b) => a.start - b.start);
  const usesOf = (given) => uses.filter(({ name }) => given.includes(name));
  const complex = params.filter((_, i) => !isSimple(args[i]));
  if (complex.some((name) => usesOf([name]).length !== 1)) return null;
  const ordered = params.filter((_, i) => hasEffects(args[i]));
  const inPlace = usesOf(ordered);
  if (inPlace.map(({ name }) => name).join() !== ordered.join()) return null;
  if (ordered.length > 0 && branches(expression)) return null;
  if (inPlace.some(({ start }) => [...effects].some(({ end }) => end <= start))) return null;
  const edit = new MagicString(text);
  for (const use of uses) {
    const arg = args[params.indexOf(use.name)];
    const given = source.slice(arg.start, arg.end);
    edit.overwrite(use.start - 1, use.end - 1, isSimple(arg) ? given : `(${given})`);
  }
  return edit.toString();
}

/** A name or a number, in as many parentheses as it likes: evaluated twice it is the same. */
function isSimple(node) {
  if (node === undefined) return false;
  if (node.type === 'Identifier' || node.type === 'Literal') return true;
  return node.type === 'UnaryExpression' && node.argument.type === 'Literal';
}

/** Does it matter when this is evaluated: a call, a word of memory, an assignment? */
function isEffect({ type }) {
  return /^(Call|Member|Assignment|Update)Expression$/.test(type);
}

function hasEffects(node) {
  let found = false;
  if (node !== undefined) visit(node, (inner) => (found ||= isEffect(inner)));
  return found;
}

/** May parts of an expression not be evaluated? */
function branches(expression) {
  let found = false;
  visit(expression, ({ type }) => {
    if (type === 'ConditionalExpression' || type === 'LogicalExpression') found = true;
  });
  return found;
}

/** Leaves functions out that nobody calls any more. */
function withoutUnused(text) {
  let left = text;
  for (;;) {
    const program = parseBody(left);
    const used = new Map();
    visit(program, ({ type, name }) => {
      if (type === 'Identifier') used.set(name, (used.get(name) ?? 0) + 1);
    });
    const edit = new MagicString(left);
    for (const node of program.body) {
      const only = node.type === 'VariableDeclaration' ? node.declarations[0].id : node.id;
      if (only && used.get(only.name) === 1 && node.type !== 'ReturnStatement') {
        edit.remove(node.start, node.end);
      }
    }
    if (!edit.hasChanged()) return left.replace(/\n(?:\/\/[^\n]*\n|\/\*\*[^\n]*\n)*\n+/g, '\n');
    left = edit.toString();
  }
}
