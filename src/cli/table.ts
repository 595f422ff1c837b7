import { printable } from './terminal.ts'
import { isPlain, shorten, widthOf } from './width.ts'

export interface Column {
  readonly title: string
  /** Default: left. */
  readonly align?: 'left' | 'right'
  /** May be cut when the terminal is narrow; one column at most. */
  readonly shrink?: boolean
}

const gap = '  '
const narrowest = 8

/** Rows under their titles, as wide as they need; where `width` is less, the column that may shrink is cut. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width = Infinity): string[] {
  const isAllPlain = columns.every(({ title }) => isPlain(title)) && rows.every((row) => row.every(isPlain))
  const cells = isAllPlain ? rows : rows.map((row) => row.map((cell) => printable(cell.replaceAll('\n', ' '))))
  // without looking at each character again, which takes most of the time of a long table
  const columnsOf = (text: string): number => (isAllPlain ? text.length : widthOf(text))
  const widths = columns.map(({ title }, index) => {
    let widest = columnsOf(title)
    for (const row of cells) widest = Math.max(widest, columnsOf(row[index] ?? ''))
    return widest
  })
  const needed = widths.reduce((sum, one) => sum + one, gap.length * (columns.length - 1))
  const shrinking = columns.findIndex((column) => column.shrink)
  if (needed > width && shrinking >= 0) {
    widths[shrinking] = Math.max(narrowest, widths[shrinking]! - (needed - width))
  }
  const line = (row: readonly string[]): string => {
    let text = ''
    for (let index = 0; index < columns.length; index++) {
      const whole = row[index] ?? ''
      const cell = index === shrinking ? shorten(whole, widths[index]!) : whole
      const space = ' '.repeat(widths[index]! - columnsOf(cell))
      text += (index > 0 ? gap : '') + (columns[index]!.align === 'right' ? space + cell : cell + space)
    }
    return text.trimEnd()
  }
  return [line(columns.map(({ title }) => title)), ...cells.map(line)]
}
