import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openCatalog, type Catalog } from '#catalog'
import { parseSchedule, type Configuration, type Criticality, type Project, type Run, type Vault } from '#model'
import type { Services } from '#usecases'

/** An organisation with eight projects and two vaults, and a catalog of eleven days; what the tests of reports begin with. */
export interface ReportScene extends AsyncDisposable {
  readonly services: Pick<Services, 'catalog' | 'clock' | 'configuration' | 'version'>
  readonly catalog: Catalog
}

export const dayMs = 24 * 60 * 60 * 1000
/** 07:00 in Amsterdam. */
export const sceneNow = Date.UTC(2025, 10, 21, 6)
const days = 10

const titles = [
  ['havunadmin', 'HavunAdmin', 'critical'],
  ['herdenkingsportaal', 'Herdenkingsportaal', 'critical'],
  ['havuncore', 'HavunCore', 'high'],
  ['havun-mcp', 'havun-mcp', 'medium'],
  ['aimtrack', 'AimTrack', 'critical'],
  ['webwinkel', 'Webwinkel van de Vereniging tot Behoud van het Boerenerf', 'high'],
  ['blog', 'Blog', 'low'],
  ['intranet', 'Intranet', 'medium'],
] as const satisfies readonly (readonly [string, string, Criticality])[]

function projectNamed(name: string, title: string, criticality: Criticality): Project {
  return {
    name,
    title,
    type: 'generic',
    path: `/var/www/${name}`,
    criticality,
    schedule: parseSchedule('daily 03:00'),
    leaveOut: [],
    vault: 'local',
    copies: [{ to: 'storage-box' }],
    keep: new Map(),
    restore: {},
    paused: false,
  }
}

const password = { env: 'PASSWORD' } as const
const vaults: readonly Vault[] = [
  { name: 'local', location: { kind: 'local', path: '/var/backups/bewaar' }, tier: 'hot', password },
  {
    name: 'storage-box',
    location: { kind: 's3', endpoint: 'https://s3.example.org', bucket: 'bewaar', prefix: '' },
    tier: 'archive',
    password,
    place: { site: 'Falkenstein' },
    capacityBytes: 5e12,
    price: { amount: 19.04, currency: 'EUR', per: 'month' },
  },
]

function sceneConfiguration(): Configuration {
  return {
    file: '/etc/bewaar/bewaar.yaml',
    files: ['/etc/bewaar/bewaar.yaml'],
    organisation: 'HavunCore',
    timezone: 'Europe/Amsterdam',
    language: 'en',
    state: '/var/lib/bewaar',
    catalog: { kind: 'sqlite' },
    vaults,
    projects: titles.map(([name, title, criticality]) => projectNamed(name, title, criticality)),
    notify: { digest: parseSchedule('daily 07:00') },
    serve: { atOnce: 2 },
  }
}

