/** Numbers of the assertions (WARN_ON, VFS_BUG_ON) of files and what is behind them; from 0x580. */

/** A reference of a file that is released: file, count before. */
export const BUG_FILE_COUNT = 0x580;
/** A table of descriptors was put more often than shared: table, count before. */
export const BUG_FILES_COUNT = 0x581;
/** __put_unused_fd() of a number that is not open: table, descriptor. */
export const BUG_FD_NOT_OPEN = 0x582;
/** fd_install() over an open file: descriptor, file that was there. */
export const BUG_FD_INSTALLED = 0x583;
/** An inode was put more often than held: inode, users before. */
export const BUG_INODE_COUNT = 0x584;
