/** Numbers of the assertions (BUG_ON, WARN_ON) of the drivers and designs; from 0x500 on. */

/** list_del() of a node that is on no list. Operands: node, its next. */
export const BUG_LIST_CORRUPTION = 0x500;
/** A grant was mapped over a page that is not ballooned out. Operands: page, its p2m entry. */
export const BUG_MAP_OVER_USED_PAGE = 0x501;
/** m2p_add_override(): the page is on the override list already. Operands: page, mfn. */
export const BUG_OVERRIDE_TWICE = 0x502;
/** m2p_remove_override(): the page was not marked. Operands: page, mfn. */
export const BUG_OVERRIDE_UNMARKED = 0x503;
/** gntdev's notifier could not unmap. Operands: map, error. */
export const BUG_UNMAP_FAILED = 0x504;
/** balloon: the hypervisor refused to take or update a page. Operands: page, status. */
export const BUG_BALLOON = 0x505;
/** More grants were unmapped than a map had. Operands: map, count. */
export const BUG_LIVE_GRANTS = 0x506;
/** A page array of a VMA was closed more often than opened. Operands: array, count. */
export const BUG_PAGE_ARRAY_USERS = 0x507;
/** No slot was left for a deferred grant: it leaks, as the kernel says. Operands: domain, ref. */
export const BUG_GRANT_LEAKED = 0x508;
/** gntdev_release() found maps that are still mapped. Operands: file, map. */
export const BUG_FREEABLE_MAPS = 0x509;
/** A grant reference was freed twice or was never handed out. Operands: domain, ref. */
export const BUG_FREE_REF = 0x50a;
/** gntdev looked for the page of an address beyond its array (KASAN). Operands: map, index. */
export const BUG_MAP_PAGES_BOUNDS = 0x50b;
/** A bounce buffer or the page it stands for cannot be reached. Operands: address, fault. */
export const BUG_DMA_BOUNCE = 0x510;
/** Cache maintenance of a DMA buffer failed. Operands: address, fault or error. */
export const BUG_DMA_MAINTENANCE = 0x511;
