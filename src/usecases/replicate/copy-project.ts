import { AppError, mapInOrder, randomHex, textOf } from '#base'
import type { CopyBeginning } from '#catalog'
import { copySnapshots, type CopyProgress } from '#engine'
import { getVault, type CopyRecord, type Finding, type Project } from '#model'
import { usecaseError } from '../errors.ts'
import type { Services } from '../services.ts'
import { keepLocked } from '../vaults/keep-locked.ts'
import { recordAll } from '../vaults/known-snapshots.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { openVault, type OpenedVault } from '../vaults/open-vault.ts'
import { findLeftOut } from './left-out.ts'

export interface CopyRequest {
  readonly project: Project
  /** The vault that is copied; default: the one that runs write to. */
  readonly from?: string
  /** The vaults that are brought up to date. */
  readonly to: readonly string[]
  /** Share of what is sent that is read back, 0 to 1. Default: 1. */
  readonly verify?: number
  /** The run after which it is made. */
  readonly run?: string
}

/** What became of the copy of one project in one vault. */
export interface CopyReport {
  readonly project: string
  readonly from: string
  readonly vault: string
  readonly status: 'complete' | 'failed'
  /** Snapshots that came new into the vault. */
  readonly snapshots: number
  readonly bytesAdded: number
  /** Share of what was sent that was to be read back, 0 to 1. */
  readonly verified: number
  readonly seconds: number
  readonly findings: readonly Finding[]
  readonly error?: AppError
}

type Needed = PlaceServices & Pick<Services, 'catalog' | 'memoryOf' | 'progress'>

/** Vaults that get their copies at the same time. They share the processors, and so the memory. */
const mostAtOnce = 4

/** Brings the vaults up to date that get a copy after each run: those without a schedule of their own. */
export function copyAfterRun(
  services: Needed,
  project: Project,
  run: string,
  signal: AbortSignal,
): Promise<CopyReport[]> {
  const to = project.copies.flatMap((copying) => (copying.schedule ? [] : [copying.to]))
  return copyProject(services, { project, to, run }, signal)
}

/**
 * Copies the snapshots of a project that vaults have not got, to up to four vaults at once. A vault that fails keeps none
 * of the others from getting theirs. Each copy is recorded as begun and as ended, and none is made to a vault to which one
 * is being made already.
 *
 * @returns a report for each vault, in the order of the request.
 * @throws errors of the catalog; the signal's reason.
 */
export async function copyProject(services: Needed, request: CopyRequest, signal: AbortSignal): Promise<CopyReport[]> {
  const { project, to, from = project.vault } = request
  await services.catalog.copies.closeAbandoned(services.clock.now())
  await using sources = new AsyncDisposableStack()
  let opening: Promise<OpenedVault> | undefined
  const source = (): Promise<OpenedVault> =>
    (opening ??= openVault(services, getVault(services.configuration, from), project.name, signal).then((opened) =>
      sources.use(opened),
    ))
  const copying = new CopyingProject(services, { ...request, from }, source)
  return await Array.fromAsync(mapInOrder(inTurn(to), (vault) => copying.copyTo(vault, signal), mostAtOnce))
}

async function* inTurn<T>(list: readonly T[]): AsyncGenerator<T, void, void> {
  yield* list
}

class CopyingProject {
  readonly #services: Needed
  readonly #request: CopyRequest & { readonly from: string; readonly verify: number }
  readonly #source: () => Promise<OpenedVault>

  /** @param source - gives the same vault each time. */
  constructor(services: Needed, request: CopyRequest & { readonly from: string }, source: () => Promise<OpenedVault>) {
    this.#services = services
    this.#request = { verify: 1, ...request }
    this.#source = source
  }

  async copyTo(to: string, signal: AbortSignal): Promise<CopyReport> {
    signal.throwIfAborted()
    const { catalog, clock } = this.#services
    const { project, from, run } = this.#request
    const began = clock.monotonic()
    const startedAt = clock.now()
    const copy = { id: randomHex(8), project: project.name, from, to, startedAt, ...(run !== undefined && { run }) }
    const other = await catalog.copies.begin(copy)
    if (other) return this.#failed(to, inProgress(other), began)
    let report: CopyReport
    try {
      report = await this.#perform(to, began, signal)
    } catch (thrown) {
      report = this.#failed(to, thrown, began)
      await this.#keep(copy, report, signal)
      if (!(thrown instanceof AppError) || signal.aborted) throw thrown
      return report
    }
    await this.#keep(copy, report, signal)
    return report
  }

