import { getVault } from '#model'
import { probeVault, type VaultProbe } from '#usecases'
import { defineCommand, words } from '../command.ts'
import { exit, exitCodeOf } from '../exit-codes.ts'
import { formatInstant } from '../instant.ts'
import { vaultName } from '../parsers.ts'
import { describeLock, errorOrNull, formatWorth, instantOrNull, worthToJson } from '../render-vaults.ts'
import { table } from '../table.ts'

export const vaultProbe = defineCommand({
  examples: ['bewaar vault probe', 'bewaar vault probe storage-box b2', 'bewaar vault probe --json'],
  input: { vaults: words('vault', vaultName, { help: 'only these vaults; default: all' }) },

  run: async (context, { vaults }, signal) => {
    const configuration = await context.services.loadConfiguration()
    const chosen =
      vaults.length === 0 ? configuration.vaults : [...new Set(vaults.map((name) => getVault(configuration, name)))]
    const probes: VaultProbe[] = []
    await using opened = await context.services.open(configuration, context)
    for (const vault of chosen) {
      context.progress({
        label: 'trying vaults',
        done: probes.length,
        total: chosen.length,
        unit: 'items',
        detail: vault.name,
      })
      probes.push(await probeVault(opened.services, vault, signal))
    }
    return { probes, timezone: configuration.timezone }
  },

  render: ({ probes, timezone }, { width }) => {
    const rows = probes.map(({ vault, probe, worth }) => [
      vault.name,
      formatWorth(worth),
      probe?.found.deletes ?? '',
      probe?.found.overwrites ?? '',
      probe?.found.truncates ?? '',
    ])
    return [...table(columns, rows, width), ...probes.flatMap((probe) => notesOn(probe, timezone))]
  },

  json: ({ probes }) =>
    probes.map(({ vault, probe, worth, outcome, trouble }) => ({
      vault: vault.name,
      outcome,
      ...worthToJson(worth, probe?.at),
      deletes: probe?.found.deletes ?? null,
      overwrites: probe?.found.overwrites ?? null,
      truncates: probe?.found.truncates ?? null,
      lock: probe?.found.lock ? { mode: probe.found.lock.mode, until: instantOrNull(probe.found.lock.until) } : null,
      left: probe?.found.left ?? null,
      error: errorOrNull(trouble),
    })),

  exitCode: ({ probes }) => {
    const failed = probes.find(({ trouble }) => trouble)
    return failed ? exitCodeOf(failed.trouble) : exit.done
  },
})

const columns = [
  { title: 'VAULT', shrink: true },
  { title: 'WORTH' },
  { title: 'DELETE' },
  { title: 'OVERWRITE' },
  { title: 'TRUNCATE' },
]

function notesOn({ vault, probe, outcome, trouble }: VaultProbe, timezone: string): string[] {
  const { found, at } = probe ?? {}
  const lock = found?.lock
  const before = at === undefined ? '' : `; what stands here was found ${formatInstant(at, timezone)}`
  const notes = [
    ...(trouble ? [`could not be tried: ${trouble.message}${before}`] : []),
    ...(lock ? [describeLock(lock.mode, lock.until, timezone)] : []),
    ...(found && vault.objectLock && !lock ? [`its files should be locked (${vault.objectLock}), and are not`] : []),
    ...(found && found.left > 0 ? [`${found.left} small probes could not be removed, and stay there`] : []),
    ...(outcome === 'resting' ? [`not tried again within a day, because each probe would stay${before}`] : []),
  ]
  return notes.map((note) => `${vault.name}: ${note}`)
}
