/**
 * Programs' event channels, /dev/xen/evtchn: drivers/xen/evtchn.c, its objects.
 *
 * EvtchnUser   an open file: the ring of ports whose events came. The interrupt handler writes at
 *              ringProd, readers take at ringCons; both only grow and are taken modulo the size.
 * UserEvtchn   a port that a file has bound
 *   user       record of the file + 1, 0 if no file has the port                       [GST]
 *   enabled    1 while the next event may come; the handler clears it, a write() of the port
 *              sets it
 */
import { defineTable } from '../../../shared/table.ts';

export const EvtchnUser = defineTable(
  'evtchn_user[%]',
  ['evtchnUsers'],
  {
    domid: '[GST] domain that opened it; constant',
    ringProd: '[GST] ring_prod: ports that came',
    ringCons: '[GST] ring_cons: ports that were read',
    overflow: '[GST] ring_overflow: a port came and there was no room',
    bindMutex: '[GST] bind_mutex: ports are bound and unbound',
    consMutex: '[GST] ring_cons_mutex: readers, one after the other',
    prodLock: '[GST] ring_prod_lock: spinlock of the handlers',
  },
  { lineAligned: true },
);

export const EvtchnUserBitmap = defineTable('evtchn_user_bitmap[%]', ['evtchnUserWords'], {
  value: '[GST] open files in use (kmalloc)',
});

export const EvtchnRing = defineTable('evtchn_user[%].ring[%]', ['evtchnUsers', 'evtchnRing'], {
  value: '[GST] a port whose event came',
});

/** Ports of a read or write under way (a page of the kernel). */
export const EvtchnPort = defineTable('%v.evtchn_ports[%]', ['vcpus', 'evtchnRing'], {
  value: '[VCPU] a port',
});

export const UserEvtchn = defineTable('linux[d%].user_evtchn[%]', ['domains', 'ports'], {
  user: '[GST] record of the file + 1, 0 if none has the port',
  enabled: '[GST] 1 while its next event may come',
});
