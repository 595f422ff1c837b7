import { randomHex, textOf } from '#base'
import type { Finding, RestoreRecord } from '#model'
import { whoOf, type Services } from '../services.ts'
import type { RestorePreview } from './request.ts'

interface Outcome {
  readonly startedAt: number
  readonly status: RestoreRecord['status']
  readonly files: number
  readonly bytes: number
  readonly findings: readonly Finding[]
  /** The journal that it belongs to. */
  readonly journal?: string
}

/** Enters a restore, or an attempt at one, into the restore log. */
export async function recordRestore(
  services: Pick<Services, 'catalog' | 'clock' | 'hostname' | 'username'>,
  { project, vault, snapshot, steps, databases }: RestorePreview,
  { startedAt, status, files, bytes, findings, journal }: Outcome,
): Promise<void> {
  const { catalog, clock } = services
  const endedAt = clock.now()
  const target = steps.at(-1)?.target ?? databases.map(({ name }) => name).join(', ')
  await catalog.restores.add({
    id: randomHex(8),
    project,
    vault,
    snapshot,
    target,
    status,
    startedAt,
    endedAt,
    files,
    bytes,
    findings,
    who: whoOf(services),
  })
  const worst = findings.find(({ severity }) => severity !== 'notice')
  const because = worst ? `: ${worst.subject} ${worst.text}` : ''
  const text = `Restore of ${snapshot.slice(0, 8)} from ${vault} to ${target} ${status}${because}`
  const level = status === 'complete' ? 'info' : status === 'incomplete' ? 'warning' : 'error'
  await catalog.log.add({
    time: endedAt,
    kind: 'restore',
    level,
    text,
    project,
    ...(journal !== undefined && { run: journal }),
  })
}

/** The same for one that did not come to its end. */
export async function recordFailure(
  services: Pick<Services, 'catalog' | 'clock' | 'hostname' | 'username'>,
  preview: RestorePreview,
  about: { readonly startedAt: number; readonly journal?: string; readonly thrown: unknown },
  signal: AbortSignal,
): Promise<void> {
  const { project, vault } = preview
  const { startedAt, journal, thrown } = about
  const finding: Finding = { vault, project, subject: 'restore', severity: 'warning', text: textOf(thrown) }
  const status = signal.aborted ? 'cancelled' : 'failed'
  const none = { startedAt, status, files: 0, bytes: 0, findings: [finding] } as const
  await recordRestore(services, preview, journal === undefined ? none : { ...none, journal })
}
