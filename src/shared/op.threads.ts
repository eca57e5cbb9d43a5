/** The threads and lockstep editions of op.ts: a stripped function returns its result directly. */
export type Op<T = number> = T;
