import type { CellValue } from './csv.ts'
import { DecimalSum } from './decimal-sum.ts'

/** What of a column is told in a reconciliation: a sum, the first and last moment, or only how many values it has. */
export type ColumnMeasure = 'number' | 'date' | 'count'

const numbers =
  /^(?:(?:tiny|small|medium|big)?int(?:eger)?|int[248]|(?:small|big)?serial|numeric|decimal|dec|number|fixed|real|float[48]?|double|money|year)(?![a-z0-9])/
const dates = /^(?:date|datetime|timestamp(?:tz)?)(?![a-z0-9])/

/** @param type - as the database writes it: `numeric(10,2)`, `timestamp without time zone`, `int(11) unsigned`. */
export function measureOf(type: string): ColumnMeasure {
  const plain = type.trim().toLowerCase()
  if (plain.endsWith(']')) return 'count'
  return numbers.test(plain) ? 'number' : dates.test(plain) ? 'date' : 'count'
}

/** What the values of one column come to. */
export interface ColumnTotals {
  readonly nulls: number
  /** Of the numbers, exact; absent for a column without any. */
  readonly sum?: string
  readonly minimum?: string
  readonly maximum?: string
  /** Values that are not what the column's type says (`NaN`, `infinity`, text in a number column of SQLite): in no sum. */
  readonly others: number
}

/** Adds up one column. Memory: some values. */
export class ColumnCounter {
  #nulls = 0
  #others = 0
  #minimum: string | undefined
  #maximum: string | undefined
  readonly #sum = new DecimalSum()
  readonly #measure: ColumnMeasure

  constructor(measure: ColumnMeasure) {
    this.#measure = measure
  }

  add(value: CellValue): void {
    if (value === null) this.#nulls++
    else if (this.#measure === 'number') this.#addNumber(value)
    else if (this.#measure === 'date') this.#addDate(value)
  }

  totals(): ColumnTotals {
    const [minimum, maximum] = [this.#minimum, this.#maximum]
    const sum = this.#measure === 'number' && minimum !== undefined ? { sum: this.#sum.toString() } : {}
    const ends = minimum === undefined || maximum === undefined ? {} : { minimum, maximum }
    return { nulls: this.#nulls, others: this.#others, ...sum, ...ends }
  }

  #addNumber(value: string): void {
    if (!this.#sum.add(value)) this.#others++
    else if (this.#minimum === undefined || this.#maximum === undefined) this.#minimum = this.#maximum = value
    else if (isLess(value, this.#minimum)) this.#minimum = value
    else if (isLess(this.#maximum, value)) this.#maximum = value
  }

  #addDate(value: string): void {
    if (!moment.test(value)) this.#others++
    else if (this.#minimum === undefined || this.#maximum === undefined) this.#minimum = this.#maximum = value
    else if (isEarlier(value, this.#minimum)) this.#minimum = value
    else if (isEarlier(this.#maximum, value)) this.#maximum = value
  }
}

const whole = /^-?\d+$/

function isLess(a: string, b: string): boolean {
  const [x, y] = [Number(a), Number(b)]
  // Because two whole numbers of twenty digits may be one number of JavaScript.
  return x === y && a !== b && whole.test(a) && whole.test(b) ? BigInt(a) < BigInt(b) : x < y
}

/** `2025-11-21`, `2025-11-21 03:00:00.123456`, and with an offset, `+01` or `+05:30`. Years of four digits. */
const moment = /^\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?<offset>[+-]\d\d(?::?\d\d)?(?::\d\d)?|Z)?)?$/

function isEarlier(a: string, b: string): boolean {
  const [ofA, ofB] = [moment.exec(a)?.groups?.['offset'], moment.exec(b)?.groups?.['offset']]
  if (ofA === ofB || ofA === undefined || ofB === undefined) return a < b
  // A time zone has two offsets a year, so that the order of the texts is not that of the moments.
  return Temporal.Instant.compare(instantOf(a), instantOf(b)) < 0
}

function instantOf(text: string): Temporal.Instant {
  return Temporal.Instant.from(text.replace(' ', 'T'))
}
