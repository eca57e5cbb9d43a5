/**
 * Goal: the system calls of gntdev: offsets, refusals, notifications, and lifetimes that end when
 * the last of list, VMA and descriptor is gone.
 * Method: calls in every order that matters, alone; what is left is counted in the tables.
 */
import { describe, expect, test } from 'vitest';
import {
  FIND_NORMAL_PAGE,
  FIND_SPECIAL_PAGE,
  M2P_OVERRIDE,
  VMA_PAGES,
} from '../../../../src/linux/designs/design.ts';
import { Balloon } from '../../../../src/linux/drivers/balloon.ts';
import { gntdevOpen, gntdevPutFile } from '../../../../src/linux/drivers/gntdev/file.ts';
import { Gntdev, GrantMap, MapPage } from '../../../../src/linux/drivers/gntdev/grant-map.ts';
import {
  REG_GNTDEV_COUNT,
  gntdevGetOffsetForVaddr,
  gntdevMapGrantRef,
  gntdevSetUnmapNotify,
  gntdevUnmapGrantRef,
} from '../../../../src/linux/drivers/gntdev/ioctl.ts';
import { runDeferred } from '../../../../src/linux/drivers/workqueue.ts';
import { EINVAL, ENOENT } from '../../../../src/linux/errno.ts';
import { doMunmap } from '../../../../src/linux/mm/munmap.ts';
import { frameWord } from '../../../../src/hardware/paging.ts';
import { reg } from '../../../../src/hardware/vcpu.ts';
import { P2m } from '../../../../src/linux/mm/p2m.ts';
import {
  evtchnIoctl,
  evtchnOpen,
  evtchnRelease,
} from '../../../../src/linux/drivers/evtchn/file.ts';
import { runAlone, writeLocal } from '../../../../src/shared/operations.ts';
import {
  IOCTL_EVTCHN_BIND_INTERDOMAIN,
  IOCTL_EVTCHN_BIND_UNBOUND_PORT,
} from '../../../../src/linux/uapi/evtchn.ts';
import { EVTCHNSTAT_closed, EVTCHNSTAT_unbound } from '../../../../src/xen/public/event-channel.ts';
import { evtchnBit, evtchnPendingWord } from '../../../../src/xen/shared-info.ts';
import { Evtchn, evtchnAllocUnbound } from '../../../../src/xen/event-channel.ts';
import { ActiveEntry } from '../../../../src/xen/grant-table/active.ts';
import { cpuStore } from '../../../../src/hardware/access.ts';
import {
  GRANTER,
  GRANTER_TASK,
  KTHREAD,
  MAPPER,
  TASK,
  bootGuests,
  grantList,
  grantPage,
  mapGrants,
  mmapGntdev,
  must,
  now,
  result,
  userSpace,
} from '../guests.ts';
import { leftOver } from '../pin-watch.ts';
import {
  UNMAP_NOTIFY_CLEAR_BYTE,
  UNMAP_NOTIFY_SEND_EVENT,
} from '../../../../src/linux/uapi/gntdev.ts';

const VPN = 8;
const designs = [
  ['m2p-override', M2P_OVERRIDE],
  ['vma-pages', VMA_PAGES],
  ['find-normal-page', FIND_NORMAL_PAGE],
  ['find-special-page', FIND_SPECIAL_PAGE],
] as const;

