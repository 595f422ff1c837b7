import { pino } from 'pino'

import { AppError, textOf, type Log, type LogFacts } from '#base'

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'error'
  /** Readable lines for a person; else one JSON document a line. */
  readonly isReadable: boolean
  readonly write: (line: string) => void
}

/** Facts whose name says that they are secret are never shown, whatever they hold. */
const secretNames = ['password', 'passphrase', 'secret', 'token', 'key', 'authorization', 'cookie', 'dsn', 'webhook']

/** The log of a service: pino's JSON lines, or the same for people. Secrets are taken out in either. */
export function createLog({ level, isReadable, write }: LogOptions): Log {
  const lines = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'text',
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretNames.flatMap((name) => [name, `*.${name}`]), censor: '***' },
    },
    { write: (line: string) => write(isReadable ? readable(line) : line) },
  )
  const add = (kind: 'debug' | 'info' | 'warn' | 'error', text: string, facts: LogFacts, thrown?: unknown): void => {
    const about = Object.entries(facts).map(([name, fact]) => [
      // because `text` is the line itself
      name === 'text' ? 'result' : name,
      typeof fact === 'string' ? withoutPasswords(fact) : fact,
    ])
    lines[kind]({ ...(Object.fromEntries(about) as LogFacts), ...errorFacts(thrown) }, withoutPasswords(text))
  }
  return {
    debug: (text, facts = {}) => add('debug', text, facts),
    info: (text, facts = {}) => add('info', text, facts),
    warn: (text, facts = {}) => add('warn', text, facts),
    error: (text, facts = {}, thrown) => add('error', text, facts, thrown),
  }
}

function errorFacts(thrown: unknown): Record<string, string> {
  if (thrown === undefined) return {}
  if (thrown instanceof AppError) return { code: thrown.code, hint: withoutPasswords(thrown.hint) }
  const stack = thrown instanceof Error ? thrown.stack : undefined
  return { code: 'bug', stack: withoutPasswords(stack ?? textOf(thrown)) }
}

/** Addresses come with passwords out of the messages of other programs. */
function withoutPasswords(text: string): string {
  return text.replace(/(:\/\/[^\s:@/]*:)[^\s@/]+@/g, '$1***@')
}

interface Line {
  readonly level: string
  readonly time: string
  readonly text: string
  readonly stack?: string
}

/** `2026-11-22 03:00:01 warn  run of shop incomplete  seconds=12 result="…"`, in the time of the machine. */
function readable(line: string): string {
  const { level, time, text, stack, ...facts } = JSON.parse(line) as Line & Record<string, unknown>
  const about = Object.entries(facts).map(([name, fact]) => `${name}=${shown(fact)}`)
  const when = new Date(time)
  const local = new Date(when.getTime() - when.getTimezoneOffset() * 60_000).toISOString()
  const at = `${local.slice(0, 10)} ${local.slice(11, 19)}`
  const rest = [...about, ...(stack === undefined ? [] : [`\n${stack}`])].join(' ')
  return `${harmless(`${at} ${level.padEnd(5)} ${text}${rest === '' ? '' : `  ${rest}`}`)}\n`
}

function shown(fact: unknown): string {
  const text = String(fact)
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text
}

/** Nothing steers a terminal: names of files come from everywhere. */
function harmless(text: string): string {
  return text.replace(/(?![\t\n])[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}
