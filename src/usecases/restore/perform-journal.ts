import type { Project, RestoreJournal } from '#model'
import type { WayBack } from '#sources'
import { usecaseError } from '../errors.ts'
import type { Services } from '../services.ts'
import type { performActions } from './actions.ts'
import { keptBy } from './load-databases.ts'
import { recordFailure, recordRestore } from './record.ts'
import type { RestorePreview, RestoreReport } from './request.ts'

/** Opens a journal, lets the steps be done, and enters what they came to into the log. @throws `restore.in-progress`. */
export async function performJournal(
  services: Services,
  project: Project,
  about: {
    readonly id: string
    readonly preview: RestorePreview
    readonly wish: RestoreJournal['wish']
    readonly startedAt: number
    readonly undoes?: string
  },
  perform: (signal: AbortSignal) => ReturnType<typeof performActions>,
  signal: AbortSignal,
): Promise<RestoreReport> {
  const { catalog, clock } = services
  const { id, preview, ...beginning } = about
  const [startedAt, began] = [clock.now(), clock.monotonic()]
  const { vault, snapshot } = preview
  const other = await catalog.restoreJournals.open({ id, project: project.name, vault, snapshot, ...beginning })
  if (other) {
    const since = new Date(other.startedAt).toISOString()
    throw usecaseError('restore.in-progress', { project: project.name, since })
  }
  try {
    const performed = await perform(signal)
    const findings = [
      ...preview.findings.filter(({ subject }) => subject.startsWith('database/')),
      ...performed.findings,
    ]
    const status = findings.some(({ severity }) => severity !== 'notice') ? 'incomplete' : 'complete'
    await catalog.restoreJournals.end(id, status)
    await recordRestore(services, preview, { ...performed, startedAt, status, findings, journal: id })
    const journal = await catalog.restoreJournals.find(id)
    const seconds = (clock.monotonic() - began) / 1000
    return {
      ...preview,
      ...performed,
      restore: id,
      status,
      findings,
      seconds,
      ...(journal?.safety && { safety: journal.safety }),
      kept: (journal?.steps ?? []).flatMap(keptOf),
    }
  } catch (thrown) {
    // Because a fault of ours, or a catalog that fails, must not leave it open.
    const state = (await catalog.restoreJournals.find(id))?.state
    if (state === 'open') await catalog.restoreJournals.end(id, signal.aborted ? 'cancelled' : 'failed')
    await recordFailure(services, preview, { startedAt, journal: id, thrown }, signal)
    throw thrown
  }
}

function keptOf({ kind, state, wayBack }: RestoreJournal['steps'][number]): string[] {
  if (kind !== 'database' || state !== 'done' || wayBack === undefined) return []
  const kept = keptBy(JSON.parse(wayBack) as WayBack)
  return kept === undefined ? [] : [kept]
}
