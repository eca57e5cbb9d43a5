/** Comlink's node adapter has no types, and its own types want the DOM's: the parts in use. */
declare module 'comlink/dist/esm/comlink.mjs' {
  export interface Endpoint {
    postMessage(message: unknown, transfer?: readonly unknown[]): void;
  }
  export function expose(value: object, endpoint: Endpoint): void;
  export function wrap(endpoint: Endpoint): unknown;
}

declare module 'comlink/dist/esm/node-adapter.mjs' {
  import type { Endpoint } from 'comlink/dist/esm/comlink.mjs';
  import type { MessagePort, Worker } from 'node:worker_threads';
  export default function nodeEndpoint(port: MessagePort | Worker): Endpoint;
}
