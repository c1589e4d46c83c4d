/** The picture that the server put into the page (`server/web/first.py`): shown before the live line is open. */
import './first.css'
import type { FirstPicture, TicketPicture } from '@jiaohao/lib'

/** Give it, undefined where there is none: an unknown ticket, or a page served otherwise. */
export function firstPicture(): FirstPicture<TicketPicture> | undefined {
  const block = document.getElementById('first')?.textContent
  return block ? (JSON.parse(block) as FirstPicture<TicketPicture>) : undefined
}
