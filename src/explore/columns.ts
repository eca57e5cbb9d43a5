/** Columns of integers that grow by doubling and keep their contents. */
export type Column = Int32Array<ArrayBuffer>;

/** A column of `size` with the contents of a smaller one. */
export function grown(column: Column, size = column.length * 2): Column {
  const larger = new Int32Array(size);
  larger.set(column);
  return larger;
}
