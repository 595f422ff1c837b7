import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { formatDuration, parseDuration, durationUnits } from './duration.ts'
import { formatLocation, isWithin, normalPath, parseLocation, type Location } from './location.ts'
import { decodeManifest, encodeManifest } from './manifest.ts'
import { formatRetention } from './retention.ts'
import { formatSchedule, parseSchedule, weekdays, type Schedule } from './schedule.ts'

/** Records with a prototype, like those of the parsers. */
function record<T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true })
}

const at = record({ hour: fc.integer({ min: 0, max: 23 }), minute: fc.integer({ min: 0, max: 59 }) })
const schedules: fc.Arbitrary<Schedule> = fc.oneof(
  record({ kind: fc.constant('daily' as const), at }),
  record({ kind: fc.constant('weekly' as const), weekday: fc.constantFrom(...weekdays), at }),
  record({
    kind: fc.constant('monthly' as const),
    day: fc.oneof(fc.integer({ min: 1, max: 28 }), fc.constant('last' as const)),
    at,
  }),
  record({
    kind: fc.constant('every' as const),
    amount: fc.integer({ min: 1, max: 168 }),
    unit: fc.constantFrom('hour' as const, 'minute' as const),
  }),
  record({
    kind: fc.constant('cron' as const),
    pattern: fc.constantFrom('0 3 * * *', '*/15 8-18 * * 1-5', '0 4 L * *', '30 6 * JAN,JUL MON#1'),
  }),
)

test('every schedule reads back from the form in which it is written', () => {
  fc.assert(fc.property(schedules, (schedule) => assert.deepEqual(parseSchedule(formatSchedule(schedule)), schedule)))
})

test('schedules are read in any case and spacing, and cron with or without quotes', () => {
  assert.equal(formatSchedule(parseSchedule('  Weekly  SUN   5:00 ')), 'weekly sunday 05:00')
  assert.equal(formatSchedule(parseSchedule('every hour')), 'every 1 hour')
  assert.equal(formatSchedule(parseSchedule('Monthly LAST 04:00')), 'monthly last 04:00')
  assert.equal(formatSchedule(parseSchedule("cron '0 3 * * *'")), 'cron "0 3 * * *"')
  assert.equal(formatSchedule(parseSchedule('cron 0 3 * * *')), 'cron "0 3 * * *"')
})

test('what is no schedule is refused with a reason', () => {
  for (const [text, reason] of [
    ['', 'begins with none of'],
    ['hourly', 'begins with none of'],
    ['daily', 'needs one time'],
    ['daily 3', 'is not a time'],
    ['daily 24:00', 'is not a time'],
    ['daily 03:60', 'is not a time'],
    ['daily 03:00 04:00', 'needs one time'],
    ['weekly 05:00', 'needs a day and a time'],
    ['weekly someday 05:00', 'is not a day of the week'],
    ['monthly 31 05:00', 'is not 1 to 28 or last'],
    ['monthly 0 05:00', 'is not 1 to 28 or last'],
    ['every 0 hours', 'needs a number'],
    ['every 4', 'needs a number'],
    ['every 169 hours', 'too long'],
    ['every 2000 minutes', 'too long'],
    ['cron', ''],
    ['cron "* * * *"', ''],
    ['cron "61 * * * *"', ''],
    ['cron "0 0 0 * * *"', ''],
    ['cron "0 3 30 2 *"', 'never comes'],
  ] as const) {
    assert.throws(
      () => parseSchedule(text),
      (error: Error & { code?: string }) => error.code === 'schedule.invalid' && error.message.includes(reason),
      text,
    )
  }
})

test('no text makes a parser fail in another way than with its own error', () => {
  const typed = (work: () => unknown, code: string): void => {
    try {
      work()
    } catch (error) {
      assert.equal((error as { code?: string }).code, code)
    }
  }
  const prefix = fc.constantFrom(
    '',
    'cron ',
    'daily ',
    'every ',
    'sftp://',
    's3://',
    'rest:https://',
    's3+http://',
    '/',
  )
  fc.assert(
    fc.property(prefix, fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (start, rest) => {
      typed(() => parseSchedule(start + rest), 'schedule.invalid')
      typed(() => parseDuration(start + rest), 'duration.invalid')
      typed(() => parseLocation(start + rest), 'location.invalid')
      typed(() => decodeManifest(start + rest), 'manifest.damaged')
    }),
    { numRuns: 300 },
  )
})

test('every duration reads back from the form in which it is written', () => {
  const durations = record({ amount: fc.integer({ min: 1, max: 99999 }), unit: fc.constantFrom(...durationUnits) })
  fc.assert(fc.property(durations, (one) => assert.deepEqual(parseDuration(formatDuration(one)), one)))
  for (const text of ['', '0 days', '-1 days', '1.5 days', 'days', '30', '100000 days', '1 fortnight']) {
    assert.throws(() => parseDuration(text), { code: 'duration.invalid' })
  }
})

const part = fc.stringMatching(/^[a-zA-Z0-9_ %?#é日-]{1,12}$/).filter((text) => text !== '.' && text !== '..')
const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`)
const host = fc.domain().map((name) => name.toLowerCase())
const locations: fc.Arbitrary<Location> = fc.oneof(
  path.map((path): Location => ({ kind: 'local', path })),
  record({
    host,
    path,
    below: fc.boolean(),
    user: fc.option(fc.stringMatching(/^[a-z][a-z0-9@. -]{0,9}$/)),
    port: fc.option(fc.integer({ min: 1, max: 65535 })),
  }).map(({ host, path, below, user, port }): Location => ({
    kind: 'sftp',
    ...(user === null ? {} : { user }),
    host,
    ...(port === null ? {} : { port }),
    path: below ? `.${path}` : path,
  })),
  record({
    host,
    bucket: fc.stringMatching(/^[a-z0-9][a-z0-9-]{1,20}[a-z0-9]$/),
    prefix: fc.array(part, { maxLength: 3 }),
  }).map(({ host, bucket, prefix }): Location => ({
    kind: 's3',
    endpoint: `https://${host}`,
    bucket,
    prefix: prefix.join('/'),
  })),
)

