import type { Project } from '#model'
import type { Services } from '../services.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { planInto } from './folder-plans.ts'
import { includedPaths, openBackup } from './open-backup.ts'
import { estimate, examplesOf, findingsOf, fromEngine, previewFolders } from './preview.ts'
import { recordFailure, recordRestore } from './record.ts'
import type { PreparedRestore, RestorePreview, RestoreRequest } from './request.ts'
import { verifyFirst } from './verify-first.ts'

type Needed = PlaceServices & Pick<Services, 'catalog' | 'hostname' | 'progress' | 'username'>

/** A restore of the snapshot as it is into a folder: nothing of the project is touched, and repeating it completes it. */
export async function prepareInto(
  services: Needed,
  project: Project,
  request: RestoreRequest & { readonly to: string },
  signal: AbortSignal,
): Promise<PreparedRestore> {
  await using guard = new AsyncDisposableStack()
  const opened = guard.use(await openBackup(services, project, request, signal))
  const { chosen, snapshot } = opened
  const about = { vault: chosen.vault.name, project: project.name }
  const include = includedPaths(request, snapshot.layout, snapshot, project)
  const folder = await planInto(snapshot, request.to, { include, delete: request.delete }, signal)
  const { counts } = folder.plan
  const preview: RestorePreview = {
    ...about,
    because: chosen.because,
    snapshot: snapshot.id,
    time: chosen.snapshot.time,
    inPlace: false,
    steps: previewFolders([folder]),
    databases: [],
    tables: [],
    commands: { before: [], after: [] },
    git: false,
    overwrites: counts.overwritten + counts.removed > 0,
    examples: examplesOf([folder], 'overwrite'),
    removals: examplesOf([folder], 'remove'),
    ...(await estimate(services, project, folder.plan.bytes)),
    standing: [],
    findings: [...opened.findings, ...findingsOf([folder], about)],
    troubles: chosen.troubles,
  }
  const held = guard.move()
  return {
    preview,
    perform: async (stop) => {
      const { clock } = services
      const [startedAt, began] = [clock.now(), clock.monotonic()]
      try {
        const { plan } = folder
        // Because into a new folder every blob is verified before it is written in any case.
        if (preview.overwrites) await verifyFirst(services, project, snapshot, { plans: [plan], dumps: [] }, stop)
        const label = `${project.name}: restoring ${folder.what}`
        const progress = (done: number, total: number): void => services.progress({ label, unit: 'bytes', done, total })
        const result = await folder.write({ progress }, stop)
        const findings = fromEngine(result.findings, about)
        const status = findings.some(({ severity }) => severity !== 'notice') ? 'incomplete' : 'complete'
        const { files, bytes } = result
        await recordRestore(services, preview, { startedAt, status, files, bytes, findings })
        const seconds = (clock.monotonic() - began) / 1000
        return { ...preview, restore: '', status, findings, files, bytes, rows: 0, seconds, kept: [] }
      } catch (thrown) {
        await recordFailure(services, preview, { startedAt, thrown }, stop)
        throw thrown
      }
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}
