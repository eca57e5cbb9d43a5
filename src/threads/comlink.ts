/**
 * The one place that knows Comlink: control of an actor's thread by calls. A call is answered only
 * while the thread is between two slices; steering a running actor goes through control.ts.
 * Answers are result objects: an error that crosses threads would lose its code and cause.
 */
import { parentPort } from 'node:worker_threads';
import type { Worker } from 'node:worker_threads';
import { expose, wrap } from 'comlink/dist/esm/comlink.mjs';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';

/** The answer to a control call. */
export type Answer<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

/** What an actor's thread says of itself. */
export interface Inspection {
  readonly name: string;
  readonly iterations: number;
  readonly operations: number;
  readonly heapBytes: number;
}

/** What an actor's thread can be told. */
export interface ActorService {
  /** Sets the actor going; answers at once. */
  start(): Answer<null>;
  inspect(): Answer<Inspection>;
  /** What ended the actor, once it has ended; the empty string if nothing but a stop. */
  failure(): Answer<string>;
}

/** The same from the other side. */
export type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<R>
    : never;
};

/** Serves the thread that started this one. */
export function serve(service: ActorService): void {
  if (parentPort === null) throw new Error('only a worker thread can serve');
  expose(service, nodeEndpoint(parentPort));
}

/** Calls what `worker` serves. */
export function callsOf(worker: Worker): Remote<ActorService> {
  return wrap(nodeEndpoint(worker)) as Remote<ActorService>;
}
