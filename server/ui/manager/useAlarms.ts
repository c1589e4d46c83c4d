/**
 * What a manager should look at first in a hall, since when, and who has heard of it.
 *
 * What is wrong is worked out from the manager's picture alone, so that a past day played again alarms as it did live.
 * Limits come from the hall file where it has them (a zone's target, a window left alone); the others are below.
 */
import { clock, minutes, secondsSince, text, useI18n, type DeviceRow, type ManagerAlarm, type ManagerPicture } from '@jiaohao/lib'
import { computed, type ComputedRef, type Ref } from 'vue'
import { isFaulty, trouble } from './devices'

/** A window that could help is worth a word when it has been free for so long while others wait over the target. */
const IDLE_MIN = 5
/** Of those called in a zone; before so many calls a share says nothing. */
const NO_SHOW_SHARE = 0.2
const NO_SHOW_CALLS = 20
/** More devices away, or windows left alone, are told in one line: then it is the network, or the lunch. */
const APART = 3

export interface Alarm {
  /** The same as long as it is the same trouble. */
  key: string
  words: string
  /** Where on the manager's page something can be done about it. */
  tab: string
  /** The window to open beside the tab. */
  window?: string
  /** Since when (Unix ms), where the hall knows. */
  since?: number
}

export interface Alarms {
  alarms: ComputedRef<Alarm[]>
  /** Devices with faults, the worst first. */
  faulty: ComputedRef<DeviceRow[]>
}

