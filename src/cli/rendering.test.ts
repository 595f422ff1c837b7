import assert from 'node:assert/strict'
import { test } from 'node:test'

import { AppError } from '#base'
import { exitCodeOf } from './exit-codes.ts'
import { formatInstant } from './instant.ts'
import { count, date, listOf, oneOf, share, snapshotId } from './parsers.ts'
import { ProgressDisplay } from './progress.ts'
import { errorToJson, renderError } from './render-error.ts'
import { table } from './table.ts'
import { printable, type Terminal } from './terminal.ts'
import { shorten, widthOf } from './width.ts'

function memoryTerminal(errColumns?: number): Terminal & { written: string } {
  const terminal = {
    written: '',
    outColumns: undefined,
    errColumns,
    out: () => Promise.resolve(),
    err: (text: string) => void (terminal.written += text),
    ask: () => Promise.resolve(undefined),
  }
  return terminal
}

function error(kind: AppError['kind'], code = 'x.y'): AppError {
  return new AppError(code, { kind, message: 'It broke', hint: 'Mend it.' }, {})
}

test('each kind of error has its exit code, and two codes have their own', () => {
  const kinds = ['invalid', 'missing', 'conflict', 'locked', 'denied', 'unavailable', 'damaged', 'cancelled'] as const
  assert.deepEqual(
    kinds.map((kind) => exitCodeOf(error(kind))),
    [2, 1, 1, 11, 1, 1, 4, 130],
  )
  assert.equal(exitCodeOf(error('missing', 'repository.missing')), 10)
  assert.equal(exitCodeOf(error('denied', 'repository.password')), 12)
  assert.equal(exitCodeOf(new TypeError('bug')), 1)
})

test('an error is three lines; a bug is its stack and where to report it', () => {
  const plain = { colour: false, verbose: false }
  assert.equal(renderError(error('invalid'), plain), 'It broke\nMend it.\n(x.y)\n')
  assert.match(renderError(new TypeError('oops'), plain), /^TypeError: oops\n {4}at .*Please report it.*\n\(bug\)\n$/s)
  assert.deepEqual(errorToJson(error('invalid')), { error: { code: 'x.y', message: 'It broke', hint: 'Mend it.' } })
  const caused = new AppError('x.y', { kind: 'invalid', message: 'a', hint: 'b' }, {}, new Error('the disk'))
  assert.equal(renderError(caused, { colour: false, verbose: true }), 'a\n  because: the disk\nb\n(x.y)\n')
})

test('nothing that comes from a file name steers the terminal', () => {
  assert.equal(printable('a\u001b[31mb\u0007\u009b2J\rc'), 'a\\x1b[31mb\\x07\\x9b2J\\x0dc')
  assert.equal(printable('user\u202efdp.exe'), 'user\\u202efdp.exe')
  assert.equal(printable('één\ttwee\ndrie'), 'één\ttwee\ndrie')
})

test('a table aligns by columns of the terminal, and cuts the column that may shrink', () => {
  const columns = [{ title: 'NAME' }, { title: 'SIZE', align: 'right' as const }, { title: 'TEXT', shrink: true }]
  const rows = [
    ['日本', '1.5 GB', 'a long text that goes on'],
    ['shop', '12 B', 'x\u001b[2J'],
  ]
  assert.deepEqual(table(columns, rows), [
    'NAME    SIZE  TEXT',
    '日本  1.5 GB  a long text that goes on',
    'shop    12 B  x\\x1b[2J',
  ])
  assert.deepEqual(table(columns, rows, 26).slice(1), ['日本  1.5 GB  a long text…', 'shop    12 B  x\\x1b[2J'])
})

test('widths count what a terminal shows', () => {
  assert.deepEqual(['abc', 'é', 'e\u0301', '日本', '👩‍👩‍👧', ''].map(widthOf), [3, 1, 1, 4, 2, 0])
  assert.equal(shorten('日本語', 5), '日本…')
  assert.equal(shorten('abc', 3), 'abc')
  assert.equal(shorten('abcd', 3), 'ab…')
  assert.equal(shorten('abcd', 0), '')
})

