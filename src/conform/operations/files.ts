/** System calls on open files. */
import type { Seen } from '../compare.ts';
import { resultOf } from '../guest.ts';
import type { Scene } from '../scene.ts';
import type { FileKind, OpenFile, Process } from '../world.ts';
import { Unsupported, openFiles } from '../world.ts';
import type { Call, Handler } from './arguments.ts';
import { textOf } from './arguments.ts';
import { accessOr } from './access.ts';

const KINDS: readonly FileKind[] = ['gntdev', 'gntalloc', 'evtchn', 'pipe'];

/** "gntdev", "gntdev fd1", "other gntdev": the file, opened unseen if the program has none. */
function fileMeant(scene: Scene, process: Process, words: string): OpenFile {
  const kind = KINDS.find((one) => words.includes(one));
  if (kind === undefined) throw new Unsupported(`a file called "${words}"`);
  const list = openFiles(process, kind);
  const serial = /\bfd ?(\d+)/.exec(words)?.[1];
  const named = list.filter((file) => serial === undefined || file.serial === Number(serial));
  return named.length > 0 ? scene.choose(named, words) : scene.open(process, kind);
}

function close(scene: Scene, { step, process }: Call): Seen {
  const file = fileMeant(scene, process, textOf(step, 'fd'));
  file.open = false;
  return resultOf(scene.guest.close(process.v, file.fd));
}

function missing(_scene: Scene, { step }: Call): Seen {
  throw new Unsupported(`no operation called "${step.op}"`);
}

export const fileOperations: Readonly<Record<string, Handler>> = {
  close,
  read: accessOr(missing, 'read'),
  write: accessOr(missing, 'write'),
};
