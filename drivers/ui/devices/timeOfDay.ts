/** Give an instant as the clock of this machine shows it, "09:05:07"; the bench stands on the same machine. */
export function timeOfDay(instant: string): string {
  return new Date(instant).toLocaleTimeString('en-GB')
}
