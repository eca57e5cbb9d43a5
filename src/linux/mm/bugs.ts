/** Numbers of the memory manager's assertions (warnOn): what each means, and its two operands. */

/** get_page() of a free page, put_page() below 0, allocation of a page in use: page, count. */
export const BUG_PAGE_COUNT = 0x300;
/** mm/page_alloc.c: bad_page(), a page is freed while it is mapped: page, mapcount. */
export const BUG_BAD_PAGE = 0x301;
/** mm/memory.c: print_bad_page_map(), a PTE without a page behind it: vpn, pte. */
export const BUG_BAD_PTE = 0x302;
/** mm/memory.c: zap_present_folio_ptes(), a mapcount below 0: page, mapcount. */
export const BUG_BAD_RMAP = 0x303;
/** A VMA reference was dropped that nobody held: vma, count before. */
export const BUG_VMA_REFCNT = 0x304;
/** A notifier is removed that is not inserted: notifier, state. */
export const BUG_NOTIFIER_STATE = 0x305;
/** mm/vma.c: __split_vma() at an address that is not inside: vma, vpn. */
export const BUG_SPLIT_ADDRESS = 0x306;
/** The direct map of a page cannot be written: page, fault. */
export const BUG_DIRECT_MAP = 0x307;
/** Xen refused an update of a page table: word, error. */
export const BUG_MMU_UPDATE = 0x308;
/** arch/x86/mm/fault.c: page_fault_oops(), a read through the direct map: vpn, fault. */
export const BUG_KERNEL_READ_FAULT = 0x309;
/** An address space without users is put: mm, users before. */
export const BUG_MM_USERS = 0x30a;
