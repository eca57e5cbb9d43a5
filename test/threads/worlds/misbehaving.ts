/** Work that does to its thread what its scenario says, for tests of the pool that runs it. */

interface Task {
  readonly work: { readonly question: { readonly scenario: string; readonly seed: number } };
  readonly beat: Int32Array;
}

const NOTHING = {
  executions: 1,
  blocked: 0,
  discarded: 0,
  steps: 1,
  sightings: [],
  pairs: [],
  left: null,
  exhausted: false,
};

export function runTask({ work, beat }: Task): object {
  const { scenario } = work.question;
  Atomics.store(beat, 1, 1);
  Atomics.store(beat, 0, 7);
  if (scenario === 'exit') process.exit(5);
  if (scenario === 'throw') throw new Error('no such thing');
  if (scenario === 'hang') for (;;);
  if (scenario === 'fill') fill();
  return NOTHING;
}

function fill(): never {
  const kept: number[][] = [];
  for (;;) kept.push(Array.from({ length: 50_000 }, () => 0.5));
}
