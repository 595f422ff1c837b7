import { AppError, formatBytes, randomHex, textOf } from '#base'
import { forgetSnapshots, planPrune, prune, type PruneOptions, type PruneProgress } from '#engine'
import { getVault, vaultsOf, type CleanupMode, type CleanupStop, type Finding, type Project } from '#model'
import { usecaseError } from '../errors.ts'
import { whoOf, type Services } from '../services.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { openVault, type OpenedVault } from '../vaults/open-vault.ts'
import { judgeVault, type VaultSituation } from './situation.ts'

export interface CleanupRequest {
  readonly project: Project
  /** Default: all of the project. */
  readonly vaults?: readonly string[]
  readonly mode: CleanupMode
  /** Only says what would be done. */
  readonly dryRun: boolean
  /** A person has said that the clock is right. Default: nobody has. */
  readonly isClockRight?: boolean
  /** A plan that a person has seen: nothing goes that does not go in it. */
  readonly seen?: CleanupReport
}

/** A snapshot in the plan of a clean-up. */
export interface PlannedSnapshot {
  /** Full id. */
  readonly id: string
  /** The time by which it is counted: milliseconds since 1970, UTC. */
  readonly time: number
  /** Plain size of what it holds. */
  readonly bytes: number
  /** Why it is kept; empty when it goes. */
  readonly reasons: readonly string[]
}

/** What a clean-up came to for one project in one vault. */
export interface VaultCleanup {
  readonly project: string
  readonly vault: string
  /** `planned`: nothing was done, because only the plan was asked for. `stopped`: nothing was done, and `stops` says why. */
  readonly status: 'planned' | 'complete' | 'stopped' | 'failed'
  /** Newest first; also those that are kept. */
  readonly snapshots: readonly PlannedSnapshot[]
  /** Ids of those that went. */
  readonly removed: readonly string[]
  /** Of a plan, what it would free; absent when nobody knows. */
  readonly freedBytes?: number
  /** What stops it, or would stop it. */
  readonly stops: readonly CleanupStop[]
  readonly findings: readonly Finding[]
  readonly seconds: number
  readonly error?: AppError
}

export interface CleanupReport {
  readonly project: string
  /** In the order of the project's vaults. */
  readonly vaults: readonly VaultCleanup[]
}

type Needed = PlaceServices & Pick<Services, 'catalog' | 'hostname' | 'progress' | 'username'>

/**
 * Removes what no rule keeps of a project from its vaults, and frees the space; or says what would be done.
 *
 * What goes is recorded with the reason before it goes. Being killed is harmless: the next clean-up ends the work. A vault that
 * fails keeps none of the others from being cleaned up. The rules, and what stops a clean-up, are in docs/operate/retention.md.
 *
 * @throws `cleanup.no-archive`; errors of the catalog; the signal's reason.
 */
export async function cleanUp(services: Needed, request: CleanupRequest, signal: AbortSignal): Promise<CleanupReport> {
  const { project, mode } = request
  const names = request.vaults ?? vaultsOf(services.configuration, project).map(({ name }) => name)
  if (mode === 'archive') for (const name of names) requireArchive(project, name)
  const vaults: VaultCleanup[] = []
  for (const name of names) vaults.push(await new VaultCleaning(services, request, name).run(signal))
  return { project: project.name, vaults }
}

function requireArchive({ name, keep }: Project, vault: string): void {
  if (keep.get(vault)?.prune !== 'never') throw usecaseError('cleanup.no-archive', { project: name, vault })
}

/** A prune is made up for, when none was for so long: it also removes what killed backups have left. */
const pruneEveryMs = 30 * 24 * 3_600_000
/** So many ids are named in the log; the catalog has all. */
const mostNamed = 5

class VaultCleaning {
  readonly #services: Needed
  readonly #request: CleanupRequest
  readonly #vault: string
  readonly #began: number

  constructor(services: Needed, request: CleanupRequest, vault: string) {
    this.#services = services
    this.#request = request
    this.#vault = vault
    this.#began = services.clock.monotonic()
  }

