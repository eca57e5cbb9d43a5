/** The first SIGINT or SIGTERM asks for an early end with results; the second one ends at once. */
import { EXIT_INTERRUPTED } from './usage.ts';

/** A signal that fires at the first interrupt, until forgotten. */
export function interruptSignal(): { readonly signal: AbortSignal; forget(): void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    forget() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
