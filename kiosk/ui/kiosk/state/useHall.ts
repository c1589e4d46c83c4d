/** The hall as this kiosk knows it: its structure, who waits, and what its printer and card reader can do. */
import { api, keepTo, text, useLive, type Eta, type Hall, type HallState, type KioskPrinter, type Service, type Zone } from '@jiaohao/lib'
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { offered } from './places'

const STATE_EVERY_MS = 2_000
const DEVICES_EVERY_MS = 20_000
/** The hall opens and closes without a picture. */
const HOURS_EVERY_MS = 30_000

export interface Waits {
  /** People ahead of who comes now, or, of a zone with several services, everybody who waits there. */
  waiting: number
  everybody?: boolean
  eta: Eta | null
  open: boolean
  /** When numbers are given again, where none is given now and that is known. */
  opensAt?: string | null
  /** The kiosk is cut off from the hall: nobody knows who waits. */
  unknown?: boolean
}

export function useHall() {
  const hall = shallowRef<Hall | null>(null)
  const state = shallowRef<HallState | null>(null)
  /** The name under which this kiosk was enrolled. */
  const device = ref<string | null>(null)
  const canPrint = ref<boolean | null>(null)
  /** What the hall knows of this kiosk's printer, and the nearest kiosk that prints when this one does not. */
  const paper = shallowRef<KioskPrinter | null>(null)
  /** A card reader that works stands beside this kiosk. */
  const reader = ref(false)
  const live = useLive(() => hall.value?.hall, 'board')
  /** Cut off from the hall, and the kiosk's own server still gives numbers. */
  const offline = computed(() => state.value?.offline === true)
  /** The hall gives no numbers now. */
  const closed = computed(() => state.value !== null && !(state.value.day_open && state.value.open))

  let stateTimer: ReturnType<typeof setTimeout> | undefined
  watch(live.data, (picture) => {
    if (picture !== null) renewSoon(state.value === null ? 0 : STATE_EVERY_MS)
  })
  watch(live.connected, (connected) => {
    if (connected && hall.value !== null) void renewHall(hall.value.hall)
  })
  watch(live.late, () => void renewState())
  const devicesTimer = setInterval(() => void lookAtDevices(), DEVICES_EVERY_MS)
  const hoursTimer = setInterval(() => renewSoon(), HOURS_EVERY_MS)
  onScopeDispose(() => {
    clearTimeout(stateTimer)
    clearInterval(devicesTimer)
    clearInterval(hoursTimer)
  })

  /** Read the hall and show its languages only. */
  async function read(id: string): Promise<void> {
    hall.value = await api.hall(id)
    keepTo(hall.value.languages)
    state.value = await api.state(id)
    void lookAtDevices()
  }

  /** Ask for the state once, however many want it until then. */
  function renewSoon(in_ms = 0): void {
    stateTimer ??= setTimeout(() => void renewState(), in_ms)
  }

  async function renewState(): Promise<void> {
    stateTimer = undefined
    if (hall.value === null) return
    try {
      state.value = await api.state(hall.value.hall)
    } catch {
      // The connection banner says that news may be late; the next picture asks again.
    }
  }

  /** After a server restart the hall file may have changed. */
  async function renewHall(id: string): Promise<void> {
    try {
      hall.value = await api.hall(id)
    } catch {
      // The structure we have stays good until the next connection.
    }
    await renewState()
  }

  /** Is there a printer that takes this kiosk's tickets and can print? Unknown when we may not look. */
  async function lookAtDevices(): Promise<void> {
    if (hall.value === null) return
    try {
      const { devices, printer } = await api.devices(hall.value.hall)
      paper.value = printer ?? null
      reader.value = devices.some((one) => one.kind === 'idcard' && one.health !== 'down')
      const printers = devices.filter((one) => one.kind === 'printer')
      const mine = printers.filter((one) => device.value !== null && (one.kiosks ?? []).includes(device.value))
      const ours = mine.length > 0 ? mine : printers.filter((one) => (one.kiosks ?? []).length === 0)
      canPrint.value = paper.value !== null && paper.value.status !== 'none' ? !['out', 'down'].includes(paper.value.status) : ours.some((one) => one.health !== 'down' && one.paper !== 'out')
    } catch {
      canPrint.value = null
    }
  }

  function waitsOfService(service: Service): Waits {
    const row = state.value?.services.find((one) => one.service === service.service)
    if (offline.value) return { waiting: 0, eta: null, open: row?.open ?? false, unknown: true }
    const given = row === undefined || (row.open && row.left !== 0)
    return {
      waiting: row?.ahead ?? 0,
      eta: row?.eta ?? null,
      open: (row?.open_windows ?? 0) > 0 && (row?.open ?? true),
      opensAt: given ? null : row.opens_at,
    }
  }

  function waitsOfZone(zone: Zone): Waits {
    const row = live.data.value?.zones.find((one) => one.zone === zone.zone)
    const counted = state.value?.zones.find((one) => one.zone === zone.zone)
    if (offline.value) return { waiting: 0, eta: null, open: true, unknown: true }
    return {
      waiting: row?.waiting ?? counted?.waiting ?? 0,
      everybody: true,
      eta: row?.eta ?? null,
      open: (row?.open_windows ?? counted?.open_windows ?? 0) > 0,
    }
  }

  const zoneOf = (service: Service) => hall.value?.zones.find((one) => one.zone === service.zone)
  const servicesOf = (zone: Zone) => (hall.value === null ? [] : offered(hall.value, zone))
  const isShut = (service: Service) => Boolean(waitsOfService(service).opensAt)
  /** Empty where the hall has one floor only: nobody needs to be told. */
  function floorName(zone: Zone | undefined): string {
    const floors = hall.value?.floors ?? []
    return floors.length > 1 ? text(floors.find((one) => one.floor === zone?.floor)?.name) : ''
  }

  return { hall, state, device, canPrint, paper, reader, live, offline, closed, read, renewSoon, lookAtDevices, waitsOfService, waitsOfZone, zoneOf, servicesOf, isShut, floorName }
}
