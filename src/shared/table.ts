/**
 * Declared tables: the single truth for where a word lies, what it is called and who writes it.
 *
 * A table is an array of records of Int32 words with zero, one or two dimensions. A declaration
 * names its dimensions by keys of the machine's configuration; layout.ts gives every table its
 * place when a machine is attached. Access costs one multiplication and one addition and
 * allocates nothing: `Maptrack.ref.at2(domid, handle)` is a word index for the operations.
 */

/** Sizes of a machine by name: what a table's dimensions refer to. All are positive integers. */
export type Config = Readonly<Record<string, number>>;

/** One field of a table: turns indices into word indices. */
export class Field {
  readonly name: string;
  /** Word index of the field in the first record; set when a machine is attached. */
  word = 0;
  /** Words from one record to the next along the last dimension. */
  stride = 0;
  /** Words from one record to the next along the first of two dimensions. */
  outer = 0;
  /** Records along the last dimension, as ARRAY_SIZE() tells it; 1 for a single record. */
  count = 0;
  constructor(name: string) {
    this.name = name;
  }
  /** @param i - record index in a table of one dimension. */
  at(i: number): number {
    return this.word + i * this.stride;
  }
  /** @param i - index along the first dimension. @param j - along the second. */
  at2(i: number, j: number): number {
    return this.word + i * this.outer + j * this.stride;
  }
}

/** What layout.ts and the reports know of a table. */
export interface TableShape {
  /** Printed name; each `%` takes an index, each `%v` a vCPU (printed d1v0). */
  readonly name: string;
  /** Configuration keys of the dimensions, outermost first; at most two. */
  readonly dims: readonly string[];
  readonly fieldNames: readonly string[];
  /** Per field: "[WRITERS] meaning". */
  readonly fieldDocs: readonly string[];
  /** Records start on their own cache line: for words that different actors write. */
  readonly lineAligned: boolean;
  /** Operations on these words are reported to the observer; they lie at the end of memory. */
  readonly watched: boolean;
  readonly fields: readonly Field[];
}

/** A declared table: one Field property for each field, and its shape. */
export type Table<F extends string> = { readonly [K in F]: Field } & { readonly shape: TableShape };

/** A table whatever its fields are called. */
export interface AnyTable {
  readonly shape: TableShape;
}

/**
 * Declares a table.
 * @param name - printed name with a `%` for each dimension, e.g. `gnttab[d%].entry[%]`. A table
 *   whose only field is called `value` prints without a field.
 * @param dims - configuration keys, outermost first; none for a single record.
 * @param fields - for each field, in memory order, its writers in brackets and its meaning.
 * @param options - placement; see TableShape.
 */
export function defineTable<const F extends string>(
  name: string,
  dims: readonly string[],
  fields: { readonly [K in F]: string },
  options: { readonly lineAligned?: boolean; readonly watched?: boolean } = {},
): Table<F> {
  if (dims.length > 2) throw new RangeError(`table ${name}: at most two dimensions`);
  const fieldNames = Object.keys(fields) as F[];
  const list = fieldNames.map((fieldName) => new Field(fieldName));
  const shape: TableShape = {
    name,
    dims,
    fieldNames,
    fieldDocs: fieldNames.map((fieldName) => fields[fieldName]),
    lineAligned: options.lineAligned ?? false,
    watched: options.watched ?? false,
    fields: list,
  };
  const table: Record<string, unknown> = { shape };
  for (const field of list) table[field.name] = field;
  return table as Table<F>;
}