test('every location reads back from the form in which it is written', () => {
  fc.assert(fc.property(locations, (one) => assert.deepEqual(parseLocation(formatLocation(one)), one)))
})

test('locations of the documentation are understood', () => {
  assert.deepEqual(parseLocation('sftp://u1@box.example.org:23/./bewaar/'), {
    kind: 'sftp',
    user: 'u1',
    host: 'box.example.org',
    port: 23,
    path: './bewaar',
  })
  assert.deepEqual(parseLocation('s3+http://127.0.0.1:9000/bucket'), {
    kind: 's3',
    endpoint: 'http://127.0.0.1:9000',
    bucket: 'bucket',
    prefix: '',
  })
  assert.deepEqual(parseLocation('rest:https://me@host/path'), { kind: 'rest', url: 'https://me@host/path/' })
  assert.deepEqual(parseLocation('/var//backups/./x/../bewaar/'), { kind: 'local', path: '/var/backups/bewaar' })
})

test('a location that is wrong, unsafe or holds a secret is refused, without repeating the secret', () => {
  for (const text of [
    '',
    'backups',
    '~/backups',
    '/',
    '/a/..',
    '/a\0b',
    'ftp://host/x',
    'sftp://host',
    'sftp:///x',
    'sftp://me:hunter2@host/x',
    's3://host',
    's3://host/B',
    's3://key:hunter2@host/bucket',
    's3+http://s3.example.org/bucket',
    'rest:http://host/x',
    'rest:https://me:hunter2@host/x',
    'rest:ftp://host/x',
    's3://host/bucket?x=1',
    'sftp://host/%zz',
  ]) {
    assert.throws(
      () => parseLocation(text),
      (error: Error & { code?: string }) => error.code === 'location.invalid' && !error.message.includes('hunter2'),
      text,
    )
  }
})

test('a path is within another by whole parts', () => {
  assert.equal(normalPath('/a/./b//c/../d/'), '/a/b/d')
  assert.deepEqual(
    [isWithin('/a/b', '/a'), isWithin('/a', '/a'), isWithin('/ab', '/a'), isWithin('/a', '/a/b'), isWithin('/a', '/')],
    [true, true, false, false, true],
  )
})

test('a manifest reads back the same, and the same manifest is the same bytes', () => {
  const manifests = record({
    manifest: fc.constant(1 as const),
    project: fc.string(),
    title: fc.string(),
    type: fc.string(),
    run: fc.string(),
    time: fc.string(),
    host: fc.string(),
    path: fc.string(),
    versions: fc.dictionary(fc.stringMatching(/^[a-z]+$/), fc.string(), { noNullPrototype: true }),
    artifacts: fc.array(
      fc.record(
        {
          path: fc.string(),
          kind: fc.string(),
          bytes: fc.nat(),
          sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
          rows: fc.dictionary(fc.stringMatching(/^[a-z]+$/), fc.nat(), { noNullPrototype: true }),
          facts: fc.dictionary(fc.stringMatching(/^[a-z]+$/), fc.oneof(fc.nat(), fc.string()), {
            noNullPrototype: true,
          }),
        },
        { requiredKeys: ['path', 'kind', 'bytes'], noNullPrototype: true },
      ),
    ),
  })
  fc.assert(
    fc.property(manifests, (manifest) => {
      const text = encodeManifest(manifest)
      assert.deepEqual(decodeManifest(text), manifest)
      const reversed = Object.fromEntries(Object.entries(manifest).toReversed()) as unknown as typeof manifest
      assert.equal(encodeManifest(reversed), text)
    }),
  )
})

test('a manifest that is not whole is refused as damaged', () => {
  const good = {
    manifest: 1,
    project: 'p',
    title: 't',
    type: 'x',
    run: 'r',
    time: 't',
    host: 'h',
    path: '/',
    versions: {},
    artifacts: [],
  }
  assert.ok(decodeManifest(JSON.stringify(good)))
  for (const wrong of [
    { manifest: 2 },
    { project: undefined },
    { versions: [] },
    { versions: { node: 26 } },
    { artifacts: {} },
    { artifacts: [null] },
    { artifacts: [{ path: 'a', kind: 'b', bytes: -1 }] },
    { artifacts: [{ path: 'a', kind: 'b', bytes: 1, sha256: 'x' }] },
    { artifacts: [{ path: 'a', kind: 'b', bytes: 1, rows: { t: 'many' } }] },
  ]) {
    assert.throws(() => decodeManifest(JSON.stringify({ ...good, ...wrong })), {
      code: 'manifest.damaged',
      kind: 'damaged',
    })
  }
  assert.throws(() => decodeManifest('{'), { code: 'manifest.damaged' })
})

test('a retention policy is said in words', () => {
  const within = { amount: 30, unit: 'day' } as const
  assert.equal(formatRetention({ within, prune: 'automatic' }), '30 days')
  assert.equal(formatRetention({ daily: 7, weekly: 4, prune: 'automatic' }), '7 daily, 4 weekly')
  const years = { amount: 7, unit: 'year' } as const
  assert.equal(formatRetention({ for: years, prune: 'never' }), 'for 7 years, never pruned automatically')
})
