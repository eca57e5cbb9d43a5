/**
 * Puts the two engine calls in place of each operation in dist/fibers:
 *
 *   yield* readOnce(word)
 *   ($engine.begin(3, word, 0, 0, 0) && (yield), $engine.perform())
 *
 * so that an operation costs no generator of its own. What each operation becomes is read from
 * operations.js itself. Lines stay, and the columns of the source map are moved along.
 */
import { parse } from 'acorn';
import { MagicString } from 'magic-string';
import { decode, encode } from './mappings.mjs';
import { visit } from './syntax.mjs';

/**
 * @param {string} operations - text of the emitted shared/operations.js.
 * @param {Record<string, number>} kinds - the constants of shared/kinds.js.
 * @returns {Map<string, {params: string[], args: string[]}>} by operation: the names of its
 *   parameters, and what it gives to begin(): parameters by name, constants by value.
 */
export function readOperations(operations, kinds) {
  const found = new Map();
  for (const { declaration } of parseModule(operations).body) {
    if (declaration?.type !== 'FunctionDeclaration' || !declaration.generator) continue;
    const begin = find(declaration.body, isBegin);
    if (begin === undefined) continue;
    found.set(declaration.id.name, {
      params: declaration.params.map((param) => param.name),
      args: begin.arguments.map((arg) => String(kinds[arg.name] ?? arg.name ?? arg.value)),
    });
  }
  return found;
}

/**
 * @param {string} text - emitted JavaScript of a module.
 * @param {Map<string, {params: string[], args: string[]}>} operations - of readOperations.
 * @returns {{text: string, edits: {line: number, column: number, added: number}[]} | null} the
 *   new text and by how much columns move from where on; null if there is nothing to do.
 */
export function inline(text, operations) {
  const program = parseModule(text);
  const source = program.body.find(
    (node) => node.type === 'ImportDeclaration' && isOperations(node.source.value),
  );
  if (source === undefined) return null;
  const local = new Map();
  for (const { imported, local: name } of source.specifiers) {
    if (imported !== undefined && operations.has(imported.name)) {
      local.set(name.name, operations.get(imported.name));
    }
  }
  const edit = new Editor(text);
  visit(program, (node) => {
    const operation = operationOf(node, local);
    if (operation !== undefined) replace(edit, node, operation);
  });
  if (!edit.magic.hasChanged()) return null;
  const lineEnd = text.indexOf('\n', source.end);
  const at = lineEnd < 0 ? text.length : lineEnd;
  edit.insert(at, ` import { engine as $engine } from ${source.source.raw};`);
  return edit.result();
}

function operationOf(node, local) {
  if (node.type !== 'YieldExpression' || !node.delegate) return undefined;
  const call = node.argument;
  if (call.type !== 'CallExpression' || call.callee.type !== 'Identifier') return undefined;
  const operation = local.get(call.callee.name);
  if (operation === undefined || call.arguments.length !== operation.params.length)
    return undefined;
  const order = operation.args.filter((arg) => operation.params.includes(arg));
  const inOrder = order.every((arg, i) => arg === operation.params[i]);
  const simple = call.arguments.every((arg) => find(arg, isYield) === undefined);
  return inOrder || simple ? { ...operation, inOrder } : undefined;
}

function replace(edit, node, { params, args, inOrder }) {
  const call = node.argument;
  const end = ') && (yield), $engine.perform())';
  if (!inOrder) {
    const texts = args.map((arg) => {
      const param = call.arguments[params.indexOf(arg)];
      return param === undefined ? arg : edit.slice(param);
    });
    edit.overwrite(node.start, node.end, `($engine.begin(${texts.join(', ')}${end}`);
    return;
  }
  let pending = '($engine.begin(';
  let from = node.start;
  args.forEach((arg, i) => {
    if (i > 0) pending += ', ';
    const param = call.arguments[params.indexOf(arg)];
    if (param === undefined) {
      pending += arg;
      return;
    }
    edit.overwrite(from, param.start, pending);
    from = param.end;
    pending = '';
  });
  edit.overwrite(from, node.end, pending + end);
}

/** Edits a text and remembers by how much the columns behind each edit move. */
class Editor {
  edits = [];
  constructor(text) {
    this.text = text;
    this.magic = new MagicString(text);
    this.lines = [0];
    for (let i = 0; i < text.length; i++) if (text[i] === '\n') this.lines.push(i + 1);
  }
  slice(node) {
    return this.text.slice(node.start, node.end);
  }
  /** Line breaks that are replaced are kept, so that every line keeps its number. */
  overwrite(start, end, text) {
    const old = this.text.slice(start, end);
    const breaks = old.split('\n').length - text.split('\n').length;
    this.note(end, start, text);
    this.magic.overwrite(start, end, text + '\n'.repeat(Math.max(0, breaks)));
  }
  insert(at, text) {
    this.note(at, at, text);
    this.magic.appendLeft(at, text);
  }
  note(end, start, text) {
    const place = this.place(end);
    if (this.place(start).line !== place.line) return;
    this.edits.push({ ...place, added: text.length - (end - start) });
  }
  place(offset) {
    let line = this.lines.findIndex((start) => start > offset) - 1;
    if (line < 0) line = this.lines.length - 1;
    return { line, column: offset - this.lines[line] };
  }
  result() {
    return { text: this.magic.toString(), edits: this.edits };
  }
}

/** Moves the columns of a source map along with the edits of a text. */
export function shiftMap(map, edits) {
  const lines = decode(map.mappings);
  for (const [line, segments] of lines.entries()) {
    const here = edits.filter((edit) => edit.line === line);
    if (here.length === 0) continue;
    for (const segment of segments) {
      const before = here.filter(({ column }) => column <= segment[0]);
      segment[0] += before.reduce((sum, { added }) => sum + added, 0);
    }
    segments.sort((a, b) => a[0] - b[0]);
  }
  return { ...map, mappings: encode(lines) };
}

function parseModule(text) {
  return parse(text, { ecmaVersion: 'latest', sourceType: 'module' });
}

function isOperations(path) {
  return /(^|\/)operations\.js$/.test(path);
}

function isYield(node) {
  return node.type === 'YieldExpression';
}

function isBegin(node) {
  return node.type === 'CallExpression' && node.callee.property?.name === 'begin';
}

function find(node, wanted) {
  let found;
  visit(node, (inner) => {
    if (found === undefined && wanted(inner)) found = inner;
  });
  return found;
}