  async run(signal: AbortSignal): Promise<VaultCleanup> {
    signal.throwIfAborted()
    const { project, mode, dryRun } = this.#request
    try {
      const situation = await judgeVault(this.#services, project, this.#vault, mode, signal)
      const goes = this.#goes(situation)
      if (dryRun) return await this.#preview(situation, goes, signal)
      const stops = this.#inForce(situation.stops)
      if (stops.length > 0) return await this.#stop(situation, goes, stops)
      return await this.#perform(situation, goes, signal)
    } catch (thrown) {
      if (signal.aborted || !(thrown instanceof AppError)) throw thrown
      return await this.#failed(thrown)
    }
  }

  /** What a person was shown is all that may go. */
  #goes({ judged }: VaultSituation): string[] {
    const ids = judged.flatMap(({ snapshot, reasons }) => (reasons.length === 0 ? [snapshot.id] : []))
    const { seen } = this.#request
    if (!seen) return ids
    const shown = seen.vaults.find(({ vault }) => vault === this.#vault)?.snapshots ?? []
    const mayGo = new Set(shown.flatMap(({ id, reasons }) => (reasons.length === 0 ? [id] : [])))
    return ids.filter((id) => mayGo.has(id))
  }

  /** What a person has an answer to does not stop what that person asks for. */
  #inForce(stops: readonly CleanupStop[]): CleanupStop[] {
    const { mode, isClockRight = false } = this.#request
    return stops.filter(({ kind }) => {
      if (kind === 'much') return mode === 'automatic'
      return kind !== 'clock' || !isClockRight
    })
  }

