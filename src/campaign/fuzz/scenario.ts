/**
 * A fuzzed program as a scenario: `fuzz/<text>`. When all threads have finished, the process has
 * let go of everything, so nothing may be left.
 */
import { FUZZ_DESIGNS, FUZZ_PREFIX, fuzzRace, loadProgram } from '../../corpus/fuzz/posed.ts';
import { fuzzTables } from '../../corpus/fuzz/tables.ts';
import { FRONTEND } from '../../corpus/process.ts';
import type { PreparedScenario, Scenario } from '../../explore/scenario.ts';
import { GntdevBitmap, GrantMapBitmap } from '../../linux/drivers/gntdev/grant-map.ts';
import { PageArrayBitmap } from '../../linux/designs/vma-pages.ts';
import { peek } from '../../oracle/shadow-words.ts';
import type { Report } from '../../oracle/violation.ts';
import { FRAMES_LOST, LIVE_GRANTS, PIN_MISCOUNT } from '../../oracle/violation.ts';
import { ActiveEntry } from '../../xen/grant-table/active.ts';
import { prepareRace } from '../race-scenarios.ts';
import { decodeProgram } from '../../corpus/fuzz/codec.ts';
import type { FuzzProgram } from '../../corpus/fuzz/grammar.ts';

/** Steps after which an execution counts as endless: many times what programs take. */
const FUZZ_MAX_STEPS = 30_000;

/** The process has let go of all: no pin, no map, no page array may be left. */
function checkNothingLeft(report: Report): void {
  for (let ref = 0; ref < ActiveEntry.pin.count; ref++) {
    const pin = ActiveEntry.pin.at2(FRONTEND, ref);
    if (peek(pin) !== 0) report(-1, PIN_MISCOUNT, pin, 0);
  }
  for (const bitmap of [GrantMapBitmap.value.word, PageArrayBitmap.value.word]) {
    if (peek(bitmap) !== 0) report(-1, LIVE_GRANTS, bitmap, 0);
  }
  if (peek(GntdevBitmap.value.word) !== 1) report(-1, FRAMES_LOST, GntdevBitmap.value.word, 0);
}

/** Makes and attaches the machine of a program. */
export function prepareFuzz(program: FuzzProgram, design: string): PreparedScenario {
  const processes = program.threads.some(({ side }) => side === 'process');
  const prepared = prepareRace(fuzzRace(program), design, {
    tables: fuzzTables,
    atStart: () => loadProgram(program),
    atEnd(report) {
      if (processes) checkNothingLeft(report);
    },
  });
  return { ...prepared, maxSteps: FUZZ_MAX_STEPS };
}

/** The scenario of a program's text. Throws ProgramError if it is none. */
export function fuzzScenario(text: string): Scenario {
  const program = decodeProgram(text);
  return {
    name: FUZZ_PREFIX + text,
    about: 'a program from the fuzzer',
    designs: FUZZ_DESIGNS,
    prepare: ({ design }) => prepareFuzz(program, design),
  };
}
