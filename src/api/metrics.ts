import { Gauge, Registry } from 'prom-client'

import { criticalities, runStatuses, troubleKinds, verdicts, type Verdict } from '#model'
import type { ProjectStatus, SystemStatus, VaultState, VaultStatus } from '#usecases'
import type { Reader } from './reader.ts'

/**
 * All numbers in the format of Prometheus. Names say their unit; times are seconds since 1970. What is not known is left out.
 *
 * Source: Prometheus, "Metric and label naming" and "Exposition formats".
 */
export async function writeMetrics(reader: Reader): Promise<{ readonly type: string; readonly text: string }> {
  const registry = new Registry()
  const set = gauges(registry)
  set('bewaar_build_info', 'The version that runs; always 1', { version: reader.version }, 1)
  const status = await reader.status().catch(() => undefined) // because that it is down is a number too
  set('bewaar_catalog_up', 'Whether the catalog can be read', {}, status ? 1 : 0)
  if (status) setStatus(set, status)
  const schedule = reader.schedule?.()
  if (schedule) {
    set('bewaar_scheduler_last_tick_timestamp_seconds', 'When the scheduler last looked', {}, schedule.lookedAt / 1000)
    set('bewaar_duties', 'Duties by what becomes of them', { state: 'running' }, schedule.running)
    set('bewaar_duties', 'Duties by what becomes of them', { state: 'waiting' }, schedule.waiting)
  }
  return { type: registry.contentType, text: await registry.metrics() }
}

type Labels = Readonly<Record<string, string>>
type SetGauge = (name: string, help: string, labels: Labels, value: number | undefined) => void

function gauges(registry: Registry): SetGauge {
  const known = new Map<string, Gauge>()
  return (name, help, labels, value) => {
    if (value === undefined) return
    let gauge = known.get(name)
    if (!gauge) {
      gauge = new Gauge({ name, help, labelNames: Object.keys(labels), registers: [registry] })
      known.set(name, gauge)
    }
    gauge.set(labels, value)
  }
}

function setStatus(set: SetGauge, { projects, vaults, incidents }: SystemStatus): void {
  for (const project of projects) setProject(set, project)
  for (const vault of vaults) setVault(set, vault)
  for (const kind of troubleKinds) {
    for (const criticality of criticalities) {
      const count = incidents.filter((one) => one.kind === kind && one.criticality === criticality).length
      set('bewaar_incidents_open', 'Incidents that are open', { trouble: kind, criticality }, count)
    }
  }
}

/** One series for each word, 1 for the one that holds: so that an alert can name it. */
function setVerdict(set: SetGauge, name: string, help: string, labels: Labels, verdict: Verdict): void {
  for (const word of verdicts) {
    // because nobody asks the vaults here, and a channel is no project's
    if (word !== 'channel' && word !== 'unreachable')
      set(name, help, { ...labels, verdict: word }, word === verdict ? 1 : 0)
  }
}

function setProject(set: SetGauge, { health, lastRun, vaults }: ProjectStatus): void {
  const { project } = health
  setVerdict(set, 'bewaar_project_health', 'The verdict on a project', { project }, health.verdict)
  for (const one of vaults) setVaultOfProject(set, project, one)
  if (!lastRun) return
  const { startedAt, endedAt, status, findings } = lastRun
  const about = 'of the last run of a project'
  const seconds = endedAt === undefined ? undefined : (endedAt - startedAt) / 1000
  set('bewaar_run_timestamp_seconds', `Beginning ${about}`, { project }, startedAt / 1000)
  set('bewaar_run_duration_seconds', `Duration ${about}`, { project }, seconds)
  set('bewaar_run_read_bytes', `Bytes that were read ${about}`, { project }, lastRun.bytesRead)
  set('bewaar_run_added_bytes', `Bytes that the repository grew by ${about}`, { project }, lastRun.bytesAdded)
  set('bewaar_run_files', `Files ${about}`, { project }, lastRun.files)
  for (const word of runStatuses) {
    if (word !== 'running' && word !== 'cancelled') {
      set('bewaar_run_status', `Status ${about}`, { project, status: word }, word === status ? 1 : 0)
    }
  }
  for (const severity of ['damage', 'warning', 'notice'] as const) {
    const count = findings.filter((finding) => finding.severity === severity).length
    set('bewaar_run_findings', `Findings ${about}`, { project, severity }, count)
  }
}

function setVaultOfProject(set: SetGauge, project: string, status: VaultStatus): void {
  const { health, lastCopy, lastVerification, snapshots } = status
  const labels = { project, vault: health.vault }
  setVerdict(set, 'bewaar_vault_health', 'The verdict on a project in a vault', labels, health.verdict)
  set('bewaar_backup_timestamp_seconds', 'Newest backup of a project in a vault', labels, inSeconds(health.newestAt))
  set('bewaar_backups', 'Backups of a project in a vault', labels, snapshots)
  const copied = 'End of the last complete copy to a vault'
  set('bewaar_copy_timestamp_seconds', copied, labels, inSeconds(lastCopy?.endedAt))
  set('bewaar_copy_added_bytes', 'Bytes that the last complete copy added', labels, lastCopy?.bytesAdded)
  const verified = 'End of the last verification that found nothing wrong'
  set('bewaar_verification_timestamp_seconds', verified, labels, inSeconds(lastVerification?.endedAt))
}

function setVault(set: SetGauge, { vault: { name: vault }, measured }: VaultState): void {
  if (!measured) return
  const { usedBytes, freeBytes, totalBytes } = measured.capacity
  set('bewaar_storage_measured_timestamp_seconds', 'When a vault was last measured', { vault }, measured.at / 1000)
  set('bewaar_storage_used_bytes', 'Bytes that all repositories of a vault take', { vault }, usedBytes)
  set('bewaar_storage_free_bytes', 'Bytes that are free in a vault', { vault }, freeBytes)
  set('bewaar_storage_size_bytes', 'Bytes that a vault holds at most', { vault }, totalBytes)
}

function inSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}
