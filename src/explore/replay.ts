/** Replays a schedule of a program and tells what happened. */
import type { CheckOptions } from './check.ts';
import { complaintAtEnd, fibersFor } from './check.ts';
import type { Complaint } from './finding.ts';
import { DivergedError, Replay } from './strategies/replay.ts';
import type { Trace } from './trace.ts';
import { Recording } from './trace.ts';

/** A schedule: processes in the order in which they go, and choices of data. */
export interface Schedule {
  readonly schedule: readonly number[];
  readonly choices: readonly number[];
}

export interface Replayed extends Schedule {
  readonly complaint: Complaint | null;
  /** Switches away from an actor that could have gone on. */
  readonly preemptions: number;
  readonly trace: Trace;
}

/**
 * Runs one execution as recorded.
 * @param lenient - skips what is not possible instead of throwing DivergedError.
 */
export function replay(options: CheckOptions, recorded: Schedule, lenient = false): Replayed {
  const strategy = new Replay(recorded.schedule, recorded.choices, lenient);
  const recording = new Recording(strategy);
  const fibers = fibersFor(options, recording);
  try {
    fibers.run();
    const complaint = complaintAtEnd(fibers, options);
    return {
      complaint,
      preemptions: strategy.preemptions,
      trace: recording.trace,
      schedule: [...fibers.schedule.subarray(0, fibers.steps)],
      choices: [...fibers.choices],
    };
  } finally {
    fibers.rewind();
  }
}

export { DivergedError };
