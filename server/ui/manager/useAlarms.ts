/** What a manager should look at first in a hall. */
import { clock, minutes, secondsSince, text, useI18n, type DeviceRow, type ManagerAlarm, type ManagerPicture } from '@jiaohao/lib'
import { computed, type ComputedRef, type Ref } from 'vue'
import { isFaulty, trouble } from './devices'

/** A zone is worth an alarm from this wait on; halls promise twenty minutes. */
const LONG_WAIT_MIN = 30

export interface Alarm {
  key: string
  words: string
  /** Where on the manager's page something can be done about it. */
  tab: string
  /** The window to open beside the tab. */
  window?: string
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
    for (const one of faulty.value.filter((device) => device.paper === 'out')) found.push({ key: one.device, words: t('manager.alarm.paper', { device: one.device }), tab: 'devices' })
    for (const zone of zonesInTrouble(seen)) found.push(zone)
    for (const one of seen.alarms) {
      if (one.kind === 'disk_full') found.push({ key: 'disk', words: t('manager.alarm.diskFull'), tab: 'day' })
      if (one.kind === 'leg_unserved') found.push({ key: `leg-${one.service}`, words: t('manager.alarm.leg', { service: text(one.name), n: one.waiting }), tab: 'services' })
      if (one.kind === 'handover_due') found.push({ key: 'handover', words: t('cases.urgent', { n: one.cases, time: clock(one.closes_at, timeZone()) }), tab: 'cases' })
      if (one.kind === 'window_left_alone') found.push({ key: `alone-${one.window}`, words: leftAlone(one), tab: 'hall', window: one.window })
    }
    const late = seen.cases.filter((one) => one.overdue).length
    if (late > 0) found.push({ key: 'cases', words: t('cases.late', { n: late }), tab: 'cases' })
    const appeals = seen.cases.filter((one) => one.appeal === 'open').length
    if (appeals > 0) found.push({ key: 'appeals', words: t('cases.toDecide', { n: appeals }), tab: 'cases' })
    for (const roll of seen.rolls) found.push({ key: `roll-${roll.prefix}`, words: t(roll.label === null ? 'manager.alarm.rollNew' : 'manager.alarm.roll', { prefix: roll.prefix, service: text(roll.name), label: roll.label ?? '', last: roll.last }), tab: 'tickets' })
    const others = faulty.value.filter((device) => device.paper !== 'out')
    if (others.length > 0) found.push({ key: 'devices', words: t('manager.alarm.devices', { n: others.length }), tab: 'devices' })
    return found
  })
  function leftAlone(one: Extract<ManagerAlarm, { kind: 'window_left_alone' }>): string {
    const n = one.since === null ? 0 : minutes(secondsSince(one.since, now.value))
    return t('manager.alarm.leftAlone', { window: text(one.name), clerk: one.clerk?.name ?? '', n })
  }
  function zonesInTrouble(seen: ManagerPicture): Alarm[] {
    return seen.zones.flatMap((zone) => {
      if (zone.waiting === 0) return []
      const served = seen.windows.some((one) => one.clerk !== null && one.status !== 'paused' && seen.services.some((service) => service.zone === zone.zone && [...one.serves, ...one.relief].includes(service.service)))
      const name = text(zone.name)
      if (!served) return [{ key: zone.zone, words: t('manager.alarm.unserved', { zone: name, n: zone.waiting }), tab: 'services' }]
      const wait = zone.oldest_since === null ? 0 : minutes(secondsSince(zone.oldest_since, now.value))
      return wait >= LONG_WAIT_MIN ? [{ key: zone.zone, words: t('manager.alarm.wait', { zone: name, n: wait }), tab: 'hall' }] : []
    })
  }
  return { alarms, faulty }
}
