/**
 * What can be done, one verb a file: back up, list, verify, restore, copy, probe and measure vaults, judge health. A use case takes the services it needs, a
 * request and a signal; it must never print, parse flags or speak HTTP.
 */
import { lazily } from '#base'

export type { BackupList } from './backup/list-backups.ts'
export type { RunPlan } from './backup/plan-run.ts'
export type { RunReport } from './backup/run-project.ts'
export { usecaseError } from './errors.ts'
export type { FoundProject } from './projects/discover-projects.ts'
export type { Proposal, ProposalOptions } from './projects/propose-configuration.ts'
export { chooseCopies, type CopyWish } from './replicate/choose-copies.ts'
export type { CopyReport, CopyRequest } from './replicate/copy-project.ts'
export type { CopyPreview } from './replicate/preview-copies.ts'
export type { Wanted } from './restore/choose-backup.ts'
export { restorableParts, type RestorablePart } from './restore/layout.ts'
export type { PreparedRestore, RestorePreview, RestoreReport, RestoreRequest } from './restore/restore-project.ts'
export type { PlanningServices, ProgressReport, Services, TemporaryFolder } from './services.ts'
export type { InitialisedRepository } from './vaults/initialise.ts'
export type { VaultState } from './vaults/list-vaults.ts'
export type { VaultProbe } from './vaults/probe-vault.ts'
export type { HealthReport } from './watch/check-health.ts'
export type { PeriodReport, ProjectReport, ReportPeriod } from './watch/report-period.ts'
export type { VerificationReport } from './verify/verify-project.ts'

// Each verb is loaded when it is first called, so that a short command starts at once.
export const checkHealth = lazily(async () => (await import('./watch/check-health.ts')).checkHealth)
export const copyProject = lazily(async () => (await import('./replicate/copy-project.ts')).copyProject)
export const findDueCopies = lazily(async () => (await import('./replicate/due-copies.ts')).findDueCopies)
export const initialise = lazily(async () => (await import('./vaults/initialise.ts')).initialise)
export const listBackups = lazily(async () => (await import('./backup/list-backups.ts')).listBackups)
export const listVaults = lazily(async () => (await import('./vaults/list-vaults.ts')).listVaults)
export const planRun = lazily(async () => (await import('./backup/plan-run.ts')).planRun)
export const prepareRestore = lazily(async () => (await import('./restore/restore-project.ts')).prepareRestore)
export const previewCopies = lazily(async () => (await import('./replicate/preview-copies.ts')).previewCopies)
export const probeVault = lazily(async () => (await import('./vaults/probe-vault.ts')).probeVault)
export const proposeConfiguration = lazily(
  async () => (await import('./projects/propose-configuration.ts')).proposeConfiguration,
)
export const reportPeriod = lazily(async () => (await import('./watch/report-period.ts')).reportPeriod)
export const runProject = lazily(async () => (await import('./backup/run-project.ts')).runProject)
export const verifyProject = lazily(async () => (await import('./verify/verify-project.ts')).verifyProject)
