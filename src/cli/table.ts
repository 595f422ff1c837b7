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
  const cells = rows.map((row) => row.map((cell) => (isPlain(cell) ? cell : printable(cell.replaceAll('\n', ' ')))))
  const widths = columns.map(({ title }, index) =>
    cells.reduce((widest, row) => Math.max(widest, widthOf(row[index] ?? '')), widthOf(title)),
  )
  const needed = widths.reduce((sum, one) => sum + one, gap.length * (columns.length - 1))
  const shrinking = columns.findIndex((column) => column.shrink)
  if (needed > width && shrinking >= 0) {
    widths[shrinking] = Math.max(narrowest, widths[shrinking]! - (needed - width))
  }
  const line = (row: readonly string[]): string =>
    columns
      .map(({ align }, index) => {
        const whole = row[index] ?? ''
        const cell = index === shrinking ? shorten(whole, widths[index]!) : whole
        const space = ' '.repeat(widths[index]! - widthOf(cell))
        return align === 'right' ? space + cell : cell + space
      })
      .join(gap)
      .trimEnd()
  return [line(columns.map(({ title }) => title)), ...cells.map(line)]
}
