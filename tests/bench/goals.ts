import { formatBytes } from '#base'
import { judged } from './gate.ts'
import type { Outcome } from './outcomes.ts'

/** What Bewaar wants to reach at full size, on two cores. */
interface Goal {
  /** Cases whose name is this, or ends so when it begins with a star. */
  readonly case: string
  readonly most: number
  /** By the same of this program; else as it is. */
  readonly than?: string
  /** Default: seconds. */
  readonly of?: 'stored' | 'memory'
}

const tar = 'tar|zstd|age'

const goals: readonly Goal[] = [
  { case: 'uploads, first', most: 0.45, than: 'restic' },
  { case: 'uploads, first', most: 1.15, than: tar },
  { case: 'small, first', most: 0.45, than: 'restic' },
  { case: 'sql, first', most: 0.5, than: 'restic' },
  { case: 'sql, first', most: 1.3, than: tar },
  { case: 'database, first', most: 0.6, than: 'restic' },
  { case: 'database, first', most: 1.1, than: tar },
  { case: 'both, unchanged', most: 0.15, than: 'restic' },
  { case: 'both, unchanged', most: 1, than: 'rsync' },
  { case: 'both, day 2', most: 0.25, than: 'restic' },
  { case: 'database, day 2', most: 0.4, than: 'restic', of: 'stored' },
  { case: 'uploads, restore', most: 0.45, than: 'restic' },
  { case: 'small, restore', most: 0.5, than: 'restic' },
  { case: '*, check', most: 0.6, than: 'restic' },
  { case: '*, first', most: 1.02, than: 'restic', of: 'stored' },
  { case: '*', most: 350e6, of: 'memory' },
  { case: 'start, help', most: 0.15 },
  { case: 'start, list', most: 0.3 },
]

/** Lines of a table: what was wanted of each case, and what was reached. */
export function tableOfGoals(outcomes: readonly Outcome[]): string[] {
  const lines = goals.flatMap((goal) =>
    outcomes
      .filter((outcome) => outcome.program === judged && isMeant(goal, outcome.case))
      .flatMap((outcome) => lineOf(goal, outcome) ?? []),
  )
  return ['| work | what | goal | reached | |', '|---|---|---:|---:|---|', ...lines]
}

function isMeant({ case: meant }: Goal, name: string): boolean {
  return meant.startsWith('*') ? name.endsWith(meant.slice(1)) : name === meant
}

function lineOf(goal: Goal, outcome: Outcome): string | undefined {
  const reached = reachedOf(goal, outcome)
  if (reached === undefined) return undefined
  const show = (value: number): string =>
    goal.of === 'memory' ? formatBytes(value) : `${value.toFixed(2)}${goal.than === undefined ? ' s' : ''}`
  const what = `${goal.of ?? 'seconds'}${goal.than === undefined ? '' : ` of ${goal.than.replaceAll('|', ' ')}`}`
  return `| ${outcome.case} | ${what} | ${show(goal.most)} | ${show(reached)} | ${reached <= goal.most ? 'reached' : ''} |`
}

function reachedOf({ than, of }: Goal, outcome: Outcome): number | undefined {
  if (of === 'memory') return outcome.peak
  if (than === undefined) return outcome.seconds
  const ratios = outcome.ratios[than]
  return of === 'stored' ? ratios?.stored : ratios?.seconds.median
}
