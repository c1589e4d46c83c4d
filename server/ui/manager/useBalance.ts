/** Heat, forecast and suggestions of a hall, read again while somebody looks. */
import { api, problemText, type Balance } from '@jiaohao/lib'
import { onScopeDispose, ref, shallowRef, type Ref } from 'vue'

/** The picture moves with every call; more often than this nobody can read it. */
const EVERY_MS = 5_000

export interface BalanceNow {
  balance: Readonly<Ref<Balance | null>>
  /** Why it cannot be read now, in a sentence; empty when it can. */
  problem: Ref<string>
  /** Read it at once. */
  read: () => Promise<void>
}

/** Follow the balance of a hall while the calling component lives. */
export function useBalance(hall: () => string): BalanceNow {
  const balance = shallowRef<Balance | null>(null)
  const problem = ref('')
  let timer: ReturnType<typeof setTimeout> | undefined
  let over = false
  let asked = 0

  async function read(): Promise<void> {
    clearTimeout(timer)
    const mine = ++asked
    try {
      const told = await api.balance(hall())
      if (mine !== asked) return
      balance.value = told
      problem.value = ''
    } catch (error) {
      if (mine === asked) problem.value = problemText(error)
    }
    if (mine === asked && !over) timer = setTimeout(() => void read(), EVERY_MS)
  }
  void read()
  onScopeDispose(() => {
    over = true
    asked++
    clearTimeout(timer)
  })
  return { balance, problem, read }
}
