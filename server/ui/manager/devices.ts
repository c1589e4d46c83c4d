/** Which devices need somebody, and which first. */
import type { DeviceRow } from '@jiaohao/lib'

/** Give how bad it is: no paper comes first, for visitors then get no number. 0 is fine. */
export function trouble(device: DeviceRow): number {
  if (device.paper === 'out') return 4
  // Enrolled, but nobody has started it yet: no fault.
  if (device.last_seen === null && device.faults.length === 0) return 0
  if (device.health === 'down') return 3
  if (device.health === 'degraded' || device.faults.length > 0) return 2
  return device.paper === 'near_end' ? 1 : 0
}

export function isFaulty(device: DeviceRow): boolean {
  return trouble(device) > 0
}
