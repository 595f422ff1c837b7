import { AppError, textOf } from '#base'
import {
  archive,
  parseTime,
  quoteName,
  StreamAhead,
  type ArchiveFinding,
  type ArchiveResult,
  type Artifact as ArchivedArtifact,
  type Part,
} from '#engine'
import {
  encodeManifest,
  findLostRows,
  getVault,
  locationIn,
  vaultsOf,
  type Artifact,
  type Configuration,
  type Finding,
  type Project,
  type Run,
  type RunOutcome,
} from '#model'
import { dumpSources, rawPathOf, shownPath, type ArtifactFacts, type JoinContext, type SourceFinding } from '#sources'
import { getStrategy, restoreFactsOf, restoreInstructions, type ProjectPlan } from '#strategies'
import { usecaseError } from '../errors.ts'
import { copyAfterRun, type CopyReport } from '../replicate/copy-project.ts'
import { whoOf, type Services } from '../services.ts'
import { keepLocked } from '../vaults/keep-locked.ts'
import { knownFrom } from '../vaults/known-snapshots.ts'
import { beginOpening } from '../vaults/open-vault.ts'
import { keepQuiet, undoAbandoned } from './keep-quiet.ts'
import { contentOf, openHost } from './open-host.ts'
import { newRunId } from './run-id.ts'

/** How the run of one project ended. Instants are milliseconds since 1970. */
export interface RunReport {
  readonly project: string
  readonly run: string
  readonly vault: string
  readonly status: 'complete' | 'incomplete' | 'failed' | 'cancelled'
  /** Full id; absent when no snapshot was made. */
  readonly snapshot?: string
  readonly startedAt: number
  readonly seconds: number
  readonly bytes: number
  readonly bytesRead: number
  readonly bytesAdded: number
  readonly files: number
  readonly artifacts: readonly Artifact[]
  readonly copies: readonly CopyReport[]
  readonly findings: readonly Finding[]
  /** Why there is no snapshot. */
  readonly error?: AppError
}

export interface RunRequest {
  readonly project: Project
  /** The slot of its schedule that it is made for; absent when a person asks for it. */
  readonly slot?: number
}

/**
 * Backs one project up: dumps its sources into one snapshot, with the instructions to restore it and a manifest, then
 * brings the vaults up to date that get a copy after each run.
 *
 * A run that cannot make a snapshot is recorded and returned as `failed`; only what stops everything is thrown. The
 * run is called complete when the snapshot is durable, and incomplete when something of the project is not in it as it
 * should be.
 *
 * @throws `run.in-progress`; errors of the catalog; the signal's reason.
 */
export async function runProject(services: Services, request: RunRequest, signal: AbortSignal): Promise<RunReport> {
  const { project } = request
  const { clock } = services
  const startedAt = clock.now()
  const began = clock.monotonic()
  const run = newRunId(startedAt)
  await begin(services, request, run, startedAt)
  const base = { project: project.name, run, vault: project.vault, startedAt }
  let made: MadeSnapshot
  try {
    made = await makeSnapshot(services, project, { run, startedAt }, signal)
  } catch (thrown) {
    const status = signal.aborted ? 'cancelled' : 'failed'
    const finding: Finding = { project: project.name, subject: 'run', severity: 'warning', text: textOf(thrown) }
    await end(services, base, { status, bytesRead: 0, bytesAdded: 0, files: 0, findings: [finding] }, [])
    signal.throwIfAborted()
    if (!(thrown instanceof AppError)) throw thrown
    return {
      ...base,
      status: 'failed',
      seconds: (clock.monotonic() - began) / 1000,
      bytes: 0,
      bytesRead: 0,
      bytesAdded: 0,
      files: 0,
      artifacts: [],
      copies: [],
      findings: [finding],
      error: thrown,
    }
  }
  const { result, findings, artifacts } = made
  const copies = await copyAfterRun(services, project, run, signal)
  const troubled = findings.some(({ severity }) => severity !== 'notice')
  const status = troubled || copies.some((copy) => copy.status !== 'complete') ? 'incomplete' : 'complete'
  const files = result.files.new + result.files.changed + result.files.unmodified
  const { bytesRead, bytesAdded, snapshot } = result
  const all = [...findings, ...copies.flatMap((copy) => copy.findings)]
  await end(services, base, { status, bytesRead, bytesAdded, files, findings: all, snapshot }, artifacts)
  return {
    ...base,
    status,
    snapshot,
    seconds: (clock.monotonic() - began) / 1000,
    bytes: result.bytes,
    bytesRead,
    bytesAdded,
    files,
    artifacts,
    copies,
    findings: all,
  }
}

type Base = Pick<RunReport, 'project' | 'run' | 'vault' | 'startedAt'>

