/**
 * What is told to whoever watches a run: accesses to watched tables, kernel tracepoints, and the
 * kernel's own assertions. Simulated code knows tracepoints and assertions, never who listens.
 */
export interface Observer {
  /** After an operation on a word of a watched table: its kind, the value before and after. */
  access(kind: number, word: number, before: number, after: number): void;
  /** A kernel tracepoint: the number is declared by the room that emits it. */
  trace(point: number, a: number, b: number, c: number): void;
  /** A BUG_ON or WARN_ON that fired: the number is declared by the room that asserts it. */
  bug(id: number, a: number, b: number): void;
}

/** The observer of a run that nobody watches. */
export const silent: Observer = {
  access() {},
  trace() {},
  bug() {},
};
