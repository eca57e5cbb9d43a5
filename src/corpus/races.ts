/** All races of the corpus. */
import { oneFrameTwice } from './one-frame-twice.ts';
import type { Race } from './race.ts';
import { revokeAndMap } from './revoke-and-map.ts';
import { splitAndGup } from './split-and-gup.ts';
import { unmapInUse } from './unmap-in-use.ts';

export const races: readonly Race[] = [oneFrameTwice, unmapInUse, splitAndGup, revokeAndMap];
