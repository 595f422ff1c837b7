/**
 * What can be done, one verb a file: back up, list, verify, restore, copy, probe and measure vaults, judge health. A use case takes the services it needs, a
 * request and a signal; it must never print, parse flags or speak HTTP.
 */
import { lazily } from '#base'

export type { PingEvent } from './alarms/ping.ts'
export type { Sending } from './alarms/send-message.ts'
export type { TellReport } from './alarms/tell.ts'
export type { BackupList } from './backup/list-backups.ts'
export type { RunPlan } from './backup/plan-run.ts'
export type { RunReport } from './backup/run-project.ts'
export type { Duty, DutyOutcome } from './duties/duty.ts'
export type { DumpRequest, PreparedDump } from './dump/prepare-dump.ts'
export { usecaseError } from './errors.ts'
export type { ExportReport, ExportRequest, PreparedExport } from './export/export-project.ts'
export type { Seal } from './export/seal.ts'
export type { FoundProject } from './projects/discover-projects.ts'
export type { Proposal, ProposalOptions } from './projects/propose-configuration.ts'
export type { PlannedFile, PlannedSecret } from './recover/plan-recovery.ts'
export type { OwnWish } from './recover/back-up-own.ts'
export type { RecoverableProject } from './recover/list-projects.ts'
export type { PreparedRecovery, RecoverRequest, RecoveryPreview } from './recover/recover.ts'
export type { RecoveryFiles } from './recover/recovery-files.ts'
export { chooseCopies, type CopyWish } from './replicate/choose-copies.ts'
export type { CopyReport, CopyRequest } from './replicate/copy-project.ts'
export type { CopyPreview } from './replicate/preview-copies.ts'
export type { Wanted } from './restore/choose-backup.ts'
export type { CleanupReport, CleanupRequest, PlannedSnapshot, VaultCleanup } from './retention/clean-up.ts'
export type { HoldRequest, KnownHold } from './retention/holds.ts'
export { restorableParts, type RestorablePart } from './restore/layout.ts'
export type { RestoreTestReport, RestoreTestRequest } from './restore-test/test-project.ts'
export type { LogLine, LogRequest } from './reports/list-log.ts'
export type { SentReport } from './reports/send-report.ts'
export type {
  DatabasePreview,
  FolderPreview,
  PreparedRestore,
  RestorePreview,
  RestoreReport,
  RestoreRequest,
} from './restore/request.ts'
export type { PlanningServices, ProgressReport, Services, TemporaryFolder } from './services.ts'
export type { InitialisedRepository } from './vaults/initialise.ts'
export type { PlaceServices } from './vaults/open-place.ts'
export type { VaultState } from './vaults/list-vaults.ts'
export type { VaultProbe } from './vaults/probe-vault.ts'
export type { CheckedVault, KitCheckReport } from './kit/check-kit.ts'
export type { KitRequest } from './kit/gather-facts.ts'
export type { Held } from './kit/held-password.ts'
export type { MadeKit } from './kit/make-kit.ts'
export type { HealthReport } from './watch/check-health.ts'
export type { VaultReport, VaultsReport } from './watch/check-vaults.ts'
export { forItself } from './recover/own-places.ts'
export { describeHealth } from './watch/describe-health.ts'
export type { ProjectStatus, SystemStatus, VaultStatus } from './watch/read-status.ts'
export type { WatchReport } from './watch/watch.ts'
export type { VerificationReport } from './verify/verify-project.ts'

