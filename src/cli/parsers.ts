import { textOf } from '#base'
import { namePattern, parseLocation, parseSshAddress, type Location } from '#model'
import { Refusal } from './refusal.ts'

/** Which words can stand there, for the completion of a shell. */
export type Completion = 'projects' | 'vaults' | 'incidents' | 'files' | 'folders' | readonly string[]

/** Reads one word of the command line. */
export interface Parser<T> {
  /** How the help names the value: `NAME`. */
  readonly placeholder: string
  readonly completion?: Completion
  /** @throws `Refusal` with the reason. */
  readonly parse: (text: string) => T
  /** A default as the help shows it; absent: as JSON. */
  show?(value: T): string
}

/** Any text but the empty one. */
export const text: Parser<string> = { placeholder: 'TEXT', parse: notEmpty }

/** The name of a project, known or not. */
export const projectName: Parser<string> = { placeholder: 'NAME', completion: 'projects', parse: parseName }

/** The name of a vault, known or not. */
export const vaultName: Parser<string> = { placeholder: 'NAME', completion: 'vaults', parse: parseName }

export const file: Parser<string> = { placeholder: 'FILE', completion: 'files', parse: notEmpty }

export const folder: Parser<string> = { placeholder: 'DIR', completion: 'folders', parse: notEmpty }

/** A whole number from 1. */
export const count: Parser<number> = {
  placeholder: 'N',
  parse: (text) => {
    if (!/^[1-9]\d{0,8}$/.test(text)) throw new Refusal('it must be a whole number from 1')
    return Number(text)
  },
}

/** A length of time up to some weeks, in milliseconds: `25 hours`, `3 days`. */
export const age: Parser<number> = {
  placeholder: 'TIME',
  parse: (text) => {
    const [, amount, unit] = /^([1-9]\d{0,4}) ?(minute|hour|day|week)s?$/.exec(text.trim()) ?? []
    const minutes = { minute: 1, hour: 60, day: 24 * 60, week: 7 * 24 * 60 }[unit ?? '']
    if (minutes === undefined)
      throw new Refusal('it must be a number of minutes, hours, days or weeks, for example "25 hours"')
    return Number(amount) * minutes * 60_000
  },
}

/** How many of how many shares give a password back: `2/3`. */
export const shareNumbers: Parser<{ readonly needed: number; readonly count: number }> = {
  placeholder: 'K/N',
  parse: (text) => {
    const [, needed, count] = /^(\d{1,2})\/(\d{1,2})$/.exec(text)?.map(Number) ?? []
    if (needed === undefined || count === undefined || needed < 2 || count < needed || count > 16) {
      throw new Refusal('it must say how many of how many are enough, from 2 and up to 16, for example 2/3')
    }
    return { needed, count }
  },
}

/** Where a vault lies, as the configuration has it. */
export const place: Parser<Location> = {
  placeholder: 'LOCATION',
  parse: (text) => {
    try {
      return parseLocation(text)
    } catch (thrown) {
      throw new Refusal(textOf(thrown))
    }
  },
}

/** A part of the whole, 0 to 1: written `0.05`, `5%` or `100%`. */
export const share: Parser<number> = {
  placeholder: 'SHARE',
  parse: (text) => {
    const match = /^(\d{1,3}(?:\.\d+)?)(%)?$/.exec(text)
    const value = Number(match?.[1]) / (match?.[2] ? 100 : 1)
    if (!match || value <= 0 || value > 1) throw new Refusal('it must be above 0% and at most 100%, for example 5%')
    return value
  },
  show: (value) => `${value * 100}%`,
}

/** A day of the calendar, `2025-11-21`. */
export const date: Parser<string> = {
  placeholder: 'YYYY-MM-DD',
  parse: (text) => {
    const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)?.map(Number) ?? []
    const instant = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day ?? 0))
    if (year === undefined || Number.isNaN(instant.getTime()) || instant.toISOString().slice(0, 10) !== text) {
      throw new Refusal('it must be a day of the calendar, for example 2025-11-21')
    }
    return text
  },
}