test('progress draws at most ten times a second, within the width, and goes away', () => {
  let now = 0
  const clock = { now: () => 0, monotonic: () => now }
  const terminal = memoryTerminal(60)
  const progress = new ProgressDisplay(terminal, clock)
  for (; now < 3000; now++) {
    progress.report({
      label: 'shop: reading',
      done: now * 1e6,
      total: 6e9,
      unit: 'bytes',
      detail: 'uploads/\u001b[2J日本.jpg',
    })
  }
  const drawn = terminal.written.split('\r').slice(1)
  assert.ok(drawn.length <= 31 && drawn.length >= 29)
  for (const line of drawn) assert.ok(widthOf(line.replace('\u001b[K', '')) < 60)
  assert.match(drawn.at(-1)!, /shop: reading 4\d%, 2\.\d GB of 6\.0 GB, 1\.0 GB\/s, 3\.\d s left/)
  progress.clear()
  assert.ok(terminal.written.endsWith('\r\u001b[K'))
})

test('without a terminal progress is a line each ten seconds, and nothing for what is quick', () => {
  let now = 0
  const clock = { now: () => 0, monotonic: () => now }
  const terminal = memoryTerminal()
  const progress = new ProgressDisplay(terminal, clock)
  for (; now < 25_000; now += 100) progress.report({ label: 'shop: reading', done: now, unit: 'items' })
  progress.clear()
  assert.equal(terminal.written, 'shop: reading 10,000\nshop: reading 20,000\n')
})

test('pieces of work that go on at once have the bar in turns, and lines of their own elsewhere', () => {
  for (const columns of [60, undefined]) {
    let now = 0
    const clock = { now: () => 0, monotonic: () => now }
    const terminal = memoryTerminal(columns)
    const progress = new ProgressDisplay(terminal, clock)
    for (; now < 21_000; now += 100) {
      for (const label of ['copying to a', 'copying to b']) progress.report({ label, done: now, unit: 'bytes' })
    }
    const shown = terminal.written.split(/[\r\n]/).filter((line) => line !== '')
    const of = (name: string): number => shown.filter((line) => line.startsWith(`copying to ${name}`)).length
    assert.ok(of('a') > (columns ? 80 : 1) && of('b') > (columns ? 80 : 1), `${of('a')} and ${of('b')}`)
    const changes = shown.filter((line, nth) => nth > 0 && line.slice(0, 12) !== shown[nth - 1]!.slice(0, 12)).length
    if (columns) assert.ok(changes <= 11, String(changes))
    assert.match(shown.at(-1)!, /1\.0 KB\/s/)
  }
})

test('words of the command line are read strictly', () => {
  assert.deepEqual(['5%', '100%', '0.05', '1'].map(share.parse), [0.05, 1, 0.05, 1])
  for (const text of ['0', '0%', '101%', '2', '-1', '5 %', 'x']) assert.throws(() => share.parse(text))
  assert.equal(date.parse('2024-02-29'), '2024-02-29')
  for (const text of ['2025-02-29', '2025-13-01', '25-01-01', 'today', '']) assert.throws(() => date.parse(text))
  for (const text of ['abc', 'ABCD', 'xyzw', 'a'.repeat(65)]) assert.throws(() => snapshotId.parse(text))
  for (const text of ['0', '-1', '1.5', '1e3', '']) assert.throws(() => count.parse(text))
  assert.deepEqual(listOf(['database', 'files']).parse('files,database'), ['files', 'database'])
  assert.throws(() => oneOf(['a', 'b']).parse('c'), /it must be one of a, b/)
})

test('an instant is shown as the clock of its zone shows it, also around every change of that clock', () => {
  for (const timezone of [
    'UTC',
    'Europe/Amsterdam',
    'America/St_Johns',
    'Pacific/Apia',
    'Africa/Casablanca',
    '+05:30',
  ]) {
    const clock = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone: timezone })
    let change: Temporal.ZonedDateTime | null =
      Temporal.Instant.from('1969-12-31T23:59:58Z').toZonedDateTimeISO(timezone)
    for (let nth = 0; change && nth < 120; nth++, change = change.getTimeZoneTransition('next')) {
      for (const away of [0, 1, -1, 999, -999, 3_600_000, -3_600_001, 86_400_000]) {
        const time: number = change.epochMilliseconds + away
        assert.equal(formatInstant(time, timezone), clock.format(time), `${time} in ${timezone}`)
      }
    }
  }
})
