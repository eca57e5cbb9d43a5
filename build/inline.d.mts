/** What an operation gives to begin(): parameters by name, constants by value. */
export interface Inlined {
  readonly params: readonly string[];
  readonly args: readonly string[];
}
export interface Edit {
  readonly line: number;
  readonly column: number;
  readonly added: number;
}
export function readOperations(
  operations: string,
  kinds: Readonly<Record<string, number>>,
): Map<string, Inlined>;
export function inline(
  text: string,
  operations: Map<string, Inlined>,
): { text: string; edits: Edit[] } | null;
export function shiftMap<M extends { mappings: string }>(map: M, edits: readonly Edit[]): M;