export function useAlarms(picture: Readonly<Ref<ManagerPicture | null>>, now: Readonly<Ref<number>>, timeZone: () => string | undefined): Alarms {
  const { t } = useI18n()
  const faulty = computed(() => (picture.value?.devices ?? []).filter(isFaulty).sort((a, b) => trouble(b) - trouble(a)))

  const alarms = computed<Alarm[]>(() => {
    const seen = picture.value
    if (seen === null) return []
    const found: Alarm[] = []
    if (!seen.day_open) found.push({ key: 'day', words: t('manager.alarm.dayClosed'), tab: 'day' })
    found.push(...ofPaper(), ...ofQueues(seen))
    const alone = seen.alarms.filter((one) => one.kind === 'window_left_alone').length
    if (alone > APART) found.push({ key: 'alone', words: t('manager.alarm.leftAloneMany', { n: alone }), tab: 'hall' })
    for (const one of seen.alarms) {
      if (one.kind === 'disk_full') found.push({ key: 'disk', words: t('manager.alarm.diskFull'), tab: 'day' })
      if (one.kind === 'leg_unserved') found.push({ key: `leg-${one.service}`, words: t('manager.alarm.leg', { service: text(one.name), n: one.waiting }), tab: 'services', ...at(one.oldest_since) })
      if (one.kind === 'handover_due') found.push({ key: 'handover', words: t('cases.urgent', { n: one.cases, time: clock(one.closes_at, timeZone()) }), tab: 'cases' })
      if (one.kind === 'window_left_alone' && alone <= APART) found.push({ key: `alone-${one.window}`, words: leftAlone(one), tab: 'hall', window: one.window, ...at(one.since) })
    }
    found.push(...ofWindows(seen), ...ofNoShows(seen))
    const late = seen.cases.filter((one) => one.overdue).length
    if (late > 0) found.push({ key: 'cases', words: t('cases.late', { n: late }), tab: 'cases' })
    const appeals = seen.cases.filter((one) => one.appeal === 'open').length
    if (appeals > 0) found.push({ key: 'appeals', words: t('cases.toDecide', { n: appeals }), tab: 'cases' })
    for (const roll of seen.rolls) found.push({ key: `roll-${roll.prefix}`, words: t(roll.label === null ? 'manager.alarm.rollNew' : 'manager.alarm.roll', { prefix: roll.prefix, service: text(roll.name), label: roll.label ?? '', last: roll.last }), tab: 'tickets' })
    found.push(...ofDevices())
    return found
  })
  const at = (instant: string | null | undefined) => (instant ? { since: Date.parse(instant) } : {})
  const minutesSince = (instant: string | null) => (instant === null ? 0 : minutes(secondsSince(instant, now.value)))

  function leftAlone(one: Extract<ManagerAlarm, { kind: 'window_left_alone' }>): string {
    return t('manager.alarm.leftAlone', { window: text(one.name), clerk: one.clerk?.name ?? '', n: minutesSince(one.since) })
  }
  /** Who waits where nobody serves, and who waits longer than the hall aims at. */
  function ofQueues(seen: ManagerPicture): Alarm[] {
    const served = new Set(seen.windows.filter((one) => one.clerk !== null && one.status !== 'paused').flatMap((one) => [...one.serves, ...one.relief]))
    return seen.zones.flatMap((zone) => {
      const name = text(zone.name)
      const waited = seen.services.filter((one) => one.zone === zone.zone && one.waiting > 0)
      const alone = waited.filter((one) => !served.has(one.service))
      if (waited.length > 0 && alone.length === waited.length) return [{ key: `unserved-${zone.zone}`, words: t('manager.alarm.unserved', { zone: name, n: zone.waiting }), tab: 'services', ...at(zone.oldest_since) }]
      const found: Alarm[] = alone.map((one) => ({ key: `unserved-${one.service}`, words: t('manager.alarm.unservedService', { service: text(one.name), n: one.waiting }), tab: 'services' }))
      const wait = minutesSince(zone.oldest_since)
      if (isOver(zone)) found.unshift({ key: `wait-${zone.zone}`, words: t('manager.alarm.wait', { zone: name, n: wait, target: zone.target_min }), tab: 'hall', since: Date.parse(zone.oldest_since ?? '') + zone.target_min * 60_000 })
      return found
    })
  }
  const isOver = (zone: ManagerPicture['zones'][number]) => zone.oldest_since !== null && zone.target_min > 0 && now.value - Date.parse(zone.oldest_since) > zone.target_min * 60_000
  /** Windows that are free while people they could serve wait over the target. */
  function ofWindows(seen: ManagerPicture): Alarm[] {
    const hot = seen.zones.filter((zone) => zone.waiting > 0 && isOver(zone))
    return seen.windows.flatMap((one) => {
      if (one.status !== 'open' || one.clerk === null || minutesSince(one.since) < IDLE_MIN) return []
      const zone = hot.find((it) => seen.services.some((service) => service.zone === it.zone && one.able.includes(service.service)))
      if (zone === undefined) return []
      return [{ key: `idle-${one.window}`, words: t('manager.alarm.idle', { window: text(one.name), n: minutesSince(one.since), zone: text(zone.name), waiting: zone.waiting }), tab: 'hall', window: one.window, ...at(one.since) }]
    })
  }
  function ofNoShows(seen: ManagerPicture): Alarm[] {
    return seen.zones
      .filter((zone) => zone.called_today >= NO_SHOW_CALLS && zone.no_show_today / zone.called_today >= NO_SHOW_SHARE)
      .map((zone) => ({ key: `no-show-${zone.zone}`, words: t('manager.alarm.noShows', { zone: text(zone.name), n: zone.no_show_today, percent: Math.round((100 * zone.no_show_today) / zone.called_today) }), tab: 'hall' }))
  }
  const isPaper = (device: DeviceRow) => device.paper === 'out' || device.paper === 'near_end'
  const sinceFault = (device: DeviceRow) => at(device.faults.find((one) => one.since !== null)?.since)
  function ofPaper(): Alarm[] {
    return faulty.value.filter(isPaper).map((one) => ({ key: `paper-${one.device}-${one.paper}`, words: t(one.paper === 'out' ? 'manager.alarm.paper' : 'manager.alarm.paperLow', { device: one.device }), tab: 'devices', ...sinceFault(one) }))
  }
  function ofDevices(): Alarm[] {
    const others = faulty.value.filter((device) => !isPaper(device))
    if (others.length > APART) return [{ key: 'devices', words: t('manager.alarm.devices', { n: others.length }), tab: 'devices' }]
    return others.map((one) => ({ key: `device-${one.device}`, words: t(one.health === 'down' ? 'manager.alarm.deviceAway' : 'manager.alarm.deviceFault', { device: one.device }), tab: 'devices', ...sinceFault(one) }))
  }
  return { alarms, faulty }
}
