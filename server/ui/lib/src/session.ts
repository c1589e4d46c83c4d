/** The end of a person's session on a page. */
import { api } from './api'

/** Sign out and go to the sign-in page; `back` is where who signs in next is led, otherwise to the page of their work. */
export async function signOut(back?: string): Promise<void> {
  await api.logout().catch(() => undefined)
  location.replace(back === undefined ? '/login' : `/login?to=${back}`)
}
