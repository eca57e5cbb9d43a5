/**
 * Play: the explorer on one execution. Everything is a seed: an execution is asked for by its seed,
 * changed at one step, and has a seed again that `gntrace replay` takes.
 */
import type { Seeded } from '../../src/cli/seed-program.ts';
import { programOf } from '../../src/cli/seed-program.ts';
import { recordContext } from '../../src/cli/seed-record.ts';
import { complaintAtEnd, fibersFor } from '../../src/explore/check.ts';
import type { Replayed } from '../../src/explore/replay.ts';
import { replay } from '../../src/explore/replay.ts';
import type { Seed } from '../../src/explore/seed.ts';
import { parseSeed } from '../../src/explore/seed.ts';
import { imageOf } from '../../src/report/image.ts';
import type { Locate } from '../../src/report/places.ts';
import type { RaceTool } from '../../src/report/race.ts';
import { recordOf } from '../../src/report/record.ts';
import { CHOOSE } from '../../src/shared/kinds.ts';
import { Onwards } from './onwards.ts';
import type { Future, Played } from './protocol.ts';

/** What the seed of a played execution says of how it was found. */
const PLAYED = 'play';

export class Play {
  private readonly locate: Locate;
  private readonly tool: RaceTool;
  private made: { readonly key: string; readonly program: Seeded } | null = null;

  constructor(locate: Locate, tool: RaceTool) {
    this.locate = locate;
    this.tool = tool;
  }

  /** The execution of a seed. */
  show(text: string): Played {
    return this.played(this.program(text), parseSeed(text));
  }

  /**
   * The same up to a step, then `process`, then everybody in the recorded order as far as that is
   * possible, then as replay goes on where a schedule ends.
   */
  turn(text: string, step: number, process: number): Played {
    const program = this.program(text);
    const { schedule, choices } = this.whole(program, text);
    const other = { schedule: turned(schedule, step, process), choices };
    return this.changed(program, text, replay(program.options, other, true));
  }

  /** The same with another result of the choice of data at a step. */
  choice(text: string, step: number, value: number): Played {
    const program = this.program(text);
    const { schedule, choices, trace } = this.whole(program, text);
    let index = 0;
    for (let i = 0; i < step; i++) if (trace.step(i).kind === CHOOSE) index++;
    const other = choices.map((choice, i) => (i === index ? value : choice));
    return this.changed(program, text, replay(program.options, { schedule, choices: other }, true));
  }

  /** What comes of each process that could go at a step. */
  futures(text: string, step: number, processes: readonly number[]): Future[] {
    const program = this.program(text);
    const { schedule, choices } = this.whole(program, text);
    return processes.map((process) => {
      const other = { schedule: turned(schedule, step, process), choices };
      const { complaint, trace } = replay(program.options, other, true);
      return { process, invariant: complaint?.invariant ?? null, steps: trace.length };
    });
  }

  /** The share of executions that break, drawn at random from each of these steps on. */
  odds(text: string, steps: readonly number[], runs: number): number[] {
    const { options } = this.program(text);
    const recorded = this.whole(this.program(text), text);
    return steps.map((step) => {
      const onwards = new Onwards(recorded, step);
      const fibers = fibersFor(options, onwards);
      let broken = 0;
      for (let run = 0; run < runs; run++) {
        fibers.run();
        if (complaintAtEnd(fibers, options) !== null) broken++;
      }
      fibers.rewind();
      return broken / runs;
    });
  }

  /** The program of a seed, made anew only if it is another one. */
  private program(text: string): Seeded {
    const seed = parseSeed(text);
    const { scenario, design, param, memory, without = [] } = seed;
    const key = JSON.stringify([scenario, design, param, memory, without]);
    if (this.made?.key !== key) this.made = { key, program: programOf(seed) };
    return this.made.program;
  }

  /** The execution to its end, even if the seed's schedule stops before. */
  private whole({ options }: Seeded, text: string): Replayed {
    return replay(options, parseSeed(text));
  }

  private changed(program: Seeded, text: string, { schedule, choices }: Replayed): Played {
    return this.played(program, { ...parseSeed(text), strategy: PLAYED, schedule, choices });
  }

  private played({ options, scenario }: Seeded, seed: Seed): Played {
    const context = recordContext({ options, scenario, seed }, { tool: this.tool, stats: null });
    const race = recordOf(options, seed, this.locate, context);
    return { seed: race.seed, race, image: imageOf(options, seed) };
  }
}

/** Process `process` at a step, and the rest without its next turn. */
function turned(schedule: readonly number[], step: number, process: number): number[] {
  const rest = schedule.slice(step);
  const own = rest.indexOf(process);
  if (own >= 0) rest.splice(own, 1);
  return [...schedule.slice(0, step), process, ...rest];
}
