import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { CleanupRecord } from './cleanup-record.ts'
import type { Incident } from './incident.ts'
import type { KnownSnapshot, VerificationRecord } from './record.ts'
import {
  chooseIncidents,
  isAllWell,
  localVaults,
  otherTroubles,
  sumProject,
  sumTotals,
  troubledProjects,
  type ProjectReport,
  type ReportFacts,
} from './report.ts'
import type { Run } from './run.ts'
import type { Vault } from './vault.ts'
import { project, vaultNamed } from './watched-shop.ts'

const dayMs = 24 * 60 * 60 * 1000
const now = Date.UTC(2025, 10, 21, 6)
const span = { from: now - dayMs, to: now }

function run(startedAt: number, more: Partial<Run> = {}): Run {
  const sizes = { bytesRead: 10, bytesAdded: 1, files: 1 }
  const base = { id: `r${startedAt}`, project: 'shop', vault: 'hot', findings: [], who: 'a@b', ...sizes }
  return { ...base, status: 'complete', startedAt, endedAt: startedAt + 5000, ...more }
}

function snapshot(vault: string, time: number, bytes: number, more: Partial<KnownSnapshot> = {}): KnownSnapshot {
  return { vault, project: 'shop', id: `${vault}${time}`, time, bytes, files: 1, ...more }
}

function verification(vault: string, startedAt: number, more: Partial<VerificationRecord> = {}): VerificationRecord {
  const base = {
    id: `v${startedAt}`,
    project: 'shop',
    vault,
    endedAt: startedAt,
    bytesRead: 1,
    findings: [],
    who: 'a@b',
  }
  return { ...base, status: 'sound', startedAt, share: 0.25, ...more }
}

function summed(facts: Partial<ReportFacts>, moment = now): ProjectReport {
  const health = { project: 'shop', verdict: 'healthy', reasons: [], vaults: [] } as const
  const none = { runs: [], snapshots: [], copies: [], verifications: [], cleanups: [] }
  return sumProject({ project, health, vaults: ['hot', 'box'], ...none, ...facts }, span, moment, 'Europe/Amsterdam')
}

test('a span is half-open: what began with its first moment is in it, and with its last is not', () => {
  const runs = [run(span.from - 1), run(span.from), run(span.to - 1, { status: 'failed' }), run(span.to)]
  const { runs: counts, bytesRead, seconds } = summed({ runs })
  assert.deepEqual(counts, { running: 0, complete: 1, incomplete: 0, failed: 1, cancelled: 0 })
  assert.deepEqual([bytesRead, seconds], [20, 10])
})

test('a run that has not ended took no time yet, and one that was cancelled is no last run', () => {
  const { endedAt: _, ...open } = run(span.from + 1, { status: 'running' })
  const report = summed({ runs: [open], lastRun: run(span.from, { status: 'cancelled' }) })
  assert.deepEqual([report.seconds, report.runs.running, report.lastRun], [0, 1, undefined])
})

test('the reason of the last run is its gravest finding, with what that is about', () => {
  const finding = (severity: 'notice' | 'warning' | 'damage', subject = 'table a') => ({
    subject,
    severity,
    text: severity,
  })
  const because = (...findings: ReturnType<typeof finding>[]): string | undefined =>
    summed({ lastRun: run(now, { status: 'incomplete', findings }) }).lastRun?.because
  assert.equal(because(finding('notice'), finding('warning'), finding('damage')), 'table a: damage')
  assert.equal(because(finding('notice'), finding('warning', 'run')), 'warning')
  assert.equal(because(finding('notice')), undefined)
})

test('the newest and the oldest backup are those of all vaults, of equals the one that was written to', () => {
  const snapshots = [snapshot('box', now - 5, 1), snapshot('hot', now - 5, 2), snapshot('box', now - 9 * dayMs, 3)]
  const { newest, oldest, places } = summed({ snapshots })
  assert.deepEqual(newest, { at: now - 5, vault: 'hot', bytes: 2 })
  assert.deepEqual(oldest, { at: now - 9 * dayMs, vault: 'box' })
  assert.deepEqual(
    places.map(({ vault, backups, newestAt, oldestAt }) => [vault, backups, newestAt, oldestAt]),
    [
      ['hot', 1, now - 5, now - 5],
      ['box', 2, now - 5, now - 9 * dayMs],
    ],
  )
})

test('growth compares the newest backup before the span with the newest before its end', () => {
  const before = snapshot('hot', span.from - 1, 100)
  assert.equal(
    summed({ snapshots: [before, snapshot('hot', span.to - 1, 70), snapshot('hot', span.to, 9)] }).growthBytes,
    -30,
  )
  assert.equal(summed({ snapshots: [before, snapshot('box', span.to - 1, 70)] }).growthBytes, 0)
  assert.equal(summed({ snapshots: [snapshot('hot', span.from, 100)] }).growthBytes, undefined)
})

test('what was read back adds up to all at most, and what failed or is older than thirty days does not count', () => {
  const share = (...verifications: VerificationRecord[]): number => summed({ verifications }).places[0]!.readBack
  assert.equal(share(verification('hot', now - 1), verification('hot', now - 29 * dayMs, { status: 'damaged' })), 0.5)
  assert.equal(share(verification('hot', now - 30 * dayMs), verification('box', now - 1)), 0)
  assert.equal(share(verification('hot', now - 1, { status: 'failed' }), verification('hot', now + 1)), 0)
  assert.equal(share(...Array.from({ length: 30 }, (_, day) => verification('hot', now - day, { share: 1 / 30 }))), 1)
  assert.equal(share(verification('hot', now - 1, { share: 1 }), verification('hot', now - 2, { share: 1 })), 1)
})

