import { basename, resolve } from 'node:path'

import { formatBytes, formatCount, textOf } from '#base'
import { getVault } from '#model'
import { prepareExport, restorableParts, type ExportReport, type ExportRequest, type Seal } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { atMostOne, defineCommand, flag, option, options } from '../command.ts'
import { exit } from '../exit-codes.ts'
import { formatInstant } from '../instant.ts'
import { ageRecipient, date, file, listOf, openpgpKey, projectName, snapshotId, vaultName, year } from '../parsers.ts'
import { findingLines } from '../render-findings.ts'

interface Result {
  readonly report: ExportReport
  /** Absent: it went to standard output. */
  readonly written?: { readonly file: string; readonly bytes: number }
  readonly timezone: string
}

interface Input {
  readonly latest: boolean
  readonly date: string | undefined
  readonly snapshot: string | undefined
  readonly year: string | undefined
  readonly recipients: readonly string[]
  readonly gpg: readonly string[]
  readonly passphraseFile: string | undefined
}

export const exportCommand = defineCommand({
  examples: [
    'bewaar export --project=shop --year=2024 --recipient=age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kudd4kv9qs9yl2r',
    'bewaar export --project=shop --only=database --gpg=./accountant.asc --to=/media/usb/shop.tar.zst.gpg',
    'bewaar export --project=shop --passphrase-file=/root/export.pass --to=- | ssh nas "cat > shop.tar.zst.gpg"',
  ],
  input: {
    project: option('--project', projectName, { required: true, help: 'the project to export' }),
    latest: flag('--latest', { help: 'the newest backup (the default)' }),
    date: option('--date', date, { help: 'the newest backup up to the end of this day' }),
    snapshot: option('--snapshot', snapshotId, { help: 'this one; the beginning of its id is enough' }),
    year: option('--year', year, { help: 'the last backup that was made in this year' }),
    vault: option('--vault', vaultName, { help: 'from this vault; default: the nearest that has it' }),
    only: option('--only', listOf(restorableParts), { fallback: [], help: 'these parts alone' }),
    to: option('--to', file, { help: 'this file; - is standard output; default: a name of its own, here' }),
    recipients: options('--recipient', ageRecipient, { help: 'sealed by age for this public key' }),
    gpg: options('--gpg', openpgpKey, { help: 'sealed by gpg for this key: a fingerprint, or a file' }),
    passphraseFile: option('--passphrase-file', file, { help: 'sealed by gpg with the first line of this file' }),
  },
  check: (input) =>
    atMostOne({
      '--latest': input.latest,
      '--date': input.date,
      '--snapshot': input.snapshot,
      '--year': input.year,
    }) ?? checkSeal(input),

  run: async (context, input, signal): Promise<Result> => {
    const configuration = await context.services.loadConfiguration()
    const { timezone } = configuration
    const [project] = chooseProjects(configuration, [input.project])
    const request: ExportRequest = {
      wanted: wantedBy(input),
      vault: input.vault === undefined ? undefined : getVault(configuration, input.vault),
      only: input.only,
      seal: sealOf(input),
    }
    await using opened = await context.services.open(configuration, context, 'restoring')
    await using prepared = await prepareExport(opened.services, project!, request, signal)
    const { report } = prepared
    for (const { vault, error } of report.troubles) {
      context.warn(`The vault ${vault} could not be looked at: ${textOf(error)}`)
    }
    if (input.to === '-') {
      await context.writeOut(prepared.stream(signal))
      // because on standard output there is the archive
      for (const line of [`${whatOf(report, timezone)} exported`, ...findingLines(report.findings)]) context.note(line)
      return { report, timezone }
    }
    const target = resolve(input.to ?? report.name)
    return { report, written: { file: target, bytes: await prepared.save(target, signal) }, timezone }
  },

  render: ({ report, written, timezone }) =>
    written
      ? [
          `${whatOf(report, timezone)} exported to ${written.file} (${formatBytes(written.bytes)})`,
          ...tableLines(report),
          ...findingLines(report.findings),
          `Sealed for ${report.sealedFor}. To open it:`,
          ...report.opening(basename(written.file)).map((line) => `  ${line}`),
        ]
      : [],

  json: ({ report, written }) => {
    const { time, troubles: _, opening, ...rest } = report
    return {
      ...rest,
      time: new Date(time).toISOString(),
      ...(written && { file: written.file, sealedBytes: written.bytes, opening: opening(basename(written.file)) }),
    }
  },

  exitCode: ({ report: { findings } }) => {
    if (findings.some(({ severity }) => severity === 'damage')) return exit.damaged
    return findings.some(({ severity }) => severity === 'warning') ? exit.incomplete : exit.done
  },
})

function checkSeal({ recipients, gpg, passphraseFile }: Input): string | undefined {
  const given = {
    '--recipient': recipients.length > 0,
    '--gpg': gpg.length > 0,
    '--passphrase-file': passphraseFile,
  }
  const none = Object.values(given).every((one) => one === undefined || one === false)
  return none ? 'an export is sealed: give --recipient, --gpg or --passphrase-file' : atMostOne(given)
}

function sealOf({ recipients, gpg, passphraseFile }: Input): Seal {
  if (recipients.length > 0) return { kind: 'age', recipients }
  if (passphraseFile !== undefined) return { kind: 'passphrase', file: resolve(passphraseFile) }
  return { kind: 'gpg', keys: gpg.map((key) => (key.includes('/') ? resolve(key) : key)) }
}

function wantedBy({ date, snapshot, year }: Input): ExportRequest['wanted'] {
  if (snapshot !== undefined) return { kind: 'snapshot', id: snapshot }
  if (year !== undefined) return { kind: 'year', year }
  return date === undefined ? { kind: 'latest' } : { kind: 'date', date }
}

function whatOf({ project, snapshot, vault, time }: ExportReport, timezone: string): string {
  return `Snapshot ${snapshot.slice(0, 8)} of ${project}, made ${formatInstant(time, timezone)}, from the vault ${vault}:`
}

function tableLines({ tables }: ExportReport): string[] {
  const databases = Map.groupBy(tables, ({ database }) => database)
  return Array.from(databases, ([database, some]) => {
    const rows = some.reduce((sum, one) => sum + one.rows, 0)
    return `  ${database}: ${formatCount(some.length)} tables as CSV files, ${formatCount(rows)} rows`
  })
}
