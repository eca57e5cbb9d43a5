/** Words that races of Linux need beside those of the kernel's own tables. */
import { defineTable } from '../../shared/table.ts';

/** struct pending_req of blkback's request in hand. */
export const RacePendingRequest = defineTable('race.pending_req', [], {
  pendcnt: '[CPU] bios that are not done',
});

/** Interval notifiers of a driver. */
export const RaceNotifier = defineTable('race.notifier', [], {
  sub: '[BOOT] a subscription',
});

/** What a fork has ready before it meets anybody. */
export const RaceFork = defineTable('race.fork', [], {
  mm: '[BOOT] the child’s address space, without VMAs',
  vma: '[BOOT] what is copied',
});

export const linuxRaceTables = [RacePendingRequest, RaceNotifier, RaceFork];
