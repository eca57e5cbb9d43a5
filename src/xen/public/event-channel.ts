/**
 * Event channels, the 2-level ABI (xen/include/public/event_channel.h, xen/include/public/xen.h).
 */

/** EVTCHNSTAT_*: what a port is. */
export const EVTCHNSTAT_closed = 0;
/** Waits for the remote domain to bind. */
export const EVTCHNSTAT_unbound = 1;
export const EVTCHNSTAT_interdomain = 2;

/** Ports in one word of the pending and mask bitmaps. */
export const EVTCHN_PORTS_PER_WORD_SHIFT = 5;
