/**
 * Xen's public interface, the part that every hypercall shares
 * (xen/include/public/xen.h).
 */

/** The calling domain. */
export const DOMID_SELF = 0x7ff0;
/** Owner of I/O memory. */
export const DOMID_IO = 0x7ff1;
/** Xen itself. */
export const DOMID_XEN = 0x7ff2;
/** No domain. */
export const DOMID_INVALID = 0x7ff4;
/** The first number that no domain can have. */
export const DOMID_FIRST_RESERVED = 0x7ff0;

/** A machine frame that no domain uses has this in the M2P. */
export const INVALID_M2P_ENTRY = -1;

/** xen/include/public/errno.h: what hypercalls other than grant operations return. */
export const XEN_EPERM = 1;
export const XEN_EAGAIN = 11;
export const XEN_ENOMEM = 12;
export const XEN_EBUSY = 16;
export const XEN_EINVAL = 22;
export const XEN_ENOSPC = 28;
export const XEN_ERANGE = 34;
export const XEN_ENOSYS = 38;
export const XEN_EOPNOTSUPP = 95;
/** ERESTART of a hypercall's inside: begin anew. No guest ever sees it. */
export const XEN_ERESTART = 85;
export const XEN_ESRCH = 3;
