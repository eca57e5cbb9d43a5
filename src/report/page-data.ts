/** What a page of a race holds: the record, the memory, and the source that the steps come from. */
import type { Image } from './image.ts';
import type { RaceRecord } from './race.ts';

/** A function of the simulated kernel as it stands in its file. */
export interface SourcePiece {
  /** From the project's root. */
  readonly file: string;
  /** Number of the first line. */
  readonly from: number;
  readonly lines: readonly string[];
}

/** A race as it is drawn. */
export interface PageRace {
  readonly race: RaceRecord;
  readonly image: Image;
}

/** What is embedded in a page. */
export interface PageData extends PageRace {
  readonly sources: readonly SourcePiece[];
}
