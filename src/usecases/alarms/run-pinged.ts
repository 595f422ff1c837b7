import { AppError, textOf } from '#base'
import { runProject, type RunReport, type RunRequest } from '../backup/run-project.ts'
import type { Services } from '../services.ts'
import { ping } from './ping.ts'

/** How long the end of a run that was stopped may take. */
const farewellMs = 5000

/**
 * Backs one project up as `runProject` does, and lets its ping address hear of the beginning and the end. Only a complete run is a
 * success; of a run that another process has in hand, that process tells the end.
 *
 * @throws the same errors.
 */
export async function runPinged(services: Services, request: RunRequest, signal: AbortSignal): Promise<RunReport> {
  const { project } = request
  // because the run need not wait until somebody heard that it begins
  const begun = ping(services, project, 'start', '', signal).catch(() => {}) // because the signal stops the run too
  try {
    const report = await runProject(services, request, signal)
    await begun
    await ping(services, project, report.status === 'complete' ? 'success' : 'fail', logOf(report), signal)
    return report
  } catch (thrown) {
    await begun
    const isElsewhere = thrown instanceof AppError && thrown.kind === 'locked'
    if (!isElsewhere && !signal.aborted) await ping(services, project, 'fail', textOf(thrown), signal)
    if (signal.aborted) {
      // because who stopped the run waits, and who listens would wait for its end
      await ping(services, project, 'fail', 'The run was stopped', AbortSignal.timeout(farewellMs)).catch(() => {})
    }
    throw thrown
  }
}

/** What somebody who looks at the check wants to read. */
function logOf({
  project,
  run,
  status,
  vault,
  snapshot,
  bytes,
  bytesAdded,
  files,
  copies,
  findings,
  error,
}: RunReport): string {
  return [
    `${project}: ${status} (run ${run})`,
    ...(snapshot === undefined
      ? []
      : [`snapshot ${snapshot.slice(0, 8)} in ${vault}: ${files} files, ${bytes} bytes, ${bytesAdded} bytes added`]),
    ...copies.map((copy) => `copy to ${copy.vault}: ${copy.status}`),
    ...(error ? [error.message, error.hint] : []),
    ...findings.map(({ severity, subject, text }) => `${severity}: ${subject}: ${text}`),
    '',
  ].join('\n')
}