/** Opens the run in the catalog; of two processes that begin at once, the first keeps the project. */
async function begin(services: Services, { project, slot }: RunRequest, run: string, startedAt: number): Promise<void> {
  const { catalog, clock } = services
  const open = async (): Promise<Run | undefined> => {
    const runs = await catalog.runs.list({ project: project.name })
    const others = runs.filter((other) => other.status === 'running' && other.id !== run)
    return others.toSorted((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1))[0]
  }
  await catalog.runs.closeAbandoned(clock.now())
  let other = await open()
  if (!other) {
    const beginning = { id: run, project: project.name, vault: project.vault, startedAt, who: whoOf(services) }
    await catalog.runs.begin({ ...beginning, ...(slot !== undefined && { slot }) })
    other = await open()
    const isFirst = !other || startedAt < other.startedAt || (startedAt === other.startedAt && run < other.id)
    if (isFirst) return
    const nothing = { bytesRead: 0, bytesAdded: 0, files: 0, findings: [] }
    await catalog.runs.end(run, { ...nothing, status: 'cancelled', endedAt: clock.now() }, [])
  }
  const { id, who, startedAt: since } = other!
  throw usecaseError('run.in-progress', { project: project.name, run: id, who, since: new Date(since).toISOString() })
}

async function end(
  { catalog, clock }: Services,
  base: Base,
  outcome: Omit<RunOutcome, 'endedAt'>,
  artifacts: readonly Artifact[],
): Promise<void> {
  const time = clock.now()
  await catalog.runs.end(base.run, { ...outcome, endedAt: time }, artifacts)
  const reason = outcome.findings.find(({ severity }) => severity !== 'notice')
  const because = reason ? `: ${reason.subject} ${reason.text}` : ''
  const text = `Backup to ${base.vault} ${outcome.status}${because}`
  const level = outcome.status === 'complete' ? 'info' : outcome.status === 'incomplete' ? 'warning' : 'error'
  await catalog.log.add({ time, kind: 'backup', level, text, project: base.project, run: base.run })
}

export interface MadeSnapshot {
  readonly result: ArchiveResult
  readonly findings: readonly Finding[]
  readonly artifacts: readonly Artifact[]
}

/** A snapshot of what is there before a restore: it is no run, so that nothing counts it as a backup. */
export interface SafetyWish {
  readonly tags: readonly string[]
  /** What is beside the project in it. */
  readonly parts: readonly Part[]
  /** What is in it although the configuration leaves it out. */
  readonly also: NonNullable<JoinContext['also']>
  /** Of the databases on servers, only files are wanted. */
  readonly leavesServersOut: boolean
}

/** Dumps the sources of a project into one snapshot of the vault that it writes to. */
export async function makeSnapshot(
  services: Services,
  project: Project,
  { run, startedAt, safety }: { readonly run: string; readonly startedAt: number; readonly safety?: SafetyWish },
  signal: AbortSignal,
): Promise<MadeSnapshot> {
  const { catalog, configuration, hostname, username, version } = services
  const vault = getVault(configuration, project.vault)
  await using opening = beginOpening(services, vault, project.name, signal)
  archive.load() // because it takes no time while the key is derived
  await using temporary = await services.temporaryFolder()
  const seen: SourceFinding[] = []
  const facts: ArtifactFacts[] = []
  await using host = await openHost(services, project, temporary, signal)
  const context = {
    host,
    temporaryFolder: temporary.path,
    report: (finding: SourceFinding) => void seen.push(finding),
    record: (artifact: ArtifactFacts) => void facts.push(artifact),
    ...(safety && { also: safety.also }),
  }
  const plan = await getStrategy(project.type).plan(await contentOf(services, project, signal), host, signal)
  if (project.quiet) await opening.opened // because nothing is made quiet that cannot be backed up
  const undone = (await undoAbandoned(services, signal)).filter((finding) => finding.project === project.name)
  await using quiet = await keepQuiet(services, project, { host, run, since: startedAt }, context.report, signal)
  const sources = safety?.leavesServersOut
    ? plan.sources.filter(({ kind }) => kind !== 'postgresql' && kind !== 'mysql')
    : plan.sources
  const dumped = await dumpSources(project.path, sources, context, signal)
  const own = withoutOwnFiles(services.configuration, dumped, context.report)
  await using ahead = new StreamAhead([...(safety?.parts ?? []), ...own], signal)
  const { parts } = ahead
  const opened = await opening.opened
  const projectTag = `project:${project.name}`
  // because `restic restore latest --tag project:…`, as instructions say, must find no safety backup
  const tags = safety?.tags ?? [projectTag, `run:${run}`]
  const { snapshots } = await opened.repository.listSnapshots(signal)
  const parent = snapshots.findLast(({ snapshot }) => snapshot.tags?.includes(projectTag))
  let artifacts: Artifact[] = []
  const result = await archive(
    opened.repository,
    {
      parts: [instructions(services, project, plan, own), ...parts],
      lastParts: (stored) => {
        artifacts = joined(stored.artifacts, facts)
        return [manifest(services, project, run, startedAt, artifacts)]
      },
      ...(parent && { parent: { id: parent.id, tree: parent.snapshot.tree, timeNs: parseTime(parent.snapshot.time) } }),
      memory: services.memoryOf(vault.name, project.name),
      timeNs: BigInt(startedAt) * 1_000_000n,
      paths: [project.path],
      hostname: project.on?.kind === 'ssh' ? project.on.host : hostname,
      username,
      tags,
      programVersion: `bewaar ${version}`,
      onProgress: ({ bytes, files }) =>
        services.progress({
          label: `${project.name}: backing up`,
          done: bytes,
          unit: 'bytes',
          detail: `${files} files`,
        }),
    },
    signal,
  )
  await quiet[Symbol.asyncDispose]() // because what comes now needs nothing of the project
  const last = safety ? undefined : await catalog.runs.lastWithSnapshot(project.name)
  const lost = findLostRows(last ? await catalog.runs.artifacts(last.id) : [], artifacts)
  const stored = await opened.repository.findSnapshot(result.snapshot, signal)
  await catalog.snapshots.record({ ...knownFrom(stored, vault.name, project.name), receivedAt: services.clock.now() })
  const findings = [
    ...undone,
    ...host.findings.map((finding) => ({ project: project.name, ...finding })),
    ...[...plan.findings, ...seen, ...lost].map((finding) => ({ project: project.name, ...finding })),
    ...result.findings.map((finding) => fromArchive(finding, project.name)),
    ...(await keepLocked(services, opened, project, signal)),
  ]
  const isComplete = findings.every(({ severity }) => severity === 'notice')
  const key = { vault: vault.name, project: project.name, id: result.snapshot }
  if (!safety) await catalog.snapshots.markMade(key, run, { at: startedAt, isComplete })
  return { result, findings, artifacts }
}

