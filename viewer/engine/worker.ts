/**
 * The engine of the page: the explorer and the simulated kernel in a worker, so that the page
 * stays awake while executions run.
 */
import { DivergedError } from '../../src/explore/replay.ts';
import type { EngineMap } from './locate.ts';
import { Locator } from './locate.ts';
import { Play } from './play.ts';
import type { Answers, Question, Reply, Request } from './protocol.ts';

/** The build appends the map to the engine's text, and says which version it is of. */
interface Scope {
  engineMap?: EngineMap;
  engineVersion?: string;
  addEventListener(type: 'message', listener: (event: MessageEvent<Request>) => void): void;
  postMessage(reply: Reply): void;
}

const scope = globalThis as unknown as Scope;
let play: Play | null = null;

function engine(): Play {
  const { engineMap = { files: [], functions: [], positions: [] }, engineVersion = '' } = scope;
  const tool = { version: engineVersion, code: null, commit: null, runtime: 'page' };
  play ??= new Play(new Locator(engineMap).locate, tool);
  return play;
}

function answer(question: Question): Answers[Question['ask']] {
  const { seed } = question;
  switch (question.ask) {
    case 'show':
      return engine().show(seed);
    case 'turn':
      return engine().turn(seed, question.step, question.process);
    case 'choice':
      return engine().choice(seed, question.step, question.value);
    case 'futures':
      return engine().futures(seed, question.step, question.processes);
    default:
      return engine().odds(seed, question.steps, question.runs);
  }
}

scope.addEventListener('message', ({ data: { number, question } }) => {
  try {
    scope.postMessage({ number, answer: answer(question) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const text = error instanceof DivergedError ? `this cannot be played: ${message}` : message;
    scope.postMessage({ number, error: text });
  }
});
