import assert from 'node:assert/strict'
import { test } from 'node:test'

import { allDay } from './bandwidth.ts'
import { getProject, getVault, vaultsOf, type Configuration } from './configuration.ts'
import { describeConfiguration } from './describe.ts'
import type { Project } from './project.ts'
import { usualTesting } from './restore-testing.ts'
import { requireSupported, unsupportedParts } from './unsupported.ts'
import type { Vault } from './vault.ts'

const schedule = { kind: 'daily', at: { hour: 3, minute: 0 } } as const
const shop: Project = {
  name: 'shop',
  title: 'Shop',
  type: 'generic',
  path: '/srv/shop',
  criticality: 'medium',
  schedule,
  leaveOut: [],
  vault: 'local',
  copies: [],
  keep: new Map(),
  restore: {},
  paused: false,
}
const local: Vault = {
  name: 'local',
  location: { kind: 'local', path: '/v' },
  tier: 'hot',
  password: { env: 'SECRET_NAME' },
}
const box: Vault = {
  name: 'box',
  location: { kind: 'sftp', host: 'h', path: './x' },
  tier: 'archive',
  password: { env: 'B' },
}

function configuration(parts: Partial<Configuration>): Configuration {
  return {
    file: '/etc/bewaar/bewaar.yaml',
    files: ['/etc/bewaar/bewaar.yaml'],
    timezone: 'UTC',
    language: 'en',
    state: '/var/lib/bewaar',
    catalog: { kind: 'sqlite' },
    vaults: [local],
    projects: [shop],
    notify: {},
    serve: { atOnce: 2 },
    ...parts,
  }
}

test('projects and vaults are found by name, and a mistyped name gets the nearest', () => {
  const all = configuration({ vaults: [local, box], projects: [{ ...shop, copies: [{ to: 'box' }] }] })
  assert.equal(getProject(all, 'shop').title, 'Shop')
  assert.throws(() => getProject(all, 'shpo'), { code: 'project.missing', message: /did you mean shop\?$/ })
  assert.throws(() => getProject(all, 'zzzzzzzz'), { code: 'project.missing', message: /bewaar\.yaml$/ })
  assert.throws(() => getVault(all, 'boxx'), { code: 'vault.missing', message: /did you mean box\?$/ })
  assert.deepEqual(vaultsOf(all, all.projects[0]!), [local, box])
})

test('what this version cannot do is found, and only what is needed is refused', () => {
  const remote: Project = {
    ...shop,
    name: 'remote',
    type: 'laravel-app',
    on: { kind: 'ssh', host: 'h' },
    databases: [
      { driver: 'sqlite', path: 'x' },
      { driver: 'postgresql', format: 'plain', leaveOutSchemas: [] },
    ],
    copies: [{ to: 'box', schedule }],
    keep: new Map([['local', { daily: 7, prune: 'automatic' as const }]]),
    restoreTest: { ...usualTesting, schedule: 'monthly' },
    restore: { after: [['php']], health: 'https://h/' },
  }
  const all = configuration({ vaults: [local, box], projects: [shop, remote], notify: { digest: schedule } })
  assert.deepEqual(
    unsupportedParts(all).map(({ key, effect }) => `${effect} ${key}`),
    ['ignored projects.remote.keep', 'ignored projects.remote.restore.after', 'ignored projects.remote.restore.health'],
  )
  requireSupported(all, [shop, remote])
  const elsewhere = configuration({ catalog: { kind: 'postgresql', url: 'postgres://h/d' } })
  assert.throws(() => requireSupported(elsewhere, [shop]), { code: 'config.unsupported', kind: 'invalid' })
})

test('a described configuration shows no secret and nothing that is absent', () => {
  const described = describeConfiguration(
    configuration({
      vaults: [local, { ...box, identity: { file: '/key' } }],
      catalog: { kind: 'mysql', url: 'mysql://u:pass@h/d' },
      notify: { slack: { webhook: { env: 'SLACK_WEBHOOK' } } },
      projects: [{ ...shop, databases: [{ driver: 'mysql', password: { env: 'SECRET_NAME' } }] }],
    }),
  )
  const text = JSON.stringify(described)
  for (const secret of ['SECRET_NAME', '/key', 'SLACK_WEBHOOK', 'pass@']) assert.ok(!text.includes(secret), secret)
  assert.ok(!text.includes('undefined') && !text.includes('null'))
})

test('a described vault says in the words of the file how its place is reached', () => {
  const secretOf = { env: 'HIDDEN_NAME' }
  const rest: Vault = {
    ...box,
    location: { kind: 'rest', url: 'https://web1@rest.example.org/bewaar/' },
    loginPassword: secretOf,
    authorities: '/etc/bewaar/ca.pem',
    connections: 3,
    bandwidth: allDay(1_500_000),
  }
  const bucket: Vault = {
    ...box,
    name: 'bucket',
    location: { kind: 's3', endpoint: 'https://s3.example.org', bucket: 'b', prefix: '' },
    accessKey: secretOf,
    secretKey: secretOf,
    region: 'eu-central-1',
    bandwidth: [{ from: { hour: 8, minute: 0 }, to: { hour: 18, minute: 30 }, rate: 0 }],
  }
  const described = describeConfiguration(configuration({ vaults: [rest, bucket] })) as { vaults: object }
  assert.deepEqual(described.vaults, {
    box: {
      location: 'rest:https://web1@rest.example.org/bewaar/',
      tier: 'archive',
      password: '***',
      'login-password': '***',
      ca: '/etc/bewaar/ca.pem',
      connections: 3,
      bandwidth: '1.5 MB/s',
    },
    bucket: {
      location: 's3://s3.example.org/b',
      tier: 'archive',
      password: '***',
      'access-key': '***',
      'secret-key': '***',
      region: 'eu-central-1',
      bandwidth: [{ from: '08:00', to: '18:30', rate: '0' }],
    },
  })
})

test('the description of one project has only the vaults that it uses', () => {
  const all = configuration({ vaults: [local, box], projects: [shop, { ...shop, name: 'other' }] })
  const described = describeConfiguration(all, shop) as { vaults: object; projects: object }
  assert.deepEqual([Object.keys(described.vaults), Object.keys(described.projects)], [['local'], ['shop']])
})
