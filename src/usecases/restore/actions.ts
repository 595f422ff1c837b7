import { AppError, textOf } from '#base'
import {
  describeStanding,
  hasChanged,
  type Finding,
  type Project,
  type RestoreStep,
  type RestoreStepKind,
} from '#model'
import type { WayBack } from '#sources'
import { usecaseError } from '../errors.ts'
import type { Services } from '../services.ts'

/** What one step came to. */
export interface ActionOutcome {
  readonly findings?: readonly Finding[]
  /** Files that were written. */
  readonly files?: number
  readonly bytes?: number
  readonly rows?: number
  /** Why it was not done, though nothing failed. */
  readonly text?: string
}

/** How a step can be gone back on. */
export interface Way {
  /** Writes down how to go back, before the first change. */
  readonly keep: (wayBack: WayBack) => Promise<void>
  /** What an earlier attempt that was cut off wrote down. */
  readonly known?: WayBack
}

/** One step of a restore. `kind` and `about` name it: whoever goes on with the restore passes over those that are done. */
export interface Action {
  readonly kind: RestoreStepKind
  readonly about: string
  /** Done anew by whoever goes on: it proves something, and changes nothing. */
  readonly isRepeated?: boolean
  readonly perform: (way: Way, signal: AbortSignal) => Promise<ActionOutcome>
}

export interface Performed {
  readonly findings: readonly Finding[]
  readonly files: number
  readonly bytes: number
  readonly rows: number
}

/** Rows of steps that are done beside each other, because none touches what another does; within a row one after the other. */
export interface Together {
  readonly together: readonly (readonly Action[])[]
}

interface Failure {
  /** Of the step. */
  readonly name: string
  readonly thrown: unknown
}

/**
 * Does one step after the other, but for those that go together. Each is written down before it is begun and when it is over, so that
 * whoever comes after a kill knows how far it was. Where one fails, those beside it are stopped.
 *
 * @param journal - its id. @throws `restore.stopped` once something was changed, with the state that things are in; before that
 * what a step throws.
 */
export async function performActions(
  services: Pick<Services, 'catalog' | 'clock'>,
  project: Project,
  journal: string,
  actions: readonly (Action | Together)[],
  signal: AbortSignal,
): Promise<Performed> {
  const journals = services.catalog.restoreJournals
  const before = (await journals.find(journal))?.steps ?? []
  const performed = { findings: [] as Finding[], files: 0, bytes: 0, rows: 0 }
  for (const action of actions) {
    const failures: Failure[] = []
    const failed = new AbortController()
    const stop = AbortSignal.any([signal, failed.signal])
    const performRow = async (row: readonly Action[]): Promise<void> => {
      for (const step of row) {
        const name = `${step.kind} ${step.about}`
        try {
          stop.throwIfAborted()
          const outcome = await performStep(services, { journal, before }, step, stop)
          performed.findings.push(...(outcome.findings ?? []))
          performed.files += outcome.files ?? 0
          performed.bytes += outcome.bytes ?? 0
          performed.rows += outcome.rows ?? 0
        } catch (thrown) {
          failures.push({ name, thrown })
          failed.abort()
          return
        }
      }
    }
    await Promise.all(('together' in action ? action.together : [[action]]).map(performRow))
    const [first] = failures
    if (first === undefined) continue
    await journals.end(journal, signal.aborted ? 'cancelled' : 'failed')
    signal.throwIfAborted()
    throw await explained(services, project, journal, first)
  }
  return performed
}

async function performStep(
  { catalog, clock }: Pick<Services, 'catalog' | 'clock'>,
  { journal, before }: { readonly journal: string; readonly before: readonly RestoreStep[] },
  { kind, about, isRepeated = false, perform }: Action,
  signal: AbortSignal,
): Promise<ActionOutcome> {
  const write = (step: RestoreStep): Promise<void> => catalog.restoreJournals.write(journal, step)
  const known = before.find((step) => step.kind === kind && step.about === about)
  if (known?.state === 'done' && !isRepeated) return {}
  let step: RestoreStep = { kind, about, state: 'begun', beganAt: clock.now() }
  if (known?.wayBack !== undefined) step = { ...step, wayBack: known.wayBack }
  await write(step)
  try {
    const keep = async (wayBack: WayBack): Promise<void> => {
      step = { ...step, wayBack: JSON.stringify(wayBack) }
      await write(step)
    }
    const way = { keep, ...(known?.wayBack !== undefined && { known: JSON.parse(known.wayBack) as WayBack }) }
    const outcome = await perform(way, signal)
    const text = outcome.text === undefined ? {} : { text: outcome.text }
    await write({ ...step, ...text, state: 'done', endedAt: clock.now() })
    return outcome
  } catch (thrown) {
    const text = signal.aborted ? 'it was stopped' : textOf(thrown)
    await write({ ...step, state: 'failed', endedAt: clock.now(), text })
    throw thrown
  }
}

/** A fault of ours stays what it is; so does what stopped a restore before it changed anything. */
async function explained(
  { catalog }: Pick<Services, 'catalog'>,
  project: Project,
  id: string,
  { name, thrown }: Failure,
): Promise<unknown> {
  const journal = await catalog.restoreJournals.find(id)
  if (!(thrown instanceof AppError) || !journal || !hasChanged(journal)) return thrown
  const standing = [thrown.hint, ...describeStanding(journal)].join('\n')
  return usecaseError(
    'restore.stopped',
    { project: project.name, step: name, reason: thrown.message, standing },
    thrown,
  )
}