  async #preview(situation: VaultSituation, goes: readonly string[], signal: AbortSignal): Promise<VaultCleanup> {
    const { project } = this.#request
    const base = { ...this.#base(situation), status: 'planned' } as const
    if (goes.length === 0) return { ...base, freedBytes: 0, seconds: this.#seconds() }
    const stops = this.#inForce(situation.stops)
    await using opened = await openVault(this.#services, situation.vault, project.name, signal)
    const { bytesFreed } = await planPrune(
      opened.repository,
      { ...this.#pruneOptions(situation), forget: goes },
      signal,
    )
    return { ...base, stops, freedBytes: bytesFreed, seconds: this.#seconds() }
  }

  /** It is not recorded as a clean-up, so that what was due before it still is when it is looked at again. */
  async #stop(
    situation: VaultSituation,
    goes: readonly string[],
    stops: readonly CleanupStop[],
  ): Promise<VaultCleanup> {
    const base = { ...this.#base(situation), freedBytes: 0, seconds: this.#seconds() }
    if (goes.length === 0) return { ...base, status: 'complete' }
    for (const { text } of stops) await this.#log('warning', `stopped: ${text}`)
    return { ...base, status: 'stopped', stops }
  }

  async #perform(situation: VaultSituation, goes: readonly string[], signal: AbortSignal): Promise<VaultCleanup> {
    const { catalog, clock } = this.#services
    const { project, mode } = this.#request
    const base = this.#base(situation)
    const policy = project.keep.get(this.#vault)
    if (!policy) return { ...base, status: 'complete', freedBytes: 0, seconds: this.#seconds() }
    const needsPrune = goes.length > 0 || (policy.prune === 'automatic' && this.#owesPrune(situation))
    const id = randomHex(8)
    const about = { id, project: project.name, vault: this.#vault, mode, startedAt: clock.now() }
    const removals = goes.map((snapshot) => {
      const { time, made } = situation.known.get(snapshot)!
      return { snapshot, time, ...(made && { run: made.run }) }
    })
    if (goes.length > 0) await this.#log('info', `by ${whoOf(this.#services)} (${mode}): ${inWords(goes)}`)
    await catalog.cleanups.begin({ ...about, who: whoOf(this.#services) }, removals)
    const nothing = { isPruned: false, freedBytes: 0, findings: [] }
    if (!needsPrune) {
      await catalog.cleanups.end(id, { ...nothing, status: 'complete', endedAt: clock.now() })
      return { ...base, status: 'complete', freedBytes: 0, seconds: this.#seconds() }
    }
    try {
      await using opened = await openVault(this.#services, situation.vault, project.name, signal)
      const forgotten = await this.#forget(opened, id, goes, signal)
      const pruned = await prune(opened.repository, this.#pruneOptions(situation), signal)
      const about = { project: project.name, vault: this.#vault }
      const findings = [...forgotten.findings, ...pruned.findings].map((one): Finding => ({ ...about, ...one }))
      const freedBytes = pruned.bytesFreed
      const isPruned = pruned.isComplete
      await catalog.cleanups.end(id, { status: 'complete', endedAt: clock.now(), isPruned, freedBytes, findings })
      const { removed } = forgotten
      if (goes.length > 0) {
        const because = findings[0] ? `; ${findings[0].subject}: ${findings[0].text}` : ''
        const text = `complete, ${removed.length} removed, ${formatBytes(Math.max(0, freedBytes))} freed${because}`
        await this.#log(findings.some(({ severity }) => severity !== 'notice') ? 'warning' : 'info', text)
      }
      return { ...base, status: 'complete', removed, freedBytes, findings, seconds: this.#seconds() }
    } catch (thrown) {
      const status = signal.aborted ? 'cancelled' : 'failed'
      await catalog.cleanups.end(id, { ...nothing, status, endedAt: clock.now() })
      throw thrown
    }
  }

  async #forget(
    { repository }: OpenedVault,
    id: string,
    goes: readonly string[],
    signal: AbortSignal,
  ): Promise<{ removed: string[]; findings: readonly Finding[] }> {
    if (goes.length === 0) return { removed: [], findings: [] }
    const { catalog, clock } = this.#services
    const { removed, missing, findings } = await forgetSnapshots(repository, goes, signal)
    for (const snapshot of [...removed, ...missing]) await catalog.cleanups.markRemoved(id, snapshot, clock.now())
    return { removed: [...removed], findings }
  }

  /** Whether what was forgotten before is not freed yet, or it is long ago that anything was. */
  #owesPrune({ before }: VaultSituation): boolean {
    const last = before.findIndex(({ isPruned }) => isPruned)
    if (before.slice(0, last === -1 ? undefined : last).some(({ status }) => status !== 'complete')) return true
    const since = (last === -1 ? before.at(-1) : before[last])?.startedAt
    return since !== undefined && this.#services.clock.now() - since > pruneEveryMs
  }

  /** Because what is locked cannot be removed, copying out of it what is needed would only make more. */
  #pruneOptions({ vault }: VaultSituation): PruneOptions {
    const label = `${this.#request.project.name}: freeing space in ${this.#vault}`
    const onProgress = ({ phase, done, total }: PruneProgress): void =>
      this.#services.progress({ label, done, total, unit: phase === 'copying' ? 'bytes' : 'items', detail: phase })
    return { onProgress, ...(vault.objectLock !== undefined && { maxRepackBytes: 0 }) }
  }

  async #failed(error: AppError): Promise<VaultCleanup> {
    const { project } = this.#request
    if (!this.#request.dryRun) await this.#log('error', `failed: ${error.message}`)
    const about = { project: project.name, vault: this.#vault }
    const finding: Finding = { ...about, subject: 'cleanup', severity: 'warning', text: textOf(error) }
    const nothing = { snapshots: [], removed: [], stops: [] }
    return { ...about, ...nothing, status: 'failed', findings: [finding], seconds: this.#seconds(), error }
  }

  #base({ judged, known }: VaultSituation): Omit<VaultCleanup, 'status' | 'freedBytes' | 'seconds'> {
    const snapshots = judged.map(({ snapshot: { id }, time, reasons }) => ({
      id,
      time,
      bytes: known.get(id)!.bytes,
      reasons: reasons.map(({ text }) => text),
    }))
    const about = { project: this.#request.project.name, vault: this.#vault }
    return { ...about, snapshots, removed: [], stops: [], findings: [] }
  }

  async #log(level: 'info' | 'warning' | 'error', text: string): Promise<void> {
    const { catalog, clock } = this.#services
    const sentence = `Clean-up of ${getVault(this.#services.configuration, this.#vault).name} ${text}`
    await catalog.log.add({
      time: clock.now(),
      kind: 'cleanup',
      level,
      project: this.#request.project.name,
      text: sentence,
    })
  }

  #seconds(): number {
    return (this.#services.clock.monotonic() - this.#began) / 1000
  }
}

function inWords(ids: readonly string[]): string {
  const named = ids.slice(0, mostNamed).map((id) => id.slice(0, 8))
  const more = ids.length > mostNamed ? ` and ${ids.length - mostNamed} more` : ''
  return `${ids.length} backup${ids.length === 1 ? '' : 's'} go${ids.length === 1 ? 'es' : ''}, ${named.join(', ')}${more}`
}
