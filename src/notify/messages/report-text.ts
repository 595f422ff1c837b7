import type { ReportView } from './report-view.ts'

/** The report as text with columns, for terminals and mail programs that show no pictures of it. */
export function reportLines(view: ReportView, width: number): string[] {
  const { organisation, title, words, span, headline, summary } = view
  const { columns, heads } = words
  return [
    `${organisation === '' ? '' : `${organisation} – `}${title}`,
    span,
    '',
    ...wrapped(`${view.isWell ? '✓' : '⚠'} ${headline}`, width, '  '),
    ...wrapped(summary, width, '  ', '  '),
    ...section(heads.trouble, troubleLines(view, width)),
    ...section(heads.projects, table(projectColumns(columns), view.projects.map(projectCells), width)),
    ...section(
      heads.copies,
      table(
        placeColumns(columns),
        view.projects.flatMap(({ name, places }) =>
          places.map(({ vault, newest, oldest, copies, failed, readBack }, index) => [
            index === 0 ? name : '',
            vault,
            newest,
            oldest,
            copies,
            failed,
            readBack,
          ]),
        ),
        width,
      ),
    ),
    ...view.notes.flatMap((note) => wrapped(note, width, '  ')),
    ...section(heads.storage, table(vaultColumns(columns), view.vaults.map(vaultCells), width)),
    ...section(
      heads.incidents,
      view.incidents.flatMap(({ text, when }) => [...wrapped(text, width, '  '), ...wrapped(when, width, '  ', '  ')]),
    ),
    '',
    ...view.footer.flatMap((line) => wrapped(line, width, '')),
  ]
}

/** Because a telephone shows little. */
const mostBriefed = 10

/** The first lines of the report, and what is wrong: one line each. */
export function reportBrief({ isWell, headline, summary, troubles }: ReportView): string[] {
  return [
    `${isWell ? '✓' : '⚠'} ${headline}`,
    summary,
    ...troubles.slice(0, mostBriefed).map(({ name, marks, reasons }) => {
      const [first] = reasons
      return `• ${name} (${marks})${first ? `: ${first.text}` : ''}`
    }),
  ]
}

function section(head: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', head.toUpperCase(), ...lines]
}

function troubleLines({ troubles }: ReportView, width: number): string[] {
  return troubles.flatMap(({ name, marks, reasons, facts }) => [
    ...wrapped(`${name}: ${marks}`, width, '  '),
    ...reasons.flatMap(({ text, advice }) => [
      ...wrapped(`- ${text}`, width, '    ', '  '),
      ...wrapped(advice, width, '    ', '    '),
    ]),
    ...facts.flatMap((fact) => wrapped(fact, width, '    ', '  ')),
  ])
}

interface Column {
  readonly title: string
  readonly isNumber?: boolean
}

type Titles = ReportView['words']['columns']

function projectColumns(titles: Titles): Column[] {
  return [
    { title: titles.project },
    { title: titles.size, isNumber: true },
    { title: titles.growth, isNumber: true },
    { title: titles.result },
    { title: titles.newest },
    { title: titles.made, isNumber: true },
    { title: titles.took, isNumber: true },
  ]
}

function projectCells({ name, size, growth, result, newest, made, took }: ReportView['projects'][number]): string[] {
  return [name, size, growth, result, newest, made, took]
}

function placeColumns(titles: Titles): Column[] {
  return [
    { title: titles.project },
    { title: titles.vault },
    { title: titles.newest },
    { title: titles.oldest },
    { title: titles.copies, isNumber: true },
    { title: titles.failed, isNumber: true },
    { title: titles.readBack, isNumber: true },
  ]
}

function vaultColumns(titles: Titles): Column[] {
  return [
    { title: titles.vault },
    { title: '' },
    { title: titles.used, isNumber: true },
    { title: titles.free, isNumber: true },
    { title: titles.day, isNumber: true },
    { title: titles.full },
    { title: titles.month, isNumber: true },
  ]
}

function vaultCells({ vault, where, used, free, growth, full, month }: ReportView['vaults'][number]): string[] {
  return [vault, where, used, free, growth, full, month]
}

const narrowest = 8
/** What can be read with ease, however wide the terminal is. */
const longestLine = 100

/** Nothing where there are no rows. The first column gives way where it is too wide; a column that is empty is left out. */
function table(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  if (rows.length === 0) return []
  const shown = columns.flatMap((column, index) => (rows.some((row) => row[index] !== '') ? [{ column, index }] : []))
  const widths = shown.map(({ column, index }) =>
    Math.max(...[column.title, ...rows.map((row) => row[index]!)].map(widthOf)),
  )
  const needed = widths.reduce((sum, one) => sum + one + 2, -2)
  if (needed > width) widths[0] = Math.max(narrowest, widths[0]! - (needed - width))
  const line = (cells: readonly string[]): string =>
    shown
      .map(({ column, index }, place) => {
        const cell = cut(cells[index]!, widths[place]!)
        const space = ' '.repeat(Math.max(0, widths[place]! - widthOf(cell)))
        return column.isNumber ? space + cell : cell + space
      })
      .join('  ')
      .trimEnd()
  return [line(columns.map(({ title }) => title)), ...rows.map(line)]
}

function widthOf(text: string): number {
  return graphemesOf(text).length
}

function cut(text: string, width: number): string {
  const characters = graphemesOf(text)
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`
}

/** @param hang - before each line but the first. @param lead - before the first. */
function wrapped(text: string, columns: number, hang: string, lead = ''): string[] {
  const width = Math.min(columns, longestLine)
  const lines: string[] = []
  let line = lead
  let isEmpty = true
  for (const word of text.split(' ')) {
    if (!isEmpty && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line)
      line = hang
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line]
}

let segmenter: Intl.Segmenter | undefined

/** Characters as people count them. */
function graphemesOf(text: string): string[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return Array.from(segmenter.segment(text), ({ segment }) => segment)
}