test('the last restore test is the latest of all backups', () => {
  const snapshots = [
    snapshot('hot', 1, 1, { testedAt: 7 }),
    snapshot('box', 1, 1, { testedAt: 9 }),
    snapshot('box', 2, 1),
  ]
  assert.equal(summed({ snapshots }).testedAt, 9)
  assert.equal(summed({}).testedAt, undefined)
})

test('clean-ups of the span are counted, with the space that they freed', () => {
  const cleanup = (startedAt: number, status: CleanupRecord['status'], freedBytes: number): CleanupRecord => ({
    id: 'c',
    project: 'shop',
    vault: 'hot',
    mode: 'automatic',
    isPruned: true,
    findings: [],
    logNumber: 1,
    who: '',
    startedAt,
    status,
    freedBytes,
  })
  const cleanups = [
    cleanup(span.from, 'complete', 5),
    cleanup(span.to - 1, 'failed', 2),
    cleanup(span.from - 1, 'complete', 100),
    cleanup(span.from + 1, 'running', 0),
  ]
  assert.deepEqual(summed({ cleanups }).cleanups, { complete: 1, failed: 1, freedBytes: 7 })
})

test('nothing is due of a project that is paused', () => {
  assert.deepEqual(summed({ firstRunAt: 0 }).scheduled, { due: 1, succeeded: 0 })
  assert.deepEqual(summed({ firstRunAt: 0, project: { ...project, paused: true } }).scheduled, { due: 0, succeeded: 0 })
})

test('a vault is local in a folder of this machine or at its site', () => {
  const s3 = { kind: 's3', endpoint: 'https://s3.example.org', bucket: 'b', prefix: '' } as const
  const at = (site: string): Partial<Vault> => ({ place: { site } })
  const local = (...vaults: Vault[]): string => [...localVaults({ vaults, projects: [project] })].join(' ')
  assert.equal(local(vaultNamed('hot'), vaultNamed('box'), vaultNamed('far', { location: s3 })), 'hot box')
  assert.equal(
    local(
      vaultNamed('hot', at(' Amsterdam')),
      vaultNamed('mounted', at('Falkenstein')),
      vaultNamed('near', { location: s3, ...at('amsterdam') }),
      vaultNamed('plain'),
      vaultNamed('far', { location: s3 }),
    ),
    'hot near plain',
  )
})

test('prices are added up by currency, and bytes by where they are', () => {
  const price = (perMonth: number, currency = 'EUR') => ({ price: { perMonth, currency } })
  const vaults = [
    { vault: 'a', isLocal: true, usedBytes: 1, ...price(1) },
    { vault: 'b', isLocal: false, usedBytes: 2, ...price(5, 'USD') },
    { vault: 'c', isLocal: false, usedBytes: 4, ...price(2) },
    { vault: 'd', isLocal: false },
  ]
  const { localBytes, offsiteBytes, prices } = sumTotals([], vaults)
  assert.deepEqual([localBytes, offsiteBytes], [1, 6])
  assert.deepEqual(prices, [
    { currency: 'EUR', perMonth: 3 },
    { currency: 'USD', perMonth: 5 },
  ])
})

test('incidents of a span are those that were opened or resolved in it, and all that are open', () => {
  const incident = (id: string, openedAt: number, resolvedAt?: number): Incident => ({
    id,
    kind: 'late',
    criticality: 'low',
    text: '',
    advice: '',
    seenAt: 0,
    timeline: [],
    openedAt,
    ...(resolvedAt !== undefined && { resolvedAt }),
  })
  const all = [
    incident('old', 0, span.from - 1),
    incident('open', 1),
    incident('ended', 2, span.from),
    incident('short', span.to - 2, span.to + 5),
    incident('later', span.to, span.to + 1),
  ]
  assert.deepEqual(
    chooseIncidents(all, span).map(({ id }) => id),
    ['short', 'ended', 'open'],
  )
})

test('all is well when no project has a trouble and no other incident is open', () => {
  const healthy = summed({})
  const late: ProjectReport = { ...healthy, project: 'blog', verdict: 'late', criticality: 'low' }
  const full: ProjectReport = { ...late, project: 'crm', verdict: 'full', criticality: 'critical' }
  const open = {
    id: 'i',
    kind: 'late',
    criticality: 'low',
    text: '',
    advice: '',
    openedAt: 1,
    seenAt: 1,
    timeline: [],
  } as const
  const report = (projects: readonly ProjectReport[], ...incidents: readonly Incident[]) => ({ projects, incidents })
  assert.equal(isAllWell(report([healthy])), true)
  assert.equal(isAllWell(report([])), false)
  assert.equal(isAllWell(report([{ ...healthy, verifications: { sound: 2, damaged: 1, failed: 0 } }])), false)
  assert.equal(isAllWell(report([healthy, late])), false)
  assert.equal(isAllWell(report([healthy], { ...open, project: 'shop' })), false)
  assert.equal(isAllWell(report([healthy], { ...open, resolvedAt: 2 })), true)
  assert.deepEqual(
    troubledProjects(report([healthy, late, full])).map((one) => one.project),
    ['crm', 'blog'],
  )
  assert.equal(otherTroubles(report([healthy, late], { ...open, project: 'blog' }, open)).length, 1)
})
