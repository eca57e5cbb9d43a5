/**
 * What user space and the evtchn driver agree on (include/uapi/xen/evtchn.h). The arguments are
 * records of words in the structures' order.
 */
import { ioc } from './ioctl.ts';

/** struct ioctl_evtchn_bind_interdomain: IN remote_domain, remote_port. */
export const BIND_INTERDOMAIN_REMOTE_DOMAIN = 0;
export const BIND_INTERDOMAIN_REMOTE_PORT = 1;
export const BIND_INTERDOMAIN_WORDS = 2;

export const IOCTL_EVTCHN_BIND_VIRQ = ioc('E', 0, 4);
export const IOCTL_EVTCHN_BIND_INTERDOMAIN = ioc('E', 1, 8);
export const IOCTL_EVTCHN_BIND_UNBOUND_PORT = ioc('E', 2, 4);
export const IOCTL_EVTCHN_UNBIND = ioc('E', 3, 4);
export const IOCTL_EVTCHN_NOTIFY = ioc('E', 4, 4);
export const IOCTL_EVTCHN_RESET = ioc('E', 5, 0);
export const IOCTL_EVTCHN_RESTRICT_DOMID = ioc('E', 6, 2);
