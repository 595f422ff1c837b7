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
  /** Awaited before anything changes that others see: at once, but for a step that is begun early. Rejects when its turn never comes. */
  readonly mayChange: () => Promise<void>
  /** Says that the step fails and has left everything as it was. */
  readonly takenBack: () => void
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

/** Steps that are begun here, beside each other, and wait before they change anything until their turn comes further down. */
export interface Early {
  readonly early: readonly Action[]
}

interface Failure {
  /** Of the step. */
  readonly name: string
  readonly thrown: unknown
}

/** A step that was begun early. */
class EarlyStep {
  readonly #turn = Promise.withResolvers<void>()
  readonly #waits = Promise.withResolvers<void>()
  readonly #ended: Promise<ActionOutcome>

  constructor(perform: (mayChange: Way['mayChange']) => Promise<ActionOutcome>, signal: AbortSignal) {
    signal.addEventListener('abort', () => this.#turn.reject(signal.reason), { once: true })
    this.#turn.promise.catch(() => {}) // because a step may fail before it asks
    this.#ended = perform(async () => {
      this.#waits.resolve()
      await this.#turn.promise
    })
    this.#ended.catch(() => {}) // because it may fail while something else is waited for
  }

  /** Until it waits for its turn, or needs none. @throws why it failed. */
  async untilWaiting(): Promise<void> {
    await Promise.race([this.#waits.promise, this.#ended])
  }

  goOn(): Promise<ActionOutcome> {
    this.#turn.resolve()
    return this.#ended
  }

  async untilEnded(): Promise<void> {
    await this.#ended.catch(() => {})
  }
}

/**
 * Does one step after the other, but for those that go together, and those that are begun early. Each is written down before it is
 * begun and when it is over, so that whoever comes after a kill knows how far it was. Where one fails, those beside it are stopped.
 *
 * @param journal - its id. @throws `restore.stopped` once something was changed, with the state that things are in; before that
 * what a step throws.
 */
export async function performActions(
  services: Pick<Services, 'catalog' | 'clock'>,
  project: Project,
  journal: string,
  actions: readonly (Action | Early | Together)[],
  signal: AbortSignal,
): Promise<Performed> {
  const journals = services.catalog.restoreJournals
  const before = (await journals.find(journal))?.steps ?? []
  const performed = { findings: [] as Finding[], files: 0, bytes: 0, rows: 0 }
  const failures: Failure[] = []
  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  const early = new Map<Action, EarlyStep>()
  const attempt = async (step: Action, perform: () => Promise<unknown>): Promise<boolean> => {
    try {
      await perform()
      return true
    } catch (thrown) {
      failures.push({ name: `${step.kind} ${step.about}`, thrown })
      failed.abort()
      return false
    }
  }
  for (const action of actions) {
    const performRow = async (row: readonly Action[]): Promise<void> => {
      for (const step of row) {
        const isDone = await attempt(step, async () => {
          stop.throwIfAborted()
          const outcome = await (early.get(step)?.goOn() ?? performStep(services, { journal, before }, step, stop))
          performed.findings.push(...(outcome.findings ?? []))
          performed.files += outcome.files ?? 0
          performed.bytes += outcome.bytes ?? 0
          performed.rows += outcome.rows ?? 0
        })
        if (!isDone) return
      }
    }
    const begin = async (step: Action): Promise<void> => {
      const perform = (mayChange: Way['mayChange']): Promise<ActionOutcome> =>
        performStep(services, { journal, before, mayChange }, step, stop)
      const begun = new EarlyStep(perform, stop)
      early.set(step, begun)
      await attempt(step, () => begun.untilWaiting())
    }
    if ('early' in action) await Promise.all(action.early.map(begin))
    else await Promise.all(('together' in action ? action.together : [[action]]).map(performRow))
    const [first] = failures
    if (first === undefined) continue
    for (const step of early.values()) await step.untilEnded()
    await journals.end(journal, signal.aborted ? 'cancelled' : 'failed')
    signal.throwIfAborted()
    throw await explained(services, project, journal, first)
  }
  return performed
}

async function performStep(
  { catalog, clock }: Pick<Services, 'catalog' | 'clock'>,
  {
    journal,
    before,
    mayChange = async () => {},
  }: { readonly journal: string; readonly before: readonly RestoreStep[]; readonly mayChange?: Way['mayChange'] },
  { kind, about, isRepeated = false, perform }: Action,
  signal: AbortSignal,
): Promise<ActionOutcome> {
  const write = (step: RestoreStep): Promise<void> => catalog.restoreJournals.write(journal, step)
  const known = before.find((step) => step.kind === kind && step.about === about)
  if (known?.state === 'done' && !isRepeated) return {}
  let step: RestoreStep = { kind, about, state: 'begun', beganAt: clock.now() }
  if (known?.wayBack !== undefined) step = { ...step, wayBack: known.wayBack }
  await write(step)
  let isTakenBack = false
  try {
    const keep = async (wayBack: WayBack): Promise<void> => {
      step = { ...step, wayBack: JSON.stringify(wayBack) }
      await write(step)
    }
    const takenBack = (): void => void (isTakenBack = true)
    const way = {
      keep,
      mayChange,
      takenBack,
      ...(known?.wayBack !== undefined && { known: JSON.parse(known.wayBack) as WayBack }),
    }
    const outcome = await perform(way, signal)
    const text = outcome.text === undefined ? {} : { text: outcome.text }
    await write({ ...step, ...text, state: 'done', endedAt: clock.now() })
    return outcome
  } catch (thrown) {
    const text = signal.aborted ? 'it was stopped' : textOf(thrown)
    await write({ ...step, state: isTakenBack ? 'undone' : 'failed', endedAt: clock.now(), text })
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
