/**
 * An engine for one actor that calls something before each operation, as the threads edition looks
 * at the interrupt lines before each: what is called runs nested in whatever the actor does.
 */
import { SoloEngine } from '../../src/shared/engine.ts';
import { installEngine } from '../../src/shared/operations.ts';

export class NestingEngine extends SoloEngine {
  private readonly attend: () => void;
  constructor(attend: () => void) {
    super();
    this.attend = attend;
  }
  override begin(kind: number, word: number, a: number, b: number, c: number): boolean {
    this.attend();
    return super.begin(kind, word, a, b, c);
  }
  /** Runs `work` under this engine. */
  run(work: () => void): void {
    const before = installEngine(this);
    try {
      work();
    } finally {
      installEngine(before);
    }
  }
}
