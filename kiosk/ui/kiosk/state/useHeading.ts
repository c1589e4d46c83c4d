/** What the page asks, and how to answer: the heading of the steps with cards. */
import { clock, text, useI18n, useNow } from '@jiaohao/lib'
import { computed } from 'vue'
import { theKiosk } from './useKiosk'
import { useWords } from './useWords'

export function useHeading() {
  const { t } = useI18n()
  const { step, hall, closed, reader, readOnly } = theKiosk()
  const { opens, tenantOfZone } = useWords()
  const now = useNow()

  const greeting = computed(() => {
    const hour = Number(clock(now.value, hall.value?.time_zone).slice(0, 2))
    return hour < 5 ? t('kiosk.hello') : hour < 12 ? t('kiosk.morning') : hour < 18 ? t('kiosk.afternoon') : t('kiosk.evening')
  })
  const title = computed(() => {
    const at = step.value
    switch (at.at) {
      case 'zone':
        return text(at.zone.name)
      case 'department':
        return at.department.name || t('kiosk.otherDepartments')
      case 'guides':
        return t('kiosk.door.guides')
      default:
        return `${greeting.value}${readOnly ? t('kiosk.guide.ask') : closed.value ? t('kiosk.closed') : t('kiosk.choose')}`
    }
  })
  const how = computed(() => {
    const at = step.value
    if (at.at === 'zone' && at.zone.about) return text(at.zone.about)
    if (at.at === 'guides' || readOnly) return t('kiosk.guide.how')
    if (closed.value) return t('kiosk.closedHow', { opens: opens.value })
    if (at.at !== 'home') return t('kiosk.chooseService')
    return t(reader.value ? 'kiosk.touchOrCard' : 'kiosk.touch')
  })
  /** The heading says that nothing is given now. */
  const shut = computed(() => closed.value && !readOnly)

  return { title, how, shut, aside: tenantOfZone }
}
