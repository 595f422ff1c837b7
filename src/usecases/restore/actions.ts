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

/**
 * Does one step after the other. Each is written down before it is begun and when it is over, so that whoever comes after a kill knows
 * how far it was.
 *
 * @param journal - its id. @throws `restore.stopped` once something was changed, with the state that things are in; before that
 * what a step throws.
 */
export async function performActions(
  services: Pick<Services, 'catalog' | 'clock'>,
  project: Project,
  journal: string,
  actions: readonly Action[],
  signal: AbortSignal,
): Promise<Performed> {
  const { clock } = services
  const journals = services.catalog.restoreJournals
  const before = (await journals.find(journal))?.steps ?? []
  const performed = { findings: [] as Finding[], files: 0, bytes: 0, rows: 0 }
  for (const { kind, about, isRepeated = false, perform } of actions) {
    signal.throwIfAborted()
    const known = before.find((step) => step.kind === kind && step.about === about)
    if (known?.state === 'done' && !isRepeated) continue
    let step: RestoreStep = { kind, about, state: 'begun', beganAt: clock.now() }
    if (known?.wayBack !== undefined) step = { ...step, wayBack: known.wayBack }
    await journals.write(journal, step)
    try {
      const keep = async (wayBack: WayBack): Promise<void> => {
        step = { ...step, wayBack: JSON.stringify(wayBack) }
        await journals.write(journal, step)
      }
      const way = { keep, ...(known?.wayBack !== undefined && { known: JSON.parse(known.wayBack) as WayBack }) }
      const outcome = await perform(way, signal)
      const text = outcome.text === undefined ? {} : { text: outcome.text }
      await journals.write(journal, { ...step, ...text, state: 'done', endedAt: clock.now() })
      performed.findings.push(...(outcome.findings ?? []))
      performed.files += outcome.files ?? 0
      performed.bytes += outcome.bytes ?? 0
      performed.rows += outcome.rows ?? 0
    } catch (thrown) {
      await journals.write(journal, { ...step, state: 'failed', endedAt: clock.now(), text: textOf(thrown) })
      await journals.end(journal, signal.aborted ? 'cancelled' : 'failed')
      signal.throwIfAborted()
      throw await explained(services, project, journal, { name: `${kind} ${about}`, thrown })
    }
  }
  return performed
}

/** A fault of ours stays what it is; so does what stopped a restore before it changed anything. */
async function explained(
  { catalog }: Pick<Services, 'catalog'>,
  project: Project,
  id: string,
  { name, thrown }: { readonly name: string; readonly thrown: unknown },
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
