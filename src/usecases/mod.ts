/**
 * What can be done, one verb a file: back up, list, verify, restore, copy. A use case takes the services it needs, a
 * request and a signal; it must never print, parse flags or speak HTTP.
 */
export { listBackups, type BackupList } from './backup/list-backups.ts'
export { planRun, type RunPlan } from './backup/plan-run.ts'
export { runProject, type RunReport } from './backup/run-project.ts'
export { usecaseError } from './errors.ts'
export type { FoundProject } from './projects/discover-projects.ts'
export { proposeConfiguration, type Proposal, type ProposalOptions } from './projects/propose-configuration.ts'
export { chooseCopies, type CopyWish } from './replicate/choose-copies.ts'
export { copyProject, type CopyReport, type CopyRequest } from './replicate/copy-project.ts'
export { findDueCopies } from './replicate/due-copies.ts'
export { previewCopies, type CopyPreview } from './replicate/preview-copies.ts'
export type { Wanted } from './restore/choose-backup.ts'
export { restorableParts, type RestorablePart } from './restore/layout.ts'
export {
  prepareRestore,
  type PreparedRestore,
  type RestorePreview,
  type RestoreReport,
  type RestoreRequest,
} from './restore/restore-project.ts'
export type { PlanningServices, ProgressReport, Services, TemporaryFolder } from './services.ts'
export { initialise, type InitialisedRepository } from './vaults/initialise.ts'
export { listVaults, type VaultState } from './vaults/list-vaults.ts'
export { probeVault, type VaultProbe } from './vaults/probe-vault.ts'
export { checkHealth, type HealthReport } from './watch/check-health.ts'
export { reportPeriod, type PeriodReport, type ProjectReport, type ReportPeriod } from './watch/report-period.ts'
export { verifyProject, type VerificationReport } from './verify/verify-project.ts'
