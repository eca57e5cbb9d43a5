/**
 * Words of tables in simulated code: which field of which table an expression names, where it lies
 * in the memory, who writes it. Strides and places of fields are constants of the declarations;
 * where a table begins is a number of the machine, for which a global stands.
 */
import ts from 'typescript';
import { at } from './source.mjs';
import { byteOperations, flavours, ownOperations } from './vocabulary.mjs';

/**
 * `readLocal(Params.x.word)` of a word that is written at boot and never again: a constant.
 * @returns the field, or null for another call.
 */
export function bootParameter(context, node) {
  if (node.expression.text !== 'readLocal') return null;
  const [argument] = node.arguments;
  if (!ts.isPropertyAccessExpression(argument) || argument.name.text !== 'word') return null;
  const field = tableField(context, argument.expression);
  if (field === null || field.table.dimensions.length !== 0) return null;
  return field.table.boot.includes(field.name) ? field : null;
}

/** A number where the kernel is made for one value, else the machine's. */
export function parameterText(context, { table, name }) {
  const { making, fixedUsed } = context.state;
  if (making.fixed[name] === undefined) return layoutGlobal(context, table, 'value', name);
  fixedUsed.set(name, { key: name, value: making.fixed[name] });
  return String(making.fixed[name]);
}

/** `Table.field` → its table and name; null for something else. */
export function tableField(context, node) {
  if (!ts.isPropertyAccessExpression(node) || !ts.isIdentifier(node.expression)) return null;
  const meant = context.state.sources.resolve(context.unit, node.expression.text);
  if (meant?.kind !== 'table') return null;
  const table = meant.unit.tables.get(meant.name);
  const place = table.fieldNames.indexOf(node.name.text);
  if (place < 0) throw at(context.unit, node, 'is no field of its table');
  return { table, place, name: node.name.text };
}

/** The global that holds the place of a table, or another number of it. */
export function layoutGlobal(context, table, what, key) {
  const name = `${table.id}$${key ?? what}`;
  const { name: printed, dimensions } = table;
  context.state.layout.set(name, { table: printed, dimensions, what, key });
  return name;
}

/**
 * A call of an operation on a field of a table: its address in bytes, reckoned so that one shift
 * is enough for it, and with the outer index last: in a walk, that is what was loaded just now.
 * @returns the call's text, or null if the word of the operation is no field.
 */
export function addressText(context, node) {
  const { state, unit, flavour } = context;
  const meant = state.sources.resolve(unit, node.expression.text);
  if (meant?.kind !== 'operation' || !byteOperations.has(meant.name)) return null;
  const [word, ...values] = node.arguments;
  const isLocal = ts.isIdentifier(word) && context.bytes?.has(word.text);
  const accessor = isLocal ? word.text : accessorOf(context, word);
  if (accessor === null) return null;
  const own = ownOperation(context, node);
  const operation = own ?? flavours.get(flavour)?.get(meant.name) ?? meant.name;
  const rest = values.map((value) => `, ${context.render(context, value)}`).join('');
  return `${operation}$b(${accessor}${rest})`;
}

/**
 * Constants of a function that name a field and go to operations only: they hold the address in
 * bytes, so that it is reckoned once, and an engine sees that it is the same one.
 * @returns their names.
 */
export function byteLocals(context) {
  const found = new Set();
  for (const { name, initializer } of constantsOf(context.body)) {
    if (!onlyOperated(context, context.body, name.text)) continue;
    if (accessorOf(context, initializer) !== null) found.add(name.text);
  }
  return found;
}

/** Is a name nothing but the word of operations that take an address? */
function onlyOperated(context, node, name) {
  if (ts.isIdentifier(node)) return node.text !== name;
  if (ts.isVariableDeclaration(node) && node.name.text === name) return true;
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
    const meant = context.state.sources.resolve(context.unit, node.expression.text);
    const [word, ...others] = node.arguments;
    if (meant?.kind === 'operation' && byteOperations.has(meant.name) && ts.isIdentifier(word)) {
      return others.every((other) => onlyOperated(context, other, name));
    }
  }
  return !ts.forEachChild(node, (child) => !onlyOperated(context, child, name));
}

/**
 * The operation that does for a word that only the vCPU itself writes: nobody else's store can come
 * between its read and its write. @returns its name, null for another word or operation.
 */
export function ownOperation(context, node) {
  const meant = context.state.sources.resolve(context.unit, node.expression.text);
  if (meant?.kind !== 'operation' || !ownOperations.has(meant.name)) return null;
  const field = fieldOfWord(context, node.arguments[0]);
  return field?.table.own.includes(field.name) ? ownOperations.get(meant.name) : null;
}

/** The field that a word is of: an accessor, a function that gives one, or a constant for it. */
function fieldOfWord({ state, unit, body }, node) {
  if (ts.isParenthesizedExpression(node))
    return fieldOfWord({ state, unit, body }, node.expression);
  if (ts.isIdentifier(node)) {
    const value = body === undefined ? null : constantOf(body, node.text);
    return value === null ? null : fieldOfWord({ state, unit, body }, value);
  }
  if (!ts.isCallExpression(node)) return null;
  if (!ts.isIdentifier(node.expression))
    return tableField({ state, unit }, node.expression.expression);
  const meant = state.sources.resolve(unit, node.expression.text);
  if (meant?.kind !== 'function') return null;
  const [only] = meant.unit.functions.get(meant.name).body.statements;
  if (!ts.isReturnStatement(only) || only.expression === undefined) return null;
  return fieldOfWord({ state, unit: meant.unit }, only.expression);
}

/** What a `const` of a function's body is, or null. */
function constantOf(body, name) {
  return constantsOf(body).find((declared) => declared.name.text === name)?.initializer ?? null;
}

/** The declarations of a function's constants, without those of its inner blocks. */
function constantsOf(body) {
  return body.statements
    .filter(ts.isVariableStatement)
    .map(({ declarationList }) => declarationList)
    .filter(({ flags }) => (flags & ts.NodeFlags.Const) !== 0)
    .flatMap(({ declarations }) => [...declarations]);
}

/** The address of a field, given by an accessor or by a function that is nothing but one. */
export function accessorOf(context, node, values = null) {
  if (ts.isParenthesizedExpression(node)) return accessorOf(context, node.expression, values);
  if (!ts.isCallExpression(node)) return null;
  if (ts.isIdentifier(node.expression)) {
    const meant = context.state.sources.resolve(context.unit, node.expression.text);
    if (meant?.kind !== 'function' || values !== null) return null;
    const declared = meant.unit.functions.get(meant.name);
    const [only] = declared.body.statements;
    if (!ts.isReturnStatement(only) || only.expression === undefined) return null;
    const given = new Map(
      declared.parameters.map(({ name }, i) => [
        name.text,
        context.render(context, node.arguments[i]),
      ]),
    );
    return accessorOf({ ...context, unit: meant.unit }, only.expression, given);
  }
  const field = tableField(context, node.expression.expression);
  if (field === null) return null;
  const texts = node.arguments.map((argument) => {
    if (values === null) return context.render(context, argument);
    return ts.isIdentifier(argument) ? (values.get(argument.text) ?? null) : null;
  });
  if (texts.includes(null)) return null;
  const { table, place } = field;
  const inner = `(${layoutGlobal(context, table, 'wordBytes')} + ${4 * place})`;
  const last = `${inner} + (${texts.at(-1)}) * ${4 * table.stride}`;
  if (texts.length === 1) return last;
  return `${last} + (${texts[0]}) * ${layoutGlobal(context, table, 'outerBytes')}`;
}