/** @param isTroubled - whether some projects have troubles of the last day. */
export async function makeReportScene(isTroubled: boolean): Promise<ReportScene> {
  const folder = await mkdtemp(join(tmpdir(), 'bewaar-report-'))
  const clock = { now: () => sceneNow, monotonic: () => 0 }
  const catalog = await openCatalog(join(folder, 'catalog.sqlite'), { purpose: 'write', clock })
  const configuration = sceneConfiguration()
  for (const [place, project] of configuration.projects.entries()) {
    for (let day = days; day >= 0; day--) await addDay(catalog, project, place, day, isTroubled)
  }
  for (let day = days; day >= 0; day--) await addMeasurements(catalog, configuration, day)
  if (isTroubled) await addIncidents(catalog)
  return {
    services: { catalog, clock, configuration, version: '0.1.0' },
    catalog,
    [Symbol.asyncDispose]: async () => {
      await catalog[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

/** What the run of a day came to in the scene with troubles. */
function statusOf(name: string, day: number): Run['status'] | 'missed' {
  if (name === 'havunadmin' && day === 0) return 'failed'
  if (name === 'havuncore' && day === 0) return 'incomplete'
  if (name === 'aimtrack' && day <= 2) return 'missed'
  return name === 'blog' && day === 3 ? 'failed' : 'complete'
}

/** The size of one backup: it grows by a thousandth a day. */
export function sizeOn(place: number, day: number): number {
  return Math.round((place + 1) * 4e8 * (1 + (days - day) / 1000))
}

async function addDay(
  catalog: Catalog,
  { name }: Project,
  place: number,
  day: number,
  isTroubled: boolean,
): Promise<void> {
  const status = isTroubled ? statusOf(name, day) : 'complete'
  if (status === 'missed') return
  // 03:00 there in winter, and an hour later on the wall in summer
  const startedAt = sceneNow - 4 * 60 * 60 * 1000 - day * dayMs + place * 60_000
  const run = `${name}-${day}`
  const endedAt = startedAt + (30 + place * 17) * 1000
  const isMade = status !== 'failed'
  const bytes = sizeOn(place, day)
  const text = 'pg_dump: error: connection to server at "127.0.0.1", port 5432 failed: Connection refused'
  const finding = { project: name, subject: isMade ? 'database shop' : 'run', severity: 'warning', text } as const
  await catalog.runs.begin({ id: run, project: name, vault: 'local', startedAt, who: 'root@web1' })
  const outcome = {
    status: status as 'complete',
    endedAt,
    bytesRead: isMade ? 1e6 * (place + 1) : 0,
    bytesAdded: isMade ? 4e5 * (place + 1) : 0,
    files: isMade ? 1000 : 0,
    findings: status === 'complete' ? [] : [finding],
  }
  const snapshot = `${String(place)}${String(day).padStart(63, '0')}`
  await catalog.runs.end(run, isMade ? { ...outcome, snapshot } : outcome, [])
  if (!isMade) return
  const copied = !(isTroubled && name === 'herdenkingsportaal' && day === 0)
  for (const vault of copied ? ['local', 'storage-box'] : ['local']) {
    await catalog.snapshots.record({ vault, project: name, id: snapshot, time: startedAt, bytes, files: 1000, run })
  }
  await addCopy(catalog, name, run, endedAt, copied)
  await addVerifications(catalog, name, place, day, endedAt, isTroubled)
}

async function addCopy(catalog: Catalog, project: string, run: string, startedAt: number, copied: boolean) {
  const copy = { id: `copy-${run}`, project, from: 'local', to: 'storage-box', startedAt, run }
  await catalog.copies.begin(copy)
  const text = 's3.example.org did not answer within 60 s'
  await catalog.copies.end(copy, {
    status: copied ? 'complete' : 'failed',
    endedAt: startedAt + 20_000,
    snapshots: copied ? 1 : 0,
    bytesAdded: copied ? 400_000 : 0,
    findings: copied ? [] : [{ subject: 'copy to storage-box', severity: 'warning', text }],
  })
}

async function addVerifications(
  catalog: Catalog,
  project: string,
  place: number,
  day: number,
  at: number,
  isTroubled: boolean,
): Promise<void> {
  for (const vault of ['local', 'storage-box']) {
    const isDamaged = isTroubled && project === 'intranet' && vault === 'storage-box' && day === 0
    await catalog.verifications.add({
      id: `${project}-${vault}-${day}`,
      project,
      vault,
      status: isDamaged ? 'damaged' : 'sound',
      startedAt: at + 60_000,
      endedAt: at + 90_000,
      share: 1 / days,
      bytesRead: 1e6 * (place + 1),
      findings: isDamaged
        ? [{ subject: 'pack 0a1b', severity: 'damage', text: 'its bytes are not what they must be' }]
        : [],
      who: 'root@web1',
    })
  }
}

async function addMeasurements(catalog: Catalog, { projects }: Configuration, day: number): Promise<void> {
  for (const [vault, factor] of [
    ['local', 12],
    ['storage-box', 40],
  ] as const) {
    const repositories = projects.map(({ name: project }, place) => ({
      project,
      files: 2000,
      bytes: factor * sizeOn(place, day),
      olderBytes: 0,
    }))
    const space = vault === 'local' ? { sizeBytes: 2e12, freeBytes: 1.2e12 } : undefined
    await catalog.measurements.add({
      vault,
      at: sceneNow - day * dayMs - 3_600_000,
      repositories,
      ...(space && { space }),
    })
  }
}

async function addIncidents(catalog: Catalog): Promise<void> {
  const open = async (trouble: Parameters<typeof openedOf>[0], at: number): Promise<void> => {
    await catalog.incidents.settle(at, () => [{ step: 'open', trouble: openedOf(trouble) }], at)
  }
  await open(
    { project: 'blog', kind: 'failed', criticality: 'low', text: 'the last run made no backup' },
    sceneNow - 3 * dayMs,
  )
  const [blog] = await catalog.incidents.list({ open: true })
  await catalog.incidents.resolve(blog!.id, {
    at: sceneNow - 2 * dayMs,
    who: 'jan@web1',
    text: 'The password had changed',
  })
  await open(
    { project: 'havunadmin', kind: 'failed', criticality: 'critical', text: 'the last run made no backup' },
    sceneNow - 3 * 60 * 60 * 1000,
  )
  await open(
    { kind: 'clock', criticality: 'high', text: 'the clock of this machine went back by 3 hours' },
    sceneNow - 2 * 60 * 60 * 1000,
  )
}

function openedOf(trouble: {
  readonly project?: string
  readonly kind: 'failed' | 'clock'
  readonly criticality: Criticality
  readonly text: string
}) {
  return { advice: 'Set the clock, for example with NTP.', ...trouble }
}
