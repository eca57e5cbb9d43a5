/**
 * Puts functions of one expression in place of their calls, in JavaScript made by script.mjs: an
 * engine stops inlining when a function has grown enough, and a walk over a page table is made of
 * dozens of functions of one line.
 *
 * A call is replaced if that changes neither what is evaluated nor in which order: an argument
 * that is more than a name or a number goes to one place, and such arguments stay in order.
 */
import { parse } from 'acorn';
import { MagicString } from 'magic-string';

/** @param {string} text - body of a function. @returns {string} the same, flat. */
export function flatten(text) {
  let flat = text;
  for (;;) {
    const next = flattenOnce(flat);
    if (next === flat) return withoutUnused(flat);
    flat = next;
  }
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

/** Functions whose body is one expression without calls of others of them, by name. */
function oneExpression(program, text) {
  const found = new Map();
  for (const node of program.body) {
    if (node.type !== 'FunctionDeclaration' || node.body.body.length !== 1) continue;
    const [only] = node.body.body;
    const expression = only.type === 'ReturnStatement' ? only.argument : only.expression;
    if (!expression) continue;
    found.set(node.id.name, {
      expression,
      params: node.params.map(({ name }) => name),
      text: text.slice(expression.start, expression.end),
    });
  }
  return found;
}

/** The expression with arguments in place of parameters, or null if that is another program. */
function bodyWith({ expression, params, text }, args, source) {
  const uses = [];
  visit(expression, (node) => {
    if (node.type === 'Identifier' && params.includes(node.name)) uses.push(node);
  });
  uses.sort((a, b) => a.start - b.start);
  const complex = params.filter((_, i) => !isSimple(args[i]));
  const complexUses = uses.filter(({ name }) => complex.includes(name)).map(({ name }) => name);
  if (complexUses.join() !== complex.join()) return null;
  if (complex.length > 0 && branches(expression)) return null;
  const edit = new MagicString(text);
  for (const use of uses) {
    const arg = args[params.indexOf(use.name)];
    const given = source.slice(arg.start, arg.end);
    edit.overwrite(
      use.start - expression.start,
      use.end - expression.start,
      isSimple(arg) ? given : `(${given})`,
    );
  }
  return edit.toString();
}

/** A name or a number, in as many parentheses as it likes: evaluated twice it is the same. */
function isSimple(node) {
  if (node === undefined) return false;
  if (node.type === 'Identifier' || node.type === 'Literal') return true;
  return node.type === 'UnaryExpression' && node.argument.type === 'Literal';
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

/** Calls `see` for each node of a syntax tree, inner nodes first, in the order of the text. */
function visit(node, see) {
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) {
      for (const item of value) if (item?.type !== undefined) visit(item, see);
    } else if (value?.type !== undefined) {
      visit(value, see);
    }
  }
  see(node);
}
