/** Words of any length on a screen of one size: how wide they are, and how large they may be to fill it and fit. */

/** What an emergency may cover: a landscape or portrait screen without its border, in square rem. */
const AREA = 176 * 84
const LINE_HEIGHT = 1.3
/** Lines end where words do; what is left of them is lost. */
const FILLED = 0.75
const LARGEST_REM = 9
const SMALLEST_REM = 3
/** The second language's size beside the first's; the style sheet says the same. */
const ALSO = 0.55

/** Give the width of words in ems: Chinese signs are one wide, letters about half of that. */
export function widthOf(words: string): number {
  return [...words].reduce((sum, sign) => sum + (sign > '\u2e7f' ? 1 : 0.53), 0)
}

/** Give the size (rem) at which these words and those of the second language below them fill the screen and fit it. */
export function fitted([words, also]: readonly [string, string]): number {
  const ems = widthOf(words) + widthOf(also) * ALSO * ALSO
  const size = Math.sqrt((AREA * FILLED) / (LINE_HEIGHT * Math.max(1, ems)))
  return Math.round(Math.min(LARGEST_REM, Math.max(SMALLEST_REM, size)) * 10) / 10
}
