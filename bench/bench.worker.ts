/** The thread of one vCPU of a benchmark: obeys orders, one answer each. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Did, Order, ThreadSetup } from './orders.ts';
import type { Entries } from './populate.ts';
import { BenchThread } from './thread.ts';
import { threadNumber } from './waits.ts';

const port = parentPort!;
const thread = new BenchThread(workerData as ThreadSetup);

function obey(order: Order): Did | readonly Did[] | Entries | number | null {
  switch (order.do) {
    case 'populate':
      return thread.populate(order.plan);
    case 'prepare':
      thread.prepare(order.entries);
      return null;
    case 'read':
      return thread.read(order.reading);
    case 'thread-number':
      return threadNumber();
    case 'watch':
      return thread.watch(order.reading, order.threads);
    case 'ready-operations':
      thread.readyOperations();
      return null;
    case 'operate':
      return thread.operate(order.operation, order.size);
    case 'write':
      return thread.write();
    case 'hold':
      return thread.hold(order.size);
    case 'time':
      return thread.time(order.readings, order.ms);
  }
}

port.on('message', (order: Order) => {
  port.postMessage(obey(order));
});
port.postMessage(thread.variantNames());