/** A year of the calendar, `2024`. */
export const year: Parser<string> = {
  placeholder: 'YYYY',
  parse: (text) => {
    if (!/^(?:19|20|21)\d\d$/.test(text)) throw new Refusal('it must be a year of the calendar, for example 2024')
    return text
  },
}

/** Whom age encrypts for: `age1…`, or a public key of ssh. */
export const ageRecipient: Parser<string> = {
  placeholder: 'AGE1...',
  parse: (text) => {
    if (!/^(?:age1[0-9a-z]{50,}|ssh-(?:ed25519|rsa) [A-Za-z0-9+/]+=*(?: .*)?)$/.test(text))
      throw new Refusal('it must be a public key: age1…, ssh-ed25519 … or ssh-rsa …')
    return text
  },
}

/** A key of OpenPGP: names and mail addresses are refused, because anybody can make a key with them. */
export const openpgpKey: Parser<string> = {
  placeholder: 'KEY',
  completion: 'files',
  parse: (text) => {
    const fingerprint = text.replaceAll(' ', '')
    if (/^(?:0x)?(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$/.test(fingerprint)) return fingerprint
    if (text.includes('/')) return text
    throw new Refusal('it must be a whole fingerprint of 40 characters, or a file with a / in its name: ./key.asc')
  },
}

/** The id of a hold: `h-3f09ac`. */
export const holdId: Parser<string> = {
  placeholder: 'ID',
  parse: (text) => {
    if (!/^h-[0-9a-f]{6}$/.test(text))
      throw new Refusal('it must be as `bewaar hold list` shows it, for example h-3f09ac')
    return text
  },
}

/** The id of a snapshot or a part of its beginning, lower-case hex, at least four characters. */
export const snapshotId: Parser<string> = {
  placeholder: 'ID',
  parse: (text) => {
    if (!/^[0-9a-f]{4,64}$/.test(text)) throw new Refusal('it must be 4 to 64 characters of 0-9 and a-f')
    return text
  },
}

/** Another server: `ssh://root@new.example.org:22`. */
export const sshAddress: Parser<NonNullable<ReturnType<typeof parseSshAddress>>> = {
  placeholder: 'ADDRESS',
  parse: (text) => {
    const address = parseSshAddress(text)
    if (!address) throw new Refusal('it must be a server, for example ssh://root@new.example.org')
    return address
  },
}

/** The id of an incident: `i-3f09ac`, also without the beginning. */
export const incidentId: Parser<string> = {
  placeholder: 'ID',
  completion: 'incidents',
  parse: (text) => {
    const [, digits] = /^(?:i-)?([0-9a-f]{6})$/.exec(text) ?? []
    if (digits === undefined) throw new Refusal('it must be as `bewaar incident list` shows it, for example i-3f09ac')
    return `i-${digits}`
  },
}

/** One of these words. */
export function oneOf<const Word extends string>(words: readonly Word[], placeholder = words.join('|')): Parser<Word> {
  return {
    placeholder,
    completion: words,
    parse: (text) => {
      const found = words.find((word) => word === text)
      if (found === undefined) throw new Refusal(`it must be one of ${words.join(', ')}`)
      return found
    },
  }
}

/** Some of these words, with commas between them. */
export function listOf<const Word extends string>(words: readonly Word[]): Parser<readonly Word[]> {
  const one = oneOf(words)
  return { placeholder: words.join(','), completion: words, parse: (text) => text.split(',').map(one.parse) }
}

function notEmpty(text: string): string {
  if (text === '') throw new Refusal('it is empty')
  return text
}

function parseName(text: string): string {
  if (!namePattern.test(text)) throw new Refusal('a name has only lower-case letters, digits and -')
  return text
}