// Each verb is loaded when it is first called, so that a short command starts at once.
export const acknowledgeIncident = lazily(
  async () => (await import('./incidents/acknowledge-incident.ts')).acknowledgeIncident,
)
export const addHold = lazily(async () => (await import('./retention/holds.ts')).addHold)
export const backUpOwn = lazily(async () => (await import('./recover/back-up-own.ts')).backUpOwn)
export const checkPlace = lazily(async () => (await import('./watch/check-place.ts')).checkPlace)
export const checkVaults = lazily(async () => (await import('./watch/check-vaults.ts')).checkVaults)
export const checkHealth = lazily(async () => (await import('./watch/check-health.ts')).checkHealth)
export const checkItself = lazily(async () => (await import('./recover/check-itself.ts')).checkItself)
export const checkKit = lazily(async () => (await import('./kit/check-kit.ts')).checkKit)
export const cleanUp = lazily(async () => (await import('./retention/clean-up.ts')).cleanUp)
export const copyProject = lazily(async () => (await import('./replicate/copy-project.ts')).copyProject)
export const loadDuties = lazily(async () => (await import('./duties/table.ts')).loadDuties)
export const findDueCopies = lazily(async () => (await import('./replicate/due-copies.ts')).findDueCopies)
export const findIncident = lazily(async () => (await import('./incidents/find-incident.ts')).findIncident)
export const joinGiven = lazily(async () => (await import('./kit/held-password.ts')).joinGiven)
export const initialise = lazily(async () => (await import('./vaults/initialise.ts')).initialise)
export const listBackups = lazily(async () => (await import('./backup/list-backups.ts')).listBackups)
export const liftHold = lazily(async () => (await import('./retention/holds.ts')).liftHold)
export const listHolds = lazily(async () => (await import('./retention/holds.ts')).listHolds)
export const listIncidents = lazily(async () => (await import('./incidents/list-incidents.ts')).listIncidents)
export const listItself = lazily(async () => (await import('./recover/own-places.ts')).listItself)
export const listLog = lazily(async () => (await import('./reports/list-log.ts')).listLog)
export const listVaults = lazily(async () => (await import('./vaults/list-vaults.ts')).listVaults)
export const ping = lazily(async () => (await import('./alarms/ping.ts')).ping)
export const makeKit = lazily(async () => (await import('./kit/make-kit.ts')).makeKit)
export const makeReport = lazily(async () => (await import('./reports/make-report.ts')).makeReport)
export const planRun = lazily(async () => (await import('./backup/plan-run.ts')).planRun)
export const prepareRecovery = lazily(async () => (await import('./recover/recover.ts')).prepareRecovery)
export const prepareDump = lazily(async () => (await import('./dump/prepare-dump.ts')).prepareDump)
export const prepareExport = lazily(async () => (await import('./export/export-project.ts')).prepareExport)
export const confirmRestore = lazily(async () => (await import('./restore/continue-restore.ts')).confirmRestore)
export const prepareRestore = lazily(async () => (await import('./restore/prepare-restore.ts')).prepareRestore)
export const prepareResume = lazily(async () => (await import('./restore/continue-restore.ts')).prepareResume)
export const prepareTakingBack = lazily(async () => (await import('./restore/continue-restore.ts')).prepareTakingBack)
export const readStanding = lazily(async () => (await import('./restore/continue-restore.ts')).readStanding)
export const previewCopies = lazily(async () => (await import('./replicate/preview-copies.ts')).previewCopies)
export const probeVault = lazily(async () => (await import('./vaults/probe-vault.ts')).probeVault)
export const proposeConfiguration = lazily(
  async () => (await import('./projects/propose-configuration.ts')).proposeConfiguration,
)
export const recordKit = lazily(async () => (await import('./kit/make-kit.ts')).recordKit)
export const readSecret = lazily(async () => (await import('./kit/held-password.ts')).readSecret)
export const readStatus = lazily(async () => (await import('./watch/read-status.ts')).readStatus)
export const resolveIncident = lazily(async () => (await import('./incidents/resolve-incident.ts')).resolveIncident)
export const runPinged = lazily(async () => (await import('./alarms/run-pinged.ts')).runPinged)
export const runProject = lazily(async () => (await import('./backup/run-project.ts')).runProject)
export const sendMessage = lazily(async () => (await import('./alarms/send-message.ts')).sendMessage)
export const sendReport = lazily(async () => (await import('./reports/send-report.ts')).sendReport)
export const sendWritten = lazily(async () => (await import('./reports/send-report.ts')).sendWritten)
export const writeReport = lazily(async () => (await import('./reports/write-report.ts')).writeReport)
export const testChannels = lazily(async () => (await import('./alarms/test-channels.ts')).testChannels)
export const settleTroubles = lazily(async () => (await import('./incidents/settle-troubles.ts')).settleTroubles)
export const testProject = lazily(async () => (await import('./restore-test/test-project.ts')).testProject)
export const tell = lazily(async () => (await import('./alarms/tell.ts')).tell)
export const verifyProject = lazily(async () => (await import('./verify/verify-project.ts')).verifyProject)
export const watch = lazily(async () => (await import('./watch/watch.ts')).watch)
