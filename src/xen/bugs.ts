/**
 * Numbers of the hypervisor's assertions (warnOn): what each means, and its two operands. They
 * begin at 0x200.
 */

/** put_page() of a page whose count is 0: a = mfn, b = count_info. */
export const BUG_PUT_PAGE = 0x200;
/** _put_page_type() of a page whose type count is 0: a = mfn, b = type_info. */
export const BUG_PUT_PAGE_TYPE = 0x201;
/** A page with type references goes to the heap: a = mfn, b = type_info. */
export const BUG_FREE_TYPED = 0x202;
/** A page on the free heap is in use: a = mfn, b = count_info. */
export const BUG_FREE_IN_USE = 0x203;
/** put_page_from_l1e(): a grant PTE was overwritten by ordinary means: a = domain, b = PTE. */
export const BUG_IMPLICIT_UNMAP = 0x204;
/** unmap_common_complete(): the pin counter to drop is 0: a = granting domain, b = ref. */
export const BUG_PIN_UNDERFLOW = 0x205;
/** unmap_common(): the IOMMU count to drop is 0: a = mapping domain, b = mfn. */
export const BUG_IOMMU_UNDERFLOW = 0x206;
/** maptrack_entry(): the page behind a valid handle is not published: a = domain, b = handle. */
export const BUG_MAPTRACK_PAGE = 0x207;
/** page_unlock() of a page that nobody locked: a = mfn, b = type_info. */
export const BUG_PAGE_UNLOCK = 0x208;
/** page_get_owner_and_reference(): a referenced page has no owner: a = mfn, b = count_info. */
export const BUG_NO_OWNER = 0x209;
/**
 * domain_crash() of unmap_common(): the granting domain is gone: a = mapping domain, b = handle.
 */
export const BUG_DOMAIN_CRASH = 0x20a;
/** steal_page(): a page that nobody refers to has a type reference: a = mfn, b = type_info. */
export const BUG_STEAL_TYPED = 0x20b;
/**
 * gnttab_unpopulate_status_frames(): a status frame is not the domain's, or cannot be taken from
 * its guest-physical memory: a = mfn, b = domain or gfn.
 */
export const BUG_STATUS_FRAME = 0x20c;
