/**
 * What the domain's kernel thread is asked to do: kinds of deferred calls (shared/deferred.ts).
 * Delayed work and RCU callbacks are dispatched apart, so each has its own numbers.
 */

/** Delayed work: the timer of the deferred grants; the object is the domain. */
export const WORK_DEFERRED_GRANTS = 1;
/** Delayed work: try again to unmap grants of gntdev; the object is the map (unmap-data.ts). */
export const WORK_UNMAP_REFS = 2;
