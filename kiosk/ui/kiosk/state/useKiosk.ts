/**
 * The kiosk page's parts, put together once: the hall, what is browsed, the card, the visit, and its end.
 *
 * The page makes it, everything on the page asks for it (`theKiosk`).
 */
import { currentLanguage, setLanguage } from '@jiaohao/lib'
import { shallowRef, watch } from 'vue'
import { isBusy, type Step } from './steps'
import { useArrival } from './useArrival'
import { useBrowse } from './useBrowse'
import { useCard } from './useCard'
import { useEase } from './useEase'
import { useHall } from './useHall'
import { useIdle } from './useIdle'
import { useVisit } from './useVisit'

type Kiosk = ReturnType<typeof makeKiosk>
/** One page is one kiosk. */
let kiosk: Kiosk | undefined

function makeKiosk() {
  const step = shallowRef<Step>({ at: 'starting', waiting: false })
  /** A touch-query page (触摸查询机): it tells what to bring and where to go, and gives no numbers. */
  const readOnly = new URLSearchParams(location.search).get('mode') === 'guide'
  const house = useHall()
  const ease = useEase(house.hall)
  const browse = useBrowse(house)
  const lying = useCard(house)
  const arrival = useArrival(step, house)
  const visit = useVisit(step, { house, card: lying.card, sought: browse.sought, readOnly, start: arrival.start })
  const { hall } = house

  const firstLanguage = () => hall.value?.languages[0] ?? 'zh'
  const isChanged = () => ease.isUsed.value || browse.chosenPlace.value !== null || currentLanguage() !== firstLanguage()
  function forget(): void {
    ease.forget()
    browse.forget()
    lying.putCardAway()
    setLanguage(firstLanguage(), { remember: false })
  }
  /** The visit is over: back to the start for the next visitor. */
  function leave(): void {
    forget()
    if (hall.value === null) void arrival.start()
    else visit.home()
  }
  const idle = useIdle(step, { isChanged, forget, leave })

  watch(() => lying.card.value?.card, (there) => {
    if (there !== undefined) idle.touched()
  })
  watch(() => lying.scan.value?.scan, () => {
    const scan = lying.scan.value
    if (scan !== null && hall.value !== null && !readOnly && !isBusy(step.value)) step.value = { at: 'scanned', scan }
  })
  void arrival.start()

  return { step, readOnly, ease, ...house, ...browse, ...lying, ...arrival, ...visit, ...idle, forget, leave }
}

/** Make the kiosk of this page; it ends with the page. */
export function useKiosk(): Kiosk {
  kiosk = makeKiosk()
  return kiosk
}

/** Give the page's kiosk to one of its parts. */
export function theKiosk(): Kiosk {
  if (kiosk === undefined) throw new Error('a part of the kiosk page stands outside it')
  return kiosk
}
