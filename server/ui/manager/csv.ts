/** A table for a spreadsheet: UTF-8 with its mark, and what begins like a formula stays text. */

export function csvOf(lines: readonly (readonly string[])[]): string {
  const quoted = (cell: string) => `"${(/^[=+\-@\t]/.test(cell) ? `'${cell}` : cell).replace(/"/g, '""')}"`
  return `\ufeff${lines.map((line) => line.map(quoted).join(',')).join('\r\n')}\r\n`
}

export function saveAs(name: string, content: string, type = 'text/csv'): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([content], { type: `${type};charset=utf-8` }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000)
}
