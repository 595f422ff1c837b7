import assert from 'node:assert/strict'
import { test } from 'node:test'

import { array, assert as holds, bigInt, integer, property, tuple } from 'fast-check'

import { ColumnCounter, measureOf } from './column-totals.ts'
import { csvLine } from './csv.ts'
import { DecimalSum } from './decimal-sum.ts'

function totalsOf(type: string, values: readonly (string | null)[]): object {
  const counter = new ColumnCounter(measureOf(type))
  for (const value of values) counter.add(value)
  return counter.totals()
}

test('numbers are added as they are written, without rounding', () => {
  const sum = new DecimalSum()
  for (const value of ['0.10', '0.20', '-1', '9007199254740993', '1e3', '.5']) assert.ok(sum.add(value))
  assert.equal(sum.toString(), '9007199254741992.80')
  for (const value of ['', '.', 'NaN', 'Infinity', '1,5', '0x10', '--1', 'e5']) assert.ok(!sum.add(value), value)
  assert.equal(sum.toString(), '9007199254741992.80')
})

test('a sum does not depend on the order, and has the decimals of what was added', () => {
  const cents = array(tuple(bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), integer({ min: 0, max: 6 })))
  holds(
    property(cents, (values) => {
      const sum = new DecimalSum()
      let expected = 0n
      for (const [value, decimals] of values) {
        const digits = String(value < 0n ? -value : value).padStart(decimals + 1, '0')
        const point = digits.length - decimals
        const text = `${value < 0n ? '-' : ''}${digits.slice(0, point)}${decimals ? `.${digits.slice(point)}` : ''}`
        assert.ok(sum.add(text))
        expected += value * 10n ** BigInt(6 - decimals)
      }
      const [whole, fraction = ''] = sum.toString().replace('-', '').split('.')
      const sign = sum.toString().startsWith('-') ? -1n : 1n
      assert.equal(sign * BigInt(whole! + fraction.padEnd(6, '0')), expected)
    }),
  )
})

test('a number with hundreds of decimals makes the sum one of a computer', () => {
  const sum = new DecimalSum()
  assert.ok(sum.add('1e-300'))
  assert.ok(sum.add('2.5'))
  assert.equal(sum.toString(), '2.5')
})

test('a column says how many values it lacks, what they come to, and from where to where they go', () => {
  assert.deepEqual(totalsOf('numeric(10,2)', ['2.50', null, '-1.25', '10', 'NaN']), {
    nulls: 1,
    others: 1,
    sum: '11.25',
    minimum: '-1.25',
    maximum: '10',
  })
  assert.deepEqual(totalsOf('bigint', ['9223372036854775806', '9223372036854775807']), {
    nulls: 0,
    others: 0,
    sum: '18446744073709551613',
    minimum: '9223372036854775806',
    maximum: '9223372036854775807',
  })
  assert.deepEqual(totalsOf('date', ['2024-02-29', '2020-01-01', 'infinity', '0044-03-15 BC']), {
    nulls: 0,
    others: 2,
    minimum: '2020-01-01',
    maximum: '2024-02-29',
  })
  assert.deepEqual(totalsOf('text', ['a', null, 'b']), { nulls: 1, others: 0 })
  assert.deepEqual(totalsOf('integer', [null]), { nulls: 1, others: 0 })
})

test('moments with an offset are compared as moments', () => {
  const summer = '2025-10-26 02:30:00+02'
  const winter = '2025-10-26 02:10:00+01'
  assert.deepEqual(totalsOf('timestamp with time zone', [winter, summer]), {
    nulls: 0,
    others: 0,
    minimum: summer,
    maximum: winter,
  })
})

test('the type of a column says how it is measured', () => {
  const cases = {
    number: ['int(11) unsigned', 'bigint', 'INTEGER', 'double precision', 'numeric(10,2)', 'money', 'REAL', 'year(4)'],
    date: ['date', 'datetime(6)', 'timestamp without time zone', 'timestamptz'],
    count: [
      'text',
      'interval',
      'integer[]',
      'point',
      'int4range',
      'time without time zone',
      'daterange',
      '',
      'boolean',
    ],
  }
  for (const [measure, types] of Object.entries(cases))
    for (const type of types) assert.equal(measureOf(type), measure, type)
})

test('a line of CSV tells NULL from an empty text, and quotes what would be read as something else', () => {
  assert.equal(csvLine(['a', null, '', 'b,c', 'd"e', 'f\ng', ' h ']), 'a,,"","b,c","d""e","f\ng", h \r\n')
  assert.equal(csvLine([]), '\r\n')
})
