/** What can be looked through, and where the visitor has got to: floors or parts of the hall, departments, letters. */
import { offeredServices } from '@jiaohao/lib'
import { computed, ref } from 'vue'
import { commonOf, departmentsOf, placesOf } from './places'
import type { useHall } from './useHall'

/** What is browsed by, when it is neither a floor nor a part of the hall. */
export const BY_DEPARTMENT = 'departments'

export function useBrowse(house: ReturnType<typeof useHall>) {
  const { hall, device } = house
  const places = computed(() => (hall.value === null ? [] : placesOf(hall.value, device.value)))
  const chosenPlace = ref<string | null>(null)
  /** The part of the hall that is browsed; where the kiosk stands, before somebody asks for another. */
  const place = computed(() => places.value.find((one) => one.id === chosenPlace.value) ?? places.value.find((one) => one.here) ?? places.value[0])
  /** Departments to browse by, where the hall names enough of them. */
  const departments = computed(() => (hall.value === null ? [] : departmentsOf(hall.value)))
  const byDepartment = computed(() => chosenPlace.value === BY_DEPARTMENT && departments.value.length > 0)
  const common = computed(() => (hall.value === null ? [] : commonOf(hall.value)))
  const offered = computed(() => (hall.value === null ? [] : offeredServices(hall.value)))
  const withGuide = computed(() => offered.value.filter((one) => one.guide !== null))
  /** What was typed to find a service. */
  const sought = ref('')

  /** A number for each visitor: the next one begins on the first page of every list. */
  const visitor = ref(0)

  function forget(): void {
    visitor.value += 1
    chosenPlace.value = null
    sought.value = ''
  }
  return { places, chosenPlace, place, departments, byDepartment, common, offered, withGuide, sought, visitor, forget }
}
