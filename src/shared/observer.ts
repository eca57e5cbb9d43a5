/**
 * What is told to whoever watches a run: accesses to watched tables, kernel tracepoints, and the
 * kernel's own assertions. Simulated code knows tracepoints and assertions, never who listens.
 * `actor` is the index of the running actor in the list that the run was started with.
 */
export interface Observer {
  /** After an operation on a word of a watched table: its kind, the value before and after. */
  access(actor: number, kind: number, word: number, before: number, after: number): void;
  /** A kernel tracepoint: the number is declared by the room that emits it. */
  trace(actor: number, point: number, a: number, b: number, c: number): void;
  /** A BUG_ON or WARN_ON that fired: the number is declared by the room that asserts it. */
  bug(actor: number, id: number, a: number, b: number): void;
}

/** The observer of a run that nobody watches. */
export const silent: Observer = {
  access() {},
  trace() {},
  bug() {},
};
