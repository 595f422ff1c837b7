import assert from 'node:assert/strict'
import { test } from 'node:test'

import { troubleKinds, type Incident, type Notice, type Project } from '#model'
import { composeAlarm, composeTest, type AlarmSetting } from './alarm.ts'

const at = Date.UTC(2026, 10, 22, 2, 0)
const hour = 3_600_000

function project(name: string, title: string): Project {
  const schedule = { kind: 'daily', at: { hour: 3, minute: 0 } } as const
  const rules = { leaveOut: [], copies: [], keep: new Map(), restore: {}, paused: false }
  return { name, title, type: 'generic', path: '/srv/x', criticality: 'critical', schedule, vault: 'local', ...rules }
}

function incident(changes: Partial<Incident> = {}): Incident {
  return {
    id: 'i-3f09ac',
    kind: 'failed',
    project: 'havunadmin',
    criticality: 'critical',
    text: 'the disk is full',
    advice: 'Make room.',
    openedAt: at,
    seenAt: at,
    lastBackup: { at: at - 24 * hour, vault: 'local' },
    timeline: [],
    ...changes,
  }
}

function setting(changes: Partial<AlarmSetting['configuration']> = {}): AlarmSetting {
  const base = {
    file: '/etc/bewaar/bewaar.yaml',
    language: 'en',
    timezone: 'Europe/Amsterdam',
    organisation: 'Havun',
  } as const
  const projects = [project('havunadmin', 'HavunAdmin')]
  return { configuration: { ...base, projects, ...changes }, version: '0.1.0', now: at + 27 * hour }
}

test('the subject says organisation, trouble and project, and how far it is, in the language of the organisation', async () => {
  const subjectOf = async (notice: Notice, language: 'nl' | 'en', changes: Partial<Incident> = {}): Promise<string> =>
    (await composeAlarm([{ incident: incident(changes), notice }], 'id', setting({ language }))).subject
  assert.equal(await subjectOf('opened', 'en'), '🚨 [Havun] BACKUP FAILED - HavunAdmin')
  assert.equal(await subjectOf('opened', 'nl'), '🚨 [Havun] BACK-UP MISLUKT - HavunAdmin')
  assert.equal(await subjectOf('reminder-2', 'nl'), '🚨 [Havun] HERINNERING 2: BACK-UP MISLUKT - HavunAdmin')
  assert.equal(await subjectOf('worse-critical', 'en'), '🚨 [Havun] GRAVER NOW: BACKUP FAILED - HavunAdmin')
  assert.equal(
    await subjectOf('resolved', 'nl', { resolvedAt: at + hour }),
    '✅ [Havun] OPGELOST: BACK-UP MISLUKT - HavunAdmin',
  )
  const copy = { kind: 'copy-failed', criticality: 'high', vault: 'storage-box' } as const
  assert.equal(await subjectOf('opened', 'nl', copy), '⚠️ [Havun] KOPIE MISLUKT - HavunAdmin, storage-box')
  const { organisation: _, ...nameless } = setting().configuration
  const { subject } = await composeAlarm([{ incident: incident(), notice: 'opened' }], 'id', {
    ...setting(),
    configuration: nameless,
  })
  assert.equal(subject, '🚨 [Bewaar] BACKUP FAILED - HavunAdmin')
})

test('a Dutch alarm is Dutch throughout, with times of the organisation', async () => {
  const { text } = await composeAlarm(
    [{ incident: incident(), notice: 'reminder-3' }],
    'id',
    setting({ language: 'nl' }),
  )
  for (const part of [
    'Het duurt al 1 dag en 3 uur. Dit is herinnering 3',
    'zondag 22 november 2026, 03:00 CET',
    'Laatste goede back-up: zaterdag 21 november 2026, 03:00 CET, in local',
    'Wat nu te doen',
  ]) {
    assert.ok(text.includes(part), `${part} is not in\n${text}`)
  }
})

test('every kind of trouble has something to do, in both languages, that names what it is about', async () => {
  for (const language of ['nl', 'en'] as const) {
    for (const kind of troubleKinds) {
      const about = incident({ kind, vault: 'storage-box' })
      const { text, html } = await composeAlarm([{ incident: about, notice: 'opened' }], 'id', setting({ language }))
      assert.match(text, /\n {3}(bewaar|systemctl|timedatectl) /, kind)
      assert.match(text, /bewaar incident ack i-3f09ac/)
      assert.ok(html!.includes('bewaar incident ack i-3f09ac') && !html!.includes('undefined'))
    }
  }
})

test('nothing from outside becomes markup, a line of its own, or turns the writing round', async () => {
  const evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\r\nBcc: v@example.org\u202Efdp\u2066'
  const long = 'x'.repeat(10_000)
  const hostile = incident({
    text: evil + long,
    vault: evil,
    lastBackup: { at, vault: evil },
    resolvedAt: at + hour,
    resolvedBy: evil,
  })
  const projects = [project('havunadmin', evil + long)]
  for (const notices of [[hostile], Array.from({ length: 80 }, () => hostile)]) {
    for (const notice of ['opened', 'resolved'] as const) {
      const told = notices.map((one) => ({ incident: one, notice }))
      const message = await composeAlarm(told, 'id', setting({ organisation: evil, projects }))
      assert.doesNotMatch(message.html!, /<script|<img|[\u202a-\u202e\u2066-\u2069]/)
      assert.match(message.html!, /&lt;script&gt;/)
      assert.doesNotMatch(message.subject, /[\r\n\u202a-\u202e]/)
      assert.ok(message.subject.length < 1000 && message.text.length < 100_000 && message.html!.length < 200_000)
      assert.doesNotMatch(message.text, /^Bcc/m)
    }
  }
})

test('the HTML fetches nothing from anywhere', async () => {
  const { html } = await composeAlarm([{ incident: incident(), notice: 'opened' }], 'id', setting())
  assert.doesNotMatch(html!, /\b(src|href|url\()/)
})

test('a list names the gravest first, counts what it leaves out, and says what they have in common', async () => {
  const many = Array.from({ length: 60 }, (_, index) => ({
    incident: incident({ id: `i-${index}`, project: `p${index}`, kind: 'copy-failed', vault: 'box' }),
    notice: 'opened' as const,
  }))
  const { subject, text, about } = await composeAlarm(many, 'id', setting())
  assert.equal(subject, '🚨 [Havun] 60 × COPY FAILED - box')
  assert.match(text, /and 10 more/)
  assert.match(text, /bewaar copy --to=box/)
  assert.equal(about!.length, 60)
  const mixed = [...many.slice(0, 4), { incident: incident(), notice: 'opened' as const }]
  const { subject: other } = await composeAlarm(mixed, 'id', setting())
  assert.equal(other, '🚨 [Havun] 5 TROUBLES - p0, box, p1, box, p2, box and 2 more')
})

test('a test says that nothing is wrong', async () => {
  const { subject, text } = await composeTest('id', setting({ language: 'nl' }))
  assert.equal(subject, '[Havun] PROEF VAN HET ALARM')
  assert.match(text, /er is niets aan de hand/)
})
