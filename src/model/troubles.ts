import type { ProjectHealth, VaultHealth } from './health.ts'
import { troubleKey, type LastBackup, type SeenTrouble, type TroubleKind } from './incident.ts'
import { oldestCopyInTime } from './late.ts'
import { criticalities, type Project } from './project.ts'
import type { Reason } from './project-facts.ts'

/** What is wrong with a vault, whoever's backups are in it. */
const ofTheVault: readonly TroubleKind[] = ['full', 'weak']

const hourMs = 60 * 60_000

/**
 * How long a project that was added to the configuration, or a vault, may be without a backup before it is a trouble, in
 * milliseconds: an hour, or where copies come on a schedule of their own, as long as they may be apart.
 */
export function awaitedMs({ schedule, copies }: Project, vault: string): number {
  const own = copies.find(({ to }) => to === vault)?.schedule
  return own ? Math.max(hourMs, oldestCopyInTime(schedule, own)) : hourMs
}

/** The kinds that {@link troublesOf} finds. */
export const judgedKinds = [
  'damaged',
  'test-failed',
  'late',
  'failed',
  'stuck',
  'copy-failed',
  'clock',
  'full',
  'weak',
  'incomplete',
  'unverified',
  'untested',
  'cleanup-failed',
] as const satisfies readonly TroubleKind[]

/** What depends on ages: a clock that was put back would make everything young, and end what lasts. */
const ofAges: readonly TroubleKind[] = ['late', 'stuck', 'unverified', 'untested']

/** The kinds whose incidents can be settled by these troubles: all that are judged, but where the clock is wrong. */
export function kindsToSettle(troubles: readonly SeenTrouble[]): readonly TroubleKind[] {
  const isClockWrong = troubles.some(({ kind, project }) => kind === 'clock' && project === undefined)
  return isClockWrong ? judgedKinds.filter((kind) => !ofAges.includes(kind)) : judgedKinds
}

/**
 * The troubles that the health of projects comes to, each once: a full vault is one trouble, however many projects are in it,
 * and has the criticality of the most critical. A vault is not late when all that there is has been copied to it: then the
 * vault that it is copied from is.
 *
 * @param isNew - whether so little time has passed since a project and its vault were first looked at that it is no trouble
 * yet that nothing is there.
 */
export function troublesOf(
  reports: readonly ProjectHealth[],
  projects: readonly Project[],
  isNew: (project: string, vault: string) => boolean = () => false,
): SeenTrouble[] {
  const found = reports.flatMap((report) => {
    const project = projects.find(({ name }) => name === report.project)
    return project === undefined ? [] : troublesOfProject(report, project, isNew)
  })
  const merged = new Map<string, SeenTrouble>()
  for (const trouble of found) {
    const key = troubleKey(trouble)
    const other = merged.get(key)
    if (!other || rank(trouble) < rank(other)) merged.set(key, trouble)
  }
  return [...merged.values()]
}

function rank({ criticality }: SeenTrouble): number {
  return criticalities.indexOf(criticality)
}

function troublesOfProject(
  report: ProjectHealth,
  project: Project,
  isNew: (project: string, vault: string) => boolean,
): SeenTrouble[] {
  const lastBackup = lastBackupOf(report)
  const about = { project: project.name, ...(lastBackup && { lastBackup }) }
  const isAwaited = ({ vault, newestAt }: VaultHealth): boolean => newestAt === undefined && isNew(project.name, vault)
  const build = ({ verdict, text, advice }: Reason, where: object): SeenTrouble[] => {
    // because who looks from outside keeps no incidents
    if (verdict === 'unreachable') return []
    return [{ kind: verdict, criticality: project.criticality, text, advice, ...where }]
  }
  return [
    ...report.reasons.flatMap((reason) => build(reason, reason.verdict === 'clock' ? {} : about)),
    ...report.vaults.flatMap((one) =>
      one.reasons
        .filter(({ verdict }) => verdict !== 'late' || !(hasAll(one, report) || isAwaited(one)))
        .flatMap((reason) => {
          const { vault } = one
          return build(reason, isOfTheVault(reason) ? { vault } : { ...about, vault })
        }),
    ),
  ]
}

function isOfTheVault({ verdict }: Reason): boolean {
  return ofTheVault.some((kind) => kind === verdict)
}

/** Whether a vault that gets copies has what there is to copy, and that is late itself. */
function hasAll(one: VaultHealth, { vaults: [own] }: ProjectHealth): boolean {
  if (own === undefined || one === own || !own.reasons.some(({ verdict }) => verdict === 'late')) return false
  return (one.newestAt ?? -Infinity) >= (own.newestAt ?? -Infinity)
}

/** The newest backup that is not in a damaged vault. */
function lastBackupOf({ vaults }: ProjectHealth): LastBackup | undefined {
  const good = vaults.flatMap(({ vault, newestAt, verdict }) =>
    newestAt === undefined || verdict === 'damaged' ? [] : [{ at: newestAt, vault }],
  )
  return good.toSorted((a, b) => b.at - a.at)[0]
}
