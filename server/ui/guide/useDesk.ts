/** What the desk knows of the hall: how it stands, its cases and its paper rolls, kept fresh while the page is open. */
import { api, useLive, type Case, type CaseView, type HallState, type ManagerPicture, type Me, type Roll } from '@jiaohao/lib'
import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'

/** The state follows the hall, but a busy hall must not ask for it all the time. */
const STATE_EVERY_MS = 2_000
/** Waits grow and cases change without a picture of the board. */
const ANYHOW_EVERY_MS = 10_000

export function useDesk(hall: Ref<string | null>, me: Ref<Me | null>) {
  const live = useLive(hall, () => (me.value === null ? null : 'board'))
  const state = shallowRef<HallState | null>(null)
  const cases = shallowRef<CaseView[]>([])
  const rolls = shallowRef<ManagerPicture['rolls']>([])
  /** Goes up with every renewal: what hangs on it looks again. */
  const turn = ref(0)

  async function renew(): Promise<void> {
    const at = hall.value
    if (at === null || me.value === null) return
    try {
      const [stands, listed, hung] = await Promise.all([api.state(at), api.cases(at), api.rolls(at)])
      if (hall.value !== at) return
      state.value = stands
      cases.value = listed.cases.filter((one) => one.kind !== 'rating' && ['open', 'handed_over'].includes(one.status)).map(viewOf)
      rolls.value = hung.rolls.map(rollOf)
      turn.value += 1
    } catch {
      // The banner says that the line is lost; what was known stays.
    }
  }

  /** The list of cases names agents by their work id; only the own name is known here. */
  function viewOf(one: Case): CaseView {
    const agent = one.agent
    return {
      ...one,
      agent: agent === null ? null : { work_id: agent, name: agent === me.value?.work_id ? (me.value.name ?? agent) : agent },
      service: one.service_name ?? (one.matter === '' ? null : { zh: one.matter }),
      clerk: one.clerk === null ? null : { work_id: one.clerk, name: one.clerk },
      appeal: null, // appeals are about grades, and those are the managers'
      appeal_reason: null,
    }
  }

  let timer: ReturnType<typeof setTimeout> | undefined
  function renewSoon(): void {
    timer ??= setTimeout(() => {
      timer = undefined
      void renew()
    }, STATE_EVERY_MS)
  }
  watch(live.data, (picture) => {
    if (picture === null) return
    if (state.value === null) void renew()
    else renewSoon()
  })
  watch([hall, me], () => {
    state.value = null
    cases.value = []
    rolls.value = []
    void renew()
  })
  const anyhow = setInterval(() => void renew(), ANYHOW_EVERY_MS)
  onScopeDispose(() => {
    clearTimeout(timer)
    clearInterval(anyhow)
  })

  const day = computed(() => state.value?.business_day ?? null)
  return { live, state, cases, rolls, day, turn, renew }
}

function rollOf(one: Roll): ManagerPicture['rolls'][number] {
  return { prefix: one.prefix, service: one.service, name: one.name, label: one.label, last: `${one.prefix}${String(one.last).padStart(3, '0')}` }
}
