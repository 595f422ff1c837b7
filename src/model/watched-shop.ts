import type { ProjectFacts, VaultFacts } from './project-facts.ts'
import type { Project } from './project.ts'
import { parseSchedule } from './schedule.ts'
import type { Vault } from './vault.ts'
import type { ProbeRecord } from './worth.ts'

/** A project in three vaults at three sites that is as healthy as can be: what the tests of health begin with. */
export const hourMs = 60 * 60 * 1000
export const now = 1000 * 24 * hourMs

export function vaultNamed(name: string, more: Partial<Vault> = {}): Vault {
  const location = { kind: 'local', path: `/vaults/${name}` } as const
  return { name, location, tier: 'hot', password: { kind: 'env', name: 'P' } as never, ...more }
}

export const project: Project = {
  name: 'shop',
  title: 'shop',
  type: 'generic',
  path: '/srv/shop',
  criticality: 'medium',
  schedule: parseSchedule('daily 03:00'),
  leaveOut: [],
  vault: 'hot',
  copies: [{ to: 'box' }, { to: 'bucket', schedule: parseSchedule('weekly sunday 06:00') }],
  keep: new Map(),
  restore: {},
  paused: false,
}
const amsterdam = { place: { site: 'Amsterdam' } }
const sftp = { location: { kind: 'sftp', host: 'box.example.org', path: '/backups' } } as const
const s3 = { location: { kind: 's3', endpoint: 'https://s3.example.com', bucket: 'backups', prefix: '' } } as const
export const sound = { status: 'sound', endedAt: now } as const
export const fresh = { newestAt: now - hourMs, lastVerification: sound }
export const locked: ProbeRecord = {
  vault: 'bucket',
  at: now,
  found: {
    deletes: 'refused',
    overwrites: 'refused',
    truncates: 'impossible',
    left: 1,
    lock: { mode: 'compliance' },
  },
}
export const governed: ProbeRecord = { ...locked, found: { ...locked.found, lock: { mode: 'governance' } } }
export const open: ProbeRecord = { ...locked, found: { ...locked.found, deletes: 'allowed' } }

export const hot: VaultFacts = { vault: vaultNamed('hot', amsterdam), ...fresh }
export const box: VaultFacts = { vault: vaultNamed('box', { ...sftp, place: { site: 'Falkenstein' } }), ...fresh }
export const bucket: VaultFacts = {
  vault: vaultNamed('bucket', { ...s3, place: { site: 'Paris' } }),
  ...fresh,
  probe: locked,
}
export const facts: ProjectFacts = {
  project,
  timezone: 'UTC',
  lastRun: { status: 'complete', startedAt: now },
  vaults: [hot, box, bucket],
}
