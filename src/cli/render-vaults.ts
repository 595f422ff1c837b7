import { formatBytes, formatCount, type AppError } from '#base'
import { formatLocation, type Capacity, type JudgedWorth, type Price } from '#model'
import type { VaultState } from '#usecases'
import { formatInstant } from './instant.ts'
import { table } from './table.ts'

/** The tables of capacity and cost, and what there is to say beside them. */
export function vaultLines(states: readonly VaultState[], timezone: string, width: number): string[] {
  const rows = states.map(({ vault, worth, measured, pricePerMonth }) => [
    vault.name,
    formatWorth(worth),
    ...capacityCells(measured?.capacity, timezone),
    pricePerMonth === undefined ? '' : formatMoney(pricePerMonth, vault.price!),
  ])
  return [
    ...table(vaultColumns, rows, width),
    ...projectLines(states, width),
    ...states.flatMap((state) => notesOn(state, timezone)),
  ]
}

/** `locked`; with a question mark when it was tried too long ago. */
export function formatWorth({ worth, isStale }: JudgedWorth): string {
  return isStale && worth !== 'unknown' ? `${worth}?` : worth
}

const right = 'right' as const
const vaultColumns = [
  { title: 'VAULT', shrink: true },
  { title: 'WORTH' },
  { title: 'USED', align: right },
  { title: 'FREE', align: right },
  { title: 'A DAY', align: right },
  { title: 'FULL' },
  { title: 'A MONTH', align: right },
]
const projectColumns = [
  { title: 'VAULT' },
  { title: 'PROJECT', shrink: true },
  { title: 'FILES', align: right },
  { title: 'USED', align: right },
  { title: 'SHARE', align: right },
  { title: 'A MONTH', align: right },
  { title: 'WHOLE TERM', align: right },
]

function capacityCells(capacity: Capacity | undefined, timezone: string): string[] {
  if (capacity === undefined) return ['?', '?', '?', '']
  const { usedBytes, freeBytes, growthBytesPerDay: growth, fullAt } = capacity
  return [
    formatBytes(usedBytes),
    freeBytes === undefined ? '?' : formatBytes(freeBytes),
    growth === undefined ? '?' : formatGrowth(growth),
    fullAt === undefined ? '' : formatInstant(fullAt, timezone).slice(0, 10),
  ]
}

function formatGrowth(bytes: number): string {
  if (bytes === 0) return '0 B'
  return `${bytes > 0 ? '+' : '-'}${formatBytes(Math.abs(bytes))}`
}

function projectLines(states: readonly VaultState[], width: number): string[] {
  const rows = states.flatMap(({ vault, measured }) =>
    (measured?.projects ?? []).map(({ project, files, bytes, share, cost }) => [
      vault.name,
      project,
      formatCount(files),
      formatBytes(bytes),
      `${Math.round(share * 100)}%`,
      cost ? formatMoney(cost.perMonth, vault.price!) : '',
      cost?.overTerm === undefined ? '' : formatMoney(cost.overTerm, vault.price!),
    ]),
  )
  return rows.length === 0 ? [] : ['', ...table(projectColumns, rows, width)]
}

function formatMoney(amount: number, { currency }: Price): string {
  return `${amount.toFixed(2)} ${currency}`
}

/** What a number alone would hide: what it was found by, why there is none, and what to do. */
function notesOn({ vault, worth, probe, measured, trouble }: VaultState, timezone: string): string[] {
  const older = (measured?.projects ?? []).reduce((sum, { olderBytes }) => sum + olderBytes, 0)
  const lock = probe?.found.lock
  const notes = [
    ...(probe && (worth.worth === 'unknown' || worth.worth === 'mutable') ? [worth.text] : []),
    ...(lock ? [describeLock(lock.mode, lock.until, timezone)] : []),
    ...(probe === undefined ? ['never tried: run `bewaar vault probe` to find out what it is worth'] : []),
    ...(worth.isStale && probe ? [`last tried ${formatInstant(probe.at, timezone)}: run \`bewaar vault probe\``] : []),
    ...(measured || trouble ? [] : ['never measured: run `bewaar vault list`']),
    ...(older > 0 ? [`${formatBytes(older)} of it are older versions of files`] : []),
    ...(trouble
      ? [`could not be measured: ${trouble.message}`, ...(measured ? [measuredAt(measured.at, timezone)] : [])]
      : []),
  ]
  if (notes.length === 0) return []
  return ['', `${vault.name} (${formatLocation(vault.location)})`, ...notes.map((note) => `  ${note}`)]
}

export function describeLock(mode: string, until: number | undefined, timezone: string): string {
  const term = until === undefined ? '' : `; the newest backups until ${formatInstant(until, timezone).slice(0, 10)}`
  return `locked (${mode})${term}`
}

function measuredAt(at: number, timezone: string): string {
  return `the numbers are of ${formatInstant(at, timezone)}`
}

/** The form for programs, as docs/operate/vaults.md has it. */
export function vaultsToJson(states: readonly VaultState[]): unknown {
  return states.map(({ vault, worth, probe, measured, pricePerMonth, trouble }) => ({
    vault: vault.name,
    location: formatLocation(vault.location),
    tier: vault.tier,
    place: vault.place ?? null,
    ...worthToJson(worth, probe?.at),
    measured: measured ? new Date(measured.at).toISOString() : null,
    used: measured?.capacity.usedBytes ?? null,
    total: measured?.capacity.totalBytes ?? null,
    free: measured?.capacity.freeBytes ?? null,
    growthPerDay: measured?.capacity.growthBytesPerDay ?? null,
    full: instantOrNull(measured?.capacity.fullAt),
    currency: vault.price?.currency ?? null,
    perMonth: pricePerMonth ?? null,
    projects: (measured?.projects ?? []).map(({ project, files, bytes, olderBytes, share, cost }) => ({
      project,
      files,
      bytes,
      olderBytes,
      share,
      perMonth: cost?.perMonth ?? null,
      overTerm: cost?.overTerm ?? null,
    })),
    error: errorOrNull(trouble),
  }))
}

export function worthToJson({ worth, isStale, text }: JudgedWorth, triedAt: number | undefined) {
  return { worth, stale: isStale, reason: text, tried: instantOrNull(triedAt) }
}

export function instantOrNull(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString()
}

export function errorOrNull(error: AppError | undefined) {
  return error ? { code: error.code, message: error.message, hint: error.hint } : null
}
