/**
 * The type of a simulated function's result. In the fibers edition a simulated function is a
 * generator: a bare `yield` inside it means "another actor was chosen". The build replaces this
 * file by op.threads.ts when it strips the generators, so that both editions are type-checked.
 */
export type Op<T = number> = Generator<undefined, T, undefined>;
