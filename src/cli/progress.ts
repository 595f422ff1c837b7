import { formatBytes, formatCount, formatSeconds, type Clock } from '#base'
import { printable, type Terminal } from './terminal.ts'
import { shorten, widthOf } from './width.ts'

/** How far a piece of work is. */
export interface ProgressReport {
  /** What is being done, as a short phrase: `shop: reading files`. */
  readonly label: string
  readonly done: number
  /** Absent: nobody knows. */
  readonly total?: number
  readonly unit: 'bytes' | 'items'
  /** What is in hand at this moment, for example a path. */
  readonly detail?: string
}

const drawEveryMs = 100
const tellEveryMs = 10_000
/** Of several pieces of work that go on at once, each has the bar for so long, … */
const turnMs = 2000
/** … unless the one that has it says nothing any more. */
const silentMs = 500

/** One piece of work. */
interface Task {
  readonly startedAt: number
  shownAt: number
  reportedAt: number
  done: number
}

/** Shows reports on standard error: a bar on a terminal, a line every ten seconds elsewhere. */
export class ProgressDisplay {
  readonly #terminal: Terminal
  readonly #clock: Clock
  /** By label. */
  readonly #tasks = new Map<string, Task>()
  /** Which one has the bar, and since when. */
  #turn: { readonly task: Task; readonly since: number } | undefined
  #drawn = false

  constructor(terminal: Terminal, clock: Clock) {
    this.#terminal = terminal
    this.#clock = clock
  }

  report(report: ProgressReport): void {
    const now = this.#clock.monotonic()
    const columns = this.#terminal.errColumns
    const task = this.#taskOf(report, now)
    if (columns !== undefined && !this.#hasTurn(task, now)) return
    if (now - task.shownAt < (columns === undefined ? tellEveryMs : drawEveryMs)) return
    task.shownAt = now
    const seconds = (now - task.startedAt) / 1000
    if (columns === undefined) {
      this.#terminal.err(`${printable(describe(report, seconds))}\n`)
    } else {
      this.#terminal.err(`\r${bar(report, seconds, columns - 1)}\x1b[K`)
      this.#drawn = true
    }
  }

  /** Takes the bar away, so that a line can be written; the next report draws it again. */
  clear(): void {
    if (this.#drawn) this.#terminal.err('\r\x1b[K')
    this.#drawn = false
    if (this.#terminal.errColumns !== undefined && this.#turn) this.#turn.task.shownAt = -Infinity
  }

  /** Work that goes back has begun anew. */
  #taskOf({ label, done }: ProgressReport, now: number): Task {
    let task = this.#tasks.get(label)
    if (!task || done < task.done) {
      // Because work that is done within the first ten seconds needs no line in a log.
      const shownAt = this.#terminal.errColumns === undefined ? now : -Infinity
      task = { startedAt: now, shownAt, reportedAt: now, done }
      this.#tasks.set(label, task)
    }
    task.reportedAt = now
    task.done = done
    return task
  }

  #hasTurn(task: Task, now: number): boolean {
    const turn = this.#turn
    if (turn?.task === task) return true
    if (turn && now - turn.since < turnMs && now - turn.task.reportedAt < silentMs) return false
    this.#turn = { task, since: now }
    return true
  }
}

/** `shop: reading files 45%, 1.2 GB of 2.7 GB, 120 MB/s, 12 s left`. */
export function describe(report: ProgressReport, seconds: number): string {
  const { label, done, total, unit } = report
  const show = (value: number): string => (unit === 'bytes' ? formatBytes(value) : formatCount(value))
  const parts = [total === undefined ? show(done) : `${show(done)} of ${show(total)}`]
  const rate = seconds > 1 ? done / seconds : 0
  if (rate > 0 && unit === 'bytes') parts.push(`${formatBytes(rate)}/s`)
  if (rate > 0 && total !== undefined && total > done) parts.push(`${formatSeconds((total - done) / rate)} left`)
  return total === undefined ? `${label} ${parts.join(', ')}` : `${label} ${percent(done, total)}%, ${parts.join(', ')}`
}

function percent(done: number, total: number): number {
  return total <= 0 ? 100 : Math.min(100, Math.floor((done / total) * 100))
}

/** One line of at most `columns`: the description, a bar when there is room, and what is in hand. */
function bar(report: ProgressReport, seconds: number, columns: number): string {
  const text = printable(describe(report, seconds))
  const room = columns - widthOf(text) - 1
  if (report.total !== undefined && room >= 12) {
    const width = Math.min(30, room - 2)
    const full = Math.round((percent(report.done, report.total) / 100) * width)
    const drawn = `[${'#'.repeat(full)}${'-'.repeat(width - full)}] ${text}`
    return withDetail(drawn, report, columns)
  }
  return withDetail(text, report, columns)
}

function withDetail(line: string, { detail }: ProgressReport, columns: number): string {
  const room = columns - widthOf(line) - 2
  if (detail === undefined || room < 12) return shorten(line, columns)
  return `${line}  ${shorten(printable(detail.replaceAll('\n', ' ')), room)}`
}
