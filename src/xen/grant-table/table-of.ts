/** Whose grant table a hypercall's record is about. */
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { NO_DOMAIN, rcuLockDomainByAnyId } from '../domain.ts';
import { GNTST_bad_domain, GNTST_permission_denied } from '../public/grant-table.ts';

/**
 * xen/include/xsm/dummy.h: xsm_grant_setup(), xsm_grant_query_size(), both XSM_TARGET: a guest may
 * name only itself.
 * @param domid - as the guest gave it. @returns a domain, or a negative GNTST_*.
 */
export function* tableOf(v: number, domid: number): Op {
  const d = yield* rcuLockDomainByAnyId(v, domid);
  if (d === NO_DOMAIN) return GNTST_bad_domain;
  return d === domainOf(v) ? d : GNTST_permission_denied;
}