  async #perform(to: string, began: number, signal: AbortSignal): Promise<CopyReport> {
    const { catalog, clock, configuration } = this.#services
    const { project, from, verify } = this.#request
    const source = await this.#source()
    const vault = getVault(configuration, to)
    await using target = await openVault(this.#services, vault, project.name, signal)
    const options = {
      snapshots: 'all',
      without: await findLeftOut(this.#services, project, from, to),
      verify,
      atOnce: Math.min(this.#request.to.length, mostAtOnce),
      onProgress: (progress: CopyProgress) => this.#tell(to, progress),
    } as const
    const result = await copySnapshots(source.repository, target.repository, options, signal)
    const unlocked = await keepLocked(this.#services, target, project, signal)
    await recordAll(this.#services, target.repository, vault, project.name, signal)
    for (const pair of [...result.copied, ...result.present]) {
      const sourceKey = { vault: from, project: project.name, id: pair.source }
      await catalog.snapshots.markCopied(sourceKey, { vault: to, project: project.name, id: pair.target })
    }
    const findings = [...result.findings.map((finding) => ({ ...this.#about(to), ...finding })), ...unlocked]
    // because what is not locked as it should be is made up by the next copy, as what is missing is
    const isWhole = unlocked.length === 0 && findings.every(({ severity }) => severity !== 'damage')
    return {
      ...this.#about(to),
      from,
      status: isWhole ? 'complete' : 'failed',
      snapshots: result.copied.length,
      bytesAdded: result.bytesAdded,
      verified: verify,
      seconds: (clock.monotonic() - began) / 1000,
      findings,
    }
  }

  #tell(to: string, { phase, trees, bytesRead, bytesToRead }: CopyProgress): void {
    const verb = { looking: 'comparing with', copying: 'copying to', verifying: 'reading back from' }[phase]
    const label = `${this.#request.project.name}: ${verb} ${to}`
    const { progress } = this.#services
    if (phase === 'looking') progress({ label, done: trees, unit: 'items', detail: 'folders' })
    else progress({ label, done: bytesRead, total: bytesToRead, unit: 'bytes' })
  }

  #about(vault: string): { project: string; vault: string } {
    return { project: this.#request.project.name, vault }
  }

  #failed(to: string, thrown: unknown, began: number): CopyReport {
    const finding: Finding = { ...this.#about(to), subject: `copy to ${to}`, severity: 'warning', text: textOf(thrown) }
    return {
      ...this.#about(to),
      from: this.#request.from,
      status: 'failed',
      snapshots: 0,
      bytesAdded: 0,
      verified: this.#request.verify,
      seconds: (this.#services.clock.monotonic() - began) / 1000,
      findings: [finding],
      ...(thrown instanceof AppError && { error: thrown }),
    }
  }

  async #keep(copy: CopyBeginning, report: CopyReport, signal: AbortSignal): Promise<void> {
    const { catalog, clock } = this.#services
    const { project, from, to, run } = copy
    const { snapshots, bytesAdded, verified, findings } = report
    const endedAt = clock.now()
    const isCut = signal.aborted && report.status === 'failed'
    const status: CopyRecord['status'] = isCut ? 'cancelled' : report.status
    await catalog.copies.end(copy, { status, endedAt, snapshots, bytesAdded, verified, findings })
    const because = status === 'complete' ? '' : `: ${findings[0]?.text ?? 'it was interrupted'}`
    const text = `Copy from ${from} to ${to} ${status}, ${snapshots} new${because}`
    const level = status === 'complete' ? 'info' : 'error'
    await catalog.log.add({ time: endedAt, kind: 'copy', level, text, project, ...(run !== undefined && { run }) })
  }
}

function inProgress({ project, to, startedAt }: CopyBeginning): AppError {
  return usecaseError('copy.in-progress', { project, vault: to, since: new Date(startedAt).toISOString() })
}
