/** What lies on this kiosk's reader: a card, until the number is taken or the visitor is gone, and the last code scanned. */
import { useLive, useNow } from '@jiaohao/lib'
import { computed, ref } from 'vue'
import type { useHall } from './useHall'

export function useCard(house: ReturnType<typeof useHall>) {
  const { hall, device } = house
  const presented = useLive(() => hall.value?.hall, () => (device.value === null ? null : (`presented:${device.value}` as const)))
  const now = useNow(1_000)
  /** The card that was put away, by its name for this visit. */
  const putAway = ref<string | null>(null)

  const card = computed(() => {
    const lies = presented.data.value?.card ?? null
    return lies !== null && lies.card !== putAway.value && now.value < Date.parse(lies.until) ? lies : null
  })
  const scan = computed(() => presented.data.value?.scan ?? null)
  function putCardAway(): void {
    putAway.value = presented.data.value?.card?.card ?? null
  }
  return { card, scan, putCardAway }
}