/** What Bewaar itself writes while it runs is never part of a project, wherever the configuration puts it. */
function withoutOwnFiles(
  configuration: Configuration,
  parts: readonly Part[],
  report: (finding: SourceFinding) => void,
): Part[] {
  const vaults = configuration.vaults.flatMap(({ location }) => (location.kind === 'local' ? [location.path] : []))
  const own = [...vaults, configuration.state].map((path) => rawPathOf(path))
  return parts.map((part) => {
    if (part.kind !== 'folder') return part
    const root = typeof part.path === 'string' ? rawPathOf(part.path) : Buffer.from(part.path).toString('latin1')
    const inside = new Set(own.flatMap((path) => (path.startsWith(`${root}/`) ? [path.slice(root.length + 1)] : [])))
    if (inside.size === 0) return part
    for (const path of inside) {
      const text = 'is where Bewaar keeps its own files, so it is left out; a copy beside its original is lost with it'
      report({ subject: `${part.at}/${shownPath(path)}`, severity: 'notice', text })
    }
    return { ...part, leaveOut: (path, kind) => inside.has(path) || (part.leaveOut?.(path, kind) ?? false) }
  })
}

function instructions(services: Services, project: Project, plan: ProjectPlan, parts: readonly Part[]): Part {
  const { configuration } = services
  const repositories = vaultsOf(configuration, project).map(({ name, location, region, authorities }) => ({
    vault: name,
    location: locationIn(location, project.name),
    ...(region !== undefined && { region }),
    ...(authorities !== undefined && { hasOwnAuthority: true }),
  }))
  const text = restoreInstructions({
    ...restoreFactsOf(project, plan, parts),
    language: configuration.language,
    repositories,
  })
  return { kind: 'content', at: 'RESTORE.md', content: { kind: 'bytes', bytes: Buffer.from(text) }, mode: 0o644 }
}

function manifest(
  { hostname, version }: Services,
  project: Project,
  run: string,
  startedAt: number,
  artifacts: readonly Artifact[],
): Part & { kind: 'content' } {
  const text = encodeManifest({
    manifest: 1,
    project: project.name,
    title: project.title,
    type: project.type,
    run,
    time: new Date(startedAt).toISOString(),
    host: hostname,
    path: project.path,
    versions: { bewaar: version, node: process.versions.node, sqlite: process.versions.sqlite ?? '' },
    artifacts,
  })
  return { kind: 'content', at: 'manifest.json', content: { kind: 'bytes', bytes: Buffer.from(text) }, mode: 0o644 }
}

/** Bytes and hashes as the engine stored them, kinds and rows as the sources saw them. */
function joined(archived: readonly ArchivedArtifact[], facts: readonly ArtifactFacts[]): Artifact[] {
  const known = new Map(facts.map((fact) => [quoteName(Buffer.from(fact.path, 'latin1')), fact]))
  return archived
    .filter(({ path }) => path !== 'RESTORE.md')
    .map(({ path, bytes, sha256 }) => {
      const fact = known.get(path)
      const { rows, facts } = fact ?? {}
      return { path, kind: fact?.kind ?? 'content', bytes, sha256, ...(rows && { rows }), ...(facts && { facts }) }
    })
}

/** A socket has no content, so nothing is missing without it; whatever else the engine saw makes a run incomplete. */
function fromArchive({ path, code, text }: ArchiveFinding, project: string): Finding {
  const severity = code === 'left-out' ? 'notice' : 'warning'
  return { project, subject: path, severity, text }
}
