/** The files that operands name: "pipe", "tmpfs file", "O_DIRECT /dev/ram0", "/proc/self/mem". */
import type { Scene } from '../scene.ts';
import type { FileKind, OpenFile, Process } from '../world.ts';
import { Unsupported, openFiles } from '../world.ts';
import type { Call } from './arguments.ts';

/** Words, and the kind of file and its name that they mean; the first match counts. */
const MEDIA: readonly (readonly [RegExp, FileKind, string])[] = [
  [/\bpipe\b/, 'pipe', ''],
  [/\/proc\/\S*mem|procmem/, 'procmem', ''],
  [/ram0|\bbrd\b/, 'device', 'ram0'],
  [/loop0|\bloop\b/, 'device', 'loop0'],
  [/O_DIRECT/, 'device', ''],
  [/tmpfs|\bfile\b|shmem|memfd/, 'file', ''],
  [/gntdev/, 'gntdev', ''],
  [/gntalloc/, 'gntalloc', ''],
  [/evtchn/, 'evtchn', ''],
  [/privcmd/, 'privcmd', ''],
];

/** The device that a step means when it names none: the one that was used last. */
function lastDevice(process: Process): string {
  const last = process.files.findLast((file) => file.kind === 'device');
  return last?.name.split(' ')[0] ?? 'ram0';
}

/** The name that a file of words like these is opened by. */
function fullName(process: Process, kind: FileKind, name: string, words: string): string {
  if (kind === 'procmem') return /self/.test(words) ? 'self' : 'other';
  if (kind !== 'device') return name;
  const direct = /O_DIRECT|direct/.test(words) ? ' direct' : '';
  return `${name === '' ? lastDevice(process) : name}${direct}`;
}

/** A file of these words, opened if the program has none. @param not - some other file. */
export function fileMeant(scene: Scene, process: Process, words: string, not?: OpenFile): OpenFile {
  const medium = MEDIA.find(([pattern]) => pattern.test(words));
  if (medium === undefined) throw new Unsupported(`a file called "${words}"`);
  const [, kind, plain] = medium;
  const name = fullName(process, kind, plain, words);
  const serial = /\bfd ?(\d+)/.exec(words)?.[1];
  const list = openFiles(process, kind).filter(
    (file) =>
      file !== not &&
      (name === '' || file.name === name) &&
      (serial === undefined || file.serial === Number(serial)),
  );
  return list.length > 0 ? scene.choose(list, words) : scene.open(process, kind, name);
}

/** The file that a step is about: the first operand that names one. */
export function mediumOf(scene: Scene, { operation, process }: Call, kind?: FileKind): OpenFile {
  const named = operation.operands.find((operand) =>
    MEDIA.some(([pattern]) => pattern.test(operand)),
  );
  return fileMeant(scene, process, named ?? kind ?? operation.operands[0] ?? '');
}
