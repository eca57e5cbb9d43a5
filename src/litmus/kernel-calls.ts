/**
 * The kernel's primitives by name, as Documentation and tools/memory-model/linux-kernel.def of
 * Linux give them to herd: what each does to memory, on which argument.
 */
import type { Update } from './litmus-test.ts';

/** How an argument names memory: READ_ONCE(*x) takes an lvalue, xchg(x, 1) a pointer. */
export type Operand = 'lvalue' | 'pointer';

export type Call =
  | { readonly is: 'load'; readonly how: 'once' | 'acquire'; readonly operand: Operand }
  | {
      readonly is: 'store';
      readonly how: 'once' | 'release';
      readonly operand: Operand;
      readonly thenFence: boolean;
    }
  | { readonly is: 'fence'; readonly how: 'mb' | 'wmb' | 'rmb' | 'none' }
  | { readonly is: 'update'; readonly how: Update; readonly shape: UpdateShape }
  | { readonly is: 'lock' | 'unlock' | 'trylock' | 'is-locked' }
  | { readonly is: 'rcu-lock' | 'rcu-unlock' | 'rcu-synchronize' };

/** Where an update's amount stands and what the call returns. */
export interface UpdateShape {
  /** 'none': it is 1; 'first': add(n, v); 'second': xchg(v, n). */
  readonly amount: 'none' | 'first' | 'second';
  readonly negated: boolean;
  readonly returns: 'before' | 'after' | 'after is 0';
}

const ORDERS = ['', '_relaxed', '_acquire', '_release'];

const calls = new Map<string, Call>();

for (const name of ['READ_ONCE', 'rcu_dereference', 'lockless_dereference']) {
  calls.set(name, { is: 'load', how: 'once', operand: 'lvalue' });
}
calls.set('smp_load_acquire', { is: 'load', how: 'acquire', operand: 'pointer' });
calls.set('atomic_read', { is: 'load', how: 'once', operand: 'pointer' });
calls.set('atomic_read_acquire', { is: 'load', how: 'acquire', operand: 'pointer' });

const store = (how: 'once' | 'release', operand: Operand, thenFence = false): Call => ({
  is: 'store',
  how,
  operand,
  thenFence,
});
calls.set('WRITE_ONCE', store('once', 'lvalue'));
calls.set('smp_store_release', store('release', 'pointer'));
calls.set('rcu_assign_pointer', store('release', 'lvalue'));
calls.set('smp_store_mb', store('once', 'lvalue', true));
calls.set('atomic_set', store('once', 'pointer'));
calls.set('atomic_set_release', store('release', 'pointer'));

for (const name of ['smp_mb', 'smp_mb__before_atomic', 'smp_mb__after_atomic']) {
  calls.set(name, { is: 'fence', how: 'mb' });
}
for (const name of ['smp_mb__after_spinlock', 'smp_mb__after_unlock_lock']) {
  calls.set(name, { is: 'fence', how: 'mb' });
}
calls.set('smp_wmb', { is: 'fence', how: 'wmb' });
calls.set('smp_rmb', { is: 'fence', how: 'rmb' });
calls.set('smp_read_barrier_depends', { is: 'fence', how: 'none' });
calls.set('barrier', { is: 'fence', how: 'none' });

calls.set('spin_lock', { is: 'lock' });
calls.set('spin_unlock', { is: 'unlock' });
calls.set('spin_trylock', { is: 'trylock' });
calls.set('spin_is_locked', { is: 'is-locked' });
calls.set('rcu_read_lock', { is: 'rcu-lock' });
calls.set('rcu_read_unlock', { is: 'rcu-unlock' });
calls.set('synchronize_rcu', { is: 'rcu-synchronize' });
calls.set('synchronize_rcu_expedited', { is: 'rcu-synchronize' });

function update(name: string, how: Update, shape: UpdateShape): void {
  for (const order of ORDERS) calls.set(name + order, { is: 'update', how, shape });
}

const swap: UpdateShape = { amount: 'second', negated: false, returns: 'before' };
for (const prefix of ['', 'atomic_']) {
  update(`${prefix}xchg`, 'xchg', swap);
  update(`${prefix}cmpxchg`, 'cmpxchg', swap);
}
const arithmetic = [
  { stem: 'add', how: 'add', amount: 'first', negated: false },
  { stem: 'sub', how: 'add', amount: 'first', negated: true },
  { stem: 'inc', how: 'add', amount: 'none', negated: false },
  { stem: 'dec', how: 'add', amount: 'none', negated: true },
  { stem: 'and', how: 'and', amount: 'first', negated: false },
  { stem: 'or', how: 'or', amount: 'first', negated: false },
] as const;
for (const { stem, how, amount, negated } of arithmetic) {
  calls.set(`atomic_${stem}`, {
    is: 'update',
    how,
    shape: { amount, negated, returns: 'before' },
  });
  update(`atomic_fetch_${stem}`, how, { amount, negated, returns: 'before' });
  if (how !== 'add') continue;
  update(`atomic_${stem}_return`, how, { amount, negated, returns: 'after' });
  calls.set(`atomic_${stem}_and_test`, {
    is: 'update',
    how,
    shape: { amount, negated, returns: 'after is 0' },
  });
}

/** What a function of the kernel does, if it is one that litmus tests may call. */
export function callOf(name: string): Call | undefined {
  return calls.get(name);
}
