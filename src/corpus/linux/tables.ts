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

export const linuxRaceTables = [RacePendingRequest, RaceNotifier];