describe.each(designs)('gntdev with %s', (_name, design) => {
  test('gives every map its own range of offsets, and a free one again', () => {
    bootGuests({ design });
    const fd = must(runAlone(gntdevOpen(TASK, userSpace(TASK))));
    const refs = [grantPage().ref, grantPage().ref];
    const map = (count: number): number =>
      runAlone(gntdevMapGrantRef(TASK, fd, grantList(refs.slice(0, count)), count));
    expect([map(2), map(1), map(1)]).toEqual([0, 2, 3]);
    expect(runAlone(gntdevUnmapGrantRef(TASK, fd, 0, 2))).toBe(0);
    expect(runAlone(gntdevUnmapGrantRef(TASK, fd, 0, 2))).toBe(-ENOENT);
    expect(map(1)).toBe(0);
    expect(map(0)).toBe(-EINVAL);
  });

  test('refuses to map a map twice, or at another length or offset', () => {
    bootGuests({ design });
    const m = mapGrants(userSpace(TASK), [grantPage().ref], VPN);
    expect(runAlone(mmapGntdev(TASK, m.mm, m.file, m.index, 12, 1))).toBe(-EINVAL);
    expect(runAlone(mmapGntdev(TASK, m.mm, m.file, m.index + 1, 12, 1))).toBe(-EINVAL);
    expect(runAlone(mmapGntdev(TASK, m.mm, m.file, m.index, 12, 2))).toBe(-EINVAL);
  });

  test('maps a map anew over itself (MAP_FIXED), and munmap unmaps it', () => {
    bootGuests({ design });
    const { ref } = grantPage();
    const m = mapGrants(userSpace(TASK), [ref], VPN);
    const again = design === FIND_NORMAL_PAGE ? -EINVAL : VPN;
    expect(runAlone(mmapGntdev(TASK, m.mm, m.file, m.index, VPN, 1))).toBe(again);
    expect(leftOver(0)).toBe(again === VPN ? 3 : 0);
    must(runAlone(doMunmap(TASK, m.mm, VPN, 1)));
    expect(leftOver(0)).toBe(0);
    expect(now(ActiveEntry.pin.at2(GRANTER, ref))).toBe(0);
  });

  test('can be mapped and unmapped for ever, or, with in_use, once', () => {
    bootGuests({ design });
    const m = mapGrants(userSpace(TASK), [grantPage().ref], VPN);
    for (let i = 0; i < 10; i++) {
      must(runAlone(doMunmap(TASK, m.mm, VPN, 1)));
      runAlone(runDeferred(KTHREAD));
      const again = design === FIND_NORMAL_PAGE ? -EINVAL : VPN;
      expect(runAlone(mmapGntdev(TASK, m.mm, m.file, m.index, VPN, 1))).toBe(again);
    }
  });

  test('names offset and length of the map at an address', () => {
    bootGuests({ design });
    const mm = userSpace(TASK);
    const first = mapGrants(mm, [grantPage().ref], 12);
    const m = mapGrants(mm, [grantPage().ref, grantPage().ref], VPN, first.file);
    expect(runAlone(gntdevGetOffsetForVaddr(TASK, mm, VPN + 1))).toBe(m.index);
    expect(reg(TASK, REG_GNTDEV_COUNT)).toBe(2);
    expect(runAlone(gntdevGetOffsetForVaddr(TASK, mm, 20))).toBe(-EINVAL);
  });

  test('a map lives until both its place in the file and its VMA are gone', () => {
    bootGuests({ design });
    const m = mapGrants(userSpace(TASK), [grantPage().ref], VPN);
    expect(runAlone(gntdevUnmapGrantRef(TASK, m.file, m.index, 1))).toBe(0);
    expect(now(GrantMap.users.at(0))).toBe(1);
    expect(leftOver(0)).toBe(3);
    must(runAlone(doMunmap(TASK, m.mm, VPN, 1)));
    expect(now(GrantMap.users.at(0))).toBe(0);
    expect(now(Balloon.count.at(MAPPER))).toBe(1);
  });

  test('a file lives until its last VMA is gone, and its maps go with it', () => {
    bootGuests({ design });
    const m = mapGrants(userSpace(TASK), [grantPage().ref], VPN);
    runAlone(gntdevPutFile(TASK, m.file));
    expect(now(Gntdev.users.at(m.file))).toBe(1);
    expect(now(GrantMap.users.at(0))).toBe(2);
    must(runAlone(doMunmap(TASK, m.mm, VPN, 1)));
    expect(now(Gntdev.users.at(m.file))).toBe(0);
    expect(now(GrantMap.users.at(0))).toBe(0);
    expect(must(runAlone(gntdevOpen(TASK, m.mm)))).toBe(m.file);
  });

  test('clears a word at unmap, and sends an event when the map goes', () => {
    bootGuests({ design });
    const { page, ref } = grantPage();
    const port = runAlone(evtchnAllocUnbound(GRANTER_TASK, MAPPER));
    const user = must(runAlone(evtchnOpen(TASK)));
    writeLocal(result(0), GRANTER);
    writeLocal(result(1), must(port));
    const bind = evtchnIoctl(TASK, user, IOCTL_EVTCHN_BIND_INTERDOMAIN, result(0));
    const own = must(runAlone(bind));
    const m = mapGrants(userSpace(TASK), [ref], VPN);
    const action = UNMAP_NOTIFY_CLEAR_BYTE | UNMAP_NOTIFY_SEND_EVENT;
    expect(runAlone(gntdevSetUnmapNotify(TASK, m.file, 7, 1, action, own))).toBe(-ENOENT);
    expect(runAlone(gntdevSetUnmapNotify(TASK, m.file, 0, 1, 8, own))).toBe(-EINVAL);
    expect(runAlone(gntdevSetUnmapNotify(TASK, m.file, 0, 1, action, must(own)))).toBe(0);
    const word = frameWord(now(P2m.value.at(page)), 1);
    expect(runAlone(cpuStore(TASK, VPN, 1, 55))).toBe(0);
    expect(now(word)).toBe(55);
    must(runAlone(doMunmap(TASK, m.mm, VPN, 1)));
    expect(now(word)).toBe(0);
    expect(now(GrantMap.notifyFlags.at(0))).toBe(UNMAP_NOTIFY_SEND_EVENT);
    expect(now(MapPage.value.at2(0, 0))).toBeGreaterThan(0);
    const pending = (): number => now(evtchnPendingWord(GRANTER, port)) & evtchnBit(port);
    expect(pending()).toBe(0);
    runAlone(gntdevUnmapGrantRef(TASK, m.file, m.index, 1));
    expect(now(GrantMap.users.at(0))).toBe(0);
    expect(pending()).not.toBe(0);
  });

  test('takes no port that no program has, and gives up the one it had', () => {
    bootGuests({ design });
    const { ref } = grantPage();
    const mm = userSpace(TASK);
    const { file } = mapGrants(mm, [ref], VPN);
    const loose = must(runAlone(evtchnAllocUnbound(TASK, GRANTER)));
    const notify = (port: number): number =>
      runAlone(gntdevSetUnmapNotify(TASK, file, 0, 0, UNMAP_NOTIFY_SEND_EVENT, port));
    expect(notify(loose)).toBe(-EINVAL);
    expect(notify(99_999)).toBe(-EINVAL);
    const user = must(runAlone(evtchnOpen(TASK)));
    writeLocal(result(0), GRANTER);
    const bind = evtchnIoctl(TASK, user, IOCTL_EVTCHN_BIND_UNBOUND_PORT, result(0));
    const port = must(runAlone(bind));
    expect(notify(port)).toBe(0);
    runAlone(evtchnRelease(TASK, user));
    // The map still has it.
    expect(now(Evtchn.state.at2(MAPPER, port))).toBe(EVTCHNSTAT_unbound);
    expect(runAlone(gntdevSetUnmapNotify(TASK, file, 0, 0, 0, 0))).toBe(0);
    expect(now(Evtchn.state.at2(MAPPER, port))).toBe(EVTCHNSTAT_closed);
  });

  test('undoes a mapping of which one grant is bad, as far as its generation does', () => {
    bootGuests({ design });
    const { ref } = grantPage();
    const mm = userSpace(TASK);
    expect(() => mapGrants(mm, [ref, ref + 3], VPN)).toThrow(/-22/);
    const left = design === VMA_PAGES || design === FIND_NORMAL_PAGE ? 0 : 1;
    expect(now(ActiveEntry.pin.at2(GRANTER, ref)) === 0 ? 0 : 1).toBe(left);
    expect(now(GrantMap.users.at(0))).toBe(1);
  });
});
